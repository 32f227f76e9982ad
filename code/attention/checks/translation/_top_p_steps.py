"""Ways to choose tokens and to divide, right and mistaken, for `top_p` (translation: Exercises)."""

from collections.abc import Callable

import numpy as np

Array = np.ndarray


def kept_first(p: Array, keep: Callable) -> Array:
    """Keep places of the ranked probabilities; return what is kept, in the old order."""
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    kept = np.zeros_like(p)
    chosen = keep(ranked)
    kept[order[chosen]] = ranked[chosen]
    return kept


def share_before(ranked: Array) -> Array:
    return np.cumsum(ranked) - ranked


def divided(kept: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return kept / kept.sum()


def right_top_p(p, share):
    return divided(kept_first(p, lambda ranked: share_before(ranked) < share))


def keeping(keep: Callable) -> Callable:
    """Make a truncation that keeps other places of the ranked probabilities."""
    return lambda p, share: divided(kept_first(p, lambda ranked: keep(ranked, share)))


def unsorted(p, share):
    return divided(np.where(share_before(p) < share, p, 0))


def from_the_tail(p, share):
    rest = kept_first(-p, lambda ranked: share_before(-ranked) < share)
    return divided(-rest)


def in_order_of_size(p, share):
    return np.sort(right_top_p(p, share))[::-1]


def only_the_kept(p, share):
    found = right_top_p(p, share)
    return found[found > 0]


def softmax_of_the_kept(p, share):
    kept = right_top_p(p, share) > 0
    e = np.where(kept, np.exp(p), 0)
    return e / e.sum()


def softmax(numbers):
    return divided(np.exp(numbers))


def last_one_cut(p, share):
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros_like(p)
    kept[order] = np.clip(share - before, 0, p[order])
    return divided(kept)


def or_zeros(kept):
    """Divide by the sum, unless nothing is kept."""
    return kept / (kept.sum() or 1)


def keeping_anyway(reached: Callable, first: bool) -> Callable:
    """Make a truncation that stops one token too early; it keeps the first token, or nothing."""

    def truncate(p, share):
        def keep(ranked):
            kept = reached(np.cumsum(ranked), share)
            kept[0] |= first
            return kept

        return or_zeros(kept_first(p, keep))

    return truncate


def scattered_wrongly(p, share):
    order = np.argsort(-p, kind="stable")
    return in_order_of_size(p, share)[order]


def two_at_most(p, share):
    order = np.argsort(-p, kind="stable")[:2]
    kept = np.zeros_like(p)
    kept[order] = p[order] * (share_before(p[order]) < share)
    return divided(kept)
