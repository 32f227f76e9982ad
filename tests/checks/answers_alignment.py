"""Answers to the exercises of the chapter `alignment`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ---------------------------------------------------------- additive_scores


def pairs(query, key, score):
    """Score each pair, by two loops."""
    return [[score(q, k) for k in key] for q in query]


def dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def row_softmax(row):
    exponentials = [math.exp(s - max(row)) for s in row]
    return [e / sum(exponentials) for e in exponentials]


@right("additive_scores")
def additive_with_loops(query, key, v):
    return pairs(
        query,
        key,
        lambda q, k: sum(a * math.tanh(b + c) for a, b, c in zip(v, q, k, strict=True)),
    )


@right("additive_scores")
def additive_with_einsum(query, key, v):
    sums = query[:, np.newaxis, :] + key[np.newaxis, :, :]
    return np.einsum("qkd,d->qk", np.tanh(sums), v)


@wrong("additive_scores", "no-tanh")
def _(query, key, v):
    return pairs(query, key, lambda q, k: dot(v, q) + dot(v, k))


@wrong("additive_scores", "tanh-last")
def _(query, key, v):
    return pairs(query, key, lambda q, k: math.tanh(dot(v, q + k)))


@wrong("additive_scores", "tanh-separately")
def _(query, key, v):
    return pairs(query, key, lambda q, k: dot(v, np.tanh(q)) + dot(v, np.tanh(k)))


@wrong("additive_scores", "multiplied")
def _(query, key, v):
    return pairs(query, key, lambda q, k: dot(v, np.tanh(q * k)))


@wrong("additive_scores", "dot-product")
def _(query, key, v):
    return pairs(query, key, dot)


@wrong("additive_scores", "v-left-out")
def _(query, key, v):
    return pairs(query, key, lambda q, k: sum(map(math.tanh, q + k)))


@wrong("additive_scores", "subtracted")
def _(query, key, v):
    return pairs(query, key, lambda q, k: dot(v, np.tanh(q - k)))


@wrong("additive_scores", "scaled")
def _(query, key, v):
    return additive_with_einsum(query, key, v) * len(v) ** -0.5


@wrong("additive_scores", "softmax-too-early")
def _(query, key, v):
    return [row_softmax(row) for row in additive_with_loops(query, key, v)]


@wrong("additive_scores", "not-all-pairs")
def _(query, key, v):
    return np.sum(v * np.tanh(np.add(query, key)), axis=-1)


# ---------------------------------------------------------------- look_back


def looked(state, annotations, W_Q, W_K, v, weigh):
    """Average the annotations with the weights that ``weigh`` makes of query and keys."""
    query = [dot(state, column) for column in W_Q.T]
    keys = [[dot(annotation, column) for column in W_K.T] for annotation in annotations]
    weights = weigh(query, keys, v)
    context = [dot(weights, column) for column in annotations.T]
    return np.array(context), np.array(weights)


def scored(query, keys, v):
    return [
        sum(a * math.tanh(b + c) for a, b, c in zip(v, query, key, strict=True)) for key in keys
    ]


@right("look_back")
def look_back_with_loops(state, annotations, W_Q, W_K, v):
    return looked(state, annotations, W_Q, W_K, v, lambda *given: row_softmax(scored(*given)))


@right("look_back")
def look_back_with_arrays(state, annotations, W_Q, W_K, v):
    s = np.tanh(state @ W_Q + annotations @ W_K).dot(v)
    e = np.exp(s - s.max())
    a = e / e.sum()
    return (a[:, None] * annotations).sum(axis=0), a


@wrong("look_back", "keys-averaged")
def _(state, annotations, W_Q, W_K, v):
    _, weights = look_back_with_loops(state, annotations, W_Q, W_K, v)
    return np.einsum("k,kd,ds->s", weights, annotations, W_K), weights


@wrong("look_back", "no-softmax")
def _(state, annotations, W_Q, W_K, v):
    return looked(state, annotations, W_Q, W_K, v, scored)


@wrong("look_back", "best-alone")
def _(state, annotations, W_Q, W_K, v):
    _, weights = look_back_with_loops(state, annotations, W_Q, W_K, v)
    hard = np.zeros(len(weights))
    hard[np.argmax(weights)] = 1
    return annotations[np.argmax(weights)], hard


@wrong("look_back", "dot-product")
def _(state, annotations, W_Q, W_K, v):
    return looked(
        state,
        annotations,
        W_Q,
        W_K,
        v,
        lambda query, keys, v: row_softmax([dot(query, key) for key in keys]),
    )


@wrong("look_back", "no-tanh")
def _(state, annotations, W_Q, W_K, v):
    return looked(
        state,
        annotations,
        W_Q,
        W_K,
        v,
        lambda query, keys, v: row_softmax([dot(v, key) for key in keys]),
    )


@wrong("look_back", "uniform")
def _(state, annotations, W_Q, W_K, v):
    return np.mean(annotations, axis=0), np.ones(len(annotations)) / len(annotations)


@wrong("look_back", "nothing-projected")
def _(state, annotations, W_Q, W_K, v):
    weights = row_softmax(scored(state, annotations, v))
    return np.array(weights) @ annotations, np.array(weights)


@wrong("look_back", "swapped")
def _(state, annotations, W_Q, W_K, v):
    return look_back_with_arrays(state, annotations, W_Q, W_K, v)[::-1]


@wrong("look_back", "divided-by-the-number")
def _(state, annotations, W_Q, W_K, v):
    _, weights = look_back_with_loops(state, annotations, W_Q, W_K, v)
    return (weights[:, None] * annotations).mean(axis=0), weights


@wrong("look_back", "weights-do-not-sum-to-1")
def _(state, annotations, W_Q, W_K, v):
    s = np.tanh(state @ W_Q + annotations @ W_K).dot(v)
    e = np.logaddexp(0, s)
    return e @ annotations, e


# ----------------------------------------------------- alignment_error_rate


def links(matrix):
    return {(i, j) for i, row in enumerate(matrix) for j, there in enumerate(row) if there}


def rate_of_sets(a, s, p):
    return 1 - (len(a & s) + len(a & p)) / (len(a) + len(s))


@right("alignment_error_rate")
def rate_with_sets(found, sure, possible):
    return rate_of_sets(links(found), links(sure), links(possible))


@right("alignment_error_rate")
def rate_with_numbers(found, sure, possible):
    a, s, p = (matrix.astype(float).ravel() for matrix in (found, sure, possible))
    return 1 - (a @ s + a @ p) / np.sum(a + s)


@wrong("alignment_error_rate", "not-subtracted")
def _(found, sure, possible):
    a, s, p = links(found), links(sure), links(possible)
    return (len(a & s) + len(a & p)) / (len(a) + len(s))


@wrong("alignment_error_rate", "sure-links-only")
def _(found, sure, possible):
    a, s = links(found), links(sure)
    return 1 - 2 * len(a & s) / (len(a) + len(s))


@wrong("alignment_error_rate", "possible-links-only")
def _(found, sure, possible):
    a, s, p = links(found), links(sure), links(possible)
    return 1 - (len(a & p) + len(a & p)) / (len(a) + len(s))


@wrong("alignment_error_rate", "possible-links-counted")
def _(found, sure, possible):
    a, s, p = links(found), links(sure), links(possible)
    return 1 - (len(a & s) + len(a & p)) / (len(a) + len(p))


@wrong("alignment_error_rate", "recall")
def _(found, sure, possible):
    return len(links(sure) - links(found)) / len(links(sure))


@wrong("alignment_error_rate", "precision")
def _(found, sure, possible):
    return len(links(found) - links(possible)) / len(links(found)) if found.any() else 0


@wrong("alignment_error_rate", "mean-of-two-errors")
def _(found, sure, possible):
    a, s, p = links(found), links(sure), links(possible)
    return 0.5 * (len(s - a) / len(s) + (len(a - p) / len(a) if a else 0))


@wrong("alignment_error_rate", "cells-compared")
def _(found, sure, possible):
    return np.mean(found ^ sure)


@wrong("alignment_error_rate", "union")
def _(found, sure, possible):
    a, s, p = links(found), links(sure), links(possible)
    return 1 - (len(a & s) + len(a & p)) / 2 / len(a | s)


# -------------------------------------------------------- strongest_sources


def places(rows, source_length):
    result = []
    for row in rows:
        best = max(range(len(row)), key=lambda j: row[j])
        result.append(best if best < source_length else -1)
    return result


@right("strongest_sources")
def sources_with_loops(weights, source_length, target_length):
    return places(weights[:target_length], source_length)


@right("strongest_sources")
def sources_with_sorting(weights, source_length, target_length):
    best = np.argsort(-weights, axis=1)[:target_length, 0]
    best[best >= source_length] = -1
    return best


@wrong("strongest_sources", "one-row-late")
def _(weights, source_length, target_length):
    return places(weights[1 : target_length + 1], source_length)


@wrong("strongest_sources", "one-row-early")
def _(weights, source_length, target_length):
    return places([weights[max(t - 1, 0)] for t in range(target_length)], source_length)


@wrong("strongest_sources", "over-the-columns")
def _(weights, source_length, target_length):
    return [max(range(len(c)), key=lambda i: c[i]) for c in weights.T][:target_length]


@wrong("strongest_sources", "end-taken-for-a-word")
def _(weights, source_length, target_length):
    return places(weights[:target_length], weights.shape[1])


@wrong("strongest_sources", "end-cut-off-first")
def _(weights, source_length, target_length):
    return places(weights[:target_length, :source_length], source_length)


@wrong("strongest_sources", "smallest")
def _(weights, source_length, target_length):
    return [list(row).index(min(row)) for row in weights[:target_length]]


@wrong("strongest_sources", "weight-and-not-place")
def _(weights, source_length, target_length):
    return [max(row) for row in weights[:target_length]]


@wrong("strongest_sources", "counted-from-1")
def _(weights, source_length, target_length):
    return [place + 1 for place in places(weights[:target_length], source_length)]


@wrong("strongest_sources", "all-rows")
def _(weights, source_length, target_length):
    return places(weights, source_length)


# --------------------------------------------------------- projected_scores


def projected(matrix, W):
    return [[dot(row, column) for column in W.T] for row in matrix]


def dots(state, annotations, W_Q, W_K, factor):
    return pairs(
        projected(state, W_Q), projected(annotations, W_K), lambda q, k: factor * dot(q, k)
    )


@right("projected_scores")
def projected_with_loops(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, 1 / math.sqrt(W_K.shape[1]))


@right("projected_scores")
def projected_with_one_matrix(state, annotations, W_Q, W_K):
    W = (W_Q @ W_K.T) / np.sqrt(W_Q.shape[1])
    return state @ W @ annotations.T


@wrong("projected_scores", "not-scaled")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, 1)


@wrong("projected_scores", "divided-by-the-width")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, 1 / len(W_K.T))


@wrong("projected_scores", "multiplied-by-the-scale")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, math.sqrt(len(W_K.T)))


@wrong("projected_scores", "width-of-the-state")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, len(state[0]) ** -0.5)


@wrong("projected_scores", "number-of-keys")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_Q, W_K, len(annotations) ** -0.5)


@wrong("projected_scores", "nothing-projected")
def _(state, annotations, W_Q, W_K):
    return [[dot(s, a) / math.sqrt(W_Q.shape[1]) for a in annotations] for s in state]


@wrong("projected_scores", "projections-swapped")
def _(state, annotations, W_Q, W_K):
    return dots(state, annotations, W_K, W_Q, W_K.shape[1] ** -0.5)


@wrong("projected_scores", "additive")
def _(state, annotations, W_Q, W_K):
    return pairs(
        np.array(projected(state, W_Q)),
        np.array(projected(annotations, W_K)),
        lambda q, k: sum(map(math.tanh, q + k)),
    )


@wrong("projected_scores", "softmax-too-early")
def _(state, annotations, W_Q, W_K):
    return [row_softmax(row) for row in projected_with_loops(state, annotations, W_Q, W_K)]
