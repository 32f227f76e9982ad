"""Follow the attention of several layers down to the words (evidence: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.evidence._rollout_mistakes import MISTAKES, rolling


def _weights(*layers: list) -> np.ndarray:
    """Make weights (layers, heads, length, length); a layer is a list of heads."""
    return np.array(layers, dtype=float)


_LEFT, _RIGHT = [[1, 0], [0.5, 0.5]], [[0.25, 0.75], [0, 1]]
_NEXT, _SAME, _MIXED = (
    [[0, 1, 0], [0, 0, 1], [1, 0, 0]],
    [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
    [[0.5, 0.25, 0.25], [0, 0.75, 0.25], [0.25, 0.25, 0.5]],
)

ROLLOUT = Exercise(
    name="rollout",
    signature="f(weights)",
    outputs=("shares",),
    reference=rolling(),
    stages=(
        (
            example(weights=_weights([_LEFT])),
            example(weights=_weights([_LEFT, _RIGHT])),
            example(weights=_weights([_LEFT], [_RIGHT])),
            example(weights=_weights([_NEXT], [_MIXED])),
            example(weights=_weights([_NEXT, _MIXED], [_MIXED, _SAME])),
            example(weights=_weights([_MIXED, _NEXT], [_NEXT, _NEXT], [_SAME, _MIXED])),
        ),
        (example(weights=_weights([[[1.0]]], [[[1.0]]])),),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "rows-do-not-sum-to-1",
            "Some row does not sum to 1. The shares of all words together are the whole.",
            lambda inputs, expected, got: (
                np.isfinite(got[0]).all() and not np.allclose(got[0].sum(-1), 1)
            ),
        ),
    ),
)


def rollout(answer: object) -> Verdict:
    """Check attention rollout.

    ``answer(weights)`` takes ``weights`` (layers, heads, length, length), from the first
    layer to the last, each row with a sum of 1. Average the heads of each layer, mix the
    average half and half with the identity, for the residual, and multiply the layers. It
    returns (length, length): for each position after the last layer (row), the share of each
    word.
    """
    return ROLLOUT.check(answer)
