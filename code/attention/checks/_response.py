"""What a reader's function did with one example, in arrays or in words (used by checks)."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
Inputs = Mapping[str, object]

WRONG_NUMBER = "wrong-number-of-outputs"
NOT_STARTED = (
    "Not started yet: your function returns nothing. "
    "If you have written it, look for a missing return."
)


@dataclass(frozen=True)
class Response:
    """What a function did with one example: ``parts``, or ``slug`` and ``message``.

    ``things`` counts what a tuple held that was read as one array, such as the
    rows of a matrix; ``narrow`` says that the numbers have 16 bits only,
    ``floats`` that there are floats among them.
    """

    parts: tuple[Array, ...] = ()
    slug: str = ""
    message: str = ""
    changed: Mapping[str, Array] | None = None
    things: int = 0
    narrow: bool = False
    floats: bool = False

    @property
    def usable(self) -> bool:
        """Tell whether there are arrays to compare."""
        return not self.slug

    @property
    def stops_the_check(self) -> bool:
        """Tell whether the function was broken off, so that no more calls should follow."""
        return self.slug in ("interrupted", "too-slow")


class UnusableError(Exception):
    """What the function returned cannot be compared with anything."""

    def __init__(self, slug: str, message: str) -> None:
        super().__init__(message)
        self.slug = slug


def wrong_number(count: int, outputs: int) -> str:
    """Say that a tuple holds more or fewer things than were asked for."""
    if count == 1:
        return "Your function returns a tuple with one thing in it. Is there a stray comma?"
    expected = "1 thing" if outputs == 1 else f"{outputs} things"
    return f"Your function returns {count} things. It should return {expected}."
