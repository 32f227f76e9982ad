"""Answers to the exercises of the chapter `queries_keys_values`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ------------------------------------------------------------- softmax_rows


def exp(x):
    """Give infinity where `math.exp` would raise, as NumPy does."""
    return math.exp(x) if x < 700 else math.inf


def ratio(a, b):
    return np.float64(a) / np.float64(b)


def soft(row):
    top = max(row)
    exponentials = [math.exp(s - top) for s in row]
    return [e / sum(exponentials) for e in exponentials]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def column(matrix, j):
    return [row[j] for row in matrix]


def transpose(matrix):
    return [column(matrix, j) for j in range(len(matrix[0]))]


def times(a, b):
    return [[dot(row, column(b, j)) for j in range(len(b[0]))] for row in a]


@right("softmax_rows")
def softmax_with_loops(scores):
    return [soft(row) for row in scores]


@right("softmax_rows")
def softmax_with_logsumexp(scores):
    largest = np.max(scores, axis=1)[:, None]
    return np.exp(scores - largest - np.log(np.sum(np.exp(scores - largest), axis=1))[:, None])


@wrong("softmax_rows", "softmax-over-queries")
def _(scores):
    return transpose([soft(scores[:, j]) for j in range(scores.shape[1])])


@wrong("softmax_rows", "softmax-over-queries")
def softmax_over_queries_without_maximum(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=0)


@wrong("softmax_rows", "softmax-over-everything")
def _(scores):
    e = np.exp(scores - np.max(scores))
    return e / np.sum(e)


@wrong("softmax_rows", "softmax-over-everything")
def softmax_over_everything_without_maximum(scores):
    return np.exp(scores) / np.exp(scores).sum()


@wrong("softmax_rows", "axis-lost-in-the-sum")
def _(scores):
    return np.exp(scores) / np.sum(np.exp(scores), axis=1)


@wrong("softmax_rows", "exponentials-only")
def _(scores):
    return [[exp(s) for s in row] for row in scores]


@wrong("softmax_rows", "not-normalised")
def _(scores):
    return [[exp(s - max(row)) for s in row] for row in scores]


@wrong("softmax_rows", "not-normalised")
def divided_by_the_largest(scores):
    exponentials = np.exp(scores)
    return exponentials / exponentials.max(axis=1)[:, None]


@wrong("softmax_rows", "no-exponential")
def _(scores):
    return [[ratio(s, sum(row)) for s in row] for row in scores]


@wrong("softmax_rows", "absolute-values")
def _(scores):
    return [[ratio(abs(s), sum(abs(t) for t in row)) for s in row] for row in scores]


@wrong("softmax_rows", "squares")
def _(scores):
    return [[ratio(s * s, sum(t * t for t in row)) for s in row] for row in scores]


@wrong("softmax_rows", "sigmoid")
def _(scores):
    return [[1 / (1 + exp(-s)) for s in row] for row in scores]


@wrong("softmax_rows", "wrong-sign")
def _(scores):
    return [soft([-s for s in row]) for row in scores]


@wrong("softmax_rows", "base-two")
def _(scores):
    return [
        [2 ** (s - max(row)) / sum(2 ** (t - max(row)) for t in row) for s in row] for row in scores
    ]


@wrong("softmax_rows", "log-softmax")
def _(scores):
    largest = scores.max(axis=1, keepdims=True)
    return scores - largest - np.log(np.exp(scores - largest).sum(axis=1, keepdims=True))


@wrong("softmax_rows", "hard-maximum")
def _(scores):
    weights = np.zeros(scores.shape, dtype=bool)
    for i, row in enumerate(scores):
        weights[i, list(row).index(max(row))] = True
    return weights


@wrong("softmax_rows", "maximum-on-one-side")
def _(scores):
    return [[ratio(exp(s - max(row)), sum(exp(t) for t in row)) for s in row] for row in scores]


@wrong("softmax_rows", "one-maximum-for-all-rows")
def _(scores):
    top = max(max(row) for row in scores)
    return [[ratio(exp(s - top), sum(exp(t - top) for t in row)) for s in row] for row in scores]


@wrong("softmax_rows", "overflow")
def _(scores):
    return [[ratio(exp(s), sum(exp(t) for t in row)) for s in row] for row in scores]


@wrong("softmax_rows", "overflow")
def overflow_in_float32(scores):
    e = np.exp(scores.astype(np.float32))
    return e / e.sum(axis=-1, keepdims=True)


@wrong("softmax_rows", "overflow")
def overflow_made_one(scores):
    e = np.exp(scores)
    return np.nan_to_num(e / e.sum(axis=-1, keepdims=True), nan=np.inf)


@wrong("softmax_rows", "negative-weights")
def _(scores):
    return scores - scores.mean(axis=1, keepdims=True) + 1 / scores.shape[1]


@wrong("softmax_rows", "rows-do-not-sum-to-1")
def _(scores):
    return np.array([soft(row) for row in scores]) * 0.75


@wrong("softmax_rows", "approximate")
def rounded(scores):
    return np.round([soft(row) for row in scores], 3)


@wrong("softmax_rows", "too-few-digits")
def too_few_bits(scores):
    return np.array([soft(row) for row in scores], dtype=np.float16)


@wrong("softmax_rows", "equal-weights")
def equal_weights(scores):
    return np.full(scores.shape, 1 / scores.shape[1])


@wrong("softmax_rows", "scores-rescaled")
def divided_by_the_root_of_the_number_of_keys(scores):
    return [soft([s / math.sqrt(len(row)) for s in row]) for row in scores]


@wrong("softmax_rows", "transposed")
def rows_and_columns_swapped(scores):
    return transpose([soft(row) for row in scores])


# ------------------------------------------------------------------- scores


@right("scores")
def scores_with_loops(query, key):
    return [[dot(q, k) for k in key] for q in query]


@right("scores")
def scores_with_einsum(query, key):
    return np.einsum("qd,kd->qk", query, key)


@wrong("scores", "transposed")
def _(query, key):
    return [[dot(q, k) for q in query] for k in key]


@wrong("scores", "cosine")
def _(query, key):
    return [
        [ratio(dot(q, k), math.sqrt(dot(q, q)) * math.sqrt(dot(k, k))) for k in key] for q in query
    ]


@wrong("scores", "cosine")
def cosine_with_a_small_number(query, key):
    return [[dot(q, k) / (math.sqrt(dot(q, q) * dot(k, k)) + 1e-9) for k in key] for q in query]


@wrong("scores", "already-scaled")
def _(query, key):
    return [[dot(q, k) / len(q) ** 0.5 for k in key] for q in query]


@wrong("scores", "already-softmax")
def _(query, key):
    return [soft([dot(q, k) for k in key]) for q in query]


@wrong("scores", "already-softmax")
def weights_instead(query, key):
    return [soft([dot(q, k) / len(k) ** 0.5 for k in key]) for q in query]


@wrong("scores", "query-with-query")
def _(query, key):
    return [[dot(q, other) for other in query] for q in query]


@wrong("scores", "key-with-key")
def _(query, key):
    return [[dot(k, other) for other in key] for k in key]


@wrong("scores", "elementwise-product")
def _(query, key):
    return np.multiply(query, key)


@wrong("scores", "pairs-only")
def _(query, key):
    return [dot(query[i], key[i]) for i in range(len(query))]


@wrong("scores", "features-with-features")
def _(query, key):
    return [
        [dot(query[:, a], key[:, b]) for b in range(key.shape[1])] for a in range(query.shape[1])
    ]


@wrong("scores", "key-not-transposed")
def _(query, key):
    return np.dot(query, key)


@wrong("scores", "distance")
def _(query, key):
    return [[math.dist(q, k) for k in key] for q in query]


@wrong("scores", "distance")
def nearness(query, key):
    return [[-(math.dist(q, k) ** 2) for k in key] for q in query]


@wrong("scores", "wrong-sign")
def _(query, key):
    return [[sum(-x * y for x, y in zip(q, k, strict=True)) for k in key] for q in query]


# ---------------------------------------------------------------- attention


def average(weights, value):
    return [dot(weights, column(value, j)) for j in range(len(value[0]))]


def attend(query, key, value, mask, score, weigh):
    """Run attention row by row, with a reader's own `score` and `weigh`."""
    output, weights = [], []
    for i, q in enumerate(query):
        allowed = [True] * len(key) if mask is None else [bool(m) for m in mask[i]]
        row = weigh([score(q, k) for k in key], allowed)
        weights.append(row)
        output.append(average(row, value))
    return np.array(output), np.array(weights)


def scaled(q, k):
    return dot(q, k) / math.sqrt(len(k))


def only_allowed(row, allowed):
    """Take the softmax of the allowed scores; nothing allowed, nothing given."""
    if not any(allowed):
        return [0.0] * len(row)
    inside = iter(soft([s for s, may in zip(row, allowed, strict=True) if may]))
    return [next(inside) if may else 0.0 for may in allowed]


def numpy_softmax(s):
    e = np.exp(s - s.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@right("attention")
def attention_with_loops(query, key, value, mask=None):
    return attend(query, key, value, mask, scaled, only_allowed)


@right("attention")
def attention_with_matrices(query, key, value, mask=None):
    s = np.einsum("qd,kd->qk", query, key) * key.shape[1] ** -0.5
    if mask is None:
        mask = np.ones_like(s, dtype=bool)
    top = np.where(mask, s, -1e300).max(axis=1, keepdims=True)
    e = np.where(mask, np.exp(np.minimum(s - top, 0)), 0)
    w = e / np.maximum(e.sum(axis=1, keepdims=True), 1e-300)
    return np.einsum("qk,kv->qv", w, value), w


@wrong("attention", "no-scale")
def _(query, key, value, mask=None):
    return attend(query, key, value, mask, dot, only_allowed)


@wrong("attention", "no-scale")
def no_scale_and_no_care(query, key, value, mask=None):
    """Forget the scale, let a full row become NaN and large scores overflow."""
    s = query @ key.T
    if mask is not None:
        s[~mask] = -np.inf
    w = np.exp(s) / np.exp(s).sum(axis=-1, keepdims=True)
    return w @ value, w


@wrong("attention", "no-scale")
def no_scale_and_no_mask(query, key, value, mask=None):
    w = numpy_softmax(query @ key.T)
    return w @ value, w


@wrong("attention", "scale-d_k")
def _(query, key, value, mask=None):
    return attend(query, key, value, mask, lambda q, k: dot(q, k) / len(q), only_allowed)


@wrong("attention", "scale-multiplied")
def _(query, key, value, mask=None):
    return attend(query, key, value, mask, lambda q, k: dot(q, k) * len(q) ** 0.5, only_allowed)


@wrong("attention", "scale-number-of-keys")
def _(query, key, value, mask=None):
    root = math.sqrt(key.shape[0])
    return attend(query, key, value, mask, lambda q, k: dot(q, k) / root, only_allowed)


@wrong("attention", "scale-number-of-queries")
def _(query, key, value, mask=None):
    root = math.sqrt(query.shape[0])
    return attend(query, key, value, mask, lambda q, k: dot(q, k) / root, only_allowed)


@wrong("attention", "scale-d_v")
def _(query, key, value, mask=None):
    root = math.sqrt(value.shape[1])
    return attend(query, key, value, mask, lambda q, k: dot(q, k) / root, only_allowed)


@wrong("attention", "softmax-over-queries")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = np.where(mask, s, -1e9)
    e = np.exp(s - s.max(axis=0))
    w = e / e.sum(axis=0)
    return w @ value, w


@wrong("attention", "softmax-over-queries")
def softmax_over_queries_unscaled(query, key, value, mask=None):
    e = np.exp(query @ key.T)
    w = e / e.sum(axis=0)
    return w @ value, w


@wrong("attention", "no-softmax")
def _(query, key, value, mask=None):
    return attend(query, key, value, mask, scaled, lambda row, allowed: np.where(allowed, row, 0))


@wrong("attention", "no-softmax")
def no_softmax_masked_by_infinity(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = np.where(mask, s, -np.inf)
    return s @ value, s


@wrong("attention", "no-softmax")
def no_softmax_no_scale(query, key, value, mask=None):
    return attend(query, key, value, mask, dot, lambda row, allowed: np.where(allowed, row, 0))


@wrong("attention", "not-normalised")
def _(query, key, value, mask=None):
    def weigh(row, allowed):
        return [exp(s) if may else 0 for s, may in zip(row, allowed, strict=True)]

    return attend(query, key, value, mask, scaled, weigh)


@wrong("attention", "hard-maximum")
def _(query, key, value, mask=None):
    def weigh(row, allowed):
        weights = [0] * len(row)
        candidates = [i for i in range(len(row)) if allowed[i]]
        if candidates:
            weights[max(candidates, key=lambda i: row[i])] = 1
        return weights

    return attend(query, key, value, mask, scaled, weigh)


@wrong("attention", "keys-as-values")
def _(query, key, value, mask=None):
    return attend(query, key, key, mask, scaled, only_allowed)


@wrong("attention", "values-as-keys")
def _(query, key, value, mask=None):
    w = numpy_softmax(query @ value.T / np.sqrt(value.shape[1]))
    return w @ value, w


@wrong("attention", "scores-ignore-keys")
def _(query, key, value, mask=None):
    s = query @ query.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = np.where(mask, s, -np.inf)
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "only-output")
def _(query, key, value, mask=None):
    return attention_with_loops(query, key, value, mask)[0]


@wrong("attention", "only-weights")
def _(query, key, value, mask=None):
    return attention_with_loops(query, key, value, mask)[1]


@wrong("attention", "outputs-swapped")
def _(query, key, value, mask=None):
    output, weights = attention_with_loops(query, key, value, mask)
    return weights, output


@wrong("attention", "scores-for-weights")
def _(query, key, value, mask=None):
    output, _ = attention_with_loops(query, key, value, mask)
    s = np.array([[scaled(q, k) for k in key] for q in query])
    return output, s if mask is None else np.where(mask, s, -np.inf)


@wrong("attention", "mask-ignored")
def _(query, key, value, mask=None):
    return attention_with_loops(query, key, value)


@wrong("attention", "mask-ignored")
def mask_ignored_and_overflow(query, key, value, mask=None):
    e = np.exp(query @ key.T / np.sqrt(query.shape[1]))
    w = e / e.sum(axis=1, keepdims=True)
    return w @ value, w


@wrong("attention", "mask-inverted")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s[mask] = -np.inf
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "mask-inverted")
def mask_inverted_with_a_penalty(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = s - 1e9 * mask
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "mask-transposed")
def _(query, key, value, mask=None):
    return attention_with_loops(query, key, value, None if mask is None else np.transpose(mask))


@wrong("attention", "zero-in-scores")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = s * mask
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "mask-added")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = s + mask.astype(float)
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "mask-after-softmax")
def _(query, key, value, mask=None):
    w = numpy_softmax(query @ key.T / np.sqrt(query.shape[1]))
    if mask is not None:
        w = w * mask
    return w @ value, w


@wrong("attention", "mask-then-renormalise")
def _(query, key, value, mask=None):
    w = numpy_softmax(query @ key.T / np.sqrt(query.shape[1]))
    if mask is not None:
        w = w * mask
        w = w / w.sum(axis=-1, keepdims=True)
    return w @ value, w


@wrong("attention", "mask-then-renormalise")
def renormalised_with_a_small_number(query, key, value, mask=None):
    w = numpy_softmax(query @ key.T / np.sqrt(query.shape[1]))
    if mask is not None:
        w = w * mask
        w = w / (w.sum(axis=-1, keepdims=True) + 1e-12)
    return w @ value, w


@wrong("attention", "fully-masked-nan")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = np.where(mask, s, -np.inf)
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "fully-masked-nan")
def fully_masked_nan_and_overflow(query, key, value, mask=None):
    e = np.exp(query @ key.T / np.sqrt(query.shape[1]))
    if mask is not None:
        e[~mask] = 0
    w = e / e.sum(axis=1, keepdims=True)
    return w @ value, w


@wrong("attention", "fully-masked-nan")
def fully_masked_nan_in_the_output_alone(query, key, value, mask=None):
    output, weights = attention_with_loops(query, key, value, mask)
    if mask is not None:
        output[~mask.any(axis=1)] = np.nan
    return output, weights


@wrong("attention", "fully-masked-not-zero")
def _(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s[~mask] = -1e9
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "fully-masked-not-zero")
def penalty_added(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = s + (1 - mask) * -1e9
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "fully-masked-not-zero")
def fully_masked_looks_at_the_first_key(query, key, value, mask=None):
    def weigh(row, allowed):
        return only_allowed(row, allowed) if any(allowed) else [1.0, *[0.0] * (len(row) - 1)]

    return attend(query, key, value, mask, scaled, weigh)


@wrong("attention", "overflow")
def _(query, key, value, mask=None):
    def weigh(row, allowed):
        e = [exp(s) if may else 0.0 for s, may in zip(row, allowed, strict=True)]
        return [ratio(x, sum(e) or 1) for x in e]

    return attend(query, key, value, mask, scaled, weigh)


@wrong("attention", "overflow")
def overflow_as_zero(query, key, value, mask=None):
    """Run in float32, where the overflow starts at 89."""
    e = np.exp((query @ key.T / np.sqrt(query.shape[1])).astype(np.float32))
    if mask is not None:
        e = e * mask
    w = e / np.maximum(e.sum(axis=1, keepdims=True), np.float32(1e-30))
    return w @ value, w


@wrong("attention", "wrong-scale")
def scaled_by_the_logarithm(query, key, value, mask=None):
    s = query @ key.T / math.log(1 + query.shape[1])
    w = numpy_softmax(s if mask is None else np.where(mask, s, -1e9))
    return w @ value, w


@wrong("attention", "zero-times-infinity")
def mask_times_infinity(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = s + (1 - mask) * -np.inf
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "scale-constant")
def scaled_as_in_the_paper(query, key, value, mask=None):
    return attend(query, key, value, mask, lambda q, k: dot(q, k) / 8, only_allowed)


@wrong("attention", "attends-to-masked-keys")
def masked_keys_get_a_little(query, key, value, mask=None):
    s = query @ key.T / np.sqrt(query.shape[1])
    if mask is not None:
        s = np.where(mask, s, s - 5)
    w = numpy_softmax(s)
    return w @ value, w


@wrong("attention", "rows-do-not-sum-to-1")
def half_weights(query, key, value, mask=None):
    w = attention_with_loops(query, key, value, mask)[1] / 2
    return w @ value, w


@wrong("attention", "wrong-output")
def output_is_the_plain_mean(query, key, value, mask=None):
    w = attention_with_loops(query, key, value, mask)[1]
    return np.array(
        [[sum(column(value, j)) / len(value) for j in range(value.shape[1])] for _ in query]
    ), w


@wrong("attention", "wrong-weights")
def weights_are_equal(query, key, value, mask=None):
    output, w = attention_with_loops(query, key, value, mask)
    return output, np.full(w.shape, 1 / w.shape[1])


# ---------------------------------------------------------- cross_attention


def looked_up(query, key, value):
    return attend(query, key, value, None, scaled, only_allowed)[0]


@right("cross_attention")
def cross_attention_with_loops(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_Q), times(memory, W_K), times(memory, W_V))


@right("cross_attention")
def cross_attention_with_einsum(x, memory, W_Q, W_K, W_V):
    s = np.einsum("qa,ad,bd,kb->qk", x, W_Q, W_K, memory) / np.sqrt(W_K.shape[1])
    return numpy_softmax(s) @ memory @ W_V


@wrong("cross_attention", "self-attention")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_Q), times(x, W_K), times(x, W_V))


@wrong("cross_attention", "self-attention-of-memory")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(memory, W_Q), times(memory, W_K), times(memory, W_V))


@wrong("cross_attention", "roles-swapped")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(memory, W_Q), times(x, W_K), times(x, W_V))


@wrong("cross_attention", "keys-from-x")
def _(x, memory, W_Q, W_K, W_V):
    w = numpy_softmax((x @ W_Q) @ (x @ W_K).T / np.sqrt(W_Q.shape[1]))
    return w @ (memory @ W_V)


@wrong("cross_attention", "query-and-key-matrices-swapped")
def _(x, memory, W_Q, W_K, W_V):
    w = numpy_softmax((x @ W_K) @ (memory @ W_Q).T / np.sqrt(W_Q.shape[1]))
    return w @ (memory @ W_V)


@wrong("cross_attention", "values-from-x")
def _(x, memory, W_Q, W_K, W_V):
    w = numpy_softmax((x @ W_Q) @ (memory @ W_K).T / np.sqrt(W_Q.shape[1]))
    return w @ (x @ W_V)


@wrong("cross_attention", "values-not-projected")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_Q), times(memory, W_K), memory)


@wrong("cross_attention", "keys-not-projected")
def _(x, memory, W_Q, W_K, W_V):
    s = (x @ W_Q) @ memory.T / np.sqrt(W_Q.shape[1])
    return numpy_softmax(s) @ (memory @ W_V)


@wrong("cross_attention", "queries-not-projected")
def _(x, memory, W_Q, W_K, W_V):
    s = x @ (memory @ W_K).T / np.sqrt(W_K.shape[1])
    return numpy_softmax(s) @ (memory @ W_V)


@wrong("cross_attention", "key-matrix-for-queries")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_K), times(memory, W_K), times(memory, W_V))


@wrong("cross_attention", "query-matrix-for-keys")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_Q), times(memory, W_Q), times(memory, W_V))


@wrong("cross_attention", "key-matrix-for-values")
def _(x, memory, W_Q, W_K, W_V):
    return looked_up(times(x, W_Q), times(memory, W_K), times(memory, W_K))


@wrong("cross_attention", "no-scale")
def _(x, memory, W_Q, W_K, W_V):
    return numpy_softmax((x @ W_Q) @ (memory @ W_K).T) @ (memory @ W_V)


@wrong("cross_attention", "scale-d_model")
def _(x, memory, W_Q, W_K, W_V):
    s = (x @ W_Q) @ (memory @ W_K).T / math.sqrt(x.shape[1])
    return numpy_softmax(s) @ (memory @ W_V)


@wrong("cross_attention", "softmax-over-queries")
def _(x, memory, W_Q, W_K, W_V):
    s = (x @ W_Q) @ (memory @ W_K).T / math.sqrt(W_K.shape[1])
    return numpy_softmax(s.T).T @ (memory @ W_V)


# -------------------------------------------------------- kernel_regression


@right("kernel_regression")
def kernel_regression_with_loops(x_query, x_train, y_train, bandwidth):
    predictions = []
    for x in x_query:
        z = [-(((x - t) / bandwidth) ** 2) / 2 for t in x_train]
        predictions.append(dot(soft(z), y_train))
    return predictions


@right("kernel_regression")
def kernel_regression_shifted_by_the_nearest(x_query, x_train, y_train, bandwidth):
    squared = np.subtract.outer(x_query, x_train) ** 2
    kernels = np.exp((squared.min(axis=1, keepdims=True) - squared) / 2 / bandwidth**2)
    return (kernels * y_train).sum(axis=1) / kernels.sum(axis=1)


def regress(x_query, x_train, y_train, kernel, normalise=True):
    predictions = []
    for x in x_query:
        kernels = [kernel(abs(x - t)) for t in x_train]
        total = sum(kernels) if normalise else 1
        predictions.append(ratio(dot(kernels, y_train), total))
    return predictions


@wrong("kernel_regression", "wrong-sign")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(d**2 / (2 * bandwidth**2)))


@wrong("kernel_regression", "bandwidth-not-squared")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-(d**2) / (2 * bandwidth)))


@wrong("kernel_regression", "factor-two-missing")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-((d / bandwidth) ** 2)))


@wrong("kernel_regression", "factor-two-squared")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-((d / (2 * bandwidth)) ** 2)))


@wrong("kernel_regression", "bandwidth-ignored")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-0.5 * d * d))


@wrong("kernel_regression", "another-kernel")
def triangle(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: max(0, 1 - abs(d) / bandwidth))


@wrong("kernel_regression", "another-kernel")
def inverse_distance(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: 1 / (abs(d) + 1e-9))


@wrong("kernel_regression", "bandwidth-multiplied")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-((d * bandwidth) ** 2) / 2))


@wrong("kernel_regression", "product-for-distance")
def _(x_query, x_train, y_train, bandwidth):
    weights = [soft([q * x for x in x_train]) for q in x_query]
    return [dot(row, y_train) for row in weights]


@wrong("kernel_regression", "linear-interpolation")
def _(x_query, x_train, y_train, bandwidth):
    return [float(np.interp(q, x_train, y_train)) for q in x_query]


@wrong("kernel_regression", "distance-not-squared")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-d / (2 * bandwidth**2)))


@wrong("kernel_regression", "distance-not-squared")
def laplace_kernel(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-d / bandwidth))


@wrong("kernel_regression", "no-exponential")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: -(d**2) / (2 * bandwidth**2))


@wrong("kernel_regression", "not-normalised")
def _(x_query, x_train, y_train, bandwidth):
    def kernel(d):
        return exp(-(d**2) / (2 * bandwidth**2))

    return regress(x_query, x_train, y_train, kernel, normalise=False)


@wrong("kernel_regression", "not-normalised")
def normal_densities(x_query, x_train, y_train, bandwidth):
    def density(d):
        return exp(-(d**2) / (2 * bandwidth**2)) / (bandwidth * math.sqrt(2 * math.pi))

    return regress(x_query, x_train, y_train, density, normalise=False)


@wrong("kernel_regression", "nearest-only")
def _(x_query, x_train, y_train, bandwidth):
    return [y_train[min(range(len(x_train)), key=lambda i: abs(x - x_train[i]))] for x in x_query]


@wrong("kernel_regression", "plain-mean")
def _(x_query, x_train, y_train, bandwidth):
    return [sum(y_train) / len(y_train) for _ in x_query]


@wrong("kernel_regression", "normalised-over-queries")
def _(x_query, x_train, y_train, bandwidth):
    kernels = np.exp(-(np.subtract.outer(x_query, x_train) ** 2) / (2 * bandwidth**2))
    return (kernels / kernels.sum(axis=0)) @ y_train


@wrong("kernel_regression", "far-away")
def _(x_query, x_train, y_train, bandwidth):
    return regress(x_query, x_train, y_train, lambda d: exp(-(d**2) / (2 * bandwidth**2)))


@wrong("kernel_regression", "far-away")
def far_away_gives_zero(x_query, x_train, y_train, bandwidth):
    kernels = np.exp(-(np.subtract.outer(x_query, x_train) ** 2) / (2 * bandwidth**2))
    return kernels @ y_train / (kernels.sum(axis=1) + 1e-12)


@wrong("kernel_regression", "far-away")
def far_away_gives_infinity(x_query, x_train, y_train, bandwidth):
    kernels = np.exp(-(np.subtract.outer(x_query, x_train) ** 2) / (2 * bandwidth**2))
    total = kernels.sum(axis=1)
    return np.where(total > 0, kernels @ y_train / total, np.inf)


@wrong("kernel_regression", "outside-the-data")
def adds_instead_of_averaging(x_query, x_train, y_train, bandwidth):
    return [10 * p for p in kernel_regression_with_loops(x_query, x_train, y_train, bandwidth)]


# -------------------------------------------------------- contextual_vector


@right("contextual_vector")
def contextual_vector_with_loops(x, W_Q, W_K, W_V, i):
    q = times([x[i]], W_Q)[0]
    weights = soft([scaled(q, k) for k in times(x, W_K)])
    return average(weights, times(x, W_V))


@right("contextual_vector")
def contextual_vector_projected_last(x, W_Q, W_K, W_V, i):
    s = np.einsum("a,ad,bd,kb->k", x[i], W_Q, W_K, x) * W_Q.shape[1] ** -0.5
    return (numpy_softmax(s) @ x) @ W_V


def all_weights(x, W_Q, W_K):
    return numpy_softmax((x @ W_Q) @ (x @ W_K).T / math.sqrt(W_K.shape[1]))


@wrong("contextual_vector", "key-asks")
def _(x, W_Q, W_K, W_V, i):
    k = times([x[i]], W_K)[0]
    return average(soft([scaled(k, q) for q in times(x, W_Q)]), times(x, W_V))


@wrong("contextual_vector", "column-of-weights")
def _(x, W_Q, W_K, W_V, i):
    return average(column(all_weights(x, W_Q, W_K), i), times(x, W_V))


@wrong("contextual_vector", "no-scale")
def _(x, W_Q, W_K, W_V, i):
    q = times([x[i]], W_Q)[0]
    return average(soft([dot(q, k) for k in times(x, W_K)]), times(x, W_V))


@wrong("contextual_vector", "scale-d_model")
def _(x, W_Q, W_K, W_V, i):
    q = times([x[i]], W_Q)[0]
    weights = soft([dot(q, k) / math.sqrt(len(x[i])) for k in times(x, W_K)])
    return average(weights, times(x, W_V))


@wrong("contextual_vector", "off-by-one")
def _(x, W_Q, W_K, W_V, i):
    return contextual_vector_with_loops(x, W_Q, W_K, W_V, i - 1)


@wrong("contextual_vector", "off-by-one")
def one_too_far(x, W_Q, W_K, W_V, i):
    return contextual_vector_with_loops(x, W_Q, W_K, W_V, i + 1)


@wrong("contextual_vector", "always-the-same-token")
def _(x, W_Q, W_K, W_V, i):
    return contextual_vector_with_loops(x, W_Q, W_K, W_V, 0)


@wrong("contextual_vector", "always-the-same-token")
def always_the_last(x, W_Q, W_K, W_V, i):
    for i in range(len(x)):
        vector = contextual_vector_with_loops(x, W_Q, W_K, W_V, i)
    return vector


@wrong("contextual_vector", "mean-of-all-tokens")
def _(x, W_Q, W_K, W_V, i):
    total = np.zeros(W_V.shape[1])
    for j in range(len(x)):
        total += contextual_vector_with_loops(x, W_Q, W_K, W_V, j)
    return total / len(x)


@wrong("contextual_vector", "equal-weights")
def _(x, W_Q, W_K, W_V, i):
    return average([1 / len(x)] * len(x), times(x, W_V))


@wrong("contextual_vector", "all-tokens")
def _(x, W_Q, W_K, W_V, i):
    return [contextual_vector_with_loops(x, W_Q, W_K, W_V, j) for j in range(len(x))]


@wrong("contextual_vector", "mixes-x")
def _(x, W_Q, W_K, W_V, i):
    return average(all_weights(x, W_Q, W_K)[i], x)


@wrong("contextual_vector", "keys-as-values")
def _(x, W_Q, W_K, W_V, i):
    return average(all_weights(x, W_Q, W_K)[i], times(x, W_K))


@wrong("contextual_vector", "own-value-only")
def _(x, W_Q, W_K, W_V, i):
    return times([x[i]], W_V)[0]


@wrong("contextual_vector", "hard-maximum")
def _(x, W_Q, W_K, W_V, i):
    row = list(all_weights(x, W_Q, W_K)[i])
    return times(x, W_V)[row.index(max(row))]


@wrong("contextual_vector", "weights-returned")
def _(x, W_Q, W_K, W_V, i):
    return list(all_weights(x, W_Q, W_K)[i])


@wrong("contextual_vector", "no-softmax")
def _(x, W_Q, W_K, W_V, i):
    q = times([x[i]], W_Q)[0]
    return average([scaled(q, k) for k in times(x, W_K)], times(x, W_V))


@wrong("contextual_vector", "no-softmax")
def no_softmax_no_scale_either(x, W_Q, W_K, W_V, i):
    q = times([x[i]], W_Q)[0]
    return average([dot(q, k) for k in times(x, W_K)], times(x, W_V))
