"""Answers to the exercises of the chapter `transformer`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# --------------------------------------------------------------- layer_norm


def mean_of(numbers):
    return sum(numbers) / len(numbers)


def deviations(row):
    return [number - mean_of(row) for number in row]


def variance_of(row):
    return mean_of([d * d for d in deviations(row)])


def finish(rows, gain, bias):
    return [[a * g + b for a, g, b in zip(row, gain, bias, strict=True)] for row in rows]


def divided(row, divisor):
    return [number / divisor for number in row]


@right("layer_norm")
def layer_norm_with_loops(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in x]
    return finish(rows, gain, bias)


@right("layer_norm")
def layer_norm_with_mean_of_squares(x, gain, bias, eps):
    mu = np.mean(x, axis=1)[:, None]
    sigma_squared = np.mean((x - mu) ** 2, axis=1)[:, None]
    return (x - mu) * (sigma_squared + eps) ** -0.5 * gain + bias


@right("layer_norm")
def layer_norm_transposed(x, gain, bias, eps=1e-5):
    columns = (x.T - x.mean(1)) / np.sqrt(np.var(x, 1) + eps)
    return columns.T * gain[None] + bias[None]


@wrong("layer_norm", "unbiased-variance")
def _(x, gain, bias, eps):
    rows = []
    for row in x:
        total = sum(d * d for d in deviations(row))
        rows.append(divided(deviations(row), math.sqrt(total / (len(row) - 1) + eps)))
    return finish(rows, gain, bias)


@wrong("layer_norm", "over-positions")
def _(x, gain, bias, eps):
    columns = [divided(deviations(c), math.sqrt(variance_of(c) + eps)) for c in x.T]
    return np.array(columns).T * gain + bias


@wrong("layer_norm", "over-everything")
def _(x, gain, bias, eps):
    return (x - np.mean(x)) / (np.var(x) + eps) ** 0.5 * gain + bias


@wrong("layer_norm", "keepdims-forgotten")
def _(x, gain, bias, eps):
    return (x - x.mean(1)) / np.sqrt(np.mean((x.T - x.mean(1)) ** 2, 0) + eps) * gain + bias


@wrong("layer_norm", "keepdims-forgotten")
def only_the_mean_kept_its_axis(x, gain, bias, eps):
    mu = np.mean(x, axis=1, keepdims=True)
    return (x - mu) / np.sqrt(np.mean((x - mu) ** 2, axis=1) + eps) * gain + bias


@wrong("layer_norm", "keepdims-forgotten")
def only_the_variance_kept_its_axis(x, gain, bias, eps):
    return (x - np.mean(x, axis=1)) * (np.var(x, 1)[:, None] + eps) ** -0.5 * gain + bias


@wrong("layer_norm", "not-centred")
def _(x, gain, bias, eps):
    return finish([divided(row, math.sqrt(variance_of(row) + eps)) for row in x], gain, bias)


@wrong("layer_norm", "rms-norm")
def _(x, gain, bias, eps):
    rows = [divided(row, math.sqrt(mean_of(row * row) + eps)) for row in x]
    return finish(rows, gain, bias)


@wrong("layer_norm", "not-divided")
def _(x, gain, bias, eps):
    return finish([deviations(row) for row in x], gain, bias)


@wrong("layer_norm", "divided-by-variance")
def _(x, gain, bias, eps):
    return finish([divided(deviations(row), variance_of(row) + eps) for row in x], gain, bias)


@wrong("layer_norm", "gain-and-bias-swapped")
def _(x, gain, bias, eps):
    return layer_norm_with_loops(x, bias, gain, eps)


@wrong("layer_norm", "gain-forgotten")
def _(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in x]
    return np.add(rows, bias)


@wrong("layer_norm", "bias-forgotten")
def _(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in x]
    return np.multiply(rows, gain)


@wrong("layer_norm", "gain-and-bias-forgotten")
def _(x, gain, bias, eps):
    return [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in x]


@wrong("layer_norm", "bias-before-gain")
def _(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in x]
    return np.add(rows, bias) * gain


@wrong("layer_norm", "gain-before-normalising")
def _(x, gain, bias, eps):
    rows = finish(x, gain, bias)
    return [divided(deviations(row), math.sqrt(variance_of(row) + eps)) for row in rows]


@wrong("layer_norm", "eps-outside-the-root")
def _(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row)) + eps) for row in x]
    return finish(rows, gain, bias)


@wrong("layer_norm", "eps-missing")
def _(x, gain, bias, eps):
    return gain * (x - x.mean(1)[:, None]) / np.std(x, 1)[:, None] + bias


@wrong("layer_norm", "own-eps")
def _(x, gain, bias, eps):
    rows = [divided(deviations(row), math.sqrt(variance_of(row) + 1e-5)) for row in x]
    return finish(rows, gain, bias)


@wrong("layer_norm", "own-eps")
def an_eps_as_in_other_code(x, gain, bias, eps):
    return layer_norm_with_loops(x, gain, bias, 1e-6)


@wrong("layer_norm", "mean-not-zero")
def the_median_subtracted(x, gain, bias, eps):
    centred = x - np.median(x, axis=1)[:, None] - 1
    return gain * centred / np.sqrt(x.var(1)[:, None] + eps) + bias


@wrong("layer_norm", "variance-not-one")
def divided_by_the_largest(x, gain, bias, eps):
    centred = x - x.mean(1)[:, None]
    return gain * centred / (abs(centred).max(1)[:, None] ** 3 + eps) + bias


# ----------------------------------------------------------------- residual


@right("residual")
def residual_with_an_if(x, sublayer, norm, pre):
    if pre:
        said = sublayer(norm(x))
        return x + said
    said = sublayer(x)
    return norm(x + said)


@right("residual")
def residual_in_the_order_of_the_package(x, sublayer, norm, pre):
    read = norm(x) if pre else x
    total = np.add(x, sublayer(read))
    return total if pre else norm(total)


@right("residual")
def residual_that_works_in_place_on_a_copy(x, sublayer, norm, pre):
    total = x.copy()
    total += sublayer(norm(x)) if pre else sublayer(x)
    return total if pre else norm(total)


@wrong("residual", "pre-and-post-swapped")
def _(x, sublayer, norm, pre):
    return residual_with_an_if(x, sublayer, norm, not pre)


@wrong("residual", "always-pre")
def _(x, sublayer, norm, pre):
    normalised = norm(x)
    return sublayer(normalised) + x


@wrong("residual", "always-post")
def _(x, sublayer, norm, pre):
    total = sublayer(x) + x
    return norm(total)


@wrong("residual", "no-residual")
def _(x, sublayer, norm, pre):
    read = norm(x) if pre else x
    said = sublayer(read)
    return said if pre else norm(said)


@wrong("residual", "no-residual")
def lost_in_pre_norm_alone(x, sublayer, norm, pre):
    return sublayer(norm(x)) if pre else norm(sublayer(x) + x)


@wrong("residual", "no-residual")
def lost_in_post_norm_alone(x, sublayer, norm, pre):
    return sublayer(norm(x)) + x if pre else norm(sublayer(x))


@wrong("residual", "normalised-stream-added")
def _(x, sublayer, norm, pre):
    if pre:
        x = norm(x)
        return x + sublayer(x)
    return norm(x + sublayer(x))


@wrong("residual", "normalised-stream-added")
def normalised_first_of_all(x, sublayer, norm, pre):
    y = norm(x)
    y = y + sublayer(y)
    return y if pre else norm(y)


@wrong("residual", "norm-of-the-output-alone")
def _(x, sublayer, norm, pre):
    said = norm(sublayer(x))
    return said + x


@wrong("residual", "norm-of-the-output-alone")
def normalised_output_in_pre_norm(x, sublayer, norm, pre):
    return x + norm(sublayer(x)) if pre else norm(sublayer(x) + x)


@wrong("residual", "norm-of-the-output-alone")
def normalised_output_in_post_norm(x, sublayer, norm, pre):
    return x + sublayer(norm(x)) if pre else norm(sublayer(x)) + x


@wrong("residual", "norm-twice")
def _(x, sublayer, norm, pre):
    said = sublayer(norm(x))
    return norm(said + x)


@wrong("residual", "norm-twice")
def norm_twice_in_pre_norm(x, sublayer, norm, pre):
    read = norm(x) if pre else x
    return norm(x + sublayer(read))


@wrong("residual", "norm-twice")
def norm_twice_in_post_norm(x, sublayer, norm, pre):
    total = x + sublayer(norm(x))
    return total if pre else norm(total)


@wrong("residual", "no-norm")
def _(x, sublayer, norm, pre):
    return sublayer(x) + x


@wrong("residual", "no-norm")
def pre_norm_without_its_norm(x, sublayer, norm, pre):
    total = sublayer(x) + x
    return total if pre else norm(total)


@wrong("residual", "no-norm")
def post_norm_without_its_norm(x, sublayer, norm, pre):
    return x + sublayer(norm(x) if pre else x)


@wrong("residual", "output-not-added")
def _(x, sublayer, norm, pre):
    sublayer(x)
    return norm(x)


@wrong("residual", "output-not-added")
def the_normalised_stream_added_instead(x, sublayer, norm, pre):
    return x + norm(x) if pre else norm(x)


@wrong("residual", "output-not-added")
def the_stream_as_it_was(x, sublayer, norm, pre):
    return x if pre else norm(x)


@wrong("residual", "sublayer-after-the-sum")
def _(x, sublayer, norm, pre):
    total = x + norm(x)
    return sublayer(total)


@wrong("residual", "sublayer-after-the-sum")
def after_the_sum_in_pre_norm(x, sublayer, norm, pre):
    return sublayer(norm(x) + x) if pre else norm(sublayer(x) + x)


@wrong("residual", "sublayer-after-the-sum")
def the_stream_added_to_itself(x, sublayer, norm, pre):
    return sublayer(norm(x) + x) if pre else norm(sublayer(2 * x))


# ------------------------------------------------------------- feed_forward


@right("feed_forward")
def feed_forward_with_where(x, W_1, b_1, W_2, b_2):
    hidden = x @ W_1 + b_1
    return np.where(hidden > 0, hidden, 0) @ W_2 + b_2


@right("feed_forward")
def feed_forward_position_by_position(x, W_1, b_1, W_2, b_2):
    rows = []
    for row in x:
        hidden = [max(0.0, float(row @ W_1[:, j] + b_1[j])) for j in range(len(b_1))]
        rows.append([float(np.dot(hidden, W_2[:, k]) + b_2[k]) for k in range(len(b_2))])
    return rows


@right("feed_forward")
def feed_forward_with_einsum(x, W_1, b_1, W_2, b_2):
    hidden = np.einsum("ld,df->lf", x, W_1) + b_1
    return np.einsum("lf,fd->ld", hidden * (hidden > 0), W_2) + b_2


def clipped(numbers):
    return np.array([[max(n, 0.0) for n in row] for row in numbers])


@wrong("feed_forward", "no-relu")
def _(x, W_1, b_1, W_2, b_2):
    return x @ (W_1 @ W_2) + b_1 @ W_2 + b_2


@wrong("feed_forward", "relu-at-the-end-too")
def _(x, W_1, b_1, W_2, b_2):
    return clipped(clipped(x @ W_1 + b_1) @ W_2 + b_2)


@wrong("feed_forward", "relu-at-the-end")
def _(x, W_1, b_1, W_2, b_2):
    return clipped(np.dot(np.dot(x, W_1) + b_1, W_2) + b_2)


@wrong("feed_forward", "relu-on-the-input")
def _(x, W_1, b_1, W_2, b_2):
    return np.dot(np.dot(clipped(x), W_1) + b_1, W_2) + b_2


@wrong("feed_forward", "relu-on-the-input")
def relu_before_each_matrix(x, W_1, b_1, W_2, b_2):
    for W, b in ((W_1, b_1), (W_2, b_2)):
        x = clipped(x) @ W + b
    return x


@wrong("feed_forward", "bias-after-relu")
def _(x, W_1, b_1, W_2, b_2):
    hidden = clipped(x @ W_1)
    hidden += b_1
    return hidden @ W_2 + b_2


@wrong("feed_forward", "first-bias-forgotten")
def _(x, W_1, b_1, W_2, b_2):
    return b_2 + clipped(x @ W_1) @ W_2


@wrong("feed_forward", "second-bias-forgotten")
def _(x, W_1, b_1, W_2, b_2):
    return clipped(b_1 + x @ W_1) @ W_2


@wrong("feed_forward", "biases-forgotten")
def _(x, W_1, b_1, W_2, b_2):
    return np.dot(clipped(np.dot(x, W_1)), W_2)


@wrong("feed_forward", "residual-added")
def _(x, W_1, b_1, W_2, b_2):
    said = clipped(x @ W_1 + b_1) @ W_2 + b_2
    return said + x


def with_bend(bend):
    """Apply a function of one number between the matrices."""

    def layer(x, W_1, b_1, W_2, b_2):
        hidden = [[bend(n) for n in row] for row in x @ W_1 + b_1]
        return np.array(hidden) @ W_2 + b_2

    return layer


wrong("feed_forward", "another-bend")(
    with_bend(lambda n: n * 0.5 * math.erfc(-n * math.sqrt(0.5)))  # GELU
)
wrong("feed_forward", "another-bend")(
    with_bend(
        lambda n: n * 0.5 * (1 + math.tanh(0.7978845608 * (n + 0.044715 * n**3)))  # GELU, about
    )
)
wrong("feed_forward", "another-bend")(with_bend(math.tanh))
wrong("feed_forward", "another-bend")(with_bend(lambda n: 0.5 + math.tanh(n / 2) / 2))
wrong("feed_forward", "another-bend")(with_bend(abs))
wrong("feed_forward", "positive-cut-off")(with_bend(lambda n: min(n, 0)))
wrong("feed_forward", "differs")(with_bend(lambda n: max(n, 0) + 1))


@wrong("feed_forward", "not-narrowed")
def _(x, W_1, b_1, W_2, b_2):
    return clipped(x @ W_1 + b_1)


@wrong("feed_forward", "not-narrowed")
def widened_alone(x, W_1, b_1, W_2, b_2):
    return np.array([row @ W_1 for row in x]) + b_1


# -------------------------------------------------------------------- embed


@right("embed")
def embed_with_a_loop(tokens, table, positions):
    d_model = len(table[0])
    return [
        math.sqrt(d_model) * table[token] + position
        for token, position in zip(tokens, positions, strict=True)
    ]


@right("embed")
def embed_with_one_hot_rows(tokens, table, positions):
    one_hot = np.eye(len(table))[tokens]
    return one_hot @ table * positions.shape[1] ** 0.5 + positions


@right("embed")
def embed_with_take(tokens, table, positions):
    x = np.take(table, tokens, axis=0)
    x *= np.sqrt(x.shape[-1])
    x += positions
    return x


def rows_of(tokens, table):
    return np.array([table[token] for token in tokens])


@wrong("embed", "no-factor")
def _(tokens, table, positions):
    return rows_of(tokens, table) + positions


@wrong("embed", "factor-on-the-sum")
def _(tokens, table, positions):
    x = rows_of(tokens, table) + positions
    return x * math.sqrt(x.shape[1])


@wrong("embed", "factor-on-the-positions")
def _(tokens, table, positions):
    return rows_of(tokens, table) + math.sqrt(table.shape[1]) * positions


@wrong("embed", "divided")
def _(tokens, table, positions):
    return rows_of(tokens, table) / math.sqrt(table.shape[1]) + positions


@wrong("embed", "factor-d_model")
def _(tokens, table, positions):
    return rows_of(tokens, table) * len(table[0]) + positions


@wrong("embed", "factor-of-another-size")
def _(tokens, table, positions):
    return rows_of(tokens, table) * math.sqrt(tokens.size) + positions


@wrong("embed", "factor-of-another-size")
def root_of_the_number_of_symbols(tokens, table, positions):
    return rows_of(tokens, table) * table.shape[0] ** 0.5 + positions


@wrong("embed", "positions-forgotten")
def _(tokens, table, positions):
    return rows_of(tokens, table) * math.sqrt(len(table[0]))


@wrong("embed", "positions-forgotten")
def rows_alone(tokens, table, positions):
    return rows_of(tokens, table)


@wrong("embed", "tokens-forgotten")
def _(tokens, table, positions):
    return positions


@wrong("embed", "tokens-forgotten")
def rows_in_the_order_of_the_table(tokens, table, positions):
    return [
        math.sqrt(len(row)) * row + position for row, position in zip(table, positions, strict=True)
    ]


@wrong("embed", "positions-by-token")
def _(tokens, table, positions):
    return [math.sqrt(len(table[0])) * table[token] + positions[token] for token in tokens]


@wrong("embed", "first-position-for-all")
def _(tokens, table, positions):
    first, *_ = positions
    return [math.sqrt(len(first)) * table[token] + first for token in tokens]


@wrong("embed", "multiplied")
def _(tokens, table, positions):
    return np.multiply(positions, rows_of(tokens, table)) * table.shape[1] ** 0.5


@wrong("embed", "multiplied")
def multiplied_without_a_factor(tokens, table, positions):
    return np.multiply(positions, rows_of(tokens, table))


@wrong("embed", "concatenated")
def _(tokens, table, positions):
    words = rows_of(tokens, table) * table.shape[1] ** 0.5
    return [[*word, *position] for word, position in zip(words, positions, strict=True)]


@wrong("embed", "concatenated")
def concatenated_without_a_factor(tokens, table, positions):
    return np.concatenate([rows_of(tokens, table), positions], axis=-1)


# ------------------------------------------------------------ decoder_layer


@right("decoder_layer")
def decoder_with_names_for_all(x, memory, self_attention, cross_attention, feed_forward):
    after_self = x + self_attention(x)
    after_cross = after_self + cross_attention(after_self, memory)
    return after_cross + feed_forward(after_cross)


@right("decoder_layer")
def decoder_with_a_list(x, memory, self_attention, cross_attention, feed_forward):
    def look_at_source(stream):
        return cross_attention(stream, memory)

    stream = np.array(x)
    for sublayer in (self_attention, look_at_source, feed_forward):
        stream += sublayer(stream)
    return stream


@wrong("decoder_layer", "cross-attention-first")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + cross_attention(x, memory)
    y = y + self_attention(y)
    return y + feed_forward(y)


@wrong("decoder_layer", "feed-forward-too-early")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + feed_forward(x)
    y = y + self_attention(y)
    return y + cross_attention(y, memory)


@wrong("decoder_layer", "feed-forward-too-early")
def feed_forward_second(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    y = y + feed_forward(y)
    return y + cross_attention(y, memory)


@wrong("decoder_layer", "feed-forward-too-early")
def in_reverse_order(x, memory, self_attention, cross_attention, feed_forward):
    y = x + feed_forward(x)
    y = y + cross_attention(y, memory)
    return y + self_attention(y)


@wrong("decoder_layer", "feed-forward-too-early")
def self_attention_last(x, memory, self_attention, cross_attention, feed_forward):
    y = x + cross_attention(x, memory)
    y = y + feed_forward(y)
    return y + self_attention(y)


@wrong("decoder_layer", "memory-as-queries")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    y = y + cross_attention(memory, y)
    return y + feed_forward(y)


@wrong("decoder_layer", "memory-ignored")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    y = y + cross_attention(y, y)
    return y + feed_forward(y)


@wrong("decoder_layer", "cross-attention-reads-the-old-x")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x) + cross_attention(x, memory)
    return y + feed_forward(y)


@wrong("decoder_layer", "feed-forward-reads-too-early")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    z = y + cross_attention(y, memory)
    return z + feed_forward(y)


@wrong("decoder_layer", "in-parallel")
def _(x, memory, self_attention, cross_attention, feed_forward):
    return sum([x, self_attention(x), cross_attention(x, memory), feed_forward(x)])


@wrong("decoder_layer", "added-to-the-first-x")
def _(x, memory, self_attention, cross_attention, feed_forward):
    said = self_attention(x)
    said = cross_attention(x + said, memory)
    said = feed_forward(x + said)
    return x + said


@wrong("decoder_layer", "no-residual-around-self-attention")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = self_attention(x)
    y = y + cross_attention(y, memory)
    return y + feed_forward(y)


@wrong("decoder_layer", "no-residual-around-cross-attention")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    y = cross_attention(y, memory)
    return y + feed_forward(y)


@wrong("decoder_layer", "no-residual-around-feed-forward")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    y = y + cross_attention(y, memory)
    return feed_forward(y)


@wrong("decoder_layer", "no-residual")
def _(x, memory, self_attention, cross_attention, feed_forward):
    return feed_forward(cross_attention(self_attention(x), memory))


@wrong("decoder_layer", "no-residual")
def one_residual_around_feed_forward(x, memory, self_attention, cross_attention, feed_forward):
    y = cross_attention(self_attention(x), memory)
    return y + feed_forward(y)


@wrong("decoder_layer", "no-residual")
def one_residual_around_self_attention(x, memory, self_attention, cross_attention, feed_forward):
    return feed_forward(cross_attention(x + self_attention(x), memory))


@wrong("decoder_layer", "no-residual")
def one_residual_around_cross_attention(x, memory, self_attention, cross_attention, feed_forward):
    y = self_attention(x)
    return feed_forward(y + cross_attention(y, memory))


@wrong("decoder_layer", "self-attention-forgotten")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + cross_attention(x, memory)
    return y + feed_forward(y)


@wrong("decoder_layer", "cross-attention-forgotten")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    return y + feed_forward(y)


@wrong("decoder_layer", "feed-forward-forgotten")
def _(x, memory, self_attention, cross_attention, feed_forward):
    y = x + self_attention(x)
    return y + cross_attention(y, memory)


@wrong("decoder_layer", "differs")
def everything_twice(x, memory, self_attention, cross_attention, feed_forward):
    for _ in range(2):
        x = decoder_with_names_for_all(x, memory, self_attention, cross_attention, feed_forward)
    return x


# --------------------------------------------------------- layer_parameters


@right("layer_parameters")
def parameters_counted_with_linear_maps(d_model, d_ff):
    def linear(rows, columns):
        return rows * columns + columns

    attention = sum(linear(d_model, d_model) for _ in ("Q", "K", "V", "O"))
    return attention + linear(d_model, d_ff) + linear(d_ff, d_model) + 2 * (d_model + d_model)


@right("layer_parameters")
def parameters_of_the_shapes(d_model, d_ff):
    shapes = [(d_model, d_model), (d_model,)] * 4
    shapes += [(d_model, d_ff), (d_ff,), (d_ff, d_model), (d_model,)]
    shapes += [(d_model,), (d_model,)] * 2
    return sum(math.prod(shape) for shape in shapes)


def count(d_model, *shapes):
    """Add up four projections with biases, two norms, and what else there is."""
    return 4 * (d_model + 1) * d_model + 4 * d_model + sum(math.prod(shape) for shape in shapes)


@wrong("layer_parameters", "biases-forgotten")
def _(d_model, d_ff):
    return 2 * d_model * (2 * d_model + d_ff + 2)


@wrong("layer_parameters", "norms-or-attention-biases-forgotten")
def no_norms(d_model, d_ff):
    return 4 * (d_model + 1) * d_model + (d_model + 1) * d_ff + (d_ff + 1) * d_model


@wrong("layer_parameters", "norms-or-attention-biases-forgotten")
def no_biases_in_attention(d_model, d_ff):
    return 4 * d_model**2 + (d_model + 1) * d_ff + (d_ff + 1) * d_model + 2 * 2 * d_model


@wrong("layer_parameters", "one-bias-in-attention")
def _(d_model, d_ff):
    return (4 * d_model + 1) * d_model + (d_model + 1) * d_ff + (d_ff + 1) * d_model + 4 * d_model


@wrong("layer_parameters", "one-bias-forgotten")
def _(d_model, d_ff):
    return count(d_model, (d_model + 1, d_ff), (d_ff, d_model))


@wrong("layer_parameters", "feed-forward-biases-forgotten")
def _(d_model, d_ff):
    return count(d_model, (d_model, d_ff), (d_ff, d_model))


@wrong("layer_parameters", "feed-forward-biases-forgotten")
def only_the_second_bias(d_model, d_ff):
    return count(d_model, (d_model, d_ff), (d_ff + 1, d_model))


@wrong("layer_parameters", "feed-forward-bias-sizes")
def _(d_model, d_ff):
    return count(d_model, (2, d_model, d_ff), (2, d_ff))


@wrong("layer_parameters", "feed-forward-bias-sizes")
def biases_of_d_model(d_model, d_ff):
    return count(d_model, (2, d_model, d_ff), (2, d_model))


@wrong("layer_parameters", "norms-half-counted")
def _(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) - d_model - d_model


@wrong("layer_parameters", "norms-with-two-numbers")
def _(d_model, d_ff):
    return no_norms(d_model, d_ff) + 2 + 2


@wrong("layer_parameters", "norms-with-two-numbers")
def one_norm_with_two_numbers(d_model, d_ff):
    return no_norms(d_model, d_ff) + 1 + 1


@wrong("layer_parameters", "matrices-only")
def _(d_model, d_ff):
    return sum(d_model**2 for _ in "QKVO") + d_model * d_ff + d_ff * d_model


@wrong("layer_parameters", "output-projection-forgotten")
def _(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) - (d_model + 1) * d_model


@wrong("layer_parameters", "output-projection-forgotten")
def the_output_bias_alone(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) - d_model**2


@wrong("layer_parameters", "feed-forward-counted-once")
def _(d_model, d_ff):
    return count(d_model, (d_model + 1, d_ff))


@wrong("layer_parameters", "feed-forward-counted-once")
def one_matrix_two_biases(d_model, d_ff):
    return count(d_model, (d_model + 1, d_ff), (d_model,))


@wrong("layer_parameters", "feed-forward-counted-once")
def the_second_matrix_alone(d_model, d_ff):
    return count(d_model, (d_ff + 1, d_model))


@wrong("layer_parameters", "four-matrices-per-head")
def eight_heads(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) + 7 * 4 * (d_model + 1) * d_model


@wrong("layer_parameters", "four-matrices-per-head")
def four_heads(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) + 3 * 4 * (d_model + 1) * d_model


@wrong("layer_parameters", "a-decoders-layer")
def _(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) + 4 * (d_model + 1) * d_model + 2 * d_model


@wrong("layer_parameters", "a-decoders-layer")
def attention_twice(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) + 4 * (d_model + 1) * d_model


@wrong("layer_parameters", "attention-forgotten")
def _(d_model, d_ff):
    return (d_model + 1) * d_ff + (d_ff + 1) * d_model + 4 * d_model


@wrong("layer_parameters", "feed-forward-forgotten")
def _(d_model, d_ff):
    return count(d_model)


@wrong("layer_parameters", "not-a-whole-number")
def _(d_model, d_ff):
    return parameters_of_the_shapes(d_model, d_ff) / 3 + 0.1


@wrong("layer_parameters", "too-many")
def _(d_model, d_ff):
    return 2 * parameters_of_the_shapes(d_model, d_ff)


@wrong("layer_parameters", "too-few")
def _(d_model, d_ff):
    return d_model * d_ff
