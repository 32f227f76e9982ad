"""One step of Adam, right and mistaken, for `adam_step` (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

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


def averages_of_before(parameter, gradient, mean, square, step, rate):
    with np.errstate(divide="ignore", invalid="ignore"):
        straight = divided_out(mean, MEAN_KEEPS, step)
        spread = divided_out(square, SQUARE_KEEPS, step)
        moved = parameter - rate * straight / root_of(spread)
    return moved, kept(mean, gradient, MEAN_KEEPS), kept(square, gradient**2, SQUARE_KEEPS)


def uncorrected(average, step):
    return average


def with_shares(mean_keeps: float, square_keeps: float) -> Callable:
    """Make a step that is right but for the shares that the averages keep of themselves."""
    return stepping(
        new_mean=lambda mean, gradient: kept(mean, gradient, mean_keeps),
        new_square=lambda square, gradient: kept(square, gradient**2, square_keeps),
        correct_mean=lambda mean, step: divided_out(mean, mean_keeps, step),
        correct_square=lambda square, step: divided_out(square, square_keeps, step),
    )


def corrected_by(correct: Callable, size: Callable = root_of) -> Callable:
    """Make a step with another correction, ``correct(average, share, step)``, of both averages."""
    return stepping(
        correct_mean=lambda mean, step: correct(mean, MEAN_KEEPS, step),
        correct_square=lambda square, step: correct(square, SQUARE_KEEPS, step),
        size=size,
    )


def old_averages_ignored(parameter, gradient, mean, square, step, rate):
    return stepping()(parameter, gradient, 0 * mean, 0 * square, step, rate)


def plain_descent(parameter, gradient, mean, square, step, rate):
    _, mean, square = stepping()(parameter, gradient, mean, square, step, rate)
    return parameter - rate * gradient, mean, square
