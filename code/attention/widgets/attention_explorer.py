"""Attention weights as lines between two columns of tokens (alignment: Explore it)."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention._arguments import check_no_text
from attention.report import require
from attention.widgets._base import WIDTH, Explorable, position_of

# How a blank at the edge of a token, or alone, is shown, and what it is called.
SIGNS = {" ": "␣", "\n": "⏎", "\t": "⇥"}
NAMES = {"␣": "blank", "⏎": "line break", "⇥": "tab", "": "empty"}
# Of a weight that is stored: a page with eight heads of 40 characters has 6560 of them.
DIGITS = 7
LONGEST_LABEL = 24  # of a row of the table
# Weights come from float32 models too.
TOLERANCE = 1e-4


class AttentionExplorer(Explorable):
    """Attention weights to explore: lines from queries to keys, as wide as the weights.

    A reader picks a query and sees its row, picks a key and sees its column, and
    picks a map (a head, a layer) where there are several.

    Parameters
    ----------
    weights : (queries, keys) or (maps, queries, keys)
        From 0 to 1. Each row sums to 1, or to 0 where a query may see nothing.
    queries : sequence of str
        The tokens that look; a string is a sequence of characters.
    keys : sequence of str, optional
        The tokens that are looked at. Default: the queries (self-attention).
    names : sequence of str, optional
        What the maps are called, as in ``"block 1, head 2"``. Default: "map 1"
        and so on.
    start : int or str, optional
        The query that is chosen at first, by position (from 0) or, where it occurs
        once, by its text. Default: none, so that all lines are shown alike.
    start_map : int or str
        The map that is shown at first, by position (from 0) or by name.
    caption : str
        One sentence, for the table and for screen readers.

    Raises
    ------
    ValueError
        If the weights are not weights, or the labels are not as many as the
        rows and columns, or ``start`` or ``start_map`` is not among them.

    Examples
    --------
    >>> AttentionExplorer(np.array([[0.25, 0.75], [0.5, 0.5]]), ["cold", "tea"])
    Attention weights: rows are queries, columns are keys
    query  cold   tea
    cold   0.250  0.750
    tea    0.500  0.500
    """

    element = "attention-explorer"

    def __init__(
        self,
        weights: Float[np.ndarray, "queries keys"] | Float[np.ndarray, "maps queries keys"],
        queries: Sequence[str],
        keys: Sequence[str] | None = None,
        names: Sequence[str] | None = None,
        start: int | str | None = None,
        start_map: int | str = 0,
        caption: str = "Attention weights: rows are queries, columns are keys",
    ):
        _check_weights(weights)
        self.weights = weights.reshape(-1, *weights.shape[-2:])  # (maps, queries, keys)
        maps, rows, columns = self.weights.shape
        self.queries = list(queries)
        self.keys = self.queries if keys is None else list(keys)
        check_no_text("names", names, "a name for each map")
        self.names = [f"map {i + 1}" for i in range(maps)] if names is None else list(names)
        for argument, labels, count in (
            ("queries", self.queries, rows),
            ("keys", self.keys, columns),
            ("names", self.names, maps),
        ):
            require(len(labels) == count, argument, f"{count} labels", len(labels))
            wrong = [label for label in labels if not isinstance(label, str)]
            require(not wrong, argument, "strings", wrong)
        self.start = None if start is None else position_of("start", start, self.queries)
        self.start_map = position_of("start_map", start_map, self.names)
        self.caption = caption

    def data(self) -> dict[str, object]:
        """Return the weights, the tokens and where to start."""
        # Zero means hidden, so what is only tiny must not be rounded to it.
        smallest = 10.0**-DIGITS
        weights = self.weights.astype(float)
        weights = np.where(weights > 0, np.maximum(weights, smallest), 0).round(DIGITS)
        figure = {
            "caption": self.caption,
            "maps": [
                {"name": name, "weights": matrix}
                for name, matrix in zip(self.names, weights.tolist(), strict=True)
            ],
            "queries": _tokens(self.queries),
        }
        if self.keys != self.queries:
            figure["keys"] = _tokens(self.keys)
        return figure | {"start": self.start, "map": self.start_map}

    def table(self) -> tuple[str, list[str], list[list[str]]]:
        """Return the map shown at first: its matrix, or the largest weights of each query."""
        caption = self.caption
        if len(self.names) > 1:
            caption += f" ({self.names[self.start_map]}; {len(self.names)} maps in all)"
        weights = self.weights[self.start_map].astype(float)  # (queries, keys)
        queries, keys = (
            [_shortened(label) for label in _labels(tokens)] for tokens in (self.queries, self.keys)
        )
        for decimals in (3, 2):
            header = ["query", *keys]
            rows = [
                [query, *(_written(w, decimals) for w in row)]
                for query, row in zip(queries, weights.tolist(), strict=True)
            ]
            if _width(header, rows) <= WIDTH:
                return caption, header, rows
        for count in range(min(3, len(keys)), 0, -1):
            header = ["query", *["largest", "second", "third"][:count]]
            rows = [
                [query, *_largest(row, keys, count)]
                for query, row in zip(queries, weights, strict=True)
            ]
            if _width(header, rows) <= WIDTH:
                break
        return f"{caption}: the largest of each query", header, rows


def _tokens(tokens: list[str]) -> dict[str, list[str]]:
    """Give the tokens as they are shown and as they are called in a sentence."""
    return {"shown": [_shown(token) for token in tokens], "called": _labels(tokens)}


def _shown(token: str) -> str:
    """Make blanks visible where they would not be seen: at the edges of a token."""
    inner = token.strip()
    before, after = token.split(inner, 1) if inner else (token, "")
    return _signs(before) + inner + _signs(after)


def _signs(blanks: str) -> str:
    return "".join(SIGNS.get(blank, "␣") for blank in blanks)


def _labels(tokens: list[str]) -> list[str]:
    """Call each token by its text, and by its position too (from 1) if there are several such."""
    count = Counter(tokens)
    names = [_name(_shown(token)) for token in tokens]
    return [
        f"{name} ({position})" if count[token] > 1 else name
        for position, (name, token) in enumerate(zip(names, tokens, strict=True), start=1)
    ]


def _name(shown: str) -> str:
    # A bare comma or full stop would be taken for one of the sentence.
    quoted = shown if any(map(str.isalnum, shown)) else f"“{shown}”"
    return NAMES.get(shown, quoted)


def _shortened(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else label[: LONGEST_LABEL - 1] + "…"


def _written(weight: float, decimals: int) -> str:
    """Write a weight; a bare 0 is exactly zero, as for a hidden key."""
    return "0" if weight == 0 else f"{weight:.{decimals}f}"


def _largest(row: Float[np.ndarray, " keys"], keys: list[str], count: int) -> list[str]:
    order = np.argsort(-row, kind="stable")[:count]
    return [f"{keys[j]} {_written(row[j], 2)}" if row[j] else "-" for j in order]


def _width(header: list[str], rows: list[list[str]]) -> int:
    """Count the characters of a line of the table, with two blanks between columns."""
    return sum(max(map(len, column)) + 2 for column in zip(header, *rows, strict=True)) - 2


def _check_weights(weights: np.ndarray) -> None:
    floating = isinstance(weights, np.ndarray) and np.issubdtype(weights.dtype, np.floating)
    got = getattr(weights, "dtype", type(weights).__name__)
    require(floating, "weights", "a floating-point NumPy array", str(got))
    shape = weights.shape
    expected = "the shape (queries, keys) or (maps, queries, keys), nothing empty"
    require(weights.ndim in (2, 3) and weights.size > 0, "weights", expected, shape)
    require(bool(np.isfinite(weights).all()), "weights", "finite numbers", "NaN or infinity")
    smallest, largest = float(weights.min()), float(weights.max())
    within = smallest >= 0 and largest <= 1 + TOLERANCE
    require(within, "weights", "numbers from 0 to 1", (smallest, largest))
    sums = weights.sum(-1, dtype=float)  # (..., queries)
    wrong = (np.abs(sums - 1) > TOLERANCE) & (sums != 0)
    if wrong.any():
        row = tuple(int(i) for i in np.argwhere(wrong)[0])
        require(False, f"weights{list(row)}", "a row that sums to 1, or to 0", float(sums[row]))
