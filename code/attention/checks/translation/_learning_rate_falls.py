"""Mistakes after the warm-up, in `learning_rate` (translation: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.translation._learning_rate_steps import falling, right_learning_rate

OF_FALLING = (
    misconception(
        "never-falls",
        "Your rate rises and then stays. After the warm-up it should fall with the inverse "
        "root of the step.",
        falling(lambda t, w: np.ones_like(t)),
    ),
    misconception(
        "root-forgotten",
        "After the warm-up your rate falls as fast as step grows. It should fall more slowly: "
        "divide by np.sqrt(step), times what makes it start at the highest rate.",
        falling(lambda t, w: w / t),
    ),
    misconception(
        "jumps",
        "The right shape, but there is a jump at the end of the warm-up: your rate falls to "
        "highest, divided by np.sqrt(step). Where the warm-up ends both parts should be equal, "
        "so there is np.sqrt(warm_up) on top.",
        falling(lambda t, w: 1 / np.sqrt(t)),
    ),
    misconception(
        "step-counted-from-the-warm-up",
        "After the warm-up you count the steps anew. The step in the root is the one since the "
        "start of training.",
        falling(lambda t, w: 1 / np.sqrt(t - w)),
        falling(lambda t, w: 1 / np.sqrt(t - w + 1)),
        falling(lambda t, w: np.sqrt(w / (t - w))),
    ),
    misconception(
        "linear-to-zero",
        "After the warm-up your rate falls in a straight line. It should fall with the inverse "
        "root of the step.",
        falling(lambda t, w: np.maximum(2 - t / w, 0)),
        falling(lambda t, w: 1 - (t - w) / max(t.max() - w, 1)),
    ),
    misconception(
        "another-power",
        "After the warm-up your rate falls with another power of the step. It should fall "
        "with the inverse root.",
        falling(lambda t, w: (w / t) ** 2),
        falling(lambda t, w: (w / t) ** (1 / 3)),
        falling(lambda t, w: (w / t) ** 0.25),
        falling(lambda t, w: (w / t) ** 1.5),
    ),
    misconception(
        "exponential",
        "After the warm-up your rate falls exponentially, or along a cosine. It should fall"
        " with the inverse root of the step.",
        falling(lambda t, w: np.exp(-(t - w) / w)),
        falling(lambda t, w: 0.99 ** (t - w)),
        falling(lambda t, w: 0.9 ** (t - w)),
        falling(lambda t, w: 0.5 ** ((t - w) / w)),
        falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * np.minimum((t - w) / w, 1)))),
        falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * (t - w) / max(t.max() - w, 1)))),
    ),
    misconception(
        "root-upside-down",
        "In the falling part step and warm_up have changed places: it grows with the step. Below "
        "the root warm_up is divided by step.",
        lambda step, highest, warm_up: right_learning_rate(
            step, highest, warm_up, falls=lambda t, w: np.sqrt(t / w)
        ),
    ),
    misconception(
        "warm_up-missing-in-the-root",
        "The falling part is highest, divided by np.sqrt(step), and so smaller than it "
        "should be: it equals highest at step 1, not at the end of the warm-up. There is "
        "np.sqrt(warm_up) on top.",
        lambda step, highest, warm_up: right_learning_rate(
            step, highest, warm_up, falls=lambda t, w: 1 / np.sqrt(t)
        ),
    ),
)
