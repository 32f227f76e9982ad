"""Mistakes of the softmax: what overflows, or does not help against it (used by checks)."""

import numpy as np

from attention import by_hand
from attention.checks._mistakes.mistake import softmax_mistake
from attention.checks._mistakes.softmaxes import safe_ratio, subtracting, unstable_softmax

Array = np.ndarray


def _maximum_above_only(scores: Array) -> Array:
    return np.exp(scores - scores.max(-1, keepdims=True)) / np.exp(scores).sum(-1, keepdims=True)


def _maximum_below_only(scores: Array) -> Array:
    below = np.exp(scores - scores.max(-1, keepdims=True)).sum(-1, keepdims=True)
    return np.exp(scores) / below


def _largest_or_zero(scores: Array) -> Array:
    return np.maximum(scores.max(-1, keepdims=True), 0)


def _finite(scores: Array) -> Array:
    return np.where(np.isneginf(scores), np.nan, scores)


def _largest_absolute_value(scores: Array) -> Array:
    return np.nanmax(np.abs(_finite(scores)), -1, keepdims=True)


OVERFLOW = (
    "Large scores give NaN, zero or infinity: e to the power 1000 is more than a float can "
    "hold. Softmax does not change when you subtract the same number from a whole row: "
    "choose it so that no exponential is large, and not all are 0."
)

OF_STABILITY = (
    softmax_mistake(
        "maximum-on-one-side",
        "You subtract the largest score above the fraction line and not below it, or the other "
        "way round. The result stays the same only if both use the same exponentials.",
        _maximum_above_only,
        _maximum_below_only,
    ),
    softmax_mistake(
        "one-maximum-for-all-rows",
        "You subtract the largest score of the whole matrix. A row whose scores all lie far "
        "below it is left with zeros only: 0/0. Each row needs its own largest score.",
        subtracting(np.max),
        lambda scores: safe_ratio(np.exp(scores - scores.max())),
    ),
    softmax_mistake(
        "maximum-of-the-columns",
        "You subtract the largest score of each column. Softmax stays the same only if the "
        "same number is subtracted from a whole row.",
        subtracting(lambda scores: scores.max(-2, keepdims=True)),
    ),
    softmax_mistake(
        "overflow",
        OVERFLOW,
        unstable_softmax,
        lambda scores: safe_ratio(np.exp(scores)),
        lambda scores: np.nan_to_num(unstable_softmax(scores)),
    ),
    softmax_mistake(
        "largest-or-zero",
        "A row whose scores all lie far below 0 is left with zeros only: 0/0. What you subtract "
        "is no score of that row: a 0 takes part when you look for the largest, or you take the "
        "largest absolute value. Subtract the largest score of the row.",
        *(
            function
            for choose in (_largest_or_zero, _largest_absolute_value)
            for function in (
                subtracting(choose),
                lambda scores, choose=choose: safe_ratio(np.exp(scores - choose(scores))),
            )
        ),
    ),
    softmax_mistake(
        "wrong-number-subtracted",
        "You subtract the mean, the smallest or the first score of each row. That is no help "
        "where the largest lies far above: its exponential is more than a float can hold. "
        "Subtract the largest.",
        subtracting(lambda scores: scores.mean(-1, keepdims=True)),
        subtracting(lambda scores: np.nanmean(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: np.nanmin(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: np.nanmedian(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: scores[..., :1]),
        subtracting(lambda scores: scores[..., -1:]),
    ),
    softmax_mistake(
        "constant-subtracted",
        "You subtract a fixed number. Scores that are still larger than that overflow, and a row "
        "far below it is left with zeros only: 0/0. Subtract the largest score of the row.",
        *(subtracting(lambda scores, number=number: number) for number in (100, 500, 700, 1000)),
    ),
    softmax_mistake(
        "clipped",
        "You cut off scores that are very large or very small. Two scores beyond the border then "
        "count the same. Subtract the largest score of the row: that changes no weight.",
        lambda scores: unstable_softmax(np.clip(scores, -700, 700)),
        lambda scores: unstable_softmax(np.minimum(scores, 700)),
        lambda scores: safe_ratio(np.exp(np.minimum(scores, 700))),
    ),
    softmax_mistake(
        "divided-by-the-largest",
        "You divide the scores by the largest of their row. That changes how far they lie apart, "
        "and with it the weights. Subtract the largest.",
        lambda scores: by_hand.softmax(scores / np.abs(scores).max(-1, keepdims=True)),
        lambda scores: by_hand.softmax(scores / scores.max(-1, keepdims=True)),
    ),
)
