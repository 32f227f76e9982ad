"""Let one sequence ask and another answer (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks._mistakes import (
    Attention,
)


def _cross(ask: Callable, offer: Callable, give: Callable, attend: Callable | None = None):
    """Make a cross-attention function from what asks, what is compared, what is averaged."""
    attend = attend or Attention()

    def answer(x, memory, W_Q, W_K, W_V):
        query, key, value = (make(x, memory, W_Q, W_K, W_V) for make in (ask, offer, give))
        return attend(query, key, value, d_model=x.shape[-1])[0]

    return answer


def _ask(x, memory, W_Q, W_K, W_V):
    return x @ W_Q


def _offer(x, memory, W_Q, W_K, W_V):
    return memory @ W_K


def _give(x, memory, W_Q, W_K, W_V):
    return memory @ W_V


CROSS_ATTENTION = Exercise(
    name="cross_attention",
    signature="f(x, memory, W_Q, W_K, W_V)",
    outputs=("output",),
    reference=_cross(_ask, _offer, _give),
    stages=(
        (
            example(
                x=[[1, 0], [0, 2]],
                memory=[[1, 1], [2, 0]],
                W_Q=[[1, 0], [1, 1]],
                W_K=[[0, 1], [1, -1]],
                W_V=[[2, 0], [1, 1]],
            ),
            example(
                x=[[1, 2, -1]],
                memory=[[1, 0, 1], [0, 1, 1], [2, 1, -1], [0, 0, 1]],
                W_Q=[[1], [0.5], [0]],
                W_K=[[0.5], [1], [1]],
                W_V=[[1, 2], [0, 1], [3, -1]],
            ),
            example(
                x=[[1, 0], [0, 1.3], [1, -1]],
                memory=[[1, 1], [-3.3, 2]],
                W_Q=[[1, 0, 1, 0], [0, 1, 0, 1]],
                W_K=[[1, 0, 0, 1], [1, 1, 0, 0]],
                W_V=[[1], [2]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "self-attention",
            "The memory never enters: x attends to itself. In cross-attention keys and values "
            "come from the memory.",
            _cross(
                _ask,
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: x @ W_V,
            ),
        ),
        misconception(
            "self-attention-of-memory",
            "x never enters: the memory attends to itself. The queries come from x.",
            _cross(lambda x, memory, W_Q, W_K, W_V: memory @ W_Q, _offer, _give),
        ),
        misconception(
            "roles-swapped",
            "Here the memory asks and x answers. It should be the other way round: x asks, and "
            "the output has one row for each row of x.",
            _cross(
                lambda x, memory, W_Q, W_K, W_V: memory @ W_Q,
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: x @ W_V,
            ),
        ),
        misconception(
            "keys-from-x",
            "Your keys come from x. What x looks for is compared with what the memory offers.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: x @ W_K, _give),
        ),
        misconception(
            "values-from-x",
            "Your values come from x: you look things up in the memory and then take them from "
            "somewhere else. Values stand beside their keys.",
            _cross(_ask, _offer, lambda x, memory, W_Q, W_K, W_V: x @ W_V),
        ),
        misconception(
            "values-not-projected",
            "You average the rows of the memory as they are. The values are a projection of them.",
            _cross(_ask, _offer, lambda x, memory, W_Q, W_K, W_V: memory),
        ),
        misconception(
            "keys-not-projected",
            "You compare the queries with the memory as it is. The keys are a projection of it.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: memory, _give),
        ),
        misconception(
            "queries-not-projected",
            "You use x itself as the queries. The queries are a projection of x.",
            _cross(lambda x, memory, W_Q, W_K, W_V: x, _offer, _give),
        ),
        misconception(
            "key-matrix-for-queries",
            "You make the queries with W_K. They have a matrix of their own.",
            _cross(lambda x, memory, W_Q, W_K, W_V: x @ W_K, _offer, _give),
        ),
        misconception(
            "query-matrix-for-keys",
            "You make the keys with W_Q. They have a matrix of their own.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: memory @ W_Q, _give),
        ),
        misconception(
            "key-matrix-for-values",
            "You make the values with W_K. They have a matrix of their own.",
            _cross(_ask, _offer, _offer),
        ),
        misconception(
            "query-and-key-matrices-swapped",
            "You make the queries with W_K and the keys with W_Q. Each has a matrix of its own.",
            _cross(
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: memory @ W_Q,
                _give,
            ),
        ),
        misconception(
            "weights-returned",
            "You return the weights. One step is left: use them to average the values.",
            lambda x, memory, W_Q, W_K, W_V: Attention()(x @ W_Q, memory @ W_K, memory @ W_V)[1],
        ),
        misconception(
            "looks-at-both",
            "Your keys and values come from x and the memory together. x asks, and the memory "
            "alone answers.",
            _cross(
                _ask,
                lambda x, memory, *W: np.vstack([x, memory]) @ W[1],
                lambda x, memory, *W: np.vstack([x, memory]) @ W[2],
            ),
        ),
    ),
    shared=_mistakes.of_attention(lambda attend: _cross(_ask, _offer, _give, attend)),
)


def cross_attention(answer: object) -> Verdict:
    """Check cross-attention: one sequence asks, another answers.

    ``answer(x, memory, W_Q, W_K, W_V)`` takes ``x`` (queries, d_model),
    ``memory`` (keys, d_model), ``W_Q`` and ``W_K`` (d_model, d_k) and ``W_V``
    (d_model, d_v). It returns ``output`` (queries, d_v): scaled dot-product
    attention with queries from ``x``, keys and values from ``memory``.
    """
    return CROSS_ATTENTION.check(answer)
