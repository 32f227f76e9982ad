"""The exercises of the chapter, in its order (cost: Exercises)."""

from attention.checks.cost.cache_numbers import CACHE_NUMBERS, cache_numbers
from attention.checks.cost.cached_step import CACHED_STEP, cached_step
from attention.checks.cost.length_of_equal_work import LENGTH_OF_EQUAL_WORK, length_of_equal_work
from attention.checks.cost.merge_outputs import MERGE_OUTPUTS, merge_outputs
from attention.checks.cost.read_key import READ_KEY, read_key

EXERCISES = (
    LENGTH_OF_EQUAL_WORK,
    READ_KEY,
    MERGE_OUTPUTS,
    CACHED_STEP,
    CACHE_NUMBERS,
)

__all__ = [
    "EXERCISES",
    "cache_numbers",
    "cached_step",
    "length_of_equal_work",
    "merge_outputs",
    "read_key",
]
