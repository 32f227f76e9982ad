"""Make the mask that hides the future (masking: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.masking._shared import (
    INVERTED,
    NUMBERS_FOR_BOOLEANS,
    SEES_THE_FUTURE,
    hides_too_much,
    query_and_key,
)


def _causal(allowed: Callable) -> Callable:
    """Make a mask from a rule for the position of the query and that of the key."""
    return lambda length: np.broadcast_to(allowed(*query_and_key(length)), (length, length))


CAUSAL_MASK = Exercise(
    name="causal_mask",
    signature="f(length)",
    outputs=("mask",),
    reference=by_hand.causal_mask,
    stages=(tuple(example(length=length) for length in (1, 2, 3, 4)),),
    misconceptions=(
        misconception(
            "transposed",
            "Your mask is transposed: each position sees itself and what comes after it. The "
            "rows are the queries, the columns the keys.",
            _causal(lambda query, key: key >= query),
        ),
        misconception(
            "inverted",
            INVERTED,
            _causal(lambda query, key: key > query),
        ),
        misconception(
            "excludes-itself",
            "No position may attend to itself, and the first may attend to nothing at all. The "
            "diagonal belongs to what may be seen: the next token is predicted, not this one.",
            _causal(lambda query, key: key < query),
        ),
        misconception(
            "one-step-into-the-future",
            "Each position also sees the one after it. That one token is just what it has to "
            "predict.",
            _causal(lambda query, key: key <= query + 1),
        ),
        misconception(
            "everything-allowed",
            "Your mask is True everywhere, so it hides nothing.",
            _causal(lambda query, key: True),
        ),
        misconception(
            "nothing-allowed",
            "Your mask is False everywhere: nobody may attend to anything.",
            _causal(lambda query, key: False),
        ),
        misconception(
            "only-itself",
            "Each position sees itself alone. What came before it may be seen too.",
            _causal(lambda query, key: key == query),
        ),
        misconception(
            "only-the-previous",
            "Each position sees only the one right before it. It may see itself and everything "
            "before it.",
            _causal(lambda query, key: key == query - 1),
        ),
        misconception(
            "itself-and-the-previous",
            "Each position sees itself and one before it. It may see everything before it.",
            _causal(lambda query, key: (key <= query) & (key >= query - 1)),
        ),
        misconception(
            "mirrored",
            "The triangle stands in the wrong corner: your mask is mirrored. The diagonal runs "
            "from the top left to the bottom right, and what lies below it is True.",
            lambda length: np.fliplr(by_hand.causal_mask(length)),
            lambda length: np.flipud(by_hand.causal_mask(length)),
        ),
        misconception(
            "first-column-only",
            "Every position sees only the first one. A row is one query: its entries are True up "
            "to its own position.",
            _causal(lambda query, key: key == 0),
        ),
    ),
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        SEES_THE_FUTURE,
        Symptom(
            "hides-the-past",
            "Nobody sees the future, but not all of the past may be seen: on or below the "
            "diagonal there is a False.",
            hides_too_much,
        ),
    ),
    boolean=True,
)


def causal_mask(answer: object) -> Verdict:
    """Check the mask that hides the future.

    ``answer(length)`` takes the number of positions and returns a boolean
    array (length, length): ``True`` where the query of this row may attend to
    the key of this column, that is to itself and to what came before.
    """
    return CAUSAL_MASK.check(answer)
