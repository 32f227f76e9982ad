"""Score each key for each query with v · tanh(query + key) (alignment: Exercises)."""

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.alignment._shared import (
    SOFTMAX_TOO_EARLY,
    additive,
    misconceptions_of_scores,
)

ADDITIVE_SCORES = Exercise(
    name="additive_scores",
    signature="f(query, key, v)",
    outputs=("scores",),
    reference=additive,
    stages=(
        (
            example(query=[[1, 0]], key=[[0.5, -1]], v=[1, 2]),
            example(query=[[0, -2]], key=[[1, 0.5], [-1, 1]], v=[2, 1]),
            example(query=[[1, 0], [0.5, -1]], key=[[0.5, -1], [1, 1]], v=[1, -2]),
            example(
                query=[[0.5, 0, -1], [-2, 1, 0.5]],
                key=[[1, -1, 0], [-0.5, 1, 1], [0, 0.5, -1], [1, 1, 0.5]],
                v=[1, 2, -0.5],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-tanh",
            "The tanh is missing. Without it the query adds the same number to the scores of all "
            "keys, and the softmax does not see it: the weights would be the same for every query.",
            lambda query, key, v: (query[:, None] + key) @ v,
        ),
        misconception(
            "tanh-last",
            "You take the tanh of the finished score. It belongs to each component of query plus "
            "key, before v adds the components up.",
            lambda query, key, v: np.tanh((query[:, None] + key) @ v),
        ),
        misconception(
            "tanh-separately",
            "You take the tanh of the query and of the key and then add. The sum goes into the "
            "tanh: that is where a query can hide what a key has.",
            lambda query, key, v: (np.tanh(query)[:, None] + np.tanh(key)) @ v,
        ),
        misconception(
            "multiplied",
            "You multiply query and key. The additive score adds them.",
            lambda query, key, v: np.tanh(query[:, None] * key) @ v,
        ),
        misconception(
            "dot-product",
            "This is the dot product of query and key. It is asked for in a later exercise; here "
            "it is v · tanh(query + key).",
            lambda query, key, v: query @ key.T,
        ),
        misconception(
            "v-left-out",
            "You add up the components as they are. Each counts as much as v says.",
            lambda query, key, v: np.tanh(query[:, None] + key).sum(-1),
        ),
        misconception(
            "subtracted",
            "You subtract the key from the query. The score adds them.",
            lambda query, key, v: np.tanh(query[:, None] - key) @ v,
        ),
        misconception(
            "scaled",
            "You divide by the square root of the width. That belongs to the dot product; the "
            "additive score has no scale.",
            lambda query, key, v: additive(query, key, v) / np.sqrt(len(v)),
        ),
        misconception(
            "softmax-too-early",
            SOFTMAX_TOO_EARLY,
            lambda query, key, v: softmax(additive(query, key, v)),
        ),
        misconception(
            "not-all-pairs",
            "You add query 0 to key 0, query 1 to key 1 and so on. Every query meets every key: "
            "the queries need an axis of length 1 for the keys to stretch along.",
            lambda query, key, v: np.tanh(query + key) @ v,
            lambda query, key, v: (
                np.tanh(
                    [q + k for q, k in zip(query, key, strict=False)],
                )
                @ v
            ),
        ),
        *misconceptions_of_scores(lambda score: score),
        misconception(
            "v-inside-the-tanh",
            "You multiply by v before the tanh. v comes after it, and says how much each component "
            "counts.",
            lambda query, key, v: np.tanh((query[:, None] + key) * v).sum(-1),
        ),
        misconception(
            "not-added-up",
            "You multiply the components by v and stop there. A score is one number: add the "
            "components up.",
            lambda query, key, v: np.tanh(query[:, None] + key) * v,
        ),
    ),
)


def additive_scores(answer: object) -> Verdict:
    """Check the additive score of each key for each query.

    ``answer(query, key, v)`` takes ``query`` (queries, d_score), ``key``
    (keys, d_score) and ``v`` (d_score,). It returns scores (queries, keys):
    v · tanh(query + key) for each pair.
    """
    return ADDITIVE_SCORES.check(answer)
