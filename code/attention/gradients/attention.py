"""The way back through scaled dot-product attention (learning: The rule in five lines)."""

from jaxtyping import Bool, Float

from attention._arrays import (
    Array,
    Number,
    _check_query_key_value,
    _checked_scale,
    _summed_like,
    _wide,
)
from attention.by_hand import scaled_dot_product_attention
from attention.gradients._arguments import check_upstream, output_shape
from attention.gradients.softmax import softmax_gradient


def attention_gradient(
    query: Float[Array, "*#batch queries d_k"],
    key: Float[Array, "*#batch keys d_k"],
    value: Float[Array, "*#batch keys d_v"],
    upstream: Float[Array, "*#batch queries d_v"],
    mask: Bool[Array, "..."] | None = None,
    scale: Number | None = None,
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """Go back through attention: from its output's gradient to those of its three inputs.

    For one query with weights w, output o and upstream gradient G: the value v_j gets
    ``w_j G``, and the score of key j gets ``w_j (v_j - o) · G``. A score is
    ``scale * q · k_j``, so the query gets the keys, and a key gets the query, each times
    ``scale`` and the gradient of that score.

    Parameters
    ----------
    query, key, value, mask, scale
        As they were given to ``by_hand.scaled_dot_product_attention``.
    upstream : (..., queries, d_v)
        The gradient of the loss with respect to the output.

    Returns
    -------
    d_query, d_key, d_value
        Each with the shape and dtype of its array. Zero where nothing was attended to.

    Raises
    ------
    ValueError
        As in ``by_hand.scaled_dot_product_attention``, or if ``upstream`` is not
        floating-point, not finite, or has not the shape of the output.
    """
    _check_query_key_value(query, key, value)
    check_upstream(upstream, output_shape(query, key, value))
    d_k = query.shape[-1]
    scale = d_k**-0.5 if scale is None else _checked_scale(scale)
    q, k, v, d_output = _wide(query, key, value, upstream)

    # (..., queries, keys)
    _, weights = scaled_dot_product_attention(q, k, v, mask, scale)
    d_value = weights.swapaxes(-1, -2) @ d_output  # (..., keys, d_v)
    d_weights = d_output @ v.swapaxes(-1, -2)  # (..., queries, keys)
    d_scores = softmax_gradient(weights, _summed_like(weights, d_weights))
    d_products = d_scores * scale  # (..., queries, keys): of q · k
    d_query = d_products @ k  # (..., queries, d_k)
    d_key = d_products.swapaxes(-1, -2) @ q  # (..., keys, d_k)

    # An array that served several others, by broadcasting, gets the sum.
    return (
        _summed_like(query, d_query),
        _summed_like(key, d_key),
        _summed_like(value, d_value),
    )
