"""Divide each position by its root mean square, then apply the gain (family: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.family._rms_norm_mistakes import MISTAKES
from attention.checks.family._rms_norm_steps import mean_square, right_rms_norm


def _has_another_sign(inputs, expected, got):
    return True if (got[0] * expected[0] < 0).any() else None


def _is_not_of_size_one(inputs, expected, got):
    # Where eps is felt, or the gain, the right mean square is not 1 either.
    if (inputs["gain"] != 1).any() or not np.allclose(mean_square(expected[0]), 1, atol=1e-3):
        return None
    found = mean_square(got[0])
    return bool(np.isfinite(found).all() and not np.allclose(found, 1, atol=1e-3))


RMS_NORM = Exercise(
    name="rms_norm",
    signature="f(x, gain, eps)",
    outputs=("normalised",),
    reference=right_rms_norm,
    stages=(
        (
            example(x=[[1, 7]], gain=[1, 1], eps=1e-5),
            example(x=[[1, 3], [10, 50]], gain=[2, 3], eps=1e-5),
            example(x=[[1, -7, 6], [4, 4, -3.3]], gain=[1, 1, 1], eps=1e-5),
            example(x=[[1, 2, 6, 3], [0, 8, 0, -4]], gain=[1, 2, -1, 3], eps=1e-6),
            example(
                x=[[[1, 2, 6], [5, -3, 1]], [[0, 3, 2], [7, 1, -4]]], gain=[0.5, 2, 4], eps=1e-6
            ),
        ),
        (
            example(x=[1, 7], gain=[1, 2], eps=1e-5),
            example(x=[[1, 7]], gain=[1, 1], eps=6.0),
            example(x=[[0, 0]], gain=[2, 5], eps=1e-5),
            example(x=[[0, 0.002]], gain=[1, 1], eps=1e-5),
            example(x=[[0, 0.2, 0.1], [1, 0, 8]], gain=[3, 1, 2], eps=0.01),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "sign-changed",
            "Some number has another sign than it should. Without a negative gain RMSNorm changes "
            "no sign: it subtracts nothing.",
            _has_another_sign,
        ),
        Symptom(
            "mean-square-not-one",
            "With gain 1 the mean of the squares of each row should be next to 1. Yours is not.",
            _is_not_of_size_one,
        ),
    ),
)


def rms_norm(answer: object) -> Verdict:
    """Check RMSNorm, the norm of Llama.

    ``answer(x, gain, eps)`` takes ``x`` (..., d_model), with any axes before the last
    or none, the gain (d_model,), and a small positive number. Each position is divided
    by its root mean square, with ``eps`` added to the mean square before the root is
    taken; then the gain multiplies the columns. It returns an array like ``x``.
    """
    return RMS_NORM.check(answer)
