"""Make the bias that lowers a score with the distance (position: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.position._shared import differ


def _bias(of: Callable) -> Callable:
    """Make a bias from ``of(slope, query, key)``, given positions as a column and a row."""

    def bias(slope, length):
        position = np.arange(length)
        return np.broadcast_to(of(slope, position[:, None], position), (length, length)) + 0.0

    return bias


ALIBI_BIAS = Exercise(
    name="alibi_bias",
    signature="f(slope, length)",
    outputs=("bias",),
    reference=_bias(lambda slope, query, key: -slope * np.abs(query - key)),
    stages=(
        (
            example(slope=0.5, length=2),
            example(slope=0.5, length=3),
            example(slope=0.25, length=4),
            example(slope=2.0, length=3),
        ),
        (example(slope=0.5, length=1),),
    ),
    misconceptions=(
        misconception(
            "reward",
            "Your bias is positive: it rewards distance. A distant key should lose.",
            _bias(lambda slope, query, key: slope * np.abs(query - key)),
        ),
        misconception(
            "signed-distance",
            "Your bias changes its sign at the diagonal, so keys on one side of the query gain "
            "by distance. A distance is never negative.",
            _bias(lambda slope, query, key: -slope * (query - key)),
            _bias(lambda slope, query, key: slope * (query - key)),
        ),
        misconception(
            "one-side-only",
            "Keys on one side of the query pay nothing. Here the bias is the same on both sides; "
            "whether a query may look ahead is for the mask to say.",
            _bias(lambda slope, query, key: -slope * np.maximum(query - key, 0)),
            _bias(lambda slope, query, key: -slope * np.maximum(key - query, 0)),
        ),
        misconception(
            "mask-included",
            "Your bias forbids the keys after the query. That is the mask's work; the bias is "
            "finite, and the same on both sides.",
            _bias(lambda slope, query, key: np.where(key > query, -np.inf, -slope * (query - key))),
            _bias(lambda slope, query, key: np.where(key > query, -1e9, -slope * (query - key))),
        ),
        misconception(
            "position-for-distance",
            "Your bias comes from one place alone, the key's or the query's. Distance needs both. "
            "(With a causal mask the softmax would not see the difference between slope times "
            "the key's position and the right bias. Without one it would.)",
            _bias(lambda slope, query, key: slope * key),
            _bias(lambda slope, query, key: -slope * key),
            _bias(lambda slope, query, key: -slope * query),
        ),
        misconception(
            "no-slope",
            "The slope has no effect on your bias. It says how much one step of distance costs.",
            _bias(lambda slope, query, key: -np.abs(query - key)),
        ),
        misconception(
            "divided-by-slope",
            "You divide by the slope. A steeper slope should make distance cost more.",
            _bias(lambda slope, query, key: -np.abs(query - key) / slope),
        ),
        misconception(
            "power",
            "You raise the slope to the power of the distance. The bias is a product. (The "
            "exponential comes later, in the softmax.)",
            _bias(lambda slope, query, key: slope ** np.abs(query - key)),
            _bias(lambda slope, query, key: -(slope ** np.abs(query - key))),
        ),
        misconception(
            "squared",
            "Your bias grows with the square of the distance. Each step costs the same.",
            _bias(lambda slope, query, key: -slope * (query - key) ** 2),
        ),
        misconception(
            "itself-pays",
            "A key at the query's own position already pays. Its distance is 0.",
            _bias(lambda slope, query, key: -slope * (np.abs(query - key) + 1)),
        ),
        misconception(
            "weights-not-bias",
            "You return exponentials of the bias, or weights. The bias is added to the scores; "
            "the softmax comes after.",
            _bias(lambda slope, query, key: np.exp(-slope * np.abs(query - key))),
            lambda slope, length: by_hand.softmax(ALIBI_BIAS.reference(slope, length)),
        ),
        misconception(
            "neighbours-free",
            "A neighbour pays nothing. Its distance is 1, so it pays the slope once.",
            _bias(lambda slope, query, key: -slope * np.maximum(np.abs(query - key) - 1, 0)),
        ),
        misconception(
            "divided-by-length",
            "You divide by the length of the text. One step of distance costs the slope in a "
            "text of any length.",
            lambda slope, length: _bias(lambda m, q, k: -m * np.abs(q - k))(slope, length) / length,
            lambda slope, length: (
                _bias(lambda m, q, k: -m * np.abs(q - k))(slope, length) / max(length - 1, 1)
            ),
        ),
        misconception(
            "logarithm-or-root",
            "Your bias grows more slowly than the distance. Each step costs the same.",
            _bias(lambda slope, query, key: -slope * np.log1p(np.abs(query - key))),
            _bias(lambda slope, query, key: -slope * np.sqrt(np.abs(query - key))),
        ),
    ),
    symptoms=(
        Symptom(
            "own-position",
            "A key at the query's own position is at distance 0, so the diagonal of your bias has "
            "to be 0.",
            lambda inputs, expected, got: differ(np.diagonal(got[0]), 0),
        ),
    ),
)


def alibi_bias(answer: object) -> Verdict:
    """Check the bias that makes distance cost something (ALiBi), for one head.

    ``answer(slope, length)`` takes the head's slope and the number of
    positions. It returns an array (length, length), queries in rows, keys in
    columns: minus the slope times the distance, in both directions alike.
    """
    return ALIBI_BIAS.check(answer)
