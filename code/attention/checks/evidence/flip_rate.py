"""Compare how often a cut turns the answer with its control (evidence: Exercises)."""

from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.evidence._flip_rate_mistakes import MISTAKES, right_flip_rate

FLIP_RATE = Exercise(
    name="flip_rate",
    signature="f(before, cut, control)",
    outputs=("effect",),
    reference=right_flip_rate,
    stages=(
        (
            example(before=[2, 1], cut=[-1, 3], control=[1, 1]),
            example(before=[2, 1, -3], cut=[-1, 3, -2], control=[1, 2, -3]),
            example(before=[4, 1, -3, 2], cut=[-1, -3, 5, 3], control=[3, -1, -2, 2]),
            example(before=[4, 1, -3, 2, 1], cut=[-1, -3, 5, -1, 1], control=[3, -1, 2, 2, 4]),
        ),
        (
            example(before=[3, 2, 1], cut=[2, 1, 0.5], control=[3, 2, 1]),
            example(before=[1, 5, 0, -1], cut=[2, 5, -1, -9], control=[-1, -4, 3, -1]),
            example(
                before=[0.4, 2, -0.3, 0.7], cut=[-0.2, 0.6, -5, 0.1], control=[0.3, -0.5, 4, 0.8]
            ),
        ),
    ),
    misconceptions=MISTAKES,
)


def flip_rate(answer: object) -> Verdict:
    """Check a flip rate with its control.

    ``answer(before, cut, control)`` takes three arrays with a number for each
    sentence: the logit of the right pronoun minus that of the wrong one, in the
    model as it is, with an edge cut, and with a control edge cut. Of the sentences
    that are right before, it returns the share that are wrong with the edge cut,
    minus the share that are wrong with the control cut.
    """
    return FLIP_RATE.check(answer)
