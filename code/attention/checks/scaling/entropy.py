"""Compute the entropy of attention weights in nats, zeros included (scaling: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Pitfall, Symptom, Verdict, example
from attention.checks.scaling._entropy_mistakes import EPSILON, MISTAKES, NAN_AT_ZERO

ENTROPY = Exercise(
    name="entropy",
    signature="f(weights)",
    outputs=("entropy",),
    reference=by_hand.entropy,
    stages=(
        (
            example(weights=[0.5, 0.5]),
            example(weights=[0.5, 0.25, 0.25]),
            example(weights=[[0.5, 0.5], [0.9, 0.1]]),
            example(weights=[[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]),
            example(weights=[[[0.5, 0.5], [0.9, 0.1]], [[0.2, 0.8], [0.6, 0.4]]]),
        ),
        (example(weights=[1, 0]), example(weights=[[0, 1, 0], [0.5, 0.5, 0]])),
    ),
    misconceptions=MISTAKES,
    pitfalls=(
        Pitfall(
            "one-row",
            "A single row of weights has one axis alone. The keys are the last axis, however many "
            "there are: axis=-1.",
            lambda inputs: inputs["weights"].ndim == 1,
        ),
    ),
    symptoms=(
        Symptom(
            "nan-at-zero",
            NAN_AT_ZERO,
            lambda inputs, expected, got: (
                (inputs["weights"] == 0).any() and not np.isfinite(got[0]).all()
            ),
        ),
        Symptom(
            "epsilon",
            EPSILON,
            lambda inputs, expected, got: (np.abs(got[0] - expected[0]) < 0.05).all(),
        ),
    ),
)


def entropy(answer: object) -> Verdict:
    """Check the entropy of attention weights.

    ``answer(weights)`` takes ``weights`` (..., keys), each row summing to 1,
    and returns the entropy (...) of each row in nats, with 0 log 0 = 0.
    """
    return ENTROPY.check(answer)
