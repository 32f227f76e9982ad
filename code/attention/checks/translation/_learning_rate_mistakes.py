"""Common mistakes in `learning_rate`, with their messages (translation: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception


def right_learning_rate(step, highest, warm_up, *, rises=True, falls=lambda t, w: np.sqrt(w / t)):
    """Compute the rate; the way up or down may be another than the right one."""
    up = step / warm_up if rises else np.inf
    return highest * np.minimum(up, falls(step, warm_up))


def _falling(falls: Callable) -> Callable:
    """Make a schedule whose second part is another one."""

    def rate(step, highest, warm_up):
        with np.errstate(divide="ignore", invalid="ignore"):
            late = highest * falls(step, warm_up)
        return np.where(step <= warm_up, highest * step / warm_up, late)

    return rate


MISTAKES = (
    misconception(
        "no-warm-up",
        "Your rate falls from the first step on, and starts far above the highest one. Up to "
        "step warm_up it should rise in a straight line: of the two, the smaller one counts.",
        lambda step, highest, warm_up: right_learning_rate(step, highest, warm_up, rises=False),
    ),
    misconception(
        "never-falls",
        "Your rate rises and then stays. After the warm-up it should fall with the inverse "
        "root of the step.",
        _falling(lambda t, w: np.ones_like(t)),
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
        "root-forgotten",
        "After the warm-up your rate falls as fast as step grows. It should fall more slowly: "
        "divide by np.sqrt(step), times what makes it start at the highest rate.",
        _falling(lambda t, w: w / t),
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
        "jumps",
        "The right shape, but there is a jump at the end of the warm-up: your rate falls to "
        "highest, divided by np.sqrt(step). Where the warm-up ends both parts should be equal, "
        "so there is np.sqrt(warm_up) on top.",
        _falling(lambda t, w: 1 / np.sqrt(t)),
    ),
    misconception(
        "step-counted-from-the-warm-up",
        "After the warm-up you count the steps anew. The step in the root is the one since the "
        "start of training.",
        _falling(lambda t, w: 1 / np.sqrt(t - w)),
        _falling(lambda t, w: 1 / np.sqrt(t - w + 1)),
        _falling(lambda t, w: np.sqrt(w / (t - w))),
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
        "linear-to-zero",
        "After the warm-up your rate falls in a straight line. It should fall with the inverse "
        "root of the step.",
        _falling(lambda t, w: np.maximum(2 - t / w, 0)),
        _falling(lambda t, w: 1 - (t - w) / max(t.max() - w, 1)),
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
        "another-power",
        "After the warm-up your rate falls with another power of the step. It should fall "
        "with the inverse root.",
        _falling(lambda t, w: (w / t) ** 2),
        _falling(lambda t, w: (w / t) ** (1 / 3)),
        _falling(lambda t, w: (w / t) ** 0.25),
        _falling(lambda t, w: (w / t) ** 1.5),
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
        "exponential",
        "After the warm-up your rate falls exponentially, or along a cosine. It should fall"
        " with the inverse root of the step.",
        _falling(lambda t, w: np.exp(-(t - w) / w)),
        _falling(lambda t, w: 0.99 ** (t - w)),
        _falling(lambda t, w: 0.9 ** (t - w)),
        _falling(lambda t, w: 0.5 ** ((t - w) / w)),
        _falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * np.minimum((t - w) / w, 1)))),
        _falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * (t - w) / max(t.max() - w, 1)))),
    ),
)
