"""Functions to differentiate, and common mistakes in doing so (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception
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


def _never_moved_back(function, array, step):
    gradient, moved = np.zeros(array.shape), array.copy()
    for place in np.ndindex(array.shape):
        moved[place] += step
        above = function(moved)
        moved[place] -= 2 * step
        gradient[place] = (above - function(moved)) / (2 * step)
    return gradient


def _moved_up_for_good(function, array, step):
    gradient, moved = np.zeros(array.shape), array.copy()
    for place in np.ndindex(array.shape):
        below = function(moved)
        moved[place] += step
        gradient[place] = (function(moved) - below) / step
    return gradient


def _this_entry_alone(array, place, step):
    alone = np.zeros(array.shape)
    alone[place] = array[place] + step
    return alone


def _only_the_step(array, place, step):
    alone = np.zeros(array.shape)
    alone[place] = step
    return alone


def _scaled_entry(array, place, step):
    moved = array.copy()
    moved[place] *= 1 + step
    return moved


def _all_at_once(array, place, step):
    return array + step


def _row_of(array, place, step):
    moved = array.copy()
    moved[place[0]] += step
    return moved


MISTAKES = (
    misconception(
        "forward",
        "You take the value a step above and the value at the place itself. That is a forward "
        "difference, whose error is of the size of the step. One step up and one step down: the "
        "error is of the size of its square.",
        measuring(lambda f, up, down, array, step: (f(up) - f(array)) / step),
    ),
    misconception(
        "backward",
        "You take the value at the place itself and the value a step below. One step up and one "
        "step down is nearer to the derivative.",
        measuring(lambda f, up, down, array, step: (f(array) - f(down)) / step),
    ),
    misconception(
        "step-counted-once",
        "Your gradient is twice too large: you divide by the step. The two places are two steps "
        "apart.",
        measuring(lambda f, up, down, array, step: (f(up) - f(down)) / step),
    ),
    misconception(
        "forward-over-two-steps",
        "You take one step and divide by two of them, so that your gradient is half of what it "
        "should be, and more.",
        measuring(lambda f, up, down, array, step: (f(up) - f(array)) / (2 * step)),
        measuring(lambda f, up, down, array, step: (f(array) - f(down)) / (2 * step)),
    ),
    misconception(
        "not-divided",
        "You return the difference of the two values. Divide it by the distance between the two "
        "places.",
        measuring(lambda f, up, down, array, step: f(up) - f(down)),
    ),
    misconception(
        "multiplied",
        "You multiply by the step where you should divide.",
        measuring(lambda f, up, down, array, step: (f(up) - f(down)) * 2 * step),
        measuring(lambda f, up, down, array, step: (f(up) - f(down)) / 2 * step),
    ),
    misconception(
        "wrong-sign",
        "All signs are turned round: the value above comes first, and the value below is taken "
        "away.",
        measuring(lambda f, up, down, array, step: (f(down) - f(up)) / (2 * step)),
    ),
    misconception(
        "added",
        "You add the two values. Their difference says how the function moves.",
        measuring(lambda f, up, down, array, step: (f(up) + f(down)) / (2 * step)),
    ),
    misconception(
        "second-derivative",
        "This is the second derivative: above, minus twice the middle, plus below.",
        measuring(
            lambda f, up, down, array, step: (f(up) - 2 * f(array) + f(down)) / step**2,
        ),
    ),
    misconception(
        "all-moved-at-once",
        "You move all entries together, and get one number: the sum of what is asked for. Move one "
        "entry, and leave the others where they are.",
        measuring(move=_all_at_once),
        lambda function, array, step: central(function, array + step, array - step, array, step),
    ),
    misconception(
        "whole-row-moved",
        "You move a whole row together. Move one entry, and leave the others where they are.",
        measuring(move=_row_of),
    ),
    misconception(
        "never-moved-back",
        "An entry that has been moved stays moved while the next ones are measured. Start from "
        "the array as it was, for each entry anew.",
        _never_moved_back,
        _moved_up_for_good,
    ),
    misconception(
        "others-set-to-zero",
        "You call the function with one entry and zeros for all others. The others stay as they "
        "are.",
        measuring(move=_this_entry_alone),
        measuring(move=_only_the_step),
    ),
    misconception(
        "step-in-proportion",
        "You make the step in proportion to the entry. Here it is the same for all entries.",
        measuring(move=_scaled_entry),
    ),
    misconception(
        "flattened",
        "The numbers are right, but they stand in one row. Give them the shape of the array.",
        lambda function, array, step: measuring()(function, array, step).ravel(),
    ),
)
