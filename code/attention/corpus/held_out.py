"""Combinations of words that training sentences never hold (bottleneck: The sentences).

The choice is made by a hash of the words and not by a generator of random numbers, so it
is the same everywhere and does not depend on what else is in the lexicon.
"""

from functools import cache
from hashlib import blake2b

# The first seed for which training still has every French form of every adjective (tested).
SEED = 15
COMBINATIONS = 0.12  # share of the noun–adjective combinations that is held out
PAIRS = 0.2  # share of the noun pairs that is held out between a pronoun's candidates


def fraction(*words: str) -> float:
    """Turn words into a number between 0 and 1, by a hash: the same on every machine."""
    digest = blake2b(" ".join(words).encode(), digest_size=6).digest()
    return int.from_bytes(digest, "big") / 2**48


@cache
def combination(adjective: str, noun: str) -> bool:
    """Say whether an adjective and a noun never meet in training."""
    return fraction("combination", str(SEED), adjective, noun) < COMBINATIONS


@cache
def pair(one: str, other: str) -> bool:
    """Say whether two nouns are never both candidates of one pronoun in training."""
    return fraction("pair", str(SEED), *sorted((one, other))) < PAIRS
