"""Attention in steps, each a function that another can take the place of (used by checks)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from attention import by_hand

Array = np.ndarray
Sizes = Mapping[str, int]


def dot_products(query: Array, key: Array, value: Array) -> Array:
    """Compare each query (..., queries, d_k) with each key (..., keys, d_k)."""
    return query @ transposed(key)


def one_over_root_of_d_k(sizes: Sizes) -> float:
    """Give the factor on the scores."""
    return 1 / np.sqrt(sizes["d_k"])


def unscaled(sizes: Sizes) -> float:
    """Leave the scores as large as they are."""
    return 1.0


def minus_infinity(scores: Array, mask: Array) -> Array:
    """Hide what the mask forbids."""
    return np.where(mask, scores, -np.inf)


def as_they_are(weights: Array, mask: Array | None, sizes: Sizes) -> Array:
    """Leave the weights as the softmax made them."""
    return weights


def weighted_sum(weights: Array, value: Array, key: Array, query: Array) -> Array:
    """Average the values (..., keys, d_v)."""
    return weights @ value


@dataclass(frozen=True)
class Attention:
    """Attention in steps, each a function that another can take the place of.

    Calling it gives ``output`` and ``weights``; `weigh` takes scores that are
    there already. ``sizes`` may name further sizes that somebody could scale
    by: ``d_model``, ``heads``.
    """

    compare: Callable = dot_products
    scale: Callable = one_over_root_of_d_k
    hide: Callable = minus_infinity
    softmax: Callable = by_hand.softmax
    change: Callable = as_they_are
    average: Callable = weighted_sum

    def __call__(
        self, query: Array, key: Array, value: Array, mask: Array | None = None, **sizes: int
    ) -> tuple[Array, Array]:
        """Return output (..., queries, d_v) and weights (..., queries, keys)."""
        (queries, d_k), (keys, d_v) = query.shape[-2:], value.shape[-2:]
        sizes = {"queries": queries, "keys": keys, "d_k": d_k, "d_v": d_v, **sizes}
        scores = self.compare(query, key, value) * self.scale(sizes)
        weights = self.weigh(scores, mask, **sizes)
        return self.average(weights, value, key, query), weights

    def weigh(self, scores: Array, mask: Array | None = None, **sizes: int) -> Array:
        """Turn scores (..., queries, keys) into weights of the same shape."""
        hidden = scores if mask is None else self.hide(scores, mask)
        return self.change(self.softmax(hidden), mask, sizes)


def transposed(matrix: Array) -> Array:
    """Swap the last two axes."""
    return matrix.swapaxes(-1, -2)
