"""Common mistakes in `cut_word`, with their messages (family: Exercises)."""

from attention.checks._exercise import misconception
from attention.checks.family._cut_word_steps import (
    UNKNOWN,
    cutting,
    fewest_if_any,
    fewest_pieces,
    first_of_all_cuts,
    from_the_end,
    in_the_order_of_the_list,
    letters,
    longest_anywhere,
    marked,
    rest_taken_whole,
    whole_or_nothing,
)


def _shortest_first(start, length):
    return range(start + 1, length + 1)


MISTAKES = (
    misconception(
        "shortest-first",
        "You take the shortest piece that fits. The longest is asked for: begin with all that is "
        "left of the word, and leave out one letter after the other.",
        cutting(ends=_shortest_first),
    ),
    misconception(
        "marks-ignored",
        "You look every piece up without ##. A piece that continues a word stands in the "
        "vocabulary with ## before it, and without it only if a word may also begin so.",
        cutting(lambda start, piece: [(piece, piece)]),
        cutting(lambda start, piece: [(piece, marked(start, piece))]),
    ),
    misconception(
        "marks-not-returned",
        "The word is cut in the right places, but you return the pieces without their ##. The "
        "mark belongs to the piece: ##s and s are two entries.",
        cutting(lambda start, piece: [(marked(start, piece), piece)]),
    ),
    misconception(
        "first-piece-marked",
        "You put ## before the first piece, too. It begins the word: only those after it continue "
        "one.",
        cutting(lambda start, piece: [("##" + piece, "##" + piece)]),
        cutting(lambda start, piece: [(marked(start, piece), "##" + piece)]),
    ),
    misconception(
        "rest-unknown",
        'Where no piece fits you keep what you have and put "[UNK]" behind it. Such a word is '
        "unknown as a whole: no piece of it is kept.",
        cutting(stuck=lambda word, pieces, start: [*pieces, UNKNOWN]),
    ),
    misconception(
        "broken-off",
        "Where no piece fits you return the pieces so far, as though the word ended there. It is "
        'unknown as a whole: ["[UNK]"].',
        cutting(stuck=lambda word, pieces, start: pieces),
    ),
    misconception(
        "letters-left-out",
        "Where no piece fits you leave out a letter and go on. The word is unknown as a whole.",
        cutting(stuck=lambda word, pieces, start: start + 1),
    ),
    misconception(
        "unknown-letters",
        'You put "[UNK]" for a letter that fits nowhere, and go on behind it. The word is unknown '
        "as a whole.",
        cutting(stuck=lambda word, pieces, start: pieces.append(UNKNOWN) or start + 1),
    ),
    misconception(
        "letters-kept",
        "Where no piece fits you return a letter that is not in the vocabulary, and go on. The "
        "word is unknown as a whole.",
        cutting(stuck=lambda w, pieces, s: pieces.append(marked(s, w[s])) or s + 1),
    ),
    misconception(
        "word-as-it-is",
        "You return the word itself where it cannot be cut. The model has no number for it, but "
        'one for ["[UNK]"].',
        cutting(stuck=lambda word, pieces, start: [word]),
    ),
    misconception(
        "nothing-for-unknown",
        'You return an empty list where a word cannot be cut. Then it is ["[UNK]"]: a word must '
        "not vanish.",
        cutting(stuck=lambda word, pieces, start: []),
    ),
    misconception(
        "goes-back",
        "Where no piece fits you go back and try a shorter one before it. WordPiece never goes "
        "back: a word that the longest pieces do not cut is unknown, though others might.",
        first_of_all_cuts,
    ),
    misconception(
        "fewest-pieces",
        "You look for the cut with the fewest pieces. WordPiece is greedy: it takes the longest "
        "piece at each place, whatever follows.",
        fewest_pieces,
        fewest_if_any,
    ),
    misconception(
        "from-the-end",
        "You go from the end of the word to its beginning. The first piece is chosen first.",
        from_the_end,
    ),
    misconception(
        "longest-anywhere",
        "You take the longest piece wherever it stands in the word. Go from the beginning: the "
        "longest piece that begins right here.",
        longest_anywhere,
    ),
    misconception(
        "first-in-the-list",
        "You take the first piece in the vocabulary that fits. Its order says nothing here: "
        "take the longest.",
        in_the_order_of_the_list,
    ),
    misconception(
        "rest-not-cut",
        "You find the first piece and return all the rest as the second, without looking it up. "
        "It is cut in the same way.",
        rest_taken_whole,
    ),
    misconception(
        "whole-words-only",
        "You look up the whole word and nothing else. If it is not in the vocabulary, look for "
        "the longest piece that it begins with.",
        whole_or_nothing,
    ),
    misconception(
        "letters",
        "You cut the word into letters. A piece is as long as the vocabulary allows.",
        letters,
        cutting(ends=lambda start, length: [start + 1]),
    ),
    misconception(
        "always-unknown",
        'Every word is ["[UNK]"] to you. Does the longest piece that you try reach the end of the '
        "word? The end of a slice is not in it: all that is left is word[start:len(word)].",
        cutting(ends=lambda start, length: range(length - 1, start, -1)),
    ),
    misconception(
        "last-letter-missed",
        "Your pieces never reach the last letter. The end of a slice is not in it: the longest "
        "piece is word[start:len(word)].",
        cutting(
            ends=lambda start, length: range(length - 1, start, -1),
            stuck=lambda word, pieces, start: pieces,
        ),
    ),
    misconception(
        "one-letter-missed",
        "You never try a piece of one letter. It is the last to be tried.",
        cutting(ends=lambda start, length: range(length, start + 1, -1)),
    ),
    misconception(
        "begins-with-a-continuation",
        "You let a word begin with a piece that has ##. Such a piece only continues one.",
        cutting(
            lambda start, piece: [(mark + piece, mark + piece) for mark in ("", "##")[start > 0 :]]
        ),
    ),
    misconception(
        "marks-optional",
        "You accept a piece with or without its mark. Behind the first piece only those with ## "
        "fit, and at the beginning only those without.",
        cutting(lambda start, piece: [(mark + piece, mark + piece) for mark in ("", "##")]),
        cutting(lambda start, piece: [(mark + piece, mark + piece) for mark in ("##", "")]),
        cutting(lambda start, piece: [(m + piece, m + piece) for m in ("##", "")[start == 0 :]]),
    ),
)
