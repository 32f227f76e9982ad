"""The attention lab: one query, keys and values to drag (queries-keys-values: Four steps)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention import by_hand
from attention.widgets._base import Explorable
from attention.widgets._points import check_keys, check_points, check_tokens, decimals, pair


class AttentionLab(Explorable):
    """Drag a query, its keys and their values, or set the scores, and see the four steps.

    Queries, keys and values have two numbers each, so all of them are points in a plane.
    The reader sees score, scaled score, weight and weight times value of each key, and
    the weighted average (the *mix*) inside the convex hull of the values.

    Parameters
    ----------
    tokens : sequence of str
        What the keys are called; no two alike.
    query : (2,)
    key : (keys, 2)
        2 to 8 keys.
    value : (keys, 2)

    Raises
    ------
    ValueError
        If an array is not floating-point, has another shape or holds NaN, inf or a number
        beyond ±20, or the tokens are not as many different non-empty strings as keys.

    Examples
    --------
    >>> key = np.array([[1.0, 0], [0, 1]])
    >>> AttentionLab(["a", "b"], np.array([2.0, 0]), key, 4 * key)
    Query (2.00, 0.00): from scores to the weighted average of the values
    key  score  scaled score  weight  value         weight × value
    a    2.00   1.41          0.804   (4.00, 0.00)  (3.22, 0.00)
    b    0.00   0.00          0.196   (0.00, 4.00)  (0.00, 0.78)
    sum                       1.000                 (3.22, 0.78)
    """

    element = "attention-lab"

    def __init__(
        self,
        tokens: Sequence[str],
        query: Float[np.ndarray, "2"],
        key: Float[np.ndarray, "keys 2"],
        value: Float[np.ndarray, "keys 2"],
    ):
        check_points("query", query, (2,))
        keys = check_keys("key", key)
        check_points("key", key, (keys, 2))
        check_points("value", value, (keys, 2))
        check_tokens(tokens, keys)
        self.tokens = list(tokens)
        self.query, self.key, self.value = (a.astype(float) for a in (query, key, value))

    def data(self) -> dict[str, object]:
        """Return tokens and points; every other number is computed where it is shown."""
        return {
            "tokens": self.tokens,
            "query": self.query.tolist(),
            "key": self.key.tolist(),
            "value": self.value.tolist(),
        }

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return the four steps for the query as given."""
        output, weights = by_hand.scaled_dot_product_attention(
            self.query[None], self.key, self.value
        )  # (1, 2), (1, keys)
        scores = self.key @ self.query  # (keys,)
        scaled = scores / np.sqrt(2)
        rows = [
            [token, decimals(s), decimals(c), decimals(w, 3), pair(v), pair(w * v)]
            for token, s, c, w, v in zip(
                self.tokens, scores, scaled, weights[0], self.value, strict=True
            )
        ]
        rows.append(["sum", "", "", decimals(weights.sum(), 3), "", pair(output[0])])
        header = ("key", "score", "scaled score", "weight", "value", "weight × value")
        caption = f"Query {pair(self.query)}: from scores to the weighted average of the values"
        return caption, header, rows
