"""The exercises of the chapter, in its order (learning: Exercises)."""

from attention.checks.learning.adam_step import ADAM_STEP, adam_step
from attention.checks.learning.attention_gradient import ATTENTION_GRADIENT, attention_gradient
from attention.checks.learning.central_differences import CENTRAL_DIFFERENCES, central_differences
from attention.checks.learning.fastest_rising_key import FASTEST_RISING_KEY, fastest_rising_key
from attention.checks.learning.softmax_gradient import SOFTMAX_GRADIENT, softmax_gradient

EXERCISES = (
    FASTEST_RISING_KEY,
    SOFTMAX_GRADIENT,
    CENTRAL_DIFFERENCES,
    ADAM_STEP,
    ATTENTION_GRADIENT,
)

__all__ = [
    "EXERCISES",
    "adam_step",
    "attention_gradient",
    "central_differences",
    "fastest_rising_key",
    "softmax_gradient",
]
