"""Mistakes of the factor on the scores (used by checks)."""

import numpy as np

from attention.checks._mistakes.mistake import Mistake, scale_mistake
from attention.checks._mistakes.steps import unscaled

OF_SCALE = (
    scale_mistake(
        "no-scale",
        "The scores are not scaled. With larger d_k the dot products grow, and the softmax "
        "becomes a hard choice. Divide them by something that depends on d_k.",
        unscaled,
    ),
    scale_mistake(
        "scale-d_k",
        "You divide the scores by d_k: that is too much. It is the standard deviation of a dot "
        "product that must be undone, and it grows more slowly than d_k.",
        lambda sizes: 1 / sizes["d_k"],
    ),
    scale_mistake(
        "scale-multiplied",
        "You multiply the scores where you should divide: they get larger instead of smaller.",
        lambda sizes: np.sqrt(sizes["d_k"]),
        lambda sizes: float(sizes["d_k"]),
    ),
    scale_mistake(
        "scale-d_model",
        "You scale by d_model, the width of x. The dot products run over the queries and keys: "
        "look at their width.",
        lambda sizes: 1 / np.sqrt(sizes["d_model"]),
        lambda sizes: 1 / sizes["d_model"],
    ),
    scale_mistake(
        "scale-number-of-heads",
        "You scale by the number of heads. The size of a dot product depends on how many "
        "entries a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["heads"]),
        lambda sizes: 1 / sizes["heads"],
    ),
    scale_mistake(
        "scale-number-of-keys",
        "You scale by the number of keys. The size of a dot product depends on how many entries "
        "a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["keys"]),
        lambda sizes: 1 / sizes["keys"],
    ),
    scale_mistake(
        "scale-number-of-queries",
        "You scale by the number of queries. The size of a dot product depends on how many "
        "entries a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["queries"]),
        lambda sizes: 1 / sizes["queries"],
    ),
    scale_mistake(
        "scale-d_v",
        "You scale by d_v, the width of the values. The values have no part in the scores: look "
        "at the width of the keys.",
        lambda sizes: 1 / np.sqrt(sizes["d_v"]),
        lambda sizes: 1 / sizes["d_v"],
    ),
    scale_mistake(
        "scale-root-twice",
        "You divide by the fourth root of d_k, as if only one of query and key were scaled, or "
        "the root taken twice. Divide the scores by the square root.",
        lambda sizes: sizes["d_k"] ** -0.25,
    ),
    scale_mistake(
        "scale-constant",
        "You divide the scores by a fixed number, which is right for one d_k alone. Divide by "
        "something that depends on d_k.",
        lambda sizes: 1 / 8,
        lambda sizes: 1 / 64,
        lambda sizes: 1 / np.sqrt(512),
        lambda sizes: 1 / 2,
        lambda sizes: 1 / np.sqrt(2),
    ),
    Mistake(
        "scale-after-softmax",
        "You divide the weights by the square root of d_k. That belongs to the scores, before "
        "the softmax: the weights of each query should sum to 1.",
        (
            {
                "scale": unscaled,
                "change": lambda weights, mask, sizes: weights / np.sqrt(sizes["d_k"]),
            },
            {"change": lambda weights, mask, sizes: weights / np.sqrt(sizes["d_k"])},
        ),
    ),
)
