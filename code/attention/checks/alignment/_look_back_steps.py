"""Ways to look back, right and mistaken, for `look_back` (alignment: Exercises)."""

import numpy as np

from attention.by_hand import softmax
from attention.checks.alignment._shared import (
    additive,
)


def right_look_back(state, annotations, W_Q, W_K, v):
    weights = softmax(additive(state @ W_Q, annotations @ W_K, v))
    return weights @ annotations, weights


def with_weights(make):
    """Make a mistaken function of one that makes mistaken weights."""

    def mistaken(state, annotations, W_Q, W_K, v):
        weights = make(state @ W_Q, annotations @ W_K, v)
        return weights @ annotations, weights

    return mistaken


def swapped(state, annotations, W_Q, W_K, v):
    context, weights = right_look_back(state, annotations, W_Q, W_K, v)
    return weights, context


def gathering(gather):
    """Make a mistaken function that weighs rightly and gathers in another way."""

    def mistaken(state, annotations, W_Q, W_K, v):
        _, weights = right_look_back(state, annotations, W_Q, W_K, v)
        return gather(weights, annotations), weights

    return mistaken


def scores_beside_the_context(state, annotations, W_Q, W_K, v):
    context, _ = right_look_back(state, annotations, W_Q, W_K, v)
    return context, additive(state @ W_Q, annotations @ W_K, v)


def keys_averaged(state, annotations, W_Q, W_K, v):
    _, weights = right_look_back(state, annotations, W_Q, W_K, v)
    return weights @ (annotations @ W_K), weights


def mean_of_weighted(state, annotations, W_Q, W_K, v):
    context, weights = right_look_back(state, annotations, W_Q, W_K, v)
    return context / len(weights), weights


def scored_by(score):
    """Make a mistaken function whose scores are made of everything that is given."""

    def mistaken(state, annotations, W_Q, W_K, v):
        weights = softmax(score(state, annotations, W_Q, W_K, v))
        return weights @ annotations, weights

    return mistaken


def best_alone(query, key, v):
    scores = additive(query, key, v)
    return (np.arange(len(scores)) == scores.argmax()).astype(float)
