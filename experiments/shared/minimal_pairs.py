"""Sentences that differ in one word, which decides between two others; and where heads look.

``experiments/minimal_pairs.csv`` has a row for each pair. Of a kind "it" the last word decides
which of two nouns *it* is, of a kind "with" whether what comes with *with* belongs to the verb or
to its object. The half "before" was written before any head had been looked at, the half "after"
when the first had been measured.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from torch import nn

from shared.first_token import all_heads, recorded
from shared.logs import ROOT, read_rows

FILE = ROOT / "experiments" / "minimal_pairs.csv"
HALVES = ("before", "after")
# How the words of a pair are shown; the text of the pair has its own frame.
LISTS = {
    "it": {"list": "{first}, {second}, it, {{}}", "list turned": "{second}, {first}, it, {{}}"},
    "with": {"list": "{first}, {second}, {{}}", "list turned": "{second}, {first}, {{}}"},
}
APART = " today with"  # one more word between the object and "with"
Cut = Callable[[str], list[str]]
Encode = Callable[[str], list[int]]


@dataclass(frozen=True)
class MinimalPair:
    """Two words to choose from, and two that decide: see the module's docstring.

    ``other_first`` and ``other_second`` are nouns to put in the place of ``first`` and
    ``second``; only pairs of the kind "it" have them.
    """

    kind: str
    half: str
    text: str
    first: str
    second: str
    means_first: str
    means_second: str
    other_first: str = ""
    other_second: str = ""

    @property
    def deciding(self) -> tuple[str, str]:
        """The word that means the first one, and the word that means the second."""
        return self.means_first, self.means_second

    def versions(self, frame: str) -> tuple[str, str]:
        """Write both sentences: as they are, as bare lists, or with a word before *with*."""
        text = self.text
        if frame == "apart":
            text = text.replace(" with", APART)
        elif frame != "sentence":
            words = LISTS[self.kind][frame].format(first=self.first, second=self.second)
            text = f"Words: {words}."
        return text.format(self.means_first), text.format(self.means_second)


@cache
def read_pairs(kind: str, half: str = "") -> tuple[MinimalPair, ...]:
    """Read the pairs of a kind, of one half or of both."""
    pairs = (MinimalPair(**row) for row in read_rows(FILE))
    return tuple(pair for pair in pairs if pair.kind == kind and half in ("", pair.half))


def place_of(pieces: Sequence[str], word: str, last: bool = False) -> int:
    """Find a word among the pieces of a text, where it must stand once (or take the last).

    Raises
    ------
    ValueError
        If it is not there, or more than once.
    """
    places = [place for place, piece in enumerate(pieces) if piece.removeprefix("Ġ") == word]
    if not places or (len(places) > 1 and not last):
        raise ValueError(f"{word!r} should be one piece of {pieces}")
    return places[-1]


def look(
    model: nn.Module,
    pieces_of: Cut,
    encode: Encode,
    pairs: Sequence[MinimalPair],
    frame: str,
    query: str = "",
) -> np.ndarray:  # (pairs, versions, 2, layers, heads)
    """Measure what all heads give to the two words, from a query, in both versions.

    Parameters
    ----------
    pieces_of, encode : callable
        From a text to its pieces and to their numbers, with what the model wants around it.
    query : str
        The word that looks; none: the one that decides.
    """
    found = []
    for pair in pairs:
        for text, word in zip(pair.versions(frame), pair.deciding, strict=True):
            pieces = pieces_of(text)
            weights = _heads(model, encode(text))[:, :, place_of(pieces, query or word)]
            keys = [place_of(pieces, pair.first), place_of(pieces, pair.second)]
            found.append(weights[..., keys].permute(2, 0, 1).numpy())
    return np.stack(found).reshape(len(pairs), 2, *found[0].shape)


def _heads(model: nn.Module, tokens: list[int]) -> torch.Tensor:
    """Record the weights of all layers and heads in one text."""
    weights = recorded(model, torch.tensor([tokens]))
    return all_heads(weights, next(iter(weights))[0])


def previous(
    model: nn.Module,
    pieces_of: Cut,
    encode: Encode,
    pairs: Sequence[MinimalPair],
    frame: str,
    query: str,
) -> np.ndarray:  # (pairs, versions, layers, heads)
    """Measure what all heads give to the token before the query."""
    found = []
    for pair in pairs:
        for text in pair.versions(frame):
            at = place_of(pieces_of(text), query)
            found.append(_heads(model, encode(text))[:, :, at, at - 1].numpy())
    return np.stack(found).reshape(len(pairs), 2, *found[0].shape)
