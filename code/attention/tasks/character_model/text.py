"""The text that the character model reads, in windows (masking: A model that reads)."""

from collections.abc import Iterator
from functools import cache

import torch
from jaxtyping import Int
from torch import Tensor

from attention._arguments import nonnegative_integer, positive_integer
from attention.report import require

VOCABULARY = "\n" + "".join(map(chr, range(32, 127)))  # printable ASCII and the newline
UNKNOWN = len(VOCABULARY)  # the one symbol for every other character
SYMBOLS = len(VOCABULARY) + 1
CONTEXT = 64  # characters that the model can look back on, itself included


@cache
def corpus() -> str:
    """Join the help texts of Python, each paragraph once.

    Some topics quote others whole. A paragraph that stands both in the training
    part and in the held-out part would let memory pass for skill.
    """
    from pydoc_data.topics import topics  # only the corpus needs it, not a loaded model

    paragraphs = "\n\n".join(topics[name] for name in sorted(topics)).split("\n\n")
    return "\n\n".join(dict.fromkeys(paragraphs))


def encode(text: str) -> Int[Tensor, " length"]:
    """Turn characters into symbol numbers; what is not in the vocabulary is ``UNKNOWN``.

    Raises
    ------
    ValueError
        If ``text`` is no string.
    """
    require(isinstance(text, str), "text", "a string", text)
    number = {character: i for i, character in enumerate(VOCABULARY)}
    symbols = [number.get(character, UNKNOWN) for character in text]
    return torch.tensor(symbols, dtype=torch.long, device="cpu")


def decode(symbols: Int[Tensor, " length"]) -> str:
    """Turn symbol numbers into characters; ``UNKNOWN`` becomes the replacement character."""
    return "".join((VOCABULARY + "\N{REPLACEMENT CHARACTER}")[i] for i in symbols.tolist())


@cache
def split() -> tuple[Int[Tensor, " training"], Int[Tensor, " held_out"]]:
    """Encode the corpus and hold out its last tenth."""
    symbols = encode(corpus())
    return symbols.tensor_split([len(symbols) * 9 // 10])


def windows(
    symbols: Int[Tensor, " length"], starts: Int[Tensor, " batch"], shift: int = 1
) -> tuple[Int[Tensor, "batch context"], Int[Tensor, "batch context"]]:
    """Cut windows of ``CONTEXT`` symbols, and their targets ``shift`` symbols later.

    Parameters
    ----------
    symbols : (length,)
    starts : (batch,)
        Where each window begins.
    shift : int
        1 asks for the next symbol. 0 asks for the symbol that is there, 2 for
        the one after the next: both run, and both are bugs.

    Returns
    -------
    inputs, targets : (batch, CONTEXT)

    Raises
    ------
    ValueError
        If ``shift`` is negative or a window leaves the text.
    """
    shift = nonnegative_integer("shift", shift)
    last = len(symbols) - CONTEXT - shift
    inside = all(0 <= start <= last for start in starts.tolist())
    require(inside, "starts", f"numbers from 0 to {last}", starts.tolist())
    # (batch, CONTEXT)
    places = starts[:, None] + torch.arange(CONTEXT, device=starts.device)
    return symbols[places], symbols[places + shift]


def batches(
    symbols: Int[Tensor, " length"], batch: int, generator: torch.Generator, shift: int = 1
) -> Iterator[tuple[Int[Tensor, "batch context"], Int[Tensor, "batch context"]]]:
    """Draw windows from all over the text, without end; they are where ``symbols`` are.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer, or as in ``windows``; when the first batch
        is asked for.
    """
    batch = positive_integer("batch", batch)
    while True:
        # As if shift were always 2, so that every arm of an experiment gets the same windows.
        starts = torch.randint(
            len(symbols) - CONTEXT - 1, (batch,), generator=generator, device=generator.device
        )
        yield windows(symbols, starts.to(symbols.device), shift)


def held_out_windows(
    shift: int = 1,
) -> tuple[Int[Tensor, "windows context"], Int[Tensor, "windows context"]]:
    """Cut the held-out text into windows that do not overlap, with their targets."""
    _, symbols = split()
    starts = torch.arange(0, len(symbols) - CONTEXT - 1, CONTEXT, device=symbols.device)
    return windows(symbols, starts, shift)
