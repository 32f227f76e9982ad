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
