"""Sublayers that are handed to the reader's function (transformer: Exercises)."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Part:
    """A function that is handed to the reader's, and how it is written in a verdict."""

    formula: str
    function: Callable

    def __call__(self, *inputs: object) -> object:
        """Compute it."""
        return self.function(*inputs)

    def __repr__(self) -> str:
        return self.formula


SQUARE = Part("x -> x**2", lambda x: x**2)

SUM_SO_FAR = Part("x -> np.cumsum(x, axis=0)", lambda x: np.cumsum(x, axis=0))
