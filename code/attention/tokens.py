"""Token numbers: three that mean the same everywhere, and padding (bottleneck: From words)."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from attention._arguments import check_no_text
from attention._tensors import describe
from attention.report import require

PADDING = 0  # fills a row up to the length of the longest; it is no token
START = 1  # what the decoder reads when nothing has been written yet
END = 2  # what the decoder writes when it has finished

Tokens = Sequence[int]
Pair = tuple[Tokens, Tokens]  # a source and its target, without any of the three


def pad(
    sequences: Sequence[Tokens], device: torch.device | str | None = None
) -> Int[Tensor, "batch length"]:
    """Write sequences below each other, each followed by ``END`` and then by ``PADDING``.

    Parameters
    ----------
    sequences : sequence of token sequences
    device : torch.device or str, optional
        Where the rows should be. Default: where torch puts new tensors.

    Raises
    ------
    ValueError
        If there is no sequence, or one holds ``PADDING``, ``START``, ``END``, a
        negative number or something that is no integer.
    """
    check_no_text("sequences", sequences, "a sequence of token sequences")
    require(len(sequences) > 0, "sequences", "at least one", len(sequences))
    ended = [_with_end(sequence) for sequence in sequences]
    length = max(map(len, ended))
    rows = torch.full((len(ended), length), PADDING, device="cpu")  # (batch, length)
    for row, tokens in zip(rows, ended, strict=True):
        row[: len(tokens)] = tokens
    return rows.to(device or torch.get_default_device())


def _with_end(sequence: Tokens) -> Int[Tensor, " length"]:
    try:
        tokens = torch.tensor([*sequence, END], device="cpu")  # (length,)
    except (TypeError, ValueError, RuntimeError):  # text, say, or rows of different lengths
        tokens = None
    integers = tokens is not None and tokens.dtype == torch.long and tokens.ndim == 1
    require(integers, "sequences", "a sequence of integers in each place", sequence)
    require(
        min(sequence, default=END + 1) > END,
        "sequences",
        f"tokens above {END}: the numbers up to it have a meaning of their own",
        list(sequence),
    )
    return tokens


def unpad(rows: Int[Tensor, "batch length"]) -> list[list[int]]:
    """Read each row up to its first ``END``, which is kept, or up to the first ``PADDING``.

    A row without ``END`` is a sentence that was not finished.
    """
    sequences = []
    for row in rows.tolist():
        end = row.index(END) + 1 if END in row else len(row)
        sequences.append([token for token in row[:end] if token != PADDING])
    return sequences


def check_numbers(name: str, tokens: object, symbols: int) -> None:
    """Refuse what is not a rectangle of token numbers.

    Parameters
    ----------
    name : str
        What the error should call them.
    tokens : (batch, length)
    symbols : int
        Token numbers run from 0 to this, exclusive.

    Raises
    ------
    ValueError
        If it is no such rectangle, or an empty one.
    """
    good = isinstance(tokens, Tensor) and tokens.dtype == torch.long and tokens.ndim == 2
    came = describe(tokens) if isinstance(tokens, Tensor) else tokens
    require(good, name, "a torch.int64 tensor of shape (batch, length)", came)
    require(tokens.numel() > 0, name, "at least one sequence and one position", came)
    low, high = tokens.min().item(), tokens.max().item()
    require(0 <= low and high < symbols, name, f"tokens from 0 to {symbols - 1}", (low, high))


def check_tokens(name: str, tokens: object, symbols: int) -> None:
    """Refuse what is not a rectangle of token numbers with the padding on the right.

    Parameters and errors are those of ``check_numbers``.
    """
    check_numbers(name, tokens, symbols)
    real = tokens != PADDING  # (batch, length)
    require(bool(real[:, 0].all()), name, "a token at the start of each row", "PADDING there")
    on_the_right = bool((real[:, 1:] <= real[:, :-1]).all())
    require(on_the_right, name, "PADDING only after the last token of a row", "PADDING between")
