"""Common mistakes in `adam_step`, with their messages (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.learning._adam_step_averages import OF_AVERAGES
from attention.checks.learning._adam_step_steps import (
    TINY,
    averages_of_before,
    corrected_by,
    divided_out,
    plain_descent,
    root_of,
    stepping,
    uncorrected,
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
        "gradient-for-the-mean",
        "You step along the gradient of this step. Adam steps along its running mean.",
        lambda parameter, gradient, mean, square, step, rate: stepping(
            change=lambda rate, mean, size: -rate * gradient / size
        )(parameter, gradient, mean, square, step, rate),
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
    *OF_AVERAGES,
)
