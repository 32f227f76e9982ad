"""The exercises of the chapter, in its order (scaling: Exercises)."""

from attention.checks.scaling.entropy import ENTROPY, entropy
from attention.checks.scaling.jacobian import JACOBIAN, jacobian
from attention.checks.scaling.scale_for import SCALE_FOR, scale_for
from attention.checks.scaling.score_variance import SCORE_VARIANCE, score_variance
from attention.checks.scaling.temperature_for import TEMPERATURE_FOR, temperature_for

EXERCISES = (
    SCORE_VARIANCE,
    SCALE_FOR,
    ENTROPY,
    JACOBIAN,
    TEMPERATURE_FOR,
)

__all__ = [
    "EXERCISES",
    "entropy",
    "jacobian",
    "scale_for",
    "score_variance",
    "temperature_for",
]
