"""Common mistakes in `layer_norm`, with their messages (transformer: Exercises)."""

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import misconception
from attention.checks.transformer._layer_norm_eps import OF_EPS
from attention.checks.transformer._layer_norm_steps import (
    centred,
    dividing_by,
    normalising,
    right_layer_norm,
    rms_norm,
    row_mean,
    without_axis,
)

MISTAKES = (
    misconception(
        "unbiased-variance",
        "You divide the sum of squares by the width minus 1. Nothing is estimated from a "
        "sample here: the variance of a row is the mean of the squares, so divide by the "
        "width. (torch.var and ddof=1 subtract 1, np.var does not.)",
        normalising(ddof=1),
    ),
    misconception(
        "over-positions",
        "You normalise down the columns: each number is compared with those of other "
        "positions. Every position is normalised by itself, along the last axis.",
        normalising(axis=0),
    ),
    misconception(
        "over-everything",
        "You take one mean and one variance of the whole array. Every row has a mean and a "
        "variance of its own: use axis=-1, and keepdims=True so that the shapes fit.",
        normalising(axis=None),
    ),
    misconception(
        "keepdims-forgotten",
        "The mean or the variance of a row meets the wrong numbers: with one number for each "
        "row and no axis of its own, NumPy lays them along the columns. Take them with "
        "keepdims=True.",
        *(
            without_axis(mean, variance)
            for mean, variance in ((False, False), (False, True), (True, False))
        ),
    ),
    misconception(
        "not-centred",
        "You divide, but the mean is still in the rows. Subtract it first.",
        normalising(centre=lambda x, mean: x),
    ),
    misconception(
        "rms-norm",
        "You divide by the root of the mean square and subtract nothing. That is RMSNorm, "
        "which many later models use. Here the mean is subtracted first.",
        rms_norm,
    ),
    misconception(
        "not-divided",
        "You subtract the mean and stop there. Each row should have variance 1 too, before "
        "gain and bias.",
        normalising(divisor=lambda variance, eps: 1),
    ),
    misconception(
        "divided-by-variance",
        "You divide by the variance. Divide by its square root.",
        normalising(divisor=lambda variance, eps: variance + eps),
    ),
    misconception(
        "gain-and-bias-swapped",
        "You multiply by the bias and add the gain. It is the other way round.",
        lambda x, gain, bias, eps: right_layer_norm(x, bias, gain, eps),
    ),
    misconception(
        "gain-forgotten",
        "The gain has no effect on your result. Each column is multiplied by its own.",
        lambda x, gain, bias, eps: right_layer_norm(x, np.ones_like(gain), bias, eps),
    ),
    misconception(
        "bias-forgotten",
        "The bias has no effect on your result. It is added at the end, one number for each "
        "column.",
        lambda x, gain, bias, eps: right_layer_norm(x, gain, np.zeros_like(bias), eps),
    ),
    misconception(
        "gain-and-bias-forgotten",
        "The rows are normalised correctly. They still need the gain, which multiplies each "
        "column, and then the bias, which is added.",
        lambda x, gain, bias, eps: right_layer_norm(x, 1, 0, eps),
    ),
    misconception(
        "bias-before-gain",
        "You add the bias first and multiply the sum by the gain. Multiply first, then add.",
        lambda x, gain, bias, eps: gain * right_layer_norm(x, 1, bias, eps),
    ),
    misconception(
        "gain-before-normalising",
        "You apply gain and bias first and normalise what comes out, which takes away much of "
        "what they did. Normalise first.",
        lambda x, gain, bias, eps: right_layer_norm(gain * x + bias, 1, 0, eps),
    ),
    misconception(
        "root-of-the-mean-square",
        "You subtract the mean, but divide by the root of the mean square of x itself. Take"
        " the mean square after the mean is gone: that is the variance.",
        dividing_by(lambda x, eps: np.sqrt(row_mean(x**2) + eps)),
    ),
    misconception(
        "gain-plus-1",
        "You multiply by 1 + gain. The gain itself multiplies.",
        lambda x, gain, bias, eps: right_layer_norm(x, 1 + gain, bias, eps),
    ),
    misconception(
        "sum-of-squares",
        "Below the line stands the root of the sum of squares, or the length of the row. "
        "The variance is the mean of the squares.",
        dividing_by(lambda x, eps: np.sqrt((centred(x) ** 2).sum(-1, keepdims=True) + eps)),
        dividing_by(lambda x, eps: np.sqrt((centred(x) ** 2).sum(-1, keepdims=True)) + eps),
        lambda x, gain, bias, eps: gain * x / np.linalg.norm(x, axis=-1, keepdims=True) + bias,
        dividing_by(lambda x, eps: np.sqrt((centred(x) ** 2 + eps).sum(-1, keepdims=True))),
    ),
    misconception(
        "two-axes",
        "You take the mean over the columns and the variance over the positions, or the "
        "other way round. Both belong to one row.",
        dividing_by(lambda x, eps: np.sqrt(x.var(0) + eps)),
        normalising(centre=lambda x, mean: x - x.mean(0)),
    ),
    misconception(
        "mean-deviation",
        "You divide by the mean distance from the mean. Divide by the root of the variance.",
        dividing_by(lambda x, eps: row_mean(np.abs(centred(x))) + eps),
        dividing_by(lambda x, eps: row_mean(np.abs(centred(x)))),
    ),
    misconception(
        "range",
        "You stretch each row between its smallest and its largest number. Subtract the "
        "mean, and divide by the root of the variance.",
        lambda x, gain, bias, eps: (
            gain * (x - x.min(-1, keepdims=True)) / (np.ptp(x, -1, keepdims=True) + eps) + bias
        ),
    ),
    misconception(
        "softmax",
        "You take a softmax of the rows. A norm subtracts the mean and divides by the root "
        "of the variance.",
        lambda x, gain, bias, eps: gain * softmax(x) + bias,
    ),
    misconception(
        "variance-of-everything",
        "Your means are those of the rows, your variance is that of the whole array. Each "
        "row has a variance of its own: use axis=-1, with keepdims=True.",
        dividing_by(lambda x, eps: np.sqrt(x.var() + eps)),
        dividing_by(lambda x, eps: np.sqrt((centred(x) ** 2).mean() + eps)),
    ),
    misconception(
        "bias-subtracted",
        "You subtract the bias. It is added.",
        lambda x, gain, bias, eps: right_layer_norm(x, gain, -bias, eps),
    ),
    misconception(
        "multiplied",
        "You multiply by the root of the variance where you should divide by it.",
        normalising(divisor=lambda variance, eps: 1 / np.sqrt(variance + eps)),
    ),
    *OF_EPS,
)
