"""The way back through the matrices around attention, and many heads (learning: She went)."""

from jaxtyping import Bool, Float

from attention._arrays import (
    Array,
    Number,
    _check_mask,
    _check_projections,
)
from attention.by_hand import merge_heads, scaled_dot_product_attention, split_heads
from attention.gradients._arguments import check_linear, check_self_projections, check_upstream
from attention.gradients.attention import attention_gradient


def linear_gradient(
    x: Float[Array, "*batch d_in"],
    weight: Float[Array, "d_in d_out"],
    upstream: Float[Array, "*batch d_out"],
) -> tuple[Float[Array, "*batch d_in"], Float[Array, "d_in d_out"]]:
    """Go back through ``x @ weight``.

    The gradient with respect to the matrix is a sum of outer products, one for each row
    of ``x``: the row, times the gradient of what it was projected to.

    Parameters
    ----------
    x : (..., d_in)
    weight : (d_in, d_out)
    upstream : (..., d_out)
        The gradient of the loss with respect to ``x @ weight``.

    Returns
    -------
    d_x : (..., d_in)
    d_weight : (d_in, d_out)

    Raises
    ------
    ValueError
        If an array is not floating-point or not finite, or shapes do not fit.
    """
    check_linear(x, weight)
    check_upstream(upstream, (*x.shape[:-1], weight.shape[1]))
    # All axes in front become one: (rows, d_in) and (rows, d_out).
    rows, d_rows = (a.reshape(-1, a.shape[-1]) for a in (x, upstream))
    return upstream @ weight.T, rows.T @ d_rows


def self_attention_gradient(
    x: Float[Array, "*batch length d_model"],
    W_Q: Float[Array, "d_model d_k"],
    W_K: Float[Array, "d_model d_k"],
    W_V: Float[Array, "d_model d_v"],
    upstream: Float[Array, "*batch length d_v"],
    mask: Bool[Array, "..."] | None = None,
    scale: Number | None = None,
) -> tuple[
    Float[Array, "*batch length d_model"],
    Float[Array, "d_model d_k"],
    Float[Array, "d_model d_k"],
    Float[Array, "d_model d_v"],
]:
    """Go back through one head of self-attention and its three projections.

    The row of a word is asked three times, as query, as key and as value, and so its
    gradient is a sum of three.

    Parameters
    ----------
    x : (..., length, d_model)
    W_Q, W_K : (d_model, d_k)
    W_V : (d_model, d_v)
    upstream : (..., length, d_v)
        The gradient of the loss with respect to the output of attention.
    mask, scale
        As in ``by_hand.scaled_dot_product_attention``.

    Returns
    -------
    d_x, d_W_Q, d_W_K, d_W_V
        Each with the shape of its array.

    Raises
    ------
    ValueError
        If shapes do not fit, or for any reason ``attention_gradient`` gives.
    """
    check_self_projections(x, W_Q, W_K, W_V)
    d_query, d_key, d_value = attention_gradient(
        x @ W_Q, x @ W_K, x @ W_V, upstream, mask, scale
    )  # (..., length, d_k), (..., length, d_k), (..., length, d_v)
    from_query, d_W_Q = linear_gradient(x, W_Q, d_query)
    from_key, d_W_K = linear_gradient(x, W_K, d_key)
    from_value, d_W_V = linear_gradient(x, W_V, d_value)
    return from_query + from_key + from_value, d_W_Q, d_W_K, d_W_V


def multi_head_attention_gradient(
    x: Float[Array, "*batch queries d_model"],
    memory: Float[Array, "*batch keys d_memory"],
    W_Q: Float[Array, "d_model heads_d_k"],
    W_K: Float[Array, "d_memory heads_d_k"],
    W_V: Float[Array, "d_memory heads_d_v"],
    W_O: Float[Array, "heads_d_v d_out"],
    heads: int,
    upstream: Float[Array, "*batch queries d_out"],
    mask: Bool[Array, "..."] | None = None,
) -> tuple[
    Float[Array, "*batch queries d_model"],
    Float[Array, "*batch keys d_memory"],
    Float[Array, "d_model heads_d_k"],
    Float[Array, "d_memory heads_d_k"],
    Float[Array, "d_memory heads_d_v"],
    Float[Array, "heads_d_v d_out"],
]:
    """Go back through multi-head attention: the same steps, last one first.

    Parameters
    ----------
    x, memory, W_Q, W_K, W_V, W_O, heads, mask
        As they were given to ``by_hand.multi_head_attention``.
    upstream : (..., queries, d_out)
        The gradient of the loss with respect to the output.

    Returns
    -------
    d_x, d_memory, d_W_Q, d_W_K, d_W_V, d_W_O
        Each with the shape of its array. In self-attention, where ``memory`` is ``x``,
        the gradient with respect to ``x`` is ``d_x + d_memory``.

    Raises
    ------
    ValueError
        As in ``by_hand.multi_head_attention``, or if ``upstream`` is not floating-point,
        not finite, or has not the shape of the output.
    """
    _check_projections(x, memory, W_Q, W_K, W_V, W_O)
    check_upstream(upstream, (*x.shape[:-1], W_O.shape[1]))
    if mask is not None:
        _check_mask(mask, (*x.shape[:-1], memory.shape[-2]))
        if mask.ndim > 2:
            mask = mask[..., None, :, :]  # (..., 1, queries, keys)

    query = split_heads(x @ W_Q, heads)  # (..., heads, queries, d_k)
    key = split_heads(memory @ W_K, heads)  # (..., heads, keys, d_k)
    value = split_heads(memory @ W_V, heads)  # (..., heads, keys, d_v)
    output, _ = scaled_dot_product_attention(query, key, value, mask)

    d_merged, d_W_O = linear_gradient(merge_heads(output), W_O, upstream)
    d_output = split_heads(d_merged, heads)  # (..., heads, queries, d_v)
    by_head = attention_gradient(query, key, value, d_output, mask)
    d_query, d_key, d_value = map(merge_heads, by_head)
    d_x, d_W_Q = linear_gradient(x, W_Q, d_query)
    from_key, d_W_K = linear_gradient(memory, W_K, d_key)
    from_value, d_W_V = linear_gradient(memory, W_V, d_value)
    return d_x, from_key + from_value, d_W_Q, d_W_K, d_W_V, d_W_O
