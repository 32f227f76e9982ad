"""Collect right and wrong answers to the exercises, as readers might write them.

They share no code with the catalogue inside `attention.checks`, and are
written in another style: loops, lists and `math` rather than matrices.
"""

from collections import defaultdict

RIGHT = defaultdict(list)
WRONG = defaultdict(list)
STOPS = defaultdict(list)

# How many different mistakes a checker must know at least: masks are where most go wrong.
MASK_EXERCISES = ("causal_mask", "combined_mask", "masked_softmax", "window_mask", "may_attend")
FEWEST = defaultdict(lambda: 4, attention=14, **dict.fromkeys(MASK_EXERCISES, 8))


def right(exercise):
    """Mark a function as a right answer to an exercise."""

    def register(function):
        RIGHT[exercise].append(function)
        return function

    return register


def wrong(exercise, slug):
    """Mark a function as a wrong answer that must get this diagnosis."""

    def register(function):
        WRONG[exercise].append((slug, function))
        return function

    return register


def stops(exercise, slug):
    """Mark a function as an answer that stops in some examples, and meets this pitfall."""

    def register(function):
        STOPS[exercise].append((slug, function))
        return function

    return register
