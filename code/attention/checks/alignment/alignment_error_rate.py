"""Compare found links with sure and possible ones (alignment: Exercises)."""

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.alignment._alignment_error_rate_mistakes import MISTAKES
from attention.checks.alignment._alignment_error_rate_steps import right_rate

ALIGNMENT_ERROR_RATE = Exercise(
    name="alignment_error_rate",
    signature="f(found, sure, possible)",
    outputs=("rate",),
    reference=right_rate,
    stages=(
        (
            example(
                found=[[True, False], [True, False]],
                sure=[[True, False], [False, True]],
                possible=[[True, False], [True, True]],
            ),
            example(
                found=[[True, False, False], [False, True, True]],
                sure=[[True, False, False], [False, False, True]],
                possible=[[True, True, False], [False, False, True]],
            ),
            example(
                found=[[True, False, False], [False, True, False], [False, False, True]],
                sure=[[True, False, False], [False, False, True], [False, True, False]],
                possible=[[True, True, False], [False, False, True], [False, True, True]],
            ),
            example(
                found=[
                    [True, False, False, False],
                    [False, False, True, False],
                    [False, True, True, False],
                    [False, True, False, False],
                ],
                sure=[
                    [True, False, False, False],
                    [False, False, True, False],
                    [False, True, False, False],
                    [False, False, False, True],
                ],
                possible=[
                    [True, True, False, False],
                    [False, False, True, False],
                    [False, True, True, False],
                    [False, False, True, True],
                ],
            ),
        ),
        (
            example(
                found=[[False, False], [False, False]],
                sure=[[True, False], [False, True]],
                possible=[[True, True], [False, True]],
            ),
            example(
                found=[[True, False], [False, True]],
                sure=[[True, False], [False, True]],
                possible=[[True, True], [False, True]],
            ),
        ),
    ),
    misconceptions=MISTAKES,
)


def alignment_error_rate(answer: object) -> Verdict:
    """Check the alignment error rate of one sentence.

    ``answer(found, sure, possible)`` takes three boolean matrices
    (target_length, source_length), ``True`` where there is a link; the sure links
    are possible ones too. It returns a number,
    1 - (|found and sure| + |found and possible|) / (|found| + |sure|).
    """
    return ALIGNMENT_ERROR_RATE.check(answer)
