"""Common mistakes in `rms_norm`, with their messages (family: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.family._rms_norm_steps import (
    along,
    centred,
    dividing_by,
    mean_square,
    right_rms_norm,
    row_mean,
    row_var,
    unbiased,
)

MISTAKES = (
    misconception(
        "mean-subtracted",
        "You subtract the mean of the row. LayerNorm does that; RMSNorm leaves the mean where it "
        "is, and divides alone.",
        dividing_by(lambda x, eps: np.sqrt(row_var(x) + eps), centred),
        dividing_by(lambda x, eps: np.sqrt(mean_square(x) + eps), centred),
        dividing_by(lambda x, eps: np.sqrt(row_var(x)) + eps, centred),
        dividing_by(lambda x, eps: np.sqrt(row_var(x, 1) + eps), centred),
        dividing_by(lambda x, eps: np.sqrt(row_var(x, 1)) + eps, centred),
    ),
    misconception(
        "standard-deviation",
        "You divide by the standard deviation, from which the mean has been taken away (np.std "
        "and np.var do so). The mean of the squares of x itself is asked for.",
        dividing_by(lambda x, eps: np.sqrt(row_var(x) + eps)),
        dividing_by(lambda x, eps: np.sqrt(row_var(x)) + eps),
    ),
    misconception(
        "one-fewer",
        "You divide the squares by the width minus 1, as a standard deviation with ddof=1 does. "
        "Nothing is estimated from a sample here: it is a plain mean.",
        dividing_by(unbiased),
        dividing_by(lambda x, eps: np.sqrt(row_var(x, 1) + eps)),
        dividing_by(lambda x, eps: np.sqrt(row_var(x, 1)) + eps),
    ),
    misconception(
        "sum-for-mean",
        "You divide by the root of the sum of the squares, which is the length of the row. Divide "
        "by the root of their mean.",
        dividing_by(lambda x, eps: np.sqrt((x**2).sum(-1, keepdims=True) + eps)),
        dividing_by(lambda x, eps: np.sqrt((x**2).sum(-1, keepdims=True)) + eps),
        dividing_by(lambda x, eps: np.sqrt((x**2).sum(-1, keepdims=True))),
        dividing_by(lambda x, eps: np.sqrt((x**2 + eps).sum(-1, keepdims=True))),
    ),
    misconception(
        "no-root",
        "You divide by the mean square. Its root is missing, the R of RMS: with it, a row ten "
        "times as large comes out the same.",
        dividing_by(lambda x, eps: mean_square(x) + eps),
    ),
    misconception(
        "root-before-the-mean",
        "You take the root of each square, which leaves their absolute values, and then the mean. "
        "The mean of the squares comes first, then the root of it.",
        dividing_by(lambda x, eps: row_mean(np.abs(x)) + eps),
        dividing_by(lambda x, eps: row_mean(np.sqrt(x**2 + eps))),
        dividing_by(lambda x, eps: row_mean(np.abs(x))),
    ),
    misconception(
        "not-squared",
        "You divide by the mean of the row, or by the root of it. Square the numbers before you "
        "take their mean: otherwise those below 0 cancel the others.",
        dividing_by(lambda x, eps: row_mean(x) + eps),
        dividing_by(lambda x, eps: np.sqrt(row_mean(x) + eps)),
        dividing_by(lambda x, eps: np.sqrt(row_mean(x) ** 2 + eps)),
    ),
    misconception(
        "eps-outside-the-root",
        "You add eps to the root. It is added to the mean square, below the root. The two differ "
        "where a row is nearly zero.",
        dividing_by(lambda x, eps: np.sqrt(mean_square(x)) + eps),
    ),
    misconception(
        "eps-after-dividing",
        "You add eps to the result. It is added to the mean square, so that nothing is divided "
        "by 0.",
        lambda x, gain, eps: x / np.sqrt(mean_square(x)) * gain + eps,
        lambda x, gain, eps: (x / np.sqrt(mean_square(x)) + eps) * gain,
    ),
    misconception(
        "eps-missing",
        "eps has no effect on your result. It is added to the mean square before the root is "
        "taken; without it a row of zeros is zero divided by zero.",
        lambda x, gain, eps: right_rms_norm(x, gain, 0),
    ),
    misconception(
        "own-eps",
        "You use an eps of your own. Use the one that is handed over: the models have 1e-5, 1e-6 "
        "or another.",
        *(
            lambda x, gain, eps, own=10.0**-digits: right_rms_norm(x, gain, own)
            for digits in (5, 6, 8, 12)
        ),
    ),
    misconception(
        "eps-as-a-floor",
        "You take the larger one of eps and what you found. eps is added.",
        dividing_by(lambda x, eps: np.sqrt(np.maximum(mean_square(x), eps))),
        dividing_by(lambda x, eps: np.maximum(np.sqrt(mean_square(x)), eps)),
    ),
    misconception(
        "over-positions",
        "You take the mean along the first axis: over the positions, and not over the numbers of "
        "one. Each position is normalised by itself, along the last axis.",
        along(0),
    ),
    misconception(
        "over-axis-1",
        "You take the mean along axis 1. That is the last one of two; with a batch before them "
        "it is that of the positions. Write axis=-1.",
        along(1),
        dividing_by(lambda x, eps: np.sqrt((x**2).mean(min(1, x.ndim - 1), keepdims=True) + eps)),
    ),
    misconception(
        "over-everything",
        "You take one mean of all squares in the array. Each position has one of its own: use "
        "axis=-1, and keepdims=True so that the shapes fit.",
        along(None),
    ),
    misconception(
        "keepdims-forgotten",
        "The root of a row meets the wrong numbers: with one number for each row and no axis of "
        "its own, NumPy lays them along the columns. Take the mean with keepdims=True.",
        dividing_by(lambda x, eps: np.sqrt((x**2).mean(-1) + eps)),
    ),
    misconception(
        "gain-forgotten",
        "The gain has no effect on your result. Each column is multiplied by its own.",
        lambda x, gain, eps: right_rms_norm(x, 1, eps),
    ),
    misconception(
        "gain-before",
        "You multiply by the gain first and normalise what comes out, which takes away much of "
        "what the gain did. Normalise first.",
        lambda x, gain, eps: right_rms_norm(gain * x, 1, eps),
    ),
    misconception(
        "gain-inside",
        "You divide by the root mean square of x times the gain. It is that of x.",
        lambda x, gain, eps: right_rms_norm(gain * x, gain, eps),
        lambda x, gain, eps: x / np.sqrt(mean_square(gain * x) + eps),
    ),
    misconception(
        "gain-added",
        "You add the gain. It multiplies: RMSNorm adds nothing, it has no bias.",
        lambda x, gain, eps: right_rms_norm(x, 1, eps) + gain,
    ),
    misconception(
        "gain-divides",
        "You divide by the gain. It multiplies.",
        lambda x, gain, eps: x / (np.sqrt(mean_square(x) + eps) * gain),
    ),
    misconception(
        "gain-plus-1",
        "You multiply by 1 + gain, as some models do whose gains are stored as what is above 1. "
        "Here the gain itself multiplies.",
        lambda x, gain, eps: right_rms_norm(x, 1 + gain, eps),
    ),
    misconception(
        "multiplied",
        "You multiply by the root mean square. Divide by it, so that every row comes out equally "
        "large.",
        lambda x, gain, eps: x * np.sqrt(mean_square(x) + eps) * gain,
    ),
)
