"""The exercises of the chapter, in its order (position: Exercises)."""

from attention.checks.position.alibi_bias import ALIBI_BIAS, alibi_bias
from attention.checks.position.rotate import ROTATE, rotate
from attention.checks.position.shift_matrix import SHIFT_MATRIX, shift_matrix
from attention.checks.position.sinusoidal_positions import (
    SINUSOIDAL_POSITIONS,
    sinusoidal_positions,
)
from attention.checks.position.values_from_averages import (
    VALUES_FROM_AVERAGES,
    values_from_averages,
)

EXERCISES = (
    SINUSOIDAL_POSITIONS,
    SHIFT_MATRIX,
    ROTATE,
    ALIBI_BIAS,
    VALUES_FROM_AVERAGES,
)

__all__ = [
    "EXERCISES",
    "alibi_bias",
    "rotate",
    "shift_matrix",
    "sinusoidal_positions",
    "values_from_averages",
]
