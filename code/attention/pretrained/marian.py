"""Weights of Marian, a program that trains translators, from its ``.bin`` (the package's own).

First stand, for all tensors, how long their names, shapes and bytes are; then all names,
all shapes and, from the next multiple of 256 on, all numbers. A matrix in eight bits is
stored as integers, followed by a *multiplier* in float32: each weight is its integer
divided by the multiplier. It lies transposed in the file, except for the embeddings.

A *shortlist* is the second file: for each token of the source, the tokens that a translation
of it may need. A small translator scores only these.

Source: ``src/common/binary.cpp`` and ``src/data/shortlist.h`` of Marian.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32, Int

from attention.pretrained._cursor import Cursor, content_of
from attention.report import require

VERSION = 1
ALIGNMENT = 256
SHORTLIST = 0xF11A48D5013417F5  # how a shortlist begins
FLOAT32, INT8, QUANTIZED = 0x404, 0x101, 0x4101
CONFIG = "special:model.yml"
EMBEDDINGS = "Wemb"


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Read all tensors of a model as float32, and its settings.

    A matrix ``W`` of shape (in, out) is meant for ``x @ W``, the embeddings ``Wemb`` have a
    row for each token.

    Returns
    -------
    tensors : dict
        By name. ``..._QuantMultA`` is what Marian multiplies the input of a matrix by
        before it rounds that, too, to eight bits.
    metadata : dict
        ``config``: the settings of the model, as texts and lists of texts.
        ``multipliers``: for each matrix in eight bits its own, so that
        ``tensor * multiplier`` are its integers again.

    Raises
    ------
    ValueError
        If there is no such file, it is no binary model of Marian's version 1, it is
        incomplete, or a tensor is of a type other than float32 and eight bits.
    """
    cursor = Cursor(content_of(path), str(path))
    version, count = cursor.numbers("Q", 2)
    if version != VERSION:
        raise ValueError(f"{path}: no binary model of Marian's version {VERSION}: got {version}")
    heads = [cursor.numbers("Q", 4) for _ in range(count)]
    # Names end with a zero byte, as texts do in C.
    names = [cursor.text(length).rstrip("\0") for length, *_ in heads]
    shapes = [cursor.numbers("i", axes) for _, _, axes, _ in heads]
    cursor.take(cursor.number("Q"))  # up to the next multiple of ALIGNMENT
    tensors, metadata = {}, {"config": {}, "multipliers": {}}
    for name, shape, (_, type_, _, size) in zip(names, shapes, heads, strict=True):
        part = Cursor(cursor.take(size), f"{path}, {name}")
        if name == CONFIG:
            metadata["config"] = read_config(part.text(size).rstrip("\0"))
        elif type_ == FLOAT32:
            tensors[name] = _float32(part, prod(shape)).reshape(shape)
        elif type_ == QUANTIZED:
            tensors[name], metadata["multipliers"][name] = _dequantized(part, name, shape)
        else:
            raise ValueError(
                f"{path}: {name} is of type {type_:#x}; this reader knows float32 and eight bits"
            )
    return tensors, metadata


def _float32(part: Cursor, count: int) -> Float32[np.ndarray, " count"]:
    return np.frombuffer(part.take(4 * count), "<f4").astype(np.float32)


def _dequantized(
    part: Cursor, name: str, shape: tuple[int, ...]
) -> tuple[Float32[np.ndarray, "..."], float]:
    """Return a matrix, and its multiplier."""
    integers = np.frombuffer(part.take(prod(shape)), np.int8)
    multiplier = _float32(part, 1)  # (1,)
    weights = integers.astype(np.float32) / multiplier
    if name.startswith(EMBEDDINGS):
        return weights.reshape(shape), float(multiplier[0])
    return weights.reshape(shape[::-1]).T, float(multiplier[0])


def read_config(text: str) -> dict[str, str | list[str]]:
    """Read what Marian writes of YAML: a name and a value on a line, and lists below a name."""
    config: dict[str, str | list[str]] = {}
    for line in text.splitlines():
        stripped = line.strip()
        if stripped.startswith("- "):
            last = next(reversed(config))
            config[last] = [*(config[last] or []), stripped.removeprefix("- ")]
        elif ":" in stripped:
            name, _, value = stripped.partition(":")
            config[name] = [] if value.strip() == "[]" else value.strip().strip('"')
    return config


@dataclass(frozen=True)
class Shortlist:
    """Which tokens a translation may need.

    Attributes
    ----------
    first : int
        This many tokens with the lowest numbers, the most frequent ones, always.
    starts : (tokens + 1,)
        ``targets[starts[i] : starts[i + 1]]`` are those for token ``i`` of the source.
    targets : (entries,)
    """

    first: int
    starts: Int[np.ndarray, " bounds"]
    targets: Int[np.ndarray, " entries"]

    def allowed(self, source: Sequence[int]) -> Int[np.ndarray, " allowed"]:
        """Return the tokens that a translation of these may need, in order.

        They are the most frequent ones, those listed for each token of the source, and the
        source's own, since a name may stay as it is (both languages share a vocabulary).
        Their number is made a multiple of eight with the tokens that come next, as the
        program does; it multiplies eight columns at a time.
        """
        tokens = len(self.starts) - 1
        known = all(0 <= token < tokens for token in source)
        require(known, "source", f"tokens from 0 to {tokens - 1}", list(source))
        rows = [self.targets[self.starts[token] : self.starts[token + 1]] for token in source]
        allowed = {*range(self.first), *source, *(token for row in rows for token in row.tolist())}
        for following in range(self.first, tokens):
            if len(allowed) % 8:
                allowed.add(following)
        return np.array(sorted(allowed))


def read_shortlist(path: str | Path) -> Shortlist:
    """Read a shortlist.

    Raises
    ------
    ValueError
        If there is no such file, or it is another or an incomplete one.
    """
    cursor = Cursor(content_of(path), str(path))
    magic = cursor.number("Q")
    if magic != SHORTLIST:
        raise ValueError(f"{path}: no binary shortlist of Marian: begins with {magic:#x}")
    _checksum, first, _best, bounds, entries = cursor.numbers("Q", 5)
    starts = np.frombuffer(cursor.take(8 * bounds), "<u8").astype(np.int64)
    targets = np.frombuffer(cursor.take(4 * entries), "<u4").astype(np.int64)
    return Shortlist(first, starts, targets)
