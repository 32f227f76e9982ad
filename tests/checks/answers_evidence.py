"""Answers to the exercises of the chapter `evidence`, right and wrong."""

import math
from functools import reduce

import numpy as np
from answers import right, wrong

# ---------------------------------------------------------------- flip_rate


def share(conditions):
    conditions = list(conditions)
    return sum(map(bool, conditions)) / len(conditions)


def flipped(before, after):
    return share(b < 0 for a, b in zip(before, after, strict=True) if a > 0)


@right("flip_rate")
def flip_rate_with_loops(before, cut, control):
    return flipped(before, cut) - flipped(before, control)


@right("flip_rate")
def flip_rate_in_one_sum(before, cut, control):
    was_right = np.sign(before) == 1
    change = (cut < 0).astype(int) - (control < 0).astype(int)
    return (change * was_right).sum() / was_right.sum()


@wrong("flip_rate", "control-forgotten")
def _(before, cut, control):
    return flipped(before, cut)


@wrong("flip_rate", "control-added")
def _(before, cut, control):
    return sum(flipped(before, after) for after in (cut, control))


@wrong("flip_rate", "wrong-sign")
def _(before, cut, control):
    return flipped(before, control) - flipped(before, cut)


@wrong("flip_rate", "wrong-sign")
def what_stays_right(before, cut, control):
    stays = [
        share(b > 0 for a, b in zip(before, after, strict=True) if a > 0)
        for after in (cut, control)
    ]
    return stays[0] - stays[1]


@wrong("flip_rate", "divided-by-all")
def _(before, cut, control):
    counts = [
        sum(a > 0 > b for a, b in zip(before, after, strict=True)) for after in (cut, control)
    ]
    return (counts[0] - counts[1]) / len(before)


@wrong("flip_rate", "both-ways")
def _(before, cut, control):
    rates = [share(before * after < 0) for after in (cut, control)]
    return rates[0] - rates[1]


@wrong("flip_rate", "wrong-after")
def _(before, cut, control):
    return share(cut < 0) - share(control < 0)


@wrong("flip_rate", "of-the-wrong-ones")
def _(before, cut, control):
    rates = []
    for after in (cut, control):
        some = [b > 0 for a, b in zip(before, after, strict=True) if a < 0]
        rates.append(sum(some) / len(some) if some else math.nan)
    return rates[0] - rates[1]


@wrong("flip_rate", "counts")
def _(before, cut, control):
    was_right = before > 0
    return int((cut[was_right] < 0).sum()) - int((control[was_right] < 0).sum())


@wrong("flip_rate", "mean-fall")
def _(before, cut, control):
    return float(np.mean(control) - np.mean(cut))


@wrong("flip_rate", "mean-fall")
def mean_fall_of_the_right_ones(before, cut, control):
    chosen = [i for i, logit in enumerate(before) if logit > 0]
    return sum(control[i] - cut[i] for i in chosen) / len(chosen)


# ------------------------------------------------------------- equal_weight


def one_by_one(enough, arranged=lambda weights, order: list(order)):
    """Draw word by word until `enough(weight so far, goal)`."""

    def cut(weights, order, goal):
        chosen, total = [False] * len(weights), 0.0
        for place in arranged(weights, order):
            if enough(total, goal):
                break
            chosen[place] = True
            total += weights[place]
        return np.array(chosen)

    return cut


def reached(total, goal):
    return total >= goal


right("equal_weight")(one_by_one(reached))


@right("equal_weight")
def equal_weight_by_sums_before(weights, order, goal):
    before = np.cumsum(weights[order]) - weights[order]
    return np.isin(np.arange(len(weights)), order[before < goal])


@right("equal_weight")
def equal_weight_in_a_set(weights, order, goal):
    taken = set()
    waiting = [int(place) for place in order]
    while waiting and sum(weights[place] for place in taken) < goal:
        taken.add(waiting.pop(0))
    return np.array([place in taken for place in range(len(weights))])


@wrong("equal_weight", "one-too-few")
def _(weights, order, goal):
    chosen, total = np.zeros(len(weights), dtype=bool), 0.0
    for place in order:
        total += weights[place]
        if total >= goal:
            break
        chosen[place] = True
    return chosen


@wrong("equal_weight", "one-too-many")
def _(weights, order, goal):
    right_one = equal_weight_by_sums_before(weights, order, goal)
    left = [place for place in order if not right_one[place]]
    right_one[left[:1]] = True
    return right_one


wrong("equal_weight", "goal-passed")(one_by_one(lambda total, goal: total > goal))
wrong("equal_weight", "heaviest-first")(
    one_by_one(reached, lambda w, order: sorted(order, key=lambda place: -w[place]))
)
wrong("equal_weight", "lightest-first")(
    one_by_one(reached, lambda w, order: sorted(order, key=lambda place: w[place]))
)
wrong("equal_weight", "from-left-to-right")(one_by_one(reached, lambda w, order: sorted(order)))
wrong("equal_weight", "words-that-matter")(one_by_one(reached, lambda w, order: range(len(w))))


@wrong("equal_weight", "order-as-weights")
def _(weights, order, goal):
    chosen, total = np.zeros(len(weights), dtype=bool), 0.0
    for number, place in enumerate(order):
        if total < goal:
            chosen[place] = True
        total += weights[number]
    return chosen


@wrong("equal_weight", "one-word")
def _(weights, order, goal):
    best = min(order, key=lambda place: abs(weights[place] - goal))
    return np.arange(len(weights)) == best


@wrong("equal_weight", "all-of-them")
def _(weights, order, goal):
    return np.array([place in order for place in range(len(weights))])


@wrong("equal_weight", "kept-for-cut")
def _(weights, order, goal):
    return ~one_by_one(reached)(weights, order, goal)


wrong("equal_weight", "numbers-for-booleans")(
    lambda weights, order, goal: one_by_one(reached)(weights, order, goal).astype(float)
)
wrong("equal_weight", "too-light")(lambda weights, order, goal: np.zeros(len(weights), dtype=bool))

# ---------------------------------------------------------------- keep_only


def table_of(is_cut):
    """Make a table of booleans, row by row, from a rule for one edge."""

    def edges(length, query, kept):
        kept = [int(place) for place in kept]
        return np.array(
            [[bool(is_cut(i, j, query, kept)) for j in range(length)] for i in range(length)]
        )

    return edges


@right("keep_only")
def keep_only_in_loops(length, query, kept):
    return table_of(lambda i, j, q, some: i == q and j not in some)(length, query, kept)


@right("keep_only")
def keep_only_by_writing(length, query, kept):
    edges = np.zeros((length, length), dtype=bool)
    edges[query] = True
    edges[query, kept] = False
    return edges


@right("keep_only")
def keep_only_by_sets(length, query, kept):
    edges = np.full((length, length), False)
    edges[query, sorted(set(range(length)) - set(kept.tolist()))] = True
    return edges


wrong("keep_only", "kept-ones-cut")(table_of(lambda i, j, q, kept: i == q and j in kept))
wrong("keep_only", "mask-for-edges")(table_of(lambda i, j, q, kept: i != q or j in kept))
wrong("keep_only", "all-queries")(table_of(lambda i, j, q, kept: j not in kept))
wrong("keep_only", "column-for-row")(table_of(lambda i, j, q, kept: j == q and i not in kept))
wrong("keep_only", "itself-kept")(table_of(lambda i, j, q, kept: i == q and j not in [*kept, q]))
wrong("keep_only", "itself-cut")(
    table_of(lambda i, j, q, kept: i == q and (j == q or j not in kept))
)
wrong("keep_only", "only-the-first-kept")(
    table_of(lambda i, j, q, kept: i == q and j not in kept[:1])
)
wrong("keep_only", "every-edge")(table_of(lambda i, j, q, kept: i == q))
wrong("keep_only", "nothing-cut")(table_of(lambda i, j, q, kept: False))
wrong("keep_only", "numbers-for-booleans")(
    lambda length, query, kept: keep_only_by_writing(length, query, kept).astype(int)
)
wrong("keep_only", "cuts-elsewhere")(table_of(lambda i, j, q, kept: i <= q and j not in kept))

# ------------------------------------------------------------------ rollout


def followed(steps):
    """Multiply matrices, the last layer's from the left."""
    return reduce(lambda below, above: above @ below, steps)


@right("rollout")
def rollout_as_a_product(weights):
    heads = weights.shape[1]
    identity = np.identity(weights.shape[2])
    return followed([sum(layer) / (2 * heads) + identity / 2 for layer in weights])


@right("rollout")
def rollout_word_by_word(weights):
    length = weights.shape[-1]
    rows = [[float(i == j) for j in range(length)] for i in range(length)]
    for layer in weights:
        mean = [[float(np.mean(layer[:, i, j])) for j in range(length)] for i in range(length)]
        rows = [
            [
                0.5 * rows[i][j] + 0.5 * sum(mean[i][k] * rows[k][j] for k in range(length))
                for j in range(length)
            ]
            for i in range(length)
        ]
    return rows


def averaged(weights):
    return [sum(layer) / len(layer) for layer in weights]


def with_residual(matrix):
    return 0.5 * matrix + 0.5 * np.identity(len(matrix))


@wrong("rollout", "residual-forgotten")
def _(weights):
    return followed(averaged(weights))


@wrong("rollout", "other-way-round")
def _(weights):
    return followed([with_residual(mean) for mean in averaged(weights)][::-1])


@wrong("rollout", "not-halved")
def _(weights):
    return followed([mean + np.identity(len(mean)) for mean in averaged(weights)])


@wrong("rollout", "heads-added")
def _(weights):
    return followed([with_residual(sum(layer)) for layer in weights])


@wrong("rollout", "one-head")
def _(weights):
    return followed([with_residual(layer[0]) for layer in weights])


@wrong("rollout", "strongest-head")
def _(weights):
    return followed([with_residual(np.maximum.reduce(layer)) for layer in weights])


@wrong("rollout", "last-layer-alone")
def _(weights):
    return with_residual(averaged(weights)[-1])


@wrong("rollout", "layers-averaged")
def _(weights):
    return with_residual(sum(averaged(weights)) / len(weights))


@wrong("rollout", "entry-by-entry")
def _(weights):
    result = 1.0
    for mean in averaged(weights):
        result = result * with_residual(mean)
    return result


@wrong("rollout", "residual-once")
def _(weights):
    return with_residual(followed(averaged(weights)))


@wrong("rollout", "rows-do-not-sum-to-1")
def without_the_mean(weights):
    return followed([with_residual(layer[0] * layer[-1]) for layer in weights])
