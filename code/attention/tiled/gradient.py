"""The way back, block by block: weights computed a second time (cost: And in training)."""

import numpy as np
from jaxtyping import Float

from attention._arrays import (
    Array,
    Number,
    _check_given_back,
    _check_query_key_value,
    _summed_like,
    _wide,
)
from attention.tiled.masks import Mask, mask_function
from attention.tiled.summary import _finite
from attention.tiled.tiles import _scale, _shapes, block_scores, blocks, blocks_to_meet


def tiled_attention_gradient(
    query: Float[Array, "*#batch queries d_k"],
    key: Float[Array, "*#batch keys d_k"],
    value: Float[Array, "*#batch keys d_v"],
    output: Float[Array, "*#batch queries d_v"],
    log_totals: Float[Array, "*#batch queries"],
    output_gradient: Float[Array, "*#batch queries d_v"],
    mask: Mask = None,
    block: int = 64,
    scale: Number | None = None,
) -> tuple[Float[Array, "..."], Float[Array, "..."], Float[Array, "..."]]:
    """Go back through ``tiled_attention``: the weights are computed again, block by block.

    Dao et al. (2022), appendix B.2 and algorithm 4. One number for each query, its
    ``log_total``, is all it takes to have a block's weights again without those of
    the other blocks (Dao 2023, "FlashAttention-2", keeps this one number).

    Parameters
    ----------
    query, key, value, mask, block, scale
        As they were given to ``tiled_attention``; ``block`` may be another.
    output : (..., queries, d_v)
    log_totals : (..., queries)
        Both as ``tiled_attention`` returned them.
    output_gradient : (..., queries, d_v)
        The gradient of the loss at the output.

    Returns
    -------
    query_gradient, key_gradient, value_gradient
        Each with the shape and dtype of its array; zero where nothing was attended to.

    Raises
    ------
    ValueError
        As in ``tiled_attention``, or if one of the other three arrays is not
        floating-point, has another shape than it should, or holds NaN or infinity
        (in ``log_totals``, ``-inf`` has its meaning).
    """
    _check_query_key_value(query, key, value)
    scores_shape, output_shape = _shapes(query, key, value)
    _check_given_back(output, output_gradient, output_shape, log_totals, scores_shape[:-1])
    may_attend = mask_function(mask, scores_shape)
    scale = _scale(query, scale)
    q, k, v = _wide(query, key, value)
    out, log_total, out_grad = _wide(output, log_totals, output_gradient)

    *_, queries, keys = scores_shape
    batch = output_shape[:-2]  # all axes in front, which an array may lack
    shapes = [batch + array.shape[-2:] for array in (q, k, v)]
    q_grad, k_grad, v_grad = (np.zeros(shape, q.dtype) for shape in shapes)
    # From each row of weights_grad a softmax takes its mean, weighted by the
    # weights: sum(weights * weights_grad). That is the same number as
    # sum(out_grad * out), so no row of weights is ever needed as a whole.
    mean = (out_grad * out).sum(-1, keepdims=True)  # (..., queries, 1)
    for rows in blocks(queries, block):
        q_rows, out_grad_rows = q[..., rows, :], out_grad[..., rows, :]
        total = _finite(log_total[..., rows, None])  # (..., rows, 1)
        for columns, allowed in blocks_to_meet(rows, keys, block, may_attend):
            k_columns, v_columns = k[..., columns, :], v[..., columns, :]
            scores = block_scores(q_rows, k_columns, scale, allowed)
            weights = np.exp(scores - total)  # (..., rows, columns)
            weights_grad = out_grad_rows @ v_columns.swapaxes(-1, -2)
            scores_grad = weights * (weights_grad - mean[..., rows, :])
            scores_grad *= q.dtype.type(scale)  # now of the bare dot products
            q_grad[..., rows, :] += scores_grad @ k_columns
            k_grad[..., columns, :] += scores_grad.swapaxes(-1, -2) @ q_rows
            v_grad[..., columns, :] += weights.swapaxes(-1, -2) @ out_grad_rows
    return tuple(
        _summed_like(array, gradient)
        for array, gradient in zip((query, key, value), (q_grad, k_grad, v_grad), strict=True)
    )
