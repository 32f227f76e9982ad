"""The vocabulary file of SentencePiece: pieces, scores, replaced characters (the package's own).

The file is a message of Protocol Buffers. Such a message is a list of fields, each with a
number that says what it is and a type that says how long it is; a field may be a message.

Sources: Kudo and Richardson (2018); the repository of SentencePiece,
``sentencepiece_model.proto``, for the fields' numbers; the repository of Darts-clone for the
tree of replaced characters.
"""

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from attention.pretrained._cursor import Cursor, content_of
from attention.report import require

# The types of a piece.
NORMAL, UNKNOWN, CONTROL, USER_DEFINED, UNUSED = 1, 2, 3, 4, 5
UNIGRAM = 1  # the type of a model

VARINT, EIGHT_BYTES, BYTES, FOUR_BYTES = 0, 1, 2, 5  # the types of a field
Fields = dict[int, list]


class Replacements:
    """Which characters are written as which others, before a text is cut into pieces.

    They are kept in a tree in one array, one number for each node. From a node the byte ``b``
    leads to the node at the exclusive or of its place, its offset and ``b``, if that one
    says that it is reached by ``b`` (a *double array*).

    Parameters
    ----------
    stored : bytes
        As in the file: the tree's size, the tree, and the replacements, each ended by a
        zero byte. Empty if nothing is replaced.
    """

    def __init__(self, stored: bytes):
        cursor = Cursor(stored, "the table of replaced characters")
        size = cursor.number("I") if stored else 0
        nodes = np.frombuffer(cursor.take(size), "<u4")
        self.reached_by = (nodes & 0x800000FF).tolist()
        self.offset = (nodes >> 10 << ((nodes & 0x200) >> 6)).tolist()
        self.ends = (nodes >> 8 & 1).tolist()  # 1 where a text that is replaced ends
        self.value = (nodes & 0x7FFFFFFF).tolist()
        self.replacements = bytes(cursor.content[cursor.position :])

    def longest(self, text: bytes, start: int) -> tuple[bytes, int] | None:
        """Find the longest part of a text in UTF-8, from a place on, that is replaced.

        Returns
        -------
        replacement : bytes
        length : int
            Of what it replaces.
        """
        if not self.offset:
            return None
        found, node = None, self.offset[0]
        for end in range(start + 1, len(text) + 1):
            byte = text[end - 1]
            node ^= byte
            if node >= len(self.reached_by) or self.reached_by[node] != byte:
                break
            leaf = node ^ self.offset[node]
            if self.ends[node]:
                begin = self.value[leaf]
                stop = self.replacements.index(b"\0", begin)
                found = self.replacements[begin:stop], end - start
            node = leaf
        return found


@dataclass(frozen=True)
class SentencePieces:
    """What a vocabulary file says.

    Attributes
    ----------
    pieces : list of str
        The number of a piece is its place. A blank is written as ``▁``.
    scores : list of float
        Logarithms of the pieces' frequencies.
    types : list of int
        ``NORMAL``, ``UNKNOWN`` ...
    replacements : Replacements
    add_dummy_prefix, remove_extra_whitespaces, escape_whitespaces : bool
        How blanks are treated: as SentencePiece calls it.
    unknown_surface : str
        What is written for an unknown piece.
    """

    pieces: list[str]
    scores: list[float]
    types: list[int]
    replacements: Replacements
    add_dummy_prefix: bool = True
    remove_extra_whitespaces: bool = True
    escape_whitespaces: bool = True
    unknown_surface: str = " \u2047 "


def read(path: str | Path) -> SentencePieces:
    """Read a vocabulary file, ``.spm`` or ``.model``.

    Raises
    ------
    ValueError
        If there is no such file, it is none of SentencePiece, it is incomplete, or its model
        is another than Unigram, falls back on bytes, or has blanks at the end of pieces.
    """
    source = str(path)
    message = _fields(Cursor(content_of(path), source))
    try:
        listed = [_fields(Cursor(piece, source)) for piece in message[1]]
        pieces = [bytes(piece[1][0]).decode() for piece in listed]
        scores = [struct.unpack("<f", piece[2][0])[0] if 2 in piece else 0.0 for piece in listed]
        types = [piece[3][0] if 3 in piece else NORMAL for piece in listed]
        trainer, normalizer = (_fields(Cursor(message[number][0], source)) for number in (2, 3))
        surface = trainer.get(44, [" \u2047 ".encode()])[-1]
        stored = bytes(normalizer.get(2, [b""])[-1])
        kind = {
            "a Unigram model": trainer.get(3, [UNIGRAM])[-1] == UNIGRAM,
            "a model without bytes as pieces": not trainer.get(35, [0])[-1],
            "a model with blanks at the beginning of pieces": not trainer.get(24, [0])[-1],
        }
    except (KeyError, TypeError, UnicodeDecodeError, struct.error) as error:
        raise ValueError(f"{path}: no vocabulary file of SentencePiece ({error!r})") from error
    for expected, given in kind.items():
        require(given, source, expected, "another")
    blanks = (bool(normalizer.get(number, [1])[-1]) for number in (3, 4, 5))
    return SentencePieces(
        pieces, scores, types, Replacements(stored), *blanks, bytes(surface).decode()
    )


def _fields(cursor: Cursor) -> Fields:
    """Read all fields of a message: for each number its values, in order."""
    fields: Fields = {}
    while not cursor.at_end:
        number, type_ = divmod(_varint(cursor), 8)
        if type_ == VARINT:
            value = _varint(cursor)
        elif type_ == BYTES:
            value = cursor.take(_varint(cursor))
        elif type_ in (FOUR_BYTES, EIGHT_BYTES):
            value = cursor.take(4 if type_ == FOUR_BYTES else 8)
        else:
            raise ValueError(
                f"{cursor.source}: no vocabulary file of SentencePiece (a field of type {type_})"
            )
        fields.setdefault(number, []).append(value)
    return fields


def _varint(cursor: Cursor) -> int:
    """Read an integer that is written with seven bits in a byte, the lowest first."""
    number = shift = 0
    while True:
        byte = cursor.number("B")
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number
        shift += 7
