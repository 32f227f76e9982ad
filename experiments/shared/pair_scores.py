"""How well heads tell two words apart, and how well the best of many would by luck."""

import numpy as np

DRAWS = 10_000  # of who is swapped


def right(weights: np.ndarray) -> np.ndarray:  # (pairs, ...)
    """Give the share of a pair's two versions in which the word that is meant gets more.

    Parameters
    ----------
    weights : (pairs, 2, 2, ...)
        Version (the first means the first word), word, heads.
    """
    prefers = weights[:, :, 0] - weights[:, :, 1]  # (pairs, versions, ...)
    return ((prefers[:, 0] > 0) + 1.0 * (prefers[:, 1] < 0)) / 2


def shift(weights: np.ndarray) -> np.ndarray:  # (pairs, ...)
    """Give by how much the preference for the first word rises if it is the one that is meant."""
    prefers = weights[:, :, 0] - weights[:, :, 1]
    return prefers[:, 0] - prefers[:, 1]


def flips(weights: np.ndarray) -> np.ndarray:  # (pairs, ...)
    """Give 1 where the preference moves the right way when the deciding word changes."""
    return 1.0 * (shift(weights) > 0)


def null_of_maximum(
    by_pair: np.ndarray, draws: int = DRAWS, seed: int = 0
) -> np.ndarray:  # (draws,)
    """Draw what the best head has if the two versions of each pair are swapped at random.

    A swap turns a pair's share of right versions, or its flip, into 1 minus it, in all heads at
    once: so heads that go together do so in the null, too.

    Parameters
    ----------
    by_pair : (pairs, heads)
        From ``right`` or ``flips``.
    """
    swapped = np.random.default_rng(seed).integers(0, 2, (draws, len(by_pair)))
    return ((by_pair.sum(0) + swapped @ (1 - 2 * by_pair)) / len(by_pair)).max(1)


def chance_of(best: float, maxima: np.ndarray) -> float:
    """Give how often luck does as well as the best, the found one counted among the draws."""
    return float((np.sum(maxima >= best - 1e-9) + 1) / (len(maxima) + 1))
