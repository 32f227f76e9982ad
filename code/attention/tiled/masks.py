"""Masks that are met block by block: functions of rows and columns (cost: Block by block)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Bool, Integer

from attention._arrays import Array, _check_mask, _describe, _fits

MaskFunction = Callable[..., Bool[Array, "..."]]  # of rows and columns
Mask = str | MaskFunction | Bool[Array, "..."] | None


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
