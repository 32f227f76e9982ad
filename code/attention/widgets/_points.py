"""What the labs with points in a plane share on the side of Python (used by widgets)."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from attention.report import require

FEWEST_KEYS, MOST_KEYS = 2, 8
# Two vectors of such numbers have a scaled score below 600, whose exponential is a number yet.
LARGEST = 20.0


def check_keys(name: str, array: object) -> int:
    """Return how many keys an array has one row or number for; refuse too few or too many."""
    keys = len(array) if isinstance(array, np.ndarray) and array.ndim > 0 else FEWEST_KEYS
    require(FEWEST_KEYS <= keys <= MOST_KEYS, name, f"{FEWEST_KEYS} to {MOST_KEYS} keys", keys)
    return keys


def check_points(name: str, array: object, shape: tuple[int, ...]) -> None:
    """Refuse what is no array of finite points of moderate size."""
    floats = isinstance(array, np.ndarray) and np.issubdtype(array.dtype, np.floating)
    require(floats, name, "a floating-point array", getattr(array, "dtype", type(array)))
    require(array.shape == shape, name, f"the shape {shape}", array.shape)
    for number in array.flat:  # NaN fails the comparison too
        fits = abs(float(number)) <= LARGEST
        require(fits, name, f"finite numbers within ±{LARGEST:g}", float(number))


def check_tokens(tokens: Sequence[str], keys: int) -> None:
    """Refuse labels that are not as many different words as there are keys."""
    require(len(tokens) == keys, "tokens", f"{keys} tokens", len(tokens))
    for token in tokens:
        word = isinstance(token, str) and token.strip()
        require(bool(word), "tokens", "non-empty strings", token)
    require(len(set(tokens)) == keys, "tokens", "no two alike", list(tokens))


def decimals(number: float, digits: int = 2) -> str:
    """Write a number with so many decimals and a real minus sign."""
    # "+ 0" so that a rounded −0.001 does not read as −0.00.
    return f"{np.round(number, digits) + 0:.{digits}f}".replace("-", "−")


def pair(vector: Float[np.ndarray, "2"]) -> str:
    """Write a point: (1.00, −2.50)."""
    return f"({', '.join(map(decimals, vector))})"
