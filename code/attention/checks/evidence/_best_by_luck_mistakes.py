"""Common mistakes in `best_by_luck`, with their messages (evidence: Exercises)."""

import math
from collections.abc import Callable

from attention.checks._exercise import misconception


def exactly(pairs: int, right: int) -> float:
    """Give the chance that a coin is right in so many of the pairs, no more and no fewer."""
    return math.comb(pairs, right) / 2**pairs if 0 <= right <= pairs else 0.0


def at_least(pairs: int, right: int) -> float:
    """Give the chance that a coin is right in so many of the pairs or in more."""
    return sum(exactly(pairs, number) for number in range(right, pairs + 1))


def best(one: Callable = at_least, join: Callable = lambda p, heads: 1 - (1 - p) ** heads):
    """Make an answer: the chance of one head, and what becomes of it among several."""
    return lambda heads, pairs, right: join(one(pairs, right), heads)


def _normal(pairs: int, right: float) -> float:
    return math.erfc((right - pairs / 2) / math.sqrt(pairs / 2)) / 2


def _best_is_exactly(heads: int, pairs: int, right: int) -> float:
    return (1 - at_least(pairs, right + 1)) ** heads - (1 - at_least(pairs, right)) ** heads


def _on_average(heads: int, pairs: int, right: int) -> float:
    # Of a head that has as many right as half of the pairs.
    return at_least(heads * pairs, heads * right)


MISTAKES = (
    misconception(
        "one-head",
        "That is the chance of one head that was named before anybody looked. The best of several "
        "is another matter: the number of heads has no effect on your result.",
        best(join=lambda p, heads: p),
    ),
    misconception(
        "multiplied",
        "You multiply the chance of one head by the number of heads. That counts a draw twice in "
        "which two heads do as well, and can exceed 1: ask for the chance that no head does it.",
        best(join=lambda p, heads: heads * p),
        best(join=lambda p, heads: min(1, heads * p)),
    ),
    misconception(
        "more-than",
        "You ask for more than so many right. As many count, too: at least.",
        best(lambda pairs, right: at_least(pairs, right + 1)),
    ),
    misconception(
        "exactly",
        "You take the chance of exactly so many right for each head. One that has more right is "
        "at least as surprising: add up the chances from there to all pairs.",
        best(exactly),
        _best_is_exactly,
    ),
    misconception(
        "all-heads",
        "That is the chance that every head does as well. One is enough.",
        best(join=lambda p, heads: p**heads),
    ),
    misconception(
        "no-head",
        "That is the chance that no head does as well. Take it away from 1.",
        best(join=lambda p, heads: (1 - p) ** heads),
    ),
    misconception(
        "at-most",
        "You add up the chances from none to so many right. At least so many is the other end.",
        best(lambda pairs, right: 1 - at_least(pairs, right + 1)),
        best(lambda pairs, right: 1 - at_least(pairs, right)),
    ),
    misconception(
        "both-ends",
        "You count heads that are wrong as often, too. Here only a head that is right counts.",
        best(lambda pairs, right: min(1, 2 * at_least(pairs, right))),
        best(lambda pairs, right: 2 * at_least(pairs, right)),
    ),
    misconception(
        "swapped",
        "You have swapped the number of heads and the number of pairs.",
        lambda heads, pairs, right: best()(pairs, heads, right),
    ),
    misconception(
        "pooled",
        "You throw all heads together and ask how often they are right on average. The best of "
        "them is asked for.",
        _on_average,
    ),
    misconception(
        "normal-curve",
        "You take the normal curve for the coin. With so few pairs the two differ, most in the "
        "tail, where the best of many heads lies. Count: each pair is right with chance one half.",
        best(_normal),
        best(lambda pairs, right: _normal(pairs, right - 0.5)),
    ),
    misconception(
        "chance-forgotten",
        "You return the share that is right. The question is how often luck does as well.",
        lambda heads, pairs, right: right / pairs,
    ),
    misconception(
        "percent",
        "You return percent. A chance lies between 0 and 1.",
        lambda heads, pairs, right: 100 * best()(heads, pairs, right),
    ),
)
