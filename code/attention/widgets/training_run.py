"""One training run, as a page holds it: a character a weight (learning: She went)."""

from collections.abc import Sequence
from typing import SupportsIndex

import numpy as np

from attention.gradients import Frame
from attention.report import require
from attention.widgets._base import position_of

# What the page holds of a run at most: so many weights. Of a longer run it gets fewer frames.
MOST_WEIGHTS = 100_000
# A weight is written in hundredths, each as one character. There is none among them that
# JSON or HTML would write as several.
LEVELS = [chr(code) for code in range(33, 127) if chr(code) not in "\"&'<>\\"]
LEVELS += [chr(192 + i) for i in range(101 - len(LEVELS))]
NOT_A_NUMBER = " "
ROUNDING = 1e-5  # by how much a sum of 32-bit weights may exceed 1


class Run:
    """The frames of a training run, and what they are about.

    Parameters
    ----------
    tokens : sequence of str
        The keys of the example that the maps are about.
    queries : sequence of str, optional
        The tokens that look. Default: the same.
    label : str
        What is special about this run.
    start : int or str, optional
        The query that is chosen at first, by position (from 0) or, where it occurs once, by
        its token. Default: the last.

    Raises
    ------
    ValueError
        If there are no tokens, or they are not texts, or there is no query ``start``.
    """

    def __init__(
        self,
        tokens: Sequence[str],
        queries: Sequence[str] | None,
        label: str,
        start: SupportsIndex | str | None = None,
    ):
        self.keys = _texts("tokens", tokens)
        self.queries = self.keys if queries is None else _texts("queries", queries)
        last = len(self.queries) - 1
        self.start = last if start is None else position_of("start", start, self.queries)
        self.label = label
        self.frames: list[Frame] = []

    def add(self, frame: Frame) -> None:
        """Check a frame, and take it in; a ValueError says what is wrong with it."""
        if self.frames:
            before = self.frames[-1]
            later = frame.step > before.step
            require(later, "frames", f"a step after {before.step}", frame.step)
            names, given = list(before.maps), list(frame.maps)
            require(given == names, "frames", f"the maps {names}", given)
        shape = (len(self.queries), len(self.keys))
        for name, weights in frame.maps.items():
            require(weights.shape == shape, f"maps[{name!r}]", f"the shape {shape}", weights.shape)
            # A run that diverges has weights that are not a number; that may be shown.
            outside = weights[(weights < -ROUNDING) | (weights > 1 + ROUNDING)]
            require(outside.size == 0, f"maps[{name!r}]", "weights from 0 to 1", outside[:3])
        self.frames.append(frame)

    def written(self) -> dict[str, object]:
        """Return the run as JSON can hold it, with no more weights than a page may hold."""
        frames = [written(frame) for frame in thinned(self.frames)]
        run = {"label": self.label, "queries": self.queries, "keys": self.keys}
        run["start"] = self.start
        for name in ("step", "loss", "accuracy"):
            run[name] = [frame[name] for frame in frames]
        names = frames[0]["maps"] if frames else ()
        run["best"] = frames[-1]["best"] if frames else None
        run["maps"] = {name: "".join(frame["maps"][name] for frame in frames) for name in names}
        return run


def written(frame: Frame) -> dict[str, object]:
    """Return a frame as JSON can hold it; a number that is none becomes None."""
    return {
        "step": int(frame.step),
        "loss": _finite(f"{frame.loss:.4g}"),
        "accuracy": _finite(f"{frame.accuracy:.4f}"),
        "best": _finite(f"{frame.best:.4f}"),
        "maps": {name: written_weights(weights) for name, weights in frame.maps.items()},
    }


def written_weights(weights: np.ndarray) -> str:
    """Write weights from 0 to 1, row by row, in hundredths, each as a character."""
    hundredths = 100 * np.asarray(weights, dtype=float).ravel()
    return "".join(NOT_A_NUMBER if np.isnan(n) else LEVELS[round(n)] for n in hundredths)


def thinned(frames: Sequence[Frame]) -> list[Frame]:
    """Return as many frames, the first and the last among them, as a page may hold."""
    if not frames:
        return []
    weights = sum(weights.size for weights in frames[0].maps.values())
    most = max(2, MOST_WEIGHTS // max(weights, 1))
    return [frames[i] for i in spread(len(frames), most)]


def spread(count: int, most: int) -> list[int]:
    """Return the numbers below ``count``, or ``most`` of them from the first to the last."""
    if count <= most:
        return list(range(count))
    return [round(i * (count - 1) / (most - 1)) for i in range(most)]


def _finite(text: str) -> float | None:
    """Read a number; NaN and inf, which JSON has not, become None."""
    number = float(text)
    return number if np.isfinite(number) else None


def _texts(name: str, tokens: Sequence[str]) -> list[str]:
    texts = not isinstance(tokens, str) and all(isinstance(token, str) for token in tokens)
    require(texts and len(tokens) > 0, name, "a sequence of texts", tokens)
    return list(tokens)
