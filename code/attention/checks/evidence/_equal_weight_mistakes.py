"""Common mistakes in `equal_weight`, with their messages (evidence: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception

Array = np.ndarray


def drawing(
    count: Callable = lambda sums, goal: 1 + np.sum(sums < goal),
    arranged: Callable = lambda weights, order: order,
) -> Callable:
    """Make a draw from how many words it takes, by their sums so far, and in what order."""

    def drawn(weights, order, goal):
        places = arranged(weights, order)
        sums = np.cumsum(weights[places])
        chosen = np.zeros(len(weights), dtype=bool)
        chosen[places[: max(count(sums, goal), 0)]] = True
        return chosen

    return drawn


right_equal_weight = drawing()


def _nearest(weights: Array, order: Array, goal: float) -> Array:
    chosen = np.zeros(len(weights), dtype=bool)
    chosen[order[np.argmin(np.abs(weights[order] - goal))]] = True
    return chosen


MISTAKES = (
    misconception(
        "one-too-few",
        "You stop before the goal is reached. The control must weigh at least as much as the "
        "edge, or it proves nothing: take one word more.",
        drawing(count=lambda sums, goal: np.sum(sums < goal)),
    ),
    misconception(
        "one-too-many",
        "You take one word more than it needs.",
        drawing(count=lambda sums, goal: 2 + np.sum(sums < goal)),
    ),
    misconception(
        "goal-passed",
        "Where the words weigh exactly as much as the goal, you take one more. At least the "
        "goal is enough.",
        drawing(count=lambda sums, goal: 1 + np.sum(sums <= goal)),
    ),
    misconception(
        "heaviest-first",
        "You take the heaviest words first. The order is given: it was drawn at random, and a "
        "control that you choose is no random one.",
        drawing(arranged=lambda weights, order: order[np.argsort(-weights[order])]),
    ),
    misconception(
        "lightest-first",
        "You take the lightest words first. The order is given: it was drawn at random.",
        drawing(arranged=lambda weights, order: order[np.argsort(weights[order])]),
    ),
    misconception(
        "from-left-to-right",
        "You take the words from left to right. Take them in the given order, which was drawn "
        "at random.",
        drawing(arranged=lambda weights, order: np.sort(order)),
    ),
    misconception(
        "words-that-matter",
        "You draw from all words of the sentence. Only those in `order` may be drawn: the others "
        "are the ones that the control is for.",
        drawing(arranged=lambda weights, order: np.arange(len(weights))),
    ),
    misconception(
        "order-as-weights",
        "You add up the weights as they stand in the sentence. `order` holds places: the first "
        "word to take weighs weights[order[0]].",
        lambda weights, order, goal: np.isin(
            np.arange(len(weights)),
            order[: 1 + np.sum(np.cumsum(weights[: len(order)]) < goal)],
        ),
    ),
    misconception(
        "one-word",
        "You take one word, the one whose weight is nearest to the goal. Take as many as it needs.",
        _nearest,
    ),
    misconception(
        "all-of-them",
        "You take all words of `order`. Stop when they weigh enough.",
        drawing(count=lambda sums, goal: len(sums)),
    ),
    misconception(
        "kept-for-cut",
        "You mark the words that are left. True is for a word that is cut.",
        lambda weights, order, goal: ~right_equal_weight(weights, order, goal),
    ),
)
