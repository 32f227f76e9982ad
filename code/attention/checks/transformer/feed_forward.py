"""Write the feed-forward layer (transformer: Exercises)."""

from collections.abc import Callable
from math import erf

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import Exercise, Verdict, example, misconception

Array = np.ndarray


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
        misconception(
            "largest-number",
            "np.max gives the largest number along an axis. What sets negative numbers to 0, "
            "one by one, is np.maximum.",
            _bending(lambda hidden: hidden.max(0)),
            _bending(lambda hidden: np.broadcast_to(hidden.max(1, keepdims=True), hidden.shape)),
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
