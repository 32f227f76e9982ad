"""Attention block by block: the same output, in linear memory (cost: Block by block)."""

import numpy as np
from jaxtyping import Float

from attention._arrays import Array, Number, _check_query_key_value, _wide
from attention.tiled.masks import Mask, mask_function
from attention.tiled.summary import LogTotals, Output, empty_summary, merge, summarise
from attention.tiled.tiles import _scale, _shapes, block_scores, blocks, blocks_to_meet


def tiled_attention(
    query: Float[Array, "*#batch queries d_k"],
    key: Float[Array, "*#batch keys d_k"],
    value: Float[Array, "*#batch keys d_v"],
    mask: Mask = None,
    block: int = 64,
    scale: Number | None = None,
    return_log_totals: bool = False,
) -> Output | tuple[Output, LogTotals]:
    """Average the values as ``by_hand.scaled_dot_product_attention``, in linear memory.

    Dao et al. (2022), algorithm 1, with its two loops the other way round: here
    the queries are the outer one. No more than ``block * block`` scores are held at a
    time (for each batch axis in front), so memory grows linearly with the length.
    Time still grows quadratically.

    Parameters
    ----------
    query : (..., queries, d_k)
    key : (..., keys, d_k)
    value : (..., keys, d_v)
    mask : "causal", a function or an array, optional
        ``"causal"``: query i may attend to keys 0 to i. ``window(w)``: to the last w of
        them. Of both, the tiles to meet are known without a look at the others.
        A function of ``rows`` (rows, 1) and ``columns`` (1, columns), the positions
        of a block's queries and keys: it returns booleans that broadcast to
        (..., rows, columns), such as ``lambda rows, columns: columns <= rows``.
        A boolean array that broadcasts to (..., queries, keys), such as a padding
        mask; it is cut into blocks. One with all queries and keys is itself quadratic.
        A block in which nothing may be attended to is skipped.
    block : int
        Number of queries, and of keys, in a block. The last one may be smaller.
    scale : number, optional
        Factor on the scores. Default: ``1 / sqrt(d_k)``.
    return_log_totals : bool
        Return what ``tiled_attention_gradient`` needs, too.

    Returns
    -------
    output : (..., queries, d_v)
        Zero for a query that may attend to nothing.
    log_totals : (..., queries), if asked for
        The log of the sum of exp(score); ``-inf`` if it may attend to nothing. In
        at least 32 bits, whatever the dtype of the output.

    Raises
    ------
    ValueError
        If ``block`` is not a positive integer, the mask is none of these, or for
        any reason ``by_hand.scaled_dot_product_attention`` gives. Scores in a
        block that is skipped are not computed, so they cannot be too large.
    """
    _check_query_key_value(query, key, value)
    scores_shape, output_shape = _shapes(query, key, value)
    may_attend = mask_function(mask, scores_shape)
    scale = _scale(query, scale)
    q, k, v = _wide(query, key, value)

    *_, queries, keys = scores_shape
    output = np.zeros(output_shape, q.dtype)
    log_totals = np.zeros(scores_shape[:-1], q.dtype)
    for rows in blocks(queries, block):
        q_rows = q[..., rows, :]  # (..., rows, d_k)
        seen = empty_summary(len(rows), v.shape[-1], q.dtype)
        for columns, allowed in blocks_to_meet(rows, keys, block, may_attend):
            scores = block_scores(q_rows, k[..., columns, :], scale, allowed)
            seen = merge(seen, summarise(scores, v[..., columns, :]))
        output[..., rows, :] = seen.output
        log_totals[..., rows] = seen.log_total

    output = output.astype(np.result_type(query, key, value), copy=False)
    return (output, log_totals) if return_log_totals else output
