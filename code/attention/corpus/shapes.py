"""Draw a derivation of a given length, without words (bottleneck: The sentences).

Among the shapes of n tokens, each is drawn with the probability that the grammar's
weights give it, exactly: the sums over all shapes are tabulated by length. So a corpus
can have any distribution of lengths, and no sentence is thrown away for being too long
or too short.
"""

from bisect import bisect_right
from functools import cache
from itertools import accumulate
from random import Random

from attention.corpus.rules import Rule, is_word, rules
from attention.corpus.trees import Leaf, Node


@cache
def probability(item: str, length: int) -> float:
    """Return the probability that an item of a rule comes out ``length`` tokens long."""
    options = rules().get(item)
    if options is None:  # a word
        return float(length == 1)
    total = sum(rule.weight for rule in options)
    return sum(rule.weight * _all_of(rule.english, length) for rule in options) / total


@cache
def _all_of(items: tuple[str, ...], length: int) -> float:
    """Return the probability that some items are ``length`` tokens long together."""
    first, rest = items[0], items[1:]
    if not rest:
        return probability(first, length)
    chances = (
        probability(first, own) * _all_of(rest, length - own)
        for own in range(1, length - len(rest) + 1)
    )
    return sum(chances, start=0.0)


def _divisions(items: tuple[str, ...], length: int) -> list[tuple[tuple[int, ...], float]]:
    """List the ways to divide a length among items, with their probabilities."""
    first, rest = items[0], items[1:]
    if not rest:
        return [((length,), probability(first, length))]
    return [
        ((own, *others), probability(first, own) * chance)
        for own in range(1, length - len(rest) + 1)
        if probability(first, own)
        for others, chance in _divisions(rest, length - own)
    ]


@cache
def _menu(symbol: str, length: int) -> tuple[list[tuple[Rule, tuple[int, ...]]], list[float]]:
    """List what a category of a given length can be, with cumulative weights."""
    options = [
        ((rule, division), rule.weight * chance)
        for rule in rules()[symbol]
        for division, chance in _divisions(rule.english, length)
        if chance
    ]
    return [option for option, _ in options], list(accumulate(weight for _, weight in options))


def shape(symbol: str, length: int, rng: Random) -> Node:
    """Draw a derivation of ``length`` tokens; its leaves have no words yet."""
    options, weights = _menu(symbol, length)
    rule, division = options[bisect_right(weights, rng.random() * weights[-1])]
    children = []
    for item, own in zip(rule.english, division, strict=True):
        if item in rules():
            children.append(shape(item, own, rng))
        else:
            children.append(Leaf(item, word=item if is_word(item) else ""))
    return Node(rule, children)
