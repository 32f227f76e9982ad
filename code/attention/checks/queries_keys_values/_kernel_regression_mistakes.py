"""Common mistakes in `kernel_regression`, with their messages (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception
from attention.checks._mistakes import (
    normalised,
    safe_ratio,
)


def _distance(x_query, x_train):
    return np.abs(x_query[:, None] - x_train[None, :])


def kernel_average(score: Callable, softmax: Callable = by_hand.softmax) -> Callable:
    """Average y_train with softmax weights of ``score(distance, bandwidth)``."""

    def regress(x_query, x_train, y_train, bandwidth):
        return softmax(score(_distance(x_query, x_train), bandwidth)) @ y_train

    return regress


def gaussian_exponent(distance, bandwidth):
    return -(distance**2) / (2 * bandwidth**2)


def _gaussian(x_query, x_train, bandwidth):
    return np.exp(gaussian_exponent(_distance(x_query, x_train), bandwidth))


def _underflowing(x_query, x_train, y_train, bandwidth):
    return normalised(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _underflowing_to_zero(x_query, x_train, y_train, bandwidth):
    return safe_ratio(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _unnormalised(x_query, x_train, y_train, bandwidth):
    return _gaussian(x_query, x_train, bandwidth) @ y_train


def _densities(x_query, x_train, y_train, bandwidth):
    return _unnormalised(x_query, x_train, y_train, bandwidth) / (bandwidth * np.sqrt(2 * np.pi))


def _with_kernel(kernel: Callable) -> Callable:
    """Average y_train with weights ``kernel(distance, bandwidth)``, made to sum to 1."""

    def regress(x_query, x_train, y_train, bandwidth):
        return normalised(kernel(_distance(x_query, x_train), bandwidth)) @ y_train

    return regress


FAR_AWAY = (
    "Far from all the data every kernel is rounded to 0, and there is nothing left to divide "
    "by. The largest of them still decides: treat the exponents as scores, and use a softmax "
    "that survives large numbers."
)

MISTAKES = (
    misconception(
        "wrong-sign",
        "Points far away count most: a minus sign is missing in the exponent.",
        kernel_average(lambda distance, bandwidth: distance**2 / (2 * bandwidth**2)),
    ),
    misconception(
        "bandwidth-not-squared",
        "You divide by the bandwidth. The distance is squared, and so is the bandwidth: "
        "what counts is how many bandwidths away a point is.",
        kernel_average(lambda distance, bandwidth: -(distance**2) / (2 * bandwidth)),
    ),
    misconception(
        "factor-two-missing",
        "A factor 2 is missing in the exponent of the Gaussian.",
        kernel_average(lambda distance, bandwidth: -(distance**2) / bandwidth**2),
    ),
    misconception(
        "factor-two-squared",
        "The 2 in the exponent is squared together with the bandwidth. Only the bandwidth "
        "is squared.",
        kernel_average(lambda distance, bandwidth: -(distance**2) / (2 * bandwidth) ** 2),
    ),
    misconception(
        "bandwidth-ignored",
        "The bandwidth has no effect on your answer.",
        kernel_average(lambda distance, bandwidth: -(distance**2) / 2),
    ),
    misconception(
        "distance-not-squared",
        "The distance is not squared: that is a kernel with a sharp peak, not a Gaussian.",
        kernel_average(lambda distance, bandwidth: -distance / (2 * bandwidth**2)),
        kernel_average(lambda distance, bandwidth: -distance / bandwidth),
    ),
    misconception(
        "no-exponential",
        "The squared distances themselves serve as weights: the exponential is missing.",
        lambda x_query, x_train, y_train, bandwidth: (
            normalised(_distance(x_query, x_train) ** 2) @ y_train
        ),
    ),
    misconception(
        "not-normalised",
        "You add up the values times their kernels, but do not divide by the sum of the "
        "kernels. An average has weights that sum to 1.",
        _unnormalised,
        _densities,
    ),
    misconception(
        "nearest-only",
        "You return the value of the nearest point. Every point has a say, the near ones "
        "more than the far ones.",
        lambda x_query, x_train, y_train, bandwidth: y_train[
            _distance(x_query, x_train).argmin(-1)
        ],
    ),
    misconception(
        "plain-mean",
        "You return the mean of all values, wherever the query is.",
        lambda x_query, x_train, y_train, bandwidth: np.full(len(x_query), np.mean(y_train)),
    ),
    misconception(
        "normalised-over-queries",
        "Your weights sum to 1 over the queries. For each query they must sum to 1 over the "
        "training points.",
        kernel_average(gaussian_exponent, lambda scores: by_hand.softmax(scores, axis=0)),
        kernel_average(gaussian_exponent, lambda scores: normalised(np.exp(scores), axis=0)),
    ),
    misconception("far-away", FAR_AWAY, _underflowing, _underflowing_to_zero),
    misconception(
        "another-kernel",
        "Your weights fall off with the distance, but not as a Gaussian: that is the "
        "exponential of the squared distance, with a minus sign.",
        _with_kernel(lambda distance, bandwidth: 1 / (1 + (distance / bandwidth) ** 2)),
        _with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance)),
        _with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance**2)),
        _with_kernel(lambda distance, bandwidth: np.maximum(1 - (distance / bandwidth) ** 2, 0)),
        _with_kernel(lambda distance, bandwidth: np.maximum(1 - distance / bandwidth, 0)),
        _with_kernel(lambda distance, bandwidth: 1.0 * (distance <= bandwidth)),
    ),
    misconception(
        "bandwidth-multiplied",
        "A larger bandwidth makes your weights sharper. Divide by it: a wide kernel reaches "
        "further.",
        kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth**2 / 2),
        kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth / 2),
        kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth**2),
    ),
    misconception(
        "product-for-distance",
        "Your scores are products of the query and the points. What counts here is how far "
        "apart they are.",
        lambda x_query, x_train, y_train, bandwidth: (
            by_hand.softmax(np.outer(x_query, x_train)) @ y_train
        ),
        lambda x_query, x_train, y_train, bandwidth: (
            by_hand.softmax(np.outer(x_query, x_train) / bandwidth**2) @ y_train
        ),
    ),
    misconception(
        "linear-interpolation",
        "You draw straight lines between the points. Every point has a say, not only the two "
        "beside the query.",
        lambda x_query, x_train, y_train, bandwidth: np.interp(x_query, x_train, y_train),
    ),
)
