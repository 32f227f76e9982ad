"""Name the source word that each target word puts most weight on (alignment: Exercises)."""

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.alignment._strongest_sources_mistakes import MISTAKES, strongest

STRONGEST_SOURCES = Exercise(
    name="strongest_sources",
    signature="f(weights, source_length, target_length)",
    outputs=("sources",),
    reference=strongest,
    stages=(
        (
            example(
                weights=[[0.1, 0.7, 0.2], [0.6, 0.3, 0.1], [0, 0.1, 0.9]],
                source_length=2,
                target_length=2,
            ),
            example(
                weights=[
                    [0.7, 0.1, 0.1, 0.1],
                    [0.1, 0.2, 0.6, 0.1],
                    [0.1, 0.8, 0, 0.1],
                    [0, 0.1, 0.2, 0.7],
                ],
                source_length=3,
                target_length=3,
            ),
            example(
                weights=[
                    [0.7, 0.2, 0.1, 0],
                    [0.2, 0.6, 0.2, 0],
                    [0.4, 0.5, 0.1, 0],
                    [0.1, 0, 0.9, 0],
                    [0.4, 0.3, 0.3, 0],
                ],
                source_length=2,
                target_length=3,
            ),
        ),
        (
            example(
                weights=[[0.1, 0.4, 0.5], [0.2, 0.7, 0.1], [0.1, 0, 0.9], [0.5, 0.3, 0.2]],
                source_length=2,
                target_length=3,
            ),
            # The largest weight of the second row lies beyond the column of END.
            example(
                weights=[[0.1, 0.2, 0.6, 0.1], [0.3, 0.1, 0.1, 0.5], [0.1, 0.7, 0, 0.2]],
                source_length=2,
                target_length=2,
            ),
        ),
    ),
    misconceptions=MISTAKES,
)


def strongest_sources(answer: object) -> Verdict:
    """Check which source word each target word looks at.

    ``answer(weights, source_length, target_length)`` takes ``weights`` (rows,
    columns) and the numbers of words of both sentences; row t is of the step
    that writes word t, and rows and columns after the last word belong to the
    end and to padding. It returns, for each target word, the place of its
    largest weight (counted from 0), and -1 where that is no word.
    """
    return STRONGEST_SOURCES.check(answer)
