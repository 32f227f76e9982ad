"""Count the parameters of multi-head attention (multi-head: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

PARAMETERS = Exercise(
    name="parameters",
    signature="f(d_model, heads)",
    outputs=("parameters",),
    reference=lambda d_model, heads: 4 * d_model**2,
    stages=(
        (
            example(d_model=6, heads=1),
            example(d_model=6, heads=2),
            example(d_model=12, heads=3),
            example(d_model=512, heads=8),
        ),
    ),
    misconceptions=(
        misconception(
            "times-heads",
            "You count matrices of full width for every head. Each head gets only d_k columns, "
            "and that is d_model divided by the number of heads.",
            lambda d_model, heads: 4 * d_model**2 * heads,
        ),
        misconception(
            "divided-by-heads",
            "This is the share of a single head, d_k columns of each matrix. Multiply by the "
            "number of heads: there are that many shares.",
            lambda d_model, heads: 4 * d_model**2 // heads,
        ),
        misconception(
            "no-output-projection",
            "You count W_Q, W_K and W_V. There is a fourth matrix, W_O, that mixes the heads.",
            lambda d_model, heads: 3 * d_model**2,
        ),
        misconception(
            "with-biases",
            "You count biases. The question is about the matrices alone.",
            lambda d_model, heads: 4 * d_model**2 + 4 * d_model,
            lambda d_model, heads: 4 * d_model**2 + d_model,
            lambda d_model, heads: 4 * d_model**2 + 3 * d_model,
        ),
        misconception(
            "one-head-and-output",
            "You count W_O in full, but W_Q, W_K and W_V for a single head.",
            lambda d_model, heads: 3 * d_model**2 // heads + d_model**2,
        ),
        misconception(
            "full-width-heads",
            "You count W_Q, W_K and W_V with full width for every head, and W_O once. Each head "
            "has d_k columns only, and d_k is d_model divided by the number of heads.",
            lambda d_model, heads: 3 * d_model**2 * heads + d_model**2,
        ),
        misconception(
            "d_k-squared",
            "You count matrices of d_k rows and d_k columns. What a head projects is a whole row "
            "of x: its matrices have d_model rows.",
            lambda d_model, heads: 4 * (d_model // heads) ** 2,
        ),
        misconception(
            "one-matrix",
            "This is one matrix. There are four: W_Q, W_K, W_V and W_O.",
            lambda d_model, heads: d_model**2,
        ),
        misconception(
            "not-squared",
            "Your number grows in proportion to d_model. A matrix has rows and columns, and both "
            "grow.",
            lambda d_model, heads: 4 * d_model,
        ),
        misconception(
            "heads-for-width",
            "Your matrices have as many columns as there are heads. Together the heads have "
            "d_model columns, d_k each.",
            lambda d_model, heads: 4 * d_model * heads,
        ),
        misconception(
            "five-matrices",
            "You count five matrices. There are four: W_Q, W_K, W_V and W_O.",
            lambda d_model, heads: 5 * d_model**2,
        ),
    ),
    symptoms=(
        Symptom(
            "not-a-whole-number",
            "A number of parameters is a whole number.",
            lambda inputs, expected, got: bool(np.isfinite(got[0]) and got[0] % 1),
        ),
        Symptom(
            "too-many",
            "You count too many. Write down the shape of each matrix.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of each matrix.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def parameters(answer: object) -> Verdict:
    """Check the number of parameters of multi-head attention.

    ``answer(d_model, heads)`` takes the width of the model and the number of
    heads, which divides it. It returns how many numbers the four matrices
    hold, without biases, where d_k and d_v are d_model divided by heads.
    """
    return PARAMETERS.check(answer)
