"""Count the numbers in a key–value cache with shared heads (cost: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception


def _keeping(rows: Callable) -> Callable:
    """Count a cache in which each position leaves that many rows in each layer."""

    def numbers(layers, length, heads, d_k, key_value_heads):
        return layers * length * rows(heads, key_value_heads) * d_k

    return numbers


CACHE_NUMBERS = Exercise(
    name="cache_numbers",
    signature="f(layers, length, heads, d_k, key_value_heads)",
    outputs=("numbers",),
    reference=_keeping(lambda heads, shared: 2 * shared),
    stages=(
        (
            example(layers=1, length=3, heads=4, d_k=5, key_value_heads=2),
            example(layers=2, length=3, heads=6, d_k=5, key_value_heads=2),
            example(layers=3, length=7, heads=6, d_k=4, key_value_heads=1),
            example(layers=3, length=7, heads=5, d_k=4, key_value_heads=5),
            example(layers=24, length=1000, heads=24, d_k=64, key_value_heads=8),
        ),
    ),
    misconceptions=(
        misconception(
            "one-of-the-two",
            "Your number is half of what it takes: you count the keys, or the values. Both are "
            "kept.",
            _keeping(lambda heads, shared: shared),
        ),
        misconception(
            "query-heads-counted",
            "You count keys and values for every query head. Several of them share one head of "
            "keys and values, and that is kept once: key_value_heads says how many there are.",
            _keeping(lambda heads, shared: 2 * heads),
        ),
        misconception(
            "queries-kept",
            "You count queries as well. A query asks once, when its position is new: no later "
            "position needs it.",
            _keeping(lambda heads, shared: 3 * shared),
            _keeping(lambda heads, shared: 2 * shared + heads),
            _keeping(lambda heads, shared: 3 * heads),
        ),
        misconception(
            "one-head",
            "You count a single head of keys and values. There are key_value_heads of them.",
            _keeping(lambda heads, shared: 2),
        ),
        misconception(
            "group-size",
            "You count how many query heads share: heads divided by key_value_heads. What is kept "
            "are the heads of keys and values themselves.",
            _keeping(lambda heads, shared: 2 * heads / shared),
        ),
        misconception(
            "heads-multiplied",
            "You multiply the two numbers of heads. Query heads leave nothing in the cache: it has "
            "the heads of keys and values alone.",
            _keeping(lambda heads, shared: 2 * heads * shared),
        ),
        misconception(
            "bytes",
            "You count bytes. The question is how many numbers there are, whatever each of them "
            "takes.",
            *(_keeping(lambda heads, shared, size=size: size * 2 * shared) for size in (2, 4, 8)),
        ),
        misconception(
            "length-squared",
            "Your number grows with the square of the length. Weights are not kept: a new position "
            "makes its own, and leaves a key and a value behind in each of the shared heads.",
            lambda layers, length, heads, d_k, shared: layers * length**2 * heads,
            lambda layers, length, heads, d_k, shared: layers * length**2 * shared,
            lambda layers, length, heads, d_k, shared: 2 * layers * length**2 * shared * d_k,
            lambda layers, length, heads, d_k, shared: (
                2 * layers * length * shared * d_k + layers * length**2 * heads
            ),
        ),
        misconception(
            "one-layer",
            "You count one layer. Each has keys and values of its own.",
            lambda layers, length, heads, d_k, shared: 2 * length * shared * d_k,
        ),
        misconception(
            "one-position",
            "You count what one position adds. The keys and values of all positions are kept.",
            lambda layers, length, heads, d_k, shared: 2 * layers * shared * d_k,
        ),
        misconception(
            "vectors-counted",
            "You count keys and values. Each is a row of d_k numbers.",
            lambda layers, length, heads, d_k, shared: 2 * layers * length * shared,
        ),
        misconception(
            "d_k-divided-by-heads",
            "You divide d_k by the number of heads. It is the width of one head already.",
            lambda layers, length, heads, d_k, shared: 2 * layers * length * shared * d_k / heads,
            lambda layers, length, heads, d_k, shared: 2 * layers * length * d_k // heads * shared,
        ),
    ),
    symptoms=(
        Symptom(
            "too-many",
            "You count too many. Write down the shape of what one layer keeps.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of what one layer keeps.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def cache_numbers(answer: object) -> Verdict:
    """Check the size of a key–value cache.

    ``answer(layers, length, heads, d_k, key_value_heads)`` takes the sizes of a
    decoder-only model and the length of one text. Each layer has ``heads`` query
    heads, which share ``key_value_heads`` heads of keys and values; a key and a
    value have d_k numbers each. It returns how many numbers the cache holds when
    the text has been read.
    """
    return CACHE_NUMBERS.check(answer)
