"""Write scaled dot-product attention, with a mask (queries-keys-values: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, close, example
from attention.checks._mistakes import (
    FULLY_MASKED_NAN,
    FULLY_MASKED_NOT_ZERO,
    OVER_THE_QUERIES,
    OVERFLOW,
)
from attention.checks.queries_keys_values._attention_mistakes import MISTAKES
from attention.checks.queries_keys_values._shared import (
    SUMS_NOT_1,
    columns_sum_to_1,
    rows_do_not_sum_to_1,
)


def _attention(attend: Callable) -> Callable:
    """Make an answer; the name and the default of the mask are asked for."""
    return lambda query, key, value, mask=None: attend(query, key, value, mask)


def _full_rows(inputs):
    """Tell which queries may attend to nothing."""
    mask = inputs.get("mask")
    return np.zeros(len(inputs["query"]), dtype=bool) if mask is None else ~mask.any(-1)


def _attends_to_masked(inputs, expected, got):
    mask, full = inputs.get("mask"), _full_rows(inputs)
    if mask is None:
        return False
    masked = np.where(mask, 0, got[1])[~full]  # NaN compares as False
    return (np.abs(masked) > 1e-6).any()


def _only_the_weights_of_full_rows(inputs, expected, got):
    full = _full_rows(inputs)
    others = [part[~full] for part in (got[1], expected[1])]
    return full.any() and close(got[0], expected[0]) and close(*others)


def _same_but(inputs, expected, got, right, wrong):
    return close(got[right], expected[right]) and not close(got[wrong], expected[wrong])


ATTENTION = Exercise(
    name="attention",
    signature="f(query, key, value, mask=None)",
    outputs=("output", "weights"),
    reference=by_hand.scaled_dot_product_attention,
    stages=(
        (
            example(query=[[1, 2]], key=[[1, 0], [0, 1]], value=[[1], [3]]),
            example(query=[[1, 0], [0, 2]], key=[[1, 1], [2, 0]], value=[[1, 2], [3, 5]]),
            example(
                query=[[1, 0], [-1, 1.3], [0.7, 2]],
                key=[[1, 1], [0, 1]],
                value=[[1, 0, 2], [0, 3.3, 1]],
            ),
            example(
                query=[[1, 0, 2, 1], [0, 1, -1, 2]],
                key=[[1, 1, 0, 1], [0, 2, 1, 0], [1, 0, 1, -1]],
                value=[[1], [2], [4]],
            ),
        ),
        (
            example(
                query=[[1, 0], [0, 2]],
                key=[[1, 1], [2, 0]],
                value=[[1, 2], [3, 5]],
                mask=[[True, False], [False, True]],
            ),
            example(
                query=[[1, 1], [2, 0]],
                key=[[1, 0], [0, 1], [2, 1]],
                value=[[1], [2], [4]],
                mask=[[True, False, True], [False, False, True]],
            ),
            example(
                query=[[1, 0], [0, 1], [1, 1]],
                key=[[1, 1], [0, 2], [2, -1]],
                value=[[1], [2], [4]],
                mask=[[True, False, False], [True, True, False], [False, False, True]],
            ),
        ),
        (
            example(
                query=[[1, 0], [0, 2]],
                key=[[1, 1], [2, 0]],
                value=[[1, 2], [3, 5]],
                mask=[[True, True], [False, False]],
            ),
        ),
        (
            example(query=[[1000]], key=[[1], [-1]], value=[[1], [3]]),
            # Each row has a largest score of its own.
            example(query=[[1], [-900]], key=[[1], [2]], value=[[1], [3]]),
            example(
                query=[[-20000]],
                key=[[1], [-1], [1]],
                value=[[1], [3], [4]],
                mask=[[True, False, True]],
            ),
            example(
                query=[[-1000, -1000, 0, -2]],
                key=[[1, 1, 0, 0], [-1, -1, 0, -1], [-1, -1, 0, 0], [1, 0, 0, 0]],
                value=[[1], [3], [4], [7]],
            ),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "weights-of-an-empty-row",
            "A query that may attend to nothing gets an output of zeros, and that is right. Its "
            "weights have to be zeros, too.",
            _only_the_weights_of_full_rows,
        ),
        Symptom("softmax-over-queries", OVER_THE_QUERIES, columns_sum_to_1),
        Symptom(
            "attends-to-masked-keys",
            "A query gives weight to a key that the mask hides from it. Where the mask is "
            "False the weight must be 0.",
            _attends_to_masked,
        ),
        Symptom(
            "fully-masked-nan",
            FULLY_MASKED_NAN,
            lambda inputs, expected, got: np.isnan(got[0][_full_rows(inputs)]).any(),
        ),
        Symptom(
            "fully-masked-not-zero",
            FULLY_MASKED_NOT_ZERO,
            lambda inputs, expected, got: got[0][_full_rows(inputs)].any(),
        ),
        Symptom(
            "overflow",
            OVERFLOW,
            lambda inputs, expected, got: (
                np.abs(inputs["query"]).max() > 80 and not (got[1].sum(-1) > 0.5).all()
            ),
        ),
        Symptom("rows-do-not-sum-to-1", SUMS_NOT_1, rows_do_not_sum_to_1),
        Symptom(
            "wrong-output",
            "Your weights are right, the output is not. It is the average of the values with "
            "these weights.",
            lambda inputs, expected, got: _same_but(inputs, expected, got, right=1, wrong=0),
        ),
        Symptom(
            "wrong-weights",
            "Your output is right, the weights beside it are not. Return the weights that the "
            "values were averaged with.",
            lambda inputs, expected, got: _same_but(inputs, expected, got, right=0, wrong=1),
        ),
        Symptom(
            "wrong-scale",
            "Your weights are a softmax of the scores, but the scores have the wrong factor. "
            "They should be divided by the square root of d_k.",
            lambda inputs, expected, got: (
                inputs.get("mask") is None
                and _mistakes.is_rescaled(inputs["query"] @ inputs["key"].T, got[1])
            ),
        ),
    ),
    shared=_mistakes.of_attention(_attention),
)


def attention(answer: object) -> Verdict:
    """Check scaled dot-product attention.

    ``answer(query, key, value, mask=None)`` takes ``query`` (queries, d_k),
    ``key`` (keys, d_k), ``value`` (keys, d_v) and perhaps ``mask`` (queries,
    keys), boolean, ``True`` where a query may attend to a key. It returns
    ``output`` (queries, d_v) and ``weights`` (queries, keys). A query that may
    attend to nothing gets zeros in both. Large scores must not give NaN.
    """
    return ATTENTION.check(answer)
