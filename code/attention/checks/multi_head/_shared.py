"""Heads split and merged in the wrong way, as several exercises know it (multi-head: Exercises)."""

import numpy as np

from attention.checks._exercise import Symptom

Array = np.ndarray


def _same_numbers(inputs, expected, got):
    return np.array_equal(np.sort(got[0], axis=None), np.sort(expected[0], axis=None))


MISPLACED = Symptom(
    "misplaced",
    "All the numbers are there and the shape is right, but some stand in the wrong place. Follow "
    "the row of one position through your steps.",
    _same_numbers,
)


def split_by_view(x: Array, heads: int) -> Array:
    """Cut as if the heads had been in front all along: this mixes the positions."""
    length, width = x.shape
    return x.reshape(heads, length, width // heads)


def split_interleaved(x: Array, heads: int) -> Array:
    """Deal out the columns like cards: head h gets h, h + heads, ..."""
    return x.reshape(len(x), -1, heads).transpose(2, 0, 1)


def merged_by_view(x: Array) -> Array:
    """Merge as if the positions had been in front all along: this mixes them."""
    heads, length, head_width = x.shape
    return x.reshape(length, heads * head_width)
