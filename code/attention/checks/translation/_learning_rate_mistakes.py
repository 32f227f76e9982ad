"""Common mistakes in `learning_rate`, with their messages (translation: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.translation._learning_rate_falls import OF_FALLING
from attention.checks.translation._learning_rate_steps import right_learning_rate

MISTAKES = (
    misconception(
        "no-warm-up",
        "Your rate falls from the first step on, and starts far above the highest one. Up to "
        "step warm_up it should rise in a straight line: of the two, the smaller one counts.",
        lambda step, highest, warm_up: right_learning_rate(step, highest, warm_up, rises=False),
    ),
    misconception(
        "the-larger-one",
        "You take the larger one of the two. That starts high, falls, and rises again for "
        "ever. Take the smaller one.",
        lambda step, highest, warm_up: (
            highest * np.maximum(step / warm_up, np.sqrt(warm_up / step))
        ),
    ),
    misconception(
        "root-of-both",
        "Your warm-up is bent: you take the root of the rising part too. Only the falling part "
        "has a root.",
        lambda step, highest, warm_up: (
            highest * np.sqrt(np.minimum(step / warm_up, warm_up / step))
        ),
    ),
    misconception(
        "papers-scale",
        "This is the paper's formula times the highest rate. Without d_model its own highest "
        "value is one over np.sqrt(warm_up): divide by that, and the highest rate is reached.",
        lambda step, highest, warm_up: (
            highest * np.minimum(step**-0.5, step * float(warm_up) ** -1.5)
        ),
    ),
    misconception(
        "highest-forgotten",
        "The shape is right, the height is not: your highest rate is 1 whatever is asked for. "
        "Multiply by highest.",
        lambda step, highest, warm_up: right_learning_rate(step, 1.0, warm_up),
        lambda step, highest, warm_up: (
            np.where(step <= warm_up, 1.0, highest) * right_learning_rate(step, 1.0, warm_up)
        ),
    ),
    misconception(
        "one-step-off",
        "You are one step off: the steps count from 1 already.",
        lambda step, highest, warm_up: right_learning_rate(step + 1, highest, warm_up),
        lambda step, highest, warm_up: right_learning_rate(
            np.maximum(step - 1, 1e-9), highest, warm_up
        ),
    ),
    misconception(
        "constant",
        "Your rate is the highest one at every step. It should rise first, and fall afterwards.",
        lambda step, highest, warm_up: highest + 0 * step,
    ),
    misconception(
        "zero-in-the-warm-up",
        "In the warm-up your rate is 0. It should rise in a straight line.",
        lambda step, highest, warm_up: np.where(
            step <= warm_up, 0, highest * np.sqrt(warm_up / step)
        ),
        lambda step, highest, warm_up: np.where(
            step < warm_up, 0, highest * np.sqrt(warm_up / step)
        ),
    ),
    misconception(
        "product",
        "You multiply the rising and the falling part. The smaller of the two counts.",
        lambda step, highest, warm_up: highest * step / warm_up * np.sqrt(warm_up / step),
    ),
    misconception(
        "sum",
        "You add the rising and the falling part. The smaller of the two counts.",
        lambda step, highest, warm_up: highest * (step / warm_up + np.sqrt(warm_up / step)),
    ),
    misconception(
        "bent-warm-up",
        "Your warm-up is bent. It should be a straight line from 0 to the highest rate.",
        lambda step, highest, warm_up: (
            np.where(step <= warm_up, (step / warm_up) ** 2, np.sqrt(warm_up / step)) * highest
        ),
    ),
    misconception(
        "never-stops-rising",
        "Your rate rises for ever. From step warm_up on it should fall with the inverse "
        "root of the step.",
        lambda step, highest, warm_up: highest * step / warm_up,
    ),
    misconception(
        "one-rate-for-all",
        "You return one and the same rate for all steps, the smallest. Of the two parts the "
        "smaller one counts, at each step for itself: np.minimum.",
        lambda step, highest, warm_up: np.full(
            len(step), right_learning_rate(step, highest, warm_up).min()
        ),
    ),
    misconception(
        "climb-upside-down",
        "In the rising part step and warm_up have changed places, so that it falls. It is "
        "step divided by warm_up.",
        lambda step, highest, warm_up: (
            highest * np.minimum(warm_up / step, np.sqrt(warm_up / step))
        ),
    ),
    misconception(
        "highest-on-one-side",
        "You multiply one of the two parts by highest, and not the other. Both are shares of it.",
        lambda step, highest, warm_up: np.minimum(
            highest * step / warm_up, np.sqrt(warm_up / step)
        ),
        lambda step, highest, warm_up: np.minimum(
            step / warm_up, highest * np.sqrt(warm_up / step)
        ),
    ),
    misconception(
        "divided-by-the-highest",
        "You divide by highest. Multiply by it.",
        lambda step, highest, warm_up: right_learning_rate(step, 1 / highest, warm_up),
    ),
    *OF_FALLING,
)
