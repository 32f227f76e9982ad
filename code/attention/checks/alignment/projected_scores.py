"""Score with a scaled dot product of projections (alignment: Exercises)."""

import numpy as np

from attention.by_hand import softmax
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.alignment._shared import (
    SOFTMAX_TOO_EARLY,
)


def _projected(state, annotations, W_Q, W_K):
    query, key = state @ W_Q, annotations @ W_K
    return query @ key.T / np.sqrt(key.shape[-1])


def _projected_with(attend):
    """Make scores of which one step may be another than the right one."""

    def scores(state, annotations, W_Q, W_K):
        query, key = state @ W_Q, annotations @ W_K
        sizes = {
            "queries": len(query),
            "keys": len(key),
            "d_k": key.shape[1],
            "d_v": annotations.shape[1],
            "d_model": state.shape[1],
        }
        return attend.compare(query, key, annotations) * attend.scale(sizes)

    return scores


PROJECTED_SCORES = Exercise(
    name="projected_scores",
    signature="f(state, annotations, W_Q, W_K)",
    outputs=("scores",),
    reference=_projected,
    stages=(
        (
            example(
                state=[[1, 2], [0.5, -1]],
                annotations=[[1, 0], [2, 1]],
                W_Q=[[1, 0], [1, 2]],
                W_K=[[0.5, 1], [-1, 1]],
            ),
            example(
                state=[[1, -1]],
                annotations=[[1, 0, 2], [0, 1, 1]],
                W_Q=[[1, 2, 0, 1], [0, 1, -1, 1]],
                W_K=[[1, 0, 1, 0], [0, 1, 0.5, -1], [1, 1, 0, 0.5]],
            ),
            example(
                state=[[1, 0, 2], [0.5, 1, -1]],
                annotations=[[1, 0.5], [0, 2], [-1, 1], [2, 1]],
                W_Q=[[1, 0, 1, 0.5], [0, 1, -1, 2], [0.5, 0, 1, 0]],
                W_K=[[1, 2, 0, 1], [-1, 0, 0.5, 1]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "not-scaled",
            "The division by the square root of d_score is missing.",
            lambda state, annotations, W_Q, W_K: (state @ W_Q) @ (annotations @ W_K).T,
        ),
        misconception(
            "divided-by-the-width",
            "You divide by d_score itself. Its square root is asked for.",
            lambda state, annotations, W_Q, W_K: (
                _projected(state, annotations, W_Q, W_K) / np.sqrt(W_Q.shape[1])
            ),
        ),
        misconception(
            "multiplied-by-the-scale",
            "You multiply by the square root of d_score. It divides.",
            lambda state, annotations, W_Q, W_K: (
                _projected(state, annotations, W_Q, W_K) * W_Q.shape[1]
            ),
        ),
        misconception(
            "width-of-the-state",
            "You divide by the square root of the state's width. The dot product is one of "
            "queries and keys, and d_score is their width.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(state.shape[1])
            ),
        ),
        misconception(
            "number-of-keys",
            "You divide by the square root of the number of keys. The scale comes from the width "
            "of queries and keys.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(len(annotations))
            ),
        ),
        misconception(
            "nothing-projected",
            "You take the dot products of states and annotations as they are. W_Q and W_K make "
            "queries and keys of them first; they need not even have one width.",
            lambda state, annotations, W_Q, W_K: state @ annotations.T / np.sqrt(W_Q.shape[1]),
        ),
        misconception(
            "states-not-projected",
            "You compare the states themselves with the keys. W_Q makes the queries of them.",
            lambda state, annotations, W_Q, W_K: (
                state @ (annotations @ W_K).T / np.sqrt(W_Q.shape[1])
            ),
        ),
        misconception(
            "annotations-not-projected",
            "You compare the queries with the annotations themselves. W_K makes the keys of them.",
            lambda state, annotations, W_Q, W_K: (
                state @ W_Q @ annotations.T / np.sqrt(W_Q.shape[1])
            ),
        ),
        misconception(
            "projections-swapped",
            "W_Q and W_K have changed places: the states are asked, and the annotations ask.",
            lambda state, annotations, W_Q, W_K: _projected(state, annotations, W_K, W_Q),
        ),
        misconception(
            "additive",
            "This is an additive score. Here query and key are multiplied, component by "
            "component, and added up.",
            lambda state, annotations, W_Q, W_K: np.tanh(
                (state @ W_Q)[:, None] + annotations @ W_K
            ).sum(-1),
        ),
        misconception(
            "softmax-too-early",
            SOFTMAX_TOO_EARLY,
            lambda state, annotations, W_Q, W_K: softmax(_projected(state, annotations, W_Q, W_K)),
            lambda state, annotations, W_Q, W_K: softmax(
                _projected(state, annotations, W_Q, W_K), axis=0
            ),
        ),
        misconception(
            "width-of-the-annotations",
            "You divide by the square root of the annotations' width. The dot product is one of"
            " queries and keys, and d_score is their width.",
            lambda state, annotations, W_Q, W_K: (
                (state @ W_Q) @ (annotations @ W_K).T / np.sqrt(annotations.shape[1])
            ),
        ),
        misconception(
            "tanh-of-the-score",
            "You take the tanh of the score. That belongs to the additive score; a dot product "
            "is left as it is.",
            lambda state, annotations, W_Q, W_K: np.tanh(_projected(state, annotations, W_Q, W_K)),
        ),
        misconception(
            "wrong-sign",
            "Your scores have the wrong sign: a key that points the same way as the query "
            "should get a high score.",
            lambda state, annotations, W_Q, W_K: -_projected(state, annotations, W_Q, W_K),
        ),
        misconception(
            "added",
            "You add query and key. In a dot product their components are multiplied, and the "
            "products added up.",
            lambda state, annotations, W_Q, W_K: (
                ((state @ W_Q)[:, None] + annotations @ W_K).sum(-1) / np.sqrt(W_Q.shape[1])
            ),
            lambda state, annotations, W_Q, W_K: ((state @ W_Q)[:, None] + annotations @ W_K).sum(
                -1
            ),
        ),
        misconception(
            "transposed-and-not-scaled",
            "Two mistakes: your matrix has one row for each key, where it should have one for "
            "each query; and the division by the square root of d_score is missing.",
            lambda state, annotations, W_Q, W_K: annotations @ W_K @ (state @ W_Q).T,
        ),
    ),
    shared=_mistakes.of_attention(_projected_with),
)


def projected_scores(answer: object) -> Verdict:
    """Check the dot-product score of each annotation for each state.

    ``answer(state, annotations, W_Q, W_K)`` takes ``state`` (queries, d_state),
    ``annotations`` (keys, d_annotation), ``W_Q`` (d_state, d_score) and ``W_K``
    (d_annotation, d_score). It returns scores (queries, keys): the dot products
    of queries and keys, divided by the square root of d_score.
    """
    return PROJECTED_SCORES.check(answer)
