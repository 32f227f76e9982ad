"""Schedules, right and mistaken, for `learning_rate` (translation: Exercises)."""

from collections.abc import Callable

import numpy as np


def right_learning_rate(step, highest, warm_up, *, rises=True, falls=lambda t, w: np.sqrt(w / t)):
    """Compute the rate; the way up or down may be another than the right one."""
    up = step / warm_up if rises else np.inf
    return highest * np.minimum(up, falls(step, warm_up))


def falling(falls: Callable) -> Callable:
    """Make a schedule whose second part is another one."""

    def rate(step, highest, warm_up):
        with np.errstate(divide="ignore", invalid="ignore"):
            late = highest * falls(step, warm_up)
        return np.where(step <= warm_up, highest * step / warm_up, late)

    return rate
