"""Join the causal mask with the padding mask of a batch (masking: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.masking._shared import (
    INVERTED,
    NUMBERS_FOR_BOOLEANS,
    SEES_THE_FUTURE,
    hides_too_much,
    lets_in_too_much,
    query_and_key,
)


def _combined(allowed: Callable) -> Callable:
    """Make masks from a rule for query, key, real tokens and number of positions."""

    def mask(lengths, length):
        query, key = query_and_key(length)  # (length, 1), (length,)
        real = lengths[:, None, None]  # (batch, 1, 1)
        return np.broadcast_to(allowed(query, key, real, length), (len(lengths), length, length))

    return mask


def _causal_for_length(choose: Callable) -> Callable:
    """Make one mask for the whole batch, from one of its lengths."""

    def mask(lengths, length):
        query, key = query_and_key(length)
        return (key <= query) & (key < choose(lengths))

    return mask


COMBINED_MASK = Exercise(
    name="combined_mask",
    signature="f(lengths, length)",
    outputs=("mask",),
    reference=lambda lengths, length: (
        by_hand.causal_mask(length) & by_hand.padding_mask(lengths, length)
    ),
    stages=(
        (
            example(lengths=np.array([1]), length=2),
            example(lengths=np.array([2]), length=2),
            example(lengths=np.array([2]), length=3),
            example(lengths=np.array([2, 1]), length=2),
            example(lengths=np.array([1, 3]), length=3),
            example(lengths=np.array([1, 2]), length=4),
            example(lengths=np.array([3, 1, 2]), length=3),
        ),
        (example(lengths=np.array([0, 2]), length=2),),
    ),
    misconceptions=(
        misconception(
            "or",
            "You join the two masks with or: a key may be seen if either mask allows it. Both "
            "must allow it.",
            _combined(lambda query, key, real, length: (key <= query) | (key < real)),
        ),
        misconception(
            "padding-on-the-query-side",
            "You empty the rows of the padded queries. Padding is hidden as a key, in its column; "
            "a padded query keeps its row, and what it returns is not used. An empty row "
            "has nothing to average.",
            _combined(lambda query, key, real, length: (key <= query) & (query < real)),
            _combined(lambda query, key, real, length: query < real),
        ),
        misconception(
            "only-causal",
            "The lengths have no effect: your mask hides the future, and padding may be seen.",
            _combined(lambda query, key, real, length: key <= query),
        ),
        misconception(
            "only-padding",
            "Your mask hides padding, but a query may still attend to what comes after it.",
            _combined(lambda query, key, real, length: key < real),
        ),
        misconception(
            "inverted",
            INVERTED,
            _combined(lambda query, key, real, length: (key > query) | (key >= real)),
        ),
        misconception(
            "causal-inverted",
            "The causal part is turned round: a query sees what comes after it and not what came "
            "before. The padding part is right.",
            _combined(lambda query, key, real, length: (key > query) & (key < real)),
            _combined(lambda query, key, real, length: (key >= query) & (key < real)),
        ),
        misconception(
            "padding-inverted",
            "The padding part is turned round: the padded keys may be seen, the real ones not. "
            "The causal part is right.",
            _combined(lambda query, key, real, length: (key <= query) & (key >= real)),
        ),
        misconception(
            "padding-at-the-left",
            "You hide keys at the beginning of the sequence. Here padding comes after the real "
            "tokens.",
            _combined(lambda query, key, real, length: (key <= query) & (key >= length - real)),
        ),
        misconception(
            "one-padded-key-let-in",
            "The first padded key may still be seen. Counting starts at 0: the last real token "
            "stands at the length minus 1.",
            _combined(lambda query, key, real, length: (key <= query) & (key <= real)),
        ),
        misconception(
            "last-token-hidden",
            "The last real token of each sequence is hidden as well. Counting starts at 0: it "
            "stands at the length minus 1.",
            _combined(lambda query, key, real, length: (key <= query) & (key < real - 1)),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself. The diagonal belongs to what may be seen, as far "
            "as the tokens are real.",
            _combined(lambda query, key, real, length: (key < query) & (key < real)),
        ),
        misconception(
            "one-length-for-all",
            "You use one length, the longest or the shortest, for the whole batch. Each sequence "
            "has a mask of its own.",
            _combined(lambda query, key, real, length: (key <= query) & (key < real.max())),
            _combined(lambda query, key, real, length: (key <= query) & (key < real.min())),
        ),
        misconception(
            "batch-axis-missing",
            "You return one mask for the whole batch. Each sequence has a length, and so a mask, "
            "of its own: the first axis is the batch.",
            _causal_for_length(np.max),
            _causal_for_length(np.min),
        ),
        misconception(
            "axis-for-the-heads",
            "Your mask has one axis too many: an axis of size 1 stands where the heads would be. "
            "Here there are three axes: batch, queries and keys.",
            lambda lengths, length: (
                by_hand.causal_mask(length) & by_hand.padding_mask(lengths, length)
            )[:, None],
        ),
        misconception(
            "full-sequence-emptied",
            "A sequence without padding is hidden entirely. A slice that starts at -0 starts at "
            "the beginning: it takes everything where nothing was meant.",
            _combined(
                lambda query, key, real, length: (key <= query) & (key < real) & (real < length)
            ),
        ),
        misconception(
            "first-length-for-all",
            "You use the first length for the whole batch. Each sentence has its own.",
            _combined(lambda query, key, real, length: (key <= query) & (key < real[0])),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "looks-at-padding",
            "The future is hidden, but some padded key may be seen: in its column there is a True.",
            lets_in_too_much,
        ),
        Symptom(
            "hides-real-keys",
            "Nothing forbidden may be seen, but some real key is hidden from a query that comes "
            "after it.",
            hides_too_much,
        ),
    ),
    boolean=True,
)


def combined_mask(answer: object) -> Verdict:
    """Check the causal mask joined with the padding mask.

    ``answer(lengths, length)`` takes ``lengths`` (batch,), the number of real
    tokens of each sequence (padding comes after them), and the number of
    positions. It returns a boolean array (batch, length, length): ``True``
    where a query may attend to a key that is real and not in its future.
    Padded queries keep their rows.
    """
    return COMBINED_MASK.check(answer)
