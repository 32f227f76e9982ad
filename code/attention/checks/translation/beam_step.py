"""Extend a beam by one token (translation: Exercises)."""

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.translation._beam_step_mistakes import MISTAKES
from attention.checks.translation._beam_step_steps import right_beam_step

BEAM_STEP = Exercise(
    name="beam_step",
    signature="f(totals, log_p, width)",
    outputs=("totals", "parents", "tokens"),
    reference=right_beam_step,
    stages=(
        (
            example(totals=[0.0], log_p=[[-1, -3, -2]], width=2),
            example(totals=[-1, -2], log_p=[[-1, -4, -5], [-0.5, -1.25, -6]], width=2),
            example(totals=[-1, -1.5], log_p=[[-2, -2.25, -7], [-6, -4, -3]], width=2),
            example(totals=[-3, -1], log_p=[[-1, -2, -3, -8], [-9, -7, -5, -6]], width=2),
            example(
                totals=[-1, -2, -4],
                log_p=[[-3, -3.5, -9], [-1, -0.75, -5], [-0.25, -6, -7]],
                width=3,
            ),
        ),
        (example(totals=[-1, -2, -4], log_p=[[-3, -9], [-1, -5], [-0.25, -7]], width=1),),
    ),
    misconceptions=MISTAKES,
)


def beam_step(answer: object) -> Verdict:
    """Check one step of a beam.

    ``answer(totals, log_p, width)`` takes the log-probabilities of the beginnings,
    (beginnings,), those of each next token after each beginning, (beginnings,
    symbols), and how many to keep. Of all continuations it returns the best: their
    log-probabilities, the numbers of the beginnings that they continue, and their
    new tokens, each (width,), the best first.
    """
    return BEAM_STEP.check(answer)
