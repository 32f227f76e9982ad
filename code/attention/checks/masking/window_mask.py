"""Make the mask of a sliding window (masking: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Pitfall, Symptom, Verdict, example, misconception
from attention.checks.masking._shared import (
    INVERTED,
    NUMBERS_FOR_BOOLEANS,
    SEES_THE_FUTURE,
    hides_too_much,
    lets_in_too_much,
    query_and_key,
)


def _window(allowed: Callable) -> Callable:
    """Make a mask from a rule for query, key and window."""

    def mask(length, window):
        query, key = query_and_key(length)
        return np.broadcast_to(allowed(query, key, window), (length, length))

    return mask


def _wrapped(length, window):
    query, key = query_and_key(length)
    return (query - key) % length < window


WINDOW_MASK = Exercise(
    name="window_mask",
    signature="f(length, window)",
    outputs=("mask",),
    reference=_window(lambda query, key, window: (key <= query) & (query - key < window)),
    stages=(
        (
            example(length=2, window=1),
            example(length=3, window=2),
            example(length=4, window=2),
            example(length=5, window=3),
        ),
        (example(length=2, window=2), example(length=3, window=5)),
    ),
    pitfalls=(
        Pitfall(
            "window-longer-than-the-sequence",
            "A window may be longer than the sequence: then a position sees all before it.",
            lambda inputs: inputs["window"] > inputs["length"],
        ),
    ),
    misconceptions=(
        misconception(
            "two-sided",
            "Your window reaches to both sides, so that a position also sees what comes after it. "
            "It should reach back only.",
            _window(lambda query, key, window: abs(query - key) < window),
        ),
        misconception(
            "centred",
            "You centre the window on each position, half of it before and half after. It should "
            "reach back only.",
            _window(lambda query, key, window: abs(query - key) <= window // 2),
        ),
        misconception(
            "one-too-many",
            "Your window is one too wide: each position sees itself and as many before it as the "
            "window is wide. It counts itself, so there is room for one fewer.",
            _window(lambda query, key, window: (key <= query) & (query - key <= window)),
        ),
        misconception(
            "one-too-few",
            "Your window is one too narrow. With a window of 1 each position sees itself, with a "
            "window of 2 also the one before.",
            _window(lambda query, key, window: (key <= query) & (query - key < window - 1)),
        ),
        misconception(
            "future-not-hidden",
            "The window ends in the past where it should, but the future is not hidden: "
            "everything after a position may be seen.",
            _window(lambda query, key, window: query - key < window),
        ),
        misconception(
            "transposed",
            "Your mask is transposed: each position sees itself and what comes after it. The "
            "rows are the queries, the columns the keys.",
            _window(lambda query, key, window: (key >= query) & (key - query < window)),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself. The window begins with the position itself.",
            _window(lambda query, key, window: (key < query) & (query - key < window)),
            _window(lambda query, key, window: (key < query) & (query - key <= window)),
        ),
        misconception(
            "blocks",
            "You cut the sequence into blocks, and nobody sees across a border. A window slides: "
            "each position has its own.",
            _window(lambda query, key, window: (key <= query) & (query // window == key // window)),
            _window(lambda query, key, window: query // window == key // window),
        ),
        misconception(
            "inverted",
            INVERTED,
            _window(lambda query, key, window: (key > query) | (query - key >= window)),
        ),
        misconception(
            "outside-the-window",
            "You keep what lies before the window and hide the window itself: the second "
            "comparison is the wrong way round.",
            _window(lambda query, key, window: (key <= query) & (query - key >= window)),
        ),
        misconception(
            "window-ignored",
            "The window has no effect: each position sees everything before it, as with the "
            "causal mask.",
            _window(lambda query, key, window: key <= query),
        ),
        misconception(
            "wraps-around",
            "The window of the first positions wraps around to the end of the sequence, which is "
            "their future. At the beginning there are fewer positions to see.",
            _wrapped,
        ),
        misconception(
            "first-positions-only",
            "Every position sees the first ones of the sequence. The window belongs to the query "
            "and moves along with it.",
            _window(lambda query, key, window: (key <= query) & (key < window)),
            _window(lambda query, key, window: key < window),
        ),
        misconception(
            "or",
            "You join the two conditions with or. A key may be seen if it comes no later and "
            "lies within the window: both.",
            _window(lambda query, key, window: (key <= query) | (query - key < window)),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "reaches-too-far-back",
            "The future is hidden, but some position sees further back than its window reaches.",
            lets_in_too_much,
        ),
        Symptom(
            "hides-the-window",
            "Nothing outside the window may be seen, but something inside it is hidden too.",
            hides_too_much,
        ),
    ),
    boolean=True,
)


def window_mask(answer: object) -> Verdict:
    """Check the mask of a sliding window.

    ``answer(length, window)`` takes the number of positions and the width of
    the window, at least 1. It returns a boolean array (length, length):
    ``True`` where a query may attend to a key, that is to itself and to the
    ``window - 1`` positions before it.
    """
    return WINDOW_MASK.check(answer)
