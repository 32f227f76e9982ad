"""Which position of a language model carries an answer, and at which layer: activation patching.

The sentence is followed by a question whose answer is one of its nouns. Two runs differ in one
word: in the noun that is named (another in its place), or in the word that decides. Then the
residual stream of one position, after one layer, is that of the other run.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import torch
from torch import Tensor

from attention import interventions
from attention.kv_cache import Cache, read
from attention.transformer import LanguageModel
from shared.minimal_pairs import MinimalPair, place_of

QUESTION = ' The word "it" refers to the'
STAGES = (0, 12, 20, 22, 24, 26, 30)
# The positions that are patched, for each kind of swap. The full stop is the control: it comes
# after all that was swapped. (What stands before the swap cannot differ.)
POSITIONS = {
    "noun": ("noun", "it", "full stop", "quoted it", "last"),
    "word": ("word", "full stop", "quoted it", "last"),
}
CUTS = {
    "it > nouns": ("it", ("noun", "other")),
    "last > noun": ("last", ("noun",)),
    "last > other": ("last", ("other",)),
    "last > quoted it": ("last", ("quoted it",)),
}
Tokens = Callable[[str], list[int]]


@dataclass(frozen=True)
class Asked:
    """A text with its question, and where its words stand.

    Attributes
    ----------
    tokens : list of int
    places : dict
        From the names in ``POSITIONS`` to positions.
    """

    tokens: list[int]
    places: dict[str, int]


def asked(pair: MinimalPair, version: int, cut: Callable, encode: Tokens, noun: str) -> Asked:
    """Put the question behind a version of a pair; ``noun`` is the one that is called so."""
    text = pair.versions("sentence")[version] + QUESTION
    pieces, other = cut(text), pair.second if noun == pair.first else pair.first
    at = {"noun": noun, "because": "because", "word": pair.deciding[version], "other": other}
    places = {name: place_of(pieces, word) for name, word in at.items()}
    places |= {"it": places["word"] - 2, "full stop": places["word"] + 1}
    places |= {"quoted it": place_of(pieces, "it", last=True), "last": len(pieces) - 1}
    return Asked(encode(text), places)


def last_logits(
    model: LanguageModel, tokens: Tensor, cache: Cache | None = None
) -> tuple[Tensor, Cache]:
    """Compute the logits (batch, symbols) of what follows the last token, and no others."""
    handle = model.to_logits.register_forward_pre_hook(lambda module, inputs: inputs[0][:, -1:])
    try:
        with torch.inference_mode():
            logits, cache = read(model, tokens, cache)
    finally:
        handle.remove()
    return logits[:, 0].double(), cache


def margin(logits: Tensor, one: int, other: int) -> Tensor:  # (...)
    """Give the logit of one symbol over that of another."""
    return logits[..., one] - logits[..., other]


@dataclass(frozen=True)
class Run:
    """What a model made of a text: logits (symbols,), streams by stage, keys and values."""

    logits: Tensor
    streams: dict[tuple[str, int], Tensor]
    cache: Cache


def run_of(model: LanguageModel, tokens: list[int]) -> Run:
    """Read one text."""
    with interventions.record_streams(model) as streams:
        logits, cache = last_logits(model, torch.tensor([tokens]))
    return Run(logits[0], streams, cache)


def patched(
    model: LanguageModel, text: Asked, own: Run, other: Run, position: str, stages: Sequence[int]
) -> Tensor:  # (stages, symbols)
    """Read a text with one position of its stream out of another run, at each of some stages.

    What stands before the position is as it was, and is taken from the cache.
    """
    at, count = text.places[position], len(stages)
    cache = tuple(kept[torch.zeros(count, dtype=torch.long)].first(at) for kept in own.cache)
    with ExitStack() as stack:
        for row, stage in enumerate(stages):
            places = torch.zeros(count, len(text.tokens), dtype=torch.bool)
            places[row, at] = True
            stream = other.streams["decoder", stage].expand(count, -1, -1)
            patch = interventions.patch_activations(model, "decoder", stage, places, stream)
            stack.enter_context(patch)
        tokens = torch.tensor([text.tokens[at:]]).expand(count, -1)
        return last_logits(model, tokens, cache)[0]


def edges_between(run: Asked, query: str, keys: Sequence[str]) -> Tensor:  # (length, length)
    """Mark the edges from one named position to others."""
    edges = torch.zeros(len(run.tokens), len(run.tokens), dtype=torch.bool)
    edges[run.places[query], [run.places[key] for key in keys]] = True
    return edges
