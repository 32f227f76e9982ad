"""Steps of layer normalisation, right and mistaken, for `layer_norm` (transformer: Exercises)."""

from collections.abc import Callable

import numpy as np


def right_layer_norm(
    x,
    gain,
    bias,
    eps,
    *,
    axis=-1,
    centre=lambda x, mean: x - mean,
    divisor=lambda variance, eps: np.sqrt(variance + eps),
    ddof=0,
):
    """Normalise rows; any one step may be another than the right one."""
    mean = x.mean(axis, keepdims=True)
    variance = x.var(axis, ddof=ddof, keepdims=True)
    return gain * centre(x, mean) / divisor(variance, eps) + bias


def normalising(**changed: object) -> Callable:
    """Make a layer norm with one step changed."""
    return lambda x, gain, bias, eps: right_layer_norm(x, gain, bias, eps, **changed)


def with_own_eps(own: float | int) -> Callable:
    return lambda x, gain, bias, eps: right_layer_norm(x, gain, bias, own)


def without_axis(mean: bool, variance: bool) -> Callable:
    """Make a layer norm in which keepdims is what one says, for mean and for variance."""

    def normalise(x, gain, bias, eps):
        centred = x - x.mean(-1, keepdims=mean)
        return gain * centred / np.sqrt(x.var(-1, keepdims=variance) + eps) + bias

    return normalise


def rms_norm(x, gain, bias, eps):
    return gain * x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) + bias


def row_mean(x):
    return x.mean(-1, keepdims=True)


def centred(x):
    return x - row_mean(x)


def dividing_by(below: Callable) -> Callable:
    """Make a layer norm that divides the centred rows by another number."""
    return lambda x, gain, bias, eps: gain * centred(x) / below(x, eps) + bias
