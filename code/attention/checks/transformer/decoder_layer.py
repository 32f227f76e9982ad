"""Put the three sublayers of a decoder layer in order (transformer: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.transformer._decoder_layer_mistakes import MISTAKES
from attention.checks.transformer._decoder_layer_steps import right_layer
from attention.checks.transformer._shared import SQUARE, SUM_SO_FAR, Part

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
    reference=right_layer,
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
    misconceptions=MISTAKES,
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
