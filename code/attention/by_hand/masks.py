"""Masks, in NumPy: which keys a query may attend to (masking: Three matrices)."""

import numpy as np
from jaxtyping import Bool, Integer

from attention._arrays import Array, _checked_max_length, _positive_integer


def causal_mask(length: int) -> Bool[Array, "length length"]:
    """Let each position attend to itself and to what came before it.

    Parameters
    ----------
    length : int
        Number of positions.

    Returns
    -------
    mask : (length, length), boolean
        ``mask[i, j]`` is ``True`` when ``j <= i``.

    Raises
    ------
    ValueError
        If ``length`` is not a positive integer.
    """
    length = _positive_integer("length", length)
    return np.tri(length, dtype=bool)


def padding_mask(
    lengths: Integer[Array, "*batch"], max_length: int | None = None
) -> Bool[Array, "*batch 1 keys"]:
    """Let every query attend to real tokens and not to padding.

    Parameters
    ----------
    lengths : (...), integers
        Number of real tokens of each sequence; padding comes after them.
    max_length : int, optional
        Number of keys. Default: the longest of ``lengths``.

    Returns
    -------
    mask : (..., 1, max_length), boolean
        The axis of size 1 stands for the queries: all see the same keys.

    Raises
    ------
    ValueError
        If ``lengths`` is not an integer array, or is out of 0..max_length.
    """
    max_length = _checked_max_length(lengths, max_length)
    return np.arange(max_length) < lengths[..., None, None]
