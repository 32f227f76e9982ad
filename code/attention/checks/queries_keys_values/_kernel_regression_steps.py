"""Averages with kernels, for `kernel_regression` (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._mistakes import (
    normalised,
    safe_ratio,
)


def distance(x_query, x_train):
    return np.abs(x_query[:, None] - x_train[None, :])


def kernel_average(score: Callable, softmax: Callable = by_hand.softmax) -> Callable:
    """Average y_train with softmax weights of ``score(distance, bandwidth)``."""

    def regress(x_query, x_train, y_train, bandwidth):
        return softmax(score(distance(x_query, x_train), bandwidth)) @ y_train

    return regress


def gaussian_exponent(distance, bandwidth):
    return -(distance**2) / (2 * bandwidth**2)


def gaussian(x_query, x_train, bandwidth):
    return np.exp(gaussian_exponent(distance(x_query, x_train), bandwidth))


def underflowing(x_query, x_train, y_train, bandwidth):
    return normalised(gaussian(x_query, x_train, bandwidth)) @ y_train


def underflowing_to_zero(x_query, x_train, y_train, bandwidth):
    return safe_ratio(gaussian(x_query, x_train, bandwidth)) @ y_train


def unnormalised(x_query, x_train, y_train, bandwidth):
    return gaussian(x_query, x_train, bandwidth) @ y_train


def densities(x_query, x_train, y_train, bandwidth):
    return unnormalised(x_query, x_train, y_train, bandwidth) / (bandwidth * np.sqrt(2 * np.pi))


def with_kernel(kernel: Callable) -> Callable:
    """Average y_train with weights ``kernel(distance, bandwidth)``, made to sum to 1."""

    def regress(x_query, x_train, y_train, bandwidth):
        return normalised(kernel(distance(x_query, x_train), bandwidth)) @ y_train

    return regress


def elsewhere(choose: Callable) -> Callable:
    """Put something else in where all kernels are rounded to 0: ``choose(query, train, y)``."""

    def regress(x_query, x_train, y_train, bandwidth):
        kernels = gaussian(x_query, x_train, bandwidth)
        return np.where(
            kernels.any(-1), safe_ratio(kernels) @ y_train, choose(x_query, x_train, y_train)
        )

    return regress


def neighbour_of_sorted_points(x_query, x_train, y_train):
    borders = (x_train[1:] + x_train[:-1]) / 2
    return y_train[np.searchsorted(borders, x_query).clip(0, len(y_train) - 1)]
