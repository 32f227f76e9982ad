"""Softmaxes, right and mistaken, of which mistakes are made (used by checks)."""

from collections.abc import Callable

import numpy as np

from attention.checks._comparison import close

Array = np.ndarray


def normalised(positive: Array, axis: int = -1) -> Array:
    """Divide by the sum along an axis."""
    return positive / positive.sum(axis, keepdims=True)


def unstable_softmax(scores: Array) -> Array:
    """Take the softmax as the formula says, with nothing subtracted."""
    return normalised(np.exp(scores))


def safe_ratio(positive: Array) -> Array:
    """Divide each row by its sum, and leave a row of zeros."""
    total = positive.sum(-1, keepdims=True)
    return positive / np.where(total == 0, 1, total)


def naive_softmax(scores: Array, axis: int = -1) -> Array:
    """Take the softmax with the maximum subtracted and no care for rows of -inf."""
    return normalised(np.exp(scores - scores.max(axis, keepdims=True)), axis)


def one_hot(scores: Array) -> Array:
    """Give all weight to the largest score, and none where all are -inf."""
    best = np.eye(scores.shape[-1])[scores.argmax(-1)]
    return np.where(np.isneginf(scores).all(-1, keepdims=True), 0, best)


def subtracting(choose: Callable[[Array], Array]) -> Callable:
    """Make a softmax that subtracts what ``choose`` gives for each row."""
    return lambda scores: normalised(np.exp(scores - choose(scores)))


def without_infinity(weigh: Callable) -> Callable:
    """Make a softmax without an exponential; what is hidden counts as 0."""
    return lambda scores: weigh(np.where(np.isneginf(scores), 0, scores))


def is_rescaled(scores: Array, weights: Array) -> bool:
    """Tell whether weights (queries, keys) are a softmax of the scores times some factor."""
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        return False
    centred = scores - scores.mean(-1, keepdims=True)
    logs = np.log(weights) - np.log(weights).mean(-1, keepdims=True)
    factor = (centred * logs).sum() / max((centred**2).sum(), 1e-12)
    if abs(factor) < 0.01:  # equal weights, whatever the scores
        return False
    return bool(np.allclose(logs, factor * centred, atol=1e-5)) and close(
        weights.sum(-1), np.ones(len(weights))
    )
