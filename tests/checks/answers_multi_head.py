"""Answers to the exercises of the chapter `multi_head`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# -------------------------------------------------------------- split_heads


@right("split_heads")
def split_with_slices(x, heads):
    d = x.shape[1] // heads
    return np.stack([x[:, h * d : (h + 1) * d] for h in range(heads)])


@right("split_heads")
def split_with_numpy(x, heads):
    return np.split(x, heads, axis=1)


@right("split_heads")
def split_by_moving_an_axis(x, heads):
    length, width = x.shape
    return np.moveaxis(x.reshape(length, heads, width // heads), 1, 0)


@wrong("split_heads", "view-for-transpose")
def _(x, heads):
    return np.reshape(x, (heads, x.shape[0], -1))


@wrong("split_heads", "heads-not-in-front")
def _(x, heads):
    return [np.split(row, heads) for row in x]


@wrong("split_heads", "interleaved")
def _(x, heads):
    return [x[:, h::heads] for h in range(heads)]


@wrong("split_heads", "rows-split")
def _(x, heads):
    n = len(x) // heads
    return [x[h * n : (h + 1) * n] for h in range(heads)]


@wrong("split_heads", "transposed-inside")
def _(x, heads):
    return x.T.reshape(heads, x.shape[1] // heads, len(x))


@wrong("split_heads", "every-head-gets-everything")
def _(x, heads):
    return np.broadcast_to(x, (heads, *x.shape))


@wrong("split_heads", "number-and-width-swapped")
def _(x, heads):
    return np.split(x, x.shape[1] // heads, axis=1)


@wrong("split_heads", "number-and-width-swapped")
def swapped_and_not_transposed(x, heads):
    return np.reshape(x, (x.shape[1] // heads, x.shape[0], heads))


@wrong("split_heads", "heads-in-reverse-order")
def _(x, heads):
    return np.split(x, heads, axis=1)[::-1]


@wrong("split_heads", "first-head-only")
def _(x, heads):
    return x[:, : x.shape[1] // heads]


@wrong("split_heads", "first-head-only")
def first_head_with_its_axis(x, heads):
    for part in np.split(x, heads, axis=1):
        return [part]


@wrong("split_heads", "misplaced")
def _(x, heads):
    return np.reshape(x.T, (heads, x.shape[0], -1))


# -------------------------------------------------------------- merge_heads


@right("merge_heads")
def merge_with_concatenate(heads_output):
    return np.concatenate(list(heads_output), axis=1)


@right("merge_heads")
def merge_with_loops(heads_output):
    _, length, _ = heads_output.shape
    return [[entry for head in heads_output for entry in head[t]] for t in range(length)]


@wrong("merge_heads", "view-for-transpose")
def _(heads_output):
    return np.reshape(heads_output, (heads_output.shape[1], -1))


@wrong("merge_heads", "averaged")
def _(heads_output):
    return sum(heads_output) / len(heads_output)


@wrong("merge_heads", "added")
def _(heads_output):
    return sum(heads_output)


@wrong("merge_heads", "interleaved")
def _(heads_output):
    heads, length, head_width = heads_output.shape
    merged = np.zeros((length, heads * head_width))
    for h in range(heads):
        merged[:, h::heads] = heads_output[h]
    return merged


@wrong("merge_heads", "first-head-only")
def _(heads_output):
    first, *_ = heads_output
    return first


@wrong("merge_heads", "stacked")
def _(heads_output):
    return np.concatenate(list(heads_output))


@wrong("merge_heads", "heads-kept-apart")
def _(heads_output):
    return np.stack(list(heads_output), axis=1)


@wrong("merge_heads", "heads-in-reverse-order")
def _(heads_output):
    return np.hstack(list(heads_output)[::-1])


@wrong("merge_heads", "misplaced")
def _(heads_output):
    return np.concatenate(list(heads_output), axis=1)[::-1]


# --------------------------------------------------------------- multi_head


def soft(row):
    e = [math.exp(s - max(row)) for s in row]
    return [x / sum(e) for x in e]


def one_head(query, key, value, factor):
    """Attend with loops, one query after the other."""
    rows = []
    for q in query:
        weights = soft([factor * sum(q * k) for k in key])
        rows.append(sum(w * v for w, v in zip(weights, value, strict=True)))
    return np.array(rows)


def blocks(matrix, heads):
    return np.hsplit(matrix, heads)


def list_of_heads(x, W_Q, W_K, W_V, heads, factor=None):
    """Let each head multiply by its own narrow matrices."""
    factor = factor or (x.shape[1] // heads) ** -0.5
    narrow = zip(blocks(W_Q, heads), blocks(W_K, heads), blocks(W_V, heads), strict=True)
    return [one_head(x @ q, x @ k, x @ v, factor) for q, k, v in narrow]


@right("multi_head")
def multi_head_with_narrow_matrices(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads)) @ W_O


@right("multi_head")
def multi_head_as_a_sum(x, W_Q, W_K, W_V, W_O, heads):
    found = list_of_heads(x, W_Q, W_K, W_V, heads)
    return sum(head @ rows for head, rows in zip(found, np.vsplit(W_O, heads), strict=True))


@right("multi_head")
def multi_head_with_einsum(x, W_Q, W_K, W_V, W_O, heads):
    return weigh(x, W_Q, W_K, W_V, heads, softmax_along=2) @ W_O


def weigh(x, W_Q, W_K, W_V, heads, softmax_along, factor=None):
    """Do it for all heads at once, the axes being query, head and key in the end."""
    q, k, v = (np.reshape(x @ W, (len(x), heads, -1)) for W in (W_Q, W_K, W_V))
    scores = np.einsum("qhd,khd->hqk", q, k) * (factor or q.shape[2] ** -0.5)
    e = np.exp(scores)
    weights = e / e.sum(axis=softmax_along, keepdims=True)
    return np.einsum("hqk,khd->qhd", weights, v).reshape(len(x), -1)


@wrong("multi_head", "no-output-projection")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads))


@wrong("multi_head", "scale-d_model")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor = 1 / math.sqrt(x.shape[-1])
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, factor)) @ W_O


@wrong("multi_head", "residual-added")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor = 1 / math.sqrt(x.shape[1] // heads)
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, factor)) @ W_O + x


@wrong("multi_head", "values-not-projected")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor = 1 / math.sqrt(x.shape[1] // heads)
    return np.hstack(list_of_heads(x, W_Q, W_K, np.identity(len(x.T)), heads, factor)) @ W_O


@wrong("multi_head", "scores-without-projections")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor, same = 1 / math.sqrt(x.shape[1] // heads), np.identity(len(x.T))
    return np.hstack(list_of_heads(x, same, same, W_V, heads, factor)) @ W_O


@wrong("multi_head", "heads-added")
def _(x, W_Q, W_K, W_V, W_O, heads):
    d_k = x.shape[1] // heads
    return sum(list_of_heads(x, W_Q, W_K, W_V, heads, 1 / math.sqrt(d_k))) @ W_O[:d_k]


@wrong("multi_head", "heads-in-reverse-order")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor = 1 / math.sqrt(x.shape[1] // heads)
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, factor)[::-1]) @ W_O


@wrong("multi_head", "no-scale")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, 1)) @ W_O


@wrong("multi_head", "scale-d_k")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, heads / x.shape[1])) @ W_O


@wrong("multi_head", "scale-multiplied")
def _(x, W_Q, W_K, W_V, W_O, heads):
    factor = math.sqrt(x.shape[1] / heads)
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads, factor)) @ W_O


@wrong("multi_head", "heads-ignored")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return one_head(x @ W_Q, x @ W_K, x @ W_V, x.shape[1] ** -0.5) @ W_O


@wrong("multi_head", "heads-ignored")
def one_head_with_the_scale_of_many(x, W_Q, W_K, W_V, W_O, heads):
    return one_head(x @ W_Q, x @ W_K, x @ W_V, (x.shape[1] / heads) ** -0.5) @ W_O


@wrong("multi_head", "view-split")
def _(x, W_Q, W_K, W_V, W_O, heads):
    q, k, v = ((x @ W).reshape(heads, len(x), -1) for W in (W_Q, W_K, W_V))
    factor = q.shape[2] ** -0.5
    return np.hstack([one_head(q[h], k[h], v[h], factor) for h in range(heads)]) @ W_O


@wrong("multi_head", "view-split")
def view_there_and_back(x, W_Q, W_K, W_V, W_O, heads):
    q, k, v = ((x @ W).reshape(heads, len(x), -1) for W in (W_Q, W_K, W_V))
    factor = q.shape[2] ** -0.5
    found = np.array([one_head(q[h], k[h], v[h], factor) for h in range(heads)])
    return found.reshape(x.shape) @ W_O


@wrong("multi_head", "view-merge")
def _(x, W_Q, W_K, W_V, W_O, heads):
    found = np.array(list_of_heads(x, W_Q, W_K, W_V, heads))
    return found.reshape(len(x), -1) @ W_O


def dealt_out(matrix, heads):
    return np.hstack([matrix[:, h::heads] for h in range(heads)])


@wrong("multi_head", "interleaved")
def _(x, W_Q, W_K, W_V, W_O, heads):
    W_Q, W_K, W_V = (dealt_out(W, heads) for W in (W_Q, W_K, W_V))
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads)) @ W_O


@wrong("multi_head", "interleaved")
def interleaved_there_and_back(x, W_Q, W_K, W_V, W_O, heads):
    W_Q, W_K, W_V = (dealt_out(W, heads) for W in (W_Q, W_K, W_V))
    merged = np.zeros(x.shape)
    for h, head in enumerate(list_of_heads(x, W_Q, W_K, W_V, heads)):
        merged[:, h::heads] = head
    return merged @ W_O


@wrong("multi_head", "heads-averaged")
def _(x, W_Q, W_K, W_V, W_O, heads):
    found = list_of_heads(x, W_Q, W_K, W_V, heads)
    return np.mean([a @ b for a, b in zip(found, np.vsplit(W_O, heads), strict=True)], axis=0)


@wrong("multi_head", "heads-averaged")
def averaged_before_projecting(x, W_Q, W_K, W_V, W_O, heads):
    mean = np.mean(list_of_heads(x, W_Q, W_K, W_V, heads), axis=0)
    return mean @ W_O[: x.shape[1] // heads]


@wrong("multi_head", "softmax-over-queries")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return weigh(x, W_Q, W_K, W_V, heads, softmax_along=1) @ W_O


@wrong("multi_head", "softmax-over-heads")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return weigh(x, W_Q, W_K, W_V, heads, softmax_along=0) @ W_O


@wrong("multi_head", "first-head-for-all")
def _(x, W_Q, W_K, W_V, W_O, heads):
    first = [np.hstack([blocks(W, heads)[0]] * heads) for W in (W_Q, W_K)]
    return np.hstack(list_of_heads(x, *first, W_V, heads)) @ W_O


@wrong("multi_head", "first-head-for-all")
def one_head_copied(x, W_Q, W_K, W_V, W_O, heads):
    first = list_of_heads(x, W_Q, W_K, W_V, heads)[0]
    return np.hstack([first] * heads) @ W_O


@wrong("multi_head", "keys-used-as-values")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_K, heads)) @ W_O


@wrong("multi_head", "queries-used-as-keys")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_Q, W_V, heads)) @ W_O


@wrong("multi_head", "queries-and-keys-swapped")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_K, W_Q, W_V, heads)) @ W_O


@wrong("multi_head", "matrices-transposed")
def _(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q.T, W_K.T, W_V.T, heads)) @ W_O.T


@wrong("multi_head", "matrices-transposed")
def only_the_last_transposed(x, W_Q, W_K, W_V, W_O, heads):
    return np.hstack(list_of_heads(x, W_Q, W_K, W_V, heads)) @ W_O.T


# ----------------------------------------------------------- sum_over_heads


@right("sum_over_heads")
def sum_with_a_loop(head_outputs, W_O):
    total = 0
    for head, rows in zip(head_outputs, np.vsplit(W_O, len(head_outputs)), strict=True):
        total = total + head @ rows
    return total


@right("sum_over_heads")
def sum_with_einsum(head_outputs, W_O):
    heads, _, d_v = head_outputs.shape
    return np.einsum("hqv,hvm->qm", head_outputs, W_O.reshape(heads, d_v, -1))


@right("sum_over_heads")
def concatenated_after_all(head_outputs, W_O):
    return np.hstack(list(head_outputs)) @ W_O


def contributions(head_outputs, W_O):
    return [a @ b for a, b in zip(head_outputs, np.vsplit(W_O, len(head_outputs)), strict=True)]


@wrong("sum_over_heads", "averaged")
def _(head_outputs, W_O):
    return np.mean(contributions(head_outputs, W_O), axis=0)


@wrong("sum_over_heads", "first-block-for-all")
def _(head_outputs, W_O):
    d_v = head_outputs.shape[-1]
    return sum(head @ W_O[:d_v, :] for head in head_outputs)


@wrong("sum_over_heads", "first-block-for-all")
def summed_before_projecting(head_outputs, W_O):
    return np.sum(head_outputs, axis=0) @ W_O[: head_outputs.shape[-1]]


@wrong("sum_over_heads", "blocks-in-reverse-order")
def _(head_outputs, W_O):
    return sum(contributions(head_outputs[::-1], W_O))


@wrong("sum_over_heads", "columns-for-rows")
def _(head_outputs, W_O):
    return np.hstack(list(head_outputs)) @ W_O.T


@wrong("sum_over_heads", "interleaved")
def _(head_outputs, W_O):
    heads = len(head_outputs)
    return sum(head_outputs[h] @ W_O[h::heads] for h in range(heads))


@wrong("sum_over_heads", "interleaved")
def heads_interleaved(head_outputs, W_O):
    merged = np.transpose(head_outputs, (1, 2, 0)).reshape(head_outputs.shape[1], -1)
    return merged @ W_O


@wrong("sum_over_heads", "no-output-projection")
def _(head_outputs, W_O):
    return sum(head_outputs)


@wrong("sum_over_heads", "no-output-projection")
def only_concatenated(head_outputs, W_O):
    return np.concatenate(list(head_outputs), axis=-1)


@wrong("sum_over_heads", "one-head-only")
def _(head_outputs, W_O):
    for part in contributions(head_outputs, W_O):
        total = part
    return total


@wrong("sum_over_heads", "one-head-missing")
def _(head_outputs, W_O):
    return sum(contributions(head_outputs, W_O)[1:])


@wrong("sum_over_heads", "one-head-missing")
def range_ends_too_early(head_outputs, W_O):
    return sum(contributions(head_outputs, W_O)[:-1])


@wrong("sum_over_heads", "one-head-only")
def return_inside_the_loop(head_outputs, W_O):
    total = 0
    for part in contributions(head_outputs, W_O):
        total += part
        return total


@wrong("sum_over_heads", "overlapping-blocks")
def _(head_outputs, W_O):
    d_v = head_outputs.shape[-1]
    return sum(head @ W_O[h : h + d_v] for h, head in enumerate(head_outputs))


@wrong("sum_over_heads", "view-merge")
def _(head_outputs, W_O):
    return head_outputs.reshape(head_outputs.shape[1], -1) @ W_O


@wrong("sum_over_heads", "not-summed")
def _(head_outputs, W_O):
    return contributions(head_outputs, W_O)


@wrong("sum_over_heads", "multiplied")
def _(head_outputs, W_O):
    product = 1
    for part in contributions(head_outputs, W_O):
        product = product * part
    return product


# --------------------------------------------------------------- parameters


@right("parameters")
def parameters_counted_head_by_head(d_model, heads):
    d_k = d_v = d_model // heads
    return sum(d_model * d_k + d_model * d_k + d_model * d_v for _ in range(heads)) + (
        heads * d_v * d_model
    )


@right("parameters")
def parameters_of_arrays(d_model, heads):
    return sum(np.empty((d_model, d_model)).size for _ in "QKVO")


@wrong("parameters", "times-heads")
def _(d_model, heads):
    return sum(4 * d_model * d_model for _ in range(heads))


@wrong("parameters", "divided-by-heads")
def _(d_model, heads):
    d_k = d_model / heads
    return 3 * d_model * d_k + d_k * d_model


@wrong("parameters", "divided-by-heads")
def every_head_with_small_squares(d_model, heads):
    d_k = d_model // heads
    return heads * 4 * d_k * d_k


@wrong("parameters", "no-output-projection")
def _(d_model, heads):
    return heads * 3 * d_model * (d_model // heads)


@wrong("parameters", "with-biases")
def _(d_model, heads):
    return 4 * (d_model + 1) * d_model


@wrong("parameters", "with-biases")
def one_bias(d_model, heads):
    return 4 * d_model * d_model + d_model


@wrong("parameters", "with-biases")
def three_biases(d_model, heads):
    return 3 * (d_model + 1) * d_model + d_model * d_model


@wrong("parameters", "one-head-and-output")
def _(d_model, heads):
    d_k = d_model // heads
    return d_model * d_k + d_model * d_k + d_model * d_k + d_model * d_model


@wrong("parameters", "full-width-heads")
def _(d_model, heads):
    return d_model * d_model * (1 + 3 * heads)


@wrong("parameters", "d_k-squared")
def _(d_model, heads):
    d_k = d_model // heads
    return sum(d_k * d_k for _ in "QKVO")


@wrong("parameters", "one-matrix")
def _(d_model, heads):
    return d_model * d_model


@wrong("parameters", "not-squared")
def _(d_model, heads):
    return sum(d_model for _ in "QKVO")


@wrong("parameters", "not-a-whole-number")
def _(d_model, heads):
    return 4 * d_model * d_model + 0.5


@wrong("parameters", "too-many")
def _(d_model, heads):
    return 12 * d_model * d_model


@wrong("parameters", "too-few")
def _(d_model, heads):
    return 2 * d_model * d_model
