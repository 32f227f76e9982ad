"""Mistakes of the softmax: the sum is taken along the wrong axis, or left out (used by checks)."""

import numpy as np

from attention import by_hand
from attention.checks._mistakes.mistake import softmax_mistake
from attention.checks._mistakes.softmaxes import naive_softmax, normalised

Array = np.ndarray


def _over_everything(scores: Array) -> Array:
    return by_hand.softmax(scores.reshape(-1)).reshape(scores.shape)


def _over_each_matrix(scores: Array) -> Array:
    flat = scores.reshape(*scores.shape[:-2], -1)
    return by_hand.softmax(flat).reshape(scores.shape)


def _over_heads(scores: Array) -> Array:
    if scores.ndim < 3:
        raise ValueError("no axis of heads")
    return by_hand.softmax(scores, axis=-3)


def _sums_spread_over_columns(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum(-1)


def _sums_of_shifted_rows_spread_over_columns(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1)


OVER_THE_QUERIES = (
    "Your weights sum to 1 down each column: the softmax ran over the queries. It must run "
    "over the keys, so that each row sums to 1."
)

OF_AXES = (
    softmax_mistake(
        "softmax-over-queries",
        OVER_THE_QUERIES,
        lambda scores: by_hand.softmax(scores, axis=-2),
        lambda scores: naive_softmax(scores, axis=-2),
        lambda scores: normalised(np.exp(scores), axis=-2),
    ),
    softmax_mistake(
        "softmax-over-heads",
        "Your softmax runs over the heads. Each head has weights of its own, which sum to 1 "
        "over the keys: the last axis.",
        _over_heads,
    ),
    softmax_mistake(
        "softmax-over-everything",
        "All your weights together sum to 1. Each row is a softmax of its own: each query has a "
        "weight of 1 to share out.",
        _over_each_matrix,
        _over_everything,
    ),
    softmax_mistake(
        "axis-lost-in-the-sum",
        "The row sums are divided into the wrong places: row i should be divided by sum i, but "
        "column i is. Summing dropped the axis of the keys, and broadcasting then lined the "
        "sums up with the columns.",
        _sums_spread_over_columns,
        lambda scores: np.exp(scores) / np.exp(scores).sum(-1),
        _sums_of_shifted_rows_spread_over_columns,
    ),
    softmax_mistake(
        "not-normalised",
        "The exponentials are not divided by their sum. The weights of each query should sum to 1.",
        np.exp,
        lambda scores: np.exp(scores - scores.max(-1, keepdims=True)),
        lambda scores: np.exp(scores - scores.max()),
    ),
)
