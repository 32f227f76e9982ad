"""Ways to count links, for `alignment_error_rate` (alignment: Exercises)."""

from collections.abc import Callable

import numpy as np


def fitting(found, sure, possible):
    return (found & sure).sum() + (found & possible).sum()


def divided_by(count: Callable) -> Callable:
    """Make a rate with another number below the line."""
    return lambda found, sure, possible: (
        1 - fitting(found, sure, possible) / count(found, sure, possible)
    )


right_rate = divided_by(lambda found, sure, possible: found.sum() + sure.sum())


def recall_error(found, sure, possible):
    return 1 - (found & sure).sum() / sure.sum()


def precision_error(found, sure, possible):
    return 1 - (found & possible).sum() / found.sum()


def mean_of_rows(found, sure, possible):
    fitting = (found & sure).sum(1) + (found & possible).sum(1)
    return (1 - fitting / np.maximum(found.sum(1) + sure.sum(1), 1)).mean()
