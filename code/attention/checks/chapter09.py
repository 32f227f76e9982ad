"""The exercises of chapter 9, Training it to translate.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray

# ------------------------------------------------------------ learning_rate


def _learning_rate(step, highest, warm_up, *, rises=True, falls=lambda t, w: np.sqrt(w / t)):
    """Compute the rate; the way up or down may be another than the right one."""
    up = step / warm_up if rises else np.inf
    return highest * np.minimum(up, falls(step, warm_up))


def _falling(falls: Callable) -> Callable:
    """Make a schedule whose second part is another one."""

    def rate(step, highest, warm_up):
        with np.errstate(divide="ignore", invalid="ignore"):
            late = highest * falls(step, warm_up)
        return np.where(step <= warm_up, highest * step / warm_up, late)

    return rate


LEARNING_RATE = Exercise(
    name="learning_rate",
    signature="f(step, highest, warm_up)",
    outputs=("rates",),
    reference=_learning_rate,
    stages=(
        (
            example(step=[1, 2], highest=8.0, warm_up=2),
            example(step=[4, 8, 16], highest=8.0, warm_up=4),
            example(step=[100, 400, 1600], highest=0.003, warm_up=400),
            example(step=[1, 2, 5, 9, 16], highest=1.0, warm_up=4),
        ),
        (
            example(step=[1, 4], highest=2.0, warm_up=1),
            example(step=[1, 3, 50, 200, 10_000], highest=0.01, warm_up=100),
        ),
    ),
    misconceptions=(
        misconception(
            "no-warm-up",
            "Your rate falls from the first step on, and starts far above the highest one. Up to "
            "step warm_up it should rise in a straight line: of the two, the smaller one counts.",
            lambda step, highest, warm_up: _learning_rate(step, highest, warm_up, rises=False),
        ),
        misconception(
            "never-falls",
            "Your rate rises and then stays. After the warm-up it should fall with the inverse "
            "root of the step.",
            _falling(lambda t, w: np.ones_like(t)),
        ),
        misconception(
            "the-larger-one",
            "You take the larger one of the two. That starts high, falls, and rises again for "
            "ever. Take the smaller one.",
            lambda step, highest, warm_up: (
                highest * np.maximum(step / warm_up, np.sqrt(warm_up / step))
            ),
        ),
        misconception(
            "root-forgotten",
            "After the warm-up your rate falls as fast as step grows. It should fall more slowly: "
            "divide by np.sqrt(step), times what makes it start at the highest rate.",
            _falling(lambda t, w: w / t),
        ),
        misconception(
            "root-of-both",
            "Your warm-up is bent: you take the root of the rising part too. Only the falling part "
            "has a root.",
            lambda step, highest, warm_up: (
                highest * np.sqrt(np.minimum(step / warm_up, warm_up / step))
            ),
        ),
        misconception(
            "jumps",
            "The right shape, but there is a jump at the end of the warm-up: your rate falls to "
            "highest, divided by np.sqrt(step). Where the warm-up ends both parts should be equal, "
            "so there is np.sqrt(warm_up) on top.",
            _falling(lambda t, w: 1 / np.sqrt(t)),
        ),
        misconception(
            "step-counted-from-the-warm-up",
            "After the warm-up you count the steps anew. The step in the root is the one since the "
            "start of training.",
            _falling(lambda t, w: 1 / np.sqrt(t - w)),
            _falling(lambda t, w: 1 / np.sqrt(t - w + 1)),
            _falling(lambda t, w: np.sqrt(w / (t - w))),
        ),
        misconception(
            "papers-scale",
            "This is the paper's formula times the highest rate. Without d_model its own highest "
            "value is one over np.sqrt(warm_up): divide by that, and the highest rate is reached.",
            lambda step, highest, warm_up: (
                highest * np.minimum(step**-0.5, step * float(warm_up) ** -1.5)
            ),
        ),
        misconception(
            "highest-forgotten",
            "The shape is right, the height is not: your highest rate is 1 whatever is asked for. "
            "Multiply by highest.",
            lambda step, highest, warm_up: _learning_rate(step, 1.0, warm_up),
            lambda step, highest, warm_up: (
                np.where(step <= warm_up, 1.0, highest) * _learning_rate(step, 1.0, warm_up)
            ),
        ),
        misconception(
            "linear-to-zero",
            "After the warm-up your rate falls in a straight line. It should fall with the inverse "
            "root of the step.",
            _falling(lambda t, w: np.maximum(2 - t / w, 0)),
            _falling(lambda t, w: 1 - (t - w) / max(t.max() - w, 1)),
        ),
        misconception(
            "one-step-off",
            "You are one step off: the steps count from 1 already.",
            lambda step, highest, warm_up: _learning_rate(step + 1, highest, warm_up),
            lambda step, highest, warm_up: _learning_rate(
                np.maximum(step - 1, 1e-9), highest, warm_up
            ),
        ),
        misconception(
            "another-power",
            "After the warm-up your rate falls with another power of the step. It should fall "
            "with the inverse root.",
            _falling(lambda t, w: (w / t) ** 2),
            _falling(lambda t, w: (w / t) ** (1 / 3)),
            _falling(lambda t, w: (w / t) ** 0.25),
            _falling(lambda t, w: (w / t) ** 1.5),
        ),
        misconception(
            "constant",
            "Your rate is the highest one at every step. It should rise first, and fall "
            "afterwards.",
            lambda step, highest, warm_up: highest + 0 * step,
        ),
        misconception(
            "zero-in-the-warm-up",
            "In the warm-up your rate is 0. It should rise in a straight line.",
            lambda step, highest, warm_up: np.where(
                step <= warm_up, 0, highest * np.sqrt(warm_up / step)
            ),
            lambda step, highest, warm_up: np.where(
                step < warm_up, 0, highest * np.sqrt(warm_up / step)
            ),
        ),
        misconception(
            "product",
            "You multiply the rising and the falling part. The smaller of the two counts.",
            lambda step, highest, warm_up: highest * step / warm_up * np.sqrt(warm_up / step),
        ),
        misconception(
            "sum",
            "You add the rising and the falling part. The smaller of the two counts.",
            lambda step, highest, warm_up: highest * (step / warm_up + np.sqrt(warm_up / step)),
        ),
        misconception(
            "bent-warm-up",
            "Your warm-up is bent. It should be a straight line from 0 to the highest rate.",
            lambda step, highest, warm_up: (
                np.where(step <= warm_up, (step / warm_up) ** 2, np.sqrt(warm_up / step)) * highest
            ),
        ),
        misconception(
            "never-stops-rising",
            "Your rate rises for ever. From step warm_up on it should fall with the inverse "
            "root of the step.",
            lambda step, highest, warm_up: highest * step / warm_up,
        ),
        misconception(
            "exponential",
            "After the warm-up your rate falls exponentially, or along a cosine. It should fall"
            " with the inverse root of the step.",
            _falling(lambda t, w: np.exp(-(t - w) / w)),
            _falling(lambda t, w: 0.99 ** (t - w)),
            _falling(lambda t, w: 0.9 ** (t - w)),
            _falling(lambda t, w: 0.5 ** ((t - w) / w)),
            _falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * np.minimum((t - w) / w, 1)))),
            _falling(lambda t, w: 0.5 * (1 + np.cos(np.pi * (t - w) / max(t.max() - w, 1)))),
        ),
    ),
    symptoms=(
        Symptom(
            "above-the-highest",
            "Somewhere your rate is higher than the highest one.",
            lambda inputs, expected, got: bool((got[0] > inputs["highest"] * (1 + 1e-9)).any()),
        ),
    ),
)


def learning_rate(answer: object) -> Verdict:
    """Check a schedule: warm-up, then inverse root.

    ``answer(step, highest, warm_up)`` takes an array of steps, counted from 1,
    the highest rate and the number of warm-up steps. Up to step ``warm_up`` the
    rate rises in a straight line from 0 to the highest; from there it falls with
    the inverse root of the step. It returns one rate for each step.
    """
    return LEARNING_RATE.check(answer)


# --------------------------------------------------------- smoothed_targets


def _smoothed_targets(target, symbols, smoothing):
    return (1 - smoothing) * np.eye(symbols)[target] + smoothing / symbols


def _with_shares(right: Callable, others: Callable) -> Callable:
    """Make targets in which the right symbol and the others have these shares."""

    def smooth(target, symbols, smoothing):
        one_hot = np.eye(symbols)[target]
        return np.where(one_hot == 1, right(symbols, smoothing), others(symbols, smoothing))

    return smooth


def _sums_are_off(inputs, expected, got):
    sums = got[0].sum(-1)
    return bool(np.isfinite(sums).all() and not np.allclose(sums, 1, atol=1e-6))


SMOOTHED_TARGETS = Exercise(
    name="smoothed_targets",
    signature="f(target, symbols, smoothing)",
    outputs=("targets",),
    reference=_smoothed_targets,
    stages=(
        (
            example(target=np.array([1]), symbols=2, smoothing=0.5),
            example(target=np.array([0, 2]), symbols=4, smoothing=0.2),
            example(target=np.array([3, 1, 1]), symbols=5, smoothing=0.1),
        ),
        (
            example(target=np.array([2, 0]), symbols=3, smoothing=0.0),
            example(target=np.array([1, 4, 0, 2]), symbols=8, smoothing=0.4),
        ),
    ),
    misconceptions=(
        misconception(
            "shared-among-the-others",
            "You share the smoothing out among the wrong symbols only. Some programs do. Here all "
            "symbols alike get a share, the right one too: smoothing divided by symbols.",
            _with_shares(lambda k, e: 1 - e, lambda k, e: e / (k - 1)),
        ),
        misconception(
            "right-one-left-out",
            "The rows do not sum to 1: the right symbol has 1 - smoothing, and its own share of "
            "the smoothing is missing.",
            _with_shares(lambda k, e: 1 - e, lambda k, e: e / k),
        ),
        misconception(
            "added-on-top",
            "The rows sum to more than 1: you add the shares and take nothing away. The right "
            "symbol's 1 becomes 1 - smoothing first.",
            lambda target, symbols, smoothing: np.eye(symbols)[target] + smoothing / symbols,
            _with_shares(lambda k, e: 1.0, lambda k, e: e / k),
            _with_shares(lambda k, e: 1.0, lambda k, e: e / (k - 1)),
        ),
        misconception(
            "smoothing-not-divided",
            "Every symbol gets the whole smoothing. It is shared out among all of them.",
            lambda target, symbols, smoothing: (
                (1 - smoothing) * np.eye(symbols)[target] + smoothing
            ),
            _with_shares(lambda k, e: 1 - e, lambda k, e: e),
        ),
        misconception(
            "smoothing-the-wrong-way",
            "The right symbol keeps the smoothing and gives away the rest. It is the other way "
            "round: the smoothing is what it gives away.",
            lambda target, symbols, smoothing: _smoothed_targets(target, symbols, 1 - smoothing),
        ),
        misconception(
            "not-smoothed",
            "These are one-hot rows: smoothing has no effect.",
            lambda target, symbols, smoothing: np.eye(symbols)[target],
        ),
        misconception(
            "uniform",
            "All symbols get the same. The right one should keep 1 - smoothing besides its share.",
            _with_shares(lambda k, e: 1 / k, lambda k, e: 1 / k),
            _with_shares(lambda k, e: e / k, lambda k, e: e / k),
        ),
        misconception(
            "one-symbol-too-few",
            "You divide the smoothing by symbols - 1, and give the right symbol a share as "
            "well. All of them get one: divide by symbols.",
            lambda target, symbols, smoothing: (
                (1 - smoothing) * np.eye(symbols)[target] + smoothing / (symbols - 1)
            ),
        ),
        misconception(
            "divided-by-the-length",
            "You divide the smoothing by the length of the text. It is shared out among the "
            "symbols.",
            lambda target, symbols, smoothing: (
                (1 - smoothing) * np.eye(symbols)[target] + smoothing / len(target)
            ),
        ),
        misconception(
            "nothing-shared-out",
            "You take the smoothing away from the right symbol, and nobody gets it. It is "
            "shared out among all symbols.",
            lambda target, symbols, smoothing: (1 - smoothing) * np.eye(symbols)[target],
        ),
        misconception(
            "neighbour-of-the-target",
            "The largest share is at the symbol before or after the right one. Symbols count "
            "from 0.",
            lambda target, symbols, smoothing: _smoothed_targets(
                (target + 1) % symbols, symbols, smoothing
            ),
            lambda target, symbols, smoothing: _smoothed_targets(target - 1, symbols, smoothing),
        ),
        misconception(
            "added-and-divided",
            "You add the shares to the one-hot rows and divide by the sum. The right symbol's 1"
            " becomes 1 - smoothing, and then the sum is 1 by itself.",
            lambda target, symbols, smoothing: (
                (np.eye(symbols)[target] + smoothing) / (1 + symbols * smoothing)
            ),
            lambda target, symbols, smoothing: (
                (np.eye(symbols)[target] + smoothing / symbols) / (1 + smoothing)
            ),
        ),
        misconception(
            "softmax",
            "You take a softmax of one-hot rows. The shares are given: 1 - smoothing for the "
            "right symbol, and smoothing divided by symbols for all.",
            lambda target, symbols, smoothing: (
                np.exp(np.eye(symbols)[target]) / (np.e + symbols - 1)
            ),
        ),
        misconception(
            "logarithms",
            "You return logarithms. The probabilities are asked for.",
            lambda target, symbols, smoothing: np.log(
                _smoothed_targets(target, symbols, smoothing)
            ),
        ),
        misconception(
            "two-symbols-left-out",
            "You divide by symbols - 2. Here all symbols get a share, the right one and padding"
            " too.",
            _with_shares(lambda k, e: 1 - e, lambda k, e: e / max(k - 2, 1)),
        ),
    ),
    symptoms=(
        Symptom(
            "rows-do-not-sum-to-1",
            "Each row should be probabilities that sum to 1. Yours does not.",
            _sums_are_off,
        ),
    ),
)


def smoothed_targets(answer: object) -> Verdict:
    """Check label smoothing.

    ``answer(target, symbols, smoothing)`` takes the right tokens, an integer array
    (length,), the number of symbols, and the share of probability that is given
    away to all symbols alike, the right one included. It returns the
    probabilities to be trained towards, (length, symbols).
    """
    return SMOOTHED_TARGETS.check(answer)


# ---------------------------------------------------------------- beam_step


def _take(scores: Array, width: int) -> tuple[Array, Array, Array]:
    """Take the best places of a rectangle (beginnings, symbols), the best first."""
    places = np.argsort(-scores, axis=None, kind="stable")[:width]
    parents, tokens = np.unravel_index(places, scores.shape)
    return scores[parents, tokens], parents, tokens


def _beam_step(totals, log_p, width):
    return _take(totals[:, None] + log_p, width)


def _ranked(scores: Callable) -> Callable:
    """Make a step that ranks, and reports, other scores than the right ones."""
    return lambda totals, log_p, width: _take(scores(totals, log_p), width)


def _one_of_each(totals, log_p, width):
    tokens = log_p.argmax(1)
    scores = totals + log_p.max(1)
    order = np.argsort(-scores)[:width]
    return scores[order], order, tokens[order]


def _one_of_each_in_order(totals, log_p, width):
    tokens = log_p.argmax(1)[:width]
    return (totals + log_p.max(1))[:width], np.arange(len(tokens)), tokens


def _of_the_best_beginning(totals, log_p, width):
    best = totals.argmax()
    tokens = np.argsort(-log_p[best])[:width]
    return totals[best] + log_p[best, tokens], np.full(len(tokens), best), tokens


def _worst(totals, log_p, width):
    scores, parents, tokens = _take(-(totals[:, None] + log_p), width)
    return -scores, parents, tokens


def _ascending(totals, log_p, width):
    return tuple(part[::-1] for part in _beam_step(totals, log_p, width))


def _in_order_of_place(totals, log_p, width):
    scores, parents, tokens = _beam_step(totals, log_p, width)
    order = np.lexsort((tokens, parents))
    return scores[order], parents[order], tokens[order]


def _split_by(number: Callable) -> Callable:
    """Make a step that divides the places by the wrong number."""

    def step(totals, log_p, width):
        scores, parents, tokens = _beam_step(totals, log_p, width)
        places = parents * log_p.shape[1] + tokens
        return scores, places // number(log_p, width), places % number(log_p, width)

    return step


def _tokens_first(totals, log_p, width):
    scores, parents, tokens = _beam_step(totals, log_p, width)
    return scores, tokens, parents


def _increments(totals, log_p, width):
    _, parents, tokens = _beam_step(totals, log_p, width)
    return log_p[parents, tokens], parents, tokens


def _probabilities(totals, log_p, width):
    scores, parents, tokens = _beam_step(totals, log_p, width)
    return np.exp(scores), parents, tokens


def _changed(change: Callable) -> Callable:
    """Make a step that keeps the right ones and reports changed totals."""

    def step(totals, log_p, width):
        scores, parents, tokens = _beam_step(totals, log_p, width)
        return change(scores), parents, tokens

    return step


def _old_totals(totals, log_p, width):
    _, parents, tokens = _beam_step(totals, log_p, width)
    return totals[parents], parents, tokens


def _along_the_columns(totals, log_p, width):
    return _take(np.resize(totals, log_p.shape[1]) + log_p, width)


def _ranked_without_totals(totals, log_p, width):
    scores, parents, tokens = _take(log_p, width)
    return scores + totals[parents], parents, tokens


def _places_returned(totals, log_p, width):
    scores, parents, tokens = _beam_step(totals, log_p, width)
    places = parents * log_p.shape[1] + tokens
    return scores, places, places


BEAM_STEP = Exercise(
    name="beam_step",
    signature="f(totals, log_p, width)",
    outputs=("totals", "parents", "tokens"),
    reference=_beam_step,
    stages=(
        (
            example(totals=[0.0], log_p=[[-1, -3, -2]], width=2),
            example(totals=[-1, -2], log_p=[[-1, -4, -5], [-0.5, -1.25, -6]], width=2),
            example(totals=[-1, -1.5], log_p=[[-2, -2.25, -7], [-6, -4, -3]], width=2),
            example(totals=[-3, -1], log_p=[[-1, -2, -3, -8], [-9, -7, -5, -6]], width=2),
            example(
                totals=[-1, -2, -4],
                log_p=[[-3, -3.5, -9], [-1, -0.75, -5], [-0.25, -6, -7]],
                width=3,
            ),
        ),
        (example(totals=[-1, -2, -4], log_p=[[-3, -9], [-1, -5], [-0.25, -7]], width=1),),
    ),
    misconceptions=(
        misconception(
            "one-of-each-beginning",
            "You keep one continuation of each beginning. All continuations compete: the best "
            "two may have the same parent, and some beginning none at all.",
            _one_of_each,
            _one_of_each_in_order,
        ),
        misconception(
            "one-beginning-only",
            "You go on from the best beginning alone. A beginning that is behind now may come out "
            "ahead: rank the continuations of all of them.",
            _of_the_best_beginning,
        ),
        misconception(
            "totals-forgotten",
            "You rank the new tokens by themselves. What counts is the whole sentence so far: add "
            "the total of its beginning.",
            _ranked(lambda totals, log_p: log_p),
        ),
        misconception(
            "totals-multiplied",
            "You multiply with the totals. Probabilities are multiplied; these are their "
            "logarithms, which are added.",
            _ranked(lambda totals, log_p: totals[:, None] * log_p),
        ),
        misconception(
            "new-tokens-reported",
            "The right ones are kept, but as totals you return what the last token adds. Return "
            "the sums: the next step needs them.",
            _increments,
        ),
        misconception(
            "worst-kept",
            "You keep the unlikeliest. np.argsort sorts from low to high; log-probabilities are "
            "negative, and the best is the one nearest to 0.",
            _worst,
        ),
        misconception(
            "best-last",
            "The right ones are kept, in reverse order. The best comes first.",
            _ascending,
        ),
        misconception(
            "not-sorted",
            "The right ones are kept, but in the order of their places. The best comes first.",
            _in_order_of_place,
        ),
        misconception(
            "divided-by-the-wrong-number",
            "A place in the flattened array is parent * symbols + token. So divide by the number "
            "of symbols, the length of a row.",
            _split_by(lambda log_p, width: len(log_p)),
            _split_by(lambda log_p, width: width),
        ),
        misconception(
            "parents-and-tokens-swapped",
            "Parents and tokens have changed places: first the beginning that is continued, then "
            "the token that is added.",
            _tokens_first,
        ),
        misconception(
            "probabilities",
            "You return probabilities. Leave the totals as logarithms: products of many "
            "probabilities become too small to be told from 0.",
            _probabilities,
        ),
        misconception(
            "old-totals-returned",
            "The right ones are kept, but you return the totals of their beginnings. Add what "
            "the new token brings.",
            _old_totals,
        ),
        misconception(
            "averaged",
            "You divide the totals by a number of tokens. The sums are asked for.",
            _changed(lambda scores: scores / 2),
            _changed(lambda scores: scores / 3),
        ),
        misconception(
            "renormalised",
            "You normalise the totals of those that are kept. Return the sums as they are: the "
            "next step needs them.",
            _changed(lambda scores: scores - np.log(np.exp(scores).sum())),
        ),
        misconception(
            "totals-subtracted",
            "You subtract the totals. Both are logarithms of probabilities, which are added.",
            _ranked(lambda totals, log_p: log_p - totals[:, None]),
        ),
        misconception(
            "probabilities-added",
            "You add probabilities. They are multiplied, so their logarithms are added.",
            _ranked(lambda totals, log_p: np.exp(totals)[:, None] + np.exp(log_p)),
            _ranked(lambda totals, log_p: np.logaddexp(totals[:, None], log_p)),
        ),
        misconception(
            "totals-along-the-columns",
            "You add the totals along the columns. There is one for each beginning, and so for "
            "each row: give them a second axis.",
            _along_the_columns,
        ),
        misconception(
            "ranked-without-totals",
            "You rank the new tokens by themselves, and add the totals afterwards. Rank the sums.",
            _ranked_without_totals,
        ),
        misconception(
            "tokens-counted-from-1",
            "Your tokens count from 1. They are places, which count from 0.",
            lambda totals, log_p, width: (lambda s, p, t: (s, p, t + 1))(
                *_beam_step(totals, log_p, width)
            ),
        ),
        misconception(
            "places-returned",
            "You return places in the flattened array. A place is parent * symbols + token: "
            "divide it.",
            _places_returned,
        ),
        misconception(
            "outputs-in-another-order",
            "The three outputs are right, in another order. First the totals, then parents, "
            "then tokens.",
            lambda totals, log_p, width: (lambda s, p, t: (p, t, s))(
                *_beam_step(totals, log_p, width)
            ),
            lambda totals, log_p, width: (lambda s, p, t: (t, p, s))(
                *_beam_step(totals, log_p, width)
            ),
            lambda totals, log_p, width: (lambda s, p, t: (p, s, t))(
                *_beam_step(totals, log_p, width)
            ),
            lambda totals, log_p, width: (lambda s, p, t: (t, s, p))(
                *_beam_step(totals, log_p, width)
            ),
        ),
    ),
)


def beam_step(answer: object) -> Verdict:
    """Check one step of a beam.

    ``answer(totals, log_p, width)`` takes the log-probabilities of the beginnings,
    (beginnings,), those of each next token after each beginning, (beginnings,
    symbols), and how many to keep. Of all continuations it returns the best: their
    log-probabilities, the numbers of the beginnings that they continue, and their
    new tokens, each (width,), the best first.
    """
    return BEAM_STEP.check(answer)


# -------------------------------------------------------------------- top_p


def _kept(p: Array, keep: Callable) -> Array:
    """Keep places of the ranked probabilities; return what is kept, in the old order."""
    order = np.argsort(-p, kind="stable")
    ranked = p[order]
    kept = np.zeros_like(p)
    chosen = keep(ranked)
    kept[order[chosen]] = ranked[chosen]
    return kept


def _share_before(ranked: Array) -> Array:
    return np.cumsum(ranked) - ranked


def _divided(kept: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        return kept / kept.sum()


def _top_p(p, share):
    return _divided(_kept(p, lambda ranked: _share_before(ranked) < share))


def _keeping(keep: Callable) -> Callable:
    """Make a truncation that keeps other places of the ranked probabilities."""
    return lambda p, share: _divided(_kept(p, lambda ranked: keep(ranked, share)))


def _unsorted(p, share):
    return _divided(np.where(_share_before(p) < share, p, 0))


def _from_the_tail(p, share):
    rest = _kept(-p, lambda ranked: _share_before(-ranked) < share)
    return _divided(-rest)


def _in_order_of_size(p, share):
    return np.sort(_top_p(p, share))[::-1]


def _only_the_kept(p, share):
    found = _top_p(p, share)
    return found[found > 0]


def _softmax_of_the_kept(p, share):
    kept = _top_p(p, share) > 0
    e = np.where(kept, np.exp(p), 0)
    return e / e.sum()


def _softmax(numbers):
    return _divided(np.exp(numbers))


def _last_one_cut(p, share):
    order = np.argsort(-p)
    before = np.cumsum(p[order]) - p[order]
    kept = np.zeros_like(p)
    kept[order] = np.clip(share - before, 0, p[order])
    return _divided(kept)


TOP_P = Exercise(
    name="top_p",
    signature="f(p, share)",
    outputs=("probabilities",),
    reference=_top_p,
    stages=(
        (
            example(p=[0.5, 0.375, 0.125], share=0.625),
            example(p=[0.125, 0.5, 0.375], share=0.625),
            example(p=[0.125, 0.25, 0.0625, 0.5625], share=0.5),
            example(p=[0.0625, 0.25, 0.1875, 0.375, 0.125], share=0.6),
        ),
        (
            example(p=[0.25, 0.75], share=0.5),
            example(p=[0.125, 0.25, 0.625], share=1.0),
            example(p=[0.25, 0.125, 0.625], share=0.875),
        ),
    ),
    misconceptions=(
        misconception(
            "last-one-missing",
            "You stop one token too early: those you keep have less than the share together. The "
            "token with which the share is reached belongs to them.",
            _keeping(lambda ranked, share: np.cumsum(ranked) <= share),
            _keeping(lambda ranked, share: np.cumsum(ranked) < share),
        ),
        misconception(
            "one-too-many",
            "You keep one token more than it takes. As soon as the share is reached, no further "
            "token is kept.",
            _keeping(lambda ranked, share: _share_before(ranked) <= share),
            _keeping(
                lambda ranked, share: (
                    np.arange(len(ranked)) < (_share_before(ranked) < share).sum() + 1
                )
            ),
        ),
        misconception(
            "not-divided",
            "The right tokens are kept, but their probabilities no longer sum to 1. Divide by "
            "their sum.",
            lambda p, share: _kept(p, lambda ranked: _share_before(ranked) < share),
        ),
        misconception(
            "softmax-again",
            "You put probabilities through a softmax, which makes them more alike. Divide by their "
            "sum instead.",
            _softmax_of_the_kept,
            lambda p, share: _softmax(_top_p(p, share) * p[_top_p(p, share) > 0].sum()),
            lambda p, share: _top_p(_softmax(p), share),
        ),
        misconception(
            "not-sorted",
            "You add up in the order of the vocabulary. Start with the likeliest token, whatever "
            "its number.",
            _unsorted,
        ),
        misconception(
            "unlikeliest-kept",
            "You start with the unlikeliest token. np.argsort sorts from low to high.",
            _from_the_tail,
        ),
        misconception(
            "order-lost",
            "The numbers are right, but sorted by size. Each must stand at the place of its token.",
            _in_order_of_size,
        ),
        misconception(
            "places-lost",
            "You return the kept ones alone. Then nobody knows whose they are: return one number "
            "for each token, 0 for those that are not kept.",
            _only_the_kept,
        ),
        misconception(
            "share-as-threshold",
            "You compare each probability by itself with the share. It is their sum that counts, "
            "from the likeliest on.",
            _keeping(lambda ranked, share: ranked >= share),
            _keeping(lambda ranked, share: ranked >= 1 - share),
            _keeping(lambda ranked, share: ranked > 1 - share),
        ),
        misconception(
            "nothing-dropped",
            "You drop no token.",
            lambda p, share: p,
        ),
        misconception(
            "only-the-best",
            "You keep the likeliest token alone. Keep as many as it takes to reach the share.",
            _keeping(lambda ranked, share: np.arange(len(ranked)) < 1),
        ),
        misconception(
            "threshold",
            "You compare each probability with a number by itself. Add them up from the "
            "likeliest on, until the share is reached.",
            lambda p, share: np.where(p >= share, p, 0) / max(p[p >= share].sum(), 1e-9),
            lambda p, share: _divided(np.where(p >= share * p.max(), p, 0)),
        ),
        misconception(
            "a-share-of-the-tokens",
            "You keep a share of the number of tokens. Keep as many as it takes for their "
            "probabilities to reach the share.",
            lambda p, share: _divided(p * (np.argsort(np.argsort(-p)) < np.ceil(share * len(p)))),
        ),
        misconception(
            "divided-by-the-share",
            "You divide by the share. What is kept may have more than that: divide by its sum.",
            lambda p, share: _top_p(p, share) * p[_top_p(p, share) > 0].sum() / share,
        ),
        misconception(
            "equal-probabilities",
            "The right tokens are kept, but all have the same probability. They keep their "
            "proportions.",
            lambda p, share: _divided((_top_p(p, share) > 0).astype(float)),
        ),
        misconception(
            "ones-returned",
            "You return 1 for each token that is kept. Return its probability, divided by the "
            "sum of those kept.",
            lambda p, share: (_top_p(p, share) > 0).astype(float),
        ),
        misconception(
            "dropped-tokens-kept",
            "You keep exactly those that should be dropped.",
            lambda p, share: _divided(np.where(_top_p(p, share) > 0, 0, p)),
        ),
        misconception(
            "mask-in-order-of-size",
            "Which places are kept is said in order of size, but you apply it to p in order of "
            "the vocabulary. Go back with the order that argsort gave.",
            lambda p, share: _divided(p * (np.arange(len(p)) < (_top_p(p, share) > 0).sum())),
        ),
        misconception(
            "last-one-cut",
            "The last token that is kept is cut, so that the sum is the share exactly. A token "
            "is kept as a whole.",
            _last_one_cut,
        ),
    ),
)


def top_p(answer: object) -> Verdict:
    """Check nucleus truncation.

    ``answer(p, share)`` takes the probabilities of all tokens and a share. It
    keeps the likeliest tokens, as many as it takes until together they have at
    least that share, sets all others to 0, and divides by what is left. It returns
    one probability for each token, in the old order.
    """
    return TOP_P.check(answer)


# ---------------------------------------------------------------- flip_rate


def _flip_rate(before, cut, control):
    right = before > 0
    return (cut[right] < 0).mean() - (control[right] < 0).mean()


def _of_two(rate: Callable) -> Callable:
    """Make a difference of two rates, each from the logits before and after."""
    return lambda before, cut, control: rate(before, cut) - rate(before, control)


def _flips(before, after):
    """Give the share of what was right before that is wrong after."""
    return (after[before > 0] < 0).mean()


FLIP_RATE = Exercise(
    name="flip_rate",
    signature="f(before, cut, control)",
    outputs=("effect",),
    reference=_flip_rate,
    stages=(
        (
            example(before=[2, 1], cut=[-1, 3], control=[1, 1]),
            example(before=[2, 1, -3], cut=[-1, 3, -2], control=[1, 2, -3]),
            example(before=[4, 1, -3, 2], cut=[-1, -3, 5, 3], control=[3, -1, -2, 2]),
            example(before=[4, 1, -3, 2, 1], cut=[-1, -3, 5, -1, 1], control=[3, -1, 2, 2, 4]),
        ),
        (
            example(before=[3, 2, 1], cut=[2, 1, 0.5], control=[3, 2, 1]),
            example(before=[1, 5, -2, -1], cut=[2, 5, 1, -9], control=[-1, -4, 3, -1]),
            example(
                before=[0.4, 2, -0.3, 0.7], cut=[-0.2, 0.6, -5, 0.1], control=[0.3, -0.5, 4, 0.8]
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "control-forgotten",
            "The control has no effect on your result. What cutting any edge does is no finding: "
            "take the control's flip rate away.",
            lambda before, cut, control: (cut[before > 0] < 0).mean(),
        ),
        misconception(
            "control-added",
            "You add the control's rate. Take it away.",
            lambda before, cut, control: (
                (cut[before > 0] < 0).mean() + (control[before > 0] < 0).mean()
            ),
        ),
        misconception(
            "wrong-sign",
            "Your result has the wrong sign. Count what becomes wrong, not what stays right, and "
            "take the control's rate away from the edge's.",
            lambda before, cut, control: _flip_rate(before, control, cut),
        ),
        misconception(
            "divided-by-all",
            "You divide by the number of all sentences. Only those that were right before can "
            "flip: divide by their number.",
            _of_two(lambda before, after: ((before > 0) & (after < 0)).mean()),
        ),
        misconception(
            "both-ways",
            "You count every change of sign. A sentence that was wrong before and becomes right "
            "is no flip: look at those that were right.",
            _of_two(lambda before, after: ((before > 0) != (after > 0)).mean()),
        ),
        misconception(
            "wrong-after",
            "You count what is wrong after the cut, of all sentences. Some were wrong before, so "
            "the cut has not done it.",
            _of_two(lambda before, after: (after < 0).mean()),
        ),
        misconception(
            "of-the-wrong-ones",
            "You look at the sentences that were wrong before. Positive means right: it is the "
            "logit of the right pronoun minus that of the wrong one.",
            _of_two(
                lambda before, after: (
                    (after[before < 0] > 0).mean() if (before < 0).any() else np.nan
                )
            ),
        ),
        misconception(
            "counts",
            "You return a number of sentences. Return a share of those that were right before.",
            _of_two(lambda before, after: (after[before > 0] < 0).sum()),
        ),
        misconception(
            "mean-fall",
            "You measure how far the logits fall. The question is how often the pronoun changes: "
            "count signs.",
            _of_two(lambda before, after: (before - after).mean()),
            _of_two(lambda before, after: (before - after)[before > 0].mean()),
        ),
        misconception(
            "percent",
            "You return percent. A share lies between 0 and 1.",
            lambda before, cut, control: 100 * _flip_rate(before, cut, control),
        ),
        misconception(
            "ratio",
            "You divide the two rates. Subtract the control's.",
            lambda before, cut, control: _flips(before, cut) / _flips(before, control),
            lambda before, cut, control: _flips(before, cut) / max(_flips(before, control), 1e-9),
        ),
        misconception(
            "sign-dropped",
            "A control that flips more than the edge gives a negative result. You drop its "
            "sign, or return 0.",
            lambda before, cut, control: abs(_flip_rate(before, cut, control)),
            lambda before, cut, control: max(_flip_rate(before, cut, control), 0),
        ),
        misconception(
            "control-of-all-sentences",
            "You take the control's rate over all sentences. It is over those that were right "
            "before, as the edge's is.",
            lambda before, cut, control: _flips(before, cut) - (control < 0).mean(),
        ),
        misconception(
            "compared-with-before",
            "You count the sentences whose logit falls. A sentence flips when its sign changes.",
            lambda before, cut, control: (
                (cut < before)[before > 0].mean() - (control < before)[before > 0].mean()
            ),
        ),
        misconception(
            "cut-compared-with-control",
            "You compare the two cuts sentence by sentence. Count what each of them makes "
            "wrong, and subtract the shares.",
            lambda before, cut, control: (cut < control)[before > 0].mean(),
            lambda before, cut, control: ((cut < 0) & (control > 0))[before > 0].mean(),
        ),
        misconception(
            "wrong-ones-mended",
            "You look at the sentences that were wrong before. A flip makes a right one wrong.",
            lambda before, cut, control: (
                (((before < 0) & (cut > 0)).sum() - ((before < 0) & (control > 0)).sum())
                / max((before < 0).sum(), 1)
            ),
        ),
        misconception(
            "right-under-the-control",
            "You look at the sentences that are right with the control cut. Look at those that "
            "were right before.",
            lambda before, cut, control: _flips(control, cut),
        ),
        misconception(
            "halved",
            "You take half of the difference.",
            lambda before, cut, control: _flip_rate(before, cut, control) / 2,
        ),
    ),
)


def flip_rate(answer: object) -> Verdict:
    """Check a flip rate with its control.

    ``answer(before, cut, control)`` takes three arrays with a number for each
    sentence: the logit of the right pronoun minus that of the wrong one, in the
    model as it is, with an edge cut, and with a control edge cut. Of the sentences
    that are right before, it returns the share that are wrong with the edge cut,
    minus the share that are wrong with the control cut.
    """
    return FLIP_RATE.check(answer)


EXERCISES = (LEARNING_RATE, SMOOTHED_TARGETS, BEAM_STEP, TOP_P, FLIP_RATE)
