"""The common mistakes of attention and of its softmax, for every exercise that holds one.

An exercise writes its answer in terms of the steps of `Attention`::

    def build(attend):
        return lambda x, W_Q, W_K, W_V: attend(x @ W_Q, x @ W_K, x @ W_V)[0]

    reference = build(Attention())
    shared = of_attention(build)

A mistake is another function in place of one step. So a mistake known to one
exercise is known to all. Where only a softmax stands in an exercise, ``build``
takes that, and `of_softmax` makes the mistakes.

Not every mistake shows in every exercise: without a mask nothing tells that it
would have been inverted. That does no harm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from attention import by_hand
from attention.checks._exercise import Misconception, close

Array = np.ndarray
Sizes = Mapping[str, int]


# -------------------------------------------------------------- the right steps


def dot_products(query: Array, key: Array, value: Array) -> Array:
    """Compare each query (..., queries, d_k) with each key (..., keys, d_k)."""
    return query @ _transposed(key)


def one_over_root_of_d_k(sizes: Sizes) -> float:
    """Give the factor on the scores."""
    return 1 / np.sqrt(sizes["d_k"])


def unscaled(sizes: Sizes) -> float:
    """Leave the scores as large as they are."""
    return 1.0


def minus_infinity(scores: Array, mask: Array) -> Array:
    """Hide what the mask forbids."""
    return np.where(mask, scores, -np.inf)


def as_they_are(weights: Array, mask: Array | None, sizes: Sizes) -> Array:
    """Leave the weights as the softmax made them."""
    return weights


def weighted_sum(weights: Array, value: Array, key: Array, query: Array) -> Array:
    """Average the values (..., keys, d_v)."""
    return weights @ value


@dataclass(frozen=True)
class Attention:
    """Attention in steps, each a function that another can take the place of.

    Calling it gives ``output`` and ``weights``; `weigh` takes scores that are
    there already. ``sizes`` may name further sizes that somebody could scale
    by: ``d_model``, ``heads``.
    """

    compare: Callable = dot_products
    scale: Callable = one_over_root_of_d_k
    hide: Callable = minus_infinity
    softmax: Callable = by_hand.softmax
    change: Callable = as_they_are
    average: Callable = weighted_sum

    def __call__(
        self, query: Array, key: Array, value: Array, mask: Array | None = None, **sizes: int
    ) -> tuple[Array, Array]:
        """Return output (..., queries, d_v) and weights (..., queries, keys)."""
        (queries, d_k), (keys, d_v) = query.shape[-2:], value.shape[-2:]
        sizes = {"queries": queries, "keys": keys, "d_k": d_k, "d_v": d_v, **sizes}
        scores = self.compare(query, key, value) * self.scale(sizes)
        weights = self.weigh(scores, mask, **sizes)
        return self.average(weights, value, key, query), weights

    def weigh(self, scores: Array, mask: Array | None = None, **sizes: int) -> Array:
        """Turn scores (..., queries, keys) into weights of the same shape."""
        hidden = scores if mask is None else self.hide(scores, mask)
        return self.change(self.softmax(hidden), mask, sizes)


# ------------------------------------------------------------ building mistakes


@dataclass(frozen=True)
class Mistake:
    """One mistake: its slug, its message, and steps that make it, in several ways."""

    slug: str
    message: str
    steps: tuple[Mapping[str, Callable], ...]


def of_attention(build: Callable[[Attention], Callable]) -> tuple[Misconception, ...]:
    """Make all mistakes of attention, for ``build(attend)``, which gives an answer."""
    return tuple(
        Misconception(
            mistake.slug,
            mistake.message,
            tuple(build(Attention(**steps)) for steps in mistake.steps),
        )
        for mistake in MISTAKES
    )


def of_softmax(build: Callable[[Callable], Callable]) -> tuple[Misconception, ...]:
    """Make all mistakes of a softmax, for ``build(softmax)``, which gives an answer."""
    return tuple(
        Misconception(
            mistake.slug,
            mistake.message,
            tuple(build(steps["softmax"]) for steps in mistake.steps),
        )
        for mistake in OF_SOFTMAX
    )


def for_one_query(mistakes: tuple[Misconception, ...]) -> tuple[Misconception, ...]:
    """Leave out what can only go wrong among several queries.

    With one query such a mistake may give the numbers of quite another one.
    """
    return tuple(mistake for mistake in mistakes if mistake.slug not in AMONG_QUERIES)


def _softmax_mistake(slug: str, message: str, *softmaxes: Callable) -> Mistake:
    return Mistake(slug, message, tuple({"softmax": softmax} for softmax in softmaxes))


def _scale_mistake(slug: str, message: str, *scales: Callable) -> Mistake:
    return Mistake(slug, message, tuple({"scale": scale} for scale in scales))


def _compare_mistake(slug: str, message: str, *compares: Callable) -> Mistake:
    return Mistake(slug, message, tuple({"compare": compare} for compare in compares))


def _average_mistake(slug: str, message: str, *averages: Callable) -> Mistake:
    return Mistake(slug, message, tuple({"average": average} for average in averages))


def _mask_mistake(slug: str, message: str, *hides: Callable) -> Mistake:
    return Mistake(slug, message, tuple({"hide": hide} for hide in hides))


AMONG_QUERIES = (
    "softmax-over-queries",
    "softmax-over-everything",
    "axis-lost-in-the-sum",
    "one-maximum-for-all-rows",
    "maximum-of-the-columns",
    "scale-number-of-queries",
    "weights-transposed",
)


# ------------------------------------------------------------------ the softmax


def normalised(positive: Array, axis: int = -1) -> Array:
    """Divide by the sum along an axis."""
    return positive / positive.sum(axis, keepdims=True)


def unstable_softmax(scores: Array) -> Array:
    """Take the softmax as the formula says, with nothing subtracted."""
    return normalised(np.exp(scores))


def safe_ratio(positive: Array) -> Array:
    """Divide each row by its sum, and leave a row of zeros."""
    total = positive.sum(-1, keepdims=True)
    return positive / np.where(total == 0, 1, total)


def naive_softmax(scores: Array, axis: int = -1) -> Array:
    """Take the softmax with the maximum subtracted and no care for rows of -inf."""
    return normalised(np.exp(scores - scores.max(axis, keepdims=True)), axis)


def one_hot(scores: Array) -> Array:
    """Give all weight to the largest score, and none where all are -inf."""
    best = np.eye(scores.shape[-1])[scores.argmax(-1)]
    return np.where(np.isneginf(scores).all(-1, keepdims=True), 0, best)


def subtracting(choose: Callable[[Array], Array]) -> Callable:
    """Make a softmax that subtracts what ``choose`` gives for each row."""
    return lambda scores: normalised(np.exp(scores - choose(scores)))


def _without_infinity(weigh: Callable) -> Callable:
    """Make a softmax without an exponential; what is hidden counts as 0."""
    return lambda scores: weigh(np.where(np.isneginf(scores), 0, scores))


def _over_everything(scores: Array) -> Array:
    return by_hand.softmax(scores.reshape(-1)).reshape(scores.shape)


def _over_each_matrix(scores: Array) -> Array:
    flat = scores.reshape(*scores.shape[:-2], -1)
    return by_hand.softmax(flat).reshape(scores.shape)


def _over_heads(scores: Array) -> Array:
    if scores.ndim < 3:
        raise ValueError("no axis of heads")
    return by_hand.softmax(scores, axis=-3)


def _sums_spread_over_columns(scores: Array) -> Array:
    exponentials = np.exp(scores - scores.max())
    return exponentials / exponentials.sum(-1)


def _maximum_above_only(scores: Array) -> Array:
    return np.exp(scores - scores.max(-1, keepdims=True)) / np.exp(scores).sum(-1, keepdims=True)


def _maximum_below_only(scores: Array) -> Array:
    below = np.exp(scores - scores.max(-1, keepdims=True)).sum(-1, keepdims=True)
    return np.exp(scores) / below


def _log_softmax(scores: Array) -> Array:
    return np.log(by_hand.softmax(scores))


def _equal(scores: Array) -> Array:
    return safe_ratio(1.0 * ~np.isneginf(scores))


def _causal_softmax(scores: Array) -> Array:
    seen = np.tri(*scores.shape[-2:], dtype=bool)
    return by_hand.softmax(np.where(seen, scores, -np.inf))


def is_rescaled(scores: Array, weights: Array) -> bool:
    """Tell whether weights (queries, keys) are a softmax of the scores times some factor."""
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        return False
    centred = scores - scores.mean(-1, keepdims=True)
    logs = np.log(weights) - np.log(weights).mean(-1, keepdims=True)
    factor = (centred * logs).sum() / max((centred**2).sum(), 1e-12)
    if abs(factor) < 0.01:  # equal weights, whatever the scores
        return False
    return bool(np.allclose(logs, factor * centred, atol=1e-5)) and close(
        weights.sum(-1), np.ones(len(weights))
    )


def _sigmoid(scores: Array) -> Array:
    return 1 / (1 + np.exp(-scores))


def _finite(scores: Array) -> Array:
    return np.where(np.isneginf(scores), np.nan, scores)


OVER_THE_QUERIES = (
    "Your weights sum to 1 down each column: the softmax ran over the queries. It must run "
    "over the keys, so that each row sums to 1."
)
OVERFLOW = (
    "Large scores give NaN, zero or infinity: e to the power 1000 is more than a float can "
    "hold. Softmax does not change when you subtract the same number from a whole row: "
    "choose it so that no exponential is large, and not all are 0."
)

OF_SOFTMAX = (
    _softmax_mistake(
        "softmax-over-queries",
        OVER_THE_QUERIES,
        lambda scores: by_hand.softmax(scores, axis=-2),
        lambda scores: naive_softmax(scores, axis=-2),
        lambda scores: normalised(np.exp(scores), axis=-2),
    ),
    _softmax_mistake(
        "softmax-over-heads",
        "Your softmax runs over the heads. Each head has weights of its own, which sum to 1 "
        "over the keys: the last axis.",
        _over_heads,
    ),
    _softmax_mistake(
        "softmax-over-everything",
        "All your weights together sum to 1. Each row is a softmax of its own: each query has a "
        "weight of 1 to share out.",
        _over_each_matrix,
        _over_everything,
    ),
    _softmax_mistake(
        "axis-lost-in-the-sum",
        "The row sums are divided into the wrong places: row i should be divided by sum i, but "
        "column i is. Summing dropped the axis of the keys, and broadcasting then lined the "
        "sums up with the columns.",
        _sums_spread_over_columns,
        lambda scores: np.exp(scores) / np.exp(scores).sum(-1),
    ),
    _softmax_mistake(
        "not-normalised",
        "The exponentials are not divided by their sum. The weights of each query should sum to 1.",
        np.exp,
        lambda scores: np.exp(scores - scores.max(-1, keepdims=True)),
        lambda scores: np.exp(scores - scores.max()),
    ),
    Mistake(
        "no-softmax",
        "You use the scores as weights. They can be negative and do not sum to 1: a softmax is "
        "missing.",
        (
            {"softmax": _without_infinity(lambda scores: scores)},
            {"softmax": _without_infinity(lambda scores: scores), "scale": unscaled},
        ),
    ),
    _softmax_mistake(
        "no-exponential",
        "You divide the scores themselves by their sum. A negative score then gives a negative "
        "weight. Make every score positive first: softmax does it with the exponential.",
        _without_infinity(normalised),
    ),
    _softmax_mistake(
        "absolute-values",
        "You made the scores positive by dropping their sign, so a score of -3 counts as much "
        "as 3. The exponential keeps the order.",
        _without_infinity(lambda scores: normalised(np.abs(scores))),
    ),
    _softmax_mistake(
        "divided-by-absolute-values",
        "You divide the scores by the sum of their absolute values. Negative scores then give "
        "negative weights. The exponential makes every score positive.",
        _without_infinity(lambda scores: scores / np.abs(scores).sum(-1, keepdims=True)),
    ),
    _softmax_mistake(
        "squares",
        "You made the scores positive by squaring them, so a score of -3 counts as much as 3. "
        "The exponential keeps the order.",
        _without_infinity(lambda scores: normalised(scores**2)),
    ),
    _softmax_mistake(
        "negative-scores-cut",
        "You set negative scores to 0 before dividing by the sum. Then all of them count the "
        "same, which is nothing. The exponential keeps the order of all scores.",
        lambda scores: normalised(np.maximum(scores, 0)),
        lambda scores: safe_ratio(np.maximum(scores, 0)),
    ),
    _softmax_mistake(
        "smallest-subtracted",
        "You made the scores positive by subtracting the smallest, so that the worst key gets "
        "nothing at all. Softmax uses the exponential: every key gets a share.",
        _without_infinity(lambda scores: normalised(scores - scores.min(-1, keepdims=True))),
        _without_infinity(
            lambda scores: (
                (scores - scores.min(-1, keepdims=True)) / np.ptp(scores, -1, keepdims=True)
            )
        ),
    ),
    _softmax_mistake(
        "sigmoid",
        "You pressed each score on its own into the range 0 to 1 (a sigmoid). Softmax compares "
        "the scores of a row, so that together they sum to 1.",
        _sigmoid,
        lambda scores: normalised(_sigmoid(scores)),
    ),
    _softmax_mistake(
        "wrong-sign",
        "Your largest weight is at the smallest score: a sign is turned round in the exponent.",
        lambda scores: by_hand.softmax(np.where(np.isneginf(scores), scores, -scores)),
    ),
    _softmax_mistake(
        "base-two",
        "You took powers of 2. Softmax takes powers of e.",
        lambda scores: by_hand.softmax(scores * np.log(2)),
    ),
    _softmax_mistake(
        "base-ten",
        "You took powers of 10. Softmax takes powers of e.",
        lambda scores: by_hand.softmax(scores * np.log(10)),
    ),
    _softmax_mistake(
        "log-softmax",
        "The logarithm of the weights (a log-softmax) stands where the weights should. One step "
        "too many, or one too few.",
        _log_softmax,
        lambda scores: np.where(np.isneginf(scores), 0, _log_softmax(scores)),
    ),
    _softmax_mistake(
        "softmax-twice",
        "The softmax runs twice: the weights of the first are the scores of the second. That "
        "makes them almost equal.",
        lambda scores: by_hand.softmax(by_hand.softmax(scores)),
        lambda scores: by_hand.softmax(
            np.where(np.isneginf(scores), scores, by_hand.softmax(scores))
        ),
    ),
    _softmax_mistake(
        "hard-maximum",
        "All the weight goes to the largest score (arg-max). Softmax is softer: every key gets "
        "some.",
        one_hot,
        lambda scores: safe_ratio(1.0 * (scores == scores.max(-1, keepdims=True))),
    ),
    _softmax_mistake(
        "equal-weights",
        "Every key has the same weight. The scores should decide how much each gets.",
        _equal,
    ),
    _softmax_mistake(
        "future-hidden",
        "You hide from each query the keys that come after it. No causal mask is asked for here.",
        _causal_softmax,
    ),
    _softmax_mistake(
        "one-below-the-line",
        "You add 1 to the sum of the exponentials, so that the weights sum to less than 1. In a "
        "softmax the sum alone stands below the fraction line.",
        lambda scores: np.exp(scores) / (1 + np.exp(scores).sum(-1, keepdims=True)),
    ),
    _softmax_mistake(
        "divided-by-the-number-of-keys",
        "You divide by the number of keys, as a mean does. Softmax divides by the sum of the "
        "exponentials, and by nothing else.",
        lambda scores: np.exp(scores) / scores.shape[-1],
        lambda scores: np.exp(scores) / np.exp(scores).mean(-1, keepdims=True),
        lambda scores: by_hand.softmax(scores) / scores.shape[-1],
    ),
    _softmax_mistake(
        "divided-by-the-length",
        "You divide by the length of the row as a vector, the root of the sum of squares. "
        "Weights must sum to 1: divide by the sum of the exponentials.",
        lambda scores: np.exp(scores) / np.linalg.norm(np.exp(scores), axis=-1, keepdims=True),
        _without_infinity(lambda scores: scores / np.linalg.norm(scores, axis=-1, keepdims=True)),
    ),
    _softmax_mistake(
        "maximum-on-one-side",
        "You subtract the largest score above the fraction line and not below it, or the other "
        "way round. The result stays the same only if both use the same exponentials.",
        _maximum_above_only,
        _maximum_below_only,
    ),
    _softmax_mistake(
        "one-maximum-for-all-rows",
        "You subtract the largest score of the whole matrix. A row whose scores all lie far "
        "below it is left with zeros only: 0/0. Each row needs its own largest score.",
        subtracting(np.max),
        lambda scores: safe_ratio(np.exp(scores - scores.max())),
    ),
    _softmax_mistake(
        "maximum-of-the-columns",
        "You subtract the largest score of each column. Softmax stays the same only if the "
        "same number is subtracted from a whole row.",
        subtracting(lambda scores: scores.max(-2, keepdims=True)),
    ),
    _softmax_mistake(
        "overflow",
        OVERFLOW,
        unstable_softmax,
        lambda scores: safe_ratio(np.exp(scores)),
        lambda scores: np.nan_to_num(unstable_softmax(scores)),
    ),
    _softmax_mistake(
        "wrong-number-subtracted",
        "You subtract the mean, the smallest or the first score of each row. That is no help "
        "where the largest lies far above: its exponential is more than a float can hold. "
        "Subtract the largest.",
        subtracting(lambda scores: scores.mean(-1, keepdims=True)),
        subtracting(lambda scores: np.nanmean(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: np.nanmin(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: np.nanmedian(_finite(scores), -1, keepdims=True)),
        subtracting(lambda scores: scores[..., :1]),
        subtracting(lambda scores: scores[..., -1:]),
    ),
)

# ------------------------------------------------------------------- the scores


def _transposed(matrix: Array) -> Array:
    return matrix.swapaxes(-1, -2)


def unit_rows(x: Array) -> Array:
    """Divide each row by its length."""
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def distances(query: Array, key: Array) -> Array:
    """Measure how far apart each query and each key are."""
    return np.linalg.norm(query[..., :, None, :] - key[..., None, :, :], axis=-1)


OF_SCALE = (
    _scale_mistake(
        "no-scale",
        "The scores are not scaled. With larger d_k the dot products grow, and the softmax "
        "becomes a hard choice. Divide them by something that depends on d_k.",
        unscaled,
    ),
    _scale_mistake(
        "scale-d_k",
        "You divide the scores by d_k: that is too much. It is the standard deviation of a dot "
        "product that must be undone, and it grows more slowly than d_k.",
        lambda sizes: 1 / sizes["d_k"],
    ),
    _scale_mistake(
        "scale-multiplied",
        "You multiply the scores where you should divide: they get larger instead of smaller.",
        lambda sizes: np.sqrt(sizes["d_k"]),
        lambda sizes: float(sizes["d_k"]),
    ),
    _scale_mistake(
        "scale-d_model",
        "You scale by d_model, the width of x. The dot products run over the queries and keys: "
        "look at their width.",
        lambda sizes: 1 / np.sqrt(sizes["d_model"]),
        lambda sizes: 1 / sizes["d_model"],
    ),
    _scale_mistake(
        "scale-number-of-heads",
        "You scale by the number of heads. The size of a dot product depends on how many "
        "entries a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["heads"]),
        lambda sizes: 1 / sizes["heads"],
    ),
    _scale_mistake(
        "scale-number-of-keys",
        "You scale by the number of keys. The size of a dot product depends on how many entries "
        "a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["keys"]),
        lambda sizes: 1 / sizes["keys"],
    ),
    _scale_mistake(
        "scale-number-of-queries",
        "You scale by the number of queries. The size of a dot product depends on how many "
        "entries a vector has: on d_k.",
        lambda sizes: 1 / np.sqrt(sizes["queries"]),
        lambda sizes: 1 / sizes["queries"],
    ),
    _scale_mistake(
        "scale-d_v",
        "You scale by d_v, the width of the values. The values have no part in the scores: look "
        "at the width of the keys.",
        lambda sizes: 1 / np.sqrt(sizes["d_v"]),
        lambda sizes: 1 / sizes["d_v"],
    ),
    _scale_mistake(
        "scale-root-twice",
        "You divide by the fourth root of d_k, as if only one of query and key were scaled, or "
        "the root taken twice. Divide the scores by the square root.",
        lambda sizes: sizes["d_k"] ** -0.25,
    ),
    _scale_mistake(
        "scale-constant",
        "You divide the scores by a fixed number, which is right for one d_k alone. Divide by "
        "something that depends on d_k.",
        lambda sizes: 1 / 8,
        lambda sizes: 1 / 64,
        lambda sizes: 1 / np.sqrt(512),
        lambda sizes: 1 / 2,
        lambda sizes: 1 / np.sqrt(2),
    ),
    Mistake(
        "scale-after-softmax",
        "You divide the weights by the square root of d_k. That belongs to the scores, before "
        "the softmax: the weights of each query should sum to 1.",
        (
            {
                "scale": unscaled,
                "change": lambda weights, mask, sizes: weights / np.sqrt(sizes["d_k"]),
            },
            {"change": lambda weights, mask, sizes: weights / np.sqrt(sizes["d_k"])},
        ),
    ),
)

OF_SCORES = (
    _compare_mistake(
        "cosine",
        "You compare directions only: the vectors are divided by their lengths (cosine "
        "similarity). In a dot product a longer vector gives a larger score.",
        lambda query, key, value: unit_rows(query) @ _transposed(unit_rows(key)),
        lambda query, key, value: unit_rows(query) @ _transposed(key),
        lambda query, key, value: query @ _transposed(unit_rows(key)),
        lambda query, key, value: (
            np.sqrt(query.shape[-1]) * unit_rows(query) @ _transposed(unit_rows(key))
        ),
    ),
    _compare_mistake(
        "distance",
        "You measure how far apart query and key are. The dot product is asked for.",
        lambda query, key, value: distances(query, key),
        lambda query, key, value: -distances(query, key),
        lambda query, key, value: distances(query, key) ** 2,
        lambda query, key, value: -(distances(query, key) ** 2),
    ),
    _compare_mistake(
        "scores-ignore-keys",
        "You compare the queries with each other: the keys never enter your scores.",
        lambda query, key, value: query @ _transposed(query),
    ),
    _compare_mistake(
        "scores-ignore-queries",
        "You compare the keys with each other: the queries never enter your scores.",
        lambda query, key, value: key @ _transposed(key),
    ),
    _compare_mistake(
        "values-as-keys",
        "You compare the queries with the values. They should be compared with the keys.",
        lambda query, key, value: query @ _transposed(value),
    ),
    _compare_mistake(
        "scores-transposed",
        "Queries and keys have changed places in the scores: each row belongs to a key. It "
        "should belong to a query.",
        lambda query, key, value: key @ _transposed(query),
    ),
    _compare_mistake(
        "key-not-transposed",
        "You multiply by the matrix of keys without transposing it. Each key is a row of it, "
        "and must meet the queries as a whole.",
        lambda query, key, value: query @ key,
    ),
    _compare_mistake(
        "absolute-scores",
        "You drop the sign of the scores. A key that points away from the query should get a "
        "low score.",
        lambda query, key, value: np.abs(query @ _transposed(key)),
    ),
)

OF_AVERAGE = (
    _average_mistake(
        "keys-as-values",
        "You average the keys. The keys decide how much weight each position gets; what is "
        "averaged is the values.",
        lambda weights, value, key, query: weights @ key,
    ),
    _average_mistake(
        "queries-as-values",
        "You average the queries. What is averaged is the values.",
        lambda weights, value, key, query: weights @ query,
    ),
    _average_mistake(
        "weights-transposed",
        "You average with the columns of the weights. The weights of a query stand in its row.",
        lambda weights, value, key, query: _transposed(weights) @ value,
    ),
    _average_mistake(
        "values-added-up",
        "You add up the values with no weights.",
        lambda weights, value, key, query: np.ones_like(weights) @ value,
    ),
    _average_mistake(
        "output-divided-by-the-number-of-keys",
        "You divide by the number of keys, as a mean does. The weights sum to 1 already: the "
        "sum of the weighted values is their average.",
        lambda weights, value, key, query: weights @ value / value.shape[-2],
    ),
)


# --------------------------------------------------------------------- the mask


def _filled_with(fill: float) -> Callable:
    return lambda scores, mask: np.where(mask, scores, fill)


def _filled_where_allowed(fill: float) -> Callable:
    return lambda scores, mask: np.where(mask, fill, scores)


def _lowered_by(penalty: float) -> Callable:
    return lambda scores, mask: scores + np.where(mask, 0, penalty)


def _mask_times_infinity(scores: Array, mask: Array) -> Array:
    return scores + (1 - mask) * -np.inf


def _after(weights: Array, mask: Array | None, sizes: Sizes) -> Array:
    return weights if mask is None else weights * mask


def _after_and_renormalised(divide: Callable) -> Callable:
    return lambda weights, mask, sizes: weights if mask is None else divide(weights * mask)


def unhidden(scores: Array, mask: Array) -> Array:
    """Leave the scores as they are."""
    return scores


FULLY_MASKED_NAN = (
    "A query that may attend to nothing gets NaN: all its scores are minus infinity, and the "
    "softmax divides zero by zero. It should get zeros."
)
FULLY_MASKED_NOT_ZERO = (
    "A query that may attend to nothing attends to something all the same: a large negative "
    "score loses only against a larger one, and here there is none. It should get zeros."
)

OF_MASK = (
    _mask_mistake(
        "mask-ignored",
        "Your function takes a mask and never uses it: the weights are the same with and without.",
        unhidden,
    ),
    Mistake(
        "mask-inverted",
        "The mask is the wrong way round: your queries attend to just those keys that they may "
        "not see. In this book True means: may attend.",
        (
            {"hide": _filled_where_allowed(-np.inf)},
            {"hide": _filled_where_allowed(-np.inf), "softmax": naive_softmax},
            {"hide": _filled_where_allowed(-1e9)},
            {"hide": lambda scores, mask: scores + np.where(mask, -1e9, 0)},
        ),
    ),
    _mask_mistake(
        "mask-transposed",
        "The mask is applied with its axes swapped. Its rows are the queries, as in the scores.",
        lambda scores, mask: np.where(_transposed(mask), scores, -np.inf),
        lambda scores, mask: np.where(_transposed(mask), scores, -1e9),
    ),
    _mask_mistake(
        "zero-in-scores",
        "You set masked scores to 0. That hides nothing: e to the power 0 is 1, which is a good "
        "score beside a negative one. Which score has an exponential of 0?",
        _filled_with(0.0),
    ),
    _mask_mistake(
        "mask-added",
        "You add the mask to the scores as numbers, so that an allowed key gains 1 and a masked "
        "one loses nothing. A masked key must lose everything.",
        lambda scores, mask: scores + mask,
    ),
    _mask_mistake(
        "mask-subtracted",
        "You subtract the mask from the scores as numbers. A masked key must lose everything, "
        "not 1.",
        lambda scores, mask: scores - mask,
        lambda scores, mask: scores - ~mask,
    ),
    _mask_mistake(
        "masked-scores-raised",
        "You give the masked keys a very large score where it should be very low: a sign is "
        "missing.",
        _filled_with(1e9),
        _lowered_by(1e9),
    ),
    Mistake(
        "mask-after-softmax",
        "You set weights to zero after the softmax: the rest of the row no longer sums to 1. "
        "Hide the masked keys before the softmax, in the scores.",
        ({"hide": unhidden, "change": _after},),
    ),
    Mistake(
        "mask-then-renormalise",
        "The masked scores still take part, in the sum or as the largest score: you mask "
        "afterwards and divide by the sum that is left. That sum can be 0: for a query that may "
        "attend to nothing, and also where a masked key has by far the largest score, so that "
        "the others are rounded to 0 beside it. Mask the scores, before the softmax.",
        tuple(
            {"hide": unhidden, "change": _after_and_renormalised(divide)}
            for divide in (normalised, safe_ratio)
        ),
    ),
    Mistake(
        "softmax-after-mask-after-softmax",
        "You take the softmax, set the masked weights to 0, and take the softmax of that. A "
        "weight of 0 is no score that hides: e to the power 0 is 1. Hide the masked keys in the "
        "scores, with minus infinity, and take the softmax once.",
        (
            {
                "hide": unhidden,
                "change": _after_and_renormalised(by_hand.softmax),
            },
        ),
    ),
    Mistake(
        "fully-masked-nan",
        FULLY_MASKED_NAN,
        ({"softmax": naive_softmax}, {"softmax": unstable_softmax}),
    ),
    Mistake(
        "fully-masked-not-zero",
        FULLY_MASKED_NOT_ZERO,
        (
            {"hide": _filled_with(-1e9)},
            {"hide": _lowered_by(-1e9)},
            {"softmax": lambda scores: np.nan_to_num(naive_softmax(scores), nan=1.0)},
            {
                "softmax": lambda scores: np.nan_to_num(
                    naive_softmax(scores), nan=1 / scores.shape[-1]
                )
            },
        ),
    ),
    Mistake(
        "zero-times-infinity",
        "Where a key is masked, your whole row is NaN. A mask times infinity is NaN where the "
        "mask is 0, because 0 times infinity is no number. Choose between the score and minus "
        "infinity with np.where.",
        ({"hide": _mask_times_infinity, "softmax": naive_softmax},),
    ),
    _mask_mistake(
        "small-penalty",
        "You lower the masked scores by a number that is not large enough, and the masked keys "
        "keep some weight. How large would it have to be for any scores?",
        *(_filled_with(fill) for fill in (-1.0, -10.0, -100.0, -1000.0, -10000.0)),
        *(_lowered_by(fill) for fill in (-1.0, -10.0, -100.0, -1000.0, -10000.0)),
    ),
)

# If two explain all that an answer does, the first is named.
MISTAKES = (*OF_SCALE, *OF_MASK, *OF_SOFTMAX, *OF_SCORES, *OF_AVERAGE)
