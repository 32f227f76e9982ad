"""Common mistakes in `strongest_sources`, with their messages (alignment: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception


def strongest(weights, source_length, target_length):
    places = weights[:target_length].argmax(-1)
    return np.where(places < source_length, places, -1)


def _one_row_late(weights, source_length, target_length):
    return strongest(weights[1:], source_length, target_length)


def _one_row_early(weights, source_length, target_length):
    return strongest(np.concatenate([weights[:1], weights]), source_length, target_length)


def _places(weights, target_length, is_word, otherwise=-1):
    """Find the largest weights; ``is_word(place)`` may be mistaken."""
    place = weights[:target_length].argmax(-1)
    return np.where(is_word(place), place, otherwise)


MISTAKES = (
    misconception(
        "one-row-late",
        "You read one row late. Row t belongs to the step that writes word t; in the next "
        "row that word is read, and the model looks for the one after it.",
        _one_row_late,
    ),
    misconception(
        "one-row-early",
        "You read one row early. Row 0 belongs to the first word: the start token is never "
        "written.",
        _one_row_early,
    ),
    misconception(
        "over-the-columns",
        "You ask which target word looks hardest at each source word. Asked is the source "
        "word that each target word looks at: the largest entry of each row.",
        lambda weights, source_length, target_length: weights.argmax(0)[:target_length],
        lambda weights, source_length, target_length: strongest(
            weights[:target_length].T, source_length, target_length
        ),
    ),
    misconception(
        "end-taken-for-a-word",
        "A row that looks at the end of the source gets the number of that place. It is no "
        "word: -1 is asked for.",
        lambda weights, source_length, target_length: weights[:target_length].argmax(-1),
    ),
    misconception(
        "end-cut-off-first",
        "You cut the end of the source off before you look for the largest weight. A word "
        "that looks there is then linked to some other place; -1 is asked for.",
        lambda weights, source_length, target_length: weights[
            :target_length, :source_length
        ].argmax(-1),
    ),
    misconception(
        "smallest",
        "You return the place of the smallest weight.",
        lambda weights, source_length, target_length: weights[:target_length].argmin(-1),
        lambda weights, source_length, target_length: _places(
            -weights, target_length, lambda place: place < source_length
        ),
    ),
    misconception(
        "weight-and-not-place",
        "You return the largest weight itself. Its place in the row is asked for.",
        lambda weights, source_length, target_length: weights[:target_length].max(-1),
    ),
    misconception(
        "counted-from-1",
        "Your places count from 1. Here they count from 0, as all places in Python do.",
        lambda weights, source_length, target_length: (
            strongest(weights, source_length, target_length) + 1
        ),
    ),
    misconception(
        "all-rows",
        "You return a place for each row. The rows after the last word are those of the "
        "target's end and of padding: leave them out.",
        lambda weights, source_length, target_length: strongest(
            weights, source_length, len(weights)
        ),
    ),
    misconception(
        "zero-for-no-word",
        "Where the largest weight is on no word you return 0, which is the place of the "
        "first word. Return -1 there.",
        lambda weights, source_length, target_length: _places(
            weights, target_length, lambda place: place < source_length, 0
        ),
    ),
    misconception(
        "end-counted-as-a-word",
        "The place right after the last word passes for a word. Places count from 0: those "
        "of words are smaller than source_length.",
        lambda weights, source_length, target_length: _places(
            weights, target_length, lambda place: place <= source_length
        ),
    ),
    misconception(
        "padding-counted-as-words",
        "You return -1 for the place of END alone. The columns after it, which are padding,"
        " are no words either.",
        lambda weights, source_length, target_length: _places(
            weights, target_length, lambda place: place != source_length
        ),
    ),
    misconception(
        "padding-cut-off-first",
        "You cut the padding off before you look for the largest weight. A word that looks "
        "there is then linked to another place.",
        lambda weights, source_length, target_length: _places(
            weights[:, : source_length + 1], target_length, lambda place: place < source_length
        ),
    ),
    misconception(
        "last-word-left-out",
        "The last word of the source passes for no word. Its place is source_length - 1, "
        "since places count from 0.",
        lambda weights, source_length, target_length: _places(
            weights, target_length, lambda place: place < source_length - 1
        ),
    ),
    misconception(
        "lengths-swapped",
        "The two lengths have changed places. Rows belong to the words of the target, "
        "columns to those of the source.",
        lambda weights, source_length, target_length: strongest(
            weights, target_length, source_length
        ),
    ),
    misconception(
        "no-word-left-out",
        "You leave out the target words whose largest weight is on no word. They keep their "
        "place, and -1 stands there.",
        lambda weights, source_length, target_length: _places(
            weights, target_length, lambda place: place < source_length, -1
        )[weights[:target_length].argmax(-1) < source_length],
    ),
)
