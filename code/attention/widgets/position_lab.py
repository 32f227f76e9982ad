"""The position lab: what each scheme makes of a score (position: What the score sees)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention import by_hand
from attention._arguments import as_integer
from attention.report import require
from attention.widgets._base import Explorable

SCHEMES = ("none", "sinusoidal", "learned", "rotary", "ALiBi")
WIDEST = 64
SHORTEST, LONGEST = 16, 128
MOST_HEADS = 16
# Enough to agree with NumPy to 1e-6; each digit more is a twelfth of the page's data.
DIGITS = 8


class PositionLab(Explorable):
    """Move a query along the positions, and see its score with a key at each of them.

    Query and key keep their contents; only where they stand changes. The reader
    chooses how positions come into the score:

    * none: ``query @ key / sqrt(d_k)`` wherever they stand;
    * sinusoidal or learned: the row of its position is added to each of them;
    * rotary: each is rotated by the angles of its position;
    * ALiBi: the score of *none* less the head's slope times the distance.

    The scores of a query a quarter of the way along stay in sight. Drawn against
    the distance between key and query, they are those of any other query under
    *none*, rotary and ALiBi, and not where positions are added.

    Parameters
    ----------
    query : (d_k,)
        ``d_k`` must be even.
    key : (d_k,)
        The same key stands at every position.
    learned : (length, d_k)
        A row for each position. The page holds about 11 characters for each number,
        so 64 rows of 32 make 22 kB.
    heads : int
        Number of ALiBi heads: 1, 2, 4, 8 or 16.

    Raises
    ------
    ValueError
        If an array is not floating-point or holds NaN or inf, the shapes do not fit,
        ``d_k`` is odd or above 64, there are not 16 to 128 positions, or ``heads`` is
        not a power of two up to 16.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> PositionLab(rng.normal(size=8), rng.normal(size=8), rng.normal(size=(32, 8)))
    """

    element = "position-lab"

    def __init__(
        self,
        query: Float[np.ndarray, " d_k"],
        key: Float[np.ndarray, " d_k"],
        learned: Float[np.ndarray, "length d_k"],
        heads: int = 8,
    ):
        heads = _check(query, key, learned, heads)
        self.query, self.key = query.astype(float), key.astype(float)
        self.learned = learned.astype(float)
        self.heads = heads
        length = len(learned)
        # The two places compared; and the head in the middle, which is neither so steep
        # that distance is all, nor so flat that one does not see it.
        self.start, self.position = length // 4, length // 2
        self.head = max(1, heads // 2)

    def scores(self, scheme: str, head: int | None = None) -> Float[np.ndarray, "length length"]:
        """Return the scaled score of the query at each position with the key at each.

        Parameters
        ----------
        scheme : str
            One of "none", "sinusoidal", "learned", "rotary" and "ALiBi".
        head : int, optional
            The ALiBi head, from 1. Default: the one shown at the start.

        Returns
        -------
        scores : (length, length)
            Entry ``[p, j]`` is for the query at position p and the key at j.

        Raises
        ------
        ValueError
            If there is no such scheme or head.
        """
        require(scheme in SCHEMES, "scheme", f"one of {SCHEMES}", scheme)
        head = self.head if head is None else head
        there = range(1, self.heads + 1)
        head = as_integer("head", head, f"1 to {self.heads}", there.__contains__)
        length, d_k = self.learned.shape
        query = np.tile(self.query, (length, 1))  # (length, d_k)
        key = np.tile(self.key, (length, 1))  # (length, d_k)
        if scheme in ("sinusoidal", "learned"):
            sinusoidal = scheme == "sinusoidal"
            rows = by_hand.sinusoidal_positions(length, d_k) if sinusoidal else self.learned
            query, key = query + rows, key + rows
        if scheme == "rotary":
            angles = by_hand.position_angles(length, d_k)  # (length, d_k / 2)
            query, key = by_hand.rotate(query, angles), by_hand.rotate(key, angles)
        scores = query @ key.T / np.sqrt(d_k)
        if scheme == "ALiBi":
            scores = scores + by_hand.alibi_bias(self.heads, length)[head - 1]
        return scores

    def largest_change(self, scheme: str, position: int | None = None) -> float:
        """Return by how much the curve against distance has changed since the start.

        Parameters
        ----------
        scheme : str
        position : int, optional
            Where the query stands. Default: in the middle.

        Returns
        -------
        change : float
            The largest difference of two scores at the same distance, over the
            distances that there are from both positions.

        Raises
        ------
        ValueError
            If there is no such scheme or position.
        """
        length = len(self.learned)
        position = self.position if position is None else position
        require(position in range(length), "position", f"0 to {length - 1}", position)
        scores = self.scores(scheme)
        shift = position - self.start
        here = scores[position, max(0, shift) : length + min(0, shift)]
        there = scores[self.start, max(0, -shift) : length - max(0, shift)]
        return float(np.abs(here - there).max())

    def data(self) -> dict[str, object]:
        """Return the vectors; all scores are computed from them where they are shown."""
        return {
            "query": self.query.tolist(),
            "key": self.key.tolist(),
            "learned": np.round(self.learned, DIGITS).tolist(),
            "heads": self.heads,
            "start": self.start,
            "position": self.position,
            "head": self.head,
        }

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return scores at a few distances from two positions, for each scheme."""
        step = len(self.learned) // 8
        distances = [step * n for n in range(-2, 3)]
        caption = (
            f"Scaled score of a query at p = {self.start} and at p = {self.position} with a key "
            "at a distance j − p; last, the largest change between the two, over all distances "
            "that both have"
        )
        rows = []
        for scheme in SCHEMES:
            scores = self.scores(scheme)
            name = f"ALiBi (head {self.head})" if scheme == "ALiBi" else scheme
            change = _decimals(self.largest_change(scheme))
            for p, last in ((self.start, "–"), (self.position, change)):
                numbers = [_decimals(scores[p, p + distance]) for distance in distances]
                rows.append([name, str(p), *numbers, last])
        header = ("positions", "p", *map(_signed, distances), "change")
        return caption, header, rows


def _decimals(number: float) -> str:
    # "+ 0" so that a rounded −0.001 does not read as −0.00.
    return f"{np.round(number, 2) + 0:.2f}".replace("-", "−")


def _signed(distance: int) -> str:
    return str(distance).replace("-", "−")


def _check(query: np.ndarray, key: np.ndarray, learned: np.ndarray, heads: int) -> int:
    """Refuse what does not fit; give the number of heads as Python's own."""
    for name, array in (("query", query), ("key", key), ("learned", learned)):
        floats = isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating)
        require(floats, name, "a floating-point array", getattr(array, "dtype", type(array)))
    require(query.ndim == 1, "query", "the shape (d_k,)", query.shape)
    (d_k,) = query.shape
    even = d_k % 2 == 0 and 2 <= d_k <= WIDEST
    require(even, "query", f"an even d_k from 2 to {WIDEST}", query.shape)
    require(key.shape == query.shape, "key", f"the shape {query.shape}", key.shape)
    fits = learned.ndim == 2 and learned.shape[1] == d_k
    require(fits, "learned", f"the shape (length, {d_k})", learned.shape)
    enough = SHORTEST <= len(learned) <= LONGEST
    require(enough, "learned", f"{SHORTEST} to {LONGEST} positions", learned.shape)
    for name, array in (("query", query), ("key", key), ("learned", learned)):
        require(bool(np.isfinite(array).all()), name, "finite numbers", "NaN or inf")
    powers = tuple(2**n for n in range(MOST_HEADS.bit_length()))
    return as_integer("heads", heads, f"one of {powers}", powers.__contains__)
