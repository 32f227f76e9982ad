"""Wrong answers of a second trial from outside: each had been accepted, or was told too little."""

import numpy as np
from answers import right, stops, wrong

from attention import by_hand

softmax = by_hand.softmax
attend = by_hand.scaled_dot_product_attention

# ------------------------------------------------------------------------ bottleneck


def read(x, W_x, W_state, bias, width):
    state = np.zeros(width)
    for word in x:
        state = np.tanh(word @ W_x + state @ W_state + bias)
    return state


stops("read_sentence", "state-as-wide-as-a-word")(lambda x, A, B, b: read(x, A, B, b, x.shape[1]))
stops("read_sentence", "one-word")(
    lambda x, A, B, b: read(x, A, B, b, len(b)) + 0 * x[1].sum(),
)
wrong("decoder_inputs", "start-at-the-end")(
    lambda target, start: [[*row[:-1], start] for row in target.tolist()]
)


@wrong("decoder_inputs", "floats")
def start_made_of_ones(target, start):
    return np.hstack([np.ones((len(target), 1)) * start, target[:, :-1]])


@wrong("decoder_inputs", "floats")
def written_into_zeros(target, start):
    inputs = np.zeros(target.shape)
    inputs[:, 0] = start
    inputs[:, 1:] = target[:, :-1]
    return inputs


wrong("last_states", "row-and-place-swapped")(
    lambda states, lengths: states[lengths - 1, range(len(states))]
)
wrong("last_states", "lengths-sorted")(
    lambda states, lengths: [
        s[n - 1] for s, n in zip(states, sorted(lengths, reverse=True), strict=True)
    ]
)


@wrong("exact_match", "end-only")
def the_place_of_end(outputs, targets):
    places = (targets == 2).argmax(1)
    return np.mean([row[place] == 2 for row, place in zip(outputs, places, strict=True)])


# ------------------------------------------------------------------------- alignment


@wrong("additive_scores", "not-all-pairs")
def as_many_pairs_as_there_are(query, key, v):
    return [np.tanh(q + k) @ v for q, k in zip(query, key, strict=False)]


wrong("additive_scores", "v-inside-the-tanh")(
    lambda query, key, v: [[np.tanh((q + k) * v).sum() for k in key] for q in query]
)
wrong("additive_scores", "not-added-up")(
    lambda query, key, v: [[np.tanh(q + k) * v for k in key] for q in query]
)


def looking(scores, context=lambda weights, annotations: weights @ annotations):
    def look(state, annotations, W_Q, W_K, v):
        weights = softmax(scores(state, annotations, W_Q, W_K) @ v)
        return context(weights, annotations), weights

    return look


wrong("look_back", "query-not-projected")(looking(lambda s, a, W_Q, W_K: np.tanh(s + a @ W_K)))
wrong("look_back", "keys-not-projected")(looking(lambda s, a, W_Q, W_K: np.tanh(s @ W_Q + a)))
wrong("look_back", "projections-swapped")(
    looking(lambda s, a, W_Q, W_K: np.tanh(s @ W_K + a @ W_Q))
)
wrong("look_back", "not-added-up")(
    looking(
        lambda s, a, W_Q, W_K: np.tanh(s @ W_Q + a @ W_K),
        lambda weights, annotations: [w * a for w, a in zip(weights, annotations, strict=True)],
    )
)


@wrong("look_back", "largest-or-zero")
def look_back_from_zero(state, annotations, W_Q, W_K, v):
    scores = np.tanh(state @ W_Q + annotations @ W_K) @ v
    powers = np.exp(scores - scores.max(initial=0))
    weights = powers / powers.sum()
    return weights @ annotations, weights


wrong("alignment_error_rate", "both-absent-counted")(
    lambda found, sure, possible: (
        1 - (np.sum(found == sure) + np.sum(found == possible)) / (np.sum(found) + np.sum(sure))
    )
)


@wrong("strongest_sources", "over-the-columns")
def strongest_target(weights, source_length, target_length):
    places = weights[:target_length].argmax(0)[:target_length]
    return np.where(places < source_length, places, -1)


@wrong("strongest_sources", "lengths-swapped")
def lengths_swapped(weights, source_length, target_length):
    return [p if p < target_length else -1 for p in weights[:source_length].argmax(1)]


@wrong("strongest_sources", "no-word-left-out")
def words_alone(weights, source_length, target_length):
    return [p for p in weights[:target_length].argmax(1) if p < source_length]


wrong("projected_scores", "states-not-projected")(
    lambda s, a, W_Q, W_K: s @ (a @ W_K).T / W_K.shape[1] ** 0.5
)
wrong("projected_scores", "annotations-not-projected")(
    lambda s, a, W_Q, W_K: s @ W_Q @ a.T / W_K.shape[1] ** 0.5
)

# --------------------------------------------------------------- queries, keys, values


def powers_over(scores, sums):
    powers = np.exp(scores - scores.max(1, keepdims=True))
    return powers / sums(powers)


wrong("softmax_rows", "axis-lost-in-the-sum")(lambda s: powers_over(s, lambda e: e.sum(1)))
wrong("softmax_rows", "divided-by-the-largest")(
    lambda s: softmax(s / np.abs(s).max(1, keepdims=True))
)
wrong("softmax_rows", "constant-subtracted")(
    lambda s: np.exp(s - 1000) / np.exp(s - 1000).sum(1, keepdims=True)
)
wrong("softmax_rows", "clipped")(
    lambda s: (lambda e: e / e.sum(1, keepdims=True))(np.exp(s.clip(-700, 700)))
)
wrong("softmax_rows", "largest-or-zero")(
    lambda s: (lambda e: e / e.sum(1, keepdims=True))(
        np.exp(s - np.maximum(0, s.max(1, keepdims=True)))
    )
)
wrong("softmax_rows", "largest-or-zero")(
    lambda s: (lambda e: e / e.sum(1, keepdims=True))(
        np.exp(s - np.abs(s).max(1, keepdims=True)),
    )
)
wrong("softmax_rows", "whole-scores")(lambda s: softmax(1.0 * s.astype(int)))
wrong("scores", "averaged")(lambda query, key: [[np.mean(q * k) for k in key] for q in query])
wrong("scores", "whole-numbers")(lambda query, key: np.dot(query, key.T).astype(int))


def with_weights_of_empty_rows(number):
    def answer(query, key, value, mask=None):
        output, weights = attend(query, key, value, mask)
        if mask is not None:
            weights[~mask.any(1)] = number
        return output, weights

    return answer


wrong("attention", "weights-of-an-empty-row")(with_weights_of_empty_rows(0.5))
wrong("attention", "weights-of-an-empty-row")(with_weights_of_empty_rows(np.nan))


@wrong("attention", "mask-for-whole-rows")
def whole_rows_hidden(query, key, value, mask=None):
    output, weights = attend(query, key, value)
    keep = 1 if mask is None else mask.any(axis=1, keepdims=True)
    return output * keep, weights * keep


def from_zero(scores, mask):
    largest = scores.max(axis=1, keepdims=True, where=mask, initial=0)
    powers = np.where(mask, np.exp(np.where(mask, scores - largest, 0)), 0)
    total = powers.sum(axis=1, keepdims=True)
    return powers / np.where(total > 0, total, 1)


wrong("masked_softmax", "largest-or-zero")(from_zero)


@wrong("attention", "largest-or-zero")
def attention_from_zero(query, key, value, mask=None):
    scores = query @ key.T / np.sqrt(query.shape[1])
    weights = from_zero(scores, np.ones(scores.shape, dtype=bool) if mask is None else mask)
    return weights @ value, weights


@wrong("attention", "clipped")
def attention_cut_off(query, key, value, mask=None):
    powers = np.exp(np.minimum(query @ key.T / np.sqrt(query.shape[1]), 700))
    powers = powers if mask is None else powers * mask
    weights = powers / np.maximum(powers.sum(1, keepdims=True), 1e-300)
    return weights @ value, weights


@wrong("attention", "keys-and-values-swapped")
def value_before_key(query, key, value, mask=None):
    return attend(query, value, key, mask)


wrong("cross_attention", "keys-and-values-swapped")(
    lambda x, m, W_Q, W_K, W_V: attend(x @ W_Q, m @ W_V, m @ W_K)[0]
)
wrong("cross_attention", "weights-returned")(
    lambda x, m, W_Q, W_K, W_V: attend(x @ W_Q, m @ W_K, m @ W_V)[1]
)


@wrong("cross_attention", "looks-at-both")
def looks_at_itself_too(x, memory, W_Q, W_K, W_V):
    both = np.concatenate([x, memory])
    return attend(x @ W_Q, both @ W_K, both @ W_V)[0]


wrong("contextual_vector", "query-not-projected")(
    lambda x, W_Q, W_K, W_V, i: softmax(x @ W_K @ x[i] / W_K.shape[1] ** 0.5) @ x @ W_V
)


@wrong("contextual_vector", "query-not-projected")
def projected_only_if_it_must_be(x, W_Q, W_K, W_V, i):
    query = x[i] if x.shape[1] == W_K.shape[1] else x[i] @ W_Q
    return softmax(x @ W_K @ query / W_K.shape[1] ** 0.5) @ x @ W_V


wrong("contextual_vector", "keys-not-projected")(
    lambda x, W_Q, W_K, W_V, i: softmax(x @ (x[i] @ W_Q) / W_K.shape[1] ** 0.5) @ x @ W_V
)
wrong("contextual_vector", "another-shape")(
    lambda x, W_Q, W_K, W_V, i: attend(x[i : i + 1] @ W_Q, x @ W_K, x @ W_V)[0]
)
wrong("contextual_vector", "column-of-the-output")(
    lambda x, W_Q, W_K, W_V, i: attend(x @ W_Q, x @ W_K, x @ W_V)[0][:, i]
)


@wrong("contextual_vector", "itself-left-out")
def others_only(x, W_Q, W_K, W_V, i):
    others = [j for j in range(len(x)) if j != i]
    return softmax((x @ W_K)[others] @ (x[i] @ W_Q) / W_K.shape[1] ** 0.5) @ (x @ W_V)[others]


def gauss(query, train, bandwidth):
    return -((query[:, None] - train) ** 2) / (2 * bandwidth**2)


wrong("kernel_regression", "points-and-values-torn-apart")(
    lambda q, x, y, b: softmax(gauss(q, np.array(sorted(x)), b)) @ y
)
wrong("kernel_regression", "points-and-values-torn-apart")(
    lambda q, x, y, b: softmax(gauss(q, x, b)) @ y[x.argsort()]
)
wrong("kernel_regression", "weights-returned")(lambda q, x, y, b: softmax(gauss(q, x, b)))
wrong("kernel_regression", "rounded-down")(
    lambda q, x, y, b: softmax(-((q[:, None] - x) ** 2 // (2 * b * b))) @ y
)


def where_nothing_is_near(fall_back):
    def regress(query, train, values, bandwidth):
        kernels = np.exp(gauss(query, train, bandwidth))
        return [
            k @ values / k.sum() if k.sum() > 0 else fall_back(q, train, values)
            for q, k in zip(query, kernels, strict=True)
        ]

    return regress


def nearest_if_sorted(query, train, values):
    return values[min(np.searchsorted((train[1:] + train[:-1]) / 2, query), len(values) - 1)]


wrong("kernel_regression", "far-away-replaced")(where_nothing_is_near(lambda q, x, y: y.mean()))
wrong("kernel_regression", "far-away-replaced")(where_nothing_is_near(lambda q, x, y: y[-1]))
wrong("kernel_regression", "points-taken-as-sorted")(where_nothing_is_near(nearest_if_sorted))
right("kernel_regression")(where_nothing_is_near(lambda q, x, y: y[np.abs(q - x).argmin()]))

wrong("scores", "transposed-and-scaled")(lambda query, key: key @ query.T / key.shape[1] ** 0.5)
wrong("projected_scores", "transposed-and-not-scaled")(
    lambda s, a, W_Q, W_K: [[(x @ W_Q) @ (y @ W_K) for x in s] for y in a]
)

# -------------------------------------------------------------------------- learning


def gradient_at_scores(weights, value, upstream):
    return weights * ((value - weights @ value) @ upstream)


wrong("fastest_rising_key", "gradients-returned")(gradient_at_scores)
wrong("fastest_rising_key", "rate-returned")(lambda w, v, u: gradient_at_scores(w, v, u).min())
wrong("fastest_rising_key", "order-returned")(lambda w, v, u: gradient_at_scores(w, v, u).argsort())
wrong("softmax_gradient", "mean-of-the-products")(
    lambda w, d: w * (d - np.mean(w * d, axis=1, keepdims=True))
)
wrong("softmax_gradient", "keepdims-forgotten")(lambda w, d: w * (d - np.sum(w * d, axis=1)))
wrong("softmax_gradient", "one-factor-too-many")(
    lambda w, d: w * (1 - w) * (d - np.sum(w * d, axis=1, keepdims=True))
)


def central(function, array, step, places=lambda array: np.ndindex(array.shape), copy=np.copy):
    gradient = np.zeros(array.shape)
    for place in places(array):
        up, down = copy(array), copy(array)
        up[place] += step
        down[place] -= step
        gradient[place] = (function(up) - function(down)) / (2 * step)
    return gradient


def rows_and_columns(array):
    return [(i, j) for i in range(array.shape[0]) for j in range(array.shape[1])]


def one_axis_or_two(array):
    return [(i,) for i in range(len(array))] if array.ndim == 1 else rows_and_columns(array)


wrong("central_differences", "no-copies")(
    lambda function, array, step: central(function, array, step, copy=lambda array: array)
)
wrong("central_differences", "another-step")(
    lambda function, array, step: central(function, array, step / 2)
)
wrong("central_differences", "another-step")(
    lambda function, array, step: central(function, array, 1e-5)
)
wrong("central_differences", "two-axes-at-most")(
    lambda function, array, step: central(function, array, step, places=one_axis_or_two)
)
wrong("central_differences", "whole-numbers")(
    lambda function, array, step: central(function, array, step).astype(int)
)


@stops("central_differences", "two-axes-alone")
def with_a_name_for_each_axis(function, array, step):
    rows, columns = array.shape
    assert rows
    assert columns
    return central(function, array, step)


@wrong("central_differences", "never-moved-back")
def copied_once(function, array, step):
    gradient, up, down = np.zeros(array.shape), array.copy(), array.copy()
    for place in np.ndindex(array.shape):
        up[place], down[place] = up[place] + step, down[place] - step
        gradient[place] = (function(up) - function(down)) / step / 2
    return gradient


def adam(keep=(0.9, 0.999), undo=lambda a, share, n: a / (1 - share**n), begin=1, root=np.sqrt):
    def step_of_adam(parameter, gradient, mean, square, step, rate):
        first = keep[0] * mean * begin + (1 - keep[0]) * gradient
        second = keep[1] * square * begin + (1 - keep[1]) * gradient**2
        with np.errstate(all="ignore"):
            size = root(undo(second, keep[1], step)) + 1e-8
            moved = parameter - rate * undo(first, keep[0], step) / size
        return moved, first, second

    return step_of_adam


right("adam_step")(adam())
wrong("adam_step", "mostly-new")(adam(keep=(0.1, 0.001)))
wrong("adam_step", "other-shares")(adam(keep=(0.9, 0.99)))
wrong("adam_step", "old-averages-ignored")(adam(begin=0))
wrong("adam_step", "correction-multiplied")(adam(undo=lambda a, share, n: a * (1 - share**n)))
wrong("adam_step", "share-times-step")(adam(undo=lambda a, share, n: a / (1 - share * n)))
wrong("adam_step", "share-times-step")(
    adam(undo=lambda a, share, n: a / (1 - share * n), root=lambda s: np.sqrt(abs(s)))
)
wrong("adam_step", "step-counted-from-0")(
    adam(undo=lambda a, share, n: a / (1 - share ** max(n - 1, 1)))
)
wrong("adam_step", "outputs-in-another-order")(
    lambda *given: (lambda p, mean, square: (p, square, mean))(*adam()(*given))
)


@wrong("adam_step", "plain-descent")
def plain_descent(parameter, gradient, mean, square, step, rate):
    return parameter - rate * gradient, *adam()(parameter, gradient, mean, square, step, rate)[1:]


def back(scale=lambda q, k, v: k.shape[1] ** -0.5, key_scale=1, softmax=softmax):
    def gradients(query, key, value, upstream, mask):
        factor = scale(query, key, value)
        weights = softmax(np.where(mask, query @ key.T * factor, -np.inf))
        d = upstream @ value.T
        d = factor * weights * (d - (weights * d).sum(1, keepdims=True))
        return (
            d @ key,
            d.T @ query * (key.shape[1] ** 0.5 if key_scale == 0 else 1),
            (weights.T @ upstream),
        )

    return gradients


def plain_softmax(scores):
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


right("attention_gradient")(back())
wrong("attention_gradient", "scale-on-one-side")(back(key_scale=0))
wrong("attention_gradient", "scale-d_v")(back(scale=lambda q, k, v: v.shape[1] ** -0.5))
wrong("attention_gradient", "fully-masked-nan")(back(softmax=plain_softmax))
wrong("attention_gradient", "outputs-in-another-order")(
    lambda *given: (lambda q, k, v: (k, q, v))(*back()(*given))
)

# --------------------------------------------------------------------------- scaling


@stops("entropy", "one-row")
def along_axis_1(weights):
    return -(weights * np.log(np.where(weights > 0, weights, 1))).sum(axis=1)


wrong("entropy", "logarithm-of-the-rest")(lambda w: -(w * np.log(1 - w)).sum(-1))
wrong("entropy", "another-shape")(lambda w: by_hand.entropy(w)[..., None])


@wrong("entropy", "batch-taken-for-rows")
def row_by_row(weights):
    rows = [-(r[r > 0] * np.log(r[r > 0])).sum() for r in np.atleast_2d(weights)]
    return rows if weights.ndim > 1 else rows[0]


wrong("jacobian", "one-number-subtracted")(lambda w: np.diag(w) - w @ w)
wrong("jacobian", "softmax-again")(lambda w: by_hand.softmax_jacobian(softmax(w)))
wrong("jacobian", "weights-subtracted")(lambda w: np.eye(len(w)) * w - w)


def bisecting(low=1e-5, high=1e5, entropy=by_hand.entropy, keep_upper=lambda found, t: found < t):
    def search(scores, target_entropy):
        a, b = low, high
        for _ in range(200):
            middle = np.sqrt(a * b)
            if keep_upper(entropy(softmax(scores / middle)), target_entropy):
                a = middle
            else:
                b = middle
        return middle

    return search


right("temperature_for")(bisecting())
wrong("temperature_for", "interval-too-small")(bisecting(1e-3, 100))
wrong("temperature_for", "interval-too-small")(bisecting(1e-2, 1e3))
wrong("temperature_for", "interval-too-small")(bisecting(0.1, 10))
wrong("temperature_for", "wrong-half-kept")(bisecting(keep_upper=lambda found, t: found > t))
wrong("temperature_for", "base-ten")(
    bisecting(1e-6, 1e6, entropy=lambda w: by_hand.entropy(w) / np.log(10))
)
wrong("temperature_for", "logarithm-returned")(lambda s, t: np.log(bisecting()(s, t)))

# --------------------------------------------------------------------------- masking


def masked(scores, mask):
    return np.nan_to_num(plain_softmax(np.where(mask, scores, -np.inf)))


wrong("masked_softmax", "everything-hidden")(lambda s, m: masked(s, m) * m.any(1).all())


@wrong("masked_softmax", "added-below-the-line")
def with_a_hundredth(scores, mask):
    powers = np.where(mask, np.exp(scores - np.where(mask, scores, -1e9).max(1)[:, None]), 0)
    return powers / (powers.sum(1, keepdims=True) + 0.01)


wrong("masked_softmax", "mask-transposed")(
    lambda s, m: masked(s, m.T if m.shape == m.T.shape else m)
)


def back_in_time(length):
    return np.subtract.outer(range(length), range(length))


wrong("window_mask", "or")(lambda n, w: (back_in_time(n) >= 0) | (back_in_time(n) < w))


@stops("window_mask", "window-longer-than-the-sequence")
def no_longer_window(length, window):
    if window > length:
        raise ValueError("too long")
    return (back_in_time(length) >= 0) & (back_in_time(length) < window)


wrong("combined_mask", "first-length-for-all")(
    lambda lengths, n: [(back_in_time(n) >= 0) & (np.arange(n) < lengths[0]) for _ in lengths]
)
wrong("causal_mask", "goes-on")(lambda length: np.tri(length + 1, dtype=bool))

# ------------------------------------------------------------------------ multi-head

wrong("split_heads", "heads-ignored")(lambda x, h: np.reshape(x, (len(x), 2, -1)).swapaxes(0, 1))
wrong("split_heads", "width-ignored")(lambda x, h: np.reshape(x, (-1, h, 2)).swapaxes(0, 1))
wrong("split_heads", "all-axes-reversed")(lambda x, h: np.reshape(x, (len(x), h, -1)).T)
wrong("merge_heads", "all-axes-reversed")(lambda x: np.reshape(x.T, (x.shape[1], -1)))


def cut(x, heads):
    return x.reshape(len(x), heads, -1).swapaxes(0, 1)


def many_heads(x, W_Q, W_K, W_V, W_O, heads):
    parts = zip(cut(x @ W_Q, heads), cut(x @ W_K, heads), cut(x @ W_V, heads), strict=True)
    return np.hstack([attend(*part)[0] for part in parts]) @ W_O


right("multi_head")(many_heads)
wrong("multi_head", "keys-and-values-swapped")(
    lambda x, Q, K, V, W_O, heads: many_heads(x, Q, V, K, W_O, heads)
)
wrong("multi_head", "matrices-transposed")(
    lambda x, Q, K, V, W_O, heads: many_heads(x, Q.T, K.T, V.T, W_O, heads)
)


@wrong("multi_head", "heads-not-in-front")
def heads_behind(x, W_Q, W_K, W_V, W_O, heads):
    query, key, value = (np.reshape(x @ W, (len(x), heads, -1)) for W in (W_Q, W_K, W_V))
    output = [attend(q, k, v)[0].ravel() for q, k, v in zip(query, key, value, strict=True)]
    return np.array(output) @ W_O


@wrong("multi_head", "x-split")
def x_cut(x, W_Q, W_K, W_V, W_O, heads):
    width = x.shape[1] // heads
    slices = [slice(h * width, (h + 1) * width) for h in range(heads)]
    outputs = [attend(*(x[:, s] @ W[s, s] for W in (W_Q, W_K, W_V)))[0] for s in slices]
    return np.hstack(outputs) @ W_O


@wrong("sum_over_heads", "two-heads-alone")
def two_heads(head_outputs, W_O):
    d = head_outputs.shape[-1]
    return head_outputs[0] @ W_O[:d] + head_outputs[1] @ W_O[d : 2 * d]


@wrong("sum_over_heads", "columns-for-rows")
def transposed_if_square(head_outputs, W_O):
    d, W = head_outputs.shape[-1], W_O.T if W_O.shape == W_O.T.shape else W_O
    return sum(output @ W[h * d : (h + 1) * d] for h, output in enumerate(head_outputs))


wrong("parameters", "heads-for-width")(lambda d_model, heads: 4 * d_model * heads)
wrong("parameters", "five-matrices")(lambda d_model, heads: 5 * d_model * d_model)

# -------------------------------------------------------------------------- position


def table_of(speeds):
    def positions(length, d_model):
        with np.errstate(all="ignore"):
            angles = np.outer(np.arange(length), speeds(np.arange((d_model + 1) // 2), d_model))
        return np.stack([np.sin(angles), np.cos(angles)], -1).reshape(length, -1)[:, :d_model]

    return positions


wrong("sinusoidal_positions", "hands-count-from-1")(
    table_of(lambda i, d: 10000.0 ** (-2 * (i + 1) / d))
)
wrong("sinusoidal_positions", "product-for-power")(
    table_of(lambda i, d: 1 / np.where(i > 0, 10000 * 2 * i / d, 1))
)
wrong("sinusoidal_positions", "product-for-power")(
    table_of(lambda i, d: 1 / (10000 * np.float64(2) * i / d)),
)
wrong("sinusoidal_positions", "whole-numbers")(
    lambda n, d: table_of(lambda i, d: 10000.0 ** (-2 * i / d))(n, d).astype(int)
)


@stops("sinusoidal_positions", "odd-width")
def as_many_cosines(length, d_model):
    angles = np.outer(range(length), 10000.0 ** (-np.arange(0, d_model, 2) / d_model))
    table = np.zeros((length, d_model))
    table[:, 0::2] = np.sin(angles)
    table[:, 1::2] = np.cos(angles)
    return table


def rotating(first, second):
    def rotate(x, angles):
        a, b = x[:, ::2], x[:, 1::2]
        pair = first(a, b, np.cos(angles), np.sin(angles)), second(a, b, angles)
        return np.dstack(pair).reshape(x.shape)

    return rotate


wrong("rotate", "second-number-left")(
    rotating(lambda a, b, c, s: a * c - b * s, lambda a, b, t: b),
)
wrong("rotate", "first-number-left")(
    rotating(lambda a, b, c, s: a, lambda a, b, t: a * np.sin(t) + b * np.cos(t)),
)
wrong("rotate", "angles-in-reverse-order")(lambda x, angles: by_hand.rotate(x, np.fliplr(angles)))
wrong("shift_matrix", "another-shape")(lambda t: [np.cos(t), -np.sin(t), np.sin(t), np.cos(t)])
wrong("alibi_bias", "whole-numbers")(lambda slope, n: (-slope * abs(back_in_time(n))).astype(int))


def values_of(average):
    sums = [(p + 1) * row for p, row in enumerate(average)]
    return np.array([row - before for row, before in zip(sums, [0, *sums[:-1]], strict=True)])


wrong("values_from_averages", "along-the-columns")(lambda a: values_of(a.T).T)
wrong("values_from_averages", "reversed")(lambda a: values_of(a)[::-1])
wrong("values_from_averages", "divided-by-the-count")(
    lambda a: np.diff(a / np.arange(1, len(a) + 1)[:, None], axis=0, prepend=0)
)
wrong("values_from_averages", "previous-minus-this")(
    lambda a: [row if p == 0 else -row for p, row in enumerate(values_of(a))]
)
wrong("values_from_averages", "first-row-zero")(
    lambda a: [row * (p > 0) for p, row in enumerate(values_of(a))]
)

# ----------------------------------------------------------------------- transformer


def norm(x, gain, bias, divisor):
    return gain * (x - x.mean(axis=1, keepdims=True)) / divisor + bias


def spread(x):
    return x.var(axis=1, keepdims=True)


wrong("layer_norm", "variance-of-everything")(
    lambda x, g, b, eps: norm(x, g, b, np.sqrt(np.var(x) + eps))
)
wrong("layer_norm", "bias-subtracted")(
    lambda x, g, b, eps: norm(x, g, -b, np.sqrt(spread(x) + eps)),
)
wrong("layer_norm", "multiplied")(
    lambda x, g, b, eps: norm(x, g, b, np.sqrt(spread(x) + eps) ** -1.0)
)
wrong("layer_norm", "own-eps")(
    lambda x, g, b, eps: norm(x, g, b, np.where(spread(x) > 0, np.sqrt(spread(x)), 1))
)
wrong("layer_norm", "eps-twice")(lambda x, g, b, eps: norm(x, g, b, (spread(x) + eps + eps) ** 0.5))
wrong("residual", "norm-of-x-too")(
    lambda x, sublayer, n, pre: x + sublayer(n(x)) if pre else n(n(x) + sublayer(x))
)
wrong("residual", "normalised-x-added")(
    lambda x, sublayer, n, pre: x + n(x) + sublayer(n(x)) if pre else n(x + sublayer(x))
)
wrong("feed_forward", "largest-number")(
    lambda x, W_1, b_1, W_2, b_2: np.max(x @ W_1 + b_1, 0) @ W_2 + b_2
)
wrong("embed", "factor-cut")(
    lambda tokens, table, positions: table[tokens] * int(table.shape[1] ** 0.5) + positions
)


@wrong("decoder_layer", "memory-asks-itself")
def memory_asks_itself(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    x = x + cross_attention(memory, memory)
    return x + feed_forward(x)


# ----------------------------------------------------------------------- translation

wrong("learning_rate", "root-upside-down")(
    lambda t, highest, w: highest * np.minimum(t / w, (t / w) ** 0.5)
)
wrong("learning_rate", "warm_up-missing-in-the-root")(
    lambda t, highest, w: highest * np.minimum(t / w, t**-0.5)
)
wrong("learning_rate", "one-rate-for-all")(
    lambda t, highest, w: [highest * min(*(t / w), *np.sqrt(w / t)) for _ in t]
)
wrong("learning_rate", "climb-upside-down")(
    lambda t, highest, w: highest * np.minimum(w / t, (w / t) ** 0.5)
)
wrong("learning_rate", "highest-on-one-side")(
    lambda t, highest, w: np.minimum(highest * t / w, (w / t) ** 0.5)
)
wrong("learning_rate", "divided-by-the-highest")(
    lambda t, highest, w: np.minimum(t / w, (w / t) ** 0.5) / highest
)
wrong("smoothed_targets", "shares-subtracted")(
    lambda target, k, e: (1 - e) * np.eye(k)[target] - np.full((len(target), k), e / k)
)


@wrong("beam_step", "not-rounded-down")
def with_a_rest(totals, log_p, width):
    scores = (totals[:, None] + log_p).ravel()
    best = (-scores).argsort()[:width]
    return scores[best], best / log_p.shape[1], best % log_p.shape[1]


@wrong("beam_step", "one-of-each-token")
def distinct_tokens(totals, log_p, width):
    scores = totals[:, None] + log_p
    best = (-scores.max(axis=0)).argsort()[:width]
    return scores.max(axis=0)[best], scores.argmax(axis=0)[best], best


wrong("beam_step", "ends-early")(
    lambda totals, log_p, width: [part[: max(width - 1, 1)] for part in beam(totals, log_p, width)]
)


def beam(totals, log_p, width):
    scores = (totals[:, None] + log_p).ravel()
    best = (-scores).argsort(kind="stable")[:width]
    return scores[best], *np.divmod(best, log_p.shape[1])


def nucleus(stop, divide=lambda kept: kept / kept.sum()):
    def truncate(p, share):
        kept, total = np.zeros(len(p)), 0.0
        for token in sorted(range(len(p)), key=lambda token: -p[token]):
            if stop(total, p[token], share, kept):
                break
            kept[token] = p[token]
            total += p[token]
        return divide(kept)

    return truncate


right("top_p")(nucleus(lambda total, next_p, share, kept: total >= share))
wrong("top_p", "last-one-missing")(
    nucleus(lambda total, next_p, share, kept: kept.any() and total + next_p > share)
)
wrong("top_p", "last-one-missing")(
    nucleus(
        lambda total, next_p, share, kept: total + next_p > share,
        divide=lambda kept: kept / kept.sum() if kept.any() else kept,
    )
)
wrong("top_p", "two-at-most")(
    nucleus(lambda total, next_p, share, kept: total >= share or np.count_nonzero(kept) == 2)
)


@wrong("top_p", "scattered-wrongly")
def order_taken_for_its_inverse(p, share):
    order = np.argsort(-p, kind="stable")
    ranked = p[order] * (np.cumsum(p[order]) - p[order] < share)
    return (ranked / ranked.sum())[order]


wrong("top_p", "share-as-threshold")(
    lambda p, share: (lambda kept: kept / max(kept.sum(), 1e-9))(p * (p >= 1 - share))
)
wrong("top_p", "places-lost")(
    lambda p, share: sorted(
        (q for q in nucleus(lambda total, n, s, kept: total >= s)(p, share) if q), reverse=True
    )
)


def share_of(which):
    return np.mean(which) if len(which) else 0.0


wrong("flip_rate", "zero-counted-as-right")(
    lambda b, cut, c: share_of(cut[b >= 0] < 0) - share_of(c[b >= 0] < 0)
)
wrong("flip_rate", "both-shares-returned")(
    lambda b, cut, c: [share_of(cut[b > 0] < 0), share_of(c[b > 0] < 0)]
)
wrong("flip_rate", "control-of-the-wrong-ones")(
    lambda b, cut, c: share_of(cut[b > 0] < 0) - share_of(c[b < 0] < 0)
)


@wrong("flip_rate", "share-of-the-flips")
def among_flips(before, cut, control):
    a, b = (sum((before > 0) & (after < 0)) for after in (cut, control))
    return (a - b) / (a + b) if a + b else 0.0


# ------------------------------------------------------------------------------ cost

wrong("length_of_equal_work", "upside-down")(lambda d_model, d_ff: 1 / (2 * d_model + d_ff))
wrong("length_of_equal_work", "halved")(lambda d_model, d_ff: (2 * d_model + d_ff) // 2)
wrong("length_of_equal_work", "feed-forward-counted-twice")(
    lambda d_model, d_ff: 2 * (d_model + d_ff)
)
wrong("merge_outputs", "side-by-side")(
    lambda A, a, B, b: (np.concatenate([A, B], axis=1), np.logaddexp(a, b))
)


@wrong("merge_outputs", "one-share-for-all-queries")
def one_share_for_all(output_a, log_total_a, output_b, log_total_b):
    a, b = np.logaddexp.reduce(log_total_a), np.logaddexp.reduce(log_total_b)
    share = np.exp(a - np.logaddexp(a, b))
    return share * output_a + (1 - share) * output_b, np.logaddexp(log_total_a, log_total_b)


def read_one(largest, total, weighted, score, value):
    if score == -np.inf:
        return largest, total, weighted
    new = max(largest, score)
    old, share = np.exp(largest - new), np.exp(score - new)
    return new, total * old + share, weighted * old + share * value


wrong("read_key", "outputs-in-another-order")(
    lambda *given: (lambda largest, total, weighted: (total, largest, weighted))(*read_one(*given))
)
wrong("read_key", "outputs-in-another-order")(
    lambda *given: (lambda largest, total, weighted: (largest, weighted, total))(*read_one(*given))
)


def cached(query, window=None):
    def step(x, W_Q, W_K, W_V, keys, values):
        keys, values = np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])
        seen = slice(-(window or len(keys)), None)
        weights = softmax(keys[seen] @ query(x, W_Q, keys) / keys.shape[1] ** 0.5)
        return weights @ values[seen], keys, values

    return step


wrong("cached_step", "query-not-projected")(
    cached(lambda x, W_Q, keys: x if len(x) == keys.shape[1] else x @ W_Q)
)
wrong("cached_step", "newest-two-only")(cached(lambda x, W_Q, keys: x @ W_Q, window=2))
wrong("cached_step", "outputs-in-another-order")(
    lambda *given: (lambda output, keys, values: (output, values, keys))(
        *cached(lambda x, W_Q, keys: x @ W_Q)(*given)
    )
)


@stops("cached_step", "empty-cache")
def with_something_in_the_cache(x, W_Q, W_K, W_V, keys, values):
    assert keys.max() < np.inf
    return cached(lambda x, W_Q, keys: x @ W_Q)(x, W_Q, W_K, W_V, keys, values)


wrong("cache_numbers", "d_k-divided-by-heads")(
    lambda layers, length, heads, d_k, shared: 2 * layers * length * shared * d_k / heads
)
