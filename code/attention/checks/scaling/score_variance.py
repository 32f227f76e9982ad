"""Find the variance of a dot product of random vectors (scaling: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception

SCORE_VARIANCE = Exercise(
    name="score_variance",
    signature="f(d_k, sigma_q, sigma_k)",
    outputs=("variance",),
    reference=lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k**2,
    stages=(
        (
            example(d_k=1, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=1.0, sigma_k=1.0),
            example(d_k=4, sigma_q=2.0, sigma_k=3.0),
            example(d_k=64, sigma_q=0.7, sigma_k=1.3),
        ),
    ),
    misconceptions=(
        misconception(
            "sigmas-not-squared",
            "You multiply the standard deviations. Variances have a simple rule for products and "
            "sums of independent numbers, standard deviations have not: start from variances.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q * sigma_k,
        ),
        misconception(
            "one-sigma-squared",
            "Only one of the two standard deviations is squared.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q * sigma_k**2,
        ),
        misconception(
            "standard-deviation",
            "This is the standard deviation of the dot product. Its variance is asked for.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q * sigma_k,
        ),
        misconception(
            "one-component",
            "This is the variance of one product q_j k_j. A dot product adds up d_k of them.",
            lambda d_k, sigma_q, sigma_k: sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "d_k-squared",
            "You have d_k squared. That would be the variance of one product times d_k; a sum "
            "of d_k independent products varies less, because they partly cancel.",
            lambda d_k, sigma_q, sigma_k: d_k**2 * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "root-of-d_k",
            "The variance of a sum of independent terms grows as fast as their number. The "
            "square root belongs to the standard deviation.",
            lambda d_k, sigma_q, sigma_k: np.sqrt(d_k) * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "variances-added",
            "You add the variances of query and key. That is right for a sum q_j + k_j; in a "
            "dot product they are multiplied with each other.",
            lambda d_k, sigma_q, sigma_k: d_k * (sigma_q**2 + sigma_k**2),
        ),
        misconception(
            "sigmas-ignored",
            "You return d_k whatever the standard deviations are. That holds when both are 1.",
            lambda d_k, sigma_q, sigma_k: d_k,
        ),
        misconception(
            "one-sigma-only",
            "Only one of the two standard deviations enters your result.",
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_k**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**4,
        ),
        misconception(
            "divided-by-d_k",
            "You divide by d_k, as for a mean. A dot product is a sum: with each component its "
            "variance grows.",
            lambda d_k, sigma_q, sigma_k: sigma_q**2 * sigma_k**2 / d_k,
        ),
        misconception(
            "sum-of-sigmas",
            "You add the standard deviations of query and key. The components are multiplied, "
            "and so are their variances.",
            lambda d_k, sigma_q, sigma_k: d_k * (sigma_q + sigma_k) ** 2,
            lambda d_k, sigma_q, sigma_k: sigma_q**2 + sigma_k**2,
        ),
        misconception(
            "one-component-too-few",
            "You count d_k - 1 components, as one does for the variance of a sample. This is no "
            "sample: all d_k products vary.",
            lambda d_k, sigma_q, sigma_k: (d_k - 1) * sigma_q**2 * sigma_k**2,
        ),
        misconception(
            "constant-factor",
            "Your result is the right one times a fixed number.",
            lambda d_k, sigma_q, sigma_k: 2 * d_k * sigma_q**2 * sigma_k**2,
            lambda d_k, sigma_q, sigma_k: d_k * sigma_q**2 * sigma_k**2 / 2,
        ),
    ),
)


def score_variance(answer: object) -> Verdict:
    """Check the variance of a dot product of random vectors.

    ``answer(d_k, sigma_q, sigma_k)`` takes the number of components and the
    standard deviations of the components of query and key, all independent
    and with mean 0. It returns a number: the variance of ``query @ key``.
    """
    return SCORE_VARIANCE.check(answer)
