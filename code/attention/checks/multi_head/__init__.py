"""The exercises of the chapter, in its order (multi-head: Exercises)."""

from attention.checks.multi_head.merge_heads import MERGE_HEADS, merge_heads
from attention.checks.multi_head.multi_head import MULTI_HEAD, multi_head
from attention.checks.multi_head.parameters import PARAMETERS, parameters
from attention.checks.multi_head.split_heads import SPLIT_HEADS, split_heads
from attention.checks.multi_head.sum_over_heads import SUM_OVER_HEADS, sum_over_heads

EXERCISES = (
    SPLIT_HEADS,
    MERGE_HEADS,
    MULTI_HEAD,
    SUM_OVER_HEADS,
    PARAMETERS,
)

__all__ = [
    "EXERCISES",
    "merge_heads",
    "multi_head",
    "parameters",
    "split_heads",
    "sum_over_heads",
]
