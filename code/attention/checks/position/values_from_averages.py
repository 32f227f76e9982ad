"""Read the values back from causal averages (position: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.position._shared import differ

Array = np.ndarray


def _count(average: Array) -> Array:
    return np.arange(1, len(average) + 1)[:, None]  # (length, 1): how many each row averages


def _before(rows: Array) -> Array:
    """Move all rows down by one, with zeros above."""
    return np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])


def _values(average: Array) -> Array:
    total = _count(average) * average
    return total - _before(total)


def _averages_of(*values: list[int]) -> Array:
    return np.cumsum(np.array(values, dtype=float), axis=0) / np.arange(1, len(values) + 1)[:, None]


VALUES_FROM_AVERAGES = Exercise(
    name="values_from_averages",
    signature="f(average)",
    outputs=("values",),
    reference=_values,
    stages=(
        (
            example(average=_averages_of([1], [3])),
            example(average=_averages_of([1], [3], [5])),
            example(average=_averages_of([6], [2], [-2], [10])),
            example(average=_averages_of([1, 0], [0, 2], [5, 1])),
            example(average=_averages_of([2, 1, 0], [0, 3, 4], [4, -1, 2], [2, 5, 6])),
        ),
        (
            example(average=_averages_of([4, 7])),
            example(average=_averages_of([0], [0], [0], [0], [1])),
        ),
    ),
    misconceptions=(
        misconception(
            "differences-of-averages",
            "You take differences of the averages. A difference gives a value back when it is "
            "one of sums: first make the sum of each row out of its average.",
            lambda average: average - _before(average),
        ),
        misconception(
            "sums",
            "You return the sums of all values so far. One step is left: what did the last value "
            "add?",
            lambda average: _count(average) * average,
        ),
        misconception(
            "counts-from-0",
            "You multiply row p by p. Position p sees itself and the p before it: its average is "
            "over p + 1 values.",
            lambda average: (
                (_count(average) - 1) * average - _before((_count(average) - 1) * average)
            ),
        ),
        misconception(
            "previous-average-not-multiplied",
            "You take the previous average off a sum. It has to become a sum, too, with its own "
            "number of values.",
            lambda average: _count(average) * average - _before(average),
        ),
        misconception(
            "one-count-for-both",
            "You multiply both averages by the same number of values. The previous row has one "
            "value fewer in its average.",
            lambda average: _count(average) * (average - _before(average)),
        ),
        misconception(
            "length-for-all",
            "You multiply every row by the length of the whole text. Row p is an average over "
            "p + 1 values, as the mask hides those that come after it.",
            lambda average: len(average) * (average - _before(average)),
            lambda average: len(average) * average,
        ),
        misconception(
            "averages-of-two",
            "You undo an average of two rows. Row p is the average of all values up to p.",
            lambda average: np.concatenate([average[:1], 2 * average[1:] - average[:-1]]),
        ),
        misconception(
            "averages-returned",
            "You return the averages themselves.",
            lambda average: average.copy(),
        ),
        misconception(
            "averaged-again",
            "You average the averages, or add them up. The other direction is asked for.",
            lambda average: np.cumsum(average, axis=0) / _count(average),
            lambda average: np.cumsum(average, axis=0),
        ),
        misconception(
            "across-the-columns",
            "You take the differences across the columns. Row by row something is added: along "
            "axis 0.",
            lambda average: np.diff(_count(average) * average, axis=1, prepend=0),
        ),
        misconception(
            "counts-swapped",
            "Each average is multiplied by the number of values of the other row. Row p is over"
            " p + 1 values, the row before over p.",
            lambda average: (
                average * (_count(average) - 1 + (_count(average) == 1))
                - _before(average) * _count(average)
            ),
        ),
        misconception(
            "averages-subtracted",
            "From a sum of values you take averages off. Take off the sum of the values before.",
            lambda average: _count(average) * average - _before(np.cumsum(average, axis=0)),
        ),
        misconception(
            "along-the-columns",
            "You treat the columns as positions. Positions stand below each other: everything "
            "runs along axis 0.",
            lambda average: _values(average.T).T,
        ),
        misconception(
            "first-row-zero",
            "Your first row is 0. The first position sees itself alone: its value is its average.",
            lambda average: np.concatenate([0 * average[:1], _values(average)[1:]]),
        ),
        misconception(
            "divided-by-the-count",
            "You divide by the number of values. An average has been divided already: multiply "
            "to get the sum back.",
            lambda average: average / _count(average) - _before(average / _count(average)),
        ),
        misconception(
            "previous-minus-this",
            "You take each sum away from the one before it. It is the other way round.",
            lambda average: _before(_count(average) * average) - _count(average) * average,
            lambda average: np.concatenate([average[:1], -_values(average)[1:]]),
        ),
        misconception(
            "reversed",
            "Your values come in reverse order.",
            lambda average: _values(average)[::-1],
        ),
    ),
    symptoms=(
        Symptom(
            "first-row",
            "Look at your first row. The first position sees itself alone, so its average is its "
            "value.",
            lambda inputs, expected, got: differ(got[0][0], expected[0][0]),
        ),
    ),
)


def values_from_averages(answer: object) -> Verdict:
    """Check the reading back of values from causal averages.

    ``answer(average)`` takes an array (length, d_v). Row p is the output of
    causal attention whose scores are all equal: the average of the values of
    positions 0 to p. It returns the values (length, d_v).
    """
    return VALUES_FROM_AVERAGES.check(answer)
