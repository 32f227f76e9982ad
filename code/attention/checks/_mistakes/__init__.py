"""Mistakes of attention and its softmax, shared by many exercises (used by checks)."""

from attention.checks._mistakes.catalogue import (
    MISTAKES,
    for_one_query,
    of_attention,
    of_softmax,
)
from attention.checks._mistakes.mask import (
    FULLY_MASKED_NAN,
    FULLY_MASKED_NOT_ZERO,
    ZERO_TIMES_INFINITY,
)
from attention.checks._mistakes.scores import distances, unit_rows
from attention.checks._mistakes.softmax_axes import OVER_THE_QUERIES
from attention.checks._mistakes.softmax_stability import OVERFLOW
from attention.checks._mistakes.softmaxes import (
    is_rescaled,
    naive_softmax,
    normalised,
    safe_ratio,
    unstable_softmax,
)
from attention.checks._mistakes.steps import Attention, minus_infinity

__all__ = [
    "FULLY_MASKED_NAN",
    "FULLY_MASKED_NOT_ZERO",
    "MISTAKES",
    "OVERFLOW",
    "OVER_THE_QUERIES",
    "ZERO_TIMES_INFINITY",
    "Attention",
    "distances",
    "for_one_query",
    "is_rescaled",
    "minus_infinity",
    "naive_softmax",
    "normalised",
    "of_attention",
    "of_softmax",
    "safe_ratio",
    "unit_rows",
    "unstable_softmax",
]
