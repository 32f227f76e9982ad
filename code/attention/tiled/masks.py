"""Masks that are met block by block: functions of rows and columns (cost: Block by block)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Integer

from attention._arguments import nonnegative_integer
from attention._arrays import Array, _check_mask, _describe, _fits, _positive_integer

MaskFunction = Callable[..., Bool[Array, "..."]]  # of rows and columns
Mask = str | MaskFunction | Bool[Array, "..."] | None


@dataclass(frozen=True)
class Band:
    """Let each position attend to a stretch of positions around its own.

    Being asked for rows and columns, it is a mask like any other function. But it also
    says, without a look at each column, which columns some rows can reach. So the tiles
    of a window are found in time that grows with their number, not with all tiles.

    Parameters
    ----------
    before, after : int or None
        How many positions back and ahead may be seen; None: all of them.

    Raises
    ------
    ValueError
        If one is neither None nor an integer from 0 on.
    """

    before: int | None
    after: int | None

    def __post_init__(self):
        for name in ("before", "after"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, nonnegative_integer(name, getattr(self, name)))

    def __call__(
        self,
        rows: Integer[Array, "..."],
        columns: Integer[Array, "..."],
    ) -> Bool[Array, "..."]:
        """Say which of these rows may attend to which of these columns."""
        ahead = columns - rows
        allowed = np.ones(ahead.shape, bool)
        if self.before is not None:
            allowed &= ahead >= -self.before
        if self.after is not None:
            allowed &= ahead <= self.after
        return allowed

    def reach(self, first: int, last: int, keys: int) -> range:
        """Give the columns, of ``keys``, that some row from ``first`` to ``last`` can see."""
        start = 0 if self.before is None else max(0, first - self.before)
        stop = keys if self.after is None else min(keys, last + self.after + 1)
        return range(start, stop)


causal = Band(before=None, after=0)  # each position sees itself and what came before it


def window(width: int) -> Band:
    """Let each position attend to itself and to the ``width - 1`` positions before it.

    Raises
    ------
    ValueError
        If ``width`` is not a positive integer.
    """
    return Band(before=_positive_integer("width", width) - 1, after=0)


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
        return Band(before=None, after=None)
    if isinstance(mask, str) and mask == "causal":
        return causal
    if isinstance(mask, Band):
        return mask
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
