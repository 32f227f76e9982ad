"""Follow one number of d_model through the heads (multi-head: All heads in one product)."""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Float

from attention import by_hand
from attention.report import require
from attention.widgets._base import Explorable

# More would not fit beside each other on a phone.
LARGEST = 8


class HeadSplitter(Explorable):
    """Multi-head attention at a small size, with one number of the values to follow.

    Parameters
    ----------
    query, key, value : (length, d_model)
        Already projected: ``x @ W_Q`` and so on. ``length`` and ``d_model``
        are at most 8.
    W_O : (d_model, d_model)
    heads : int
        A divisor of ``d_model``. The figure offers the other divisors, too.
    tokens : sequence of str, optional
        Names for the positions.
    mask : (length, length), boolean, optional
        ``True`` where a query may attend to a key; the same for all heads.
    start : (position, component), optional
        The number of ``value`` to follow at first. Default: one in the middle.

    Raises
    ------
    ValueError
        If an array is not floating-point, not finite or of another shape,
        ``heads`` does not divide ``d_model``, or ``start`` is not in ``value``.
    """

    element = "head-splitter"

    def __init__(
        self,
        query: Float[np.ndarray, "length d_model"],
        key: Float[np.ndarray, "length d_model"],
        value: Float[np.ndarray, "length d_model"],
        W_O: Float[np.ndarray, "d_model d_model"],
        heads: int,
        tokens: Sequence[str] | None = None,
        mask: Bool[np.ndarray, "length length"] | None = None,
        start: tuple[int, int] | None = None,
    ):
        _check_matrix("query", query)
        length, d_model = query.shape
        sizes = f"a length and a d_model of 1 to {LARGEST}"
        require(max(length, d_model) <= LARGEST and length > 0, "query", sizes, query.shape)
        for name, array in (("key", key), ("value", value), ("W_O", W_O)):
            _check_matrix(name, array)
            shape = (d_model, d_model) if name == "W_O" else query.shape
            require(array.shape == shape, name, f"the shape {shape}", array.shape)
        if tokens is not None:
            require(len(tokens) == length, "tokens", f"{length} of them", len(tokens))
        if mask is not None:
            _check_mask(mask, length)
        # by_hand refuses a number of heads that does not fit.
        split = [by_hand.split_heads(x, heads) for x in (query, key, value)]
        self.outputs, self.weights = by_hand.scaled_dot_product_attention(*split, mask)
        self.merged = by_hand.merge_heads(self.outputs)
        self.output = self.merged @ W_O
        self.query, self.key, self.value, self.W_O = query, key, value, W_O
        self.heads, self.tokens, self.mask = int(heads), tokens, mask
        self.start = _checked_start(start, value.shape)

    def data(self) -> dict[str, object]:
        """Return the projected arrays and the choices at the start."""
        arrays = {name: getattr(self, name) for name in ("query", "key", "value", "W_O")}
        return {
            **{name: array.tolist() for name, array in arrays.items()},
            "heads": self.heads,
            "tokens": None if self.tokens is None else [str(token) for token in self.tokens],
            "mask": None if self.mask is None else self.mask.tolist(),
            "start": self.start,
        }

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return the path of the number at ``start``, stage by stage."""
        position, component = self.start
        length, d_model = self.value.shape
        heads, d_k = self.heads, d_model // self.heads
        head, j = divmod(component, d_k)
        number = self.value[position, component]
        weights = self.weights[head, :, position]  # (length,): by each query
        share = np.outer(weights * number, self.W_O[component])  # (length, d_model)
        most = weights.argmax()
        flat, split = (length, d_model), (heads, length, d_k)
        rows = [
            ("values", flat, f"[{position}, {component}]", [number]),
            ("split", split, f"[{head}, {position}, {j}]", [number]),
            ("weights", (heads, length, length), f"[{head}, :, {position}]", weights),
            ("outputs", split, f"[{head}, :, {j}]", self.outputs[head, :, j]),
            ("merged", flat, f"[:, {component}]", self.merged[:, component]),
            ("W_O", self.W_O.shape, f"[{component}, :]", self.W_O[component]),
            ("output", flat, f"[{most}, :]", self.output[most]),
            ("share", flat, f"[{most}, :]", share[most]),
        ]
        return (
            f"Where V[{position}, {component}] = {_text([number])} goes: "
            f"heads = {heads}, d_k = {d_k}",
            ("stage", "shape", "place", "numbers"),
            [(stage, str(shape), place, _text(numbers)) for stage, shape, place, numbers in rows],
        )


def _check_matrix(name: str, array: np.ndarray) -> None:
    fits = isinstance(array, np.ndarray) and array.ndim == 2
    fits = fits and np.issubdtype(array.dtype, np.floating)
    got = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else array
    require(fits, name, "a floating-point array with two axes", got)
    require(bool(np.isfinite(array).all()), name, "finite numbers", "NaN or infinity")


def _check_mask(mask: np.ndarray, length: int) -> None:
    boolean = isinstance(mask, np.ndarray) and mask.dtype == bool
    got = str(mask.dtype) if isinstance(mask, np.ndarray) else mask
    require(boolean, "mask", "a boolean array (True = may attend)", got)
    require(mask.shape == (length, length), "mask", f"the shape {(length, length)}", mask.shape)


def _checked_start(start: Sequence[int] | None, shape: tuple[int, int]) -> tuple[int, int]:
    if start is None:
        return shape[0] // 2, 5 * shape[1] // 8
    places = np.ndindex(shape)
    require(tuple(start) in places, "start", f"a place in an array of shape {shape}", start)
    return int(start[0]), int(start[1])


def _text(numbers: Iterable[float]) -> str:
    # As the element writes them: no minus before a zero, and a real minus sign.
    return " ".join(f"{round(float(x), 2) + 0.0:.2f}" for x in numbers).replace("-", "−")
