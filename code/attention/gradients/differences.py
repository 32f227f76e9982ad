"""Central differences: the habit that catches a wrong gradient (learning: A habit)."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

from attention._arguments import as_real, positive_number
from attention._arrays import Array, _check_float

EXPECTED = "a function that returns a finite number"


def central_differences(
    function: Callable[[Array], float], array: Float[Array, "..."], step: float = 1e-6
) -> Float[Array, "..."]:
    """Measure a gradient by trying: move each number a little up, then down.

    It calls the function twice for each number of the array, which is too slow for
    training and just right for a test. For a smooth function with numbers around 1 the
    result agrees with the gradient to about 9 decimals.

    Parameters
    ----------
    function : callable
        Takes an array like ``array`` and returns one number. It is given float64.
    array : (...)
        Where the gradient is wanted. It is not changed.
    step : float
        How far a number is moved. Smaller ones lose digits to rounding, larger ones to
        the bend of the function.

    Returns
    -------
    gradient : (...)
        In float64.

    Raises
    ------
    ValueError
        If ``array`` is not a floating-point array, ``step`` is not positive, or the
        function returns anything but a finite number.
    """
    _check_float("array", array)
    step = positive_number("step", step)

    def moved_value(place: tuple[int, ...], by: float) -> float:
        moved = array.astype(np.float64)
        moved[place] += by
        return as_real("function", function(moved), EXPECTED)

    gradient = np.empty(array.shape)
    for place in np.ndindex(array.shape):
        difference = moved_value(place, step) - moved_value(place, -step)
        gradient[place] = difference / (2 * step)
    return gradient
