"""The exercises of chapter 3, Queries, keys and values.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, close, example, misconception
from attention.checks._mistakes import (
    FULLY_MASKED_NAN,
    FULLY_MASKED_NOT_ZERO,
    OVER_THE_QUERIES,
    OVERFLOW,
    Attention,
    distances,
    normalised,
    safe_ratio,
    unit_rows,
)

# ------------------------------------------------------------- softmax_rows


SUMS_NOT_1 = "Each row of weights should sum to 1, and yours do not."


def _sum_to_1(weights, axis):
    sums = weights.sum(axis)
    return close(sums, np.ones_like(sums))


def _columns_sum_to_1(inputs, expected, got):
    weights = got[-1]
    return _sum_to_1(weights, 0) and not _sum_to_1(weights, 1)


def _rows_do_not_sum_to_1(inputs, expected, got):
    # Not so strict as to blame the sums for a rounding error.
    sums = got[-1].sum(-1)
    return np.isfinite(sums).all() and not close(sums, expected[-1].sum(-1), tolerance=0.01)


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
    ),
    symptoms=(
        Symptom("softmax-over-queries", OVER_THE_QUERIES, _columns_sum_to_1),
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
        Symptom("rows-do-not-sum-to-1", SUMS_NOT_1, _rows_do_not_sum_to_1),
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


# ------------------------------------------------------------------- scores


SCORES = Exercise(
    name="scores",
    signature="f(query, key)",
    outputs=("scores",),
    reference=lambda query, key: query @ key.T,
    stages=(
        (
            example(query=[[1, 2]], key=[[3, 1]]),
            example(query=[[1, 2], [0, 3]], key=[[2, -1], [1, 1]]),
            example(query=[[1, 2, 0]], key=[[2, 1, 5], [0, -1, 1]]),
            example(query=[[1, 0], [2, 3.3], [-1, 3]], key=[[0.7, 2], [1, 1]]),
        ),
        (example(query=[[1, 2], [0, 0]], key=[[0, 0], [3, 1], [2, 2]]),),
    ),
    misconceptions=(
        misconception(
            "transposed",
            "Your matrix has one row for each key. It should have one row for each query.",
            lambda query, key: key @ query.T,
        ),
        misconception(
            "cosine",
            "You compare directions only: the vectors are divided by their lengths (cosine "
            "similarity). In a dot product a longer vector gives a larger score.",
            lambda query, key: unit_rows(query) @ unit_rows(key).T,
        ),
        misconception(
            "already-scaled",
            "Your scores are divided by the square root of d_k. That is the next step: here the "
            "plain dot products are asked for.",
            lambda query, key: query @ key.T / np.sqrt(key.shape[-1]),
        ),
        misconception(
            "already-softmax",
            "Your rows sum to 1: the softmax has run already. Here the scores before it are "
            "asked for.",
            lambda query, key: by_hand.softmax(query @ key.T),
            lambda query, key: by_hand.softmax(query @ key.T / np.sqrt(key.shape[-1])),
        ),
        misconception(
            "query-with-query",
            "You compare the queries with each other. The keys never enter.",
            lambda query, key: query @ query.T,
        ),
        misconception(
            "key-with-key",
            "You compare the keys with each other. The queries never enter.",
            lambda query, key: key @ key.T,
        ),
        misconception(
            "elementwise-product",
            "You multiply entry by entry, and stop there. A dot product then adds up along d_k, "
            "and every query meets every key, not only the one with its own number.",
            lambda query, key: query * key,
        ),
        misconception(
            "pairs-only",
            "Query i meets key i only. Every query meets every key: the result is a matrix "
            "(queries, keys).",
            lambda query, key: (query * key).sum(-1),
            lambda query, key: [q @ k for q, k in zip(query, key, strict=False)],
        ),
        misconception(
            "features-with-features",
            "Your matrix compares columns: it adds up over the positions. The dot product adds "
            "up over d_k, the entries of one vector.",
            lambda query, key: query.T @ key,
        ),
        misconception(
            "key-not-transposed",
            "You multiply by the matrix of keys without transposing it. Each key is a row of "
            "it, and must meet the queries as a whole.",
            lambda query, key: query @ key,
        ),
        misconception(
            "distance",
            "You measure how far apart query and key are: a distance is small where they agree. "
            "A dot product is large there.",
            distances,
            lambda query, key: -distances(query, key),
            lambda query, key: distances(query, key) ** 2,
            lambda query, key: -(distances(query, key) ** 2),
        ),
        misconception(
            "wrong-sign",
            "All your scores have the wrong sign.",
            lambda query, key: -query @ key.T,
        ),
    ),
)


def scores(answer: object) -> Verdict:
    """Check the scores of all queries against all keys.

    ``answer(query, key)`` takes ``query`` (queries, d_k) and ``key``
    (keys, d_k) and returns ``scores`` (queries, keys): plain dot products, not
    scaled.
    """
    return SCORES.check(answer)


# ---------------------------------------------------------------- attention


def _attention(attend: Callable) -> Callable:
    """Make an answer; the name and the default of the mask are asked for."""
    return lambda query, key, value, mask=None: attend(query, key, value, mask)


def _returning(choose: Callable) -> Callable:
    """Make an attention function that is right but for what it returns."""

    def attend(query, key, value, mask=None):
        return choose(*Attention()(query, key, value, mask))

    return attend


def _scores_for_weights(query, key, value, mask=None):
    output, _ = Attention()(query, key, value, mask)
    scores = query @ key.T / np.sqrt(key.shape[-1])
    return output, scores if mask is None else np.where(mask, scores, -np.inf)


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
            example(query=[[1], [900]], key=[[1], [2]], value=[[1], [3]]),
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
    misconceptions=(
        misconception(
            "only-output",
            "You return the output alone. The exercise asks for two things: the output and the "
            "weights, in this order.",
            _returning(lambda output, weights: output),
        ),
        misconception(
            "only-weights",
            "You return the weights alone. The exercise asks for two things: the output and the "
            "weights, in this order.",
            _returning(lambda output, weights: weights),
        ),
        misconception(
            "outputs-swapped",
            "Both results are right, but in the wrong order: the output comes first, then the "
            "weights.",
            _returning(lambda output, weights: (weights, output)),
        ),
        misconception(
            "scores-for-weights",
            "Your output is right, but beside it you return the scores. The weights are what "
            "the softmax makes of them.",
            _scores_for_weights,
        ),
    ),
    symptoms=(
        Symptom("softmax-over-queries", OVER_THE_QUERIES, _columns_sum_to_1),
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
                np.abs(inputs["query"]).max() > 80 and not got[1].sum() > 0.5
            ),
        ),
        Symptom("rows-do-not-sum-to-1", SUMS_NOT_1, _rows_do_not_sum_to_1),
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


# ---------------------------------------------------------- cross_attention


def _cross(ask: Callable, offer: Callable, give: Callable, attend: Callable | None = None):
    """Make a cross-attention function from what asks, what is compared, what is averaged."""
    attend = attend or Attention()

    def answer(x, memory, W_Q, W_K, W_V):
        query, key, value = (make(x, memory, W_Q, W_K, W_V) for make in (ask, offer, give))
        return attend(query, key, value, d_model=x.shape[-1])[0]

    return answer


def _ask(x, memory, W_Q, W_K, W_V):
    return x @ W_Q


def _offer(x, memory, W_Q, W_K, W_V):
    return memory @ W_K


def _give(x, memory, W_Q, W_K, W_V):
    return memory @ W_V


CROSS_ATTENTION = Exercise(
    name="cross_attention",
    signature="f(x, memory, W_Q, W_K, W_V)",
    outputs=("output",),
    reference=_cross(_ask, _offer, _give),
    stages=(
        (
            example(
                x=[[1, 0], [0, 2]],
                memory=[[1, 1], [2, 0]],
                W_Q=[[1, 0], [1, 1]],
                W_K=[[0, 1], [1, -1]],
                W_V=[[2, 0], [1, 1]],
            ),
            example(
                x=[[1, 2, -1]],
                memory=[[1, 0, 1], [0, 1, 1], [2, 1, -1], [0, 0, 1]],
                W_Q=[[1], [0.5], [0]],
                W_K=[[0.5], [1], [1]],
                W_V=[[1, 2], [0, 1], [3, -1]],
            ),
            example(
                x=[[1, 0], [0, 1.3], [1, -1]],
                memory=[[1, 1], [-3.3, 2]],
                W_Q=[[1, 0, 1, 0], [0, 1, 0, 1]],
                W_K=[[1, 0, 0, 1], [1, 1, 0, 0]],
                W_V=[[1], [2]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "self-attention",
            "The memory never enters: x attends to itself. In cross-attention keys and values "
            "come from the memory.",
            _cross(
                _ask,
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: x @ W_V,
            ),
        ),
        misconception(
            "self-attention-of-memory",
            "x never enters: the memory attends to itself. The queries come from x.",
            _cross(lambda x, memory, W_Q, W_K, W_V: memory @ W_Q, _offer, _give),
        ),
        misconception(
            "roles-swapped",
            "Here the memory asks and x answers. It should be the other way round: x asks, and "
            "the output has one row for each row of x.",
            _cross(
                lambda x, memory, W_Q, W_K, W_V: memory @ W_Q,
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: x @ W_V,
            ),
        ),
        misconception(
            "keys-from-x",
            "Your keys come from x. What x looks for is compared with what the memory offers.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: x @ W_K, _give),
        ),
        misconception(
            "values-from-x",
            "Your values come from x: you look things up in the memory and then take them from "
            "somewhere else. Values stand beside their keys.",
            _cross(_ask, _offer, lambda x, memory, W_Q, W_K, W_V: x @ W_V),
        ),
        misconception(
            "values-not-projected",
            "You average the rows of the memory as they are. The values are a projection of them.",
            _cross(_ask, _offer, lambda x, memory, W_Q, W_K, W_V: memory),
        ),
        misconception(
            "keys-not-projected",
            "You compare the queries with the memory as it is. The keys are a projection of it.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: memory, _give),
        ),
        misconception(
            "queries-not-projected",
            "You use x itself as the queries. The queries are a projection of x.",
            _cross(lambda x, memory, W_Q, W_K, W_V: x, _offer, _give),
        ),
        misconception(
            "key-matrix-for-queries",
            "You make the queries with W_K. They have a matrix of their own.",
            _cross(lambda x, memory, W_Q, W_K, W_V: x @ W_K, _offer, _give),
        ),
        misconception(
            "query-matrix-for-keys",
            "You make the keys with W_Q. They have a matrix of their own.",
            _cross(_ask, lambda x, memory, W_Q, W_K, W_V: memory @ W_Q, _give),
        ),
        misconception(
            "key-matrix-for-values",
            "You make the values with W_K. They have a matrix of their own.",
            _cross(_ask, _offer, _offer),
        ),
        misconception(
            "query-and-key-matrices-swapped",
            "You make the queries with W_K and the keys with W_Q. Each has a matrix of its own.",
            _cross(
                lambda x, memory, W_Q, W_K, W_V: x @ W_K,
                lambda x, memory, W_Q, W_K, W_V: memory @ W_Q,
                _give,
            ),
        ),
    ),
    shared=_mistakes.of_attention(lambda attend: _cross(_ask, _offer, _give, attend)),
)


def cross_attention(answer: object) -> Verdict:
    """Check cross-attention: one sequence asks, another answers.

    ``answer(x, memory, W_Q, W_K, W_V)`` takes ``x`` (queries, d_model),
    ``memory`` (keys, d_model), ``W_Q`` and ``W_K`` (d_model, d_k) and ``W_V``
    (d_model, d_v). It returns ``output`` (queries, d_v): scaled dot-product
    attention with queries from ``x``, keys and values from ``memory``.
    """
    return CROSS_ATTENTION.check(answer)


# -------------------------------------------------------- kernel_regression


def _distance(x_query, x_train):
    return np.abs(x_query[:, None] - x_train[None, :])


def _kernel_average(score: Callable, softmax: Callable = by_hand.softmax) -> Callable:
    """Average y_train with softmax weights of ``score(distance, bandwidth)``."""

    def regress(x_query, x_train, y_train, bandwidth):
        return softmax(score(_distance(x_query, x_train), bandwidth)) @ y_train

    return regress


def _gaussian_exponent(distance, bandwidth):
    return -(distance**2) / (2 * bandwidth**2)


def _gaussian(x_query, x_train, bandwidth):
    return np.exp(_gaussian_exponent(_distance(x_query, x_train), bandwidth))


def _underflowing(x_query, x_train, y_train, bandwidth):
    return normalised(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _underflowing_to_zero(x_query, x_train, y_train, bandwidth):
    return safe_ratio(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _unnormalised(x_query, x_train, y_train, bandwidth):
    return _gaussian(x_query, x_train, bandwidth) @ y_train


def _densities(x_query, x_train, y_train, bandwidth):
    return _unnormalised(x_query, x_train, y_train, bandwidth) / (bandwidth * np.sqrt(2 * np.pi))


def _with_kernel(kernel: Callable) -> Callable:
    """Average y_train with weights ``kernel(distance, bandwidth)``, made to sum to 1."""

    def regress(x_query, x_train, y_train, bandwidth):
        return normalised(kernel(_distance(x_query, x_train), bandwidth)) @ y_train

    return regress


FAR_AWAY = (
    "Far from all the data every kernel is rounded to 0, and there is nothing left to divide "
    "by. The largest of them still decides: treat the exponents as scores, and use a softmax "
    "that survives large numbers."
)

KERNEL_REGRESSION = Exercise(
    name="kernel_regression",
    signature="f(x_query, x_train, y_train, bandwidth)",
    outputs=("prediction",),
    reference=_kernel_average(_gaussian_exponent),
    stages=(
        (
            example(x_query=[0.5], x_train=[0, 2], y_train=[1, 3], bandwidth=2.0),
            example(x_query=[1, 2.5], x_train=[0, 2], y_train=[1, 3], bandwidth=0.5),
            example(
                x_query=[0, 1, 2.3],
                x_train=[0.7, 1.5, 3.3, 4],
                y_train=[1, -2, 0, 5.3],
                bandwidth=1.3,
            ),
        ),
        (
            example(x_query=[100], x_train=[0, 2], y_train=[1, 3], bandwidth=0.5),
            example(x_query=[-200, 1], x_train=[0, 2, 4], y_train=[1, 3, 7], bandwidth=1.0),
        ),
    ),
    misconceptions=(
        misconception(
            "wrong-sign",
            "Points far away count most: a minus sign is missing in the exponent.",
            _kernel_average(lambda distance, bandwidth: distance**2 / (2 * bandwidth**2)),
        ),
        misconception(
            "bandwidth-not-squared",
            "You divide by the bandwidth. The distance is squared, and so is the bandwidth: "
            "what counts is how many bandwidths away a point is.",
            _kernel_average(lambda distance, bandwidth: -(distance**2) / (2 * bandwidth)),
        ),
        misconception(
            "factor-two-missing",
            "A factor 2 is missing in the exponent of the Gaussian.",
            _kernel_average(lambda distance, bandwidth: -(distance**2) / bandwidth**2),
        ),
        misconception(
            "factor-two-squared",
            "The 2 in the exponent is squared together with the bandwidth. Only the bandwidth "
            "is squared.",
            _kernel_average(lambda distance, bandwidth: -(distance**2) / (2 * bandwidth) ** 2),
        ),
        misconception(
            "bandwidth-ignored",
            "The bandwidth has no effect on your answer.",
            _kernel_average(lambda distance, bandwidth: -(distance**2) / 2),
        ),
        misconception(
            "distance-not-squared",
            "The distance is not squared: that is a kernel with a sharp peak, not a Gaussian.",
            _kernel_average(lambda distance, bandwidth: -distance / (2 * bandwidth**2)),
            _kernel_average(lambda distance, bandwidth: -distance / bandwidth),
        ),
        misconception(
            "no-exponential",
            "The squared distances themselves serve as weights: the exponential is missing.",
            lambda x_query, x_train, y_train, bandwidth: (
                normalised(_distance(x_query, x_train) ** 2) @ y_train
            ),
        ),
        misconception(
            "not-normalised",
            "You add up the values times their kernels, but do not divide by the sum of the "
            "kernels. An average has weights that sum to 1.",
            _unnormalised,
            _densities,
        ),
        misconception(
            "nearest-only",
            "You return the value of the nearest point. Every point has a say, the near ones "
            "more than the far ones.",
            lambda x_query, x_train, y_train, bandwidth: y_train[
                _distance(x_query, x_train).argmin(-1)
            ],
        ),
        misconception(
            "plain-mean",
            "You return the mean of all values, wherever the query is.",
            lambda x_query, x_train, y_train, bandwidth: np.full(len(x_query), np.mean(y_train)),
        ),
        misconception(
            "normalised-over-queries",
            "Your weights sum to 1 over the queries. For each query they must sum to 1 over the "
            "training points.",
            _kernel_average(_gaussian_exponent, lambda scores: by_hand.softmax(scores, axis=0)),
            _kernel_average(_gaussian_exponent, lambda scores: normalised(np.exp(scores), axis=0)),
        ),
        misconception("far-away", FAR_AWAY, _underflowing, _underflowing_to_zero),
        misconception(
            "another-kernel",
            "Your weights fall off with the distance, but not as a Gaussian: that is the "
            "exponential of the squared distance, with a minus sign.",
            _with_kernel(lambda distance, bandwidth: 1 / (1 + (distance / bandwidth) ** 2)),
            _with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance)),
            _with_kernel(lambda distance, bandwidth: 1 / (1e-9 + distance**2)),
            _with_kernel(
                lambda distance, bandwidth: np.maximum(1 - (distance / bandwidth) ** 2, 0)
            ),
            _with_kernel(lambda distance, bandwidth: np.maximum(1 - distance / bandwidth, 0)),
            _with_kernel(lambda distance, bandwidth: 1.0 * (distance <= bandwidth)),
        ),
        misconception(
            "bandwidth-multiplied",
            "A larger bandwidth makes your weights sharper. Divide by it: a wide kernel reaches "
            "further.",
            _kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth**2 / 2),
            _kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth / 2),
            _kernel_average(lambda distance, bandwidth: -(distance**2) * bandwidth**2),
        ),
        misconception(
            "product-for-distance",
            "Your scores are products of the query and the points. What counts here is how far "
            "apart they are.",
            lambda x_query, x_train, y_train, bandwidth: (
                by_hand.softmax(np.outer(x_query, x_train)) @ y_train
            ),
            lambda x_query, x_train, y_train, bandwidth: (
                by_hand.softmax(np.outer(x_query, x_train) / bandwidth**2) @ y_train
            ),
        ),
        misconception(
            "linear-interpolation",
            "You draw straight lines between the points. Every point has a say, not only the two "
            "beside the query.",
            lambda x_query, x_train, y_train, bandwidth: np.interp(x_query, x_train, y_train),
        ),
    ),
    symptoms=(
        Symptom(
            "far-away",
            FAR_AWAY,
            lambda inputs, expected, got: (
                not np.isfinite(got[0]).all() and np.abs(inputs["x_query"]).max() > 50
            ),
        ),
        Symptom(
            "outside-the-data",
            "Your prediction lies outside the range of the training values. An average cannot: "
            "look at what the weights sum to.",
            lambda inputs, expected, got: (
                (got[0] > inputs["y_train"].max() + 1e-6)
                | (got[0] < inputs["y_train"].min() - 1e-6)
            ).any(),
        ),
    ),
    shared=_mistakes.of_softmax(lambda softmax: _kernel_average(_gaussian_exponent, softmax)),
)


def kernel_regression(answer: object) -> Verdict:
    """Check Nadaraya-Watson regression with a Gaussian kernel.

    ``answer(x_query, x_train, y_train, bandwidth)`` takes ``x_query``
    (queries,), ``x_train`` and ``y_train`` (keys,) and a number
    ``bandwidth`` > 0. It returns predictions (queries,): averages of
    ``y_train``, each point weighted by ``exp(-(x - x_i)**2 / (2 *
    bandwidth**2))``, x being the query and x_i the training point. Far from
    all points the prediction is that of the nearest.
    """
    return KERNEL_REGRESSION.check(answer)


# -------------------------------------------------------- contextual_vector


def _self_attention(x, W_Q, W_K, W_V, attend=None):
    """Return output (length, d_v) and weights (length, length)."""
    attend = attend or Attention()
    return attend(x @ W_Q, x @ W_K, x @ W_V, d_model=x.shape[-1])


def _contextual(attend: Callable) -> Callable:
    """Make an answer from a way to attend."""
    return lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V, attend)[0][i]


def _key_asks(x, W_Q, W_K, W_V, i):
    return _self_attention(x, W_K, W_Q, W_V)[0][i]


def _column_of_weights(x, W_Q, W_K, W_V, i):
    _, weights = _self_attention(x, W_Q, W_K, W_V)
    return weights[:, i] @ (x @ W_V)


CONTEXTUAL_VECTOR = Exercise(
    name="contextual_vector",
    signature="f(x, W_Q, W_K, W_V, i)",
    outputs=("vector",),
    reference=_contextual(Attention()),
    stages=(
        (
            example(
                x=[[1, 0], [0, 2], [1, 1]],
                W_Q=[[1], [0.5]],
                W_K=[[0.5], [1]],
                W_V=[[1, 0], [-1, 1]],
                i=1,
            ),
            example(
                x=[[1, 0], [0, 2]],
                W_Q=[[1, 0], [1, 1]],
                W_K=[[0, 1], [1, -1]],
                W_V=[[2, 0], [1, 1]],
                i=0,
            ),
            example(
                x=[[1, 0, 1], [0, 2, 0], [-1, 1.3, 1]],
                W_Q=[[1, 0], [1, 2], [0, 1]],
                W_K=[[0, 1], [1.7, -1], [1, 0]],
                W_V=[[3.3, 0], [1, -2], [1, 1]],
                i=2,
            ),
            example(
                x=[[1, 0], [0, 1], [1, -1], [2, 1]],
                W_Q=[[1, 0, 1, 0], [0, 1, 0, 1]],
                W_K=[[1, 0, 0, 1], [1, 1, 0, 0]],
                W_V=[[1, 0, 2], [2, 1, 0]],
                i=3,
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "key-asks",
            "Token i is asked, but should be asking: you compare its key with everybody's "
            "queries. Its contextual vector starts from its query.",
            _key_asks,
        ),
        misconception(
            "column-of-weights",
            "You mix with column i of the weights: how much the others attend to token i. What "
            "token i attends to is in a row.",
            _column_of_weights,
        ),
        misconception(
            "off-by-one",
            "This is the contextual vector of the neighbour of token i. Positions count from 0.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][i - 1],
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][i + 1],
        ),
        misconception(
            "always-the-same-token",
            "This is the contextual vector of one end of the sentence, whatever i is.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][0],
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][-1],
        ),
        misconception(
            "mean-of-all-tokens",
            "This is the average of the contextual vectors of all tokens. Only that of token i "
            "is asked for.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0].mean(0),
        ),
        misconception(
            "all-tokens",
            "You return the contextual vectors of all tokens. Only that of token i is asked for.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0],
        ),
        misconception(
            "mixes-x",
            "You mix the rows of x. The weights are right; what they mix are the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i] @ x,
        ),
        misconception(
            "own-value-only",
            "You return the value of token i itself. Its contextual vector is a mixture of the "
            "values of all tokens.",
            lambda x, W_Q, W_K, W_V, i: (x @ W_V)[i],
        ),
        misconception(
            "weights-returned",
            "These are the weights of token i. One step is left: use them to mix the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i],
        ),
    ),
    shared=_mistakes.of_attention(_contextual),
)


def contextual_vector(answer: object) -> Verdict:
    """Check the contextual vector of one token in self-attention.

    ``answer(x, W_Q, W_K, W_V, i)`` takes ``x`` (length, d_model), ``W_Q`` and
    ``W_K`` (d_model, d_k), ``W_V`` (d_model, d_v) and a position ``i``,
    counted from 0. It returns a vector (d_v,): row i of the output of scaled
    dot-product self-attention.
    """
    return CONTEXTUAL_VECTOR.check(answer)


EXERCISES = (
    SOFTMAX_ROWS,
    SCORES,
    ATTENTION,
    CROSS_ATTENTION,
    CONTEXTUAL_VECTOR,
    KERNEL_REGRESSION,
)
