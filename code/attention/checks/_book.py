"""All exercises of the book, in its order (all chapters)."""

from attention.checks._exercise import Exercise
from attention.checks.alignment import EXERCISES as ALIGNMENT
from attention.checks.bottleneck import EXERCISES as BOTTLENECK
from attention.checks.cost import EXERCISES as COST
from attention.checks.evidence import EXERCISES as EVIDENCE
from attention.checks.family import EXERCISES as FAMILY
from attention.checks.learning import EXERCISES as LEARNING
from attention.checks.masking import EXERCISES as MASKING
from attention.checks.multi_head import EXERCISES as MULTI_HEAD
from attention.checks.position import EXERCISES as POSITION
from attention.checks.queries_keys_values import EXERCISES as QUERIES_KEYS_VALUES
from attention.checks.scaling import EXERCISES as SCALING
from attention.checks.transformer import EXERCISES as TRANSFORMER
from attention.checks.translation import EXERCISES as TRANSLATION

# By the name of the checker, in the order of the book.
EXERCISES: dict[str, Exercise] = {
    exercise.name: exercise
    for exercise in (
        *BOTTLENECK,
        *ALIGNMENT,
        *QUERIES_KEYS_VALUES,
        *LEARNING,
        *SCALING,
        *MASKING,
        *MULTI_HEAD,
        *POSITION,
        *TRANSFORMER,
        *TRANSLATION,
        *COST,
        *FAMILY,
        *EVIDENCE,
    )
}
