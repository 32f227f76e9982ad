"""What all tokenizers ask of their arguments (the package's own)."""

from collections.abc import Sequence

from attention._arguments import as_integer, check_no_text
from attention.report import require


def check_text(name: str, text: object) -> None:
    """Refuse what is no text, or half of a character that UTF-16 writes as two."""
    require(isinstance(text, str), name, "a text", text)
    try:
        text.encode()
    except UnicodeEncodeError as error:
        place = text[error.start]
        raise ValueError(
            f"{name}: expected a text without half characters, got {place!r}"
        ) from None


def check_vocabulary(name: str, pieces: Sequence[str]) -> dict[str, int]:
    """Give each piece of a vocabulary its number; refuse one without pieces, or with one twice."""
    check_no_text(name, pieces, "a sequence of texts")
    number_of = {piece: number for number, piece in enumerate(pieces)}
    wrong = next((piece for piece in pieces if not isinstance(piece, str)), None)
    require(wrong is None, name, "a sequence of texts", wrong)
    require(len(number_of) > 0, name, "at least one", 0)
    twice = len(number_of) != len(pieces)
    require(
        not twice,
        name,
        "each piece once",
        f"{len(pieces)} pieces, {len(number_of)} of them different",
    )
    return number_of


def pieces_of(name: str, numbers: Sequence[int], pieces: Sequence[str]) -> list[str]:
    """Look up the pieces that token numbers stand for; refuse other numbers."""
    check_no_text(name, numbers, "a sequence of token numbers")
    last = len(pieces) - 1
    expected = f"token numbers from 0 to {last}"
    return [pieces[as_integer(name, n, expected, lambda n: 0 <= n <= last)] for n in numbers]
