"""The exercises of the chapter, in its order (masking: Exercises)."""

from attention.checks.masking.causal_mask import CAUSAL_MASK, causal_mask
from attention.checks.masking.combined_mask import COMBINED_MASK, combined_mask
from attention.checks.masking.masked_softmax import MASKED_SOFTMAX, masked_softmax
from attention.checks.masking.shift_targets import SHIFT_TARGETS, shift_targets
from attention.checks.masking.window_mask import WINDOW_MASK, window_mask

EXERCISES = (
    CAUSAL_MASK,
    COMBINED_MASK,
    MASKED_SOFTMAX,
    WINDOW_MASK,
    SHIFT_TARGETS,
)

__all__ = [
    "EXERCISES",
    "causal_mask",
    "combined_mask",
    "masked_softmax",
    "shift_targets",
    "window_mask",
]
