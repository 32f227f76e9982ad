"""Common mistakes in `look_back`, with their messages (alignment: Exercises)."""

import numpy as np

from attention.by_hand import softmax
from attention.checks._exercise import misconception
from attention.checks.alignment._look_back_steps import (
    best_alone,
    gathering,
    keys_averaged,
    mean_of_weighted,
    scored_by,
    scores_beside_the_context,
    swapped,
    with_weights,
)
from attention.checks.alignment._shared import (
    additive,
    misconceptions_of_scores,
)

MISTAKES = (
    misconception(
        "keys-averaged",
        "You average the keys. They say where something can be found; what is gathered are "
        "the annotations themselves.",
        keys_averaged,
    ),
    misconception(
        "no-softmax",
        "You average with the scores themselves. They may be negative and need not sum to 1: "
        "the softmax turns them into weights first.",
        with_weights(additive),
    ),
    misconception(
        "best-alone",
        "You take the annotation with the largest score and leave out the others. Every word "
        "has a share, as large as its weight.",
        with_weights(best_alone),
    ),
    misconception(
        "dot-product",
        "Your scores are dot products. Here they are additive: v · tanh(query + key).",
        with_weights(lambda query, key, v: softmax(key @ query)),
        with_weights(lambda query, key, v: softmax(key @ query / np.sqrt(len(query)))),
    ),
    misconception(
        "no-tanh",
        "The tanh is missing. Without it the state has no say: it adds the same number to "
        "each score.",
        with_weights(lambda query, key, v: softmax((query + key) @ v)),
    ),
    misconception(
        "uniform",
        "Your weights are all the same, so this is the plain mean of the annotations. The "
        "state should decide.",
        with_weights(lambda query, key, v: np.full(len(key), 1 / len(key))),
    ),
    misconception(
        "nothing-projected",
        "You score the state against the annotations as they are. W_Q and W_K make a query "
        "and keys of them first.",
        scored_by(lambda state, annotations, W_Q, W_K, v: additive(state, annotations, v)),
    ),
    misconception(
        "query-not-projected",
        "You add the state itself to the keys. W_Q makes the query of it.",
        scored_by(lambda state, annotations, W_Q, W_K, v: additive(state, annotations @ W_K, v)),
    ),
    misconception(
        "keys-not-projected",
        "You add the query to the annotations themselves. W_K makes the keys of them.",
        scored_by(lambda state, annotations, W_Q, W_K, v: additive(state @ W_Q, annotations, v)),
    ),
    misconception(
        "projections-swapped",
        "W_Q and W_K have changed places. W_Q makes the query of the state, W_K the keys of the "
        "annotations.",
        scored_by(
            lambda state, annotations, W_Q, W_K, v: additive(state @ W_K, annotations @ W_Q, v)
        ),
    ),
    misconception(
        "swapped",
        "Both are right, in the wrong order: the context comes first.",
        swapped,
    ),
    misconception(
        "divided-by-the-number",
        "You divide the context by the number of words. The weights sum to 1 already.",
        mean_of_weighted,
    ),
    misconception(
        "query-ignored",
        "The query makes no difference to your weights. It has to go into the tanh, together "
        "with each key.",
        with_weights(lambda query, key, v: softmax(np.tanh(key) @ v)),
    ),
    # Weights that ignore the keys are uniform; without the tanh the query adds the same to all.
    *misconceptions_of_scores(
        lambda score: with_weights(lambda *given: softmax(score(*given))),
        "query-ignored",
        "key-ignored",
        "tanh-on-one",
    ),
    misconception(
        "scaled",
        "You divide the scores by the root of their width. That belongs to the dot product;"
        " the additive score has no scale.",
        with_weights(lambda query, key, v: softmax(additive(query, key, v) / np.sqrt(len(v)))),
    ),
    misconception(
        "v-left-out",
        "You add up the components as they are. Each counts as much as v says.",
        with_weights(lambda query, key, v: softmax(np.tanh(query + key).sum(-1))),
    ),
    misconception(
        "tanh-last",
        "You take the tanh of the finished score. It belongs to each component of query "
        "plus key, before v adds the components up.",
        with_weights(lambda query, key, v: softmax(np.tanh((query + key) @ v))),
    ),
    misconception(
        "multiplied",
        "You multiply query and key. The additive score adds them.",
        with_weights(lambda query, key, v: softmax(np.tanh(query * key) @ v)),
    ),
    misconception(
        "subtracted",
        "You subtract one of query and key from the other. The score adds them.",
        with_weights(lambda query, key, v: softmax(np.tanh(query - key) @ v)),
        with_weights(lambda query, key, v: softmax(np.tanh(key - query) @ v)),
    ),
    misconception(
        "annotations-added-up",
        "Your weights are right, but you add the annotations up without them. Each counts "
        "as much as its weight.",
        gathering(lambda weights, annotations: annotations.sum(0)),
    ),
    misconception(
        "annotations-averaged",
        "Your weights are right, but the context is the plain mean of the annotations. Each"
        " counts as much as its weight.",
        gathering(lambda weights, annotations: annotations.mean(0)),
    ),
    misconception(
        "best-annotation",
        "Your weights are right, but the context is the annotation with the largest weight "
        "alone. Every word has a share.",
        gathering(lambda weights, annotations: annotations[weights.argmax()]),
    ),
    misconception(
        "scores-returned",
        "The context is right. Beside it you return the scores: the weights are asked for.",
        scores_beside_the_context,
    ),
    misconception(
        "not-added-up",
        "Your weights are right. You multiply each annotation by its weight and stop there: the "
        "context is the sum of these, one vector.",
        gathering(lambda weights, annotations: weights[:, None] * annotations),
    ),
)
