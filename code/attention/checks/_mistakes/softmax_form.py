"""Mistakes of the softmax: another function in its place, or one step too many (used by checks)."""

import numpy as np

from attention import by_hand
from attention.checks._mistakes.mistake import Mistake, softmax_mistake
from attention.checks._mistakes.softmaxes import normalised, one_hot, safe_ratio, without_infinity
from attention.checks._mistakes.steps import unscaled

Array = np.ndarray


def _log_softmax(scores: Array) -> Array:
    return np.log(by_hand.softmax(scores))


def _equal(scores: Array) -> Array:
    return safe_ratio(1.0 * ~np.isneginf(scores))


def _causal_softmax(scores: Array) -> Array:
    seen = np.tri(*scores.shape[-2:], dtype=bool)
    return by_hand.softmax(np.where(seen, scores, -np.inf))


def _sigmoid(scores: Array) -> Array:
    return 1 / (1 + np.exp(-scores))


OF_FORM = (
    Mistake(
        "no-softmax",
        "You use the scores as weights. They can be negative and do not sum to 1: a softmax is "
        "missing.",
        (
            {"softmax": without_infinity(lambda scores: scores)},
            {"softmax": without_infinity(lambda scores: scores), "scale": unscaled},
        ),
    ),
    softmax_mistake(
        "no-exponential",
        "You divide the scores themselves by their sum. A negative score then gives a negative "
        "weight. Make every score positive first: softmax does it with the exponential.",
        without_infinity(normalised),
    ),
    softmax_mistake(
        "absolute-values",
        "You made the scores positive by dropping their sign, so a score of -3 counts as much "
        "as 3. The exponential keeps the order.",
        without_infinity(lambda scores: normalised(np.abs(scores))),
    ),
    softmax_mistake(
        "divided-by-absolute-values",
        "You divide the scores by the sum of their absolute values. Negative scores then give "
        "negative weights. The exponential makes every score positive.",
        without_infinity(lambda scores: scores / np.abs(scores).sum(-1, keepdims=True)),
    ),
    softmax_mistake(
        "squares",
        "You made the scores positive by squaring them, so a score of -3 counts as much as 3. "
        "The exponential keeps the order.",
        without_infinity(lambda scores: normalised(scores**2)),
    ),
    softmax_mistake(
        "negative-scores-cut",
        "You set negative scores to 0 before dividing by the sum. Then all of them count the "
        "same, which is nothing. The exponential keeps the order of all scores.",
        lambda scores: normalised(np.maximum(scores, 0)),
        lambda scores: safe_ratio(np.maximum(scores, 0)),
    ),
    softmax_mistake(
        "smallest-subtracted",
        "You made the scores positive by subtracting the smallest, so that the worst key gets "
        "nothing at all. Softmax uses the exponential: every key gets a share.",
        without_infinity(lambda scores: normalised(scores - scores.min(-1, keepdims=True))),
        without_infinity(
            lambda scores: (
                (scores - scores.min(-1, keepdims=True)) / np.ptp(scores, -1, keepdims=True)
            )
        ),
    ),
    softmax_mistake(
        "sigmoid",
        "You pressed each score on its own into the range 0 to 1 (a sigmoid). Softmax compares "
        "the scores of a row, so that together they sum to 1.",
        _sigmoid,
        lambda scores: normalised(_sigmoid(scores)),
    ),
    softmax_mistake(
        "wrong-sign",
        "Your largest weight is at the smallest score: a sign is turned round in the exponent.",
        lambda scores: by_hand.softmax(np.where(np.isneginf(scores), scores, -scores)),
    ),
    softmax_mistake(
        "base-two",
        "You took powers of 2. Softmax takes powers of e.",
        lambda scores: by_hand.softmax(scores * np.log(2)),
    ),
    softmax_mistake(
        "base-ten",
        "You took powers of 10. Softmax takes powers of e.",
        lambda scores: by_hand.softmax(scores * np.log(10)),
    ),
    softmax_mistake(
        "log-softmax",
        "The logarithm of the weights (a log-softmax) stands where the weights should. One step "
        "too many, or one too few.",
        _log_softmax,
        lambda scores: np.where(np.isneginf(scores), 0, _log_softmax(scores)),
    ),
    softmax_mistake(
        "softmax-twice",
        "The softmax runs twice: the weights of the first are the scores of the second. That "
        "makes them almost equal.",
        lambda scores: by_hand.softmax(by_hand.softmax(scores)),
        lambda scores: by_hand.softmax(
            np.where(np.isneginf(scores), scores, by_hand.softmax(scores))
        ),
    ),
    softmax_mistake(
        "hard-maximum",
        "All the weight goes to the largest score (arg-max). Softmax is softer: every key gets "
        "some.",
        one_hot,
        lambda scores: safe_ratio(1.0 * (scores == scores.max(-1, keepdims=True))),
    ),
    softmax_mistake(
        "equal-weights",
        "Every key has the same weight. The scores should decide how much each gets.",
        _equal,
    ),
    softmax_mistake(
        "future-hidden",
        "You hide from each query the keys that come after it. No causal mask is asked for here.",
        _causal_softmax,
    ),
    softmax_mistake(
        "one-below-the-line",
        "You add 1 to the sum of the exponentials, so that the weights sum to less than 1. In a "
        "softmax the sum alone stands below the fraction line.",
        lambda scores: np.exp(scores) / (1 + np.exp(scores).sum(-1, keepdims=True)),
    ),
    softmax_mistake(
        "divided-by-the-number-of-keys",
        "You divide by the number of keys, as a mean does. Softmax divides by the sum of the "
        "exponentials, and by nothing else.",
        lambda scores: np.exp(scores) / scores.shape[-1],
        lambda scores: np.exp(scores) / np.exp(scores).mean(-1, keepdims=True),
        lambda scores: by_hand.softmax(scores) / scores.shape[-1],
    ),
    softmax_mistake(
        "divided-by-the-length",
        "You divide by the length of the row as a vector, the root of the sum of squares. "
        "Weights must sum to 1: divide by the sum of the exponentials.",
        lambda scores: np.exp(scores) / np.linalg.norm(np.exp(scores), axis=-1, keepdims=True),
        without_infinity(lambda scores: scores / np.linalg.norm(scores, axis=-1, keepdims=True)),
    ),
)
