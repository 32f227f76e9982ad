"""Answers to the exercises of the chapter `cost`, right and wrong."""

import math

import numpy as np
from answers import right, wrong

# ----------------------------------------------------- length_of_equal_work


def work(n, d_model, d_ff):
    """Count the multiplications of a layer, matrix by matrix."""
    projections = sum(n * d_model * d_model for _ in "QKVO")
    feed_forward = n * d_model * d_ff + n * d_ff * d_model
    scores_and_averages = n * n * d_model + n * n * d_model
    return projections, feed_forward, scores_and_averages


@right("length_of_equal_work")
def length_from_the_counts_of_one_position(d_model, d_ff):
    projections, feed_forward, attention = work(1, d_model, d_ff)
    return (projections + feed_forward) / attention


@right("length_of_equal_work")
def length_by_search(d_model, d_ff):
    n = 1
    while True:
        projections, feed_forward, attention = work(n, d_model, d_ff)
        if attention >= projections + feed_forward:
            return n
        n += 1


@right("length_of_equal_work")
def length_with_the_root_of_a_quadratic(d_model, d_ff):
    _, positive = sorted(np.roots([2 * d_model, -4 * d_model**2 - 2 * d_model * d_ff, 0]))
    return positive


@wrong("length_of_equal_work", "no-output-projection")
def _(d_model, d_ff):
    return sum(n / 2 * d_model for n in (1, 1, 1)) + d_ff


@wrong("length_of_equal_work", "projections-missing")
def _(d_model, d_ff):
    return (d_model**2 + 2 * d_model * d_ff) / (2 * d_model)


@wrong("length_of_equal_work", "projections-missing")
def queries_and_keys_only(d_model, d_ff):
    return d_model + d_ff


@wrong("length_of_equal_work", "no-projections")
def _(d_model, d_ff):
    return d_ff


@wrong("length_of_equal_work", "no-feed-forward")
def _(d_model, d_ff):
    projections, _, attention = work(1, d_model, d_ff)
    return projections / attention


@wrong("length_of_equal_work", "feed-forward-counted-once")
def _(d_model, d_ff):
    projections, feed_forward, attention = work(1, d_model, d_ff)
    return (projections + feed_forward / 2) / attention


@wrong("length_of_equal_work", "scores-only")
def _(d_model, d_ff):
    projections, feed_forward, _ = work(1, d_model, d_ff)
    return (projections + feed_forward) / d_model


@wrong("length_of_equal_work", "not-together")
def _(d_model, d_ff):
    n = 1
    while work(n, d_model, d_ff)[2] < max(work(n, d_model, d_ff)):
        n += 1
    return n


@wrong("length_of_equal_work", "not-together")
def longer_than_the_smaller(d_model, d_ff):
    projections, feed_forward, attention = work(1, d_model, d_ff)
    return min(projections, feed_forward) / attention


@wrong("length_of_equal_work", "d_ff-ignored")
def _(d_model, d_ff):
    projections, feed_forward, attention = work(1, d_model, 4 * d_model)
    return (projections + feed_forward) / attention


@wrong("length_of_equal_work", "width-not-cancelled")
def _(d_model, d_ff):
    projections, feed_forward, _ = work(1, d_model, d_ff)
    return projections + feed_forward


@wrong("length_of_equal_work", "width-not-cancelled")
def only_the_2_cancelled(d_model, d_ff):
    return 2 * d_model * d_model + d_model * d_ff


@wrong("length_of_equal_work", "width-not-cancelled")
def cancelled_on_one_side_only(d_model, d_ff):
    return d_model * d_model * 2 + d_ff


@wrong("length_of_equal_work", "root")
def _(d_model, d_ff):
    projections, feed_forward, attention = work(1, d_model, d_ff)
    return math.sqrt((projections + feed_forward) / attention)


@wrong("length_of_equal_work", "root")
def root_with_the_width_in_it(d_model, d_ff):
    projections, feed_forward, _ = work(1, d_model, d_ff)
    return math.sqrt((projections + feed_forward) / 2)


@wrong("length_of_equal_work", "too-long")
def _(d_model, d_ff):
    return 4 * d_model + d_ff


@wrong("length_of_equal_work", "too-short")
def _(d_model, d_ff):
    return (d_model + d_ff) / 2


# ----------------------------------------------------------------- read_key


def exponential(x):
    """Compute exp as NumPy does: infinite where math.exp would stop."""
    return math.inf if x > 709 else math.exp(x)


def sums(seen, keys, relative_to):
    """Add (score, value) pairs to the sums of what has been seen, all relative to one number.

    ``seen`` is (largest, total, weighted), whose factor is computed here.
    """
    largest, total, weighted = seen
    factor = exponential(largest - relative_to)
    total, weighted = total * factor, [w * factor for w in weighted]
    for score, value in keys:
        e = exponential(score - relative_to)
        total += e
        weighted = [w + e * v for w, v in zip(weighted, value, strict=True)]
    return total, weighted


@right("read_key")
def read_key_with_lists(largest, total, weighted, score, value):
    if score == -math.inf:
        return largest, total, weighted
    new = max(largest, score)
    return new, *sums((largest, total, weighted), [(score, value)], new)


@right("read_key")
def read_key_in_two_cases(largest, total, weighted, score, value):
    if score > largest:
        rescale = np.exp(largest - score)
        return score, 1 + total * rescale, value + weighted * rescale
    if np.isneginf(score):
        return largest, total, weighted
    e = np.exp(score - largest)
    return largest, total + e, weighted + e * value


@right("read_key")
def read_key_with_a_finite_largest(largest, total, weighted, score, value):
    new = max(largest, score)
    finite = new if np.isfinite(new) else 0.0
    old, e = np.exp(np.array([largest, score]) - finite)
    return new, old * total + e, old * weighted + e * value


@right("read_key")
def read_key_with_logaddexp(largest, total, weighted, score, value):
    if total == 0 and score == -math.inf:
        return largest, total, np.zeros_like(weighted)
    seen = largest + math.log(total) if total else -math.inf
    log_total, new = np.logaddexp(seen, score), np.fmax(largest, score)
    total = np.exp(log_total - new)
    return new, total, weighted * np.exp(largest - new) + np.exp(score - new) * value


@wrong("read_key", "not-rescaled")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    e = exponential(score - new)
    return new, total + e, weighted + e * value


@wrong("read_key", "total-not-rescaled")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    _, rescaled = sums((largest, total, weighted), [(score, value)], new)
    return new, total + exponential(score - new), rescaled


@wrong("read_key", "weighted-not-rescaled")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    rescaled, _ = sums((largest, total, weighted), [(score, value)], new)
    return new, rescaled, weighted + exponential(score - new) * value


@wrong("read_key", "rescaled-the-wrong-way")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    shrink, e = np.exp(largest - new), np.exp(score - new)
    return new, total / shrink + e, weighted / shrink + e * value


@wrong("read_key", "relative-to-the-old-largest")
def _(largest, total, weighted, score, value):
    e = np.exp(score - largest)
    return max(largest, score), total + e, weighted + e * value


@wrong("read_key", "relative-to-the-old-largest")
def old_sums_rescaled_all_the_same(largest, total, weighted, score, value):
    new, e = max(largest, score), np.exp(score - largest)
    shrink = np.exp(largest - new)
    return new, total * shrink + e, weighted * shrink + e * value


@wrong("read_key", "largest-stays")
def _(largest, total, weighted, score, value):
    return largest, *sums((largest, total, weighted), [(score, value)], largest)


@wrong("read_key", "last-score-for-largest")
def _(largest, total, weighted, score, value):
    return score, *sums((largest, total, weighted), [(score, value)], score)


@wrong("read_key", "smaller-for-largest")
def _(largest, total, weighted, score, value):
    low = sorted([score, largest])[0]
    return low, *sums((largest, total, weighted), [(score, value)], low)


@wrong("read_key", "new-key-not-weighted")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    shrink = math.exp(largest - new)
    return new, total * shrink + 1, [w * shrink + v for w, v in zip(weighted, value, strict=True)]


@wrong("read_key", "new-key-not-weighted")
def counted_as_one_in_the_total(largest, total, weighted, score, value):
    new = max(largest, score)
    shrink = math.exp(largest - new)
    return new, total * shrink + 1, weighted * shrink + math.exp(score - new) * value


@wrong("read_key", "new-key-not-weighted")
def value_added_as_it_is(largest, total, weighted, score, value):
    new = max(largest, score)
    shrink = math.exp(largest - new)
    return new, total * shrink + math.exp(score - new), weighted * shrink + value


@wrong("read_key", "smaller-scores-ignored")
def _(largest, total, weighted, score, value):
    if score <= largest:
        return largest, total, weighted
    return score, *sums((largest, total, weighted), [(score, value)], score)


@wrong("read_key", "plain-exponentials")
def _(largest, total, weighted, score, value):
    e = exponential(score)
    return max(largest, score), total + e, weighted + e * value


@wrong("read_key", "plain-exponentials")
def old_ones_relative_new_one_plain(largest, total, weighted, score, value):
    new, e = max(largest, score), exponential(score)
    shrink = exponential(largest - new)
    return new, shrink * total + e, shrink * weighted + e * value


@wrong("read_key", "divided-at-each-step")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    total, weighted = sums((largest, total, weighted), [(score, value)], new)
    return new, total, [w / total for w in weighted]


@wrong("read_key", "divided-at-each-step")
def running_average(largest, total, weighted, score, value):
    new = max(largest, score)
    kept, e = total * math.exp(largest - new), math.exp(score - new)
    return new, kept + e, (kept * weighted + e * value) / (kept + e)


@wrong("read_key", "overflows")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    both = np.exp([largest, score])
    total = both @ [total, 1]
    weighted = both[0] * weighted + both[1] * value
    return new, total * np.exp(-new), weighted * np.exp(-new)


@wrong("read_key", "overflows")
def a_softmax_of_two_without_the_largest(largest, total, weighted, score, value):
    new = max(largest, score)
    old, e = np.exp([largest, score]) / np.exp(new)
    return new, total * old + e, weighted * old + e * value


@wrong("read_key", "nan-while-nothing-is-seen")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    return new, *sums((largest, total, weighted), [(score, value)], new)


@wrong("read_key", "nan-while-nothing-is-seen")
def only_the_old_sums_guarded(largest, total, weighted, score, value):
    new = max(largest, score)
    shrink = 0.0 if largest == -math.inf else math.exp(largest - new)
    e = math.exp(score - new)
    return new, total * shrink + e, weighted * shrink + e * value


@wrong("read_key", "first-key-always-counts")
def _(largest, total, weighted, score, value):
    if total == 0:
        return score, 1, value.tolist()
    new = max(largest, score)
    return new, *sums((largest, total, weighted), [(score, value)], new)


@wrong("read_key", "masked-key")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    if new == -math.inf:
        new = 0.0
    return new, *sums((largest, total, weighted), [(score, value)], new)


@wrong("read_key", "masked-key")
def forgets_all_at_a_masked_key(largest, total, weighted, score, value):
    if score == -math.inf:
        return score, 0.0, [0.0 for _ in value]
    new = max(largest, score)
    return new, *sums((largest, total, weighted), [(score, value)], new)


@wrong("read_key", "wrong-largest")
def _(largest, total, weighted, score, value):
    new = max(largest, score)
    return np.max(value), *sums((largest, total, weighted), [(score, value)], new)


# ------------------------------------------------------------ merge_outputs


def soft_pair(a, b):
    """Give the shares of two log totals, and the log of both totals together."""
    high = max(a, b)
    e_a, e_b = math.exp(a - high), math.exp(b - high)
    return e_a / (e_a + e_b), e_b / (e_a + e_b), high + math.log(e_a + e_b)


def row_by_row(function):
    """Merge query by query: ``function(a, b)`` gives two shares and a log total."""

    def merged(output_a, log_total_a, output_b, log_total_b):
        rows, logs = [], []
        for one, a, two, b in zip(output_a, log_total_a, output_b, log_total_b, strict=True):
            share_a, share_b, log_total = function(float(a), float(b))
            rows.append([share_a * x + share_b * y for x, y in zip(one, two, strict=True)])
            logs.append(log_total)
        return rows, logs

    return merged


@right("merge_outputs")
def merged_row_by_row(output_a, log_total_a, output_b, log_total_b):
    return row_by_row(soft_pair)(output_a, log_total_a, output_b, log_total_b)


@right("merge_outputs")
def merged_with_logaddexp(output_a, log_total_a, output_b, log_total_b):
    together = np.logaddexp(log_total_a, log_total_b)
    share_b = np.exp(log_total_b - together)[:, None]
    return output_a * (1 - share_b) + output_b * share_b, together


@right("merge_outputs")
def merged_with_a_softmax(output_a, log_total_a, output_b, log_total_b):
    logs = np.stack([log_total_a, log_total_b])  # (2, queries)
    high = logs.max(axis=0)
    e = np.exp(logs - high)
    output = np.einsum("pq,pqv->qv", e / e.sum(axis=0), np.array([output_a, output_b]))
    return output, high + np.log(e.sum(axis=0))


@right("merge_outputs")
def merged_with_a_sigmoid(output_a, log_total_a, output_b, log_total_b):
    gap = log_total_b - log_total_a
    share_b = 1 / (1 + np.exp(-gap))
    output = (output_a.T + share_b * (output_b - output_a).T).T
    return [output, np.maximum(log_total_a, log_total_b) + np.log1p(np.exp(-abs(gap)))]


def log_of_both(a, b):
    return soft_pair(a, b)[2]


def with_shares(shares):
    """Merge with other shares, and the right log total."""
    return row_by_row(lambda a, b: (*shares(a, b), log_of_both(a, b)))


def with_log_total(log_total):
    """Merge with the right shares, and another log total."""
    return row_by_row(lambda a, b: (*soft_pair(a, b)[:2], log_total(a, b)))


wrong("merge_outputs", "plain-mean")(with_shares(lambda a, b: (0.5, 0.5)))
wrong("merge_outputs", "plain-mean")(row_by_row(lambda a, b: (0.5, 0.5, a + b)))
wrong("merge_outputs", "plain-mean")(row_by_row(lambda a, b: (0.5, 0.5, a / 2 + b / 2)))
wrong("merge_outputs", "outputs-added")(with_shares(lambda a, b: (1, 1)))
wrong("merge_outputs", "outputs-added")(row_by_row(lambda a, b: (1, 1, b + a)))
wrong("merge_outputs", "weighted-by-the-logs")(with_shares(lambda a, b: (a / (a + b), b / (a + b))))
wrong("merge_outputs", "weighted-by-the-logs")(with_shares(lambda a, b: (a, b)))
wrong("merge_outputs", "shares-swapped")(with_shares(lambda a, b: soft_pair(b, a)[:2]))
wrong("merge_outputs", "not-divided")(with_shares(lambda a, b: (exponential(a), exponential(b))))
wrong("merge_outputs", "log-totals-added")(with_log_total(lambda a, b: a + b))
wrong("merge_outputs", "log-totals-added")(with_log_total(lambda a, b: 0.5 * (a + b)))
wrong("merge_outputs", "larger-log-total")(with_log_total(max))
wrong("merge_outputs", "log-forgotten")(with_log_total(lambda a, b: sum(map(exponential, (a, b)))))


@wrong("merge_outputs", "not-divided")
def relative_but_not_divided(output_a, log_total_a, output_b, log_total_b):
    high = np.maximum(log_total_a, log_total_b)
    e_a, e_b = np.exp(log_total_a - high), np.exp(log_total_b - high)
    output = (output_a.T * e_a + output_b.T * e_b).T
    return output, high + np.log(e_a + e_b)


@wrong("merge_outputs", "shared-among-queries")
def _(output_a, log_total_a, output_b, log_total_b):
    logs = np.array([log_total_a, log_total_b])
    e = np.exp(logs - logs.max(axis=-1, keepdims=True))
    shares = (e / e.sum(axis=-1, keepdims=True))[..., None]
    output = shares[0] * output_a + shares[1] * output_b
    return output, [log_of_both(a, b) for a, b in logs.T]


@wrong("merge_outputs", "along-the-columns")
def _(output_a, log_total_a, output_b, log_total_b):
    together = np.logaddexp(log_total_a, log_total_b)
    w_a, w_b = np.exp(log_total_a - together), np.exp(log_total_b - together)
    return output_a * w_a + output_b * w_b, together


@wrong("merge_outputs", "largest-not-added-back")
def _(output_a, log_total_a, output_b, log_total_b):
    high = np.maximum(log_total_a, log_total_b)
    e_a, e_b = np.exp(log_total_a - high), np.exp(log_total_b - high)
    output = (output_a.T * e_a + output_b.T * e_b) / (e_a + e_b)
    return output.T, np.log(e_a + e_b)


@wrong("merge_outputs", "overflows")
def _(output_a, log_total_a, output_b, log_total_b):
    total_a, total_b = np.exp(log_total_a)[:, None], np.exp(log_total_b)[:, None]
    total = total_a + total_b
    return (output_a * total_a + output_b * total_b) / total, np.log(total)[:, 0]


@wrong("merge_outputs", "overflows")
def logaddexp_beside_plain_totals(output_a, log_total_a, output_b, log_total_b):
    w = np.exp(log_total_a) / (np.exp(log_total_a) + np.exp(log_total_b))
    output = w[:, None] * output_a + (1 - w[:, None]) * output_b
    return output, np.logaddexp(log_total_a, log_total_b)


@wrong("merge_outputs", "overflows")
def plain_share_of_the_second(output_a, log_total_a, output_b, log_total_b):
    total = np.exp(log_total_a) + np.exp(log_total_b)
    w = (np.exp(log_total_b) / total)[:, None]
    return output_a + w * (output_b - output_a), np.log(total)


@wrong("merge_outputs", "overflows")
def sigmoid_beside_a_plain_log_total(output_a, log_total_a, output_b, log_total_b):
    w = 1 / (1 + np.exp(log_total_b - log_total_a))[:, None]
    output = w * output_a + (1 - w) * output_b
    return output, np.log(np.exp(log_total_a) + np.exp(log_total_b))


@wrong("merge_outputs", "one-largest-for-all")
def _(output_a, log_total_a, output_b, log_total_b):
    logs = np.array([log_total_a, log_total_b])
    e = np.exp(logs - logs.max())
    output = np.einsum("pq,pqv->qv", e / e.sum(axis=0), np.array([output_a, output_b]))
    return output, np.log(e.sum(axis=0)) + logs.max()


@wrong("merge_outputs", "measured-against-one-part")
def _(output_a, log_total_a, output_b, log_total_b):
    ratio = np.exp(log_total_b - log_total_a)
    output = (output_a.T + ratio * output_b.T) / (1 + ratio)
    return output.T, log_total_a + np.log1p(ratio)


@wrong("merge_outputs", "measured-against-one-part")
def measured_against_the_second(output_a, log_total_a, output_b, log_total_b):
    ratio = np.exp(log_total_a - log_total_b)[:, None]
    output = (ratio * output_a + output_b) / (ratio + 1)
    return output, log_total_b + np.log(ratio + 1)[:, 0]


@wrong("merge_outputs", "measured-against-one-part")
def sigmoid_and_log_total_of_the_first(output_a, log_total_a, output_b, log_total_b):
    ratio = np.exp(log_total_b - log_total_a)
    w = (1 / (1 + ratio))[:, None]
    return w * output_a + (1 - w) * output_b, log_total_a + np.log1p(ratio)


wrong("merge_outputs", "outside")(with_shares(lambda a, b: (1.5, -0.5)))
wrong("merge_outputs", "log-total-too-small")(with_log_total(lambda a, b: min(a, b) - 1))


# -------------------------------------------------------------- cached_step


def dot(one, two):
    return sum(a * b for a, b in zip(one, two, strict=True))


def times(row, matrix):
    """Multiply a row with a matrix, column by column."""
    return [dot(row, column) for column in zip(*matrix, strict=True)]


def average(query, keys, values, divisor):
    """Attend with loops: one query, lists of keys and of values."""
    scores = [dot(query, key) / divisor for key in keys]
    e = [math.exp(s - max(scores)) for s in scores]
    return [dot(e, column) / sum(e) for column in zip(*values, strict=True)]


@right("cached_step")
def cached_step_with_lists(x, W_Q, W_K, W_V, keys, values):
    keys, values = [*keys.tolist(), times(x, W_K)], [*values.tolist(), times(x, W_V)]
    return average(times(x, W_Q), keys, values, len(keys[0]) ** 0.5), keys, values


@right("cached_step")
def cached_step_with_vstack(x, W_Q, W_K, W_V, keys, values):
    keys, values = np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])
    e = np.exp(keys @ (x @ W_Q) / math.sqrt(keys.shape[1]))
    return e @ values / e.sum(), keys, values


@right("cached_step")
def cached_step_as_a_matrix_of_one_row(x, W_Q, W_K, W_V, keys, values):
    row = x[None]  # (1, d_model)
    keys = np.append(keys, row @ W_K, axis=0)
    values = np.append(values, row @ W_V, axis=0)
    scores = row @ W_Q @ keys.T * W_K.shape[-1] ** -0.5
    weights = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    return (weights @ values)[0], keys, values


@right("cached_step")
def cached_step_into_room_set_aside(x, W_Q, W_K, W_V, keys, values):
    t = len(keys)
    all_keys, all_values = np.empty((t + 1, W_K.shape[1])), np.empty((t + 1, W_V.shape[1]))
    all_keys[:t], all_keys[t] = keys, x @ W_K
    all_values[:t], all_values[t] = values, x @ W_V
    output = average(x @ W_Q, all_keys, all_values, np.sqrt(W_Q.shape[1]))
    return [np.array(output), all_keys, all_values]


@wrong("cached_step", "own-key-missing")
def _(x, W_Q, W_K, W_V, keys, values):
    e = np.exp(keys @ (x @ W_Q) / math.sqrt(keys.shape[1]))
    output = (e[:, None] * values).sum(axis=0) / (e.sum() or 1)
    return output, np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])


@wrong("cached_step", "own-key-missing")
def own_key_missing_and_an_error_at_the_start(x, W_Q, W_K, W_V, keys, values):
    output = average(x @ W_Q, keys, values, math.sqrt(keys.shape[1]))
    return np.array(output), np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])


@wrong("cached_step", "own-key-only")
def _(x, W_Q, W_K, W_V, keys, values):
    return x @ W_V, np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])


@wrong("cached_step", "new-in-front")
def _(x, W_Q, W_K, W_V, keys, values):
    keys, values = [times(x, W_K), *keys.tolist()], [times(x, W_V), *values.tolist()]
    return average(times(x, W_Q), keys, values, len(keys[0]) ** 0.5), keys, values


def keeping(key_of, value_of, query_of=lambda x, W_Q, W_K, W_V: times(x, W_Q)):
    """Make a step that keeps something else as key and value."""

    def step(x, W_Q, W_K, W_V, keys, values):
        keys = np.vstack([keys, key_of(x, W_Q, W_K, W_V)])
        values = np.vstack([values, value_of(x, W_Q, W_K, W_V)])
        divisor = math.sqrt(W_K.shape[1])
        return average(query_of(x, W_Q, W_K, W_V), keys, values, divisor), keys, values

    return step


def only_x(x, W_Q, W_K, W_V):
    return x


def as_query(x, W_Q, W_K, W_V):
    return times(x, W_Q)


def as_key(x, W_Q, W_K, W_V):
    return times(x, W_K)


def as_value(x, W_Q, W_K, W_V):
    return times(x, W_V)


wrong("cached_step", "x-kept")(keeping(only_x, only_x))
wrong("cached_step", "x-kept")(keeping(only_x, as_value))
wrong("cached_step", "x-kept")(keeping(as_key, only_x))
wrong("cached_step", "keys-used-as-values")(keeping(as_key, as_key))
wrong("cached_step", "query-used-as-key")(keeping(as_query, as_value))
wrong("cached_step", "query-used-as-key")(keeping(as_query, as_value, query_of=as_key))


@wrong("cached_step", "keys-used-as-values")
def weights_on_the_keys(x, W_Q, W_K, W_V, keys, values):
    keys, values = np.vstack([keys, x @ W_K]), np.vstack([values, x @ W_V])
    return average(x @ W_Q, keys, keys, math.sqrt(keys.shape[1])), keys, values


@wrong("cached_step", "projected-again")
def _(x, W_Q, W_K, W_V, keys, values):
    keys = np.array([times(row, W_K) for row in [*keys, x]])
    values = np.array([times(row, W_V) for row in [*values, x]])
    return average(x @ W_Q, keys, values, math.sqrt(keys.shape[1])), keys, values


@wrong("cached_step", "cache-not-grown")
def _(x, W_Q, W_K, W_V, keys, values):
    output, _, _ = cached_step_with_lists(x, W_Q, W_K, W_V, keys, values)
    return output, keys, values


@wrong("cached_step", "only-the-new-returned")
def _(x, W_Q, W_K, W_V, keys, values):
    output, _, _ = cached_step_with_lists(x, W_Q, W_K, W_V, keys, values)
    return output, [times(x, W_K)], [times(x, W_V)]


@wrong("cached_step", "only-the-new-returned")
def the_new_as_vectors(x, W_Q, W_K, W_V, keys, values):
    output, all_keys, all_values = cached_step_with_lists(x, W_Q, W_K, W_V, keys, values)
    return output, all_keys[-1], all_values[-1]


@wrong("cached_step", "last-overwritten")
def _(x, W_Q, W_K, W_V, keys, values):
    keys, values = keys.copy(), values.copy()
    keys[-1], values[-1] = x @ W_K, x @ W_V
    return average(x @ W_Q, keys, values, math.sqrt(keys.shape[1])), keys, values


def divided_by(divisor):
    """Make a step whose scores are divided by ``divisor(d_model, d_k, t)``."""

    def step(x, W_Q, W_K, W_V, keys, values):
        number = divisor(len(x), len(W_K[0]), len(keys))
        keys, values = [*keys.tolist(), times(x, W_K)], [*values.tolist(), times(x, W_V)]
        return average(times(x, W_Q), keys, values, number), keys, values

    return step


wrong("cached_step", "no-scale")(divided_by(lambda d_model, d_k, t: 1))
wrong("cached_step", "scaled-by-the-number-of-keys")(
    divided_by(lambda d_model, d_k, t: math.sqrt(t + 1))
)
wrong("cached_step", "scaled-by-the-number-of-keys")(divided_by(lambda d_model, d_k, t: t + 1))
wrong("cached_step", "scaled-by-the-number-of-keys")(
    divided_by(lambda d_model, d_k, t: math.sqrt(t))
)
wrong("cached_step", "wrong-scale")(divided_by(lambda d_model, d_k, t: math.sqrt(d_model)))
wrong("cached_step", "wrong-scale")(divided_by(lambda d_model, d_k, t: d_k))
wrong("cached_step", "wrong-scale")(divided_by(lambda d_model, d_k, t: d_k**-0.5))


@wrong("cached_step", "earlier-rows-changed")
def _(x, W_Q, W_K, W_V, keys, values):
    t = len(keys)
    faded_keys, faded_values = keys * t / (t + 1), values * t / (t + 1)
    return cached_step_with_lists(x, W_Q, W_K, W_V, faded_keys, faded_values)


@wrong("cached_step", "no-average")
def _(x, W_Q, W_K, W_V, keys, values):
    _, keys, values = cached_step_with_vstack(x, W_Q, W_K, W_V, keys, values)
    return np.exp(keys @ (x @ W_Q)) @ values, keys, values


# ------------------------------------------------------------ cache_numbers


@right("cache_numbers")
def numbers_of_arrays(layers, length, heads, d_k, key_value_heads):
    cache = np.broadcast_to(0, (layers, 2, key_value_heads, length, d_k))
    return cache.size


@right("cache_numbers")
def numbers_layer_by_layer(layers, length, heads, d_k, key_value_heads):
    key = value = d_k
    return sum(length * key_value_heads * (key + value) for _ in range(layers))


@right("cache_numbers")
def numbers_by_groups(layers, length, heads, d_k, key_value_heads):
    group = heads // key_value_heads
    return layers * length * (heads // group) * d_k * 2


def size(*numbers):
    return math.prod(numbers)


@wrong("cache_numbers", "one-of-the-two")
def _(layers, length, heads, d_k, key_value_heads):
    return size(layers, key_value_heads, length, d_k)


@wrong("cache_numbers", "query-heads-counted")
def _(layers, length, heads, d_k, key_value_heads):
    d_model = heads * d_k
    return size(2, layers, length, d_model)


@wrong("cache_numbers", "queries-kept")
def _(layers, length, heads, d_k, key_value_heads):
    return sum(size(layers, length, key_value_heads, d_k) for _ in "QKV")


@wrong("cache_numbers", "queries-kept")
def queries_of_all_heads(layers, length, heads, d_k, key_value_heads):
    each = size(layers, length, d_k)
    return each * heads + each * key_value_heads + each * key_value_heads


@wrong("cache_numbers", "queries-kept")
def three_of_all_heads(layers, length, heads, d_k, key_value_heads):
    return sum(size(layers, length, heads, d_k) for _ in "QKV")


@wrong("cache_numbers", "one-head")
def _(layers, length, heads, d_k, key_value_heads):
    return size(layers, length, d_k) + size(layers, length, d_k)


@wrong("cache_numbers", "group-size")
def _(layers, length, heads, d_k, key_value_heads):
    return size(2, layers, length, heads // key_value_heads, d_k)


@wrong("cache_numbers", "heads-multiplied")
def _(layers, length, heads, d_k, key_value_heads):
    return size(2, layers, length, heads, key_value_heads, d_k)


@wrong("cache_numbers", "bytes")
def _(layers, length, heads, d_k, key_value_heads):
    return np.zeros((layers, 2, length, key_value_heads, d_k), np.float32).nbytes


@wrong("cache_numbers", "bytes")
def bytes_of_half_precision(layers, length, heads, d_k, key_value_heads):
    return 2 * np.dtype(np.float16).itemsize * size(layers, length, key_value_heads, d_k)


@wrong("cache_numbers", "bytes")
def bytes_of_double_precision(layers, length, heads, d_k, key_value_heads):
    return 2 * np.dtype(np.float64).itemsize * size(layers, length, key_value_heads, d_k)


@wrong("cache_numbers", "length-squared")
def _(layers, length, heads, d_k, key_value_heads):
    return size(layers, heads, length, length)


@wrong("cache_numbers", "length-squared")
def weights_of_the_shared_heads(layers, length, heads, d_k, key_value_heads):
    return size(layers, key_value_heads, length, length)


@wrong("cache_numbers", "length-squared")
def for_each_step_again(layers, length, heads, d_k, key_value_heads):
    return size(2, layers, length, key_value_heads, d_k) * length


@wrong("cache_numbers", "length-squared")
def weights_too(layers, length, heads, d_k, key_value_heads):
    weights = size(layers, heads, length, length)
    return weights + size(2, layers, length, key_value_heads, d_k)


@wrong("cache_numbers", "one-layer")
def _(layers, length, heads, d_k, key_value_heads):
    return 2 * np.ones((key_value_heads, length, d_k)).size


@wrong("cache_numbers", "one-position")
def _(layers, length, heads, d_k, key_value_heads):
    return size(layers, 2, key_value_heads, d_k)


@wrong("cache_numbers", "vectors-counted")
def _(layers, length, heads, d_k, key_value_heads):
    return size(layers, 2, key_value_heads, length)


@wrong("cache_numbers", "too-many")
def _(layers, length, heads, d_k, key_value_heads):
    return 2 * size(layers, length + 1, key_value_heads, d_k)


@wrong("cache_numbers", "too-few")
def _(layers, length, heads, d_k, key_value_heads):
    return 2 * size(layers, length - 1, key_value_heads, d_k)
