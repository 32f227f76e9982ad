"""The mask lab: who may see whom (masking: A query that may see nothing)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from attention import by_hand
from attention.report import require
from attention.widgets._base import Explorable

# A score near -1e9 would not be told from a forbidden one by the rule of that name.
LARGEST = 1e6


class MaskLab(Explorable):
    """Allow and forbid pairs of a query and a key, and see the weights follow.

    The reader clicks cells or chooses a mask by name, and chooses what a
    forbidden score becomes: zeros (the rule of this book), -inf or -1e9. The
    rules differ in a row where nothing is allowed.

    Parameters
    ----------
    scores : (queries, keys)
        Before mask and softmax; as many queries as keys. Up to 8 fit a phone.
    tokens : sequence of str
        The label of each position.
    padding : (keys,), boolean, optional
        ``True`` for a real token. Without it no mask with padding is offered.
    mask : (queries, keys), boolean, optional
        ``True`` where a query may attend to a key: the state at the start.
        Default: causal, and no padding if ``padding`` is given.
    caption : str, optional
        What the weights belong to, without a full stop.

    Raises
    ------
    ValueError
        If ``scores`` is not a square floating-point matrix of moderate finite
        numbers, ``tokens`` are not as many non-empty strings, or ``padding`` or
        ``mask`` is not boolean or has another shape.
    """

    element = "mask-lab"

    def __init__(
        self,
        scores: Float[np.ndarray, "queries keys"],
        tokens: Sequence[str],
        padding: Bool[np.ndarray, "keys"] | None = None,
        mask: Bool[np.ndarray, "queries keys"] | None = None,
        caption: str = "Attention weights under a mask",
    ):
        is_float = isinstance(scores, np.ndarray) and np.issubdtype(scores.dtype, np.floating)
        require(is_float, "scores", "a floating-point NumPy array", _kind(scores))
        square = scores.ndim == 2 and len(scores) == scores.shape[1] > 0
        require(square, "scores", "as many queries as keys", scores.shape)
        for score in scores.flat:  # NaN fails the comparison too
            within = abs(float(score)) < LARGEST
            require(within, "scores", f"finite numbers within ±{LARGEST:g}", float(score))
        require(len(tokens) == len(scores), "tokens", f"{len(scores)} tokens", len(tokens))
        for token in tokens:
            word = isinstance(token, str) and token.strip()
            require(bool(word), "tokens", "non-empty strings", token)
        if padding is not None:
            _require_boolean(padding, "padding", scores.shape[1:])
        if mask is not None:
            _require_boolean(mask, "mask", scores.shape)

        self.scores = scores.astype(np.float64)
        self.tokens = list(tokens)
        self.padding = padding
        self.mask = _default_mask(len(tokens), padding) if mask is None else mask
        self.caption = caption

    def data(self) -> dict[str, object]:
        """Return scores, tokens and masks as JSON can hold them."""
        return {
            "tokens": self.tokens,
            "scores": self.scores.tolist(),
            "padding": None if self.padding is None else self.padding.tolist(),
            "mask": self.mask.tolist(),
            "caption": self.caption,
        }

    def table(self) -> tuple[str, list[str], list[list[str]]]:
        """Return the weights at the start, by the rule of this book."""
        weights = by_hand.softmax(np.where(self.mask, self.scores, -np.inf))
        rows = [
            [token, *map(_cell, row, allowed), f"{row.sum():.2f}"]
            for token, row, allowed in zip(self.tokens, weights, self.mask, strict=True)
        ]
        caption = f"{self.caption} (× = may not attend)"
        return caption, ["query", *self.tokens, "sum"], rows


def _default_mask(
    length: int, padding: Bool[np.ndarray, "keys"] | None
) -> Bool[np.ndarray, "queries keys"]:
    causal = by_hand.causal_mask(length)
    return causal if padding is None else causal & padding


def _cell(weight: np.floating, allowed: np.bool_) -> str:
    return f"{weight:.2f}" if allowed else "×"


def _require_boolean(array: object, name: str, shape: tuple[int, ...]) -> None:
    boolean = isinstance(array, np.ndarray) and array.dtype == bool
    require(boolean, name, "a boolean array (True = may attend)", _kind(array))
    require(array.shape == shape, name, f"the shape {shape}", array.shape)


def _kind(thing: object) -> str:
    return thing.dtype.name if isinstance(thing, np.ndarray) else type(thing).__name__
