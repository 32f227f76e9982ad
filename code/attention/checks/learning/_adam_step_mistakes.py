"""One step of Adam, and common mistakes in it (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception

MEAN_KEEPS, SQUARE_KEEPS, TINY = 0.9, 0.999, 1e-8


def kept(old, new, share):
    """Keep a share of the old average, and take the rest from what is new."""
    return share * old + (1 - share) * new


def root_of(square):
    return np.sqrt(square) + TINY


def divided_out(average, share, step):
    """Undo that an average began at zero."""
    return average / (1 - share**step)


def stepping(
    *,
    new_mean: Callable = lambda mean, gradient: kept(mean, gradient, MEAN_KEEPS),
    new_square: Callable = lambda square, gradient: kept(square, gradient**2, SQUARE_KEEPS),
    correct_mean: Callable = lambda mean, step: divided_out(mean, MEAN_KEEPS, step),
    correct_square: Callable = lambda square, step: divided_out(square, SQUARE_KEEPS, step),
    size: Callable = root_of,
    change: Callable = lambda rate, mean, size: -rate * mean / size,
    keep_corrected: bool = False,
) -> Callable:
    """Make a step; each part may be another than the right one."""

    def step_of_adam(parameter, gradient, mean, square, step, rate):
        with np.errstate(divide="ignore", invalid="ignore"):
            mean, square = new_mean(mean, gradient), new_square(square, gradient)
            straight, spread = correct_mean(mean, step), correct_square(square, step)
            moved = parameter + change(rate, straight, size(spread))
        return (moved, straight, spread) if keep_corrected else (moved, mean, square)

    return step_of_adam


def _averages_of_before(parameter, gradient, mean, square, step, rate):
    with np.errstate(divide="ignore", invalid="ignore"):
        straight = divided_out(mean, MEAN_KEEPS, step)
        spread = divided_out(square, SQUARE_KEEPS, step)
        moved = parameter - rate * straight / root_of(spread)
    return moved, kept(mean, gradient, MEAN_KEEPS), kept(square, gradient**2, SQUARE_KEEPS)


def _uncorrected(average, step):
    return average


MISTAKES = (
    misconception(
        "not-corrected",
        "You use the two averages as they are. They began at zero, and are too small at first: "
        "divide each by 1 minus its share to the power of the step.",
        stepping(correct_mean=_uncorrected, correct_square=_uncorrected),
    ),
    misconception(
        "square-not-corrected",
        "You correct the mean and not the mean square. Both began at zero.",
        stepping(correct_square=_uncorrected),
    ),
    misconception(
        "mean-not-corrected",
        "You correct the mean square and not the mean. Both began at zero.",
        stepping(correct_mean=_uncorrected),
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
        stepping(
            new_mean=lambda mean, gradient: kept(mean, gradient, SQUARE_KEEPS),
            new_square=lambda square, gradient: kept(square, gradient**2, MEAN_KEEPS),
            correct_mean=lambda mean, step: divided_out(mean, SQUARE_KEEPS, step),
            correct_square=lambda square, step: divided_out(square, MEAN_KEEPS, step),
        ),
        stepping(
            new_mean=lambda mean, gradient: kept(gradient, mean, MEAN_KEEPS),
            new_square=lambda square, gradient: kept(gradient**2, square, SQUARE_KEEPS),
        ),
    ),
    misconception(
        "one-share-for-both",
        "Both averages keep the same share of themselves. The mean keeps 0.9, the mean square "
        "0.999.",
        stepping(
            new_square=lambda square, gradient: kept(square, gradient**2, MEAN_KEEPS),
            correct_square=lambda square, step: divided_out(square, MEAN_KEEPS, step),
        ),
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
        _averages_of_before,
    ),
    misconception(
        "step-counted-from-0",
        "You are one step off in the correction: steps are counted from 1.",
        stepping(
            correct_mean=lambda mean, step: divided_out(mean, MEAN_KEEPS, step + 1),
            correct_square=lambda square, step: divided_out(square, SQUARE_KEEPS, step + 1),
        ),
        stepping(
            correct_mean=lambda mean, step: divided_out(mean, MEAN_KEEPS, step - 1),
            correct_square=lambda square, step: divided_out(square, SQUARE_KEEPS, step - 1),
        ),
    ),
    misconception(
        "change-returned",
        "You hand back the change. The parameter after it is asked for.",
        lambda parameter, gradient, mean, square, step, rate: stepping()(
            0 * parameter, gradient, mean, square, step, rate
        ),
    ),
)
