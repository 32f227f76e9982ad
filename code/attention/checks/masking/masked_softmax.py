"""Take a softmax over the keys that the mask allows (masking: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


def _weighing(attend: Callable) -> Callable:
    """Make an answer from a way to attend."""
    return lambda scores, mask: attend.weigh(scores, mask)


def _guarded_softmax(scores: Array) -> Array:
    exponentials = np.exp(scores)
    return exponentials / np.maximum(exponentials.sum(-1, keepdims=True), 1e-30)


def _with_epsilon(epsilon: float) -> Callable:
    def weigh(scores: Array, mask: Array) -> Array:
        hidden = np.where(mask, scores, -np.inf)
        largest = np.where(_empty(mask)[:, None], 0, hidden.max(-1, keepdims=True))
        exponentials = np.exp(hidden - largest)
        return exponentials / (exponentials.sum(-1, keepdims=True) + epsilon)

    return weigh


def _empty(mask: Array) -> Array:
    return ~mask.any(-1)


def _weighs_masked_keys(inputs, expected, got):
    mask = inputs["mask"]
    masked = np.where(mask, 0, got[0])[~_empty(mask)]  # NaN compares as False
    return (np.abs(masked) > 1e-6).any()


def _sums_are_wrong(inputs, expected, got):
    sums = got[0].sum(-1)[~_empty(inputs["mask"])]
    return (np.abs(sums - 1) > 1e-4).any()


def _empty_row_is_not_zero(inputs, expected, got):
    return np.any(got[0][_empty(inputs["mask"])] != 0)


MASKED_SOFTMAX = Exercise(
    name="masked_softmax",
    signature="f(scores, mask)",
    outputs=("weights",),
    reference=_weighing(_mistakes.Attention()),
    stages=(
        (
            example(scores=[[1, 2]], mask=[[True, False]]),
            example(scores=[[0.3, 1.3, -1]], mask=[[True, True, False]]),
            example(scores=[[1, 0], [2, 3]], mask=[[True, False], [True, True]]),
            example(
                scores=[[1, 0, 2], [0, 1, -1]],
                mask=[[True, False, True], [False, True, True]],
            ),
            example(
                scores=[[1, -1, 0], [0, 2, 1], [1, 3, 2]],
                mask=[[True, False, False], [True, True, False], [True, True, True]],
            ),
        ),
        # A masked score that dominates, and one that does and is allowed.
        (
            example(scores=[[-20000, -20001, 10000]], mask=[[True, True, False]]),
            # Each row has a largest score of its own.
            example(scores=[[-900, -901], [0, 1]], mask=[[True, True], [True, True]]),
            example(scores=[[-1000, 1000, -1000, 0]], mask=[[True, True, True, False]]),
        ),
        # A query with nothing to attend to.
        (
            example(scores=[[1, 2], [3, 5]], mask=[[False, False], [True, True]]),
            example(
                scores=[[1, 0, 2], [0, 1, -1]],
                mask=[[True, True, False], [False, False, False]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "overflow",
            "The mask is right, but a large score gives NaN: its exponential is larger than any "
            "float. Subtract the largest score that may be seen first.",
            _weighing(_mistakes.Attention(softmax=_mistakes.unstable_softmax)),
            _weighing(_mistakes.Attention(softmax=_guarded_softmax)),
        ),
        misconception(
            "scores-returned",
            "You return the masked scores. The softmax over them is still to be taken.",
            _mistakes.minus_infinity,
        ),
        misconception(
            "everything-hidden",
            "As soon as one query may attend to nothing, all of them get zeros. Each row is "
            "asked for itself: any along the keys, with keepdims=True.",
            lambda scores, mask: (
                _weighing(_mistakes.Attention())(scores, mask) * mask.any(-1).all()
            ),
        ),
        misconception(
            "added-below-the-line",
            "You add a number to the sum that you divide by, and it is large enough to see: the "
            "rows sum to less than 1. Where the sum is 0, divide by 1 instead.",
            *(_with_epsilon(epsilon) for epsilon in (0.1, 0.01, 1e-3, 1e-4)),
        ),
    ),
    symptoms=(
        Symptom(
            "zero-times-infinity",
            _mistakes.ZERO_TIMES_INFINITY,
            lambda inputs, expected, got: bool(
                np.isnan(got[0]).all() and not _empty(inputs["mask"]).any()
            ),
        ),
        Symptom(
            "not-finite",
            "Your weights hold NaN or infinity: somewhere a number grew too large, or zero was "
            "divided by zero.",
            lambda inputs, expected, got: not np.isfinite(got[0]).all(),
        ),
        Symptom(
            "masked-keys-have-weight",
            "Some masked key has a weight. Where the mask is False the weight should be 0.",
            _weighs_masked_keys,
        ),
        Symptom(
            "rows-do-not-sum-to-1",
            "The masked keys have weight 0, but what is left of a row does not sum to 1.",
            _sums_are_wrong,
        ),
        Symptom(
            "empty-row-not-zero",
            "A query with nothing to attend to has weights that are not 0. That row should be "
            "zeros.",
            _empty_row_is_not_zero,
        ),
    ),
    shared=_mistakes.of_attention(_weighing),
)


def masked_softmax(answer: object) -> Verdict:
    """Check a softmax over the keys that the mask allows.

    ``answer(scores, mask)`` takes ``scores`` (queries, keys) and a boolean
    ``mask`` of the same shape, ``True`` where a query may attend. It returns
    the weights (queries, keys): 0 where masked, each row summing to 1, and a
    row of zeros for a query that may attend to nothing.
    """
    return MASKED_SOFTMAX.check(answer)
