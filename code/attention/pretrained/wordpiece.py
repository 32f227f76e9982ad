"""WordPiece, the tokens of BERT: the longest known piece, again and again (the package's own).

First the text is made plain: lower case, no accents, one space for each kind of blank. It is
cut at blanks and around punctuation. Of each word the longest beginning that is in the
vocabulary becomes a token, then the longest that continues it (such a piece is written with
``##`` before it), and so on. A word that cannot be cut so is ``[UNK]``.

Sources: Schuster and Nakajima (2012); Devlin et al. (2019), section 3, and the BERT
repository's ``tokenization.py``, whose ways these are.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from attention.pretrained._cursor import check_file
from attention.pretrained._texts import check_text, check_vocabulary, pieces_of
from attention.report import require

UNKNOWN, START, END = "[UNK]", "[CLS]", "[SEP]"
CONTINUES = "##"
CONTROL = ("Cc", "Cf", "Co")  # control, format and private characters
LONGEST_WORD = 100  # characters; a longer word is UNKNOWN
# Chinese characters, each of which is a word here.
CHINESE = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)


class WordPiece:
    """Cut texts into the pieces of a vocabulary, and put them together again.

    It does what the library ``tokenizers`` does for a BERT without upper case, but for 760
    characters that Python 3.11 knows (``EXCEPTIONS`` in ``tests/pretrained/test_wordpiece.py``):
    504 marks, signs of punctuation and control characters that are newer than the library's
    tables of them, which are Unicode 8's, or have changed since; and 256 rare Chinese
    characters (U+2B820 to U+2B91F), which BERT's own program takes for words of their own and
    the library does not. Where Python's tables are older than the library's, capitals that it
    does not know yet stay as they are. MiniLM has a token for none of all these.

    Parameters
    ----------
    pieces : sequence of str
        The vocabulary: the number of a piece is its place.

    Raises
    ------
    ValueError
        If it is no vocabulary, has a piece twice, or lacks ``[UNK]``, ``[CLS]`` or
        ``[SEP]``.
    """

    def __init__(self, pieces: Sequence[str]):
        self.number_of = check_vocabulary("pieces", pieces)
        self.pieces = list(pieces)
        missing = [mark for mark in (UNKNOWN, START, END) if mark not in self.number_of]
        require(not missing, "pieces", f"{UNKNOWN}, {START} and {END} among them", missing)

    @classmethod
    def from_file(cls, path: str | Path) -> "WordPiece":
        """Take the vocabulary from a ``vocab.txt`` with a piece on each line."""
        check_file(path)
        lines = Path(path).read_text(encoding="utf-8").removesuffix("\n")
        return cls(lines.split("\n"))

    def cut(self, text: str) -> list[str]:
        """Cut a text into pieces."""
        check_text("text", text)
        return [piece for word in words(text) for piece in self.cut_word(word)]

    def cut_word(self, word: str) -> list[str]:
        """Cut a word into the longest pieces, from its beginning on."""
        pieces, start = [], 0
        while start < len(word) <= LONGEST_WORD:
            mark = CONTINUES if start else ""
            ends = range(len(word), start, -1)  # the longest piece first
            end = next((end for end in ends if mark + word[start:end] in self.number_of), None)
            if end is None:
                break
            pieces.append(mark + word[start:end])
            start = end
        return pieces if start == len(word) else [UNKNOWN]

    def encode(self, text: str) -> list[int]:
        """Turn a text into the numbers of its pieces, without ``[CLS]`` and ``[SEP]``."""
        return [self.number_of[piece] for piece in self.cut(text)]

    def encode_sentence(self, text: str) -> list[int]:
        """Turn a text into what a BERT reads: ``[CLS]``, the text, ``[SEP]``."""
        return [self.number_of[START], *self.encode(text), self.number_of[END]]

    def decode(self, numbers: Sequence[int]) -> str:
        """Put pieces together, with a space before each that begins a word.

        What was made plain stays so, and punctuation stands apart.
        """
        pieces = pieces_of("numbers", numbers, self.pieces)
        joined = "".join(
            piece.removeprefix(CONTINUES) if place and piece.startswith(CONTINUES) else f" {piece}"
            for place, piece in enumerate(pieces)
        )
        return joined.removeprefix(" ")


def plain(text: str) -> str:
    """Write a text in small letters without accents, with a space for each kind of blank.

    Control characters go, and Chinese characters get a space on either side.
    """
    cleaned = "".join(_cleaned(char) for char in text)
    parts = unicodedata.normalize("NFD", cleaned)  # é becomes e and an accent
    without_accents = (char for char in parts if unicodedata.category(char) != "Mn")
    # One by one: of a whole word, Python would write a last sigma in its own way.
    return "".join(char.lower() for char in without_accents)


def _cleaned(char: str) -> str:
    if char in "\t\n\r":
        return " "
    if char == "\ufffd" or unicodedata.category(char) in CONTROL:
        return ""
    if char.isspace():
        return " "
    if any(low <= ord(char) <= high for low, high in CHINESE):
        return f" {char} "
    return char


def words(text: str) -> Iterator[str]:
    """Make a text plain, and cut it at blanks and around punctuation."""
    for part in plain(text).split():
        word = ""
        for char in part:
            if is_punctuation(char):
                yield from filter(None, (word, char))
                word = ""
            else:
                word += char
        if word:
            yield word


def is_punctuation(char: str) -> bool:
    """Tell whether a character is punctuation, or one of ASCII's other signs such as ``+``."""
    sign = char.isascii() and char.isprintable() and not char.isalnum() and char != " "
    return sign or unicodedata.category(char).startswith("P")
