"""Exact attention in linear memory, in NumPy: the scores are met block by block.

``attention.by_hand`` holds a score for each query and each key at once. Here the
keys come one block after the other, and of those that are past a *summary* is
kept: for each query two numbers and one row as wide as a value. It is enough,
since two summaries can be merged into the summary of all their keys. The results
are those of ``by_hand`` but for rounding; so are the conventions.

Where it comes from: the summary and how it is merged, for the softmax alone, is
the online softmax of Milakov & Gimelshein (2018), "Online normalizer calculation
for softmax". Rabe & Staats (2021), "Self-attention Does Not Need O(n^2) Memory",
add the values. Dao et al. (2022), "FlashAttention", cut queries and keys into
blocks and compute the scores a second time for the gradient.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention.by_hand import (
    Array,
    Number,
    _check_float,
    _check_mask,
    _check_matrix,
    _check_overflow,
    _check_query_key_value,
    _check_same,
    _checked_scale,
    _describe,
    _positive_integer,
    _working_dtype,
)

MaskFunction = Callable[..., Bool[Array, "..."]]  # of rows and columns
Mask = str | MaskFunction | Bool[Array, "..."] | None

Output = Float[Array, "*#batch queries d_v"]
LogTotals = Float[Array, "*#batch queries"]

# -------------------------------------------------- a summary of some keys


@dataclass(frozen=True)
class Summary:
    """What each query has to remember of the keys it has met.

    Attributes
    ----------
    largest : (..., queries)
        The largest score. ``-inf`` if there was no key it may attend to.
    total : (..., queries)
        The sum of exp(score - largest).
    weighted : (..., queries, d_v)
        The sum of exp(score - largest) * value.
    """

    largest: Float[Array, "*#batch queries"]
    total: Float[Array, "*#batch queries"]
    weighted: Float[Array, "*#batch queries d_v"]

    @property
    def output(self) -> Output:
        """Give the output of attention to these keys: zero if it may attend to none."""
        total = np.where(self.total == 0, 1, self.total)  # (..., queries)
        return self.weighted / total[..., None]  # (..., queries, d_v)

    @property
    def log_total(self) -> LogTotals:
        """Give the log of the sum of exp(score): ``-inf`` if it may attend to none."""
        with np.errstate(divide="ignore"):  # log(0) is -inf, as it should be
            return self.largest + np.log(self.total)


def empty_summary(
    queries: int,
    d_v: int,
    dtype: type | np.dtype = np.float64,
) -> Summary:
    """Summarise no keys at all: merged with another summary, it changes nothing.

    Parameters
    ----------
    queries : int
    d_v : int
        Width of a value.
    dtype : a floating-point dtype

    Returns
    -------
    summary : Summary
        Without axes in front: it broadcasts to the one it is merged with.

    Raises
    ------
    ValueError
        If ``queries`` or ``d_v`` is not a positive integer, or ``dtype`` is not
        one of floating-point numbers.
    """
    queries = _positive_integer("queries", queries)
    d_v = _positive_integer("d_v", d_v)
    _check_float_dtype(dtype)
    return Summary(
        largest=np.full(queries, -np.inf, dtype),
        total=np.zeros(queries, dtype),
        weighted=np.zeros((queries, d_v), dtype),
    )


def summarise(
    scores: Float[Array, "*#batch queries keys"],
    value: Float[Array, "*#batch keys d_v"],
) -> Summary:
    """Summarise one block of keys.

    Parameters
    ----------
    scores : (..., queries, keys)
        ``-inf`` where a query may not attend to a key.
    value : (..., keys, d_v)

    Returns
    -------
    summary : Summary

    Raises
    ------
    ValueError
        If an array is not floating-point, ``scores`` holds NaN or ``+inf``,
        ``value`` is not finite, there is no key, or the numbers of keys differ.
    """
    _check_scores_and_value(scores, value)
    scores, value = _wide(scores, value)
    largest = scores.max(-1)  # (..., queries)
    exponentials = np.exp(scores - _finite(largest)[..., None])
    return Summary(largest, exponentials.sum(-1), exponentials @ value)


def merge(a: Summary, b: Summary) -> Summary:
    """Make the summary of all keys out of the summaries of two parts of them.

    The order does not matter, nor does it in a chain of merges: the operation is
    commutative and, but for rounding, associative (Milakov & Gimelshein 2018,
    section 3.1, where there are no values yet).

    Parameters
    ----------
    a, b : Summary
        Of the same queries.

    Returns
    -------
    merged : Summary

    Raises
    ------
    ValueError
        If the summaries differ in the number of queries or in ``d_v``.
    """
    _check_same_queries(a, b)
    largest = np.maximum(a.largest, b.largest)  # (..., queries)
    # exp(s - old) * exp(old - new) = exp(s - new): what was summed relative
    # to one largest score becomes a sum relative to another.
    rescale_a = np.exp(a.largest - _finite(largest))  # (..., queries)
    rescale_b = np.exp(b.largest - _finite(largest))  # (..., queries)
    return Summary(
        largest,
        a.total * rescale_a + b.total * rescale_b,
        a.weighted * rescale_a[..., None] + b.weighted * rescale_b[..., None],
    )


def _finite(numbers: Array) -> Array:
    """Put 0 in the place of -inf, where no key was met: -inf - (-inf) is NaN."""
    return np.where(np.isneginf(numbers), 0, numbers)


# ----------------------------------------------------------- block by block


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
        ``"causal"``: query i may attend to keys 0 to i.
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


def _wide(*arrays: Array) -> list[Array]:
    """Use at least 32 bits: in float16 a sum of exponentials overflows early."""
    working = _working_dtype(*arrays)
    return [array.astype(working, copy=False) for array in arrays]


def blocks(length: int, block: int) -> Iterator[Integer[Array, " positions"]]:
    """Cut the positions 0 to ``length - 1`` into blocks; the last one may be smaller.

    Raises
    ------
    ValueError
        If ``block`` is not a positive integer; when the first block is asked for.
    """
    block = _positive_integer("block", block)
    for start in range(0, length, block):
        yield np.arange(start, min(start + block, length))


def blocks_to_meet(
    rows: Integer[Array, " rows"],
    keys: int,
    block: int,
    may_attend: MaskFunction,
) -> Iterator[tuple[Integer[Array, " columns"], Bool[Array, "..."]]]:
    """Give the blocks of keys that some of these queries may attend to, each with its mask."""
    for columns in blocks(keys, block):
        allowed = may_attend(rows[:, None], columns[None, :])
        # Under a causal mask nearly half of the blocks lie in the future.
        if allowed.any():
            yield columns, allowed


def block_scores(
    query: Float[Array, "*#batch rows d_k"],
    key: Float[Array, "*#batch columns d_k"],
    scale: Number,
    allowed: Bool[Array, "..."],
) -> Float[Array, "*#batch rows columns"]:
    """Compute the scores of one block, ``-inf`` where the mask says no.

    Raises
    ------
    ValueError
        If a score is too large for the dtype.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # checked next
        scores = query @ key.swapaxes(-1, -2) * query.dtype.type(scale)
    _check_overflow(scores)
    return np.where(allowed, scores, -np.inf)


def count_blocks(
    queries: int,
    keys: int,
    mask: Mask = None,
    block: int = 64,
) -> int:
    """Count the blocks of scores that ``tiled_attention`` computes, and not skips.

    Parameters
    ----------
    queries, keys : int
    mask : "causal", a function or an array (queries, keys), optional
    block : int

    Raises
    ------
    ValueError
        If a number is not a positive integer, or the mask is none of these.
    """
    queries = _positive_integer("queries", queries)
    keys = _positive_integer("keys", keys)
    may_attend = mask_function(mask, (queries, keys))
    count = 0
    for rows in blocks(queries, block):
        count += len(list(blocks_to_meet(rows, keys, block, may_attend)))
    return count


# ------------------------------------------------------------- the gradient


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
    _check_matrix_of_shape("output", output, output_shape)
    _check_matrix_of_shape("output_gradient", output_gradient, output_shape)
    _check_log_totals(log_totals, scores_shape[:-1])
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
    return _like(query, q_grad), _like(key, k_grad), _like(value, v_grad)


def _like(array: Array, gradient: Array) -> Array:
    """Undo broadcasting: where an array served several times, add up its gradients."""
    in_front = gradient.ndim - array.ndim
    gradient = gradient.sum(tuple(range(in_front)))
    once = tuple(axis for axis, size in enumerate(array.shape) if size == 1)
    return gradient.sum(once, keepdims=True).astype(array.dtype, copy=False)


# --------------------------------------------------- masks that are no array


def causal(
    rows: Integer[Array, "..."],
    columns: Integer[Array, "..."],
) -> Bool[Array, "..."]:
    """Let each position attend to itself and to what came before it."""
    return columns <= rows


def mask_function(mask: Mask, scores_shape: tuple[int, ...]) -> MaskFunction:
    """Make a function of rows and columns out of whatever the mask is.

    Parameters
    ----------
    mask : "causal", a function or an array, optional
        See ``tiled_attention``.
    scores_shape : (..., queries, keys)

    Returns
    -------
    may_attend : callable
        From ``rows`` (rows, 1) and ``columns`` (1, columns) to booleans that
        broadcast to (..., rows, columns).

    Raises
    ------
    ValueError
        If it is none of these, or does not broadcast. A function that returns
        something else says so when it is called.
    """
    if mask is None:
        return lambda rows, columns: np.ones((rows.size, columns.size), bool)
    if isinstance(mask, str) and mask == "causal":
        return causal
    if callable(mask):
        return _checked_function(mask, scores_shape[:-2])
    if not isinstance(mask, Array):
        came = repr(mask) if isinstance(mask, str) else _describe(mask)
        raise ValueError(
            'mask: expected None, "causal", a function of rows and columns, '
            f"or a boolean array, got {came}"
        )
    _check_mask(mask, scores_shape)
    full = np.broadcast_to(mask, scores_shape)  # a view: nothing is copied
    return lambda rows, columns: full[..., rows, columns]


# ------------------------------------------------------------------- checks
# Those of by_hand serve; what is left is what it has no need of.


Shape = tuple[int, ...]


def _shapes(query: Array, key: Array, value: Array) -> tuple[Shape, Shape]:
    """Give the shapes of the scores, had they been held, and of the output."""
    batch = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    scores_shape = (*batch, query.shape[-2], key.shape[-2])
    batch = np.broadcast_shapes(batch, value.shape[:-2])
    return scores_shape, (*batch, query.shape[-2], value.shape[-1])


def _scale(query: Array, scale: Number | None) -> Number:
    return 1 / np.sqrt(query.shape[-1]) if scale is None else _checked_scale(scale)


def _checked_function(mask: MaskFunction, batch: tuple[int, ...]) -> MaskFunction:
    def may_attend(rows: Array, columns: Array) -> Array:
        allowed = mask(rows, columns)
        shape = (*batch, rows.size, columns.size)
        if not isinstance(allowed, Array) or allowed.dtype != bool or not _fits(allowed, shape):
            raise ValueError(
                "mask: expected a function that returns a boolean array (True = may attend) "
                f"which broadcasts to (..., rows, columns) = {shape}, got {_describe(allowed)}"
            )
        return allowed

    return may_attend


def _fits(array: Array, shape: tuple[int, ...]) -> bool:
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False


def _check_scores_and_value(scores: Array, value: Array) -> None:
    _check_float("scores", scores)
    if scores.ndim < 2:
        raise ValueError(f"scores: expected at least two axes, got shape {scores.shape}")
    if scores.shape[-1] == 0:
        raise ValueError(f"scores: expected at least one key, got shape {scores.shape}")
    _check_below_infinity("scores", scores)
    _check_matrix("value", value)
    _check_same("value", value.shape[-2], "the number of keys", scores.shape[-1])


def _check_same_queries(a: Summary, b: Summary) -> None:
    _check_same("b", b.largest.shape[-1], "the number of queries of a", a.largest.shape[-1])
    _check_same("b", b.weighted.shape[-1], "d_v of a", a.weighted.shape[-1])


def _check_float_dtype(dtype: type | np.dtype) -> None:
    if not np.issubdtype(dtype, np.floating):
        raise ValueError(f"dtype: expected a floating-point dtype, got {dtype}")


def _check_matrix_of_shape(name: str, array: Array, shape: Shape) -> None:
    _check_matrix(name, array)
    _check_shape(name, array, shape)


def _check_log_totals(log_totals: Array, shape: Shape) -> None:
    _check_float("log_totals", log_totals)
    _check_shape("log_totals", log_totals, shape)
    _check_below_infinity("log_totals", log_totals)


def _check_below_infinity(name: str, array: Array) -> None:
    if np.isnan(array).any() or np.isposinf(array).any():
        raise ValueError(f"{name}: expected finite numbers or -inf, got NaN or +inf")


def _check_shape(name: str, array: Array, shape: Shape) -> None:
    if array.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape}, got {array.shape}")
