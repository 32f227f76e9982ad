"""Weights from a GGUF file, most of them in four bits (the package's own).

The file begins with settings and the vocabulary, by name; then come the names, shapes and
types of the tensors, and then their bytes. A quantized tensor is stored in blocks of 32
numbers that share a scale ``d`` (and in Q4_1 an offset ``m``): each is ``d * q + m``
with a small integer ``q``.

Source: the format's specification in the repository of ggml, ``docs/gguf.md``.
"""

from collections.abc import Callable
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float32, UInt8

from attention.pretrained._cursor import Cursor, check_file

BLOCK = 32  # numbers that share a scale
TEXT, ARRAY = 8, 9
# The types of a setting, as letters of Python's `struct`.
LETTERS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}


class Stored(NamedTuple):
    """How the numbers of a tensor are stored."""

    name: str
    numbers: int  # in a block
    size: int  # bytes of a block
    read: Callable[[UInt8[np.ndarray, "blocks size"]], Float32[np.ndarray, "blocks numbers"]]


def read_f32(blocks: UInt8[np.ndarray, "blocks size"]) -> Float32[np.ndarray, "blocks numbers"]:
    """Take float32 numbers as they are."""
    return blocks.view("<f4").astype(np.float32)


def read_f16(blocks: UInt8[np.ndarray, "blocks size"]) -> Float32[np.ndarray, "blocks numbers"]:
    """Take float16 numbers, each of which is a float32 number, too."""
    return blocks.view("<f2").astype(np.float32)


def read_q4_1(blocks: UInt8[np.ndarray, "blocks 20"]) -> Float32[np.ndarray, "blocks 32"]:
    """Dequantize blocks of scale, offset and 16 bytes with two integers below 16 each."""
    scale = blocks[:, 0:2].view("<f2").astype(np.float32)  # (blocks, 1)
    offset = blocks[:, 2:4].view("<f2").astype(np.float32)  # (blocks, 1)
    low, high = blocks[:, 4:] & 15, blocks[:, 4:] >> 4  # numbers 0 to 15, and 16 to 31
    integers = np.concatenate([low, high], axis=1)  # (blocks, 32)
    return scale * integers.astype(np.float32) + offset


def read_q8_0(blocks: UInt8[np.ndarray, "blocks 34"]) -> Float32[np.ndarray, "blocks 32"]:
    """Dequantize blocks of a scale and 32 integers from -128 to 127."""
    scale = blocks[:, 0:2].view("<f2").astype(np.float32)  # (blocks, 1)
    return scale * blocks[:, 2:].view(np.int8).astype(np.float32)


TYPES = {
    0: Stored("F32", 1, 4, read_f32),
    1: Stored("F16", 1, 2, read_f16),
    3: Stored("Q4_1", BLOCK, 20, read_q4_1),
    8: Stored("Q8_0", BLOCK, 34, read_q8_0),
}


class Entry(NamedTuple):
    """What a file says of one tensor."""

    shape: tuple[int, ...]
    type: int  # as in TYPES
    offset: int  # of its bytes, from the first tensor's


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read all tensors of a file as float32, and its settings.

    Returns
    -------
    tensors : dict
        By name.
    metadata : dict
        By name: numbers, texts, truth values and lists. ``tokenizer.ggml.tokens`` and
        ``tokenizer.ggml.merges`` are the vocabulary.

    Raises
    ------
    ValueError
        If there is no such file, it is no GGUF file of version 2 or 3, it is incomplete,
        or a tensor is stored in another way than F32, F16, Q4_1 or Q8_0.
    """
    cursor = _opened(path)
    metadata, entries = _head(cursor)
    alignment = metadata.get("general.alignment", 32)
    cursor.position += -cursor.position % alignment
    start = cursor.position
    tensors = {}
    for name, entry in entries.items():
        cursor.position = start + entry.offset
        tensors[name] = _tensor(cursor, name, entry)
    return tensors, metadata


def read_metadata(path: str | Path) -> dict[str, Any]:
    """Read the settings alone, in a fraction of the time: see ``read``."""
    return _head(_opened(path))[0]


def _opened(path: str | Path) -> Cursor:
    check_file(path)
    # An empty file cannot be mapped.
    content = np.memmap(path, np.uint8, "r") if Path(path).stat().st_size else b""
    cursor = Cursor(content, str(path))
    magic = bytes(cursor.content[:4])
    if magic != b"GGUF":
        raise ValueError(f"{path}: no GGUF file: expected it to begin with b'GGUF', got {magic!r}")
    cursor.take(4)
    version = cursor.number("I")
    if version not in (2, 3):  # which differ in the order of bytes of rare machines
        raise ValueError(f"{path}: expected GGUF of version 2 or 3, got {version}")
    return cursor


def _head(cursor: Cursor) -> tuple[dict[str, Any], dict[str, Entry]]:
    tensors, settings = cursor.numbers("Q", 2)
    metadata = {}
    for _ in range(settings):
        name = _text(cursor)
        metadata[name] = _value(cursor, cursor.number("I"))
    entries = {}
    for _ in range(tensors):
        name = _text(cursor)
        # The axis whose numbers are neighbours stands first.
        shape = cursor.numbers("Q", cursor.number("I"))[::-1]
        entries[name] = Entry(shape, *cursor.numbers("I", 1), *cursor.numbers("Q", 1))
    return metadata, entries


def _text(cursor: Cursor) -> str:
    return cursor.text(cursor.number("Q"))


def _value(cursor: Cursor, type_: int) -> Any:
    if type_ == TEXT:
        return _text(cursor)
    if type_ == ARRAY:
        type_, count = cursor.number("I"), cursor.number("Q")
        if type_ in LETTERS:
            return list(cursor.numbers(LETTERS[type_], count))
        return [_value(cursor, type_) for _ in range(count)]
    if type_ not in LETTERS:
        raise ValueError(f"{cursor.source}: a setting is of type {type_}, which GGUF has not")
    return cursor.number(LETTERS[type_])


def _tensor(cursor: Cursor, name: str, entry: Entry) -> np.ndarray:
    known = ", ".join(stored.name for stored in TYPES.values())
    if entry.type not in TYPES:
        raise ValueError(
            f"{cursor.source}: {name} is stored as type {entry.type} of ggml; "
            f"this reader knows {known}"
        )
    stored = TYPES[entry.type]
    blocks, left_over = divmod(prod(entry.shape), stored.numbers)
    if left_over:
        raise ValueError(
            f"{cursor.source}: {name} has shape {entry.shape}, "
            f"no whole number of {stored.name}'s blocks of {stored.numbers}"
        )
    taken = np.frombuffer(cursor.take(blocks * stored.size), np.uint8)
    return stored.read(taken.reshape(blocks, stored.size)).reshape(entry.shape)
