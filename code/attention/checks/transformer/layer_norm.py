"""Bring each row to mean 0 and variance 1, then apply gain and bias (transformer: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.transformer._layer_norm_mistakes import MISTAKES
from attention.checks.transformer._layer_norm_steps import right_layer_norm


def _off(statistic, value):
    """Make a symptom's test: a statistic of the rows is off where gain and bias do nothing."""

    def shows(inputs, expected, got):
        plain = (inputs["gain"] == 1).all() and (inputs["bias"] == 0).all()
        # Where eps is felt, the right variance is not 1 either.
        plain = plain and np.allclose(expected[0].var(-1), 1, atol=1e-3)
        if not plain:
            return None  # such an example cannot tell
        found = statistic(got[0])
        return bool(np.isfinite(found).all() and not np.allclose(found, value, atol=1e-3))

    return shows


LAYER_NORM = Exercise(
    name="layer_norm",
    signature="f(x, gain, bias, eps)",
    outputs=("normalised",),
    reference=right_layer_norm,
    stages=(
        (
            example(x=[[1, 3]], gain=[1, 1], bias=[0, 0], eps=1e-5),
            example(x=[[1, 3], [10, 50]], gain=[2, 3], bias=[1, -1], eps=1e-5),
            example(x=[[1, 2, 6], [4, -4, 3]], gain=[1, 1, 1], bias=[0, 0, 0], eps=1e-5),
            example(
                x=[[1, 2, 6, 3], [0, 8, 0, 4]], gain=[1, 2, -1, 3], bias=[0, 1, 5, 2], eps=1e-5
            ),
        ),
        (
            example(x=[[1, 3]], gain=[1, 1], bias=[0, 0], eps=3.0),
            example(x=[[5, 5]], gain=[2, 2], bias=[1, 3], eps=1e-5),
            example(x=[[0, 0.002]], gain=[1, 1], bias=[0, 0], eps=1e-5),
            example(x=[[0, 0.2, 0.1], [1, 0, 8]], gain=[3, 1, 2], bias=[0, 1, 0], eps=0.01),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "mean-not-zero",
            "With gain 1 and bias 0 the mean of each row should be 0. Yours is not.",
            _off(lambda rows: rows.mean(-1), 0),
        ),
        Symptom(
            "variance-not-one",
            "With gain 1 and bias 0 the variance of each row should be next to 1. Yours is not.",
            _off(lambda rows: rows.var(-1), 1),
        ),
    ),
)


def layer_norm(answer: object) -> Verdict:
    """Check layer normalisation.

    ``answer(x, gain, bias, eps)`` takes ``x`` (length, d_model), gain and bias
    (d_model), and a small positive number. Each row is brought to mean 0 and
    variance 1, with ``eps`` added to the variance before the root is taken;
    then the gain multiplies the columns, and the bias is added. It returns
    (length, d_model).
    """
    return LAYER_NORM.check(answer)
