"""A softmax over the keys that survives large scores (queries-keys-values: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks._mistakes import (
    OVER_THE_QUERIES,
    OVERFLOW,
)
from attention.checks.queries_keys_values._shared import (
    SUMS_NOT_1,
    columns_sum_to_1,
    rows_do_not_sum_to_1,
)

SOFTMAX_ROWS = Exercise(
    name="softmax_rows",
    signature="f(scores)",
    outputs=("weights",),
    reference=by_hand.softmax,
    stages=(
        (
            example(scores=[[0, 1]]),
            example(scores=[[1, 3], [0, 2.5]]),
            example(scores=[[1.3, 2, 0.3], [-1, 0, 3.3]]),
            example(scores=[[-2, -1], [-0.5, -3], [1.5, 1]]),
        ),
        (
            example(scores=[[1000, 999]]),
            example(scores=[[0, 0, 0]]),
            example(scores=[[-1000, -1001, -1003]]),
            example(
                scores=[
                    [1000, -1000, -1000, -1000],
                    [-1000, 1000, -1001, -999],
                    [-1000, -1001, -999, -999],
                ]
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "exponentials-only",
            "You return the exponentials. They are not weights yet: each row must be divided by "
            "its sum.",
            np.exp,
        ),
        misconception(
            "not-normalised",
            "The largest entry of each of your rows is 1: you divided by the largest "
            "exponential, or subtracted the largest score and divided by nothing. Divide by the "
            "sum of the row.",
            lambda scores: np.exp(scores - scores.max(-1, keepdims=True)),
        ),
        misconception(
            "whole-scores",
            "Your scores have lost what stands after the decimal point: an array of integers "
            "drops it.",
            lambda scores: by_hand.softmax(np.trunc(scores)),
        ),
    ),
    symptoms=(
        Symptom("softmax-over-queries", OVER_THE_QUERIES, columns_sum_to_1),
        Symptom(
            "overflow",
            OVERFLOW,
            lambda inputs, expected, got: (
                np.abs(inputs["scores"]).max() > 80 and not np.isfinite(got[0]).all()
            ),
        ),
        Symptom(
            "scores-rescaled",
            "Your weights are a softmax of the scores times some number. Here the scores are "
            "taken as they are: nothing is divided or multiplied before the exponential.",
            lambda inputs, expected, got: _mistakes.is_rescaled(inputs["scores"], got[0]),
        ),
        Symptom(
            "negative-weights",
            "Some of your weights are negative. A weight is a share: it lies between 0 and 1.",
            lambda inputs, expected, got: (got[0] < 0).any() or None,
        ),
        Symptom("rows-do-not-sum-to-1", SUMS_NOT_1, rows_do_not_sum_to_1),
    ),
    shared=_mistakes.of_softmax(lambda softmax: lambda scores: softmax(scores)),
)


def softmax_rows(answer: object) -> Verdict:
    """Check a softmax over the keys.

    ``answer(scores)`` takes ``scores`` (queries, keys) and returns ``weights``
    (queries, keys): positive, each row summing to 1. Scores of ±1000 must not
    give NaN.
    """
    return SOFTMAX_ROWS.check(answer)
