"""The backward pass of attention in steps that can be exchanged (learning: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._mistakes import minus_infinity

Array = np.ndarray


def weighted_average(weights: Array, upstream: Array) -> Array:
    """Average what comes from above with the row's own weights: (queries, 1)."""
    return (weights * upstream).sum(-1, keepdims=True)


def softmax_backward(average: Callable = weighted_average) -> Callable:
    """Make the gradient at the scores; what is taken away may be another average."""
    return lambda weights, upstream: weights * (upstream - average(weights, upstream))


def nothing(weights: Array, upstream: Array) -> float:
    """Take nothing away: the average is forgotten."""
    return 0.0


right_scores = softmax_backward()


def one_over_root_of_d_k(key: Array) -> float:
    return 1 / np.sqrt(key.shape[-1])


def attention_backward(
    at_scores: Callable = right_scores,
    at_query: Callable = lambda g, key, query: g @ key,
    at_key: Callable = lambda g, key, query: g.T @ query,
    at_value: Callable = lambda weights, upstream: weights.T @ upstream,
    scale: Callable = one_over_root_of_d_k,
    scale_back: Callable | None = None,
    hide: Callable = minus_infinity,
    softmax: Callable = by_hand.softmax,
) -> Callable:
    """Make the gradients of attention; each step may be another than the right one.

    ``scale`` is the factor of the forward pass, ``scale_back`` that of the backward pass
    if it is another; ``hide`` takes scores and mask.
    """

    def gradients(query, key, value, upstream, mask):
        factor = scale(key)
        scores = hide(factor * query @ key.T, mask)
        weights = softmax(scores)  # (queries, keys)
        g = at_scores(weights, upstream @ value.T)  # (queries, keys)
        back = factor if scale_back is None else scale_back(key)
        return (
            back * at_query(g, key, query),
            back * at_key(g, key, query),
            at_value(weights, upstream),
        )

    return gradients
