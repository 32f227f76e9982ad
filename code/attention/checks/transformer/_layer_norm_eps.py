"""Mistakes with the eps of `layer_norm` (transformer: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.transformer._layer_norm_steps import (
    dividing_by,
    normalising,
    right_layer_norm,
    with_own_eps,
)

OF_EPS = (
    misconception(
        "eps-outside-the-root",
        "You add eps to the standard deviation. It belongs under the root, added to the "
        "variance. The two differ where a row's numbers are nearly all the same.",
        normalising(divisor=lambda variance, eps: np.sqrt(variance) + eps),
    ),
    misconception(
        "eps-missing",
        "eps has no effect on your result. It is added to the variance before the root is "
        "taken; without it a row of equal numbers is zero divided by zero.",
        with_own_eps(0),
    ),
    misconception(
        "own-eps",
        "The eps that is handed over has no effect on your result: you use one of your own, or "
        "look out for a variance of 0 instead. Add it to the variance: it is not always the same "
        "small number.",
        dividing_by(
            lambda x, eps: np.where(x.std(-1, keepdims=True) == 0, 1, x.std(-1, keepdims=True))
        ),
        *(with_own_eps(10.0**-digits) for digits in (5, 6, 8, 9, 10)),
    ),
    misconception(
        "eps-squared",
        "You square eps. It is added to the variance as it is.",
        lambda x, gain, bias, eps: right_layer_norm(x, gain, bias, eps**2),
    ),
    misconception(
        "eps-twice",
        "You add eps twice. Once is enough.",
        lambda x, gain, bias, eps: right_layer_norm(x, gain, bias, 2 * eps),
    ),
)
