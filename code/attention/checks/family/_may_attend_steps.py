"""Rules for kinds of models and for padding, for `may_attend` (family: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks.masking._shared import query_and_key

Array = np.ndarray


def everybody(query: Array, key: Array) -> Array:
    return query == query  # (length, 1)


def past(query: Array, key: Array) -> Array:
    return key <= query


def real_keys(real: Array, query: Array, key: Array) -> Array:
    return real


def attending(
    encoder: Callable = everybody,
    decoder: Callable = past,
    real: Callable = real_keys,
    join: Callable = np.logical_and,
    is_real: Callable = lambda tokens: tokens != 0,
    only: str = "",
) -> Callable:
    """Make masks with a rule for each kind, a rule for padding, and a way to join the two.

    With ``only`` the rule for padding holds in models of this kind, and not in the others.
    """

    def mask(kind, tokens):
        query, key = query_and_key(len(tokens))  # (length, 1), (length,)
        allowed = encoder(query, key) if kind == "encoder" else decoder(query, key)
        hidden = real(is_real(tokens), query, key) if only in ("", kind) else True
        return np.broadcast_to(join(allowed, hidden), (len(tokens), len(tokens)))

    return mask


def changing(change: Callable) -> Callable:
    """Make a function that changes the right mask: ``change(mask, kind, tokens)``."""
    return lambda kind, tokens: change(attending()(kind, tokens), kind, tokens)


def real_queries(real: Array, query: Array, key: Array) -> Array:
    return real[:, None]


def real_on_both_sides(real: Array, query: Array, key: Array) -> Array:
    return real[:, None] & real


def open_where_empty(mask: Array, kind: str, tokens: Array) -> Array:
    return mask | ~mask.any(axis=1, keepdims=True)


def shifted(kind: str, tokens: Array, way: int) -> Array:
    left = int(np.argmax(tokens != 0))
    return attending(decoder=lambda query, key: key <= query - way * left)(kind, tokens)
