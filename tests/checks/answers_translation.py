"""Answers to the exercises of the chapter `translation`, right and wrong."""

import math
from functools import cmp_to_key

import numpy as np
from answers import right, wrong

# ------------------------------------------------------------ learning_rate


def schedule(late, early=lambda t, w: t / w):
    """Make a schedule of two functions of a step and the warm-up, joined with an if."""

    def rates(step, highest, warm_up):
        shares = [early(t, warm_up) if t <= warm_up else late(t, warm_up) for t in step]
        return [highest * share for share in shares]

    return rates


@right("learning_rate")
def rate_with_an_if(step, highest, warm_up):
    return schedule(lambda t, w: math.sqrt(w / t))(step, highest, warm_up)


@right("learning_rate")
def rate_as_in_the_paper(step, highest, warm_up):
    t = np.asarray(step, float)
    shape = np.minimum(1 / np.sqrt(t), t / warm_up**1.5)
    return highest * shape * warm_up**0.5


@right("learning_rate")
def rate_with_where(step, highest, warm_up):
    fallen = highest * warm_up**0.5 * step**-0.5
    return np.where(step < warm_up, step * (highest / warm_up), fallen)


@wrong("learning_rate", "no-warm-up")
def _(step, highest, warm_up):
    return [highest * math.sqrt(warm_up) / math.sqrt(t) for t in step]


wrong("learning_rate", "never-falls")(schedule(lambda t, w: 1))


@wrong("learning_rate", "the-larger-one")
def _(step, highest, warm_up):
    return [max(highest * t / warm_up, highest * (warm_up / t) ** 0.5) for t in step]


wrong("learning_rate", "root-forgotten")(schedule(lambda t, w: w / t))


@wrong("learning_rate", "root-of-both")
def _(step, highest, warm_up):
    return [highest * min(t / warm_up, warm_up / t) ** 0.5 for t in step]


wrong("learning_rate", "jumps")(schedule(lambda t, w: t**-0.5))
wrong("learning_rate", "step-counted-from-the-warm-up")(schedule(lambda t, w: (t - w) ** -0.5))
wrong("learning_rate", "step-counted-from-the-warm-up")(schedule(lambda t, w: (w / (t - w)) ** 0.5))
wrong("learning_rate", "step-counted-from-the-warm-up")(schedule(lambda t, w: (t - w + 1) ** -0.5))


@wrong("learning_rate", "papers-scale")
def _(step, highest, warm_up):
    return [highest * min(t**-0.5, t * warm_up**-1.5) for t in step]


@wrong("learning_rate", "highest-forgotten")
def _(step, highest, warm_up):
    return schedule(lambda t, w: math.sqrt(w) / math.sqrt(t))(step, 1, warm_up)


wrong("learning_rate", "linear-to-zero")(schedule(lambda t, w: max(0, (2 * w - t) / w)))


@wrong("learning_rate", "linear-to-zero")
def linear_down_to_the_last_step(step, highest, warm_up):
    last = max(step)
    return schedule(lambda t, w: (last - t) / (last - w))(step, highest, warm_up)


@wrong("learning_rate", "above-the-highest")
def _(step, highest, warm_up):
    return schedule(lambda t, w: 1.5)(step, highest, warm_up)


# --------------------------------------------------------- smoothed_targets


def rows_with(right_share, other_share):
    """Make targets row by row, from two functions of the symbols and the smoothing."""

    def targets(target, symbols, smoothing):
        rows = []
        for token in target:
            row = [other_share(symbols, smoothing)] * symbols
            row[token] = right_share(symbols, smoothing)
            rows.append(row)
        return rows

    return targets


@right("smoothed_targets")
def smoothed_row_by_row(target, symbols, smoothing):
    return rows_with(lambda k, e: 1 - e + e / k, lambda k, e: e / k)(target, symbols, smoothing)


@right("smoothed_targets")
def smoothed_by_filling(target, symbols, smoothing):
    rows = np.full((len(target), symbols), smoothing / symbols)
    rows[np.arange(len(target)), target] += 1 - smoothing
    return rows


@right("smoothed_targets")
def smoothed_as_a_mixture(target, symbols, smoothing):
    one_hot = np.zeros((len(target), symbols))
    np.put_along_axis(one_hot, target[:, None], 1.0, axis=1)
    uniform = np.ones(symbols) / symbols
    return one_hot + smoothing * (uniform - one_hot)


wrong("smoothed_targets", "shared-among-the-others")(
    rows_with(lambda k, e: 1 - e, lambda k, e: e / (k - 1))
)
wrong("smoothed_targets", "right-one-left-out")(rows_with(lambda k, e: 1 - e, lambda k, e: e / k))
wrong("smoothed_targets", "added-on-top")(rows_with(lambda k, e: 1 + e / k, lambda k, e: e / k))
wrong("smoothed_targets", "added-on-top")(rows_with(lambda k, e: 1, lambda k, e: e / k))
wrong("smoothed_targets", "added-on-top")(rows_with(lambda k, e: 1, lambda k, e: e / (k - 1)))
wrong("smoothed_targets", "smoothing-not-divided")(rows_with(lambda k, e: 1, lambda k, e: e))
wrong("smoothed_targets", "smoothing-not-divided")(rows_with(lambda k, e: 1 - e, lambda k, e: e))
wrong("smoothed_targets", "smoothing-the-wrong-way")(
    rows_with(lambda k, e: e + (1 - e) / k, lambda k, e: (1 - e) / k)
)
wrong("smoothed_targets", "not-smoothed")(rows_with(lambda k, e: 1, lambda k, e: 0))
wrong("smoothed_targets", "uniform")(rows_with(lambda k, e: 1 / k, lambda k, e: 1 / k))
wrong("smoothed_targets", "uniform")(rows_with(lambda k, e: e / k, lambda k, e: e / k))
wrong("smoothed_targets", "rows-do-not-sum-to-1")(rows_with(lambda k, e: 2 - e, lambda k, e: e / k))


# ---------------------------------------------------------------- beam_step


def continuations(totals, log_p):
    """List all continuations as (total, parent, token), in the order of their places."""
    return [
        (float(total + q), parent, token)
        for parent, (total, row) in enumerate(zip(totals, log_p, strict=True))
        for token, q in enumerate(row)
    ]


def columns(found):
    """Turn a list of (total, parent, token) into three lists."""
    return tuple(map(list, zip(*found, strict=True)))


@right("beam_step")
def beam_with_a_sorted_list(totals, log_p, width):
    return columns(sorted(continuations(totals, log_p), reverse=True)[:width])


@right("beam_step")
def beam_one_maximum_at_a_time(totals, log_p, width):
    scores = np.array(totals)[:, None] + log_p
    found = []
    for _ in range(width):
        parent, token = divmod(int(scores.argmax()), scores.shape[1])
        found.append((scores[parent, token], parent, token))
        scores[parent, token] = -math.inf
    return columns(found)


@right("beam_step")
def beam_with_argpartition(totals, log_p, width):
    flat = (log_p.T + totals).T.reshape(-1)
    some = np.argpartition(flat, -width)[-width:]
    some = some[np.argsort(flat[some])[::-1]]
    return flat[some], some // log_p.shape[-1], some % log_p.shape[-1]


@wrong("beam_step", "one-of-each-beginning")
def _(totals, log_p, width):
    best = [
        max(c for c in continuations(totals, log_p) if c[1] == parent)
        for parent in range(len(totals))
    ]
    return columns(sorted(best, reverse=True)[:width])


@wrong("beam_step", "one-of-each-beginning")
def one_of_each_in_their_order(totals, log_p, width):
    best = [
        max(c for c in continuations(totals, log_p) if c[1] == parent)
        for parent in range(len(totals))
    ]
    return columns(best[:width])


@wrong("beam_step", "one-beginning-only")
def _(totals, log_p, width):
    first = int(np.argmax(totals))
    own = [c for c in continuations(totals, log_p) if c[1] == first]
    return columns(sorted(own, reverse=True)[:width])


@wrong("beam_step", "totals-forgotten")
def _(totals, log_p, width):
    return columns(sorted(continuations(0 * totals, log_p), reverse=True)[:width])


@wrong("beam_step", "totals-multiplied")
def _(totals, log_p, width):
    found = [
        (float(total * q), parent, token)
        for parent, (total, row) in enumerate(zip(totals, log_p, strict=True))
        for token, q in enumerate(row)
    ]
    found.sort(key=cmp_to_key(lambda a, b: (b[0] > a[0]) - (b[0] < a[0])))
    return columns(found[:width])


@wrong("beam_step", "new-tokens-reported")
def _(totals, log_p, width):
    _, parents, tokens = beam_with_a_sorted_list(totals, log_p, width)
    return [log_p[p][t] for p, t in zip(parents, tokens, strict=True)], parents, tokens


@wrong("beam_step", "worst-kept")
def _(totals, log_p, width):
    return columns(sorted(continuations(totals, log_p))[:width])


@wrong("beam_step", "best-last")
def _(totals, log_p, width):
    return columns(sorted(continuations(totals, log_p))[-width:])


@wrong("beam_step", "not-sorted")
def _(totals, log_p, width):
    found = sorted(continuations(totals, log_p), reverse=True)[:width]
    return columns(sorted(found, key=lambda c: c[1:]))


def with_rows_of(number):
    """Read places as if the rows had another length."""

    def step(totals, log_p, width):
        flat = (totals[:, None] + log_p).flatten()
        places = sorted(range(len(flat)), key=lambda i: -flat[i])[:width]
        length = number(totals, width)
        parents, tokens = zip(*(divmod(place, length) for place in places), strict=True)
        return flat[places], parents, tokens

    return step


wrong("beam_step", "divided-by-the-wrong-number")(with_rows_of(lambda totals, width: len(totals)))
wrong("beam_step", "divided-by-the-wrong-number")(with_rows_of(lambda totals, width: width))


@wrong("beam_step", "parents-and-tokens-swapped")
def _(totals, log_p, width):
    found, parents, tokens = beam_with_a_sorted_list(totals, log_p, width)
    return found, tokens, parents


@wrong("beam_step", "probabilities")
def _(totals, log_p, width):
    found, parents, tokens = beam_with_a_sorted_list(totals, log_p, width)
    return [math.exp(total) for total in found], parents, tokens


# -------------------------------------------------------------------- top_p


def ranked(p):
    """List (probability, token), the likeliest first."""
    return sorted(((float(q), i) for i, q in enumerate(p)), reverse=True)


def only(p, kept):
    """Set all but some tokens to 0 and divide by what is left, NaN if that is nothing."""
    total = sum(p[i] for i in kept) or math.nan
    return [(p[i] if i in kept else 0.0) / total for i in range(len(p))]


def nucleus(p, share):
    kept, sum_so_far = [], 0.0
    for q, token in ranked(p):
        if sum_so_far >= share:
            break
        kept.append(token)
        sum_so_far += q
    return kept


@right("top_p")
def top_p_with_a_loop(p, share):
    return only(p, nucleus(p, share))


@right("top_p")
def top_p_with_searchsorted(p, share):
    order = np.argsort(p)[::-1]
    count = int(np.searchsorted(np.cumsum(p[order]), share)) + 1
    kept = np.isin(np.arange(len(p)), order[:count])
    return np.where(kept, p, 0) / p[kept].sum()


@right("top_p")
def top_p_with_likelier_sums(p, share):
    likelier = np.array([p[p > q].sum() for q in p])
    kept = p * (likelier < share)
    return kept / sum(kept)


@wrong("top_p", "last-one-missing")
def _(p, share):
    return only(p, nucleus(p, share)[:-1])


@wrong("top_p", "last-one-missing")
def those_that_fit_below_the_share(p, share):
    order = np.argsort(p)[::-1]
    keep = order[np.cumsum(p[order]) <= share]
    return only(p, keep.tolist())


@wrong("top_p", "one-too-many")
def _(p, share):
    count = len(nucleus(p, share)) + 1
    return only(p, [token for _, token in ranked(p)][:count])


@wrong("top_p", "one-too-many")
def one_more_where_the_share_is_met_exactly(p, share):
    kept, sum_so_far = [], 0.0
    for q, token in ranked(p):
        if sum_so_far > share:
            break
        kept.append(token)
        sum_so_far += q
    return only(p, kept)


@wrong("top_p", "not-divided")
def _(p, share):
    kept = nucleus(p, share)
    return [q if i in kept else 0.0 for i, q in enumerate(p)]


@wrong("top_p", "softmax-again")
def _(p, share):
    e = [math.exp(q) if i in nucleus(p, share) else 0.0 for i, q in enumerate(p)]
    return [x / sum(e) for x in e]


@wrong("top_p", "not-sorted")
def _(p, share):
    kept, sum_so_far = [], 0.0
    for token, q in enumerate(p):
        if sum_so_far < share:
            kept.append(token)
        sum_so_far += q
    return only(p, kept)


@wrong("top_p", "unlikeliest-kept")
def _(p, share):
    kept, sum_so_far = [], 0.0
    for q, token in reversed(ranked(p)):
        if sum_so_far < share:
            kept.append(token)
        sum_so_far += q
    return only(p, kept)


@wrong("top_p", "order-lost")
def _(p, share):
    return sorted(only(p, nucleus(p, share)), reverse=True)


@wrong("top_p", "places-lost")
def _(p, share):
    return [q for q in only(p, nucleus(p, share)) if q]


@wrong("top_p", "share-as-threshold")
def _(p, share):
    return only(p, [i for i, q in enumerate(p) if q >= 1 - share])


@wrong("top_p", "share-as-threshold")
def above_the_share(p, share):
    return only(p, [i for i, q in enumerate(p) if q >= share])


@wrong("top_p", "nothing-dropped")
def _(p, share):
    return [q / sum(p) for q in p]


@wrong("top_p", "only-the-best")
def _(p, share):
    best = max(range(len(p)), key=lambda i: p[i])
    return [1.0 if i == best else 0.0 for i in range(len(p))]
