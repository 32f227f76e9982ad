"""Compute one token's output of self-attention (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks._mistakes import (
    Attention,
)


def _self_attention(x, W_Q, W_K, W_V, attend=None):
    """Return output (length, d_v) and weights (length, length)."""
    attend = attend or Attention()
    return attend(x @ W_Q, x @ W_K, x @ W_V, d_model=x.shape[-1])


def _contextual(attend: Callable) -> Callable:
    """Make an answer from a way to attend."""
    return lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V, attend)[0][i]


def _key_asks(x, W_Q, W_K, W_V, i):
    return _self_attention(x, W_K, W_Q, W_V)[0][i]


def _column_of_weights(x, W_Q, W_K, W_V, i):
    _, weights = _self_attention(x, W_Q, W_K, W_V)
    return weights[:, i] @ (x @ W_V)


CONTEXTUAL_VECTOR = Exercise(
    name="contextual_vector",
    signature="f(x, W_Q, W_K, W_V, i)",
    outputs=("vector",),
    reference=_contextual(Attention()),
    stages=(
        (
            example(
                x=[[1, 0], [0, 2]],
                W_Q=[[1, 2], [1, 0]],
                W_K=[[0, 1], [1, -1]],
                W_V=[[2], [-1]],
                i=0,
            ),
            example(
                x=[[1, 0], [0, 2], [1, 1]],
                W_Q=[[1], [0.5]],
                W_K=[[0.5], [1]],
                W_V=[[1, 0], [-1, 1]],
                i=1,
            ),
            example(
                x=[[1, 0, 1], [0, 2, 0], [-1, 1.3, 1]],
                W_Q=[[1, 0], [1, 2], [0, 1]],
                W_K=[[0, 1], [1.7, -1], [1, 0]],
                W_V=[[3.3, 0], [1, -2], [1, 1]],
                i=2,
            ),
            example(
                x=[[1, 0], [0, 1], [1, -1], [2, 1]],
                W_Q=[[1, 0, 1, 0], [0, 1, 0, 1]],
                W_K=[[1, 0, 0, 1], [1, 1, 0, 0]],
                W_V=[[1, 0, 2], [2, 1, 0]],
                i=3,
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "query-not-projected",
            "Row i of x itself asks, and W_Q has no say. W_Q makes the query of it.",
            lambda x, W_Q, W_K, W_V, i: Attention()(x, x @ W_K, x @ W_V)[0][i],
        ),
        misconception(
            "keys-not-projected",
            "You compare the query with the rows of x, and W_K has no say. W_K makes the keys of "
            "them.",
            lambda x, W_Q, W_K, W_V, i: Attention()(x @ W_Q, x, x @ W_V)[0][i],
        ),
        misconception(
            "key-asks",
            "Token i is asked, but should be asking: you compare its key with everybody's "
            "queries. Its contextual vector starts from its query.",
            _key_asks,
        ),
        misconception(
            "column-of-weights",
            "You mix with column i of the weights: how much the others attend to token i. What "
            "token i attends to is in a row.",
            _column_of_weights,
        ),
        misconception(
            "off-by-one",
            "This is the contextual vector of the neighbour of token i. Positions count from 0.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][i - 1],
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][i + 1],
        ),
        misconception(
            "always-the-same-token",
            "This is the contextual vector of one end of the sentence, whatever i is.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][0],
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][-1],
        ),
        misconception(
            "mean-of-all-tokens",
            "This is the average of the contextual vectors of all tokens. Only that of token i "
            "is asked for.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0].mean(0),
        ),
        misconception(
            "all-tokens",
            "You return the contextual vectors of all tokens. Only that of token i is asked for.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0],
        ),
        misconception(
            "mixes-x",
            "You mix the rows of x. The weights are right; what they mix are the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i] @ x,
        ),
        misconception(
            "own-value-only",
            "You return the value of token i itself. Its contextual vector is a mixture of the "
            "values of all tokens.",
            lambda x, W_Q, W_K, W_V, i: (x @ W_V)[i],
        ),
        misconception(
            "weights-returned",
            "These are the weights of token i. One step is left: use them to mix the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i],
        ),
        misconception(
            "column-of-the-output",
            "You return column i of the output. The contextual vector of token i is its row i.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][:, i % W_V.shape[1]],
        ),
        misconception(
            "itself-left-out",
            "Token i attends to all tokens but itself. It is one of the keys, too.",
            lambda x, W_Q, W_K, W_V, i: Attention()(
                x @ W_Q, x @ W_K, x @ W_V, ~np.eye(len(x), dtype=bool)
            )[0][i],
        ),
    ),
    shared=_mistakes.of_attention(_contextual),
)


def contextual_vector(answer: object) -> Verdict:
    """Check the contextual vector of one token in self-attention.

    ``answer(x, W_Q, W_K, W_V, i)`` takes ``x`` (length, d_model), ``W_Q`` and
    ``W_K`` (d_model, d_k), ``W_V`` (d_model, d_v) and a position ``i``,
    counted from 0. It returns a vector (d_v,): row i of the output of scaled
    dot-product self-attention.
    """
    return CONTEXTUAL_VECTOR.check(answer)
