"""Unigram, the tokens of Marian and T5: the likeliest way to cut a text (the package's own).

Each piece of the vocabulary has a score, the logarithm of how often it occurs. Of all ways
to cut a text the one with the highest sum of scores is taken. From the text's beginning on,
the best way to each place is that to an earlier place and one more piece (Viterbi).

Sources: Kudo (2018), section 3.2; Kudo and Richardson (2018), and their repository for the
treatment of blanks and of unknown characters.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from attention.pretrained import sentence_pieces
from attention.pretrained._texts import check_text, pieces_of
from attention.pretrained.sentence_pieces import (
    CONTROL,
    NORMAL,
    UNKNOWN,
    USER_DEFINED,
    SentencePieces,
)
from attention.report import require

BLANK = "▁"
UNKNOWN_PENALTY = 10.0  # an unknown character's score is so far below the lowest
END = "</s>"


class Way(NamedTuple):
    """The best way to cut a text up to some place."""

    score: float
    start: int  # where its last piece begins
    number: int  # of its last piece


class Unigram:
    """Cut texts into the pieces of a vocabulary, and put them together again.

    It does what the library ``sentencepiece`` does, down to its sums in float32.

    Parameters
    ----------
    vocabulary : SentencePieces
        As ``sentence_pieces.read`` returns it.

    Raises
    ------
    ValueError
        If the vocabulary has no piece for what is unknown, or pieces that users defined.
    """

    def __init__(self, vocabulary: SentencePieces):
        self.vocabulary = vocabulary
        self.pieces = vocabulary.pieces
        types = vocabulary.types
        require(UNKNOWN in types, "vocabulary", "a piece for what is unknown", "none")
        defined = USER_DEFINED in types
        require(not defined, "vocabulary", "no pieces that users defined", "some")
        self.unknown = types.index(UNKNOWN)
        self.number_of = {
            piece: number for number, piece in enumerate(self.pieces) if types[number] == NORMAL
        }
        lowest = min(vocabulary.scores[number] for number in self.number_of.values())
        self.unknown_score = float(np.float32(lowest) - np.float32(UNKNOWN_PENALTY))
        # A piece can only begin with one of these.
        self.beginnings = {piece[:end] for piece in self.number_of for end in range(1, len(piece))}

    @classmethod
    def from_file(cls, path: str | Path) -> "Unigram":
        """Take the vocabulary from a file of SentencePiece."""
        return cls(sentence_pieces.read(path))

    @property
    def end(self) -> int:
        """The number of ``</s>``, which ends a source and a translation."""
        require(END in self.pieces, "vocabulary", f"a piece {END}", "none")
        return self.pieces.index(END)

    def encode(self, text: str) -> list[int]:
        """Turn a text into the numbers of its pieces, without ``</s>``."""
        check_text("text", text)
        numbers = self.best_cut(self.plain(text))
        # Unknown characters that follow each other are one unknown piece.
        pairs = zip(numbers, [None, *numbers], strict=False)
        return [number for number, before in pairs if not number == before == self.unknown]

    def best_cut(self, plain: str) -> list[int]:
        """Find the pieces whose scores have the highest sum."""
        ways = [Way(0.0, 0, -1), *[None] * len(plain)]  # the best to each place
        for start in range(len(plain)):
            for end, number, score in self.pieces_from(plain, start):
                total = float(np.float32(ways[start].score + score))
                if ways[end] is None or total > ways[end].score:
                    ways[end] = Way(total, start, number)
        numbers, place = [], len(plain)
        while place > 0:
            numbers.append(ways[place].number)
            place = ways[place].start
        return numbers[::-1]

    def pieces_from(self, plain: str, start: int) -> Iterator[tuple[int, int, float]]:
        """List the pieces that a text has from a place on: where they end, number, score."""
        alone = False  # whether the first character is a piece
        for end in range(start + 1, len(plain) + 1):
            part = plain[start:end]
            if part in self.number_of:
                alone |= end == start + 1
                number = self.number_of[part]
                yield end, number, self.vocabulary.scores[number]
            if part not in self.beginnings:
                break
        if not alone:
            yield start + 1, self.unknown, self.unknown_score

    def plain(self, text: str) -> str:
        """Replace characters, and write one blank, as ``▁``, before each word."""
        settings = self.vocabulary
        parts = list(self.replaced(text))
        if settings.remove_extra_whitespaces:
            while parts and parts[0] == " ":
                parts.pop(0)
        if not parts:
            return ""
        written = " " if settings.add_dummy_prefix else ""
        blank_before = settings.remove_extra_whitespaces
        for part in parts:
            part = part.lstrip(" ") if blank_before else part
            written += part
            if part:
                blank_before = part.endswith(" ") and settings.remove_extra_whitespaces
        blank = BLANK if settings.escape_whitespaces else " "
        written = written.replace(" ", blank)
        return written.rstrip(blank) if settings.remove_extra_whitespaces else written

    def replaced(self, text: str) -> Iterator[str]:
        """Cut a text into the parts that are replaced and single characters; replace them."""
        content, place = text.encode(), 0
        while place < len(content):
            found = self.vocabulary.replacements.longest(content, place)
            if found is None:
                length = next(n for n in (1, 2, 3, 4) if _is_start(content, place + n))
                found = content[place : place + length], length
            replacement, length = found
            yield replacement.decode()
            place += length

    def decode(self, numbers: Sequence[int]) -> str:
        """Put pieces together. Marks such as ``</s>`` are left out."""
        pieces = pieces_of("numbers", numbers, self.pieces)
        settings = self.vocabulary
        added = settings.add_dummy_prefix or settings.remove_extra_whitespaces
        written = ""
        for number, piece in zip(numbers, pieces, strict=True):
            type_ = settings.types[number]
            if type_ == UNKNOWN:
                written += settings.unknown_surface
            elif type_ != CONTROL:
                if added and not written and piece.startswith(BLANK):
                    piece = piece.removeprefix(BLANK)
                    added = settings.remove_extra_whitespaces  # then no blank is first
                written += piece.replace(BLANK, " ")
        return written


def _is_start(content: bytes, place: int) -> bool:
    """Tell whether a character of UTF-8 begins at a place, or the text is over."""
    return place >= len(content) or content[place] & 0xC0 != 0x80
