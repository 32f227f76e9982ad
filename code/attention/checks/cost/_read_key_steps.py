"""Steps of the online softmax, right and mistaken, for `read_key` (cost: Exercises)."""

from collections.abc import Callable

import numpy as np


def _shrink(old, new):
    return np.exp(old - new)


def keep(old, new):
    return 1.0


def _count(score, old, new):
    return np.exp(score - new)


def reading(
    total_by: Callable = _shrink,
    weighted_by: Callable = _shrink,
    total_adds: Callable = _count,
    weighted_adds: Callable = _count,
    larger: Callable = np.maximum,
) -> Callable:
    """Make a reading of one key in which some step may be another than the right one."""

    def read_key(largest, total, weighted, score, value):
        new = larger(largest, score)
        total = total * total_by(largest, new) + total_adds(score, largest, new)
        added = weighted_adds(score, largest, new) * value
        return new, total, weighted * weighted_by(largest, new) + added

    return read_key


def right_read_key(largest, total, weighted, score, value):
    if score == -np.inf:
        return np.float64(largest), np.float64(total), weighted.copy()
    return reading()(largest, total, weighted, score, value)


def adding(count: Callable, **changed: Callable) -> Callable:
    """Make a reading in which the new key counts otherwise, in both sums alike."""
    return reading(total_adds=count, weighted_adds=count, **changed)


def plain(score, old, new):
    return np.exp(score)


def beyond_the_old(score, old, new):
    return np.exp(score - old)


def one(score, old, new):
    return 1.0


def only_larger_scores(largest, total, weighted, score, value):
    if score > largest:
        return right_read_key(largest, total, weighted, score, value)
    return largest, total, weighted


def average_of_sums(largest, total, weighted, score, value):
    largest, total, weighted = right_read_key(largest, total, weighted, score, value)
    return largest, total, weighted / total


def average_of_averages(largest, total, weighted, score, value):
    return average_of_sums(largest, total, weighted * total, score, value)


def there_and_back(largest, total, weighted, score, value):
    """Go over the plain exponentials."""
    new = np.maximum(largest, score)
    total = total * np.exp(largest) + np.exp(score)
    weighted = weighted * np.exp(largest) + np.exp(score) * value
    return new, total / np.exp(new), weighted / np.exp(new)


def first_key_counts(largest, total, weighted, score, value):
    if largest == -np.inf:
        return score, 1.0, value
    return right_read_key(largest, total, weighted, score, value)


def with_factors(choose: Callable) -> Callable:
    """Make a reading in which the old sums, and the new key, count with other factors."""

    def read_key(largest, total, weighted, score, value):
        if score == -np.inf:
            return largest, total, weighted
        new = np.maximum(largest, score)
        of_old, of_new = choose(np.exp(largest - new), np.exp(score - new))
        return new, total * of_old + of_new, weighted * of_old + of_new * value

    return read_key


def larger_total(largest, total, weighted, score, value):
    new, _, weighted = right_read_key(largest, total, weighted, score, value)
    return new, np.maximum(total * np.exp(largest - new), np.exp(score - new)), weighted
