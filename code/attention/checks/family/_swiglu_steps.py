"""Gates and the functions in them, right and mistaken, for `swiglu` (family: Exercises)."""

from collections.abc import Callable
from math import erf

import numpy as np

Array = np.ndarray


def sigmoid(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


def silu(z: Array) -> Array:
    return z * sigmoid(z)


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


def gelu(z: Array) -> Array:
    return z * (1 + np.vectorize(erf, otypes=[float])(z / np.sqrt(2))) / 2


def gelu_by_tanh(z: Array) -> Array:
    return z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def overflowing_silu(z: Array) -> Array:
    return z * np.exp(z) / (1 + np.exp(z))


def identity(z: Array) -> Array:
    return z


def product(gate: Array, up: Array) -> Array:
    return gate * up


def gating(
    bend: Callable = silu,
    join: Callable = product,
    bend_up: Callable = identity,
    at_the_end: Callable = identity,
) -> Callable:
    """Make a gated feed-forward layer with some of its parts exchanged."""

    def gated(x, W_gate, W_up, W_down):
        hidden = join(bend(x @ W_gate), bend_up(x @ W_up))  # (length, d_ff)
        return at_the_end(hidden @ W_down)

    return gated


def gate_after_down(bend: Callable = silu) -> Callable:
    """Make a layer that multiplies by the gate at the end, where it fits by chance alone."""
    return lambda x, W_gate, W_up, W_down: bend(x @ W_gate) * (x @ W_up @ W_down)
