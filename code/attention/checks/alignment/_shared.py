"""Additive scores: the right one, and shared mistakes (alignment: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception


def additive(query, key, v):
    return np.tanh(query[..., None, :] + key) @ v


SOFTMAX_TOO_EARLY = (
    "You return weights: your rows sum to 1. The softmax comes after the scores; here the "
    "scores themselves are asked for."
)


def _bending(bend):
    """Make an additive score that bends with another function."""
    return lambda query, key, v: bend(query[..., None, :] + key) @ v


def _sigmoid(numbers):
    return 1 / (1 + np.exp(-numbers))


def _relu(numbers):
    return np.maximum(numbers, 0)


# By slug: what is said, and score functions that make the mistake. `look_back` knows them too.
MISTAKEN_SCORES = {
    "another-bend": (
        "You bend the sum of query and key with another function. Here it is tanh.",
        _bending(_sigmoid),
        _bending(_relu),
        _bending(np.sin),
        _bending(np.arctan),
    ),
    "averaged": (
        "You take the mean over the components. The score is their sum, weighted with v.",
        lambda query, key, v: additive(query, key, v) / len(v),
    ),
    "tanh-on-one": (
        "Only the query, or only the key, goes through the tanh. Their sum does.",
        lambda query, key, v: (np.tanh(query)[..., None, :] + key) @ v,
        lambda query, key, v: (query[..., None, :] + np.tanh(key)) @ v,
    ),
    "tanh-twice": (
        "You take the tanh twice: of each component, which is right, and of the finished score.",
        lambda query, key, v: np.tanh(additive(query, key, v)),
    ),
    "query-ignored": (
        "The query has no effect on your scores. Add it to each key before the tanh.",
        lambda query, key, v: additive(0 * query, key, v),
    ),
    "key-ignored": (
        "The keys have no effect on your scores. Add each to the query before the tanh.",
        lambda query, key, v: additive(query, 0 * key, v),
    ),
    "dot-product-weighted": (
        "You multiply query and key component by component, and weigh the products with v. The "
        "additive score adds query and key, and takes the tanh.",
        lambda query, key, v: (query * v) @ key.T,
    ),
}


def misconceptions_of_scores(build, *already):
    """Make the mistakes of an additive score, for ``build(score)``, which gives an answer."""
    return tuple(
        misconception(slug, message, *map(build, scores))
        for slug, (message, *scores) in MISTAKEN_SCORES.items()
        if slug not in already
    )
