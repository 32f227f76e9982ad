"""Carry a gradient back through attention, to queries, keys and values (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.learning._attention_gradient_mistakes import MISTAKES
from attention.checks.learning._shared import attention_backward


def _only(wrong: int):
    """Tell whether of the three gradients this one alone is wrong."""

    def shows(inputs, expected, got):
        right = [np.allclose(a, b, atol=1e-5) for a, b in zip(got, expected, strict=True)]
        return [part for part in range(3) if not right[part]] == [wrong]

    return shows


ATTENTION_GRADIENT = Exercise(
    name="attention_gradient",
    signature="f(query, key, value, upstream, mask)",
    outputs=("d_query", "d_key", "d_value"),
    reference=attention_backward(),
    stages=(
        (
            example(
                query=[[1, 2]],
                key=[[0.5, 0], [0, 1]],
                value=[[1], [3]],
                upstream=[[2]],
                mask=[[True, True]],
            ),
            example(
                query=[[1, 0], [0.5, -1]],
                key=[[1, 0.5], [0, 1], [-1, 2]],
                value=[[1], [3], [-2]],
                upstream=[[2], [-1]],
                mask=[[True, True, True], [True, True, True]],
            ),
            example(
                query=[[1, 0, 2], [0.5, -1, 0]],
                key=[[1, 0.5, 0], [0, 1, -1], [-1, 0.5, 0.5]],
                value=[[1, 2], [3, 0], [-2, 1]],
                upstream=[[2, 0.5], [-1, 1]],
                mask=[[True, True, True], [True, True, True]],
            ),
        ),
        (
            example(
                query=[[1, 0], [0.5, -1]],
                key=[[1, 0.5], [0, 1], [-1, 2]],
                value=[[1], [3], [-2]],
                upstream=[[2], [-1]],
                mask=[[True, False, True], [True, True, False]],
            ),
            example(
                query=[[1, 0, 2], [0.5, -1, 0], [1, 1, 0.5]],
                key=[[1, 0.5, 0], [0, 1, -1], [-1, 0.5, 0.5]],
                value=[[1, 2, 0], [3, 0, 1], [-2, 1, 0.5]],
                upstream=[[2, 0.5, 1], [-1, 1, 0], [0.5, -2, 3]],
                mask=[[True, False, False], [True, True, False], [True, True, True]],
            ),
        ),
        (
            example(
                query=[[900]],
                key=[[1], [-1]],
                value=[[1], [3]],
                upstream=[[2]],
                mask=[[True, True]],
            ),
            example(
                query=[[1], [2]],
                key=[[1], [-0.5]],
                value=[[1], [3]],
                upstream=[[2], [1]],
                mask=[[False, False], [True, True]],
            ),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "values-alone",
            "Queries and keys are right, the values are not. A value gets the upstream gradient "
            "of each query, times the weight that query gives it.",
            _only(2),
        ),
        Symptom(
            "keys-alone",
            "Queries and values are right, the keys are not. A key gets the queries, each times "
            "the gradient at their score.",
            _only(1),
        ),
        Symptom(
            "queries-alone",
            "Keys and values are right, the queries are not. A query gets the keys, each times "
            "the gradient at their score.",
            _only(0),
        ),
    ),
)


def attention_gradient(answer: object) -> Verdict:
    """Check the backward pass of scaled dot-product attention.

    ``answer(query, key, value, upstream, mask)`` takes ``query`` (queries, d_k), ``key``
    (keys, d_k), ``value`` (keys, d_v) and ``upstream`` (queries, d_v), the gradient of
    the loss with respect to the output, and ``mask`` (queries, keys), boolean, True where
    a query may attend to a key. It returns the gradients with respect to
    query, key and value, in this order, each of the shape of its array.
    """
    return ATTENTION_GRADIENT.check(answer)
