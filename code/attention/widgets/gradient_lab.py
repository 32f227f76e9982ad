"""The gradient lab: which score rises, and why (learning: Which score rises?)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention import by_hand, gradients
from attention._arguments import as_real
from attention._arrays import Number
from attention.widgets._base import Explorable
from attention.widgets._points import check_keys, check_points, check_tokens, decimals, pair

LARGEST_RATE = 10.0


class GradientLab(Explorable):
    """Drag the wanted output, and see which scores a step of gradient descent raises.

    One query has a score for each key; its output is the weighted average of the keys'
    values, which are points in a plane. The loss is half the squared distance between the
    output and the wanted point. The reader sees how much more each value helps than the
    average does, its weight, and their product, which is by how much (times the rate) a
    step raises the score. Steps can be taken one after the other, and leave a trail; and
    the key with the largest weight can be given a lead, which saturates the softmax.

    Parameters
    ----------
    tokens : sequence of str
        What the keys are called; no two alike.
    scores : (keys,)
        As they are before the first step; 2 to 8 keys.
    value : (keys, 2)
    wanted : (2,)
        Where the output should be, at first.
    rate : number
        The learning rate, above 0 and at most 10.

    Raises
    ------
    ValueError
        If an array is not floating-point, has another shape or holds NaN, inf or a number
        beyond ±20, the tokens are not as many different non-empty strings as scores, or
        the rate is out of range.

    Examples
    --------
    >>> value = np.array([[0.0, 0], [4, 0], [4, 3]])
    >>> GradientLab("ABC", np.log([0.6, 0.3, 0.1]), value, wanted=np.array([4.0, 3.0]))
    One query; output (1.60, 0.30), wanted (4.00, 3.00), upstream (−2.40, −2.70)
    key  weight  value         helps  weight × helps  weight after a step
    A    0.600   (0.00, 0.00)  −4.65  −2.79           0.496
    B    0.300   (4.00, 0.00)  4.95   1.48            0.380
    C    0.100   (4.00, 3.00)  13.05  1.31            0.124
    """

    element = "gradient-lab"

    def __init__(
        self,
        tokens: Sequence[str],
        scores: Float[np.ndarray, "keys"],
        value: Float[np.ndarray, "keys 2"],
        wanted: Float[np.ndarray, "2"],
        rate: Number = 0.1,
    ):
        keys = check_keys("scores", scores)
        check_points("scores", scores, (keys,))
        check_points("value", value, (keys, 2))
        check_points("wanted", wanted, (2,))
        check_tokens(tokens, keys)
        self.rate = as_real(
            "rate", rate, f"above 0, at most {LARGEST_RATE:g}", lambda r: 0 < r <= LARGEST_RATE
        )
        self.tokens = list(tokens)
        self.scores, self.value, self.wanted = (a.astype(float) for a in (scores, value, wanted))

    def data(self) -> dict[str, object]:
        """Return scores, points and rate; every gradient is computed where it is shown."""
        return {
            "tokens": self.tokens,
            "scores": self.scores.tolist(),
            "value": self.value.tolist(),
            "wanted": self.wanted.tolist(),
            "rate": self.rate,
        }

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return the first step: what helps, how much a score rises, the weights after it."""
        weights = by_hand.softmax(self.scores)  # (keys,)
        output = weights @ self.value  # (2,)
        upstream = output - self.wanted  # (2,)
        helps = -(self.value - output) @ upstream  # (keys,)
        gradient = gradients.softmax_gradient(weights, self.value @ upstream)  # (keys,)
        after = by_hand.softmax(self.scores - self.rate * gradient)  # (keys,)
        numbers = zip(self.tokens, weights, self.value, helps, -gradient, after, strict=True)
        rows = [
            [token, decimals(w, 3), pair(v), decimals(h), decimals(rise), decimals(a, 3)]
            for token, w, v, h, rise, a in numbers
        ]
        header = ("key", "weight", "value", "helps", "weight × helps", "weight after a step")
        caption = (
            f"One query; output {pair(output)}, wanted {pair(self.wanted)}, "
            f"upstream {pair(upstream)}"
        )
        return caption, header, rows
