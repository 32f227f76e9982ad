"""Functions, and ways to differentiate them, for `central_differences` (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks.transformer._shared import Part

Array = np.ndarray


SQUARES = Part("x -> (x**2).sum()", lambda x: (x**2).sum())
CUBES = Part("x -> (x**3).sum()", lambda x: (x**3).sum())
NEIGHBOURS = Part("x -> (x[1:] * x[:-1]).sum()", lambda x: (x[1:] * x[:-1]).sum())
WEIGHTED_ROWS = Part(
    "x -> x[0].sum()**2 + 3 * x[1].sum()", lambda x: x[0].sum() ** 2 + 3 * x[1].sum()
)
CONSTANT = Part("x -> 7", lambda x: 7.0)


def central(function, up, down, array, step):
    return (function(up) - function(down)) / (2 * step)


def one_entry(array: Array, place: tuple[int, ...], step: float) -> Array:
    """Move one entry by a step."""
    moved = array.copy()
    moved[place] += step
    return moved


def measuring(quotient: Callable = central, move: Callable = one_entry) -> Callable:
    """Make a gradient; the quotient, or what is moved, may be another than the right one."""

    def differences(function, array, step):
        gradient = np.zeros(array.shape)
        for place in np.ndindex(array.shape):
            up, down = move(array, place, step), move(array, place, -step)
            gradient[place] = quotient(function, up, down, array, step)
        return gradient

    return differences


def never_moved_back(function, array, step):
    gradient, moved = np.zeros(array.shape), array.copy()
    for place in np.ndindex(array.shape):
        moved[place] += step
        above = function(moved)
        moved[place] -= 2 * step
        gradient[place] = (above - function(moved)) / (2 * step)
    return gradient


def moved_up_for_good(function, array, step):
    gradient, moved = np.zeros(array.shape), array.copy()
    for place in np.ndindex(array.shape):
        below = function(moved)
        moved[place] += step
        gradient[place] = (function(moved) - below) / step
    return gradient


def this_entry_alone(array, place, step):
    alone = np.zeros(array.shape)
    alone[place] = array[place] + step
    return alone


def only_the_step(array, place, step):
    alone = np.zeros(array.shape)
    alone[place] = step
    return alone


def scaled_entry(array, place, step):
    moved = array.copy()
    moved[place] *= 1 + step
    return moved


def all_at_once(array, place, step):
    return array + step


def row_of(array, place, step):
    moved = array.copy()
    moved[place[0]] += step
    return moved


def both_moved_for_good(function, array, step):
    gradient, up, down = np.zeros(array.shape), array.copy(), array.copy()
    for place in np.ndindex(array.shape):
        up[place] += step
        down[place] -= step
        gradient[place] = (function(up) - function(down)) / (2 * step)
    return gradient


def two_axes_at_most(array, place, step):
    moved = array.copy()
    moved[place[:2]] += step
    return moved


def with_another_step(choose: Callable[[float], float]) -> Callable:
    return lambda function, array, step: measuring()(function, array, choose(step))
