"""Draw a control that weighs as much as the edge it is for (evidence: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.evidence._equal_weight_mistakes import MISTAKES, right_equal_weight


def _draw(weights: list, order: list, goal: float) -> dict:
    return example(weights=np.array(weights), order=np.array(order), goal=goal)


EQUAL_WEIGHT = Exercise(
    name="equal_weight",
    signature="f(weights, order, goal)",
    outputs=("cut",),
    reference=right_equal_weight,
    stages=(
        (
            _draw([0.5, 0.25, 0.25], [2, 1], 0.4),
            _draw([0.125, 0.5, 0.25, 0.125], [3, 0, 2], 0.2),
            _draw([0.125, 0.375, 0.25, 0.25], [3, 0, 2], 0.3),
            _draw([0.25, 0.125, 0.375, 0.0625, 0.1875], [4, 1, 0, 3], 0.25),
            _draw([0.0625, 0.25, 0.125, 0.3125, 0.25], [2, 0, 4, 3], 0.2),
            _draw([0.1875, 0.0625, 0.25, 0.125, 0.375], [1, 4, 3, 0], 0.1),
        ),
        (
            # Never enough, and exactly enough.
            _draw([0.125, 0.125, 0.75], [1, 0], 0.5),
            _draw([0.125, 0.25, 0.125, 0.5], [0, 2, 1], 0.25),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "numbers-for-booleans",
            "Your result holds numbers. Say of each word whether it is cut: True or False.",
            lambda inputs, expected, got: got[0].dtype != bool,
        ),
        Symptom(
            "too-light",
            "The words that you cut weigh less than the goal, though there are more.",
            lambda inputs, expected, got: (
                inputs["weights"][got[0]].sum() < min(inputs["goal"], _all_of(inputs)) - 1e-9
            ),
        ),
    ),
    boolean=True,
)


def _all_of(inputs: dict) -> float:
    return inputs["weights"][inputs["order"]].sum()


def equal_weight(answer: object) -> Verdict:
    """Check the draw of a control of equal weight.

    ``answer(weights, order, goal)`` takes ``weights`` (length,), the weight that a query gives
    to each word; ``order`` (some,), the places of the words that should not matter, shuffled;
    and ``goal``, the weight of the edge that the control is for. Words are cut in this order
    until those that are cut weigh at least as much as the goal, or there are no more. It
    returns a boolean array (length,), ``True`` for each word that is cut.
    """
    return EQUAL_WEIGHT.check(answer)
