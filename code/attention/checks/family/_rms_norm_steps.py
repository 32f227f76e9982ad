"""Steps of RMSNorm, right and mistaken, for `rms_norm` (family: Exercises)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def row_mean(x: Array) -> Array:
    return x.mean(-1, keepdims=True)


def mean_square(x: Array) -> Array:
    return row_mean(x**2)


def right_rms_norm(x, gain, eps):
    return x / np.sqrt(mean_square(x) + eps) * gain


def dividing_by(below: Callable, above: Callable = lambda x: x) -> Callable:
    """Make an RMSNorm with another number below the line, or above it."""
    return lambda x, gain, eps: above(x) / below(x, eps) * gain


def along(axis: int | None) -> Callable:
    """Make an RMSNorm that takes the mean along another axis."""
    return dividing_by(lambda x, eps: np.sqrt((x**2).mean(axis, keepdims=True) + eps))


def centred(x: Array) -> Array:
    return x - row_mean(x)


def unbiased(x: Array, eps: float) -> Array:
    return np.sqrt((x**2).sum(-1, keepdims=True) / (x.shape[-1] - 1) + eps)


def row_var(x: Array, ddof: int = 0) -> Array:
    return x.var(-1, ddof=ddof, keepdims=True)
