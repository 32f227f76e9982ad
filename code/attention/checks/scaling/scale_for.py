"""Find the factor that gives the scores variance 1 (scaling: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception

SCALE_FOR = Exercise(
    name="scale_for",
    signature="f(d_k, sigma_q, sigma_k)",
    outputs=("scale",),
    reference=lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q * sigma_k),
    stages=(
        (
            example(d_k=1, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=1.0, sigma_k=1.0),
            example(d_k=16, sigma_q=2.0, sigma_k=0.25),
            example(d_k=64, sigma_q=0.7, sigma_k=1.3),
        ),
    ),
    misconceptions=(
        misconception(
            "one-over-d_k",
            "You divide by d_k. A factor on a number acts twice on its variance, so that is too "
            "strong.",
            lambda d_k, sigma_q, sigma_k: 1 / (d_k * sigma_q * sigma_k),
            lambda d_k, sigma_q, sigma_k: 1 / d_k,
        ),
        misconception(
            "multiplies",
            "You return the standard deviation of the scores. The factor is to undo it.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q * sigma_k,
        ),
        misconception(
            "sigmas-ignored",
            "The standard deviations have no effect on your factor. What you have is right when "
            "both are 1.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k),
        ),
        misconception(
            "divides-by-the-variance",
            "You divide by the variance of the scores. A factor on a number acts twice on its "
            "variance: divide by the standard deviation.",
            lambda d_k, sigma_q, sigma_k: 1 / (d_k * sigma_q**2 * sigma_k**2),
        ),
        misconception(
            "sigmas-squared",
            "The square root is missing on the standard deviations: they enter your factor "
            "squared, d_k does not.",
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q**2 * sigma_k**2),
        ),
        misconception(
            "sigmas-multiplied",
            "You divide by the root of d_k but multiply by the standard deviations. Larger "
            "components make larger scores, so they too must be undone.",
            lambda d_k, sigma_q, sigma_k: sigma_q * sigma_k / np.sqrt(d_k),
        ),
        misconception(
            "d_k-ignored",
            "d_k has no effect on your factor. A longer sum varies more.",
            lambda d_k, sigma_q, sigma_k: 1 / (sigma_q * sigma_k),
        ),
        misconception(
            "one-sigma",
            "Only one of the two standard deviations enters your factor.",
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_q),
            lambda d_k, sigma_q, sigma_k: 1 / (np.sqrt(d_k) * sigma_k),
        ),
        misconception(
            "root-of-d_k",
            "You return the square root of d_k. Divide by it, and by the standard deviations.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k),
        ),
        misconception(
            "variances-added",
            "You add the variances of query and key. In a dot product the components are "
            "multiplied, and so are their variances.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k * (sigma_q**2 + sigma_k**2)),
        ),
        misconception(
            "negative",
            "Your factor is negative: it would turn the order of the scores round.",
            lambda d_k, sigma_q, sigma_k: -1 / (np.sqrt(d_k) * sigma_q * sigma_k),
        ),
        misconception(
            "root-of-the-sigmas",
            "The standard deviations stand under the square root, where their squares belong.",
            lambda d_k, sigma_q, sigma_k: 1 / np.sqrt(d_k * sigma_q * sigma_k),
        ),
    ),
)


def scale_for(answer: object) -> Verdict:
    """Check the factor that gives the scores variance 1.

    ``answer(d_k, sigma_q, sigma_k)`` takes the number of components and the
    standard deviations of the components of query and key, all independent
    and with mean 0. It returns the positive number c for which ``c * query @
    key`` has variance 1.
    """
    return SCALE_FOR.check(answer)
