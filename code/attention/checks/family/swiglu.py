"""Write the gated feed-forward layer of Llama (family: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.family._swiglu_mistakes import MISTAKES
from attention.checks.family._swiglu_steps import gating


def _makes_something_of_nothing(inputs, expected, got):
    zero = ~inputs["x"].any(axis=-1)
    return bool(np.abs(got[0][zero]).max() > 1e-6) if zero.any() else None


SWIGLU = Exercise(
    name="swiglu",
    signature="f(x, W_gate, W_up, W_down)",
    outputs=("output",),
    reference=gating(),
    stages=(
        (
            example(x=[[2]], W_gate=[[1, -1]], W_up=[[3, 2]], W_down=[[1], [-4]]),
            example(x=[[-1], [3]], W_gate=[[1, -2]], W_up=[[0.5, 1]], W_down=[[2], [-3.3]]),
            example(
                x=[[1, -2], [0, 3]],
                W_gate=[[1, 0.5], [-1, 1]],
                W_up=[[2, -1], [1, 3]],
                W_down=[[1, -2], [3, 1]],
            ),
            example(
                x=[[1, -2], [0, 0], [-2, 1]],
                W_gate=[[1, 0, 0.5], [-1, 1, 1]],
                W_up=[[2, -1, 1], [1, 3, 0]],
                W_down=[[1, -2], [3, 1], [-1, 2]],
            ),
        ),
        (
            example(x=[[1]], W_gate=[[1000]], W_up=[[0.5]], W_down=[[0.1]]),
            example(x=[[1]], W_gate=[[-1000, 1]], W_up=[[0.5, 2]], W_down=[[2], [1]]),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "something-of-nothing",
            "A row of zeros should stay one: there is no bias, and silu of 0 is 0. Yours does not.",
            _makes_something_of_nothing,
        ),
    ),
)


def swiglu(answer: object) -> Verdict:
    """Check the gated feed-forward layer of Llama.

    ``answer(x, W_gate, W_up, W_down)`` takes ``x`` (length, d_model), two matrices
    (d_model, d_ff) and one (d_ff, d_model). What ``W_gate`` makes of x goes through silu,
    z times the sigmoid of z, and multiplies what ``W_up`` makes, number by number;
    ``W_down`` brings the product back. There are no biases. It returns (length, d_model).
    """
    return SWIGLU.check(answer)
