"""Mistakes in the two averages of `adam_step` (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.learning._adam_step_steps import (
    MEAN_KEEPS,
    SQUARE_KEEPS,
    kept,
    old_averages_ignored,
    stepping,
    with_shares,
)

OF_AVERAGES = (
    misconception(
        "shares-swapped",
        "The two shares have changed places: the mean keeps 0.9 of itself, the mean square 0.999.",
        with_shares(SQUARE_KEEPS, MEAN_KEEPS),
    ),
    misconception(
        "mostly-new",
        "Your averages keep the small share of themselves and take the large one from what "
        "is new. The mean keeps 0.9 of itself, the mean square 0.999.",
        with_shares(1 - MEAN_KEEPS, 1 - SQUARE_KEEPS),
        stepping(
            new_mean=lambda mean, gradient: kept(gradient, mean, MEAN_KEEPS),
            new_square=lambda square, gradient: kept(gradient**2, square, SQUARE_KEEPS),
        ),
    ),
    misconception(
        "one-share-for-both",
        "Both averages keep the same share of themselves. The mean keeps 0.9, the mean square "
        "0.999.",
        with_shares(MEAN_KEEPS, MEAN_KEEPS),
    ),
    misconception(
        "other-shares",
        "One of your shares is another number. The mean keeps 0.9 of itself, the mean "
        "square 0.999.",
        *(with_shares(MEAN_KEEPS, share) for share in (0.99, 0.98, 0.95, 0.9999)),
        *(with_shares(share, SQUARE_KEEPS) for share in (0.99, 0.95, 0.999, 0.8)),
    ),
    misconception(
        "not-squared",
        "Your mean square is a mean of gradients. Square each gradient first.",
        stepping(new_square=lambda square, gradient: kept(square, gradient, SQUARE_KEEPS)),
        stepping(new_square=lambda square, gradient: kept(square, np.abs(gradient), SQUARE_KEEPS)),
    ),
    misconception(
        "mean-squared",
        "You square the mean. The mean square is an average of squared gradients.",
        lambda parameter, gradient, mean, square, step, rate: stepping(
            new_square=lambda square, _: kept(
                square, kept(mean, gradient, MEAN_KEEPS) ** 2, SQUARE_KEEPS
            )
        )(parameter, gradient, mean, square, step, rate),
    ),
    misconception(
        "added-up",
        "You add the new gradient in full. An average keeps a share of the old one, and takes "
        "only the rest from the new.",
        stepping(
            new_mean=lambda mean, gradient: MEAN_KEEPS * mean + gradient,
            new_square=lambda square, gradient: SQUARE_KEEPS * square + gradient**2,
        ),
        stepping(new_mean=lambda mean, gradient: MEAN_KEEPS * mean + gradient),
    ),
    misconception(
        "old-averages-ignored",
        "Your averages forget what they were before. They keep the larger share of that.",
        old_averages_ignored,
    ),
)
