"""The exercises of the chapter, in its order (evidence: Exercises)."""

from attention.checks.evidence.best_by_luck import BEST_BY_LUCK, best_by_luck

EXERCISES = (BEST_BY_LUCK,)

__all__ = [
    "EXERCISES",
    "best_by_luck",
]
