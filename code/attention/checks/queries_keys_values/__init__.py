"""The exercises of the chapter, in its order (queries-keys-values: Exercises)."""

from attention.checks.queries_keys_values.attention import ATTENTION, attention
from attention.checks.queries_keys_values.contextual_vector import (
    CONTEXTUAL_VECTOR,
    contextual_vector,
)
from attention.checks.queries_keys_values.cross_attention import CROSS_ATTENTION, cross_attention
from attention.checks.queries_keys_values.kernel_regression import (
    KERNEL_REGRESSION,
    kernel_regression,
)
from attention.checks.queries_keys_values.scores import SCORES, scores
from attention.checks.queries_keys_values.softmax_rows import SOFTMAX_ROWS, softmax_rows

EXERCISES = (
    SOFTMAX_ROWS,
    SCORES,
    ATTENTION,
    CROSS_ATTENTION,
    CONTEXTUAL_VECTOR,
    KERNEL_REGRESSION,
)

__all__ = [
    "EXERCISES",
    "attention",
    "contextual_vector",
    "cross_attention",
    "kernel_regression",
    "scores",
    "softmax_rows",
]
