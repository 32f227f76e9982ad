"""The exercises of the chapter, in its order (family: Exercises)."""

from attention.checks.family.cut_word import CUT_WORD, cut_word
from attention.checks.family.may_attend import MAY_ATTEND, may_attend
from attention.checks.family.rms_norm import RMS_NORM, rms_norm
from attention.checks.family.swiglu import SWIGLU, swiglu
from attention.checks.family.to_adjacent import TO_ADJACENT, to_adjacent

EXERCISES = (
    CUT_WORD,
    RMS_NORM,
    SWIGLU,
    TO_ADJACENT,
    MAY_ATTEND,
)

__all__ = [
    "EXERCISES",
    "cut_word",
    "may_attend",
    "rms_norm",
    "swiglu",
    "to_adjacent",
]
