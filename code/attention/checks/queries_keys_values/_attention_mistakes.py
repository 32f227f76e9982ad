"""Common mistakes in `attention`, with their messages (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception
from attention.checks._mistakes import (
    Attention,
)


def _returning(choose: Callable) -> Callable:
    """Make an attention function that is right but for what it returns."""

    def attend(query, key, value, mask=None):
        return choose(*Attention()(query, key, value, mask))

    return attend


def _scores_for_weights(query, key, value, mask=None):
    output, _ = Attention()(query, key, value, mask)
    scores = query @ key.T / np.sqrt(key.shape[-1])
    return output, scores if mask is None else np.where(mask, scores, -np.inf)


MISTAKES = (
    misconception(
        "only-output",
        "You return the output alone. The exercise asks for two things: the output and the "
        "weights, in this order.",
        _returning(lambda output, weights: output),
    ),
    misconception(
        "only-weights",
        "You return the weights alone. The exercise asks for two things: the output and the "
        "weights, in this order.",
        _returning(lambda output, weights: weights),
    ),
    misconception(
        "outputs-swapped",
        "Both results are right, but in the wrong order: the output comes first, then the weights.",
        _returning(lambda output, weights: (weights, output)),
    ),
    misconception(
        "scores-for-weights",
        "Your output is right, but beside it you return the scores. The weights are what "
        "the softmax makes of them.",
        _scores_for_weights,
    ),
)
