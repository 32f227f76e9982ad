"""Common mistakes in `kernel_regression`, with their messages (queries-keys-values: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception
from attention.checks._mistakes import normalised
from attention.checks.queries_keys_values._kernel_regression_steps import (
    densities,
    distance,
    elsewhere,
    gaussian_exponent,
    kernel_average,
    neighbour_of_sorted_points,
    underflowing,
    underflowing_to_zero,
    unnormalised,
    with_kernel,
)

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
            normalised(distance(x_query, x_train) ** 2) @ y_train
        ),
    ),
    misconception(
        "not-normalised",
        "You add up the values times their kernels, but do not divide by the sum of the "
        "kernels. An average has weights that sum to 1.",
        unnormalised,
        densities,
    ),
    misconception(
        "nearest-only",
        "You return the value of the nearest point. Every point has a say, the near ones "
        "more than the far ones.",
        lambda x_query, x_train, y_train, bandwidth: y_train[distance(x_query, x_train).argmin(-1)],
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
    misconception("far-away", FAR_AWAY, underflowing, underflowing_to_zero),
    misconception(
        "another-kernel",
        "Your weights fall off with the distance, but not as a Gaussian: that is the "
        "exponential of the squared distance, with a minus sign.",
        with_kernel(lambda distance, bandwidth: 1 / (1 + (distance / bandwidth) ** 2)),
        with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance)),
        with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance**2)),
        with_kernel(lambda distance, bandwidth: np.maximum(1 - (distance / bandwidth) ** 2, 0)),
        with_kernel(lambda distance, bandwidth: np.maximum(1 - distance / bandwidth, 0)),
        with_kernel(lambda distance, bandwidth: 1.0 * (distance <= bandwidth)),
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
    misconception(
        "points-and-values-torn-apart",
        "You sort the points and leave their values where they were, or the other way "
        "round. A point and its value belong together.",
        lambda x_query, x_train, y_train, bandwidth: kernel_average(gaussian_exponent)(
            x_query, np.sort(x_train), y_train, bandwidth
        ),
        lambda x_query, x_train, y_train, bandwidth: kernel_average(gaussian_exponent)(
            x_query, x_train, y_train[np.argsort(x_train)], bandwidth
        ),
    ),
    misconception(
        "far-away-replaced",
        "Where all kernels are rounded to 0 you put something else in, such as the mean of "
        "all values or the value of one end. The nearest point decides there: treat the "
        "exponents as scores, and use a softmax that survives large numbers.",
        elsewhere(lambda x_query, x_train, y_train: y_train.mean()),
        elsewhere(lambda x_query, x_train, y_train: y_train[-1]),
        elsewhere(lambda x_query, x_train, y_train: y_train[0]),
    ),
    misconception(
        "points-taken-as-sorted",
        "You look for the nearest point as if the points were sorted. They come in any order.",
        elsewhere(neighbour_of_sorted_points),
    ),
    misconception(
        "weights-returned",
        "You return the weights. One step is left: average the values with them.",
        lambda x_query, x_train, y_train, bandwidth: by_hand.softmax(
            gaussian_exponent(distance(x_query, x_train), bandwidth)
        ),
    ),
    misconception(
        "rounded-down",
        "You divide with the double slash, which rounds down to a whole number. Divide with a "
        "single one.",
        kernel_average(lambda distance, bandwidth: -(distance**2 // (2 * bandwidth**2))),
    ),
)
