"""The exercises of chapter 3, Queries, keys and values.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, close, example, misconception

# ------------------------------------------------------------- softmax_rows


def _normalised(positive):
    """Divide each row by its sum."""
    return positive / positive.sum(-1, keepdims=True)


def _unstable_softmax(scores):
    return _normalised(np.exp(scores))


def _maximum_above_only(scores):
    return np.exp(scores - scores.max(-1, keepdims=True)) / np.exp(scores).sum(-1, keepdims=True)


def _one_maximum_for_all(scores):
    return _normalised(np.exp(scores - scores.max()))


def _sums_spread_over_columns(scores):
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum(-1)


def _one_hot(scores):
    return np.eye(scores.shape[-1])[scores.argmax(-1)]


OVERFLOW = (
    "Large scores give NaN, zero or infinity: e to the power 1000 is more than a float can "
    "hold. Softmax does not change when you subtract the same number from a whole row: "
    "choose it so that no exponential is large."
)
SUMS_NOT_1 = "Each row of weights should sum to 1, and yours do not."
OVER_THE_QUERIES = (
    "Your weights sum to 1 down each column: the softmax ran over the queries. It must run "
    "over the keys, so that each row sums to 1."
)


def _sum_to_1(weights, axis):
    """Tell whether weights sum to 1 along an axis in which they are not alone."""
    sums = weights.sum(axis)
    return weights.shape[axis] > 1 and close(sums, np.ones_like(sums))


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
            example(scores=[[1, 2, 0.5], [-1, 0, 2]]),
            example(scores=[[-2, -1], [-0.5, -3], [1.5, 1]]),
        ),
        (
            example(scores=[[1000, 999]]),
            example(scores=[[0, 0, 0]]),
            example(scores=[[-1000, -1001, -1003]]),
            example(scores=[[1000, 0, 998], [-1000, -999, -1002]]),
        ),
    ),
    misconceptions=(
        misconception(
            "softmax-over-queries",
            OVER_THE_QUERIES,
            lambda scores: by_hand.softmax(scores, axis=0),
        ),
        misconception(
            "softmax-over-everything",
            "All your weights together sum to 1. Each row is a softmax of its own: each query "
            "has a weight of 1 to share out.",
            lambda scores: by_hand.softmax(scores.ravel()).reshape(scores.shape),
        ),
        misconception(
            "axis-lost-in-the-sum",
            "The row sums are divided into the wrong places: row i should be divided by sum i, "
            "but column i is. Summing dropped the axis of the keys, and broadcasting then lined "
            "the sums up with the columns.",
            _sums_spread_over_columns,
        ),
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
            "no-exponential",
            "You divide the scores themselves by their sum. A negative score then gives a "
            "negative weight. Make every score positive first: softmax does it with the "
            "exponential.",
            _normalised,
        ),
        misconception(
            "absolute-values",
            "You made the scores positive by dropping their sign, so a score of -3 counts as "
            "much as 3. The exponential keeps the order.",
            lambda scores: _normalised(np.abs(scores)),
        ),
        misconception(
            "squares",
            "You made the scores positive by squaring them, so a score of -3 counts as much "
            "as 3. The exponential keeps the order.",
            lambda scores: _normalised(scores**2),
        ),
        misconception(
            "sigmoid",
            "You pressed each score on its own into the range 0 to 1 (a sigmoid). Softmax "
            "compares the scores of a row, so that together they sum to 1.",
            lambda scores: 1 / (1 + np.exp(-scores)),
        ),
        misconception(
            "wrong-sign",
            "Your largest weight is at the smallest score: a sign is turned round in the exponent.",
            lambda scores: by_hand.softmax(-scores),
        ),
        misconception(
            "base-two",
            "You took powers of 2. Softmax takes powers of e.",
            lambda scores: by_hand.softmax(scores * np.log(2)),
        ),
        misconception(
            "log-softmax",
            "You return the logarithm of the weights (a log-softmax). One step too many, or one "
            "too few.",
            lambda scores: np.log(by_hand.softmax(scores)),
        ),
        misconception(
            "hard-maximum",
            "You give all the weight to the largest score (arg-max). Softmax is softer: every "
            "key gets some.",
            _one_hot,
        ),
        misconception(
            "maximum-on-one-side",
            "You subtract the largest score above the fraction line and not below it. The "
            "result stays the same only if both use the same exponentials.",
            _maximum_above_only,
        ),
        misconception(
            "one-maximum-for-all-rows",
            "You subtract the largest score of the whole matrix. A row whose scores all lie far "
            "below it is left with zeros only: 0/0. Each row needs its own largest score.",
            _one_maximum_for_all,
        ),
        misconception("overflow", OVERFLOW, _unstable_softmax),
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
            "negative-weights",
            "Some of your weights are negative. A weight is a share: it lies between 0 and 1.",
            lambda inputs, expected, got: (got[0] < 0).any(),
        ),
        Symptom("rows-do-not-sum-to-1", SUMS_NOT_1, _rows_do_not_sum_to_1),
    ),
)


def softmax_rows(answer: object) -> Verdict:
    """Check a softmax over the keys.

    ``answer(scores)`` takes ``scores`` (queries, keys) and returns ``weights``
    (queries, keys): positive, each row summing to 1. Scores of ±1000 must not
    give NaN.
    """
    return SOFTMAX_ROWS.check(answer)


# ------------------------------------------------------------------- scores


def _unit_rows(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _distances(query, key):
    return np.linalg.norm(query[:, None, :] - key[None, :, :], axis=-1)


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
            example(query=[[1, 0], [2, 1], [-1, 3]], key=[[0.5, 2], [1, 1]]),
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
            lambda query, key: _unit_rows(query) @ _unit_rows(key).T,
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
            _distances,
            lambda query, key: -_distances(query, key),
            lambda query, key: _distances(query, key) ** 2,
            lambda query, key: -(_distances(query, key) ** 2),
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


def _scaled_scores(query, key):
    return query @ key.T / np.sqrt(key.shape[-1])


def _masked(scores, mask, fill=-np.inf):
    return scores if mask is None else np.where(mask, scores, fill)


def _naive_softmax(scores):
    """Subtract the maximum, but give NaN for a row of -inf."""
    return _normalised(np.exp(scores - scores.max(-1, keepdims=True)))


def _safe_ratio(numerator):
    total = numerator.sum(-1, keepdims=True)
    return numerator / np.where(total == 0, 1, total)


def _weighing(weigh: Callable) -> Callable:
    """Make an attention function from one that turns scaled scores into weights."""

    def attend(query, key, value, mask=None):
        weights = weigh(_scaled_scores(query, key), mask)
        return weights @ value, weights

    return attend


def _returning(choose: Callable) -> Callable:
    """Make an attention function that is right but for what it returns."""

    def attend(query, key, value, mask=None):
        return choose(*by_hand.scaled_dot_product_attention(query, key, value, mask))

    return attend


def _with_scale(scale: Callable) -> Callable:
    """Make an attention function with another factor on the scores."""

    def attend(query, key, value, mask=None):
        factor = scale(query, key, value)
        return by_hand.scaled_dot_product_attention(query, key, value, mask, factor)

    return attend


def _keys_as_values(query, key, value, mask=None):
    return by_hand.scaled_dot_product_attention(query, key, key, mask)


def _values_as_keys(query, key, value, mask=None):
    weights = by_hand.softmax(_masked(_scaled_scores(query, value), mask))
    return weights @ value, weights


def _queries_as_keys(query, key, value, mask=None):
    weights = by_hand.softmax(_masked(_scaled_scores(query, query), mask))
    return weights @ value, weights


def _mask_ignored(query, key, value, mask=None):
    return by_hand.scaled_dot_product_attention(query, key, value)


def _mask_inverted(query, key, value, mask=None):
    mask = None if mask is None else ~mask
    return by_hand.scaled_dot_product_attention(query, key, value, mask)


def _mask_transposed(scores, mask):
    return by_hand.softmax(_masked(scores, None if mask is None else mask.T))


def _mask_added(scores, mask):
    return by_hand.softmax(scores if mask is None else scores + mask)


def _mask_after(scores, mask):
    return _masked(by_hand.softmax(scores), mask, fill=0)


def _mask_then_renormalise(scores, mask):
    return _normalised(_mask_after(scores, mask))


def _mask_then_renormalise_safely(scores, mask):
    return _safe_ratio(_mask_after(scores, mask))


def _penalty(scores, mask):
    return by_hand.softmax(_masked(scores, mask, fill=-1e9))


def _penalty_added(scores, mask):
    return by_hand.softmax(scores if mask is None else scores + np.where(mask, 0, -1e9))


def _arg_max(scores, mask):
    scores = _masked(scores, mask)
    return np.where(np.isneginf(scores).all(-1, keepdims=True), 0, _one_hot(scores))


def _unscaled_scores_as_weights(query, key, value, mask=None):
    weights = _masked(query @ key.T, mask, fill=0)
    return weights @ value, weights


def _scores_for_weights(query, key, value, mask=None):
    output, _ = by_hand.scaled_dot_product_attention(query, key, value, mask)
    return output, _masked(_scaled_scores(query, key), mask)


FULLY_MASKED_NAN = (
    "A query that may attend to nothing gets NaN: all its scores are minus infinity, and the "
    "softmax divides zero by zero. It should get zero weights and a zero output."
)
FULLY_MASKED_NOT_ZERO = (
    "A query that may attend to nothing attends to something all the same: a large negative "
    "score loses only against a larger one, and here there is none. It should get zero weights "
    "and a zero output."
)
MASK_THEN_RENORMALISE = (
    "You take the softmax over all keys, then mask, then divide by the sum that is left. That "
    "sum can be 0: for a query that may attend to nothing, and also where a masked key has by "
    "far the largest score, so that the others are rounded to 0 beside it. Mask the scores, "
    "before the softmax."
)


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
                query=[[1, 0], [-1, 1], [0.5, 2]],
                key=[[1, 1], [0, 1]],
                value=[[1, 0, 2], [0, 3, 1]],
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
                mask=[[True, False, True], [False, True, True]],
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
            example(
                query=[[1]],
                key=[[0], [1000], [1]],
                value=[[1], [3], [4]],
                mask=[[True, False, True]],
            ),
            example(
                query=[[1000, 1000, 0, 2]],
                key=[[1, 1, 0, 1], [1, 1, 0, 0]],
                value=[[1], [3]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "no-scale",
            "The scores are not scaled. With larger d_k the dot products grow, and the softmax "
            "becomes a hard choice. Divide them by something that depends on d_k.",
            _with_scale(lambda query, key, value: 1.0),
        ),
        misconception(
            "scale-d_k",
            "You divide the scores by d_k: that is too much. It is the standard deviation of a "
            "dot product that must be undone, and it grows more slowly than d_k.",
            _with_scale(lambda query, key, value: 1 / key.shape[-1]),
        ),
        misconception(
            "scale-multiplied",
            "The factor is right but you multiply by it where you should divide: the scores get "
            "larger instead of smaller.",
            _with_scale(lambda query, key, value: np.sqrt(key.shape[-1])),
        ),
        misconception(
            "scale-number-of-keys",
            "You scale by the number of keys. The size of a dot product depends on how many "
            "entries a vector has: on d_k.",
            _with_scale(lambda query, key, value: 1 / np.sqrt(len(key))),
        ),
        misconception(
            "scale-number-of-queries",
            "You scale by the number of queries. The size of a dot product depends on how many "
            "entries a vector has: on d_k.",
            _with_scale(lambda query, key, value: 1 / np.sqrt(len(query))),
        ),
        misconception(
            "scale-d_v",
            "You scale by d_v, the width of the values. The values have no part in the scores: "
            "look at the width of the keys.",
            _with_scale(lambda query, key, value: 1 / np.sqrt(value.shape[-1])),
        ),
        misconception(
            "softmax-over-queries",
            OVER_THE_QUERIES,
            _weighing(lambda scores, mask: by_hand.softmax(_masked(scores, mask), axis=0)),
        ),
        misconception(
            "no-softmax",
            "You use the scores as weights. They can be negative and do not sum to 1: a softmax "
            "is missing.",
            _weighing(lambda scores, mask: _masked(scores, mask, fill=0)),
            _unscaled_scores_as_weights,
        ),
        misconception(
            "not-normalised",
            "You take the exponentials but do not divide by their sum: the weights of a query "
            "should sum to 1.",
            _weighing(lambda scores, mask: np.exp(_masked(scores, mask))),
        ),
        misconception(
            "hard-maximum",
            "Each query takes the value of its best key alone (arg-max). Softmax gives every "
            "key a share.",
            _weighing(_arg_max),
        ),
        misconception(
            "keys-as-values",
            "You average the keys. The keys decide how much weight each position gets; what is "
            "averaged is the values.",
            _keys_as_values,
        ),
        misconception(
            "values-as-keys",
            "You compare the queries with the values. They are to be compared with the keys.",
            _values_as_keys,
        ),
        misconception(
            "scores-ignore-keys",
            "You compare the queries with each other: the keys never enter your scores.",
            _queries_as_keys,
        ),
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
        misconception(
            "mask-ignored",
            "Your function takes a mask and never uses it: the weights are the same with and "
            "without.",
            _mask_ignored,
        ),
        misconception(
            "mask-inverted",
            "Your queries attend to just those keys that they may not see. In this book True "
            "means: may attend.",
            _mask_inverted,
        ),
        misconception(
            "mask-transposed",
            "The mask is applied with its axes swapped. Its rows are the queries, as in the "
            "scores.",
            _weighing(_mask_transposed),
        ),
        misconception(
            "zero-in-scores",
            "You set masked scores to 0. That hides nothing: e to the power 0 is 1, which is a "
            "good score beside a negative one. Which score has an exponential of 0?",
            _weighing(lambda scores, mask: by_hand.softmax(_masked(scores, mask, fill=0))),
        ),
        misconception(
            "mask-added",
            "You add the mask to the scores as numbers, so that an allowed key gains 1 and a "
            "masked one loses nothing. A masked key must lose everything.",
            _weighing(_mask_added),
        ),
        misconception(
            "mask-after-softmax",
            "You set weights to zero after the softmax: the rest of the row no longer sums to "
            "1. Hide the masked keys before the softmax, in the scores.",
            _weighing(_mask_after),
        ),
        misconception(
            "fully-masked-nan",
            FULLY_MASKED_NAN,
            _weighing(lambda scores, mask: _naive_softmax(_masked(scores, mask))),
        ),
        misconception(
            "fully-masked-not-zero",
            FULLY_MASKED_NOT_ZERO,
            _weighing(_penalty),
            _weighing(_penalty_added),
        ),
        misconception(
            "mask-then-renormalise",
            MASK_THEN_RENORMALISE,
            _weighing(_mask_then_renormalise),
            _weighing(_mask_then_renormalise_safely),
        ),
        misconception(
            "overflow",
            OVERFLOW,
            _weighing(lambda scores, mask: _safe_ratio(np.exp(_masked(scores, mask)))),
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
                np.abs(inputs["query"]).max() > 80 and not np.isfinite(got[1]).all()
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
    ),
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


def _cross(ask: Callable, offer: Callable, give: Callable, factor: Callable | None = None):
    """Make a cross-attention function from what asks, what is compared, what is averaged."""

    def attend(x, memory, W_Q, W_K, W_V):
        arguments = (x, memory, W_Q, W_K, W_V)
        query, key, value = ask(*arguments), offer(*arguments), give(*arguments)
        scale = None if factor is None else factor(*arguments)
        return by_hand.scaled_dot_product_attention(query, key, value, scale=scale)[0]

    return attend


def _ask(x, memory, W_Q, W_K, W_V):
    return x @ W_Q


def _offer(x, memory, W_Q, W_K, W_V):
    return memory @ W_K


def _give(x, memory, W_Q, W_K, W_V):
    return memory @ W_V


def _softmax_over_x(x, memory, W_Q, W_K, W_V):
    return by_hand.softmax(_scaled_scores(x @ W_Q, memory @ W_K), axis=0) @ (memory @ W_V)


CROSS_ATTENTION = Exercise(
    name="cross_attention",
    signature="f(x, memory, W_Q, W_K, W_V)",
    outputs=("output",),
    reference=_cross(_ask, _offer, _give),
    stages=(
        (
            example(
                x=[[1, 2]],
                memory=[[1, 0], [0, 1], [2, 1]],
                W_Q=[[1], [0.5]],
                W_K=[[0.5], [1]],
                W_V=[[1, 0, 2], [0, 1, -1]],
            ),
            example(
                x=[[1, 0], [0, 2]],
                memory=[[1, 1], [2, 0]],
                W_Q=[[1, 0], [1, 1]],
                W_K=[[0, 1], [1, -1]],
                W_V=[[2, 0], [1, 1]],
            ),
            example(
                x=[[1, 0], [0, 1], [1, -1]],
                memory=[[1, 1], [0, 2]],
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
            "no-scale",
            "The scores are not scaled. Divide them by the same quantity as in attention itself.",
            _cross(_ask, _offer, _give, lambda x, memory, W_Q, W_K, W_V: 1.0),
        ),
        misconception(
            "scale-d_model",
            "You scale by d_model, the width of x. The dot products run over the queries and "
            "keys: look at their width.",
            _cross(
                _ask,
                _offer,
                _give,
                lambda x, memory, W_Q, W_K, W_V: 1 / np.sqrt(x.shape[-1]),
            ),
        ),
        misconception(
            "softmax-over-queries",
            "The softmax ran over the queries, the rows of x. It must run over the keys, the "
            "rows of the memory: each row of x has a weight of 1 to share out.",
            _softmax_over_x,
        ),
    ),
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


def _kernel_average(score: Callable) -> Callable:
    """Average y_train with softmax weights of ``score(distance, bandwidth)``."""

    def regress(x_query, x_train, y_train, bandwidth):
        return by_hand.softmax(score(_distance(x_query, x_train), bandwidth)) @ y_train

    return regress


def _gaussian(x_query, x_train, bandwidth):
    return np.exp(-(_distance(x_query, x_train) ** 2) / (2 * bandwidth**2))


def _underflowing(x_query, x_train, y_train, bandwidth):
    return _normalised(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _underflowing_to_zero(x_query, x_train, y_train, bandwidth):
    return _safe_ratio(_gaussian(x_query, x_train, bandwidth)) @ y_train


def _unnormalised(x_query, x_train, y_train, bandwidth):
    return _gaussian(x_query, x_train, bandwidth) @ y_train


def _densities(x_query, x_train, y_train, bandwidth):
    return _unnormalised(x_query, x_train, y_train, bandwidth) / (bandwidth * np.sqrt(2 * np.pi))


def _normalised_over_queries(x_query, x_train, y_train, bandwidth):
    scores = -(_distance(x_query, x_train) ** 2) / (2 * bandwidth**2)
    return by_hand.softmax(scores, axis=0) @ y_train


FAR_AWAY = (
    "Far from all the data every kernel is rounded to 0, and there is nothing left to divide "
    "by. The largest of them still decides: treat the exponents as scores, and use a softmax "
    "that survives large numbers."
)

KERNEL_REGRESSION = Exercise(
    name="kernel_regression",
    signature="f(x_query, x_train, y_train, bandwidth)",
    outputs=("prediction",),
    reference=_kernel_average(lambda distance, bandwidth: -(distance**2) / (2 * bandwidth**2)),
    stages=(
        (
            example(x_query=[0.5], x_train=[0, 2], y_train=[1, 3], bandwidth=2.0),
            example(x_query=[1, 2.5], x_train=[0, 2], y_train=[1, 3], bandwidth=0.5),
            example(
                x_query=[0, 1, 2.5], x_train=[0.5, 1.5, 3, 4], y_train=[1, -2, 0, 5], bandwidth=1.5
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
                _normalised(_distance(x_query, x_train) ** 2) @ y_train
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
            _normalised_over_queries,
        ),
        misconception("far-away", FAR_AWAY, _underflowing, _underflowing_to_zero),
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


def _projected(x, W_Q, W_K, W_V):
    return x @ W_Q, x @ W_K, x @ W_V


def _self_attention(x, W_Q, W_K, W_V, scale=None):
    return by_hand.scaled_dot_product_attention(*_projected(x, W_Q, W_K, W_V), scale=scale)


def _key_asks(x, W_Q, W_K, W_V, i):
    query, key, value = _projected(x, W_Q, W_K, W_V)
    return by_hand.scaled_dot_product_attention(key, query, value)[0][i]


def _column_of_weights(x, W_Q, W_K, W_V, i):
    _, weights = _self_attention(x, W_Q, W_K, W_V)
    return weights[:, i] @ (x @ W_V)


CONTEXTUAL_VECTOR = Exercise(
    name="contextual_vector",
    signature="f(x, W_Q, W_K, W_V, i)",
    outputs=("vector",),
    reference=lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[0][i],
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
            "no-scale",
            "The scores are not scaled. Divide them by the same quantity as in attention itself.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V, 1.0)[0][i],
        ),
        misconception(
            "scale-d_model",
            "You scale by d_model, the width of x. The dot products run over the queries and "
            "keys: look at their width.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V, 1 / np.sqrt(x.shape[-1]))[
                0
            ][i],
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
            "equal-weights",
            "Every token has the same weight: the query of token i never enters.",
            lambda x, W_Q, W_K, W_V, i: (x @ W_V).mean(0),
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
            "mixes-keys",
            "You mix the keys. The weights are right; what they mix are the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i] @ (x @ W_K),
        ),
        misconception(
            "own-value-only",
            "You return the value of token i itself. Its contextual vector is a mixture of the "
            "values of all tokens.",
            lambda x, W_Q, W_K, W_V, i: (x @ W_V)[i],
        ),
        misconception(
            "hard-maximum",
            "You return the value of the best key alone (arg-max). Softmax mixes in all the "
            "others.",
            lambda x, W_Q, W_K, W_V, i: (x @ W_V)[_self_attention(x, W_Q, W_K, W_V)[1][i].argmax()],
        ),
        misconception(
            "weights-returned",
            "These are the weights of token i. One step is left: use them to mix the values.",
            lambda x, W_Q, W_K, W_V, i: _self_attention(x, W_Q, W_K, W_V)[1][i],
        ),
        misconception(
            "no-softmax",
            "You mix the values with the scores. A softmax must turn these into weights first.",
            lambda x, W_Q, W_K, W_V, i: _scaled_scores(x @ W_Q, x @ W_K)[i] @ (x @ W_V),
            lambda x, W_Q, W_K, W_V, i: ((x @ W_Q) @ (x @ W_K).T)[i] @ (x @ W_V),
        ),
    ),
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
