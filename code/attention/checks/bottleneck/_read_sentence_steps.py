"""Steps of a recurrent cell, right and mistaken, for `read_sentence` (bottleneck: Exercises)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def all_states(
    x: Array,
    W_x: Array,
    W_state: Array,
    bias: Array,
    bend: Callable = np.tanh,
    first: float | Array = 0.0,
) -> Array:
    """Return the state after each word: (length, d_state)."""
    state = np.full(len(bias), first)
    states = []
    for word in x:
        state = bend(word @ W_x + state @ W_state + bias)
        states.append(state)
    return np.array(states).reshape(-1, len(bias))


def stepping(step: Callable) -> Callable:
    """Make a reader of sentences whose step is another one."""

    def read(x: Array, W_x: Array, W_state: Array, bias: Array) -> Array:
        state = np.zeros(len(bias))
        for word in x:
            state = step(word, state, W_x, W_state, bias)
        return state

    return read


def relu(numbers: Array) -> Array:
    return np.maximum(numbers, 0)


def straight(numbers: Array) -> Array:
    return numbers


def sigmoid(numbers: Array) -> Array:
    return 1 / (1 + np.exp(-numbers))
