"""Measure a gradient from two values of the function for each number (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Pitfall, Symptom, Verdict, example
from attention.checks.learning._central_differences_mistakes import MISTAKES
from attention.checks.learning._central_differences_steps import (
    CONSTANT,
    CUBES,
    NEIGHBOURS,
    SQUARES,
    WEIGHTED_ROWS,
    measuring,
)


def _same_everywhere(inputs, expected, got):
    return None if got[0].size == 1 else bool(np.ptp(got[0]) == 0 < np.ptp(expected[0]))


CENTRAL_DIFFERENCES = Exercise(
    name="central_differences",
    signature="f(function, array, step)",
    outputs=("gradient",),
    reference=measuring(),
    stages=(
        (
            example(function=CUBES, array=[2], step=0.5),
            example(function=CUBES, array=[1, -2], step=0.5),
            example(function=SQUARES, array=[1, -2, 3], step=0.25),
            example(function=NEIGHBOURS, array=[1, -2, 3, 0.5], step=2.0),
            example(function=WEIGHTED_ROWS, array=[[1, 2, -1], [0, 3, 4]], step=0.5),
            example(function=CUBES, array=[[[1, 2], [0.5, 0]], [[-1, 3], [-2, 1.5]]], step=0.1),
        ),
        (example(function=CONSTANT, array=[3, 4], step=0.5),),
    ),
    misconceptions=MISTAKES,
    pitfalls=(
        Pitfall(
            "two-axes-alone",
            "An array may have one axis, two or more: np.ndindex(array.shape) goes through all its "
            "places.",
            lambda inputs: inputs["array"].ndim != 2,
        ),
    ),
    symptoms=(
        Symptom(
            "same-everywhere",
            "You return one and the same number for every entry. Each entry has a derivative of "
            "its own: move one at a time.",
            _same_everywhere,
        ),
    ),
)


def central_differences(answer: object) -> Verdict:
    """Check a gradient from central differences.

    ``answer(function, array, step)`` takes a function of an array that returns a
    number, an array of any shape, and a step. It returns an array of the same shape.
    Each entry is the difference of two values of the function, with that entry alone
    a step larger and a step smaller, divided by the distance between the two.
    """
    return CENTRAL_DIFFERENCES.check(answer)
