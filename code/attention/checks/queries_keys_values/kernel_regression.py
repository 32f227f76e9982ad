"""Average the training values with Gaussian weights (queries-keys-values: Exercises)."""

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.queries_keys_values._kernel_regression_mistakes import FAR_AWAY, MISTAKES
from attention.checks.queries_keys_values._kernel_regression_steps import (
    gaussian_exponent,
    kernel_average,
)

KERNEL_REGRESSION = Exercise(
    name="kernel_regression",
    signature="f(x_query, x_train, y_train, bandwidth)",
    outputs=("prediction",),
    reference=kernel_average(gaussian_exponent),
    stages=(
        (
            example(x_query=[0.5], x_train=[0, 2], y_train=[1, 3], bandwidth=2.0),
            example(x_query=[1, 2.5], x_train=[0, 2], y_train=[1, 3], bandwidth=0.5),
            example(
                x_query=[0, 1, 2.3],
                x_train=[1.5, 0.7, 4, 3.3],
                y_train=[-2, 1, 5.3, 0],
                bandwidth=1.3,
            ),
        ),
        (
            example(x_query=[100], x_train=[0, 2], y_train=[1, 3], bandwidth=0.5),
            example(x_query=[-200, 1], x_train=[4, 0, 2], y_train=[7, 1, 3], bandwidth=1.0),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "far-away",
            FAR_AWAY,
            lambda inputs, expected, got: (
                not np.isfinite(got[0]).all() and np.abs(inputs["x_query"]).max() > 50
            ),
        ),
        Symptom(
            "outside-the-data",
            "Your prediction lies outside the range of the training values. An average cannot: "
            "look at what the weights sum to.",
            lambda inputs, expected, got: (
                (got[0] > inputs["y_train"].max() + 1e-6)
                | (got[0] < inputs["y_train"].min() - 1e-6)
            ).any(),
        ),
    ),
    shared=_mistakes.of_softmax(lambda softmax: kernel_average(gaussian_exponent, softmax)),
)


def kernel_regression(answer: object) -> Verdict:
    """Check Nadaraya-Watson regression with a Gaussian kernel.

    ``answer(x_query, x_train, y_train, bandwidth)`` takes ``x_query``
    (queries,), ``x_train`` and ``y_train`` (keys,) and a number
    ``bandwidth`` > 0. It returns predictions (queries,): averages of
    ``y_train``, each point weighted by ``exp(-(x - x_i)**2 / (2 *
    bandwidth**2))``, x being the query and x_i the training point. Far from
    all points the prediction is that of the nearest.
    """
    return KERNEL_REGRESSION.check(answer)
