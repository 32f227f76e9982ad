"""Answers to the exercises of the chapter `masking`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# -------------------------------------------------------------- causal_mask


def table(length, rule):
    return [[rule(i, j) for j in range(length)] for i in range(length)]


@right("causal_mask")
def causal_with_loops(length):
    return table(length, lambda i, j: j <= i)


@right("causal_mask")
def causal_with_tril(length):
    return np.tril(np.ones((length, length))).astype(bool)


@right("causal_mask")
def causal_from_its_opposite(length):
    future = np.triu(np.ones((length, length), dtype=bool), k=1)
    return ~future


@wrong("causal_mask", "transposed")
def _(length):
    return np.triu(np.ones((length, length))) == 1


@wrong("causal_mask", "inverted")
def _(length):
    return np.triu(np.ones((length, length)), k=1).astype(bool)


@wrong("causal_mask", "excludes-itself")
def _(length):
    return table(length, lambda i, j: j < i)


@wrong("causal_mask", "one-step-into-the-future")
def _(length):
    return np.tril(np.ones((length, length), dtype=bool), k=1)


@wrong("causal_mask", "everything-allowed")
def _(length):
    return np.ones((length, length), dtype=bool)


@wrong("causal_mask", "nothing-allowed")
def _(length):
    return np.zeros((length, length), dtype=bool)


@wrong("causal_mask", "only-itself")
def _(length):
    return np.eye(length, dtype=bool)


@wrong("causal_mask", "only-the-previous")
def _(length):
    return np.eye(length, k=-1) > 0


@wrong("causal_mask", "itself-and-the-previous")
def _(length):
    return table(length, lambda i, j: i - j in (0, 1))


@wrong("causal_mask", "mirrored")
def _(length):
    return table(length, lambda i, j: i + j < length)


@wrong("causal_mask", "mirrored")
def mirrored_left_right(length):
    return [row[::-1] for row in causal_with_loops(length)]


@wrong("causal_mask", "first-column-only")
def _(length):
    mask = np.zeros((length, length), dtype=bool)
    mask[:, 0] = True
    return mask


@wrong("causal_mask", "additive-mask")
def _(length):
    return np.triu(np.full((length, length), -np.inf), k=1)


@wrong("causal_mask", "additive-mask")
def additive_with_a_large_number(length):
    return [[0.0 if seen else -1e9 for seen in row] for row in causal_with_loops(length)]


@wrong("causal_mask", "additive-mask")
def additive_by_multiplying(length):
    return np.triu(np.ones((length, length)), k=1) * -np.inf  # 0 * inf is NaN


@wrong("causal_mask", "numbers-for-booleans")
def _(length):
    return np.tri(length)


@wrong("causal_mask", "numbers-for-booleans")
def zeros_and_ones_of_type_integer(length):
    return np.tri(length, dtype=int)


@wrong("causal_mask", "numbers-for-booleans")
def zeros_and_ones_upside_down(length):
    return np.triu(np.ones((length, length)))


@wrong("causal_mask", "sees-the-future")
def _(length):
    return table(length, lambda i, j: j <= i + 2)


@wrong("causal_mask", "hides-the-past")
def _(length):
    return table(length, lambda i, j: j in (0, i) and j <= i)


# ------------------------------------------------------------ combined_mask


def masks(lengths, length, rule):
    return [table(length, lambda i, j, n=n: rule(i, j, n)) for n in lengths.tolist()]


@right("combined_mask")
def combined_with_loops(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i and j < n)


@right("combined_mask")
def combined_by_clearing_columns(lengths, length):
    mask = np.stack([np.tri(length, dtype=bool)] * len(lengths))
    for b, n in enumerate(lengths):
        mask[b, :, n:] = False
    return mask


@right("combined_mask")
def combined_by_multiplying(lengths, length):
    real = (np.arange(length)[None] < lengths[:, None]).astype(int)
    return np.einsum("qk,bk->bqk", np.tri(length, dtype=int), real).astype(bool)


@wrong("combined_mask", "or")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i or j < n)


@wrong("combined_mask", "padding-on-the-query-side")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i and i < n)


@wrong("combined_mask", "padding-on-the-query-side")
def padding_on_both_sides(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i and i < n and j < n)


@wrong("combined_mask", "padding-on-the-query-side")
def padding_on_the_query_side_alone(lengths, length):
    return masks(lengths, length, lambda i, j, n: i < n)


@wrong("combined_mask", "only-causal")
def _(lengths, length):
    return np.stack([np.tri(length, dtype=bool) for _ in lengths])


@wrong("combined_mask", "only-padding")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j < n)


@wrong("combined_mask", "inverted")
def _(lengths, length):
    return ~combined_by_clearing_columns(lengths, length)


@wrong("combined_mask", "causal-inverted")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j > i and j < n)


@wrong("combined_mask", "causal-inverted")
def causal_part_transposed(lengths, length):
    return masks(lengths, length, lambda i, j, n: i <= j < n)


@wrong("combined_mask", "padding-inverted")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: n <= j <= i)


@wrong("combined_mask", "padding-at-the-left")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: length - n <= j <= i)


@wrong("combined_mask", "one-padded-key-let-in")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= min(i, n))


@wrong("combined_mask", "last-token-hidden")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i and j + 1 < n)


@wrong("combined_mask", "excludes-itself")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j < i and j < n)


@wrong("combined_mask", "one-length-for-all")
def _(lengths, length):
    return masks(np.full_like(lengths, max(lengths)), length, lambda i, j, n: j <= i and j < n)


@wrong("combined_mask", "one-length-for-all")
def shortest_for_all(lengths, length):
    return masks(np.full_like(lengths, min(lengths)), length, lambda i, j, n: j <= i and j < n)


@wrong("combined_mask", "batch-axis-missing")
def _(lengths, length):
    return table(length, lambda i, j: j <= i and j < max(lengths))


@wrong("combined_mask", "batch-axis-missing")
def batch_axis_lost_by_all(lengths, length):
    return np.all(combined_with_loops(lengths, length), axis=0)


@wrong("combined_mask", "axis-for-the-heads")
def _(lengths, length):
    return np.expand_dims(combined_with_loops(lengths, length), 1)


@wrong("combined_mask", "full-sequence-emptied")
def _(lengths, length):
    mask = np.stack([np.tri(length, dtype=bool)] * len(lengths))
    for b, n in enumerate(lengths):
        padding = length - n
        mask[b, :, -padding:] = False
    return mask


@wrong("combined_mask", "additive-mask")
def _(lengths, length):
    return np.where(combined_with_loops(lengths, length), 0.0, -np.inf)


@wrong("combined_mask", "numbers-for-booleans")
def _(lengths, length):
    return np.array(combined_with_loops(lengths, length)).astype(int)


@wrong("combined_mask", "numbers-for-booleans")
def masks_added_up(lengths, length):
    padding = (np.arange(length) < lengths[:, None])[:, None]
    return np.tri(length) + padding


@wrong("combined_mask", "sees-the-future")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: j <= i + 1 and j < n)


@wrong("combined_mask", "looks-at-padding")
def _(lengths, length):
    # A padded query is left to look at itself.
    return masks(lengths, length, lambda i, j, n: (j <= i and j < n) or i == j)


@wrong("combined_mask", "hides-real-keys")
def _(lengths, length):
    return masks(lengths, length, lambda i, j, n: i == j and j < n)


# ----------------------------------------------------------- masked_softmax


def row_softmax(row):
    e = [math.exp(s - max(row)) for s in row]
    return [x / sum(e) for x in e]


def each_row(scores, mask, function):
    return [function(list(s), list(m)) for s, m in zip(scores, mask, strict=True)]


@right("masked_softmax")
def masked_softmax_with_loops(scores, mask):
    result = []
    for row, seen in zip(scores, mask, strict=True):
        kept = [s for s, m in zip(row, seen, strict=True) if m]
        weights = iter(row_softmax(kept)) if kept else iter(())
        result.append([next(weights) if m else 0.0 for m in seen])
    return result


@right("masked_softmax")
def masked_softmax_with_finite_numbers(scores, mask):
    low = np.where(mask, scores, np.finfo(scores.dtype).min)
    e = np.exp(low - low.max(axis=1, keepdims=True)) * mask
    total = e.sum(axis=1, keepdims=True)
    return np.divide(e, total, out=np.zeros_like(e), where=total > 0)


@right("masked_softmax")
def masked_softmax_with_nan_to_num(scores, mask):
    masked = np.where(mask, scores, -np.inf)
    e = np.exp(masked - np.max(masked, axis=1, keepdims=True))
    return np.nan_to_num(e / e.sum(axis=1, keepdims=True))


def soft(scores, axis=1):
    e = np.exp(scores - np.max(scores, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


@wrong("masked_softmax", "zero-in-scores")
def _(scores, mask):
    scores = scores.copy()
    scores[~mask] = 0
    return soft(scores)


@wrong("masked_softmax", "zero-in-scores")
def scores_multiplied_by_the_mask(scores, mask):
    return soft(np.multiply(scores, mask))


@wrong("masked_softmax", "mask-after-softmax")
def _(scores, mask):
    weights = soft(scores)
    weights[np.logical_not(mask)] = 0
    return weights


@wrong("masked_softmax", "mask-then-renormalise")
def _(scores, mask):
    weights = np.where(mask, soft(scores), 0)
    return weights / np.sum(weights, axis=1)[:, None]


@wrong("masked_softmax", "mask-then-renormalise")
def renormalised_with_a_small_number(scores, mask):
    weights = np.where(mask, soft(scores), 0)
    return weights / (np.sum(weights, axis=1)[:, None] + 1e-12)


@wrong("masked_softmax", "mask-then-renormalise")
def largest_of_all_scores_subtracted(scores, mask):
    e = np.exp(scores - scores.max(axis=1)[:, None])
    e[~mask] = 0
    return e / e.sum(axis=1)[:, None]


@wrong("masked_softmax", "fully-masked-not-zero")
def _(scores, mask):
    return [row_softmax(row) for row in np.where(mask, scores, -1e9)]


@wrong("masked_softmax", "fully-masked-not-zero")
def penalty_added(scores, mask):
    return soft(scores + (1 - mask) * -1e9)


@wrong("masked_softmax", "fully-masked-not-zero")
def smallest_float(scores, mask):
    return soft(np.where(mask, scores, np.finfo(np.float32).min))


@wrong("masked_softmax", "fully-masked-nan")
def _(scores, mask):
    masked = scores.copy()
    masked[~mask] = -np.inf
    return soft(masked)


@wrong("masked_softmax", "overflow")
def _(scores, mask):
    e = np.exp(scores)
    e[~mask] = 0
    return e / e.sum(axis=1, keepdims=True)


@wrong("masked_softmax", "overflow")
def overflow_with_empty_rows_in_mind(scores, mask):
    e = np.exp(np.where(mask, scores, -math.inf))
    total = e.sum(axis=1, keepdims=True)
    return e / np.where(total > 0, total, 1)


@wrong("masked_softmax", "small-penalty")
def _(scores, mask):
    return soft(scores - 10.0 * ~mask)


@wrong("masked_softmax", "small-penalty")
def minus_one_in_the_scores(scores, mask):
    return each_row(
        scores,
        mask,
        lambda row, seen: row_softmax([s if m else -1 for s, m in zip(row, seen, strict=True)]),
    )


@wrong("masked_softmax", "small-penalty")
def a_hundred_subtracted(scores, mask):
    return soft(scores - 100.0 * ~mask)


@wrong("masked_softmax", "mask-inverted")
def _(scores, mask):
    return masked_softmax_with_loops(scores, ~mask)


@wrong("masked_softmax", "mask-inverted")
def masked_fill_of_the_mask(scores, mask):
    scores = scores.copy()
    scores[mask] = -np.inf
    return soft(scores)


@wrong("masked_softmax", "mask-ignored")
def _(scores, mask):
    return [row_softmax(row) for row in scores]


@wrong("masked_softmax", "mask-added")
def _(scores, mask):
    return soft(scores + mask.astype(float))


@wrong("masked_softmax", "mask-transposed")
def _(scores, mask):
    return masked_softmax_with_finite_numbers(scores, mask.T)


@wrong("masked_softmax", "softmax-over-queries")
def _(scores, mask):
    return soft(np.where(mask, scores, -np.inf), axis=0)


@wrong("masked_softmax", "softmax-over-queries")
def softmax_over_queries_with_care(scores, mask):
    return np.transpose(masked_softmax_with_loops(scores.T, mask.T))


@wrong("masked_softmax", "scores-returned")
def _(scores, mask):
    return np.where(mask, scores, -np.inf)


@wrong("masked_softmax", "log-softmax")
def _(scores, mask):
    return np.log(soft(np.where(mask, scores, -np.inf)))


@wrong("masked_softmax", "not-finite")
def masked_weights_are_nan(scores, mask):
    return np.where(mask, soft(scores), np.nan)


@wrong("masked_softmax", "zero-times-infinity")
def zero_times_infinity(scores, mask):
    return soft(scores + (1 - mask) * -np.inf)


@wrong("masked_softmax", "masked-keys-have-weight")
def _(scores, mask):
    return np.full_like(scores, 1 / scores.shape[1])


@wrong("masked_softmax", "rows-do-not-sum-to-1")
def _(scores, mask):
    return np.exp(scores - scores.max()) * mask


@wrong("masked_softmax", "empty-row-not-zero")
def _(scores, mask):
    weights = np.array(masked_softmax_with_loops(scores, mask))
    weights[~mask.any(axis=1), 0] = 1
    return weights


# -------------------------------------------------------------- window_mask


@right("window_mask")
def window_with_loops(length, window):
    return table(length, lambda i, j: i - window < j <= i)


@right("window_mask")
def window_with_two_triangles(length, window):
    ones = np.ones((length, length), dtype=bool)
    return np.tril(ones) & np.triu(ones, k=1 - window)


@wrong("window_mask", "two-sided")
def _(length, window):
    return table(length, lambda i, j: -window < i - j < window)


@wrong("window_mask", "centred")
def _(length, window):
    return table(length, lambda i, j: i - window // 2 <= j <= i + window // 2)


@wrong("window_mask", "one-too-many")
def _(length, window):
    ones = np.ones((length, length), dtype=bool)
    return np.tril(ones) & np.triu(ones, k=-window)


@wrong("window_mask", "one-too-few")
def _(length, window):
    return table(length, lambda i, j: j <= i and j > i - window + 1)


@wrong("window_mask", "future-not-hidden")
def _(length, window):
    return np.triu(np.ones((length, length), dtype=bool), k=1 - window)


@wrong("window_mask", "transposed")
def _(length, window):
    return np.transpose(window_with_loops(length, window))


@wrong("window_mask", "excludes-itself")
def _(length, window):
    return table(length, lambda i, j: i - window <= j < i)


@wrong("window_mask", "excludes-itself")
def excludes_itself_and_is_narrower(length, window):
    return table(length, lambda i, j: i - window < j < i)


@wrong("window_mask", "blocks")
def _(length, window):
    mask = np.zeros((length, length), dtype=bool)
    for start in range(0, length, window):
        mask[start : start + window, start : start + window] = True
    return mask


@wrong("window_mask", "blocks")
def causal_blocks(length, window):
    return table(length, lambda i, j: i - i % window <= j <= i)


@wrong("window_mask", "inverted")
def _(length, window):
    return np.logical_not(window_with_loops(length, window))


@wrong("window_mask", "outside-the-window")
def _(length, window):
    return np.tri(length, k=-window, dtype=bool)


@wrong("window_mask", "window-ignored")
def _(length, window):
    return np.tri(length, dtype=bool)


@wrong("window_mask", "wraps-around")
def _(length, window):
    mask = np.zeros((length, length), dtype=bool)
    for i in range(length):
        for back in range(window):
            mask[i, (i - back) % length] = True
    return mask


@wrong("window_mask", "first-positions-only")
def _(length, window):
    mask = np.zeros((length, length), dtype=bool)
    mask[:, :window] = True
    return mask


@wrong("window_mask", "first-positions-only")
def first_positions_of_the_past(length, window):
    return table(length, lambda i, j: j <= i and j < window)


@wrong("window_mask", "additive-mask")
def _(length, window):
    return np.where(window_with_loops(length, window), 0, -np.inf)


@wrong("window_mask", "numbers-for-booleans")
def _(length, window):
    return np.tri(length) - np.tri(length, k=-window)


@wrong("window_mask", "sees-the-future")
def _(length, window):
    return table(length, lambda i, j: i - window < j <= i + 1)


@wrong("window_mask", "reaches-too-far-back")
def _(length, window):
    # Everyone may also look at the first position.
    return table(length, lambda i, j: i - window < j <= i or j == 0)


@wrong("window_mask", "hides-the-window")
def _(length, window):
    # Only the two ends of the window.
    return table(length, lambda i, j: j <= i and i - j in (0, window - 1) and i > 0)


# ------------------------------------------------------------ shift_targets


@right("shift_targets")
def shifted_with_loops(tokens):
    pairs = [(tokens[t], tokens[t + 1]) for t in range(len(tokens) - 1)]
    return [a for a, _ in pairs], [b for _, b in pairs]


@right("shift_targets")
def shifted_by_rolling(tokens):
    return tokens[:-1].copy(), np.roll(tokens, -1)[:-1]


@right("shift_targets")
def both_in_one_list(tokens):
    return [list(tokens[:-1]), list(tokens[1:])]


@right("shift_targets")
def both_in_one_array(tokens):
    return np.stack([tokens[:-1], tokens[1:]])


@wrong("shift_targets", "not-shifted")
def _(tokens):
    return tokens[:-1], tokens[:-1].copy()


@wrong("shift_targets", "not-shifted")
def both_without_the_first(tokens):
    return list(tokens[1:]), list(tokens[1:])


@wrong("shift_targets", "not-shifted")
def both_in_full(tokens):
    return tokens, tokens


@wrong("shift_targets", "shifted-by-two")
def _(tokens):
    inputs, targets = tokens[:-1], tokens[1:]
    return inputs[:-1], targets[1:]


@wrong("shift_targets", "shifted-by-two")
def shifted_by_two_and_rolled(tokens):
    return tokens[:-1], np.roll(tokens, -2)[:-1]


@wrong("shift_targets", "shifted-by-two")
def shifted_by_two_and_padded(tokens):
    return tokens[:-1], [*tokens[2:], 0]


@wrong("shift_targets", "wraps-around")
def _(tokens):
    return tokens, [tokens[(t + 1) % len(tokens)] for t in range(len(tokens))]


@wrong("shift_targets", "padded")
def _(tokens):
    return tokens, [*tokens[1:], 0]


@wrong("shift_targets", "padded")
def padded_with_the_number_that_losses_ignore(tokens):
    targets = np.full_like(tokens, -100)
    targets[:-1] = tokens[1:]
    return tokens, targets


@wrong("shift_targets", "padded")
def padded_with_the_last_token(tokens):
    return tokens, tokens[np.minimum(np.arange(len(tokens)) + 1, len(tokens) - 1)]


@wrong("shift_targets", "swapped")
def _(tokens):
    inputs, targets = shifted_with_loops(tokens)
    return targets, inputs


@wrong("shift_targets", "shifted-the-wrong-way")
def _(tokens):
    return tokens, np.roll(tokens, 1)


@wrong("shift_targets", "shifted-the-wrong-way")
def a_zero_in_front(tokens):
    return tokens[:-1], [0, *tokens[:-2]]


@wrong("shift_targets", "reversed")
def _(tokens):
    backwards = tokens[::-1]
    return backwards[:-1], backwards[1:]


@wrong("shift_targets", "reversed")
def pairs_in_reverse_order(tokens):
    inputs, targets = shifted_with_loops(tokens)
    return inputs[::-1], targets[::-1]


@wrong("shift_targets", "dropped-at-the-wrong-end")
def _(tokens):
    targets = np.roll(tokens, -1)
    return tokens[1:], targets[1:]


@wrong("shift_targets", "dropped-at-the-wrong-end")
def padded_and_dropped_at_the_wrong_end(tokens):
    targets = [*tokens[1:], 0]
    return tokens[1:], targets[1:]


@wrong("shift_targets", "inputs-too-long")
def _(tokens):
    return tokens, tokens[1:]


@wrong("shift_targets", "targets-too-long")
def _(tokens):
    return tokens[:-1], tokens


@wrong("shift_targets", "inputs-wrong")
def _(tokens):
    return tokens[:-1] + 1, tokens[1:]


@wrong("shift_targets", "targets-wrong")
def _(tokens):
    return tokens[:-1], tokens[1:] - tokens[:-1]
