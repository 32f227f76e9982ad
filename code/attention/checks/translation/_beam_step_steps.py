"""Ways to rank continuations, right and mistaken, for `beam_step` (translation: Exercises)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def _take(scores: Array, width: int) -> tuple[Array, Array, Array]:
    """Take the best places of a rectangle (beginnings, symbols), the best first."""
    places = np.argsort(-scores, axis=None, kind="stable")[:width]
    parents, tokens = np.unravel_index(places, scores.shape)
    return scores[parents, tokens], parents, tokens


def right_beam_step(totals, log_p, width):
    return _take(totals[:, None] + log_p, width)


def ranked(scores: Callable) -> Callable:
    """Make a step that ranks, and reports, other scores than the right ones."""
    return lambda totals, log_p, width: _take(scores(totals, log_p), width)


def one_of_each(totals, log_p, width):
    tokens = log_p.argmax(1)
    scores = totals + log_p.max(1)
    order = np.argsort(-scores)[:width]
    return scores[order], order, tokens[order]


def one_of_each_in_order(totals, log_p, width):
    tokens = log_p.argmax(1)[:width]
    return (totals + log_p.max(1))[:width], np.arange(len(tokens)), tokens


def of_the_best_beginning(totals, log_p, width):
    best = totals.argmax()
    tokens = np.argsort(-log_p[best])[:width]
    return totals[best] + log_p[best, tokens], np.full(len(tokens), best), tokens


def worst(totals, log_p, width):
    scores, parents, tokens = _take(-(totals[:, None] + log_p), width)
    return -scores, parents, tokens


def ascending(totals, log_p, width):
    return tuple(part[::-1] for part in right_beam_step(totals, log_p, width))


def in_order_of_place(totals, log_p, width):
    scores, parents, tokens = right_beam_step(totals, log_p, width)
    order = np.lexsort((tokens, parents))
    return scores[order], parents[order], tokens[order]


def split_by(number: Callable) -> Callable:
    """Make a step that divides the places by the wrong number."""

    def step(totals, log_p, width):
        scores, parents, tokens = right_beam_step(totals, log_p, width)
        places = parents * log_p.shape[1] + tokens
        return scores, places // number(log_p, width), places % number(log_p, width)

    return step


def tokens_first(totals, log_p, width):
    scores, parents, tokens = right_beam_step(totals, log_p, width)
    return scores, tokens, parents


def increments(totals, log_p, width):
    _, parents, tokens = right_beam_step(totals, log_p, width)
    return log_p[parents, tokens], parents, tokens


def probabilities(totals, log_p, width):
    scores, parents, tokens = right_beam_step(totals, log_p, width)
    return np.exp(scores), parents, tokens


def changed(change: Callable) -> Callable:
    """Make a step that keeps the right ones and reports changed totals."""

    def step(totals, log_p, width):
        scores, parents, tokens = right_beam_step(totals, log_p, width)
        return change(scores), parents, tokens

    return step


def old_totals(totals, log_p, width):
    _, parents, tokens = right_beam_step(totals, log_p, width)
    return totals[parents], parents, tokens


def along_the_columns(totals, log_p, width):
    return _take(np.resize(totals, log_p.shape[1]) + log_p, width)


def ranked_without_totals(totals, log_p, width):
    scores, parents, tokens = _take(log_p, width)
    return scores + totals[parents], parents, tokens


def places_returned(totals, log_p, width):
    scores, parents, tokens = right_beam_step(totals, log_p, width)
    places = parents * log_p.shape[1] + tokens
    return scores, places, places


def divided_with_a_rest(totals, log_p, width):
    scores, places, _ = places_returned(totals, log_p, width)
    return scores, places / log_p.shape[1], places % log_p.shape[1]


def one_of_each_token(totals, log_p, width):
    scores = totals[:, None] + log_p
    tokens = np.argsort(-scores.max(0), kind="stable")[:width]
    return scores.max(0)[tokens], scores.argmax(0)[tokens], tokens
