"""Mistakes of hiding what the mask forbids (used by checks)."""

from collections.abc import Callable, Mapping

import numpy as np

from attention import by_hand
from attention.checks._mistakes.mistake import Mistake, mask_mistake
from attention.checks._mistakes.softmaxes import (
    naive_softmax,
    normalised,
    safe_ratio,
    unstable_softmax,
)
from attention.checks._mistakes.steps import transposed

Array = np.ndarray
Sizes = Mapping[str, int]


def _filled_with(fill: float) -> Callable:
    return lambda scores, mask: np.where(mask, scores, fill)


def _filled_where_allowed(fill: float) -> Callable:
    return lambda scores, mask: np.where(mask, fill, scores)


def _lowered_by(penalty: float) -> Callable:
    return lambda scores, mask: scores + np.where(mask, 0, penalty)


def _mask_times_infinity(scores: Array, mask: Array) -> Array:
    return scores + (1 - mask) * -np.inf


def _after(weights: Array, mask: Array | None, sizes: Sizes) -> Array:
    return weights if mask is None else weights * mask


def _after_and_renormalised(divide: Callable) -> Callable:
    return lambda weights, mask, sizes: weights if mask is None else divide(weights * mask)


def _transposed_if_it_fits(mask: Array) -> Array:
    return transposed(mask) if mask.shape[-1] == mask.shape[-2] else mask


def unhidden(scores: Array, mask: Array) -> Array:
    """Leave the scores as they are."""
    return scores


FULLY_MASKED_NAN = (
    "A query that may attend to nothing gets NaN: all its scores are minus infinity, and the "
    "softmax divides zero by zero. It should get zeros."
)

FULLY_MASKED_NOT_ZERO = (
    "A query that may attend to nothing attends to something all the same. (A large negative "
    "score, if that is what you use, loses only against a larger one, and here there is none.) "
    "It should get zeros."
)

ZERO_TIMES_INFINITY = (
    "Where a key is masked, your whole row is NaN. A mask times infinity is NaN where the mask is "
    "0, because 0 times infinity is no number. Choose between the score and minus infinity with "
    "np.where."
)

OF_MASK = (
    mask_mistake(
        "mask-ignored",
        "Your function takes a mask and never uses it: the weights are the same with and without.",
        unhidden,
    ),
    Mistake(
        "mask-inverted",
        "The mask is the wrong way round: your queries attend to just those keys that they may "
        "not see. In this book True means: may attend.",
        (
            {"hide": _filled_where_allowed(-np.inf)},
            {"hide": _filled_where_allowed(-np.inf), "softmax": naive_softmax},
            {"hide": _filled_where_allowed(-1e9)},
            {"hide": lambda scores, mask: scores + np.where(mask, -1e9, 0)},
        ),
    ),
    mask_mistake(
        "mask-transposed",
        "The mask is applied with its axes swapped. Its rows are the queries, as in the scores.",
        lambda scores, mask: np.where(transposed(mask), scores, -np.inf),
        lambda scores, mask: np.where(transposed(mask), scores, -1e9),
        lambda scores, mask: np.where(_transposed_if_it_fits(mask), scores, -np.inf),
    ),
    mask_mistake(
        "zero-in-scores",
        "You set masked scores to 0. That hides nothing: e to the power 0 is 1, which is a good "
        "score beside a negative one. Which score has an exponential of 0?",
        _filled_with(0.0),
    ),
    mask_mistake(
        "mask-added",
        "You add the mask to the scores as numbers, so that an allowed key gains 1 and a masked "
        "one loses nothing. A masked key must lose everything.",
        lambda scores, mask: scores + mask,
    ),
    mask_mistake(
        "mask-subtracted",
        "You subtract the mask from the scores as numbers. A masked key must lose everything, "
        "not 1.",
        lambda scores, mask: scores - mask,
        lambda scores, mask: scores - ~mask,
    ),
    mask_mistake(
        "masked-scores-raised",
        "You give the masked keys a very large score where it should be very low: a sign is "
        "missing.",
        _filled_with(1e9),
        _lowered_by(1e9),
    ),
    Mistake(
        "mask-after-softmax",
        "You set weights to zero after the softmax: the rest of the row no longer sums to 1. "
        "Hide the masked keys before the softmax, in the scores.",
        ({"hide": unhidden, "change": _after},),
    ),
    Mistake(
        "mask-for-whole-rows",
        "Your mask takes out whole queries: one that may attend to nothing gets zeros, and every "
        "other attends to all keys. Hide each key that the mask forbids, in the scores.",
        (
            {
                "hide": unhidden,
                "change": lambda weights, mask, sizes: (
                    weights if mask is None else weights * mask.any(-1, keepdims=True)
                ),
            },
        ),
    ),
    Mistake(
        "mask-then-renormalise",
        "The masked scores still take part, in the sum or as the largest score: you mask "
        "afterwards and divide by the sum that is left. That sum can be 0: for a query that may "
        "attend to nothing, and also where a masked key has by far the largest score, so that "
        "the others are rounded to 0 beside it. Mask the scores, before the softmax.",
        tuple(
            {"hide": unhidden, "change": _after_and_renormalised(divide)}
            for divide in (normalised, safe_ratio)
        ),
    ),
    Mistake(
        "softmax-after-mask-after-softmax",
        "You take the softmax, set the masked weights to 0, and take the softmax of that. A "
        "weight of 0 is no score that hides: e to the power 0 is 1. Hide the masked keys in the "
        "scores, with minus infinity, and take the softmax once.",
        (
            {
                "hide": unhidden,
                "change": _after_and_renormalised(by_hand.softmax),
            },
        ),
    ),
    Mistake(
        "fully-masked-nan",
        FULLY_MASKED_NAN,
        ({"softmax": naive_softmax}, {"softmax": unstable_softmax}),
    ),
    Mistake(
        "fully-masked-not-zero",
        FULLY_MASKED_NOT_ZERO,
        (
            {"hide": _filled_with(-1e9)},
            {"hide": _lowered_by(-1e9)},
            {"softmax": lambda scores: np.nan_to_num(naive_softmax(scores), nan=1.0)},
            {
                "softmax": lambda scores: np.nan_to_num(
                    naive_softmax(scores), nan=1 / scores.shape[-1]
                )
            },
        ),
    ),
    Mistake(
        "zero-times-infinity",
        ZERO_TIMES_INFINITY,
        ({"hide": _mask_times_infinity, "softmax": naive_softmax},),
    ),
    mask_mistake(
        "small-penalty",
        "You lower the masked scores by a number that is not large enough, and the masked keys "
        "keep some weight. How large would it have to be for any scores?",
        *(_filled_with(fill) for fill in (-1.0, -10.0, -100.0, -1000.0, -10000.0)),
        *(_lowered_by(fill) for fill in (-1.0, -10.0, -100.0, -1000.0, -10000.0)),
    ),
)
