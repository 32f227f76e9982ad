"""Compare each query with each key by a dot product (queries-keys-values: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks._mistakes import (
    distances,
    unit_rows,
)

SCORES = Exercise(
    name="scores",
    signature="f(query, key)",
    outputs=("scores",),
    reference=lambda query, key: query @ key.T,
    stages=(
        (
            example(query=[[1, 2]], key=[[3, 1]]),
            example(query=[[1, 2], [0, 3]], key=[[2, -1], [1, 1]]),
            example(query=[[1, 2, 0]], key=[[2, 1, 5], [0, -1, 1]]),
            example(query=[[1, 0], [2, 3.3], [-1, 3]], key=[[0.7, 2], [1, 1]]),
        ),
        (example(query=[[1, 2], [0, 0]], key=[[0, 0], [3, 1], [2, 2]]),),
    ),
    misconceptions=(
        misconception(
            "transposed",
            "Your matrix has one row for each key. It should have one row for each query.",
            lambda query, key: key @ query.T,
        ),
        misconception(
            "cosine",
            "You compare directions only: the vectors are divided by their lengths (cosine "
            "similarity). In a dot product a longer vector gives a larger score.",
            lambda query, key: unit_rows(query) @ unit_rows(key).T,
        ),
        misconception(
            "already-scaled",
            "Your scores are divided by the square root of d_k. That is the next step: here the "
            "plain dot products are asked for.",
            lambda query, key: query @ key.T / np.sqrt(key.shape[-1]),
        ),
        misconception(
            "already-softmax",
            "Your rows sum to 1: the softmax has run already. Here the scores before it are "
            "asked for.",
            lambda query, key: by_hand.softmax(query @ key.T),
            lambda query, key: by_hand.softmax(query @ key.T / np.sqrt(key.shape[-1])),
        ),
        misconception(
            "query-with-query",
            "You compare the queries with each other. The keys never enter.",
            lambda query, key: query @ query.T,
        ),
        misconception(
            "key-with-key",
            "You compare the keys with each other. The queries never enter.",
            lambda query, key: key @ key.T,
        ),
        misconception(
            "elementwise-product",
            "You multiply entry by entry, and stop there. A dot product then adds up along d_k, "
            "and every query meets every key, not only the one with its own number.",
            lambda query, key: query * key,
        ),
        misconception(
            "pairs-only",
            "Query i meets key i only. Every query meets every key: the result is a matrix "
            "(queries, keys).",
            lambda query, key: (query * key).sum(-1),
            lambda query, key: [q @ k for q, k in zip(query, key, strict=False)],
        ),
        misconception(
            "features-with-features",
            "Your matrix compares columns: it adds up over the positions. The dot product adds "
            "up over d_k, the entries of one vector.",
            lambda query, key: query.T @ key,
        ),
        misconception(
            "key-not-transposed",
            "You multiply by the matrix of keys without transposing it. Each key is a row of "
            "it, and must meet the queries as a whole.",
            lambda query, key: query @ key,
        ),
        misconception(
            "distance",
            "You measure how far apart query and key are: a distance is small where they agree. "
            "A dot product is large there.",
            distances,
            lambda query, key: -distances(query, key),
            lambda query, key: distances(query, key) ** 2,
            lambda query, key: -(distances(query, key) ** 2),
        ),
        misconception(
            "wrong-sign",
            "All your scores have the wrong sign.",
            lambda query, key: -query @ key.T,
        ),
        misconception(
            "averaged",
            "You take the mean of the products. A dot product is their sum.",
            lambda query, key: query @ key.T / key.shape[-1],
        ),
        misconception(
            "transposed-and-scaled",
            "Two mistakes: your matrix has one row for each key, where it should have one for "
            "each query; and it is divided by the square root of d_k, which is the next step.",
            lambda query, key: key @ query.T / np.sqrt(key.shape[-1]),
        ),
    ),
)


def scores(answer: object) -> Verdict:
    """Check the scores of all queries against all keys.

    ``answer(query, key)`` takes ``query`` (queries, d_k) and ``key``
    (keys, d_k) and returns ``scores`` (queries, keys): plain dot products, not
    scaled.
    """
    return SCORES.check(answer)
