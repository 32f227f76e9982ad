"""The exercises of the chapter, in its order (translation: Exercises)."""

from attention.checks.translation.beam_step import BEAM_STEP, beam_step
from attention.checks.translation.learning_rate import LEARNING_RATE, learning_rate
from attention.checks.translation.smoothed_targets import SMOOTHED_TARGETS, smoothed_targets
from attention.checks.translation.top_p import TOP_P, top_p

EXERCISES = (
    LEARNING_RATE,
    SMOOTHED_TARGETS,
    BEAM_STEP,
    TOP_P,
)

__all__ = [
    "EXERCISES",
    "beam_step",
    "learning_rate",
    "smoothed_targets",
    "top_p",
]
