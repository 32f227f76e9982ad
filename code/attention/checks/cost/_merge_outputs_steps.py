"""Shares and log totals, right and mistaken, for `merge_outputs` (cost: Exercises)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def naive_shares(a, b):
    total = np.exp(a) + np.exp(b)
    return np.exp(a) / total, np.exp(b) / total


def naive_log_total(a, b):
    return np.log(np.exp(a) + np.exp(b))


def relative_to(chosen: Callable) -> tuple[Callable, Callable]:
    """Make shares and a log total that take away ``chosen(a, b)`` before any exponential."""

    def shares(a, b):
        return naive_shares(a - chosen(a, b), b - chosen(a, b))

    def log_total(a, b):
        return chosen(a, b) + naive_log_total(a - chosen(a, b), b - chosen(a, b))

    return shares, log_total


right_shares, right_log_total = relative_to(np.maximum)


def merging(
    shares: Callable = right_shares,
    log_total: Callable = right_log_total,
) -> Callable:
    """Make a merge in which the shares of the two parts, or the log total, may be wrong."""

    def merge(output_a, log_total_a, output_b, log_total_b):
        share_a, share_b = shares(log_total_a, log_total_b)
        output = share_a[:, None] * output_a + share_b[:, None] * output_b
        return output, log_total(log_total_a, log_total_b)

    return merge


# What may stand for the log total beside a wrong output.
LOG_TOTALS = (right_log_total, np.add, np.maximum, lambda a, b: (a + b) / 2)


def constant(share: float) -> Callable:
    return lambda a, b: (np.full_like(a, share), np.full_like(b, share))


def naive_and_the_rest(a, b):
    share_a, _ = naive_shares(a, b)
    return share_a, 1 - share_a


def the_rest_and_naive(a, b):
    _, share_b = naive_shares(a, b)
    return 1 - share_b, share_b


def of_all_queries(log_total: Array) -> Array:
    e = np.exp(log_total - log_total.max())
    return e / e.sum()


def largest_of_all(a, b):
    return max(a.max(), b.max())


def along_the_columns(output_a, log_total_a, output_b, log_total_b):
    share_a, share_b = right_shares(log_total_a, log_total_b)
    return share_a * output_a + share_b * output_b, right_log_total(log_total_a, log_total_b)
