"""The exercises of chapter 8, The transformer, block by block.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked. In some
examples a whole sublayer is handed over: it is a ``Part``, a function that is
shown as its formula.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import erf

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


@dataclass(frozen=True)
class Part:
    """A function that is handed to the reader's, and how it is written in a verdict."""

    formula: str
    function: Callable

    def __call__(self, *inputs: object) -> object:
        """Compute it."""
        return self.function(*inputs)

    def __repr__(self) -> str:
        return self.formula


# --------------------------------------------------------------- layer_norm


def _layer_norm(
    x,
    gain,
    bias,
    eps,
    *,
    axis=-1,
    centre=lambda x, mean: x - mean,
    divisor=lambda variance, eps: np.sqrt(variance + eps),
    ddof=0,
):
    """Normalise rows; any one step may be another than the right one."""
    mean = x.mean(axis, keepdims=True)
    variance = x.var(axis, ddof=ddof, keepdims=True)
    return gain * centre(x, mean) / divisor(variance, eps) + bias


def _normalising(**changed: object) -> Callable:
    """Make a layer norm with one step changed."""
    return lambda x, gain, bias, eps: _layer_norm(x, gain, bias, eps, **changed)


def _with_own_eps(own: float | int) -> Callable:
    return lambda x, gain, bias, eps: _layer_norm(x, gain, bias, own)


def _without_axis(mean: bool, variance: bool) -> Callable:
    """Make a layer norm in which keepdims is what one says, for mean and for variance."""

    def normalise(x, gain, bias, eps):
        centred = x - x.mean(-1, keepdims=mean)
        return gain * centred / np.sqrt(x.var(-1, keepdims=variance) + eps) + bias

    return normalise


def _rms_norm(x, gain, bias, eps):
    return gain * x / np.sqrt((x**2).mean(-1, keepdims=True) + eps) + bias


def _off(statistic, value):
    """Make a symptom's test: a statistic of the rows is off where gain and bias do nothing."""

    def shows(inputs, expected, got):
        plain = (inputs["gain"] == 1).all() and (inputs["bias"] == 0).all()
        # Where eps is felt, the right variance is not 1 either.
        plain = plain and np.allclose(expected[0].var(-1), 1, atol=1e-3)
        if not plain:
            return None  # such an example cannot tell
        found = statistic(got[0])
        return bool(np.isfinite(found).all() and not np.allclose(found, value, atol=1e-3))

    return shows


def _mean(x):
    return x.mean(-1, keepdims=True)


LAYER_NORM = Exercise(
    name="layer_norm",
    signature="f(x, gain, bias, eps)",
    outputs=("normalised",),
    reference=_layer_norm,
    stages=(
        (
            example(x=[[1, 3]], gain=[1, 1], bias=[0, 0], eps=1e-5),
            example(x=[[1, 3], [10, 50]], gain=[2, 3], bias=[1, -1], eps=1e-5),
            example(x=[[1, 2, 6], [4, -4, 3]], gain=[1, 1, 1], bias=[0, 0, 0], eps=1e-5),
            example(
                x=[[1, 2, 6, 3], [0, 8, 0, 4]], gain=[1, 2, -1, 3], bias=[0, 1, 5, 2], eps=1e-5
            ),
        ),
        (
            example(x=[[1, 3]], gain=[1, 1], bias=[0, 0], eps=3.0),
            example(x=[[5, 5]], gain=[2, 2], bias=[1, 3], eps=1e-5),
            example(x=[[0, 0.002]], gain=[1, 1], bias=[0, 0], eps=1e-5),
            example(x=[[0, 0.2, 0.1], [1, 0, 8]], gain=[3, 1, 2], bias=[0, 1, 0], eps=0.01),
        ),
    ),
    misconceptions=(
        misconception(
            "unbiased-variance",
            "You divide the sum of squares by the width minus 1. Nothing is estimated from a "
            "sample here: the variance of a row is the mean of the squares, so divide by the "
            "width. (torch.var and ddof=1 subtract 1, np.var does not.)",
            _normalising(ddof=1),
        ),
        misconception(
            "over-positions",
            "You normalise down the columns: each number is compared with those of other "
            "positions. Every position is normalised by itself, along the last axis.",
            _normalising(axis=0),
        ),
        misconception(
            "over-everything",
            "You take one mean and one variance of the whole array. Every row has a mean and a "
            "variance of its own: use axis=-1, and keepdims=True so that the shapes fit.",
            _normalising(axis=None),
        ),
        misconception(
            "keepdims-forgotten",
            "The mean or the variance of a row meets the wrong numbers: with one number for each "
            "row and no axis of its own, NumPy lays them along the columns. Take them with "
            "keepdims=True.",
            *(
                _without_axis(mean, variance)
                for mean, variance in ((False, False), (False, True), (True, False))
            ),
        ),
        misconception(
            "not-centred",
            "You divide, but the mean is still in the rows. Subtract it first.",
            _normalising(centre=lambda x, mean: x),
        ),
        misconception(
            "rms-norm",
            "You divide by the root of the mean square and subtract nothing. That is RMSNorm, "
            "which many later models use. Here the mean is subtracted first.",
            _rms_norm,
        ),
        misconception(
            "not-divided",
            "You subtract the mean and stop there. Each row should have variance 1 too, before "
            "gain and bias.",
            _normalising(divisor=lambda variance, eps: 1),
        ),
        misconception(
            "divided-by-variance",
            "You divide by the variance. Divide by its square root.",
            _normalising(divisor=lambda variance, eps: variance + eps),
        ),
        misconception(
            "gain-and-bias-swapped",
            "You multiply by the bias and add the gain. It is the other way round.",
            lambda x, gain, bias, eps: _layer_norm(x, bias, gain, eps),
        ),
        misconception(
            "gain-forgotten",
            "The gain has no effect on your result. Each column is multiplied by its own.",
            lambda x, gain, bias, eps: _layer_norm(x, np.ones_like(gain), bias, eps),
        ),
        misconception(
            "bias-forgotten",
            "The bias has no effect on your result. It is added at the end, one number for each "
            "column.",
            lambda x, gain, bias, eps: _layer_norm(x, gain, np.zeros_like(bias), eps),
        ),
        misconception(
            "gain-and-bias-forgotten",
            "The rows are normalised correctly. They still need the gain, which multiplies each "
            "column, and then the bias, which is added.",
            lambda x, gain, bias, eps: _layer_norm(x, 1, 0, eps),
        ),
        misconception(
            "bias-before-gain",
            "You add the bias first and multiply the sum by the gain. Multiply first, then add.",
            lambda x, gain, bias, eps: gain * _layer_norm(x, 1, bias, eps),
        ),
        misconception(
            "gain-before-normalising",
            "You apply gain and bias first and normalise what comes out, which takes away much of "
            "what they did. Normalise first.",
            lambda x, gain, bias, eps: _layer_norm(gain * x + bias, 1, 0, eps),
        ),
        misconception(
            "eps-outside-the-root",
            "You add eps to the standard deviation. It belongs under the root, added to the "
            "variance. The two differ where a row's numbers are nearly all the same.",
            _normalising(divisor=lambda variance, eps: np.sqrt(variance) + eps),
        ),
        misconception(
            "eps-missing",
            "eps has no effect on your result. It is added to the variance before the root is "
            "taken; without it a row of equal numbers is zero divided by zero.",
            _with_own_eps(0),
        ),
        misconception(
            "own-eps",
            "You use an eps of your own. Use the one that is handed over: it is not always the "
            "same number.",
            *(_with_own_eps(10.0**-digits) for digits in (5, 6, 8, 9, 10, 12)),
        ),
        misconception(
            "root-of-the-mean-square",
            "You subtract the mean, but divide by the root of the mean square of x itself. Take"
            " the mean square after the mean is gone: that is the variance.",
            lambda x, gain, bias, eps: gain * (x - _mean(x)) / np.sqrt(_mean(x**2) + eps) + bias,
        ),
        misconception(
            "gain-plus-1",
            "You multiply by 1 + gain. The gain itself multiplies.",
            lambda x, gain, bias, eps: _layer_norm(x, 1 + gain, bias, eps),
        ),
        misconception(
            "sum-of-squares",
            "Below the line stands the root of the sum of squares, or the length of the row. "
            "The variance is the mean of the squares.",
            lambda x, gain, bias, eps: (
                gain * (x - _mean(x)) / np.sqrt(((x - _mean(x)) ** 2).sum(-1, keepdims=True) + eps)
                + bias
            ),
            lambda x, gain, bias, eps: (
                gain
                * (x - _mean(x))
                / (np.sqrt(((x - _mean(x)) ** 2).sum(-1, keepdims=True)) + eps)
                + bias
            ),
            lambda x, gain, bias, eps: gain * x / np.linalg.norm(x, axis=-1, keepdims=True) + bias,
            lambda x, gain, bias, eps: (
                gain * (x - _mean(x)) / np.sqrt(((x - _mean(x)) ** 2 + eps).sum(-1, keepdims=True))
                + bias
            ),
        ),
        misconception(
            "two-axes",
            "You take the mean over the columns and the variance over the positions, or the "
            "other way round. Both belong to one row.",
            lambda x, gain, bias, eps: gain * (x - _mean(x)) / np.sqrt(x.var(0) + eps) + bias,
            lambda x, gain, bias, eps: (
                gain * (x - x.mean(0)) / np.sqrt(x.var(-1, keepdims=True) + eps) + bias
            ),
        ),
        misconception(
            "mean-deviation",
            "You divide by the mean distance from the mean. Divide by the root of the variance.",
            lambda x, gain, bias, eps: (
                gain * (x - _mean(x)) / (_mean(np.abs(x - _mean(x))) + eps) + bias
            ),
            lambda x, gain, bias, eps: gain * (x - _mean(x)) / _mean(np.abs(x - _mean(x))) + bias,
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
            "eps-squared",
            "You square eps. It is added to the variance as it is.",
            lambda x, gain, bias, eps: _layer_norm(x, gain, bias, eps**2),
        ),
    ),
    symptoms=(
        Symptom(
            "mean-not-zero",
            "With gain 1 and bias 0 the mean of each row should be 0. Yours is not.",
            _off(lambda rows: rows.mean(-1), 0),
        ),
        Symptom(
            "variance-not-one",
            "With gain 1 and bias 0 the variance of each row should be next to 1. Yours is not.",
            _off(lambda rows: rows.var(-1), 1),
        ),
    ),
)


def layer_norm(answer: object) -> Verdict:
    """Check layer normalisation.

    ``answer(x, gain, bias, eps)`` takes ``x`` (length, d_model), gain and bias
    (d_model), and a small positive number. Each row is brought to mean 0 and
    variance 1, with ``eps`` added to the variance before the root is taken;
    then the gain multiplies the columns, and the bias is added. It returns
    (length, d_model).
    """
    return LAYER_NORM.check(answer)


# ----------------------------------------------------------------- residual


def _by_placement(before: Callable, after: Callable) -> Callable:
    """Choose what to do by ``pre``; both get the stream, the sublayer and the norm."""

    def place(x, sublayer, norm, pre):
        return (before if pre else after)(x, sublayer, norm)

    return place


def _pre(x, sublayer, norm):
    return x + sublayer(norm(x))


def _post(x, sublayer, norm):
    return norm(x + sublayer(x))


def _plain_sum(x, sublayer, norm):
    return x + sublayer(x)


def _norm_of_what_is_said(x, sublayer, norm):
    return x + norm(sublayer(x))


def _normalised_twice(x, sublayer, norm):
    return norm(x + sublayer(norm(x)))


SQUARE = Part("x -> x**2", lambda x: x**2)
SUM_SO_FAR = Part("x -> np.cumsum(x, axis=0)", lambda x: np.cumsum(x, axis=0))
THREE_MINUS = Part("x -> 3 - x", lambda x: 3 - x)
SHARES = Part("each row divided by its sum", lambda x: x / x.sum(-1, keepdims=True))
CENTRED = Part("each row minus its mean", lambda x: x - x.mean(-1, keepdims=True))


def _with_sublayer(change: Callable) -> Callable:
    """Make a residual connection around a changed sublayer."""
    right = _by_placement(_pre, _post)
    return lambda x, sublayer, norm, pre: right(x, change(sublayer), norm, pre)


RESIDUAL = Exercise(
    name="residual",
    signature="f(x, sublayer, norm, pre)",
    outputs=("stream",),
    reference=_by_placement(_pre, _post),
    stages=(
        (
            example(x=[[1, 3]], sublayer=SQUARE, norm=SHARES, pre=True),
            example(x=[[1, 3]], sublayer=SQUARE, norm=SHARES, pre=False),
            example(x=[[1, 3], [5, 0]], sublayer=SQUARE, norm=CENTRED, pre=True),
            example(x=[[1, 3], [5, 0]], sublayer=SQUARE, norm=CENTRED, pre=False),
            example(x=[[1, 3, 4], [2, 0, 6]], sublayer=SUM_SO_FAR, norm=SHARES, pre=True),
            example(x=[[1, 3, 4], [2, 0, 6]], sublayer=SUM_SO_FAR, norm=SHARES, pre=False),
            example(x=[[4, 1, 1], [2, 7, 3]], sublayer=THREE_MINUS, norm=SHARES, pre=True),
        ),
    ),
    misconceptions=(
        misconception(
            "pre-and-post-swapped",
            "You have pre-norm and post-norm the wrong way round. With pre=True the sublayer "
            "reads the normalised stream; with pre=False the sum is normalised.",
            _by_placement(_post, _pre),
        ),
        misconception(
            "always-pre",
            "You normalise before the sublayer whatever pre says. With pre=False the norm comes "
            "after the sum.",
            _by_placement(_pre, _pre),
        ),
        misconception(
            "always-post",
            "You normalise after the sum whatever pre says. With pre=True the sublayer reads the "
            "normalised stream, and the sum stays as it is.",
            _by_placement(_post, _post),
        ),
        misconception(
            "no-residual",
            "The stream itself gets lost: you return what the sublayer made of it. Its output is "
            "added to x.",
            _by_placement(lambda x, s, n: s(n(x)), lambda x, s, n: n(s(x))),
            _by_placement(lambda x, s, n: s(n(x)), _post),
            _by_placement(_pre, lambda x, s, n: n(s(x))),
        ),
        misconception(
            "normalised-stream-added",
            "With pre=True you add what the sublayer says to the normalised stream. The sublayer "
            "reads norm(x), and its output is added to x as it was: that is what keeps the way "
            "through all layers free.",
            _by_placement(lambda x, s, n: n(x) + s(n(x)), _post),
            _by_placement(lambda x, s, n: n(x) + s(n(x)), lambda x, s, n: n(n(x) + s(n(x)))),
            _by_placement(lambda x, s, n: n(x) + s(x), _post),
        ),
        misconception(
            "norm-of-the-output-alone",
            "You normalise what the sublayer says, and add it then. With pre=True it is what the "
            "sublayer reads that is normalised; with pre=False it is the sum.",
            _by_placement(_norm_of_what_is_said, _norm_of_what_is_said),
            _by_placement(_norm_of_what_is_said, _post),
            _by_placement(_pre, _norm_of_what_is_said),
        ),
        misconception(
            "norm-twice",
            "You normalise twice, before the sublayer and after the sum. It is either of the two: "
            "pre says which.",
            _by_placement(_normalised_twice, _normalised_twice),
            _by_placement(_normalised_twice, _post),
            _by_placement(_pre, _normalised_twice),
        ),
        misconception(
            "no-norm",
            "There is a case in which you do not normalise at all. With pre=True norm(x) is what "
            "the sublayer reads; with pre=False the sum is normalised.",
            _by_placement(_plain_sum, _plain_sum),
            _by_placement(_plain_sum, _post),
            _by_placement(_pre, _plain_sum),
        ),
        misconception(
            "output-not-added",
            "The sublayer has no effect on your result. What it says is added to the stream.",
            _by_placement(lambda x, s, n: n(x), lambda x, s, n: n(x)),
            _by_placement(lambda x, s, n: x + n(x), lambda x, s, n: n(x)),
            _by_placement(lambda x, s, n: x, lambda x, s, n: n(x)),
        ),
        misconception(
            "sublayer-after-the-sum",
            "You add first and hand the sum to the sublayer. The sublayer comes first: what it "
            "says is one of the two things that are added.",
            _by_placement(lambda x, s, n: s(x + n(x)), lambda x, s, n: n(s(x + x))),
            _by_placement(lambda x, s, n: s(x + n(x)), _post),
            _by_placement(lambda x, s, n: s(x + n(x)), lambda x, s, n: s(x + n(x))),
        ),
        misconception(
            "norm-before-the-sum",
            "With pre=False you normalise the stream and add what the sublayer says. The norm "
            "comes last: it normalises the sum.",
            _by_placement(_pre, lambda x, sublayer, norm: norm(x) + sublayer(x)),
        ),
        misconception(
            "subtracted",
            "You subtract what the sublayer says. It is added to the stream.",
            _with_sublayer(lambda sublayer: lambda x: -sublayer(x)),
        ),
        misconception(
            "sublayer-twice",
            "The sublayer runs twice. Once is enough.",
            _with_sublayer(lambda sublayer: lambda x: sublayer(sublayer(x))),
            _with_sublayer(lambda sublayer: lambda x: 2 * sublayer(x)),
        ),
        misconception(
            "averaged",
            "You take half of the sum. The stream and what the sublayer says are added as they "
            "are.",
            _by_placement(
                lambda x, sublayer, norm: (x + sublayer(norm(x))) / 2,
                lambda x, sublayer, norm: norm((x + sublayer(x)) / 2),
            ),
        ),
        misconception(
            "multiplied",
            "You multiply the stream by what the sublayer says. The two are added.",
            _by_placement(
                lambda x, sublayer, norm: x * sublayer(norm(x)),
                lambda x, sublayer, norm: norm(x * sublayer(x)),
            ),
        ),
    ),
)


def residual(answer: object) -> Verdict:
    """Check a sublayer's place on the residual stream.

    ``answer(x, sublayer, norm, pre)`` takes the stream ``x`` (length,
    d_model), two functions that take such an array and return another, and
    True or False. It returns the stream after the sublayer: with ``pre`` the
    sublayer reads the normalised stream and its output is added to ``x``;
    without, it reads ``x`` and the sum is normalised.
    """
    return RESIDUAL.check(answer)


# ------------------------------------------------------------- feed_forward


def _relu(x: Array) -> Array:
    return np.maximum(x, 0)


def _feed_forward(x, W_1, b_1, W_2, b_2):
    return _relu(x @ W_1 + b_1) @ W_2 + b_2


def _bending(bend: Callable) -> Callable:
    """Make a feed-forward layer with another function in place of the relu."""
    return lambda x, W_1, b_1, W_2, b_2: bend(x @ W_1 + b_1) @ W_2 + b_2


def _gelu(x: Array) -> Array:
    return x * (1 + np.vectorize(erf)(x / np.sqrt(2))) / 2


def _gelu_by_tanh(x: Array) -> Array:
    return x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3))) / 2


FEED_FORWARD = Exercise(
    name="feed_forward",
    signature="f(x, W_1, b_1, W_2, b_2)",
    outputs=("output",),
    reference=_feed_forward,
    stages=(
        (
            example(x=[[2]], W_1=[[1, -1]], b_1=[1, 5], W_2=[[1], [-4]], b_2=[2]),
            example(x=[[-1], [3]], W_1=[[1, -2]], b_1=[0.5, 1], W_2=[[2], [-3]], b_2=[-1]),
            example(
                x=[[1, -2], [0, 3]],
                W_1=[[1, 0, 2], [-1, 2, 1]],
                b_1=[0, 1, -1],
                W_2=[[1, -2], [3, 1], [-1, 2]],
                b_2=[1, -1],
            ),
            example(
                x=[[1, -2], [0, 3], [-2, 1]],
                W_1=[[1, 0, 2, -1], [-1, 2, 1, 0]],
                b_1=[2, -1, 0, 3],
                W_2=[[1, -2], [3, 1], [-1, 2], [0, -4]],
                b_2=[0, 2],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-relu",
            "There is no bend between the two matrices: without it they are no more than one "
            "matrix. Set the negative numbers to 0 after the first.",
            _bending(lambda hidden: hidden),
        ),
        misconception(
            "relu-at-the-end-too",
            "You set negative numbers to 0 at the end too. A sublayer must be able to take "
            "something away from the stream: the relu stands between the matrices only.",
            lambda *inputs: _relu(_feed_forward(*inputs)),
        ),
        misconception(
            "relu-at-the-end",
            "The relu comes too late, after the second matrix. It belongs between the two.",
            lambda x, W_1, b_1, W_2, b_2: _relu((x @ W_1 + b_1) @ W_2 + b_2),
        ),
        misconception(
            "relu-on-the-input",
            "You set the negative numbers of x to 0. The relu comes after the first matrix and "
            "its bias.",
            lambda x, W_1, b_1, W_2, b_2: (_relu(x) @ W_1 + b_1) @ W_2 + b_2,
            lambda x, W_1, b_1, W_2, b_2: _feed_forward(_relu(x), W_1, b_1, W_2, b_2),
        ),
        misconception(
            "bias-after-relu",
            "You add b_1 after the relu. It comes before, so that it can move the place of the "
            "bend.",
            lambda x, W_1, b_1, W_2, b_2: (_relu(x @ W_1) + b_1) @ W_2 + b_2,
        ),
        misconception(
            "first-bias-forgotten",
            "b_1 has no effect on your result. It is added to what the first matrix makes.",
            lambda x, W_1, b_1, W_2, b_2: _relu(x @ W_1) @ W_2 + b_2,
        ),
        misconception(
            "second-bias-forgotten",
            "b_2 has no effect on your result. It is added at the end.",
            lambda x, W_1, b_1, W_2, b_2: _relu(x @ W_1 + b_1) @ W_2,
        ),
        misconception(
            "biases-forgotten",
            "Neither bias has an effect on your result. Each matrix is followed by its own.",
            lambda x, W_1, b_1, W_2, b_2: _relu(x @ W_1) @ W_2,
        ),
        misconception(
            "residual-added",
            "You add x at the end. What is asked for here is the sublayer's output alone: adding "
            "it to the stream is the work of the residual connection around it.",
            lambda x, *layer: x + _feed_forward(x, *layer),
        ),
        misconception(
            "another-bend",
            "There is a bend between the matrices, but another one. Here it is the relu: the "
            "larger of 0 and the number. (GELU, tanh and the sigmoid are other choices.)",
            _bending(_gelu),
            _bending(_gelu_by_tanh),
            _bending(np.tanh),
            _bending(lambda hidden: 1 / (1 + np.exp(-hidden))),
            _bending(np.abs),
            _bending(lambda hidden: np.where(hidden > 0, hidden, 0.01 * hidden)),
            _bending(lambda hidden: np.where(hidden > 0, hidden, 0.1 * hidden)),
            _bending(lambda hidden: np.where(hidden > 0, hidden, 0.2 * hidden)),
            _bending(lambda hidden: hidden / (1 + np.exp(-hidden))),
            _bending(lambda hidden: (hidden > 0).astype(float)),
            _bending(lambda hidden: np.clip(hidden, 0, 6)),
            _bending(lambda hidden: np.maximum(hidden, 0) ** 2),
            _bending(lambda hidden: np.log1p(np.exp(hidden))),
            _bending(lambda hidden: np.where(hidden > 0, hidden, np.expm1(hidden))),
        ),
        misconception(
            "positive-cut-off",
            "You keep the negative numbers and set the positive ones to 0. It is the other way "
            "round: take the maximum with 0.",
            _bending(lambda hidden: np.minimum(hidden, 0)),
        ),
        misconception(
            "not-narrowed",
            "You return what is in between, d_ff numbers for each position. The second matrix "
            "brings them back to d_model.",
            lambda x, W_1, b_1, W_2, b_2: _relu(x @ W_1 + b_1),
            lambda x, W_1, b_1, W_2, b_2: x @ W_1 + b_1,
        ),
        misconception(
            "softmax-between",
            "There is a softmax between the matrices. Here each number is bent by itself: "
            "negative ones become 0.",
            _bending(softmax),
        ),
        misconception(
            "first-bias-subtracted",
            "b_1 is subtracted. It is added to what the first matrix makes.",
            lambda x, W_1, b_1, W_2, b_2: _feed_forward(x, W_1, -b_1, W_2, b_2),
        ),
        misconception(
            "second-bias-subtracted",
            "b_2 is subtracted. It is added at the end.",
            lambda x, W_1, b_1, W_2, b_2: _feed_forward(x, W_1, b_1, W_2, -b_2),
        ),
        misconception(
            "second-bias-twice",
            "b_2 is added twice. Once, at the end, is enough.",
            lambda x, W_1, b_1, W_2, b_2: _feed_forward(x, W_1, b_1, W_2, 2 * b_2),
        ),
    ),
)


def feed_forward(answer: object) -> Verdict:
    """Check the feed-forward layer.

    ``answer(x, W_1, b_1, W_2, b_2)`` takes ``x`` (length, d_model), ``W_1``
    (d_model, d_ff), ``b_1`` (d_ff), ``W_2`` (d_ff, d_model) and ``b_2``
    (d_model). Each position by itself is widened, bent by a relu, and
    narrowed. It returns (length, d_model).
    """
    return FEED_FORWARD.check(answer)


# -------------------------------------------------------------------- embed


def _embedding(scale: Callable) -> Callable:
    """Make an embedding with another factor on the rows of the table."""

    def embed(tokens, table, positions):
        return table[tokens] * scale(tokens, table) + positions

    return embed


def _right_factor(tokens, table):
    return np.sqrt(table.shape[1])


_embed = _embedding(_right_factor)

EMBED = Exercise(
    name="embed",
    signature="f(tokens, table, positions)",
    outputs=("x",),
    reference=_embed,
    stages=(
        (
            example(
                tokens=np.array([1]),
                table=[[1, 0, 0, 0], [2, 3, 1, 5], [3, -1, 0, 2]],
                positions=[[0, 1, 0, 1]],
            ),
            example(
                tokens=np.array([2, 0]),
                table=[[1, 0, 2, -1], [2, 3, 1, 5], [3, -1, 0, 2]],
                positions=[[0, 1, 0, 1], [10, 20, 30, 40]],
            ),
            example(
                tokens=np.array([1, 0, 1]),
                table=[[1, 0, 2, -1], [2, 3, 1, 5]],
                positions=[[0, 1, 0, 1], [10, 20, 30, 40], [7, 8, 9, 6]],
            ),
            example(
                tokens=np.array([2, 2, 0, 1, 4]),
                table=[[1, 0], [2, 3], [3, -1], [0, 5], [4, 4]],
                positions=[[0, 1], [10, 20], [30, 40], [-5, 2], [6, 6]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-factor",
            "The rows of the table are not multiplied by anything. They start small; times the "
            "square root of d_model they are of the size of the positions.",
            _embedding(lambda tokens, table: 1),
        ),
        misconception(
            "factor-on-the-sum",
            "You multiply the sum. The factor belongs to the rows of the table alone: the "
            "positions are of the right size already.",
            lambda tokens, table, positions: (
                (table[tokens] + positions) * _right_factor(tokens, table)
            ),
        ),
        misconception(
            "factor-on-the-positions",
            "You multiply the positions. The factor belongs to the rows of the table.",
            lambda tokens, table, positions: (
                table[tokens] + positions * _right_factor(tokens, table)
            ),
        ),
        misconception(
            "divided",
            "You divide by the square root of d_model, as one does with scores. Here it makes "
            "larger what starts small: multiply.",
            _embedding(lambda tokens, table: 1 / np.sqrt(table.shape[1])),
        ),
        misconception(
            "factor-d_model",
            "You multiply by d_model. The factor is its square root.",
            _embedding(lambda tokens, table: table.shape[1]),
        ),
        misconception(
            "factor-of-another-size",
            "The factor is the root of the wrong number: not of the length of the text, and not "
            "of the number of symbols. d_model is the width of the table, table.shape[1].",
            _embedding(lambda tokens, table: np.sqrt(len(tokens))),
            _embedding(lambda tokens, table: np.sqrt(len(table))),
        ),
        misconception(
            "positions-forgotten",
            "The positions have no effect on your result. Without them a text is a bag of words.",
            lambda tokens, table, positions: _embed(tokens, table, 0),
            lambda tokens, table, positions: table[tokens],
        ),
        misconception(
            "tokens-forgotten",
            "The tokens have no effect on your result. Each one's number says which row of the "
            "table is its vector.",
            lambda tokens, table, positions: positions,
            lambda tokens, table, positions: _embed(np.arange(len(tokens)), table, positions),
        ),
        misconception(
            "positions-by-token",
            "You take the row of positions by the number of the token. The position of a token "
            "is its place in the text: the first token gets the first row.",
            lambda tokens, table, positions: _embed(tokens, table, positions[tokens]),
        ),
        misconception(
            "first-position-for-all",
            "Every token gets the first row of the positions. Each has its own.",
            lambda tokens, table, positions: _embed(tokens, table, positions[0]),
        ),
        misconception(
            "multiplied",
            "You multiply tokens and positions with each other. They are added.",
            lambda tokens, table, positions: _embed(tokens, table, 0) * positions,
            lambda tokens, table, positions: table[tokens] * positions,
        ),
        misconception(
            "concatenated",
            "You put tokens and positions side by side, and the rows are twice as wide. They are "
            "added.",
            lambda tokens, table, positions: np.hstack([_embed(tokens, table, 0), positions]),
            lambda tokens, table, positions: np.hstack([table[tokens], positions]),
        ),
        misconception(
            "token-before-or-after",
            "You take the row before, or after, that of the token. Rows are counted from 0, as "
            "the tokens are.",
            lambda tokens, table, positions: _embed(tokens - 1, table, positions),
            lambda tokens, table, positions: _embed((tokens + 1) % len(table), table, positions),
        ),
        misconception(
            "positions-shifted",
            "The positions are right but for their order. Row p belongs to the token at place p.",
            lambda tokens, table, positions: _embed(tokens, table, np.roll(positions, 1, axis=0)),
            lambda tokens, table, positions: _embed(tokens, table, np.roll(positions, -1, axis=0)),
            lambda tokens, table, positions: _embed(tokens, table, positions[::-1]),
        ),
        misconception(
            "positions-subtracted",
            "You subtract the positions. They are added.",
            lambda tokens, table, positions: _embed(tokens, table, -positions),
        ),
        misconception(
            "fourth-root",
            "The factor is the fourth root of d_model. It is the square root.",
            lambda tokens, table, positions: table[tokens] * table.shape[1] ** 0.25 + positions,
        ),
        misconception(
            "tokens-added-up",
            "You add up the rows of all tokens. Each token has a row of its own.",
            lambda tokens, table, positions: (
                table[tokens].sum(0) * np.sqrt(table.shape[1]) + positions
            ),
        ),
    ),
)


def embed(answer: object) -> Verdict:
    """Check the way from token numbers to the residual stream.

    ``answer(tokens, table, positions)`` takes ``tokens`` (length) as integers,
    ``table`` (symbols, d_model) with a row for each symbol, and ``positions``
    (length, d_model) with a row for each place in the text. It returns
    (length, d_model): the rows of the tokens times the square root of
    d_model, plus the positions.
    """
    return EMBED.check(answer)


# ------------------------------------------------------------ decoder_layer


def _decoder_layer(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    x = x + cross_attention(x, memory)
    return x + feed_forward(x)


def _without(*lonely: str) -> Callable:
    """Make a decoder layer in which the residual is missing around some sublayers."""

    def layer(x, memory, self_attention, cross_attention, feed_forward):
        x = x * ("self" not in lonely) + self_attention(x)
        x = x * ("cross" not in lonely) + cross_attention(x, memory)
        return x * ("feed" not in lonely) + feed_forward(x)

    return layer


def _silent(*inputs):
    """Say nothing: the part of a sublayer that is left out."""
    return 0.0


def _in_order(*order: str) -> Callable:
    """Make a decoder layer whose sublayers come in another order."""

    def layer(x, memory, self_attention, cross_attention, feed_forward):
        says = {
            "self": self_attention,
            "cross": lambda x: cross_attention(x, memory),
            "feed": feed_forward,
        }
        for name in order:
            x = x + says[name](x)
        return x

    return layer


def _reading_old_x(x, memory, self_attention, cross_attention, feed_forward):
    after = x + self_attention(x)
    after = after + cross_attention(x, memory)
    return after + feed_forward(after)


def _feeding_before_cross(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    return x + cross_attention(x, memory) + feed_forward(x)


def _reads_outputs(x, memory, self_attention, cross_attention, feed_forward, *, cross, feed):
    """Let cross-attention, or the feed-forward layer, read the last output alone."""
    said = self_attention(x)
    x = x + said
    said = cross_attention(said if cross else x, memory)
    x = x + said
    return x + feed_forward(said if feed else x)


def _adding_to_the_first(x, memory, self_attention, cross_attention, feed_forward):
    read = x + self_attention(x)
    read = x + cross_attention(read, memory)
    return x + feed_forward(read)


TWICE = Part("x -> 2 * x", lambda x: 2 * x)
TIMES_THE_MEAN = Part(
    "(x, memory) -> x * memory.mean(axis=0) + 1", lambda x, memory: x * memory.mean(axis=0) + 1
)
PLUS_THE_LAST = Part(
    "(x, memory) -> x - 2 * memory[-1]",
    lambda x, memory: x - 2 * memory[-1],
)
POSITIVE = Part("x -> np.maximum(x - 2, 0)", lambda x: np.maximum(x - 2, 0))

DECODER_LAYER = Exercise(
    name="decoder_layer",
    signature="f(x, memory, self_attention, cross_attention, feed_forward)",
    outputs=("stream",),
    reference=_decoder_layer,
    stages=(
        (
            example(
                x=[[1, 2]],
                memory=[[3, -1]],
                self_attention=TWICE,
                cross_attention=TIMES_THE_MEAN,
                feed_forward=SQUARE,
            ),
            example(
                x=[[1, 2], [0, 3]],
                memory=[[2, -1], [4, 5]],
                self_attention=SUM_SO_FAR,
                cross_attention=PLUS_THE_LAST,
                feed_forward=POSITIVE,
            ),
            example(
                x=[[1, 2], [0, 3]],
                memory=[[2, -1], [0, 1], [1, 3]],
                self_attention=SUM_SO_FAR,
                cross_attention=TIMES_THE_MEAN,
                feed_forward=SQUARE,
            ),
            example(
                x=[[1, -2, 0], [0, 3, 1], [2, 2, -1]],
                memory=[[2, -1, 3]],
                self_attention=SUM_SO_FAR,
                cross_attention=PLUS_THE_LAST,
                feed_forward=SQUARE,
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "cross-attention-first",
            "Cross-attention comes before self-attention in yours. First a position looks at what "
            "has been written, then at the source.",
            _in_order("cross", "self", "feed"),
        ),
        misconception(
            "feed-forward-too-early",
            "The feed-forward layer comes too early. It is the last of the three.",
            _in_order("feed", "self", "cross"),
            _in_order("self", "feed", "cross"),
            _in_order("feed", "cross", "self"),
            _in_order("cross", "feed", "self"),
        ),
        misconception(
            "memory-as-queries",
            "You hand memory to cross_attention first. What comes first asks the questions, and "
            "that is the stream: cross_attention(x, memory).",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, lambda x, m: c(m, x), f),
        ),
        misconception(
            "memory-ignored",
            "memory has no effect on your result: cross-attention looks at the stream itself. "
            "Hand it memory as its second argument.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, lambda x, m: c(x, x), f),
        ),
        misconception(
            "cross-attention-reads-the-old-x",
            "Cross-attention reads x as it was at the beginning. It should read the stream after "
            "self-attention has added to it.",
            _reading_old_x,
        ),
        misconception(
            "feed-forward-reads-too-early",
            "The feed-forward layer reads the stream before cross-attention has added to it. It "
            "should read it afterwards.",
            _feeding_before_cross,
        ),
        misconception(
            "in-parallel",
            "All three sublayers read the same x. They come one after the other: each reads what "
            "the ones before it have added.",
            lambda x, memory, s, c, f: x + s(x) + c(x, memory) + f(x),
        ),
        misconception(
            "added-to-the-first-x",
            "Each sublayer reads the right stream, but you add what it says to the x of the "
            "beginning. So what the others said gets lost: add to the stream as it is by then.",
            _adding_to_the_first,
            lambda x, memory, s, c, f: x + f(x + s(x) + c(x + s(x), memory)),
        ),
        misconception(
            "no-residual-around-self-attention",
            "What self-attention says takes the place of x. Add it to x.",
            _without("self"),
        ),
        misconception(
            "no-residual-around-cross-attention",
            "What cross-attention says takes the place of the stream. Add it to the stream.",
            _without("cross"),
        ),
        misconception(
            "no-residual-around-feed-forward",
            "What the feed-forward layer says takes the place of the stream. Add it to the stream.",
            _without("feed"),
        ),
        misconception(
            "no-residual",
            "What a sublayer says takes the place of the stream, at more than one of them. Each "
            "adds to the stream.",
            _without("self", "cross", "feed"),
            _without("self", "cross"),
            _without("cross", "feed"),
            _without("self", "feed"),
        ),
        misconception(
            "self-attention-forgotten",
            "self_attention has no effect on your result. It is the first of three sublayers.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, _silent, c, f),
        ),
        misconception(
            "cross-attention-forgotten",
            "cross_attention has no effect on your result: this is an encoder's layer, and it "
            "cannot see the source. It is the second of three sublayers.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, _silent, f),
        ),
        misconception(
            "feed-forward-forgotten",
            "feed_forward has no effect on your result. It is the last of three sublayers.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, c, _silent),
        ),
        misconception(
            "self-attention-of-memory",
            "self_attention reads memory. It reads the stream: the target's own positions.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, lambda _: s(memory), c, f),
        ),
        misconception(
            "cross-attention-in-place-of-self-attention",
            "The first sublayer is cross_attention once more. It should be self_attention.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, lambda x: c(x, x), c, f),
            lambda x, memory, s, c, f: _decoder_layer(x, memory, lambda x: c(x, memory), c, f),
        ),
        misconception(
            "feed-forward-twice",
            "The feed-forward layer comes twice. Once, at the end, is enough.",
            _in_order("self", "cross", "feed", "feed"),
            _in_order("self", "feed", "cross", "feed"),
        ),
        misconception(
            "self-attention-twice",
            "self_attention comes twice. It is the first of three sublayers.",
            _in_order("self", "self", "cross", "feed"),
            _in_order("self", "cross", "self", "feed"),
        ),
        misconception(
            "cross-attention-twice",
            "cross_attention comes twice. It is the second of three sublayers.",
            _in_order("self", "cross", "cross", "feed"),
        ),
        misconception(
            "memory-changed",
            "memory goes through a sublayer before cross_attention sees it. It comes from the "
            "encoder, and is used as it is.",
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, lambda x, m: c(x, s(m)), f),
            lambda x, memory, s, c, f: _decoder_layer(x, memory, s, lambda x, m: c(x, m + s(m)), f),
        ),
        misconception(
            "x-added-again",
            "The x of the beginning is added once more. It is in the stream already.",
            lambda x, memory, s, c, f: x + _decoder_layer(x, memory, s, c, f),
        ),
        misconception(
            "one-residual-around-all",
            "There is one residual connection around all three sublayers. Each has its own.",
            lambda x, memory, s, c, f: x + f(c(s(x), memory)),
        ),
        misconception(
            "reads-the-last-output-alone",
            "A sublayer reads what the one before it said, without the stream. It reads the sum.",
            lambda x, memory, s, c, f: _reads_outputs(x, memory, s, c, f, cross=True, feed=False),
            lambda x, memory, s, c, f: _reads_outputs(x, memory, s, c, f, cross=False, feed=True),
            lambda x, memory, s, c, f: _reads_outputs(x, memory, s, c, f, cross=True, feed=True),
        ),
    ),
)


def decoder_layer(answer: object) -> Verdict:
    """Check a decoder layer, without its norms.

    ``answer(x, memory, self_attention, cross_attention, feed_forward)`` takes
    the stream ``x`` (length, d_model), ``memory`` (source_length, d_model) and
    three functions: ``self_attention(x)``, ``cross_attention(x, memory)`` and
    ``feed_forward(x)`` each return what is to be added, with the shape of
    their first argument. It returns the stream after all three, in this
    order, each around a residual connection.
    """
    return DECODER_LAYER.check(answer)


# --------------------------------------------------------- layer_parameters


def _counting(
    attention: Callable = lambda d: 4 * d * d + 4 * d,
    feed_forward: Callable = lambda d, d_ff: 2 * d * d_ff + d_ff + d,
    norms: Callable = lambda d: 4 * d,
) -> Callable:
    """Count the parameters of a layer; one of its parts may be counted wrongly."""
    return lambda d_model, d_ff: attention(d_model) + feed_forward(d_model, d_ff) + norms(d_model)


def _nothing(*sizes):
    return 0


LAYER_PARAMETERS = Exercise(
    name="layer_parameters",
    signature="f(d_model, d_ff)",
    outputs=("parameters",),
    reference=_counting(),
    stages=(
        (
            example(d_model=2, d_ff=5),
            example(d_model=6, d_ff=10),
            example(d_model=64, d_ff=256),
            example(d_model=512, d_ff=2048),
        ),
    ),
    misconceptions=(
        misconception(
            "biases-forgotten",
            "You count the matrices and the norms. Each of the six matrices has a bias too: a "
            "number for each of its columns.",
            _counting(lambda d: 4 * d * d, lambda d, d_ff: 2 * d * d_ff),
        ),
        misconception(
            "norms-or-attention-biases-forgotten",
            "Your count is 4 d_model too low. The four biases of attention have that many numbers, "
            "and so have the two norms with a gain and a bias each. Which did you leave out?",
            _counting(norms=_nothing),
        ),
        misconception(
            "one-bias-in-attention",
            "You count one bias for attention. Each of its four matrices has one.",
            _counting(attention=lambda d: 4 * d * d + d),
        ),
        misconception(
            "one-bias-forgotten",
            "Your count is d_model too low: a single bias is missing. Is it that of W_O, or the "
            "second one of the feed-forward layer?",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + d_ff),
        ),
        misconception(
            "feed-forward-biases-forgotten",
            "The feed-forward layer has two biases: the first has d_ff numbers, the second "
            "d_model.",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff),
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + d),
        ),
        misconception(
            "feed-forward-bias-sizes",
            "The two biases of the feed-forward layer differ in size. Each has as many numbers as "
            "its matrix has columns: d_ff the first, d_model the second.",
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + 2 * d_ff),
            _counting(feed_forward=lambda d, d_ff: 2 * d * d_ff + 2 * d),
        ),
        misconception(
            "norms-half-counted",
            "Your count is right but for half of what the norms have. There are two norms, one "
            "for each sublayer, and each has a gain and a bias of d_model numbers.",
            _counting(norms=lambda d: 2 * d),
        ),
        misconception(
            "norms-with-two-numbers",
            "You count a gain and a bias of one number for each norm. They have a number for "
            "each of the d_model columns.",
            _counting(norms=lambda d: 4),
            _counting(norms=lambda d: 2),
        ),
        misconception(
            "matrices-only",
            "You count the matrices. There are biases too, one for each matrix, and two norms "
            "with a gain and a bias each.",
            _counting(lambda d: 4 * d * d, lambda d, d_ff: 2 * d * d_ff, _nothing),
        ),
        misconception(
            "output-projection-forgotten",
            "You count W_Q, W_K and W_V. Attention has a fourth matrix, W_O, that mixes the heads.",
            _counting(attention=lambda d: 3 * d * d + 3 * d),
            _counting(attention=lambda d: 3 * d * d + 4 * d),
        ),
        misconception(
            "feed-forward-counted-once",
            "The feed-forward layer has two matrices: one widens, the other narrows.",
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d_ff),
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d_ff + d),
            _counting(feed_forward=lambda d, d_ff: d * d_ff + d),
        ),
        misconception(
            "four-matrices-per-head",
            "You multiply what attention has by a number of heads. The heads share out the "
            "columns of its matrices: however many there are, the count is the same.",
            *(
                _counting(attention=lambda d, heads=heads: heads * (4 * d * d + 4 * d))
                for heads in (4, 8)
            ),
        ),
        misconception(
            "a-decoders-layer",
            "You count cross-attention too, as in the layer of a decoder. The question is about "
            "an encoder's layer: one attention, one feed-forward layer, and two norms.",
            _counting(attention=lambda d: 8 * d * d + 8 * d, norms=lambda d: 6 * d),
            _counting(attention=lambda d: 8 * d * d + 8 * d),
        ),
        misconception(
            "attention-forgotten",
            "Attention is missing: four matrices of d_model rows and columns, with their biases.",
            _counting(attention=_nothing),
        ),
        misconception(
            "feed-forward-forgotten",
            "The feed-forward layer is missing: two matrices, with their biases.",
            _counting(feed_forward=_nothing),
        ),
        misconception(
            "three-norms",
            "You count three norms. An encoder's layer has two: one for attention, one for the "
            "feed-forward layer.",
            _counting(norms=lambda d: 6 * d),
        ),
        misconception(
            "three-feed-forward-matrices",
            "You count three matrices in the feed-forward layer, as in some later models. Here "
            "it has two.",
            _counting(feed_forward=lambda d, d_ff: 3 * d * d_ff + 2 * d_ff + d),
            _counting(feed_forward=lambda d, d_ff: 3 * d * d_ff + d_ff + d),
        ),
        misconception(
            "d_ff-ignored",
            "You take d_ff to be 4 d_model. It often is, but here it is given, and may be "
            "another number.",
            _counting(feed_forward=lambda d, d_ff: 8 * d * d + 5 * d),
            lambda d_model, d_ff: 12 * d_model**2,
        ),
        misconception(
            "feed-forward-square",
            "You count a matrix of d_ff rows and d_ff columns. Both matrices of the feed-"
            "forward layer are between d_model and d_ff.",
            _counting(feed_forward=lambda d, d_ff: 2 * d_ff * d_ff + d_ff + d),
            _counting(feed_forward=lambda d, d_ff: d_ff * d_ff + d_ff + d),
        ),
    ),
    symptoms=(
        Symptom(
            "not-a-whole-number",
            "A number of parameters is a whole number.",
            lambda inputs, expected, got: bool(np.isfinite(got[0]) and got[0] % 1),
        ),
        Symptom(
            "too-many",
            "You count too many. Write down the shape of each matrix, bias and gain.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of each matrix, bias and gain.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def layer_parameters(answer: object) -> Verdict:
    """Check the number of parameters of an encoder layer.

    ``answer(d_model, d_ff)`` takes two widths and returns how many numbers
    training adjusts: in attention four matrices with biases, in the
    feed-forward layer two matrices with biases, and in two norms a gain and a
    bias each.
    """
    return LAYER_PARAMETERS.check(answer)


EXERCISES = (LAYER_NORM, RESIDUAL, FEED_FORWARD, EMBED, DECODER_LAYER, LAYER_PARAMETERS)
