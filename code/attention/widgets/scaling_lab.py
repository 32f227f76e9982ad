"""The scaling lab: what width and scale do to scores and weights (scaling: Turn the knobs)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention import by_hand
from attention.report import require
from attention.widgets._base import Explorable

# The scale is this power of d_k.
SCALES = {"none": 0.0, "1/√d_k": -0.5, "1/d_k": -1.0}
# The queries that can be looked at one by one; the means are over all that are given.
SHOWN = 6
# One bar for each key.
MOST_KEYS = 16
# Enough to agree with NumPy to 1e-6; each digit more is a twelfth of the page's data.
DIGITS = 7

Means = dict[str, list[float]]


class ScalingLab(Explorable):
    """Choose d_k and the scale; scores, weights, entropy and Jacobian follow.

    A narrower query is the beginning of the widest one: its first ``d_k``
    components, and those of its keys. So the reader sees the same vectors, only
    longer. The widths on offer are the powers of two up to the width given.

    Beside one query stand the means over all of them:

    * the standard deviation of the scores, all scores taken together;
    * the entropy of the weights;
    * the Frobenius norm of the softmax's Jacobian J, the derivative of the weights
      by the scaled scores;
    * the Frobenius norm of the derivative of the weights by the query: ``c J K``,
      with the scale c and the keys K. What reaches ``W_Q`` passes through it.

    Parameters
    ----------
    query : (queries, d_k)
    key : (queries, keys, d_k)
        Each query has keys of its own.

    Raises
    ------
    ValueError
        If an array is not floating-point or holds NaN or inf, the shapes do not
        fit, or there is no query, fewer than 2 or more than 16 keys, or a d_k
        below 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> lab = ScalingLab(rng.normal(size=(100, 8)), rng.normal(size=(100, 4, 8)))
    >>> lab.data()["widths"]
    [1, 2, 4, 8]
    """

    element = "scaling-lab"

    def __init__(
        self,
        query: Float[np.ndarray, "queries d_k"],
        key: Float[np.ndarray, "queries keys d_k"],
    ):
        _check(query, key)
        self._query, self._key = query.astype(float), key.astype(float)
        self._widths = [2**n for n in range(query.shape[1].bit_length())]
        self._products = {
            d_k: np.einsum("qd,qkd->qk", self._query[:, :d_k], self._key[..., :d_k])
            for d_k in self._widths
        }  # (queries, keys) each
        self._means, self._derivatives = {}, {}
        for scale, power in SCALES.items():
            measured = [self._measure(d_k, float(d_k) ** power) for d_k in self._widths]
            self._means[scale] = {
                name: [float(means[name]) for means, _ in measured] for name in measured[0][0]
            }
            self._derivatives[scale] = np.stack([norms for _, norms in measured])

    def _measure(
        self, d_k: int, scale: float
    ) -> tuple[dict[str, np.floating], Float[np.ndarray, " shown"]]:
        """Return the means over all queries, and the derivative's norm for those shown."""
        scores = scale * self._products[d_k]  # (queries, keys)
        weights = by_hand.softmax(scores)  # (queries, keys)
        jacobian = by_hand.softmax_jacobian(weights)  # (queries, keys, keys)
        by_query = scale * jacobian @ self._key[..., :d_k]  # (queries, keys, d_k)
        norms = np.linalg.norm(by_query, axis=(1, 2))  # (queries,)
        means = {
            "spread": scores.std(),
            "largest": weights.max(-1).mean(),
            "entropy": by_hand.entropy(weights).mean(),
            "jacobian": np.linalg.norm(jacobian, axis=(1, 2)).mean(),
            "derivative": norms.mean(),
        }
        return means, norms[:SHOWN]

    def data(self) -> dict[str, object]:
        """Return the dot products and norms of the queries shown, and the means of all.

        ``products`` is a list over queries, widths and keys, not yet scaled.
        ``derivatives`` and ``means`` have an entry for each scale; the former
        holds a list over widths and queries.
        """
        products = np.stack(list(self._products.values()), axis=1)[:SHOWN]
        return {
            "widths": self._widths,
            "queries": len(self._query),
            # What one component of both adds to the standard deviation of a score.
            "sigma": _short(self._query.std() * self._key.std()),
            "products": _short(products),
            "derivatives": {scale: _short(norms) for scale, norms in self._derivatives.items()},
            "means": {
                scale: {name: _short(means[name]) for name in means if name != "largest"}
                for scale, means in self._means.items()
            },
        }

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return the means for each scale, at every other width."""
        queries, keys, _ = self._key.shape
        caption = f"Means over {queries} queries with {keys} keys each; c is the scale"
        names = ("spread", "largest", "entropy", "jacobian", "derivative")
        header = (
            *("d_k", "scale", "std of scores", "largest weight"),
            *("entropy", "norm of J", "norm of c J K"),
        )
        rows = [
            [str(d_k), scale, *(f"{self._means[scale][name][i]:.2f}" for name in names)]
            for i, d_k in enumerate(self._widths)
            if i % 2 == 0
            for scale in SCALES
        ]
        return caption, header, rows


def _short(numbers: np.ndarray | np.floating | list[float]) -> object:
    return np.round(numbers, DIGITS).tolist()


def _check(query: np.ndarray, key: np.ndarray) -> None:
    for name, array in (("query", query), ("key", key)):
        floats = isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating)
        require(floats, name, "a floating-point array", getattr(array, "dtype", type(array)))
    require(query.ndim == 2, "query", "the shape (queries, d_k)", query.shape)
    require(key.ndim == 3, "key", "the shape (queries, keys, d_k)", key.shape)
    queries, d_k = query.shape
    require(queries >= 1, "query", "at least one query", query.shape)
    require(d_k >= 2, "query", "a d_k of at least 2", query.shape)
    require(
        key.shape[::2] == (queries, d_k), "key", f"the shape ({queries}, keys, {d_k})", key.shape
    )
    require(2 <= key.shape[1] <= MOST_KEYS, "key", f"2 to {MOST_KEYS} keys for a query", key.shape)
    for name, array in (("query", query), ("key", key)):
        require(bool(np.isfinite(array).all()), name, "finite numbers", "NaN or inf")
