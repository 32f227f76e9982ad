"""The exercises of the chapter, in its order (alignment: Exercises)."""

from attention.checks.alignment.additive_scores import ADDITIVE_SCORES, additive_scores
from attention.checks.alignment.alignment_error_rate import (
    ALIGNMENT_ERROR_RATE,
    alignment_error_rate,
)
from attention.checks.alignment.look_back import LOOK_BACK, look_back
from attention.checks.alignment.projected_scores import PROJECTED_SCORES, projected_scores
from attention.checks.alignment.strongest_sources import STRONGEST_SOURCES, strongest_sources

EXERCISES = (
    ADDITIVE_SCORES,
    LOOK_BACK,
    ALIGNMENT_ERROR_RATE,
    STRONGEST_SOURCES,
    PROJECTED_SCORES,
)

__all__ = [
    "EXERCISES",
    "additive_scores",
    "alignment_error_rate",
    "look_back",
    "projected_scores",
    "strongest_sources",
]
