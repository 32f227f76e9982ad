"""Word alignments: links, and how far they are from the true (alignment: Alignment error)."""

import math
from collections.abc import Sequence, Set

from jaxtyping import Float
from torch import Tensor

from attention._arguments import as_integer, check_no_text, positive_integer
from attention.report import require

Link = tuple[int, int]  # a source word and a target word, both counted from 0
Alignment = set[Link] | frozenset[Link]


def strongest_links(
    weights: Float[Tensor, "rows columns"], source_length: int, target_length: int
) -> set[Link]:
    """Link each target word to the source word with the largest weight.

    Parameters
    ----------
    weights : (rows, columns)
        Of one sentence pair. Row t must be the weights of the step that *writes*
        target word t.
    source_length, target_length : int
        In words. Further rows and columns are those of ``END`` and of padding. A
        target word that looks hardest at the source's ``END`` is linked to nothing.

    Raises
    ------
    ValueError
        If the weights have fewer rows or columns than there are words, or a length is
        no number of words.
    """
    rows, columns = weights.shape
    target_length = _checked_length("target_length", target_length, rows)
    source_length = _checked_length("source_length", source_length, columns)
    strongest = weights[:target_length].argmax(-1).tolist()
    return {(source, target) for target, source in enumerate(strongest) if source < source_length}


def _checked_length(name: str, length: object, longest: float | int = math.inf) -> int:
    expected = "0 or more words" if longest == math.inf else f"at most {longest}"
    return as_integer(name, length, expected, lambda length: 0 <= length <= longest)


def alignment_error_rate(
    alignments: Sequence[Alignment],
    sure: Sequence[Alignment],
    possible: Sequence[Alignment] | None = None,
) -> float:
    """Compare links with those that a person, or a grammar, has drawn.

    1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|), counted over all sentences together, where
    A are the links to be judged, S the sure ones and P the possible ones, S among
    them (Och & Ney 2003).

    Parameters
    ----------
    alignments, sure : sequence of sets of links
        One set for each sentence.
    possible : sequence of sets of links, optional
        Default: only the sure ones.

    Returns
    -------
    rate : float
        0 if all sure links are found and all others are possible ones; 1 if
        nothing fits.

    Raises
    ------
    ValueError
        If the numbers of sentences differ, something is not a sequence of sets, or there
        is no link at all.
    """
    _check_sets("alignments", alignments)
    possible = _possible(sure, possible, len(alignments))
    fitting = links = 0
    for found, certain, allowed in zip(alignments, sure, possible, strict=True):
        fitting += len(found & certain) + len(found & allowed)
        links += len(found) + len(certain)
    require(links > 0, "alignments", "at least one link, there or in sure", links)
    return 1 - fitting / links


def diagonal_links(source_length: int, target_length: int) -> set[Link]:
    """Link each target word to the source word that is as far along its sentence.

    Raises
    ------
    ValueError
        If ``source_length`` is not a positive integer, or ``target_length`` is negative
        or no integer.
    """
    source_length = positive_integer("source_length", source_length)
    target_length = _checked_length("target_length", target_length)
    return {
        ((2 * target + 1) * source_length // (2 * target_length), target)
        for target in range(target_length)
    }


def uniform_error_rate(
    lengths: Sequence[tuple[int, int]],
    sure: Sequence[Alignment],
    possible: Sequence[Alignment] | None = None,
) -> float:
    """Compute the error rate to expect if each target word is linked to any source word.

    Exactly, and not by drawing: the number of links is fixed, so the rate's
    expectation follows from each link's chance of 1 in ``source_length``.

    Parameters
    ----------
    lengths : sequence of (source_length, target_length)
        In words, one pair for each sentence.
    sure, possible
        As in ``alignment_error_rate``.

    Raises
    ------
    ValueError
        If the numbers of sentences differ, a length is no number of words, or there is no
        target word.
    """
    check_no_text("lengths", lengths, "two lengths for each sentence")
    possible = _possible(sure, possible, len(lengths))
    fitting = links = 0.0
    for (source_length, target_length), certain, allowed in zip(
        lengths, sure, possible, strict=True
    ):
        fitting += (len(certain) + len(certain | allowed)) / positive_integer(
            "lengths", source_length
        )
        links += _checked_length("lengths", target_length) + len(certain)
    require(links > 0, "lengths", "at least one target word", list(lengths))
    return 1 - fitting / links


def _possible(
    sure: Sequence[Alignment], possible: Sequence[Alignment] | None, sentences: int
) -> list[Alignment]:
    """Check the numbers of sentences; put the sure links among the possible ones."""
    possible = sure if possible is None else possible
    for name, sets in (("sure", sure), ("possible", possible)):
        _check_sets(name, sets)
        require(len(sets) == sentences, name, f"{sentences} sets of links", len(sets))
    return [allowed | certain for allowed, certain in zip(possible, sure, strict=True)]


def _check_sets(name: str, sets: Sequence[Alignment]) -> None:
    good = not isinstance(sets, Set | str) and all(isinstance(links, Set) for links in sets)
    require(good, name, "a sequence of sets of links", sets)
