"""Reorder a query matrix from rotary halves to adjacent pairs (family: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.family._to_adjacent_mistakes import MISTAKES, RIGHT

Array = np.ndarray


def _keeps_the_rows(inputs, got) -> bool:
    return sorted(got[0].tolist()) == sorted(inputs["W"].tolist())


def _changes_rows(inputs, expected, got):
    return bool(np.isfinite(got[0]).all()) and not _keeps_the_rows(inputs, got)


def _places(inputs, got) -> list[int] | None:
    """Say at which row of W each row of an answer stood, if it has the same rows."""
    if not _keeps_the_rows(inputs, got):
        return None
    rows = inputs["W"].tolist()
    return [rows.index(row) for row in got[0].tolist()]


def _leaves_its_head(inputs, expected, got):
    places, d_k = _places(inputs, got), inputs["d_k"]
    if len(got[0]) == d_k:  # a single head, which nothing can leave
        return None
    return places is not None and any(
        place // d_k != row // d_k for row, place in enumerate(places)
    )


def _parts_partners(inputs, expected, got):
    places, d_k = _places(inputs, got), inputs["d_k"]
    return places is not None and any(
        abs(one - other) != d_k // 2 for one, other in zip(places[::2], places[1::2], strict=True)
    )


def _numbered(heads: int, d_k: int, d_model: int) -> list[list[int]]:
    """Make a matrix whose first column tells head and row: 12 is row 2 of head 1."""
    first = [10 * head + row for head in range(heads) for row in range(d_k)]
    return [
        [place, *(((place * 7 + column) % 5) - 2 for column in range(1, d_model))]
        for place in first
    ]


TO_ADJACENT = Exercise(
    name="to_adjacent",
    signature="f(W, d_k)",
    outputs=("reordered",),
    reference=RIGHT,
    stages=(
        (
            example(W=[[0], [1], [2], [3]], d_k=4),
            example(W=_numbered(1, 6, 1), d_k=6),
            example(W=_numbered(2, 4, 1), d_k=4),
            example(W=_numbered(2, 4, 2), d_k=4),
            example(W=_numbered(3, 6, 1), d_k=6),
            example(W=_numbered(2, 6, 2), d_k=6),
            example(W=_numbered(1, 6, 6), d_k=6),
        ),
        (
            example(W=[[0.3, 1], [3.3, 5]], d_k=2),
            example(W=_numbered(3, 2, 1), d_k=2),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "rows-changed",
            "Your rows are not those of W: some is missing, there twice or changed. Each row only "
            "gets another place.",
            _changes_rows,
        ),
        Symptom(
            "leaves-its-head",
            "All rows are there, but some row has left its head. The first d_k rows are those of "
            "the first head, and stay so.",
            _leaves_its_head,
        ),
        Symptom(
            "partners-apart",
            "Rows that rotate together do not stand side by side. Row i of the first half of a "
            "head belongs at 2i, row i of the second half at 2i + 1.",
            _parts_partners,
        ),
    ),
)


def to_adjacent(answer: object) -> Verdict:
    """Check the reordering of a query matrix from rotary halves to adjacent pairs.

    ``answer(W, d_k)`` takes a matrix (heads x d_k, d_model) as files of weights keep it:
    each row makes one number of a query, and the first d_k rows are those of the first
    head. Its model turns numbers i and i + d_k / 2 of a head together. It returns a
    matrix of the same shape for a model that turns numbers 2i and 2i + 1 together, by the
    same angle.
    """
    return TO_ADJACENT.check(answer)
