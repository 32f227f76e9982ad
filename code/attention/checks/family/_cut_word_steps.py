"""Ways to cut a word into pieces, right and mistaken, for `cut_word` (family: Exercises)."""

from collections.abc import Callable, Iterator

UNKNOWN = "[UNK]"


def marked(start: int, piece: str) -> str:
    """Write a piece as WordPiece does: with two signs before it if it continues a word."""
    return "##" + piece if start else piece


def longest_first(start: int, length: int) -> range:
    """Give the ends that a piece from ``start`` on may have, that of the longest first."""
    return range(length, start, -1)


def whole_word_unknown(word, pieces, start):
    return [UNKNOWN]


def _as_it_stands(start: int, piece: str) -> list[tuple[str, str]]:
    return [(marked(start, piece), marked(start, piece))]


def cutting(
    forms: Callable = _as_it_stands,
    ends: Callable = longest_first,
    stuck: Callable = whole_word_unknown,
) -> Callable:
    """Make a function like the right one, with some of its parts exchanged.

    ``forms(start, piece)`` gives pairs: what is looked up in the vocabulary, and what is
    returned if it is there. ``stuck(word, pieces, start)`` says what to return where no
    piece fits; a number is the place at which to go on.
    """

    def cut(word, vocabulary):
        pieces, start = [], 0
        while start < len(word):
            found = (
                (written, end)
                for end in ends(start, len(word))
                for looked_up, written in forms(start, word[start:end])
                if looked_up in vocabulary
            )
            piece, end = next(found, (None, 0))
            if piece is not None:
                pieces.append(piece)
                start = end
                continue
            start = stuck(word, pieces, start)
            if not isinstance(start, int):
                return start
        return pieces

    return cut


def all_cuts(word: str, vocabulary: tuple[str, ...], start: int = 0) -> Iterator[list[str]]:
    """Yield each way to cut a word from ``start`` on, those with longer first pieces first."""
    if start == len(word):
        yield []
    for end in longest_first(start, len(word)):
        piece = marked(start, word[start:end])
        if piece in vocabulary:
            yield from ([piece, *rest] for rest in all_cuts(word, vocabulary, end))


def first_of_all_cuts(word, vocabulary):
    return next(all_cuts(word, vocabulary), [UNKNOWN])


def fewest_pieces(word, vocabulary):
    return min(all_cuts(word, vocabulary), key=len, default=[UNKNOWN])


def fewest_if_any(word, vocabulary):
    """Cut as it is right to do, and take the shortest cut only where that finds one."""
    greedy = cutting()(word, vocabulary)
    return greedy if greedy == [UNKNOWN] else fewest_pieces(word, vocabulary)


def from_the_end(word, vocabulary):
    pieces, end = [], len(word)
    while end > 0:
        for start in range(end):
            if marked(start, word[start:end]) in vocabulary:
                pieces.insert(0, marked(start, word[start:end]))
                end = start
                break
        else:
            return [UNKNOWN]
    return pieces


def in_the_order_of_the_list(word, vocabulary):
    pieces, start = [], 0
    while start < len(word):
        for piece in vocabulary:
            plain = piece.removeprefix("##")
            if plain and word.startswith(plain, start) and piece == marked(start, plain):
                pieces.append(piece)
                start += len(plain)
                break
        else:
            return [UNKNOWN]
    return pieces


def longest_anywhere(word, vocabulary):
    """Take the longest piece wherever it stands, then cut what is left on either side."""

    def cut(start, end):
        for length in range(end - start, 0, -1):
            for place in range(start, end - length + 1):
                piece = marked(place, word[place : place + length])
                if piece in vocabulary:
                    return [*cut(start, place), piece, *cut(place + length, end)]
        return [UNKNOWN] if end > start else []

    pieces = cut(0, len(word))
    return [UNKNOWN] if UNKNOWN in pieces else pieces


def rest_taken_whole(word, vocabulary):
    for end in longest_first(0, len(word)):
        if word[:end] in vocabulary:
            return [word[:end], "##" + word[end:]] if end < len(word) else [word]
    return [UNKNOWN]


def whole_or_nothing(word, vocabulary):
    return [word] if word in vocabulary else [UNKNOWN]


def letters(word, vocabulary):
    return [marked(place, letter) for place, letter in enumerate(word)]
