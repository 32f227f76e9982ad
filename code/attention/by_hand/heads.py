"""Many heads, in NumPy: cut the columns, attend, merge (multi-head: All heads in one product)."""

from jaxtyping import Bool, Float

from attention._arrays import Array, _check_mask, _check_projections, _check_split, _checked_heads
from attention.by_hand.attention import scaled_dot_product_attention


def split_heads(
    x: Float[Array, "*batch length width"], heads: int
) -> Float[Array, "*batch heads length head_width"]:
    """Cut the last axis into ``heads`` equal parts and put them in front.

    Parameters
    ----------
    x : (..., length, width)
    heads : int
        Must divide ``width``.

    Returns
    -------
    split : (..., heads, length, width / heads)

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point array with at least two axes, or
        ``heads`` does not divide its width.
    """
    heads = _checked_heads(x, heads)
    *batch, length, width = x.shape
    return x.reshape(*batch, length, heads, width // heads).swapaxes(-2, -3)


def merge_heads(
    x: Float[Array, "*batch heads length head_width"],
) -> Float[Array, "*batch length width"]:
    """Put the heads side by side again: the inverse of ``split_heads``.

    Parameters
    ----------
    x : (..., heads, length, head_width)

    Returns
    -------
    merged : (..., length, heads * head_width)

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point array with at least three axes.
    """
    _check_split(x)
    *batch, heads, length, head_width = x.shape
    return x.swapaxes(-2, -3).reshape(*batch, length, heads * head_width)


def multi_head_attention(
    x: Float[Array, "*batch queries d_model"],
    memory: Float[Array, "*batch keys d_memory"],
    W_Q: Float[Array, "d_model heads_d_k"],
    W_K: Float[Array, "d_memory heads_d_k"],
    W_V: Float[Array, "d_memory heads_d_v"],
    W_O: Float[Array, "heads_d_v d_out"],
    heads: int,
    mask: Bool[Array, "..."] | None = None,
) -> tuple[Float[Array, "*batch queries d_out"], Float[Array, "*batch heads queries keys"]]:
    """Attend several times side by side, each head with its own projections.

    Vaswani et al. (2017), section 3.2.2, without biases. Head h uses the h-th
    block of columns of ``W_Q``, ``W_K`` and ``W_V``.

    Parameters
    ----------
    x : (..., queries, d_model)
        Where the queries come from.
    memory : (..., keys, d_memory)
        Where keys and values come from. ``x`` itself for self-attention.
    W_Q : (d_model, heads * d_k)
    W_K : (d_memory, heads * d_k)
    W_V : (d_memory, heads * d_v)
    W_O : (heads * d_v, d_out)
    heads : int
    mask : (..., queries, keys), boolean, optional
        ``True`` where a query may attend to a key; the same for all heads.

    Returns
    -------
    output : (..., queries, d_out)
    weights : (..., heads, queries, keys)

    Raises
    ------
    ValueError
        If shapes do not fit, ``heads`` does not divide a projection's width,
        or for any reason ``scaled_dot_product_attention`` gives.
    """
    _check_projections(x, memory, W_Q, W_K, W_V, W_O)
    if mask is not None:
        _check_mask(mask, (*x.shape[:-1], memory.shape[-2]))
        if mask.ndim > 2:
            mask = mask[..., None, :, :]  # (..., 1, queries, keys): the same mask for each head

    query = split_heads(x @ W_Q, heads)  # (..., heads, queries, d_k)
    key = split_heads(memory @ W_K, heads)  # (..., heads, keys, d_k)
    value = split_heads(memory @ W_V, heads)  # (..., heads, keys, d_v)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    return merge_heads(output) @ W_O, weights
