"""Further wrong answers, of the kinds that turned up when the checkers were tried from outside.

Each is written as short as a reader might write it who knows NumPy well.
"""

import math
from functools import partial

import numpy as np
import torch
from answers import right, wrong

# ------------------------------------------------- answers with an exchangeable part


def softmax(scores, axis=-1):
    powers = np.exp(scores - scores.max(axis, keepdims=True))
    return powers / powers.sum(axis, keepdims=True)


def reading(step, init=lambda b: np.zeros(len(b)), out=lambda last, all_: last, seq=lambda x: x):
    def read(x, W_x, W_state, bias):
        state, states = init(bias), []
        for word in seq(x):
            state = step(word, state, W_x, W_state, bias)
            states.append(state)
        return out(state, states)

    return read


def right_step(w, s, W_x, W_state, b):
    return np.tanh(w @ W_x + s @ W_state + b)


def up_to_end(targets):
    ends = targets == 2
    return np.cumsum(ends, 1) - ends == 0


def looking_back(score=lambda q, k, v: np.tanh(q + k) @ v, w=softmax, ctx=lambda w, a, k, s: w @ a):
    def look(state, annotations, W_Q, W_K, v):
        q, k = state @ W_Q, annotations @ W_K
        weights = w(score(q, k, v))
        return ctx(weights, annotations, k, state), weights

    return look


def projecting(score):
    return lambda s, a, W_Q, W_K: score(s @ W_Q, a @ W_K, s, a)


def waves(rate=lambda i, d: 10000.0 ** (-i / d), pos=np.arange):
    def rows(length, d_model):
        angle = np.outer(pos(length), rate(np.arange(0, d_model, 2), d_model))
        both = np.stack([np.sin(angle), np.cos(angle)], -1)
        return both.reshape(length, -1)[:, :d_model]

    return rows


def rotating(turn):
    def rotate(x, angles):
        pairs = turn(x[:, 0::2], x[:, 1::2], np.cos(angles), np.sin(angles))
        return np.stack(pairs, -1).reshape(x.shape)

    return rotate


def turned(a, b, c, s):
    return a * c - b * s, a * s + b * c


def distances(n):
    return np.arange(n)[:, None] - np.arange(n)


def norm_with(
    sd=lambda x, c, e: np.sqrt((c**2).mean(-1, keepdims=True) + e),
    fin=lambda n, g, b: g * n + b,
):
    def norm(x, gain, bias, eps):
        centred = x - x.mean(-1, keepdims=True)
        return fin(centred / sd(x, centred, eps), gain, bias)

    return norm


def relu(h):
    return np.maximum(0, h)


def one_hot(t, n):
    return np.eye(n)[t]


def beam(score=lambda T, L: T[:, None] + L):
    def step(totals, log_p, width):
        scores = score(totals, log_p).ravel()
        places = np.argsort(-scores, kind="stable")[:width]
        return scores[places], *divmod(places, log_p.shape[1])

    return step


def nucleus(norm=lambda k: k / k.sum()):
    def top_p(p, share):
        order = np.argsort(-p)
        chosen = order[np.cumsum(p[order]) - p[order] < share]
        kept = np.zeros_like(p)
        kept[chosen] = p[chosen]
        return norm(kept)

    return top_p


def mean_or_zero(flips):
    return flips.mean() if len(flips) else 0.0


def cached(attend):
    def step(x, W_Q, W_K, W_V, keys, values):
        K, V = np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])
        return attend(x @ W_Q, K, V, x, keys, values), K, V

    return step


def reading_a_key(
    largest,
    total,
    weighted,
    score,
    value,
    tot=lambda T, a, b: T * a + b,
    we=lambda w, a, b, v: w * a + b * v,
):
    if score == -np.inf:
        return largest, total, weighted
    larger = max(largest, score)
    a, b = np.exp(largest - larger), np.exp(score - larger)
    return larger, tot(total, a, b), we(weighted, a, b, value)


def merging(share, log_total=np.logaddexp):
    return lambda A, a, B, b: (
        share(a, b)[:, None] * A + share(b, a)[:, None] * B,
        log_total(a, b),
    )


# ----------------------------------------------------------------------- wrong answers


# read_sentence
wrong("read_sentence", "bias-outside-the-tanh")(
    reading(lambda w, s, Wx, Ws, b: np.tanh(w @ Wx + s @ Ws) + b)
)
wrong("read_sentence", "word-outside-the-tanh")(
    reading(lambda w, s, Wx, Ws, b: np.tanh(s @ Ws + b) + w @ Wx)
)
wrong("read_sentence", "old-state-added")(
    reading(lambda w, s, Wx, Ws, b: s + np.tanh(w @ Wx + s @ Ws + b))
)
wrong("read_sentence", "W_state-forgotten")(
    reading(lambda w, s, Wx, Ws, b: np.tanh(w @ Wx + s + b))
)
wrong("read_sentence", "relu")(reading(lambda w, s, Wx, Ws, b: np.maximum(0, w @ Wx + s @ Ws + b)))
wrong("read_sentence", "starts-from-the-bias")(reading(right_step, init=lambda b: b))
wrong("read_sentence", "first-word-missing")(reading(right_step, seq=lambda x: x[1:]))
wrong("read_sentence", "states-summed")(reading(right_step, out=lambda s, ss: sum(ss)))
wrong("read_sentence", "largest-of-all-states")(
    reading(right_step, out=lambda s, ss: np.max(ss, 0))
)
wrong("read_sentence", "bias-twice")(
    reading(lambda w, s, Wx, Ws, b: np.tanh(w @ Wx + b + s @ Ws + b))
)
wrong("read_sentence", "multiplied")(
    reading(lambda w, s, Wx, Ws, b: np.tanh(w @ Wx * (s @ Ws) + b))
)
wrong("read_sentence", "first-state")(reading(right_step, out=lambda s, ss: ss[0]))
wrong("read_sentence", "last-word-twice")(
    lambda x, a, b, c: reading(right_step, seq=lambda x: [*x, x[-1]])(x, a, b, c)
)

# decoder_inputs
wrong("decoder_inputs", "shifted-twice")(
    lambda t, s: np.hstack([np.full((len(t), 2), s), t[:, :-2]])[:, : t.shape[1]]
)
wrong("decoder_inputs", "start-ignored")(
    lambda t, s: np.hstack([np.full((len(t), 1), 1), t[:, :-1]])
)
wrong("decoder_inputs", "start-everywhere")(lambda t, s: np.full_like(t, s))

# last_states
wrong("last_states", "largest-numbers")(
    lambda st, n: np.array([s[:k].max(0) for s, k in zip(st, n, strict=True)])
)
wrong("last_states", "padding-averaged")(lambda st, n: st.mean(1))
wrong("last_states", "counted-from-the-end")(
    lambda st, n: np.array([s[-k] for s, k in zip(st, n, strict=True)])
)
wrong("last_states", "first-sentence-for-all")(lambda st, n: st[0, n - 1])
wrong("last_states", "padding-summed")(lambda st, n: st.sum(1))

# exact_match
wrong("exact_match", "one-right-token-is-enough")(
    lambda o, t: ((o == t) & up_to_end(t)).any(1).mean()
)
wrong("exact_match", "down-the-columns")(lambda o, t: ((o == t) | ~up_to_end(t)).all(0).mean())
wrong("exact_match", "percent")(lambda o, t: 100 * ((o == t) | ~up_to_end(t)).all(1).mean())
wrong("exact_match", "first-token-only")(lambda o, t: (o[:, 0] == t[:, 0]).mean())

# steps_to_fade
wrong("steps_to_fade", "factor-ignored")(lambda f, t: math.ceil(math.log2(1 / t)))
wrong("steps_to_fade", "gradient-returned")(
    lambda f, t: f ** next(n for n in range(10000) if f**n < t)
)
wrong("steps_to_fade", "negative-steps")(lambda f, t: -math.log(t) / math.log(f))
wrong("steps_to_fade", "logarithms-subtracted")(lambda f, t: math.ceil(math.log(t) - math.log(f)))
wrong("steps_to_fade", "threshold-ignored")(lambda f, t: math.ceil(1 / (1 - f)))

# additive_scores
wrong("additive_scores", "averaged")(lambda q, k, v: (np.tanh(q[:, None] + k) * v).mean(-1))
wrong("additive_scores", "another-bend")(lambda q, k, v: 1 / (1 + np.exp(-(q[:, None] + k))) @ v)
wrong("additive_scores", "dot-product-weighted")(lambda q, k, v: q * v @ k.T)
wrong("additive_scores", "tanh-on-one")(lambda q, k, v: (np.tanh(q)[:, None] + k) @ v)
wrong("additive_scores", "tanh-twice")(lambda q, k, v: np.tanh(np.tanh(q[:, None] + k) @ v))

# look_back
wrong("look_back", "scaled")(
    looking_back(score=lambda q, k, v: np.tanh(q + k) @ v / np.sqrt(len(v)))
)
wrong("look_back", "annotations-added-up")(looking_back(ctx=lambda w, a, k, s: a.sum(0)))
wrong("look_back", "annotations-averaged")(looking_back(ctx=lambda w, a, k, s: a.mean(0)))
wrong("look_back", "scores-returned")(
    lambda st, a, WQ, WK, v: (
        softmax(np.tanh(st @ WQ + a @ WK) @ v) @ a,
        np.tanh(st @ WQ + a @ WK) @ v,
    )
)
wrong("look_back", "v-left-out")(looking_back(score=lambda q, k, v: np.tanh(q + k).sum(-1)))
wrong("look_back", "tanh-last")(looking_back(score=lambda q, k, v: np.tanh((q + k) @ v)))
wrong("look_back", "multiplied")(looking_back(score=lambda q, k, v: np.tanh(q * k) @ v))
wrong("look_back", "query-ignored")(looking_back(score=lambda q, k, v: np.tanh(k) @ v))
wrong("look_back", "best-annotation")(looking_back(ctx=lambda w, a, k, s: a[w.argmax()]))

# alignment_error_rate
wrong("alignment_error_rate", "or-for-and")(
    lambda f, s, p: 1 - ((f | s).sum() + (f | p).sum()) / (f.sum() + s.sum())
)
wrong("alignment_error_rate", "means-above-the-line")(
    lambda f, s, p: 1 - ((f & s).mean() + (f & p).mean()) / (f.sum() + s.sum())
)
wrong("alignment_error_rate", "divided-by-all-three")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p).sum()) / (f.sum() + s.sum() + p.sum())
)
wrong("alignment_error_rate", "divided-by-cells")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p).sum()) / f.size
)
wrong("alignment_error_rate", "divided-by-found-links")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p).sum()) / f.sum()
)
wrong("alignment_error_rate", "divided-by-sure-links")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p).sum()) / s.sum()
)
wrong("alignment_error_rate", "sure-links-not-counted-again")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p & ~s).sum()) / (f.sum() + s.sum())
)
wrong("alignment_error_rate", "brackets-missing")(
    lambda f, s, p: 1 - (f & s).sum() + (f & p).sum() / (f.sum() + s.sum())
)
wrong("alignment_error_rate", "averaged-over-words")(
    lambda f, s, p: np.mean(
        1 - ((f & s).sum(1) + (f & p).sum(1)) / np.maximum(f.sum(1) + s.sum(1), 1)
    )
)
wrong("alignment_error_rate", "percent")(
    lambda f, s, p: 100 * (1 - ((f & s).sum() + (f & p).sum()) / (f.sum() + s.sum()))
)
wrong("alignment_error_rate", "halved")(
    lambda f, s, p: 1 - ((f & s).sum() + (f & p).sum()) / (f.sum() + s.sum()) / 2
)
wrong("alignment_error_rate", "sure-and-possible-compared")(
    lambda f, s, p: 1 - ((f & s).sum() + (s & p).sum()) / (f.sum() + s.sum())
)
wrong("alignment_error_rate", "second-term-missing")(
    lambda f, s, p: 1 - (f & s).sum() / (f.sum() + s.sum())
)

# strongest_sources
wrong("strongest_sources", "end-counted-as-a-word")(
    lambda w, s, t: np.where(w[:t].argmax(1) <= s, w[:t].argmax(1), -1)
)
wrong("strongest_sources", "padding-counted-as-words")(
    lambda w, s, t: np.where(w[:t].argmax(1) == s, -1, w[:t].argmax(1))
)
wrong("strongest_sources", "padding-cut-off-first")(
    lambda w, s, t: (lambda a: np.where(a < s, a, -1))(w[:t, : s + 1].argmax(1))
)
wrong("strongest_sources", "smallest")(
    lambda w, s, t: (lambda a: np.where(a < s, a, -1))(w[:t].argmin(1))
)
wrong("strongest_sources", "zero-for-no-word")(
    lambda w, s, t: (lambda a: np.where(a < s, a, 0))(w[:t].argmax(1))
)
wrong("strongest_sources", "last-word-left-out")(
    lambda w, s, t: (lambda a: np.where(a < s - 1, a, -1))(w[:t].argmax(1))
)

# projected_scores
wrong("projected_scores", "width-of-the-annotations")(
    projecting(lambda q, k, s, a: q @ k.T / np.sqrt(a.shape[1]))
)
wrong("projected_scores", "tanh-of-the-score")(
    projecting(lambda q, k, s, a: np.tanh(q @ k.T / np.sqrt(q.shape[1])))
)
wrong("projected_scores", "wrong-sign")(
    projecting(lambda q, k, s, a: -(q @ k.T / np.sqrt(q.shape[1])))
)
wrong("projected_scores", "added")(
    projecting(lambda q, k, s, a: (q[:, None] + k).sum(-1) / np.sqrt(q.shape[1]))
)

# sinusoidal_positions
wrong("sinusoidal_positions", "exponent-doubled")(waves(rate=lambda i, d: 10000.0 ** (-2 * i / d)))
wrong("sinusoidal_positions", "another-base")(waves(rate=lambda i, d: 1000.0 ** (-i / d)))
wrong("sinusoidal_positions", "full-turns")(
    waves(rate=lambda i, d: 2 * np.pi * 10000.0 ** (-i / d))
)
wrong("sinusoidal_positions", "one-speed")(waves(rate=lambda i, d: i * 0 + 1.0))
wrong("sinusoidal_positions", "cosine-of-the-next-hand")(
    lambda n, d: np.where(
        np.arange(d) % 2 == 0,
        np.sin(np.outer(np.arange(n), 10000.0 ** (-2 * (np.arange(d) // 2) / d))),
        np.cos(np.outer(np.arange(n), 10000.0 ** (-2 * ((np.arange(d) + 1) // 2) / d))),
    )
)
wrong("sinusoidal_positions", "positions-divided-by-length")(waves(pos=lambda n: np.arange(n) / n))

# shift_matrix
wrong("shift_matrix", "turned-twice")(
    lambda a: (lambda a: np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]]))(2 * a)
)
wrong("shift_matrix", "half-a-turn-too-far")(
    lambda a: np.array([[-np.cos(a), -np.sin(a)], [np.sin(a), -np.cos(a)]])
)
wrong("shift_matrix", "minus-at-a-cosine")(
    lambda a: np.array([[np.cos(a), -np.sin(a)], [np.sin(a), -np.cos(a)]])
)

# rotate
wrong("rotate", "turned-twice")(lambda x, an: rotating(turned)(x, 2 * an))
wrong("rotate", "sine-for-cosine")(rotating(lambda a, b, c, s: (a * s - b * c, a * c + b * s)))
wrong("rotate", "positions-multiplied-again")(
    lambda x, an: rotating(turned)(x, an * np.arange(len(x))[:, None])
)
wrong("rotate", "pair-swapped")(rotating(lambda a, b, c, s: turned(a, b, c, s)[::-1]))

# alibi_bias
wrong("alibi_bias", "neighbours-free")(lambda m, n: -m * np.maximum(abs(distances(n)) - 1, 0))
wrong("alibi_bias", "divided-by-length")(lambda m, n: -m * abs(distances(n)) / n)
wrong("alibi_bias", "logarithm-or-root")(lambda m, n: -m * np.log1p(abs(distances(n))))

# values_from_averages
wrong("values_from_averages", "counts-swapped")(
    lambda a: (
        np.vstack([a[:1], [t * a[t] - (t + 1) * a[t - 1] for t in range(1, len(a))]])
        if len(a) > 1
        else a
    )
)
wrong("values_from_averages", "across-the-columns")(
    lambda a: np.diff(np.arange(1, len(a) + 1)[:, None] * a, axis=1, prepend=0)
)
wrong("values_from_averages", "averages-subtracted")(
    lambda a: np.arange(1, len(a) + 1)[:, None] * a - np.vstack([0 * a[:1], np.cumsum(a, 0)[:-1]])
)

# layer_norm
wrong("layer_norm", "root-of-the-mean-square")(
    norm_with(sd=lambda x, c, e: np.sqrt((x**2).mean(-1, keepdims=True) + e))
)
wrong("layer_norm", "gain-plus-1")(norm_with(fin=lambda n, g, b: (1 + g) * n + b))
wrong("layer_norm", "sum-of-squares")(
    norm_with(sd=lambda x, c, e: np.linalg.norm(c, axis=-1, keepdims=True) + e)
)
wrong("layer_norm", "two-axes")(norm_with(sd=lambda x, c, e: np.sqrt(x.var(0) + e)))
wrong("layer_norm", "mean-deviation")(
    norm_with(sd=lambda x, c, e: np.abs(c).mean(-1, keepdims=True) + e)
)
wrong("layer_norm", "range")(
    lambda x, g, b, e: g * (x - x.min(-1, keepdims=True)) / (np.ptp(x, -1, keepdims=True) + e) + b
)
wrong("layer_norm", "softmax")(lambda x, g, b, e: g * softmax(x) + b)
wrong("layer_norm", "eps-squared")(
    norm_with(sd=lambda x, c, e: np.sqrt((c**2).mean(-1, keepdims=True) + e**2))
)

# residual
wrong("residual", "norm-before-the-sum")(lambda x, s, n, p: x + s(n(x)) if p else n(x) + s(x))
wrong("residual", "sublayer-twice")(lambda x, s, n, p: x + s(s(n(x))) if p else n(x + s(s(x))))
wrong("residual", "subtracted")(lambda x, s, n, p: x - s(n(x)) if p else n(x - s(x)))
wrong("residual", "averaged")(lambda x, s, n, p: (x + s(n(x))) / 2 if p else n((x + s(x)) / 2))
wrong("residual", "multiplied")(lambda x, s, n, p: x * s(n(x)) if p else n(x * s(x)))

# feed_forward
wrong("feed_forward", "softmax-between")(lambda x, A, a, Bm, b: softmax(x @ A + a) @ Bm + b)
wrong("feed_forward", "second-bias-twice")(lambda x, A, a, Bm, b: relu(x @ A + a) @ Bm + b + b)
wrong("feed_forward", "first-bias-subtracted")(lambda x, A, a, Bm, b: relu(x @ A - a) @ Bm + b)

# embed
wrong("embed", "token-before-or-after")(lambda t, E, p: E[t - 1] * np.sqrt(E.shape[1]) + p)
wrong("embed", "positions-shifted")(lambda t, E, p: E[t] * np.sqrt(E.shape[1]) + np.roll(p, 1, 0))
wrong("embed", "positions-subtracted")(lambda t, E, p: E[t] * np.sqrt(E.shape[1]) - p)
wrong("embed", "fourth-root")(lambda t, E, p: E[t] * E.shape[1] ** 0.25 + p)
wrong("embed", "tokens-added-up")(lambda t, E, p: E[t].sum(0) * np.sqrt(E.shape[1]) + p)

# decoder_layer
wrong("decoder_layer", "self-attention-of-memory")(
    lambda x, m, s, c, f: (lambda a: (lambda b: b + f(b))(a + c(a, m)))(x + s(m))
)
wrong("decoder_layer", "feed-forward-twice")(
    lambda x, m, s, c, f: (lambda a: a + f(a))(
        (lambda a: (lambda b: b + f(b))(a + c(a, m)))(x + s(x))
    )
)
wrong("decoder_layer", "memory-changed")(
    lambda x, m, s, c, f: (lambda a: (lambda b: b + f(b))(a + c(a, s(m))))(x + s(x))
)
wrong("decoder_layer", "x-added-again")(
    lambda x, m, s, c, f: (lambda a: (lambda b: x + b + f(b))(a + c(a, m)))(x + s(x))
)
wrong("decoder_layer", "cross-attention-in-place-of-self-attention")(
    lambda x, m, s, c, f: (lambda a: (lambda b: b + f(b))(a + c(a, m)))(x + c(x, x))
)
wrong("decoder_layer", "one-residual-around-all")(lambda x, m, s, c, f: x + f(c(s(x), m)))
wrong("decoder_layer", "reads-the-last-output-alone")(
    lambda x, m, s, c, f: (lambda a: (lambda b: b + f(b))(a + c(s(x), m)))(x + s(x))
)
wrong("decoder_layer", "self-attention-twice")(
    lambda x, m, s, c, f: (lambda a: (lambda a: (lambda b: b + f(b))(a + c(a, m)))(a + s(a)))(
        x + s(x)
    )
)

# layer_parameters
wrong("layer_parameters", "three-norms")(lambda d, h: 4 * (d * d + d) + 2 * d * h + h + d + 6 * d)
wrong("layer_parameters", "feed-forward-square")(
    lambda d, h: 4 * (d * d + d) + 2 * h * h + h + d + 4 * d
)
wrong("layer_parameters", "three-feed-forward-matrices")(
    lambda d, h: 4 * (d * d + d) + 3 * d * h + 2 * h + d + 4 * d
)
wrong("layer_parameters", "d_ff-ignored")(lambda d, h: 4 * (d * d + d) + 8 * d * d + 5 * d + 4 * d)

# learning_rate
wrong("learning_rate", "exponential")(
    lambda t, h, w: np.where(t <= w, h * t / w, h * 0.99 ** (t - w))
)
wrong("learning_rate", "one-step-off")(
    lambda t, h, w: h * np.minimum((t - 1) / w, np.sqrt(w / np.maximum(t - 1, 1e-09)))
)
wrong("learning_rate", "another-power")(lambda t, h, w: h * np.minimum(t / w, (w / t) ** 2))
wrong("learning_rate", "never-stops-rising")(lambda t, h, w: h * t / w)
wrong("learning_rate", "constant")(lambda t, h, w: h + 0 * t)
wrong("learning_rate", "zero-in-the-warm-up")(
    lambda t, h, w: np.where(t <= w, 0, h * np.sqrt(w / t))
)
wrong("learning_rate", "sum")(lambda t, h, w: h * (t / w + np.sqrt(w / t)))
wrong("learning_rate", "product")(lambda t, h, w: h * (t / w) * np.sqrt(w / t))
wrong("learning_rate", "bent-warm-up")(
    lambda t, h, w: np.where(t <= w, h * (t / w) ** 2, h * np.sqrt(w / t))
)

# smoothed_targets
wrong("smoothed_targets", "one-symbol-too-few")(
    lambda t, n, e: (1 - e) * one_hot(t, n) + e / (n - 1)
)
wrong("smoothed_targets", "added-and-divided")(lambda t, n, e: (one_hot(t, n) + e) / (1 + n * e))
wrong("smoothed_targets", "divided-by-the-length")(
    lambda t, n, e: (1 - e) * one_hot(t, n) + e / len(t)
)
wrong("smoothed_targets", "neighbour-of-the-target")(
    lambda t, n, e: (1 - e) * one_hot((t + 1) % n, n) + e / n
)
wrong("smoothed_targets", "softmax")(lambda t, n, e: softmax(one_hot(t, n)))
wrong("smoothed_targets", "logarithms")(lambda t, n, e: np.log((1 - e) * one_hot(t, n) + e / n))
wrong("smoothed_targets", "two-symbols-left-out")(
    lambda t, n, e: (
        np.where(one_hot(t, n) > 0, 1 - e, e / (n - 2))
        if n > 2
        else np.where(one_hot(t, n) > 0, 1 - e, e)
    )
)
wrong("smoothed_targets", "nothing-shared-out")(lambda t, n, e: (1 - e) * one_hot(t, n))

# beam_step
wrong("beam_step", "probabilities-added")(beam(score=lambda T, L: np.logaddexp(T[:, None], L)))
wrong("beam_step", "averaged")(beam(score=lambda T, L: (T[:, None] + L) / 2))
wrong("beam_step", "totals-along-the-columns")(
    lambda T, L, w: beam(score=lambda T, L: np.resize(T, L.shape[1])[None] + L)(T, L, w)
)
wrong("beam_step", "places-returned")(
    lambda T, L, w: (
        lambda s: (
            np.sort(-s.ravel())[:w] * -1,
            np.argsort(-s.ravel())[:w],
            np.argsort(-s.ravel())[:w],
        )
    )(T[:, None] + L)
)
wrong("beam_step", "outputs-in-another-order")(
    lambda T, L, w: (lambda a, b, c: (b, c, a))(*beam()(T, L, w))
)
wrong("beam_step", "old-totals-returned")(
    lambda T, L, w: (lambda a, b, c: (T[b], b, c))(*beam()(T, L, w))
)
wrong("beam_step", "ranked-without-totals")(
    lambda T, L, w: (lambda pl: ((T[:, None] + L).ravel()[pl], pl // L.shape[1], pl % L.shape[1]))(
        np.argsort(-L.ravel())[:w]
    )
)
wrong("beam_step", "renormalised")(
    lambda T, L, w: (lambda a, b, c: (a - np.logaddexp.reduce(a), b, c))(*beam()(T, L, w))
)
wrong("beam_step", "totals-subtracted")(beam(score=lambda T, L: L - T[:, None]))
wrong("beam_step", "tokens-counted-from-1")(
    lambda T, L, w: (lambda a, b, c: (a, b, c + 1))(*beam()(T, L, w))
)

# top_p
wrong("top_p", "divided-by-the-share")(lambda p, s: nucleus(norm=lambda k: k)(p, s) / s)
wrong("top_p", "equal-probabilities")(
    lambda p, s: (lambda k: (k > 0) / (k > 0).sum())(nucleus()(p, s))
)
wrong("top_p", "a-share-of-the-tokens")(
    lambda p, s: (lambda o: (lambda k: (k.__setitem__(o, p[o]), k / k.sum())[1])(np.zeros_like(p)))(
        np.argsort(-p)[: max(1, int(np.ceil(s * len(p))))]
    )
)
wrong("top_p", "ones-returned")(lambda p, s: (nucleus()(p, s) > 0) * 1.0)
wrong("top_p", "mask-in-order-of-size")(
    lambda p, s: (lambda q: (lambda m: p * m / max((p * m).sum(), 1e-09))(np.cumsum(q) - q < s))(
        -np.sort(-p)
    )
)
wrong("top_p", "threshold")(lambda p, s: (lambda k: k / k.sum())(np.where(p >= s * p.max(), p, 0)))
wrong("top_p", "dropped-tokens-kept")(
    lambda p, s: (lambda k: k / max(k.sum(), 1e-09))(p * (nucleus()(p, s) == 0))
)
wrong("top_p", "last-one-cut")(
    lambda p, s: (
        lambda o: (
            lambda c: (
                lambda k: (
                    k.__setitem__(o, np.maximum(np.minimum(p[o], s - (c - p[o])), 0)),
                    k / k.sum(),
                )[1]
            )(np.zeros_like(p))
        )(np.cumsum(p[o]))
    )(np.argsort(-p))
)

# flip_rate
wrong("flip_rate", "cut-compared-with-control")(lambda b, c, k: mean_or_zero(c[b > 0] < k[b > 0]))
wrong("flip_rate", "ratio")(
    lambda b, c, k: mean_or_zero(c[b > 0] < 0) / max(mean_or_zero(k[b > 0] < 0), 1e-09)
)
wrong("flip_rate", "sign-dropped")(
    lambda b, c, k: abs(mean_or_zero(c[b > 0] < 0) - mean_or_zero(k[b > 0] < 0))
)
wrong("flip_rate", "compared-with-before")(
    lambda b, c, k: mean_or_zero(c[b > 0] < b[b > 0]) - mean_or_zero(k[b > 0] < b[b > 0])
)
wrong("flip_rate", "control-of-all-sentences")(
    lambda b, c, k: mean_or_zero(c[b > 0] < 0) - mean_or_zero(k < 0)
)
wrong("flip_rate", "percent")(
    lambda b, c, k: 100 * (mean_or_zero(c[b > 0] < 0) - mean_or_zero(k[b > 0] < 0))
)
wrong("flip_rate", "right-under-the-control")(lambda b, c, k: mean_or_zero(c[k > 0] < 0))
wrong("flip_rate", "halved")(
    lambda b, c, k: (mean_or_zero(c[b > 0] < 0) - mean_or_zero(k[b > 0] < 0)) / 2
)

# cached_step
wrong("cached_step", "key-as-query")(
    cached(lambda q, K, V, x, K0, V0: softmax(K @ K[-1] / np.sqrt(len(q))) @ V)
)

# read_key
wrong("read_key", "factors-swapped")(
    partial(reading_a_key, tot=lambda T, a, b: T * b + a, we=lambda w, a, b, v: w * b + a * v)
)
wrong("read_key", "larger-one-for-the-sum")(
    partial(reading_a_key, tot=lambda T, a, b: max(T * a, b))
)
wrong("read_key", "new-key-rescaled-too")(
    partial(reading_a_key, tot=lambda T, a, b: (T + b) * a, we=lambda w, a, b, v: (w + b * v) * a)
)
wrong("read_key", "keys-counted")(partial(reading_a_key, tot=lambda T, a, b: T + 1))
wrong("read_key", "only-the-new-key")(partial(reading_a_key, tot=lambda T, a, b: b))
wrong("read_key", "rescaled-twice")(partial(reading_a_key, tot=lambda T, a, b: T * a * a + b))
wrong("read_key", "log-total-returned")(
    lambda *z: (lambda M, t, w: (M, np.log(t), w))(*reading_a_key(*z))
)
wrong("read_key", "score-as-weight")(
    partial(reading_a_key, we=lambda w, a, b, v: w * a + v * np.log(b))
)
wrong("read_key", "base-two")(
    lambda L, T, Wt, s, v: (
        (L, T, Wt)
        if s == -np.inf
        else (
            max(L, s),
            T * 2.0 ** (L - max(L, s)) + 2.0 ** (s - max(L, s)),
            Wt * 2.0 ** (L - max(L, s)) + 2.0 ** (s - max(L, s)) * v,
        )
    )
)
wrong("read_key", "subtracted")(partial(reading_a_key, tot=lambda T, a, b: T * a - b))

# merge_outputs
wrong("merge_outputs", "base-two")(merging(lambda a, b: 2**a / (2**a + 2**b)))
wrong("merge_outputs", "sigmoid-of-each")(merging(lambda a, b: 1 / (1 + np.exp(-a))))
wrong("merge_outputs", "mean-of-the-totals")(
    merging(
        lambda a, b: np.exp(a - np.logaddexp(a, b)), lambda a, b: np.logaddexp(a, b) - np.log(2)
    )
)
wrong("merge_outputs", "log-totals-multiplied")(
    merging(lambda a, b: np.exp(a - np.logaddexp(a, b)), lambda a, b: a * b)
)
wrong("merge_outputs", "winner-takes-all")(merging(lambda a, b: (a > b) * 1.0))
wrong("merge_outputs", "relative-to-the-other")(merging(lambda a, b: np.exp(a - b)))
wrong("merge_outputs", "halved")(merging(lambda a, b: np.exp(a - np.logaddexp(a, b)) / 2))
wrong("merge_outputs", "log-total-of-one-part")(
    merging(lambda a, b: np.exp(a - np.logaddexp(a, b)), lambda a, b: a)
)
wrong("merge_outputs", "one-share-missing")(
    lambda A, a, B_, b: (np.exp(a - np.logaddexp(a, b))[:, None] * A + B_, np.logaddexp(a, b))
)

wrong("additive_scores", "query-ignored")(lambda q, k, v: np.tile(np.tanh(k) @ v, (len(q), 1)))
wrong("additive_scores", "key-ignored")(lambda q, k, v: np.outer(np.tanh(q) @ v, np.ones(len(k))))
wrong("look_back", "another-bend")(looking_back(score=lambda q, k, v: relu(q + k) @ v))
wrong("look_back", "averaged")(looking_back(score=lambda q, k, v: np.mean(np.tanh(q + k) * v, 1)))
wrong("look_back", "tanh-twice")(looking_back(score=lambda q, k, v: np.tanh(np.tanh(q + k) @ v)))
wrong("look_back", "dot-product-weighted")(looking_back(score=lambda q, k, v: k @ np.diag(v) @ q))
wrong("look_back", "subtracted")(looking_back(score=lambda q, k, v: np.tanh(q - k) @ v))
wrong("feed_forward", "second-bias-subtracted")(lambda x, A, a, B, b: relu(x @ A + a) @ B - b)
wrong("flip_rate", "wrong-ones-mended")(
    lambda b, c, k: mean_or_zero(c[b < 0] > 0) - mean_or_zero(k[b < 0] > 0)
)


@wrong("decoder_layer", "cross-attention-twice")
def cross_attention_twice(x, memory, self_attention, cross_attention, feed_forward):
    x = x + self_attention(x)
    for _ in range(2):
        x = x + cross_attention(x, memory)
    return x + feed_forward(x)


wrong("cached_step", "x-added")(
    cached(lambda q, K, V, x, *_: softmax(K @ q / np.sqrt(len(q))) @ V + np.resize(x, V.shape[1]))
)


@wrong("rotate", "partners-in-the-other-half")
def rotate_half(x, angles):
    half = x.shape[1] // 2
    swapped = np.hstack([-x[:, half:], x[:, :half]])
    each = np.repeat(angles, 2, axis=1)
    return x * np.cos(each) + swapped * np.sin(each)


@wrong("rotate", "angles-in-two-blocks")
def rotate_with_blocks_of_angles(x, angles):
    swapped = np.empty_like(x)
    swapped[:, 0::2], swapped[:, 1::2] = -x[:, 1::2], x[:, 0::2]
    both = np.hstack([angles, angles])
    return x * np.cos(both) + swapped * np.sin(both)


# --------------------------------------------------- right answers, written unusually


def tensor(array):
    return torch.tensor(array, dtype=torch.float32)


@right("beam_step")
def beam_step_with_sorted_lists(totals, log_p, width):
    continued = [
        (totals[i] + log_p[i, j], i, j) for i in range(len(totals)) for j in range(log_p.shape[1])
    ]
    best = sorted(continued, reverse=True)[:width]
    return [[item[part] for item in best] for part in range(3)]


@right("beam_step")
def beam_step_with_topk(totals, log_p, width):
    values, places = torch.topk((tensor(totals)[:, None] + tensor(log_p)).flatten(), width)
    return values, places // log_p.shape[1], places % log_p.shape[1]


@right("read_key")
def read_key_with_a_list(largest, total, weighted, score, value):
    if np.isneginf(score):
        return [largest, total, weighted]
    larger = max(largest, score)
    old, new = math.exp(largest - larger), math.exp(score - larger)
    return [
        larger,
        total * old + new,
        [w * old + new * v for w, v in zip(weighted, value, strict=True)],
    ]


@right("read_sentence")
def read_sentence_with_gradients(x, W_x, W_state, bias):
    x, W_x, W_state, bias = (tensor(a).requires_grad_() for a in (x, W_x, W_state, bias))
    state = torch.zeros(len(bias))
    for word in x:
        state = torch.tanh(word @ W_x + state @ W_state + bias)
    return state


@right("rotate")
def rotate_with_complex_numbers(x, angles):
    pairs = (x[:, 0::2] + 1j * x[:, 1::2]) * np.exp(1j * angles)
    return np.stack([pairs.real, pairs.imag], -1).reshape(x.shape)


@right("last_states")
def last_states_as_a_list_of_tensors(states, lengths):
    return [tensor(s)[n - 1] for s, n in zip(states, lengths, strict=True)]


@right("layer_norm")
def layer_norm_of_torch(x, gain, bias, eps):
    x, gain, bias = map(tensor, (x, gain, bias))
    return torch.nn.functional.layer_norm(x, x.shape[-1:], gain, bias, eps)


@right("cached_step")
def cached_step_of_torch(x, W_Q, W_K, W_V, keys, values):
    x, W_Q, W_K, W_V, keys, values = map(tensor, (x, W_Q, W_K, W_V, keys, values))
    keys, values = torch.vstack([keys, x @ W_K]), torch.vstack([values, x @ W_V])
    attend = torch.nn.functional.scaled_dot_product_attention
    return attend((x @ W_Q)[None, None], keys[None], values[None])[0, 0], keys, values
