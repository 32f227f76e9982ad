"""The exercises of the chapter, in its order (evidence: Exercises)."""

from attention.checks.evidence.best_by_luck import BEST_BY_LUCK, best_by_luck
from attention.checks.evidence.equal_weight import EQUAL_WEIGHT, equal_weight
from attention.checks.evidence.flip_rate import FLIP_RATE, flip_rate
from attention.checks.evidence.keep_only import KEEP_ONLY, keep_only
from attention.checks.evidence.rollout import ROLLOUT, rollout

EXERCISES = (
    FLIP_RATE,
    EQUAL_WEIGHT,
    KEEP_ONLY,
    ROLLOUT,
    BEST_BY_LUCK,
)

__all__ = [
    "EXERCISES",
    "best_by_luck",
    "equal_weight",
    "flip_rate",
    "keep_only",
    "rollout",
]
