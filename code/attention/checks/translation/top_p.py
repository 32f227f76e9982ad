"""Keep the likeliest tokens up to a share of the probability (translation: Exercises)."""

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.translation._top_p_mistakes import MISTAKES
from attention.checks.translation._top_p_steps import right_top_p

TOP_P = Exercise(
    name="top_p",
    signature="f(p, share)",
    outputs=("probabilities",),
    reference=right_top_p,
    stages=(
        (
            example(p=[0.5, 0.375, 0.125], share=0.625),
            example(p=[0.125, 0.5, 0.375], share=0.625),
            example(p=[0.125, 0.25, 0.0625, 0.5625], share=0.5),
            example(p=[0.0625, 0.25, 0.1875, 0.375, 0.125], share=0.6),
        ),
        (
            example(p=[0.25, 0.75], share=0.5),
            example(p=[0.125, 0.25, 0.625], share=1.0),
            example(p=[0.25, 0.125, 0.625], share=0.875),
        ),
    ),
    misconceptions=MISTAKES,
)


def top_p(answer: object) -> Verdict:
    """Check nucleus truncation.

    ``answer(p, share)`` takes the probabilities of all tokens and a share. It
    keeps the likeliest tokens, as many as it takes until together they have at
    least that share, sets all others to 0, and divides by what is left. It returns
    one probability for each token, in the old order.
    """
    return TOP_P.check(answer)
