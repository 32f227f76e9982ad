"""Common mistakes in `adam_step`, with their messages (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.learning._adam_step_steps import (
    MEAN_KEEPS,
    SQUARE_KEEPS,
    TINY,
    averages_of_before,
    corrected_by,
    divided_out,
    kept,
    old_averages_ignored,
    plain_descent,
    root_of,
    stepping,
    uncorrected,
    with_shares,
)

MISTAKES = (
    misconception(
        "not-corrected",
        "You use the two averages as they are. They began at zero, and are too small at first: "
        "divide each by 1 minus its share to the power of the step.",
        stepping(correct_mean=uncorrected, correct_square=uncorrected),
    ),
    misconception(
        "square-not-corrected",
        "You correct the mean and not the mean square. Both began at zero.",
        stepping(correct_square=uncorrected),
    ),
    misconception(
        "mean-not-corrected",
        "You correct the mean square and not the mean. Both began at zero.",
        stepping(correct_mean=uncorrected),
    ),
    misconception(
        "corrected-averages-kept",
        "The parameter is right. You hand back the corrected averages: they would be corrected "
        "again in the next step. Keep the averages as they were before.",
        stepping(keep_corrected=True),
    ),
    misconception(
        "root-forgotten",
        "You divide by the mean square. Its root has the size of a gradient.",
        stepping(size=lambda square: square + TINY),
    ),
    misconception(
        "tiny-number-in-the-root",
        "You add the tiny number below the root. Its own root is much larger: add it afterwards.",
        stepping(size=lambda square: np.sqrt(square + TINY)),
    ),
    misconception(
        "tiny-number-forgotten",
        "Where a gradient has always been 0 you divide 0 by 0. Add the tiny number to the root.",
        stepping(size=np.sqrt),
    ),
    misconception(
        "wrong-sign",
        "Your step goes the way the loss grows. Go against the mean.",
        stepping(change=lambda rate, mean, size: rate * mean / size),
    ),
    misconception(
        "rate-forgotten",
        "Your step does not depend on the rate.",
        stepping(change=lambda rate, mean, size: -mean / size),
    ),
    misconception(
        "not-divided",
        "You go a step along the mean, without dividing by the root of the mean square. What "
        "makes Adam is that the size of the gradient is divided out.",
        stepping(change=lambda rate, mean, size: -rate * mean),
    ),
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
        "gradient-for-the-mean",
        "You step along the gradient of this step. Adam steps along its running mean.",
        lambda parameter, gradient, mean, square, step, rate: stepping(
            change=lambda rate, mean, size: -rate * gradient / size
        )(parameter, gradient, mean, square, step, rate),
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
        "averages-of-before",
        "You step with the averages of the step before. Let the new gradient into them first.",
        averages_of_before,
    ),
    misconception(
        "step-counted-from-0",
        "You are one step off in the correction: steps are counted from 1.",
        corrected_by(lambda average, share, step: divided_out(average, share, step + 1)),
        corrected_by(lambda average, share, step: divided_out(average, share, step - 1)),
        corrected_by(lambda average, share, step: divided_out(average, share, max(step - 1, 1))),
    ),
    misconception(
        "share-times-step",
        "You multiply the share by the step. It is taken to the power of the step: share**step.",
        corrected_by(lambda average, share, step: average / (1 - share * step)),
        corrected_by(
            lambda average, share, step: average / (1 - share * step),
            size=lambda square: root_of(np.abs(square)),
        ),
    ),
    misconception(
        "correction-multiplied",
        "You multiply by the correction. An average that began at zero is too small: divide "
        "by 1 minus its share to the power of the step.",
        corrected_by(lambda average, share, step: average * (1 - share**step)),
    ),
    misconception(
        "old-averages-ignored",
        "Your averages forget what they were before. They keep the larger share of that.",
        old_averages_ignored,
    ),
    misconception(
        "plain-descent",
        "You move against the gradient, times the rate, and use the averages for nothing. "
        "Adam divides the corrected mean by the root of the corrected mean square.",
        plain_descent,
    ),
    misconception(
        "change-returned",
        "You hand back the change. The parameter after it is asked for.",
        lambda parameter, gradient, mean, square, step, rate: stepping()(
            0 * parameter, gradient, mean, square, step, rate
        ),
    ),
)
