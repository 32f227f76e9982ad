"""How often the best of many heads does as well by luck (evidence: Exercises)."""

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.evidence._best_by_luck_mistakes import MISTAKES, best


def _is_no_chance(inputs, expected, got):
    return bool((got[0] < 0).any() or (got[0] > 1).any())


BEST_BY_LUCK = Exercise(
    name="best_by_luck",
    signature="f(heads, pairs, right)",
    outputs=("chance",),
    reference=best(),
    stages=(
        (
            example(heads=2, pairs=3, right=3),
            example(heads=2, pairs=3, right=2),
            example(heads=3, pairs=5, right=4),
            example(heads=4, pairs=10, right=8),
            example(heads=72, pairs=32, right=24),
            example(heads=270, pairs=20, right=17),
        ),
        (
            example(heads=1, pairs=4, right=3),
            example(heads=5, pairs=3, right=0),
            example(heads=5, pairs=1, right=1),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "no-chance",
            "A chance lies between 0 and 1, and yours does not.",
            _is_no_chance,
        ),
    ),
)


def best_by_luck(answer: object) -> Verdict:
    """Check the null of a maximum: what the best of many heads does by luck.

    ``answer(heads, pairs, right)`` takes three whole numbers. Each of so many heads is a
    coin: in each of the pairs it is right with chance one half, whatever it was in the
    other pairs and whatever the other heads are. It returns the chance that the best of
    the heads is right in at least ``right`` pairs.
    """
    return BEST_BY_LUCK.check(answer)
