"""Common mistakes in `central_differences`, with their messages (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.learning._central_differences_steps import (
    all_at_once,
    both_moved_for_good,
    central,
    measuring,
    moved_up_for_good,
    never_moved_back,
    only_the_step,
    row_of,
    scaled_entry,
    this_entry_alone,
    two_axes_at_most,
    with_another_step,
)

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
        "You take one step and divide by two of them, so that your gradient comes out at about "
        "half of what it should be. Take one step up and one step down.",
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
        measuring(move=all_at_once),
        lambda function, array, step: central(function, array + step, array - step, array, step),
    ),
    misconception(
        "whole-row-moved",
        "You move a whole row together. Move one entry, and leave the others where they are.",
        measuring(move=row_of),
    ),
    misconception(
        "never-moved-back",
        "An entry that has been moved stays moved while the next ones are measured. Start from "
        "the array as it was, for each entry anew.",
        never_moved_back,
        moved_up_for_good,
        both_moved_for_good,
    ),
    misconception(
        "others-set-to-zero",
        "You call the function with one entry and zeros for all others. The others stay as they "
        "are.",
        measuring(move=this_entry_alone),
        measuring(move=only_the_step),
    ),
    misconception(
        "step-in-proportion",
        "You make the step in proportion to the entry. Here it is the same for all entries.",
        measuring(move=scaled_entry),
    ),
    misconception(
        "flattened",
        "The numbers are right, but they stand in one row. Give them the shape of the array.",
        lambda function, array, step: measuring()(function, array, step).ravel(),
    ),
    misconception(
        "no-copies",
        "All your differences are 0. Do both names stand for one and the same array? `up = "
        "array` makes no copy of it; array.copy() does.",
        lambda function, array, step: np.zeros(array.shape),
    ),
    misconception(
        "another-step",
        "Your step is not the one that is given. Move each entry by the whole of it, up and down.",
        *(with_another_step(lambda step, part=part: part * step) for part in (0.5, 2)),
        *(with_another_step(lambda step, own=own: own) for own in (1e-4, 0.1, 0.5, 1)),
    ),
    misconception(
        "two-axes-at-most",
        "Where an array has three axes you move a whole row of it together. "
        "np.ndindex(array.shape) goes through single places, however many axes there are.",
        measuring(move=two_axes_at_most),
    ),
)
