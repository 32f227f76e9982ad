"""Take one step of Adam (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.learning._adam_step_mistakes import MISTAKES
from attention.checks.learning._adam_step_steps import stepping


def _goes_uphill(inputs, expected, got):
    wanted, made = expected[0] - inputs["parameter"], got[0] - inputs["parameter"]
    telling = np.abs(wanted) > 1e-6
    return bool((made * wanted < 0)[telling].all()) if telling.any() else None


ADAM_STEP = Exercise(
    name="adam_step",
    signature="f(parameter, gradient, mean, square, step, rate)",
    outputs=("parameter", "mean", "square"),
    reference=stepping(),
    stages=(
        (
            example(parameter=[1], gradient=[2], mean=[0], square=[0], step=1, rate=0.1),
            example(
                parameter=[1, -2],
                gradient=[2, -0.5],
                mean=[0.5, 0.25],
                square=[3, 1],
                step=3,
                rate=0.5,
            ),
            example(
                parameter=[[1, -2], [0, 3]],
                gradient=[[2, -1], [4, 0.5]],
                mean=[[0.5, 1], [-2, 0]],
                square=[[3, 2], [1, 4]],
                step=20,
                rate=0.25,
            ),
        ),
        (
            example(parameter=[3], gradient=[0], mean=[0], square=[0], step=1, rate=0.5),
            example(parameter=[1], gradient=[1e-8], mean=[0], square=[0], step=1, rate=0.5),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "uphill",
            "Your step goes the way the loss grows. It should go against the mean of the "
            "gradients.",
            _goes_uphill,
        ),
    ),
)


def adam_step(answer: object) -> Verdict:
    """Check one step of the optimiser Adam.

    ``answer(parameter, gradient, mean, square, step, rate)`` takes three arrays beside
    the parameter, all of its shape: its gradient, and the running means of the gradient
    and of its square before this step, which began at zero. ``step`` counts from 1. The
    mean keeps 0.9 of itself, the mean square 0.999; the tiny number is 1e-8. It returns
    the parameter, the mean and the mean square after the step.
    """
    return ADAM_STEP.check(answer)
