"""Write the schedule of the learning rate: warm-up, then inverse root (translation: Exercises)."""

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.translation._learning_rate_mistakes import MISTAKES
from attention.checks.translation._learning_rate_steps import right_learning_rate

LEARNING_RATE = Exercise(
    name="learning_rate",
    signature="f(step, highest, warm_up)",
    outputs=("rates",),
    reference=right_learning_rate,
    stages=(
        (
            example(step=[1, 2], highest=8.0, warm_up=2),
            example(step=[4, 8, 16], highest=8.0, warm_up=4),
            example(step=[100, 400, 1600], highest=0.003, warm_up=400),
            example(step=[1, 2, 5, 9, 16], highest=1.0, warm_up=4),
        ),
        (
            example(step=[1, 4], highest=2.0, warm_up=1),
            example(step=[1, 3, 50, 200, 10_000], highest=0.01, warm_up=100),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "above-the-highest",
            "Somewhere your rate is higher than the highest one.",
            lambda inputs, expected, got: bool((got[0] > inputs["highest"] * (1 + 1e-9)).any()),
        ),
    ),
)


def learning_rate(answer: object) -> Verdict:
    """Check a schedule: warm-up, then inverse root.

    ``answer(step, highest, warm_up)`` takes an array of steps, counted from 1,
    the highest rate and the number of warm-up steps. Up to step ``warm_up`` the
    rate rises in a straight line from 0 to the highest; from there it falls with
    the inverse root of the step. It returns one rate for each step.
    """
    return LEARNING_RATE.check(answer)
