"""Symptoms of weights that do not sum to 1 along their rows (queries-keys-values: Exercises)."""

import numpy as np

from attention.checks._exercise import close

SUMS_NOT_1 = "Each row of weights should sum to 1, and yours do not."


def _sum_to_1(weights, axis):
    sums = weights.sum(axis)
    return close(sums, np.ones_like(sums))


def columns_sum_to_1(inputs, expected, got):
    weights = got[-1]
    return _sum_to_1(weights, 0) and not _sum_to_1(weights, 1)


def rows_do_not_sum_to_1(inputs, expected, got):
    # Not so strict as to blame the sums for a rounding error.
    sums = got[-1].sum(-1)
    return np.isfinite(sums).all() and not close(sums, expected[-1].sum(-1), tolerance=0.01)
