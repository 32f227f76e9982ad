"""Sines and cosines, right and mistaken, for `sinusoidal_positions` (position: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand

Array = np.ndarray


def hand(column: Array) -> Array:
    """Say which hand each column shows: two columns share one."""
    return column // 2


def sinusoids(
    exponent: Callable = lambda column, d_model: -2 * hand(column) / d_model,
    is_sine: Callable = lambda column, d_model: column % 2 == 0,
    first: int = 0,
    unit: Callable = lambda angle: angle,
) -> Callable:
    """Make a function like the right one, with some of its parts exchanged."""

    def positions(length, d_model):
        column = np.arange(d_model)  # (d_model,)
        speed = 10_000.0 ** exponent(column, d_model)
        angle = unit(np.arange(first, first + length)[:, None] * speed)  # (length, d_model)
        return np.where(is_sine(column, d_model), np.sin(angle), np.cos(angle))

    return positions


def sines_then_cosines(length: int, d_model: int) -> Array:
    angles = by_hand.position_angles(length, d_model)  # (length, pairs)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1)[:, :d_model]


def down_to_the_base(column: Array, d_model: int) -> Array:
    """Let the last hand have the speed 1 / 10 000 itself."""
    return -hand(column) / max((d_model - 1) // 2, 1)


def multiplied_by_the_exponent(column: Array, d_model: int) -> Array:
    """Divide by 10 000 times 2i / d_model, which is not a power of it."""
    with np.errstate(divide="ignore"):
        return -np.log(10_000 * 2 * hand(column) / d_model) / np.log(10_000)


def multiplied_by_the_exponent_but_for_the_first(column: Array, d_model: int) -> Array:
    return np.where(hand(column) > 0, multiplied_by_the_exponent(column, d_model), 0)
