"""Weights in eight bits, small enough for a page (family: All 72 heads, and your own sentence).

Each row of a matrix is cut into blocks of at most 32 numbers. A block has one scale, its
largest absolute value over 127, and of each number is kept how many scales it is, rounded.
So a number moves by half a scale at most, and takes 8 bits and a half instead of 32. Vectors
(biases, gains) stay as they are.

A file is a ``.safetensors`` file, so nothing in it can run. The matrix ``NAME`` is stored as
``NAME`` (int8) and ``NAME.scale`` (float16). NumPy reads it alone, since the page has no
library for the format. Equal weights make equal bytes, on any processor.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float, Float16, Float32, Int8

from attention.report import require

MOST = 127  # the largest number of eight bits
BLOCK = 32  # numbers that share a scale, at most
SCALE = ".scale"
# In this order in the file, so that each number lies where its size divides the place.
TYPES = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "I8": np.dtype("i1")}
METADATA = "__metadata__"


@dataclass(frozen=True)
class EightBits:
    """A matrix in eight bits.

    Attributes
    ----------
    numbers : (rows, columns), int8
    scales : (rows, blocks), float16
    """

    numbers: Int8[np.ndarray, "rows columns"]
    scales: Float16[np.ndarray, "rows blocks"]

    def rows(self, which: object = slice(None)) -> Float32[np.ndarray, "some columns"]:
        """Give back rows, in float32: all of them, or those with some numbers."""
        numbers, scales = self.numbers[which], self.scales[which].astype(np.float32)
        blocks = numbers.reshape(*scales.shape, -1) * scales[..., None]  # (rows, blocks, block)
        return blocks.reshape(numbers.shape)


def in_eight_bits(
    matrix: Float[np.ndarray, "rows columns"], block: int = BLOCK, most: int = MOST
) -> EightBits:
    """Round a matrix to eight bits, block by block.

    Parameters
    ----------
    matrix : (rows, columns)
    block : int
        How many numbers share a scale, at most: taken is the largest number up to it that
        divides ``columns``.
    most : int
        The largest whole number that is used; 7 makes it four bits in the place of eight.

    Raises
    ------
    ValueError
        If a number is not finite, or too large for a scale in float16.
    """
    rows, columns = matrix.shape
    block = max(size for size in range(1, min(block, columns) + 1) if columns % size == 0)
    blocks = np.asarray(matrix, np.float32).reshape(rows, -1, block)  # (rows, blocks, block)
    largest = np.abs(blocks).max(-1)  # (rows, blocks)
    fits = bool(np.isfinite(largest).all() and (largest < most * 60_000).all())
    require(fits, "matrix", "finite numbers that float16 can scale", float(largest.max()))
    scales = (largest / np.float32(most)).astype(np.float16)
    # Nothing but zeros, or less than float16 can scale, becomes zeros.
    divisor = np.where(scales > 0, scales, 1).astype(np.float32)
    # A scale that was rounded down would take the largest number out of its eight bits.
    numbers = np.clip(np.rint(blocks / divisor[..., None]), -most, most)
    return EightBits(numbers.reshape(rows, columns).astype(np.int8), scales)


def made_small(
    tensors: Mapping[str, np.ndarray], block: int = BLOCK, most: int = MOST
) -> dict[str, np.ndarray | EightBits]:
    """Put the matrices among some tensors into eight bits; vectors stay in float32."""
    return {
        name: in_eight_bits(tensor, block, most) if tensor.ndim == 2 else np.float32(tensor)
        for name, tensor in tensors.items()
    }


def write(
    path: str | Path, small: Mapping[str, np.ndarray | EightBits], about: Mapping[str, str]
) -> None:
    """Write tensors, and what is to be known about them, to a ``.safetensors`` file.

    Parameters
    ----------
    path : str or Path
    small : dict
        As ``made_small`` returns it.
    about : dict of texts
        Licence, source, vocabulary ...
    """
    parts = {}
    for name, tensor in small.items():
        if isinstance(tensor, EightBits):
            parts |= {name: tensor.numbers, name + SCALE: tensor.scales}
        else:
            parts[name] = tensor
    head, content = {METADATA: dict(sorted(about.items()))}, []
    place = 0
    for kind, dtype in TYPES.items():
        for name, array in sorted(parts.items()):
            if array.dtype != dtype:
                continue
            offsets = [place, place + array.nbytes]
            head[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": offsets}
            content.append(array.astype(dtype).tobytes())
            place = offsets[1]
    text = json.dumps(head, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    Path(path).write_bytes(b"".join([len(text).to_bytes(8, "little"), text, *content]))


def read(path: str | Path) -> tuple[dict[str, np.ndarray | EightBits], dict[str, str]]:
    """Read what ``write`` wrote.

    Returns
    -------
    small : dict
        By name: vectors in float32, matrices in eight bits.
    about : dict of texts

    Raises
    ------
    ValueError
        If it is no such file, or not all of it is there.
    """
    content = Path(path).read_bytes()
    try:
        start = 8 + int.from_bytes(content[:8], "little")
        head = json.loads(content[8:start])
        about = head.pop(METADATA)
        parts = {name: _array(content, start, **entry) for name, entry in head.items()}
        small = {
            name: EightBits(array, parts[name + SCALE]) if array.dtype == np.int8 else array
            for name, array in parts.items()
            if not name.endswith(SCALE)
        }
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a complete file of small weights ({error})") from error
    return small, about


def _array(
    content: bytes, start: int, dtype: str, shape: list[int], data_offsets: list[int]
) -> np.ndarray:
    first, last = data_offsets
    if start + last > len(content):
        raise ValueError("it ends too early")
    count = (last - first) // TYPES[dtype].itemsize
    return np.frombuffer(content, TYPES[dtype], count, start + first).reshape(shape)
