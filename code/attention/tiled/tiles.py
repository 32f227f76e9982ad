"""The tiles of a score matrix, and which of them meet (cost: Block by block)."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arrays import (
    Array,
    Number,
    Shape,
    _check_overflow,
    _checked_scale,
    _positive_integer,
)
from attention.tiled.masks import Band, Mask, MaskFunction, mask_function


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
    """Give the blocks of keys that some of these queries may attend to, each with its mask.

    ``rows`` are neighbours, in order. Of a ``Band`` only the blocks that they can reach are
    looked at; of any other mask all are, since nobody else knows where it says yes.
    """
    near = range(keys)
    if isinstance(may_attend, Band):
        near = may_attend.reach(int(rows[0]), int(rows[-1]), keys)
    for start in range(near.start // block * block, near.stop, block):
        columns = np.arange(start, min(start + block, keys))
        allowed = may_attend(rows[:, None], columns[None, :])  # (..., rows, columns)
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
    mask : "causal", a window, a function or an array (queries, keys), optional
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
        count += sum(1 for _ in blocks_to_meet(rows, keys, block, may_attend))
    return count


def _shapes(query: Array, key: Array, value: Array) -> tuple[Shape, Shape]:
    """Give the shapes of the scores, had they been held, and of the output."""
    batch = np.broadcast_shapes(query.shape[:-2], key.shape[:-2])
    scores_shape = (*batch, query.shape[-2], key.shape[-2])
    batch = np.broadcast_shapes(batch, value.shape[:-2])
    return scores_shape, (*batch, query.shape[-2], value.shape[-1])


def _scale(query: Array, scale: Number | None) -> Number:
    return 1 / np.sqrt(query.shape[-1]) if scale is None else _checked_scale(scale)
