"""When two arrays, or two answers, count as the same (used by checks)."""

import numpy as np

from attention.checks._response import Response

Array = np.ndarray

# Errors are measured against the largest entry, so that float32 passes. The
# second number is absolute: it lets log(w + 1e-9) pass where the answer is 0.
RELATIVE, ABSOLUTE = 1e-5, 1e-6


def close(array: Array, other: Array, tolerance: float = RELATIVE) -> bool:
    """Tell whether two arrays have one shape and the same numbers, NaN equal to NaN.

    Booleans are not close to numbers, and strings close to themselves alone.
    """
    if array.shape != other.shape or (array.dtype == bool) != (other.dtype == bool):
        return False
    if object in (array.dtype, other.dtype):
        return array.dtype == other.dtype and bool((array == other).all())
    allowed = ABSOLUTE + tolerance * np.abs(other[np.isfinite(other)]).max(initial=0)
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        near = np.abs(np.subtract(array, other, dtype=float)) <= allowed
    return bool(np.all(near | (array == other) | (np.isnan(array) & np.isnan(other))))


def says_anything(array: Array) -> bool:
    """Tell whether there is a string in an array, or a number that is finite."""
    return bool(array.size) if array.dtype == object else bool(np.isfinite(array).any())


def agree(one: Response, other: Response, tolerance: float) -> bool:
    """Tell whether two functions returned the same numbers."""
    return (
        one.usable
        and other.usable
        and len(one.parts) == len(other.parts)
        and all(close(a, b, tolerance) for a, b in zip(one.parts, other.parts, strict=True))
    )
