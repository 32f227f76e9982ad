"""Which words fit each other, and a draw among them (bottleneck: The sentences)."""

from collections.abc import Callable, Sequence
from functools import cache
from random import Random
from typing import TypeVar

from attention.corpus import held_out
from attention.corpus.lexicon import ADJECTIVES, NOUNS, Adjective, Noun, Tags, noun_categories

Item = TypeVar("Item")
Fits = Callable[[Noun], bool]
PART: Tags = frozenset({"part", "closable"})  # of something that is named with it


class MisfitError(Exception):
    """No words go together in this shape: draw again."""


def pick(options: Sequence[Item], rng: Random) -> Item:
    """Draw one of the options; by ``random()`` alone, which is the same everywhere."""
    if not options:
        raise MisfitError
    return options[int(rng.random() * len(options))]


def any_noun(noun: Noun) -> bool:
    """Let every noun fit."""
    return True


@cache
def fitting_adjectives(noun: Noun, place: str, unseen: bool) -> tuple[Adjective, ...]:
    """List what can be said of a noun; the held-out combinations only if ``unseen``."""
    return tuple(
        adjective
        for adjective in ADJECTIVES.values()
        if adjective.suits(noun)
        and (adjective.predicate if place == "predicate" else adjective.place == place)
        and (unseen or not held_out.combination(adjective.name, noun.name))
    )


@cache
def fitting_nouns(
    symbol: str, tags: Tags, numbers: tuple[bool, ...], places: tuple[str, ...], unseen: bool
) -> tuple[Noun, ...]:
    """List the nouns of a category with one of some tags.

    Each has one of some numbers, and adjectives for some places.
    """
    return tuple(
        noun
        for noun in NOUNS.values()
        if noun.tags & tags
        and symbol in noun_categories(noun)
        and set(noun.numbers) & set(numbers)
        and all(fitting_adjectives(noun, place, unseen) for place in places)
    )
