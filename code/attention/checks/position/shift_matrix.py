"""Find the matrix that moves sine and cosine on by an angle (position: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.position._shared import differ, lengths


def _matrix(entries: Callable) -> Callable:
    """Make a function of an angle from its matrix in terms of cosine and sine."""
    return lambda angle: np.array(entries(np.cos(angle), np.sin(angle)))


_shift = _matrix(lambda cos, sin: [[cos, -sin], [sin, cos]])

SHIFT_MATRIX = Exercise(
    name="shift_matrix",
    signature="f(angle)",
    outputs=("matrix",),
    reference=_shift,
    stages=(
        (
            example(angle=1.0),
            example(angle=0.25),
            example(angle=3.0),
        ),
        (
            example(angle=0.0),
            example(angle=-2.0),
        ),
    ),
    misconceptions=(
        misconception(
            "turned-back",
            "Your matrix turns the other way: it takes the angle off. Is it written for columns, "
            "matrix times vector, or for [cos, sin] in place of [sin, cos]? Here a row [sin, cos] "
            "stands on the left.",
            _matrix(lambda cos, sin: [[cos, sin], [-sin, cos]]),
        ),
        misconception(
            "no-minus",
            "A minus is missing: cos(a + b) is cos a cos b minus sin a sin b.",
            _matrix(lambda cos, sin: [[cos, sin], [sin, cos]]),
        ),
        misconception(
            "reflection",
            "Your matrix mirrors, it does not turn. Its two minus signs or its columns are in "
            "the wrong place.",
            _matrix(lambda cos, sin: [[cos, sin], [sin, -cos]]),
            _matrix(lambda cos, sin: [[-cos, sin], [sin, cos]]),
        ),
        misconception(
            "columns-swapped",
            "Your columns have changed places: the first makes the new sine, the second the new "
            "cosine.",
            _matrix(lambda cos, sin: [[-sin, cos], [cos, sin]]),
        ),
        misconception(
            "rows-swapped",
            "Your rows have changed places: the first says what the old sine contributes, the "
            "second what the old cosine does.",
            _matrix(lambda cos, sin: [[sin, cos], [cos, -sin]]),
        ),
        misconception(
            "sine-for-cosine",
            "Sines and cosines have changed places in your matrix. For an angle of 0 it has to "
            "change nothing: ones on the diagonal, zeros beside it.",
            _matrix(lambda cos, sin: [[sin, -cos], [cos, sin]]),
        ),
        misconception(
            "degrees",
            "You convert the angle to or from degrees. It is in radians already.",
            lambda angle: _shift(np.radians(angle)),
            lambda angle: _shift(np.degrees(angle)),
        ),
        misconception(
            "diagonal-only",
            "The new sine depends on the old cosine, too: your matrix has zeros beside the "
            "diagonal.",
            _matrix(lambda cos, sin: [[cos, 0 * cos], [0 * cos, cos]]),
            _matrix(lambda cos, sin: [[sin, 0 * sin], [0 * sin, cos]]),
            _matrix(lambda cos, sin: np.eye(2)),
        ),
        misconception(
            "turned-twice",
            "You turn by twice the angle.",
            lambda angle: _shift(2 * angle),
        ),
        misconception(
            "half-a-turn-too-far",
            "Both cosines have a minus, so you turn by half a turn more than the angle. The two"
            " minus signs become one: before one of the sines.",
            _matrix(lambda cos, sin: [[-cos, -sin], [sin, -cos]]),
        ),
        misconception(
            "minus-at-a-cosine",
            "One of your cosines has a minus. Only one of the sines has.",
            _matrix(lambda cos, sin: [[cos, -sin], [sin, -cos]]),
            _matrix(lambda cos, sin: [[-cos, -sin], [sin, cos]]),
        ),
    ),
    symptoms=(
        Symptom(
            "changes-lengths",
            "A turn changes no length. Each row of the matrix has length 1, and one of yours has "
            "not.",
            lambda inputs, expected, got: differ(lengths(got[0]), lengths(expected[0])),
        ),
    ),
)


def shift_matrix(answer: object) -> Verdict:
    """Check the matrix that moves a hand on.

    ``answer(angle)`` takes an angle in radians. It returns a 2 × 2 matrix M
    such that the row [sin(a), cos(a)] times M is [sin(a + angle), cos(a +
    angle)], whatever a is.
    """
    return SHIFT_MATRIX.check(answer)
