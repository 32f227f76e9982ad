"""Byte-level byte-pair encoding, the tokens of GPT and Llama (the package's own).

A text is cut into words, each with the space before it, and each digit apart. A word is
taken as the bytes of its UTF-8, so that every text can be written with 256 pieces. Then the
pair of neighbours that was learned first is joined, and again, until no learned pair is left.

Sources: Sennrich et al. (2016), section 3.2; Radford et al. (2019), section 2.2, and the
repository of GPT-2, ``encoder.py``, whose way of writing bytes and of cutting this is.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Any

from attention.pretrained._texts import check_text, check_vocabulary, pieces_of
from attention.report import require

NEVER = 1 << 62  # the rank of a pair that was not learned
CONTROL = 3  # the type of a token that no text is cut into, in a GGUF file
# Bytes that can be seen are written as themselves, the others as the characters from 256 on.
SEEN = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), 256)]
UNSEEN = [byte for byte in range(256) if byte not in SEEN]
CHARACTER = {byte: chr(byte) for byte in SEEN} | {
    byte: chr(256 + place) for place, byte in enumerate(UNSEEN)
}
BYTE = {character: byte for byte, character in CHARACTER.items()}

CONTRACTION = re.compile(r"'(?:s|t|re|ve|m|ll|d)")
# Read on the kinds of characters, see `kind`.
WORD = re.compile(r" ?L+| ?N+| ?O+|[ b]+(?![LNO])|[ b]+")


class BytePairs:
    """Cut texts into the tokens of a vocabulary, and put them together again.

    It does what the library ``tokenizers`` does with its steps ``Digits`` (each alone) and
    ``ByteLevel``, as SmolLM2 was trained. Both cut a text in the same way around all
    characters that Python knows; the library may know newer letters and digits, which are
    something else here. A byte that the vocabulary lacks is left out, as there: SmolLM2 has
    no piece for six of ASCII's control characters, nor for the first byte of characters from
    U+40000 to U+BFFFF, which are none so far.

    Parameters
    ----------
    pieces : sequence of str
        The vocabulary: the number of a piece is its place.
    merges : sequence of str
        Pairs of pieces with a space between, in the order in which they were learned.
    control : collection of str, optional
        Pieces that are marks of the model and not of any text, such as ``<|im_start|>``.

    Raises
    ------
    ValueError
        If it is no vocabulary, lacks what a merge makes or a control mark, or has another piece
        that is not written with a character for each byte.
    """

    def __init__(self, pieces: Sequence[str], merges: Sequence[str], control: Sequence[str] = ()):
        self.number_of = check_vocabulary("pieces", pieces)
        self.pieces = list(pieces)
        pairs = [tuple(merge.split(" ")) for merge in merges]
        wrong = next((pair for pair in pairs if len(pair) != 2), None)
        require(wrong is None, "merges", "two pieces with a space between", wrong)
        needed = [*map("".join, pairs), *control]
        missing = [piece for piece in needed if piece not in self.number_of]
        require(not missing, "pieces", "what each merge makes and each mark", missing[:3])
        foreign = [p for p in self.pieces if p not in control and not BYTE.keys() >= set(p)]
        require(not foreign, "pieces", "texts with a character for each byte", foreign[:3])
        self.rank = {pair: rank for rank, pair in enumerate(pairs)}
        self.control = {piece: self.number_of[piece] for piece in control}
        self.join = lru_cache(maxsize=1 << 16)(self._join)

    @classmethod
    def from_metadata(cls, metadata: Mapping[str, Any]) -> "BytePairs":
        """Take the vocabulary from the settings of a GGUF file (see ``gguf.read_metadata``).

        Raises
        ------
        ValueError
            If the file's vocabulary is of another kind.
        """
        kind = metadata.get("tokenizer.ggml.model"), metadata.get("tokenizer.ggml.pre")
        require(kind == ("gpt2", "smollm"), "metadata", "byte pairs cut as in SmolLM", kind)
        pieces = metadata["tokenizer.ggml.tokens"]
        types = metadata["tokenizer.ggml.token_type"]
        control = [piece for piece, type_ in zip(pieces, types, strict=True) if type_ == CONTROL]
        return cls(pieces, metadata["tokenizer.ggml.merges"], control)

    def cut(self, text: str) -> list[str]:
        """Cut a text into pieces, which are written with a character for each byte."""
        check_text("text", text)
        written = ("".join(CHARACTER[byte] for byte in word.encode()) for word in words(text))
        return [piece for word in written for piece in self.join(word)]

    def _join(self, word: str) -> tuple[str, ...]:
        """Join the pieces of a word, that pair first that was learned first."""
        pieces = [char for char in word if char in self.number_of]
        while len(pieces) > 1:
            ranks = [self.rank.get(pair, NEVER) for pair in pairwise(pieces)]
            first = min(ranks)
            if first == NEVER:
                break
            place = ranks.index(first)
            pieces[place : place + 2] = [pieces[place] + pieces[place + 1]]
        return tuple(pieces)

    def encode(self, text: str, with_control: bool = False) -> list[int]:
        """Turn a text into the numbers of its pieces.

        Parameters
        ----------
        text : str
        with_control : bool
            Whether ``<|im_start|>`` and the like in the text are the model's marks. By
            default they are text, so that no reader's text can pretend to be a mark.
        """
        if not with_control or not self.control:
            return [self.number_of[piece] for piece in self.cut(text)]
        check_text("text", text)
        longest_first = sorted(self.control, key=len, reverse=True)
        marks = re.compile(f"({'|'.join(map(re.escape, longest_first))})")
        numbers = []
        for part in filter(None, marks.split(text)):
            known = self.control.get(part)
            numbers += self.encode(part) if known is None else [known]
        return numbers

    def decode(self, numbers: Sequence[int]) -> str:
        """Put pieces together. Bytes that are no whole character become ``�``."""
        marks = self.control
        written = pieces_of("numbers", numbers, self.pieces)
        content = b"".join(
            piece.encode() if piece in marks else bytes(BYTE[char] for char in piece)
            for piece in written
        )
        return content.decode(errors="replace")


def words(text: str) -> Iterator[str]:
    """Cut a text into words, each with the space before it; each digit stands alone."""
    kinds = "".join(map(kind, text))
    for stretch in re.finditer("N|[^N]+", kinds):
        place, end = stretch.span()
        while place < end:
            found = CONTRACTION.match(text, place, end) or WORD.match(kinds, place, end)
            yield text[place : found.end()]
            place = found.end()


def kind(char: str) -> str:
    """Name the kind of a character: letter, number, space, other blank or something else."""
    if char == " ":
        return " "
    if char.isspace() and not "\x1c" <= char <= "\x1f":
        return "b"
    category = unicodedata.category(char)[0]
    return category if category in "LN" else "O"
