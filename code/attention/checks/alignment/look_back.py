"""Look back at the source once, and return the context and the weights (alignment: Exercises)."""

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.alignment._look_back_mistakes import MISTAKES
from attention.checks.alignment._look_back_steps import right_look_back, with_weights
from attention.checks.alignment._shared import (
    additive,
)


def _with_softmax(softmax):
    """Make a function whose softmax of scores (queries, keys) is another one."""
    return with_weights(lambda query, key, v: softmax(additive(query, key, v)[None])[0])


LOOK_BACK = Exercise(
    name="look_back",
    signature="f(state, annotations, W_Q, W_K, v)",
    outputs=("context", "weights"),
    reference=right_look_back,
    stages=(
        (
            example(
                state=[1, -1],
                annotations=[[1, 0], [0, 2]],
                W_Q=[[1, 0.5], [0, 1]],
                W_K=[[0.5, 1], [1, -1]],
                v=[1, 2],
            ),
            example(
                state=[0.5, -1],
                annotations=[[1, 0, 2], [0, 1, -1], [2, 1, 0]],
                W_Q=[[1, 0], [0.5, -1]],
                W_K=[[1, 0], [0, 1], [-0.5, 0.5]],
                v=[2, 1],
            ),
            example(
                state=[1, 0.5, -1],
                annotations=[[1, 0], [0, 1], [2, 2], [-1, 1]],
                W_Q=[[1, 0], [0, 1], [1, 1]],
                W_K=[[1, -1], [0.5, 1]],
                v=[1.5, -1],
            ),
        ),
        (
            example(state=[5], annotations=[[1, 3]], W_Q=[[1]], W_K=[[1], [2]], v=[-1000]),
            example(
                state=[1],
                annotations=[[1, 0], [-1, 2], [1, 1]],
                W_Q=[[0.5]],
                W_K=[[1], [0.5]],
                v=[1000],
            ),
        ),
    ),
    misconceptions=MISTAKES,
    shared=_mistakes.for_one_query(_mistakes.of_softmax(_with_softmax)),
    symptoms=(
        Symptom(
            "weights-do-not-sum-to-1",
            "Your weights should sum to 1, and they do not.",
            lambda inputs, expected, got: (
                np.isfinite(got[1]).all() and abs(got[1].sum() - 1) > 0.01
            ),
        ),
    ),
)


def look_back(answer: object) -> Verdict:
    """Check one look back at the source.

    ``answer(state, annotations, W_Q, W_K, v)`` takes the decoder's ``state``
    (d_state,), the ``annotations`` (source_length, d_annotation), ``W_Q``
    (d_state, d_score), ``W_K`` (d_annotation, d_score) and ``v`` (d_score,).
    It returns two things: the context (d_annotation,) and the weights
    (source_length,).
    """
    return LOOK_BACK.check(answer)
