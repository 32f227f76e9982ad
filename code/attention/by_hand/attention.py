"""Scaled dot-product attention, in NumPy (queries-keys-values: The formula, and)."""

import numpy as np
from jaxtyping import Bool, Float

from attention._arrays import (
    Array,
    Number,
    _check_mask,
    _check_overflow,
    _check_query_key_value,
    _checked_scale,
    _working_dtype,
)
from attention.by_hand.weights import softmax


def scaled_dot_product_attention(
    query: Float[Array, "*#batch queries d_k"],
    key: Float[Array, "*#batch keys d_k"],
    value: Float[Array, "*#batch keys d_v"],
    mask: Bool[Array, "..."] | None = None,
    scale: Number | None = None,
) -> tuple[Float[Array, "*#batch queries d_v"], Float[Array, "*#batch queries keys"]]:
    """Average the values, weighted by how well each key answers the query.

    ``softmax(scale * query @ key^T) @ value``, the softmax running over the
    keys (Vaswani et al. 2017, equation 1).

    Parameters
    ----------
    query : (..., queries, d_k)
    key : (..., keys, d_k)
    value : (..., keys, d_v)
    mask : (..., queries, keys), boolean, optional
        ``True`` where a query may attend to a key. Broadcasts to the scores.
    scale : number, optional
        Factor on the scores. Default: ``1 / sqrt(d_k)``.

    Returns
    -------
    output : (..., queries, d_v)
    weights : (..., queries, keys)
        Each row sums to 1, or is zero if the mask leaves the query no key.

    Raises
    ------
    ValueError
        If shapes do not fit, an array is not floating-point or not finite,
        the mask is not boolean or does not broadcast, there is no key, or a
        score is too large for the dtype.
    """
    _check_query_key_value(query, key, value)
    d_k = query.shape[-1]
    scale = 1 / np.sqrt(d_k) if scale is None else _checked_scale(scale)
    # Arithmetic in at least 32 bits: a float16 dot product overflows early.
    working = _working_dtype(query, key, value)
    q, k, v = (array.astype(working) for array in (query, key, value))

    with np.errstate(over="ignore", invalid="ignore"):  # checked next
        # (..., queries, d_k) times (..., d_k, keys)
        scores = q @ k.swapaxes(-1, -2) * working.type(scale)
    _check_overflow(scores)
    if mask is not None:
        _check_mask(mask, scores.shape)
        scores = np.where(mask, scores, working.type(-np.inf))
    weights = softmax(scores)  # (..., queries, keys)
    output = weights @ v  # (..., queries, d_v)

    dtype = np.result_type(query, key, value)
    return output.astype(dtype), weights.astype(dtype)
