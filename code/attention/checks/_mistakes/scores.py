"""Mistakes of comparing queries with keys (used by checks)."""

import numpy as np

from attention.checks._mistakes.mistake import compare_mistake
from attention.checks._mistakes.steps import transposed

Array = np.ndarray


def unit_rows(x: Array) -> Array:
    """Divide each row by its length."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def distances(query: Array, key: Array) -> Array:
    """Measure how far apart each query and each key are."""
    return np.linalg.norm(query[..., :, None, :] - key[..., None, :, :], axis=-1)


OF_SCORES = (
    compare_mistake(
        "cosine",
        "You compare directions only: the vectors are divided by their lengths (cosine "
        "similarity). In a dot product a longer vector gives a larger score.",
        lambda query, key, value: unit_rows(query) @ transposed(unit_rows(key)),
        lambda query, key, value: unit_rows(query) @ transposed(key),
        lambda query, key, value: query @ transposed(unit_rows(key)),
        lambda query, key, value: (
            np.sqrt(query.shape[-1]) * unit_rows(query) @ transposed(unit_rows(key))
        ),
    ),
    compare_mistake(
        "distance",
        "You measure how far apart query and key are. The dot product is asked for.",
        lambda query, key, value: distances(query, key),
        lambda query, key, value: -distances(query, key),
        lambda query, key, value: distances(query, key) ** 2,
        lambda query, key, value: -(distances(query, key) ** 2),
    ),
    compare_mistake(
        "scores-ignore-keys",
        "You compare the queries with each other: the keys never enter your scores.",
        lambda query, key, value: query @ transposed(query),
    ),
    compare_mistake(
        "scores-ignore-queries",
        "You compare the keys with each other: the queries never enter your scores.",
        lambda query, key, value: key @ transposed(key),
    ),
    compare_mistake(
        "values-as-keys",
        "You compare the queries with the values. They should be compared with the keys.",
        lambda query, key, value: query @ transposed(value),
    ),
    compare_mistake(
        "scores-transposed",
        "Queries and keys have changed places in the scores: each row belongs to a key. It "
        "should belong to a query.",
        lambda query, key, value: key @ transposed(query),
    ),
    compare_mistake(
        "key-not-transposed",
        "You multiply by the matrix of keys without transposing it. Each key is a row of it, "
        "and must meet the queries as a whole.",
        lambda query, key, value: query @ key,
    ),
    compare_mistake(
        "absolute-scores",
        "You drop the sign of the scores. A key that points away from the query should get a "
        "low score.",
        lambda query, key, value: np.abs(query @ transposed(key)),
    ),
)
