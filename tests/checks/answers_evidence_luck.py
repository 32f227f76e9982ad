"""Answers to `best_by_luck`, an exercise of the chapter `evidence`, right and wrong."""

from math import comb
from statistics import NormalDist

import numpy as np
from answers import right, wrong


def of_one_head(pairs, from_here, to_there=None):
    """Count the ways to be right in so many pairs, of all ways to be right or wrong."""
    row = [1]
    for _ in range(pairs):
        row = [a + b for a, b in zip([0, *row], [*row, 0], strict=True)]
    return sum(row[from_here:to_there]) / sum(row)


@right("best_by_luck")
def from_pascals_triangle(heads, pairs, right):
    none_does = 1.0
    for _ in range(int(heads)):
        none_does *= 1 - of_one_head(pairs, right)
    return 1 - none_does


@right("best_by_luck")
def from_the_other_end(heads, pairs, right):
    fewer = sum(comb(int(pairs), k) for k in range(int(right)))
    return 1 - (fewer / 2 ** int(pairs)) ** int(heads)


@right("best_by_luck")
def by_convolving(heads, pairs, right):
    shares = np.ones(1)
    for _ in range(pairs):
        shares = np.convolve(shares, [0.5, 0.5])
    return -np.expm1(heads * np.log(max(shares[:right].sum(), 1e-300)))


@wrong("best_by_luck", "one-head")
def _(heads, pairs, right):
    return of_one_head(pairs, right)


@wrong("best_by_luck", "multiplied")
def _(heads, pairs, right):
    return sum(of_one_head(pairs, right) for _ in range(heads))


@wrong("best_by_luck", "multiplied")
def no_more_than_one(heads, pairs, right):
    chance = 0
    for _ in range(heads):
        chance = min(chance + of_one_head(pairs, right), 1)
    return chance


@wrong("best_by_luck", "more-than")
def _(heads, pairs, right):
    return 1 - (1 - of_one_head(pairs, right + 1)) ** heads


@wrong("best_by_luck", "exactly")
def _(heads, pairs, right):
    return 1 - (1 - of_one_head(pairs, right, right + 1)) ** heads


@wrong("best_by_luck", "exactly")
def the_best_has_just_so_many(heads, pairs, right):
    return of_one_head(pairs, 0, right + 1) ** heads - of_one_head(pairs, 0, right) ** heads


@wrong("best_by_luck", "all-heads")
def _(heads, pairs, right):
    return np.prod([of_one_head(pairs, right)] * heads)


@wrong("best_by_luck", "no-head")
def _(heads, pairs, right):
    return of_one_head(pairs, 0, right) ** heads


@wrong("best_by_luck", "at-most")
def _(heads, pairs, right):
    return 1 - (1 - of_one_head(pairs, 0, right + 1)) ** heads


@wrong("best_by_luck", "both-ends")
def _(heads, pairs, right):
    ends = of_one_head(pairs, right) + of_one_head(pairs, right)
    return 1 - (1 - min(ends, 1)) ** heads


@wrong("best_by_luck", "swapped")
def _(heads, pairs, right):
    return from_pascals_triangle(pairs, heads, right)


@wrong("best_by_luck", "pooled")
def _(heads, pairs, right):
    flips, needed = int(heads * pairs), int(heads * right)
    return sum(comb(flips, k) for k in range(needed, flips + 1)) / 2**flips


@wrong("best_by_luck", "normal-curve")
def _(heads, pairs, right):
    curve = NormalDist(pairs / 2, (pairs / 4) ** 0.5)
    return 1 - curve.cdf(right) ** heads


@wrong("best_by_luck", "chance-forgotten")
def _(heads, pairs, right):
    return float(right) / float(pairs)


@wrong("best_by_luck", "percent")
def _(heads, pairs, right):
    return from_pascals_triangle(heads, pairs, right) * 100


@wrong("best_by_luck", "no-chance")
def _(heads, pairs, right):
    return heads * of_one_head(pairs, right) / of_one_head(pairs, 0, right + 1) + 1
