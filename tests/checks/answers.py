"""Collect right and wrong answers to the exercises, as readers might write them.

They share no code with the catalogue inside `attention.checks`, and are
written in another style: loops, lists and `math` rather than matrices.
"""

from collections import defaultdict

RIGHT = defaultdict(list)
WRONG = defaultdict(list)


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
