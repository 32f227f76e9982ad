"""Mistakes of averaging the values (used by checks)."""

import numpy as np

from attention.checks._mistakes.mistake import Mistake, average_mistake
from attention.checks._mistakes.steps import transposed

OF_AVERAGE = (
    average_mistake(
        "keys-as-values",
        "You average the keys. The keys decide how much weight each position gets; what is "
        "averaged is the values.",
        lambda weights, value, key, query: weights @ key,
    ),
    average_mistake(
        "queries-as-values",
        "You average the queries. What is averaged is the values.",
        lambda weights, value, key, query: weights @ query,
    ),
    average_mistake(
        "weights-transposed",
        "You average with the columns of the weights. The weights of a query stand in its row.",
        lambda weights, value, key, query: transposed(weights) @ value,
    ),
    average_mistake(
        "values-added-up",
        "You add up the values with no weights.",
        lambda weights, value, key, query: np.ones_like(weights) @ value,
    ),
    average_mistake(
        "output-divided-by-the-number-of-keys",
        "You divide by the number of keys, as a mean does. The weights sum to 1 already: the "
        "sum of the weighted values is their average.",
        lambda weights, value, key, query: weights @ value / value.shape[-2],
    ),
    Mistake(
        "keys-and-values-swapped",
        "Keys and values have changed places: you compare the queries with the values, and "
        "average the keys.",
        tuple(
            {
                "compare": lambda query, key, value: query @ transposed(value),
                "average": lambda weights, value, key, query: weights @ key,
                "scale": lambda sizes, width=width: 1 / np.sqrt(sizes[width]),
            }
            for width in ("d_k", "d_v")
        ),
    ),
)
