"""The exercises of chapter 10, What attention costs.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, close, example, misconception

Array = np.ndarray

# ----------------------------------------------------- length_of_equal_work


def _equal_work(
    projections: int = 4,
    feed_forward: int = 2,
    attention: int = 2,
) -> Callable:
    """Find the length with these many products in each place; right are 4, 2 and 2."""
    return lambda d_model, d_ff: (projections * d_model + feed_forward * d_ff) / attention


LENGTH_OF_EQUAL_WORK = Exercise(
    name="length_of_equal_work",
    signature="f(d_model, d_ff)",
    outputs=("length",),
    reference=_equal_work(),
    stages=(
        (
            example(d_model=2, d_ff=8),
            example(d_model=3, d_ff=5),
            example(d_model=64, d_ff=64),
            example(d_model=512, d_ff=2048),
        ),
    ),
    misconceptions=(
        misconception(
            "no-output-projection",
            "You count W_Q, W_K and W_V. There is a fourth projection, W_O, as large as the "
            "others.",
            _equal_work(projections=3),
        ),
        misconception(
            "projections-missing",
            "You count too few of the projections. Each position is multiplied with four matrices: "
            "W_Q, W_K, W_V and W_O.",
            _equal_work(projections=1),
            _equal_work(projections=2),
        ),
        misconception(
            "no-projections",
            "You compare with the feed-forward layer alone. The four projections belong to the "
            "same side.",
            _equal_work(projections=0),
        ),
        misconception(
            "no-feed-forward",
            "You compare with the projections alone. The feed-forward layer belongs to the same "
            "side, and it has two matrices.",
            _equal_work(feed_forward=0),
        ),
        misconception(
            "feed-forward-counted-once",
            "You count one matrix of the feed-forward layer. It has two: one widens, the other "
            "narrows.",
            _equal_work(feed_forward=1),
        ),
        misconception(
            "scores-only",
            "Your length is twice too long: you count the scores, but not the averages. When the "
            "weights are there, they are multiplied with the values, which takes as much again.",
            _equal_work(attention=1),
        ),
        misconception(
            "not-together",
            "You compare with one of the other two, the larger or the smaller. The question is "
            "about both together.",
            lambda d_model, d_ff: max(2 * d_model, d_ff),
            lambda d_model, d_ff: min(2 * d_model, d_ff),
        ),
        misconception(
            "d_ff-ignored",
            "You take d_ff to be 4 d_model. It often is, but here it is given, and may be another "
            "number.",
            lambda d_model, d_ff: 6 * d_model,
        ),
        misconception(
            "width-not-cancelled",
            "There is one d_model too many in your length. All three counts have it as a factor, "
            "that of the scores and averages too: divide by all of what stands beside n.",
            lambda d_model, d_ff: d_model * _equal_work()(d_model, d_ff),
            lambda d_model, d_ff: 2 * d_model * _equal_work()(d_model, d_ff),
            lambda d_model, d_ff: 2 * d_model**2 + d_ff,
        ),
        misconception(
            "root",
            "You take a root. The projections and the feed-forward layer work on n positions too: "
            "one n cancels, and of the square a single n is left.",
            lambda d_model, d_ff: np.sqrt(_equal_work()(d_model, d_ff)),
            lambda d_model, d_ff: np.sqrt(d_model * _equal_work()(d_model, d_ff)),
        ),
    ),
    symptoms=(
        Symptom(
            "too-long",
            "Your length is too long. Write down the three counts for this example and put your "
            "length in for n.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-short",
            "Your length is too short. Write down the three counts for this example and put your "
            "length in for n.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def length_of_equal_work(answer: object) -> Verdict:
    """Check the length from which on attention is half of the work.

    ``answer(d_model, d_ff)`` takes the widths of an encoder layer. On n positions
    its four projections take 4 n d_model² multiplications, its feed-forward layer
    2 n d_model d_ff, its scores and averages 2 n² d_model. It returns the n at
    which the last are as many as the other two together.
    """
    return LENGTH_OF_EQUAL_WORK.check(answer)


# ----------------------------------------------------------------- read_key


def _shrink(old, new):
    return np.exp(old - new)


def _keep(old, new):
    return 1.0


def _count(score, old, new):
    return np.exp(score - new)


def _reading(
    total_by: Callable = _shrink,
    weighted_by: Callable = _shrink,
    total_adds: Callable = _count,
    weighted_adds: Callable = _count,
    larger: Callable = np.maximum,
) -> Callable:
    """Make a reading of one key in which some step may be another than the right one."""

    def read_key(largest, total, weighted, score, value):
        new = larger(largest, score)
        total = total * total_by(largest, new) + total_adds(score, largest, new)
        added = weighted_adds(score, largest, new) * value
        return new, total, weighted * weighted_by(largest, new) + added

    return read_key


def _read_key(largest, total, weighted, score, value):
    if score == -np.inf:
        return np.float64(largest), np.float64(total), weighted.copy()
    return _reading()(largest, total, weighted, score, value)


def _adding(count: Callable, **changed: Callable) -> Callable:
    """Make a reading in which the new key counts otherwise, in both sums alike."""
    return _reading(total_adds=count, weighted_adds=count, **changed)


def _plain(score, old, new):
    return np.exp(score)


def _beyond_the_old(score, old, new):
    return np.exp(score - old)


def _one(score, old, new):
    return 1.0


def _only_larger_scores(largest, total, weighted, score, value):
    if score > largest:
        return _read_key(largest, total, weighted, score, value)
    return largest, total, weighted


def _average_of_sums(largest, total, weighted, score, value):
    largest, total, weighted = _read_key(largest, total, weighted, score, value)
    return largest, total, weighted / total


def _average_of_averages(largest, total, weighted, score, value):
    return _average_of_sums(largest, total, weighted * total, score, value)


def _there_and_back(largest, total, weighted, score, value):
    """Go over the plain exponentials."""
    new = np.maximum(largest, score)
    total = total * np.exp(largest) + np.exp(score)
    weighted = weighted * np.exp(largest) + np.exp(score) * value
    return new, total / np.exp(new), weighted / np.exp(new)


def _first_key_counts(largest, total, weighted, score, value):
    if largest == -np.inf:
        return score, 1.0, value
    return _read_key(largest, total, weighted, score, value)


def _with_factors(choose: Callable) -> Callable:
    """Make a reading in which the old sums, and the new key, count with other factors."""

    def read_key(largest, total, weighted, score, value):
        if score == -np.inf:
            return largest, total, weighted
        new = np.maximum(largest, score)
        of_old, of_new = choose(np.exp(largest - new), np.exp(score - new))
        return new, total * of_old + of_new, weighted * of_old + of_new * value

    return read_key


def _larger_total(largest, total, weighted, score, value):
    new, _, weighted = _read_key(largest, total, weighted, score, value)
    return new, np.maximum(total * np.exp(largest - new), np.exp(score - new)), weighted


READ_KEY = Exercise(
    name="read_key",
    signature="f(largest, total, weighted, score, value)",
    outputs=("largest", "total", "weighted"),
    reference=_read_key,
    stages=(
        (
            example(largest=2.0, total=1.5, weighted=[3], score=1.0, value=[5]),
            example(largest=1.0, total=1.5, weighted=[3], score=2.0, value=[5]),
            example(largest=3.0, total=2.0, weighted=[4, -1], score=2.5, value=[1, 6]),
            example(largest=-1.0, total=2.0, weighted=[4, -1, 2], score=0.5, value=[1, 6, 3]),
        ),
        (
            example(largest=2.0, total=1.0, weighted=[3], score=2.0, value=[5]),
            example(largest=-np.inf, total=0.0, weighted=[0], score=1.5, value=[4]),
            example(largest=1000.0, total=1.5, weighted=[3], score=1001.0, value=[5]),
            example(largest=-999.0, total=1.5, weighted=[3], score=-1000.0, value=[5]),
            example(largest=-np.inf, total=0.0, weighted=[0, 0], score=-3.0, value=[2, 7]),
        ),
        (
            example(largest=1.0, total=1.5, weighted=[3], score=-np.inf, value=[5]),
            example(largest=-np.inf, total=0.0, weighted=[0], score=-np.inf, value=[5]),
        ),
    ),
    misconceptions=(
        misconception(
            "not-rescaled",
            "When a larger score comes, you leave the old sums as they are. They are relative to "
            "the old largest score, and the new key is added relative to the new one: bring both "
            "sums over first.",
            _reading(total_by=_keep, weighted_by=_keep),
        ),
        misconception(
            "total-not-rescaled",
            "You rescale the weighted sum and not the total. Both were summed relative to the old "
            "largest score.",
            _reading(total_by=_keep),
        ),
        misconception(
            "weighted-not-rescaled",
            "You rescale the total and not the weighted sum. Both were summed relative to the old "
            "largest score.",
            _reading(weighted_by=_keep),
        ),
        misconception(
            "rescaled-the-wrong-way",
            "When a larger score comes, your old sums grow. Beside a larger score the old keys "
            "count for less: look at the sign in the exponential.",
            _reading(
                total_by=lambda old, new: np.exp(new - old),
                weighted_by=lambda old, new: np.exp(new - old),
            ),
        ),
        misconception(
            "relative-to-the-old-largest",
            "You add the new key relative to the old largest score, but return the new one. What "
            "is returned has to be relative to what is returned with it.",
            _adding(_beyond_the_old),
            _adding(_beyond_the_old, total_by=_keep, weighted_by=_keep),
        ),
        misconception(
            "largest-stays",
            "The new score is larger, and your largest is still the old one. The sums fit to it, "
            "but a much larger score would overflow.",
            _reading(larger=lambda old, score: old),
        ),
        misconception(
            "last-score-for-largest",
            "As largest you return the last score, though the one before was larger. The sums fit "
            "to it, but after a very small score they would overflow.",
            _reading(larger=lambda old, score: score),
        ),
        misconception(
            "smaller-for-largest",
            "As largest you return the smaller one of the two.",
            _reading(larger=np.minimum),
        ),
        misconception(
            "new-key-not-weighted",
            "A key whose score is not the largest counts for less than 1, in the total and in the "
            "weighted sum alike. In one of them, or in both, yours counts 1.",
            _adding(_one),
            _reading(total_adds=_one),
            _reading(weighted_adds=_one),
        ),
        misconception(
            "smaller-scores-ignored",
            "A key whose score is not the largest leaves no trace. It is averaged too, and counts "
            "for less than 1.",
            _only_larger_scores,
        ),
        misconception(
            "plain-exponentials",
            "You add the exponential of the score itself. The old sums are relative to the largest "
            "score: what is added to them must be, too.",
            _adding(_plain),
            _adding(_plain, total_by=_keep, weighted_by=_keep),
        ),
        misconception(
            "divided-at-each-step",
            "You return an average in place of the weighted sum. Divide by the total once, when "
            "all keys are read: the next key has to be added to a sum.",
            _average_of_sums,
            _average_of_averages,
        ),
        misconception(
            "overflows",
            "Right, until the scores are far from 0: the exponential of such a score itself is "
            "infinite, or 0, and NaN is what is left. Take exponentials of differences alone, "
            "which are never positive.",
            _there_and_back,
        ),
        misconception(
            "nan-while-nothing-is-seen",
            "You subtract infinity from infinity: no key has been seen yet, and the first may not "
            "be attended to. What should such a key change?",
            _reading(),
        ),
        misconception(
            "first-key-always-counts",
            "You take in the first key whatever its score is. A score of -inf says that the key "
            "may not be attended to, be it the first or not.",
            _first_key_counts,
        ),
        misconception(
            "factors-swapped",
            "The two exponentials have changed places: the old sums are multiplied by that of "
            "the new score.",
            _with_factors(lambda old, new: (new, old)),
        ),
        misconception(
            "only-the-new-key",
            "Your sums hold the new key alone. What was summed before has to stay in them, "
            "rescaled.",
            _with_factors(lambda old, new: (0.0 * old, new)),
            _reading(total_by=lambda old, new: 0.0),
            _reading(weighted_by=lambda old, new: 0.0),
        ),
        misconception(
            "larger-one-for-the-sum",
            "As total you keep the larger one of the old total and the new exponential. They "
            "are added.",
            _larger_total,
        ),
        misconception(
            "keys-counted",
            "Your total counts keys. It adds up exponentials.",
            _reading(total_by=_keep, total_adds=_one),
        ),
        misconception(
            "log-total-returned",
            "You return the logarithm of the total. The total itself is asked for.",
            lambda *given: (lambda m, t, w: (m, np.log(t), w))(*_read_key(*given)),
        ),
        misconception(
            "base-two",
            "You took powers of 2. Here they are powers of e.",
            _with_factors(lambda old, new: (old ** np.log(2), new ** np.log(2))),
        ),
        misconception(
            "subtracted",
            "You subtract the new exponential. Both sums grow by what the key brings.",
            _with_factors(lambda old, new: (old, -new)),
            _reading(total_adds=lambda score, old, new: -np.exp(score - new)),
            _reading(weighted_adds=lambda score, old, new: -np.exp(score - new)),
        ),
        misconception(
            "rescaled-twice",
            "The old sums are rescaled twice. Once brings them over.",
            _with_factors(lambda old, new: (old * old, new)),
            _reading(total_by=lambda old, new: np.exp(2 * (old - new))),
            _reading(weighted_by=lambda old, new: np.exp(2 * (old - new))),
        ),
        misconception(
            "new-key-rescaled-too",
            "You rescale after adding the new key. Only the old sums are rescaled: the new key "
            "is relative to the new largest score already.",
            _with_factors(lambda old, new: (old, new * old)),
        ),
        misconception(
            "score-as-weight",
            "You add the score times the value. What counts is its exponential, relative to the"
            " largest score.",
            _reading(weighted_adds=lambda score, old, new: score),
            _reading(weighted_adds=lambda score, old, new: score - new),
        ),
    ),
    symptoms=(
        Symptom(
            "masked-key",
            "A score of -inf says that the key may not be attended to. Reading it should leave "
            "everything as it was.",
            lambda inputs, expected, got: inputs["score"] == -np.inf,
        ),
        Symptom(
            "wrong-largest",
            "Look at your largest: it is the larger one of the score and of what was the largest "
            "before.",
            lambda inputs, expected, got: bool(
                np.isfinite(got[0]) and not close(got[0], expected[0])
            ),
        ),
    ),
)


def read_key(answer: object) -> Verdict:
    """Check one step of the online softmax: one key is read, for one query.

    ``answer(largest, total, weighted, score, value)`` takes what the query
    remembers: the largest score so far, the sum of exp(score - largest), and the
    sum of exp(score - largest) * value, an array (d_v,). At the start these are
    -inf, 0 and zeros. Then come the score and the value, (d_v,), of the next key;
    with a score of -inf it may not be attended to, and nothing changes. It returns
    the three anew.
    """
    return READ_KEY.check(answer)


# ------------------------------------------------------------ merge_outputs


def _naive_shares(a, b):
    total = np.exp(a) + np.exp(b)
    return np.exp(a) / total, np.exp(b) / total


def _naive_log_total(a, b):
    return np.log(np.exp(a) + np.exp(b))


def _relative_to(chosen: Callable) -> tuple[Callable, Callable]:
    """Make shares and a log total that take away ``chosen(a, b)`` before any exponential."""

    def shares(a, b):
        return _naive_shares(a - chosen(a, b), b - chosen(a, b))

    def log_total(a, b):
        return chosen(a, b) + _naive_log_total(a - chosen(a, b), b - chosen(a, b))

    return shares, log_total


_shares, _log_total = _relative_to(np.maximum)


def _merging(
    shares: Callable = _shares,
    log_total: Callable = _log_total,
) -> Callable:
    """Make a merge in which the shares of the two parts, or the log total, may be wrong."""

    def merge(output_a, log_total_a, output_b, log_total_b):
        share_a, share_b = shares(log_total_a, log_total_b)
        output = share_a[:, None] * output_a + share_b[:, None] * output_b
        return output, log_total(log_total_a, log_total_b)

    return merge


# What may stand for the log total beside a wrong output.
_LOG_TOTALS = (_log_total, np.add, np.maximum, lambda a, b: (a + b) / 2)


def _constant(share: float) -> Callable:
    return lambda a, b: (np.full_like(a, share), np.full_like(b, share))


def _naive_and_the_rest(a, b):
    share_a, _ = _naive_shares(a, b)
    return share_a, 1 - share_a


def _the_rest_and_naive(a, b):
    _, share_b = _naive_shares(a, b)
    return 1 - share_b, share_b


def _of_all_queries(log_total: Array) -> Array:
    e = np.exp(log_total - log_total.max())
    return e / e.sum()


def _largest_of_all(a, b):
    return max(a.max(), b.max())


def _along_the_columns(output_a, log_total_a, output_b, log_total_b):
    share_a, share_b = _shares(log_total_a, log_total_b)
    return share_a * output_a + share_b * output_b, _log_total(log_total_a, log_total_b)


def _is_outside(inputs, expected, got):
    low = np.minimum(inputs["output_a"], inputs["output_b"])
    high = np.maximum(inputs["output_a"], inputs["output_b"])
    return bool(((got[0] < low - 1e-6) | (got[0] > high + 1e-6)).any())


def _is_below_a_part(inputs, expected, got):
    larger = np.maximum(inputs["log_total_a"], inputs["log_total_b"])
    return bool((got[1] < larger - 1e-6).any())


MERGE_OUTPUTS = Exercise(
    name="merge_outputs",
    signature="f(output_a, log_total_a, output_b, log_total_b)",
    outputs=("output", "log_total"),
    reference=_merging(),
    stages=(
        (
            example(output_a=[[2]], log_total_a=[1], output_b=[[6]], log_total_b=[2]),
            example(output_a=[[2, 5]], log_total_a=[1.5], output_b=[[6, -3]], log_total_b=[0.5]),
            example(
                output_a=[[2, 5], [1, 0]],
                log_total_a=[1, 0.5],
                output_b=[[6, -3], [4, 2]],
                log_total_b=[2, -1.5],
            ),
            example(
                output_a=[[2, 5], [1, 0], [3, 3]],
                log_total_a=[2, -1, 0],
                output_b=[[6, -3], [4, 2], [-1, 5]],
                log_total_b=[1.5, 0.5, 1],
            ),
        ),
        (
            example(output_a=[[2]], log_total_a=[900], output_b=[[6]], log_total_b=[901]),
            example(output_a=[[2]], log_total_a=[-900], output_b=[[6]], log_total_b=[-901]),
            example(
                output_a=[[2], [1]],
                log_total_a=[900, 1],
                output_b=[[6], [4]],
                log_total_b=[901, 2],
            ),
            example(
                output_a=[[2], [1]],
                log_total_a=[900, -900],
                output_b=[[6], [4]],
                log_total_b=[-900, 900],
            ),
            example(
                output_a=[[0], [3]],
                log_total_a=[-np.inf, 1],
                output_b=[[6], [0]],
                log_total_b=[2, -np.inf],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "plain-mean",
            "You take the plain mean of the two outputs. A part whose total is larger has more to "
            "say: in the softmax over all keys its keys have more of the weight.",
            *(_merging(_constant(0.5), log_total) for log_total in _LOG_TOTALS),
        ),
        misconception(
            "outputs-added",
            "You add the outputs. Each is an average already; together they are one again, so the "
            "shares of the two parts have to sum to 1.",
            *(_merging(_constant(1.0), log_total) for log_total in _LOG_TOTALS),
        ),
        misconception(
            "weighted-by-the-logs",
            "You weight the outputs by the log totals. They are logarithms: what the parts share "
            "out are the totals themselves.",
            *(_merging(lambda a, b: (a / (a + b), b / (a + b)), log) for log in _LOG_TOTALS),
            *(_merging(lambda a, b: (a, b), log) for log in _LOG_TOTALS),
        ),
        misconception(
            "shares-swapped",
            "You have swapped the shares: each output is weighted by the total of the other part.",
            _merging(lambda a, b: _shares(a, b)[::-1]),
        ),
        misconception(
            "not-divided",
            "You weight the outputs by their totals, and leave it there. To be an average, the sum "
            "has to be divided by both totals together.",
            _merging(lambda a, b: (np.exp(a), np.exp(b))),
            _merging(lambda a, b: (np.exp(a - np.maximum(a, b)), np.exp(b - np.maximum(a, b)))),
        ),
        misconception(
            "shared-among-queries",
            "Your shares sum to 1 over the queries. Each query has shares of its own, one for each "
            "of the two parts.",
            _merging(lambda a, b: (_of_all_queries(a), _of_all_queries(b))),
        ),
        misconception(
            "along-the-columns",
            "You multiply the shares along the columns. There is one for each query, and so for "
            "each row: give them a second axis.",
            _along_the_columns,
        ),
        misconception(
            "log-totals-added",
            "The output is right. As log total you add, or average, the two logs. It is the totals "
            "that add up: the sum of two logs is the log of their product.",
            _merging(log_total=np.add),
            _merging(log_total=lambda a, b: (a + b) / 2),
        ),
        misconception(
            "larger-log-total",
            "The output is right. As log total you return the larger one of the two: the keys of "
            "the other part are not in it.",
            _merging(log_total=np.maximum),
        ),
        misconception(
            "log-forgotten",
            "The output is right. As log total you return the total: its logarithm is asked for.",
            _merging(log_total=lambda a, b: np.exp(a) + np.exp(b)),
        ),
        misconception(
            "largest-not-added-back",
            "The output is right. From the log totals you have taken away the larger one, so that "
            "nothing overflows. To the log of the sum it has to be added again.",
            _merging(log_total=lambda a, b: np.log1p(np.exp(-np.abs(a - b)))),
        ),
        misconception(
            "overflows",
            "Right, until the log totals are far from 0: the total itself is then infinite, or 0. "
            "Take away the larger log total before you take exponentials.",
            *(
                _merging(shares, log_total)
                for shares in (_naive_shares, _naive_and_the_rest, _the_rest_and_naive)
                for log_total in (_naive_log_total, _log_total)
            ),
            _merging(log_total=_naive_log_total),
        ),
        misconception(
            "one-largest-for-all",
            "Right, until the queries differ much: you take away the largest log total of all "
            "queries, and where both parts of a query are far below it, two zeros are left. Each "
            "query has a larger one of its own.",
            _merging(*_relative_to(_largest_of_all)),
            _merging(_relative_to(_largest_of_all)[0]),
            _merging(log_total=_relative_to(_largest_of_all)[1]),
        ),
        misconception(
            "measured-against-one-part",
            "Right, until one part is very much larger than the other: you take away the log total "
            "of one and the same part, whichever is larger, and the exponential overflows.",
            _merging(*_relative_to(lambda a, b: a)),
            _merging(*_relative_to(lambda a, b: b)),
            _merging(log_total=_relative_to(lambda a, b: a)[1]),
            _merging(log_total=_relative_to(lambda a, b: b)[1]),
        ),
        misconception(
            "base-two",
            "You took powers of 2. The log totals are logarithms to the base e.",
            _merging(lambda a, b: _shares(a * np.log(2), b * np.log(2))),
            _merging(log_total=np.logaddexp2),
            _merging(lambda a, b: _shares(a * np.log(2), b * np.log(2)), np.logaddexp2),
        ),
        misconception(
            "winner-takes-all",
            "You return the output of the part whose total is larger. The other part has its "
            "share too.",
            *(_merging(lambda a, b: (1.0 * (a >= b), 1.0 * (a < b)), log) for log in _LOG_TOTALS),
        ),
        misconception(
            "log-total-of-one-part",
            "The output is right. As log total you return that of one part: the keys of the "
            "other are missing in it.",
            _merging(log_total=lambda a, b: a),
            _merging(log_total=lambda a, b: b),
            _merging(log_total=np.minimum),
        ),
        misconception(
            "log-totals-multiplied",
            "The output is right. You multiply the log totals: the totals themselves are added.",
            _merging(log_total=np.multiply),
        ),
        misconception(
            "mean-of-the-totals",
            "The output is right. Your log total is that of the mean of the totals: they are "
            "added.",
            _merging(log_total=lambda a, b: _log_total(a, b) - np.log(2)),
        ),
        misconception(
            "halved",
            "Your shares sum to a half. The share of a part is its total, divided by both "
            "totals together.",
            _merging(lambda a, b: tuple(share / 2 for share in _shares(a, b))),
        ),
        misconception(
            "sigmoid-of-each",
            "You make each share from its own log total alone. A share says how large a total "
            "is beside the other.",
            _merging(lambda a, b: (1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b)))),
        ),
        misconception(
            "relative-to-the-other",
            "You weight each output by its total divided by the other total. Divide by both "
            "together.",
            _merging(lambda a, b: (np.exp(a - b), np.exp(b - a))),
        ),
        misconception(
            "one-share-missing",
            "Only one of the outputs is weighted.",
            _merging(lambda a, b: (_shares(a, b)[0], np.ones_like(b))),
            _merging(lambda a, b: (np.ones_like(a), _shares(a, b)[1])),
        ),
    ),
    symptoms=(
        Symptom(
            "outside",
            "An average lies between what is averaged. Somewhere your output is larger, or "
            "smaller, than both of the outputs it is made of.",
            _is_outside,
        ),
        Symptom(
            "log-total-too-small",
            "Somewhere your log total is smaller than that of one part. More keys make a total "
            "larger.",
            _is_below_a_part,
        ),
    ),
)


def merge_outputs(answer: object) -> Verdict:
    """Check the merging of two outputs, each of attention to a part of the keys.

    ``answer(output_a, log_total_a, output_b, log_total_b)`` takes, for each of two
    parts, the output (queries, d_v) and the log of the sum of exp(score), (queries,).
    Where a query may attend to no key of one part, that log is -inf and that row of
    the output is zero; this is never so in both. It returns the output and the
    log total of all keys together.
    """
    return MERGE_OUTPUTS.check(answer)


# -------------------------------------------------------------- cached_step


def _softmax(scores: Array) -> Array:
    e = np.exp(scores - scores.max(initial=-np.inf))
    return e / e.sum()


def _behind(old, new):
    return np.concatenate([old, new[None]])


def _root_of_d_k(d_model, d_k, count):
    return 1 / np.sqrt(d_k)


def _stepping(
    project: Callable = lambda x, W_Q, W_K, W_V: (x @ W_Q, x @ W_K, x @ W_V),
    append: Callable = _behind,
    seen: Callable = lambda old, grown: grown,
    scale: Callable = _root_of_d_k,
    averaged: Callable = lambda keys, values: values,
    returned: Callable = lambda old, grown, new: grown,
) -> Callable:
    """Make a step with a cache in which one thing may be another than the right one."""

    def step(x, W_Q, W_K, W_V, keys, values):
        query, key, value = project(x, W_Q, W_K, W_V)
        all_keys, all_values = append(keys, key), append(values, value)
        seen_keys, seen_values = seen(keys, all_keys), seen(values, all_values)
        scores = seen_keys @ query * scale(len(x), len(query), len(seen_keys))
        output = _softmax(scores) @ averaged(seen_keys, seen_values)
        return output, returned(keys, all_keys, key), returned(values, all_values, value)

    return step


def _attending(attend: Callable) -> Callable:
    """Make a step whose attention is another one."""

    def step(x, W_Q, W_K, W_V, keys, values):
        keys, values = _behind(keys, x @ W_K), _behind(values, x @ W_V)
        output, _ = attend((x @ W_Q)[None], keys, values, d_model=len(x))
        return output[0], keys, values

    return step


def _projecting(choose: Callable) -> Callable:
    """Make a step whose query, key and value are chosen from x and its projections."""
    return _stepping(
        project=lambda x, W_Q, W_K, W_V: choose(x, x @ W_Q, x @ W_K, x @ W_V),
    )


def _projected_again(x, W_Q, W_K, W_V, keys, values):
    keys, values = _behind(keys, x) @ W_K, _behind(values, x) @ W_V
    scores = keys @ (x @ W_Q) / np.sqrt(W_K.shape[1])
    return _softmax(scores) @ values, keys, values


def _has_other_rows_before(inputs, expected, got):
    pairs = (("keys", got[1]), ("values", got[2]))
    return any(
        np.isfinite(grown).all() and not close(grown[:-1], inputs[name]) for name, grown in pairs
    )


def _is_no_average(inputs, expected, got):
    output, values = got[0], expected[2]
    return bool(((output < values.min(0) - 1e-6) | (output > values.max(0) + 1e-6)).any())


def _asking_with_the_key(x, W_Q, W_K, W_V, keys, values):
    return _stepping()(x, W_K, W_K, W_V, keys, values)


def _stepping_and_adding_x(x, W_Q, W_K, W_V, keys, values):
    output, keys, values = _stepping()(x, W_Q, W_K, W_V, keys, values)
    return output + np.resize(x, output.shape), keys, values


CACHED_STEP = Exercise(
    name="cached_step",
    signature="f(x, W_Q, W_K, W_V, keys, values)",
    outputs=("output", "keys", "values"),
    reference=_stepping(),
    stages=(
        (
            example(
                x=[1, 2],
                W_Q=[[1, 0], [0, 0.5]],
                W_K=[[0.5, 1], [0, -0.5]],
                W_V=[[1], [2]],
                keys=[[1, 0.5]],
                values=[[3]],
            ),
            example(
                x=[1, -1],
                W_Q=[[1, 0.5], [0, 1]],
                W_K=[[0.5, -1], [1, 0.5]],
                W_V=[[1, 2], [-1, 1]],
                keys=[[1, 0.5], [-0.5, 1]],
                values=[[3, 1], [0, 4]],
            ),
            example(
                x=[1, 0.5, -1],
                W_Q=[[1, 0], [0, 2], [0.5, 1]],
                W_K=[[0.5, 1], [2, 0], [-1, 0.5]],
                W_V=[[1, 0], [2, -2], [0, 3]],
                keys=[[1, 0.5], [-0.5, 1], [0, -1]],
                values=[[3, 1], [0, 4], [-1, 2]],
            ),
        ),
        (
            example(
                x=[1, 2],
                W_Q=[[1, 0], [0, 0.5]],
                W_K=[[0.5, 1], [0, -0.5]],
                W_V=[[1], [2]],
                keys=np.zeros((0, 2)),
                values=np.zeros((0, 1)),
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "own-key-missing",
            "The new position attends to those before it, and not to itself. Its own key and value "
            "belong to what it looks at: put them into the cache first, then attend.",
            _stepping(seen=lambda old, grown: old),
        ),
        misconception(
            "own-key-only",
            "Your output is the new position's own value. It should look at all keys there are, "
            "those of the earlier positions too.",
            _stepping(seen=lambda old, grown: grown[-1:]),
        ),
        misconception(
            "new-in-front",
            "The new key and value stand before the old ones. To this output the order makes no "
            "difference, but row p of the cache belongs to position p: the new one comes last.",
            _stepping(append=lambda old, new: np.concatenate([new[None], old])),
        ),
        misconception(
            "x-kept",
            "You put x itself into the cache. What later positions ask for are its key and its "
            "value, which W_K and W_V make.",
            _projecting(lambda x, q, k, v: (q, x, x)),
            _projecting(lambda x, q, k, v: (q, x, v)),
            _projecting(lambda x, q, k, v: (q, k, x)),
        ),
        misconception(
            "projected-again",
            "You project the whole cache. What is in it has been projected when it was new: only x "
            "has not.",
            _projected_again,
        ),
        misconception(
            "cache-not-grown",
            "The output is right, but you return keys and values as they came. The next position "
            "will look for those of this one, too.",
            _stepping(returned=lambda old, grown, new: old),
        ),
        misconception(
            "only-the-new-returned",
            "The output is right, but you return the new key and the new value alone. The next "
            "position needs the earlier ones, too.",
            _stepping(returned=lambda old, grown, new: new[None]),
            _stepping(returned=lambda old, grown, new: new),
        ),
        misconception(
            "last-overwritten",
            "The new key and value have taken the place of the last ones. They come after them: "
            "the cache is one row longer than before.",
            _stepping(append=lambda old, new: np.concatenate([old[:-1], new[None]])),
        ),
        misconception(
            "no-scale",
            "The scores are not divided by the square root of d_k.",
            _stepping(scale=lambda d_model, d_k, count: 1.0),
        ),
        misconception(
            "scaled-by-the-number-of-keys",
            "You divide the scores by the number of keys, or by its root. A score is a sum over "
            "the d_k columns of a key, however many keys there are.",
            _stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(count)),
            _stepping(scale=lambda d_model, d_k, count: 1 / count),
            _stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(np.float64(count - 1))),
        ),
        misconception(
            "wrong-scale",
            "The factor on the scores is another one. They are divided by the square root of d_k, "
            "the width of a key.",
            _stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(d_model)),
            _stepping(scale=lambda d_model, d_k, count: 1 / d_k),
            _stepping(scale=lambda d_model, d_k, count: np.sqrt(d_k)),
        ),
        misconception(
            "keys-used-as-values",
            "You average the keys, or keep them as values. A key says where a position is found; "
            "what it has to say is its value.",
            _stepping(averaged=lambda keys, values: keys),
            _projecting(lambda x, q, k, v: (q, k, k)),
        ),
        misconception(
            "query-used-as-key",
            "You keep the query as a key. The new position asks with its query; the later ones "
            "find it by its key, which W_K makes.",
            _projecting(lambda x, q, k, v: (q, q, v)),
            _projecting(lambda x, q, k, v: (k, q, v)),
        ),
        misconception(
            "key-as-query",
            "The new position asks with its key. It asks with its query, which W_Q makes.",
            _asking_with_the_key,
        ),
        misconception(
            "x-added",
            "You add x to the output. That is the residual connection's work; here the output "
            "alone is asked for.",
            _stepping_and_adding_x,
        ),
    ),
    shared=_mistakes.for_one_query(_mistakes.of_attention(_attending)),
    symptoms=(
        Symptom(
            "earlier-rows-changed",
            "The rows of the earlier positions are no longer what they were. Under a causal mask "
            "they never change: take them as they are, and put one row behind them.",
            _has_other_rows_before,
        ),
        Symptom(
            "no-average",
            "Your output is larger, or smaller, than all the values. Weights from a softmax make "
            "an average, which lies between them.",
            _is_no_average,
        ),
    ),
)


def cached_step(answer: object) -> Verdict:
    """Check one step of causal self-attention with a key–value cache, for one head.

    ``answer(x, W_Q, W_K, W_V, keys, values)`` takes the vector of a new position,
    (d_model,), three matrices (d_model, d_k), (d_model, d_k) and (d_model, d_v), and
    the keys (t, d_k) and values (t, d_v) of the t positions before it; at the
    start t is 0. It returns the new position's output (d_v,), with scores scaled by
    1 / sqrt(d_k), and keys and values with one row more.
    """
    return CACHED_STEP.check(answer)


# ------------------------------------------------------------ cache_numbers


def _keeping(rows: Callable) -> Callable:
    """Count a cache in which each position leaves that many rows in each layer."""

    def numbers(layers, length, heads, d_k, key_value_heads):
        return layers * length * rows(heads, key_value_heads) * d_k

    return numbers


CACHE_NUMBERS = Exercise(
    name="cache_numbers",
    signature="f(layers, length, heads, d_k, key_value_heads)",
    outputs=("numbers",),
    reference=_keeping(lambda heads, shared: 2 * shared),
    stages=(
        (
            example(layers=1, length=3, heads=4, d_k=5, key_value_heads=2),
            example(layers=2, length=3, heads=6, d_k=5, key_value_heads=2),
            example(layers=3, length=7, heads=6, d_k=4, key_value_heads=1),
            example(layers=3, length=7, heads=5, d_k=4, key_value_heads=5),
            example(layers=24, length=1000, heads=24, d_k=64, key_value_heads=8),
        ),
    ),
    misconceptions=(
        misconception(
            "one-of-the-two",
            "Your number is half of what it takes: you count the keys, or the values. Both are "
            "kept.",
            _keeping(lambda heads, shared: shared),
        ),
        misconception(
            "query-heads-counted",
            "You count keys and values for every query head. Several of them share one head of "
            "keys and values, and that is kept once: key_value_heads says how many there are.",
            _keeping(lambda heads, shared: 2 * heads),
        ),
        misconception(
            "queries-kept",
            "You count queries as well. A query asks once, when its position is new: no later "
            "position needs it.",
            _keeping(lambda heads, shared: 3 * shared),
            _keeping(lambda heads, shared: 2 * shared + heads),
            _keeping(lambda heads, shared: 3 * heads),
        ),
        misconception(
            "one-head",
            "You count a single head of keys and values. There are key_value_heads of them.",
            _keeping(lambda heads, shared: 2),
        ),
        misconception(
            "group-size",
            "You count how many query heads share: heads divided by key_value_heads. What is kept "
            "are the heads of keys and values themselves.",
            _keeping(lambda heads, shared: 2 * heads / shared),
        ),
        misconception(
            "heads-multiplied",
            "You multiply the two numbers of heads. Query heads leave nothing in the cache: it has "
            "the heads of keys and values alone.",
            _keeping(lambda heads, shared: 2 * heads * shared),
        ),
        misconception(
            "bytes",
            "You count bytes. The question is how many numbers there are, whatever each of them "
            "takes.",
            *(_keeping(lambda heads, shared, size=size: size * 2 * shared) for size in (2, 4, 8)),
        ),
        misconception(
            "length-squared",
            "Your number grows with the square of the length. Weights are not kept: a new position "
            "makes its own, and leaves a key and a value behind in each of the shared heads.",
            lambda layers, length, heads, d_k, shared: layers * length**2 * heads,
            lambda layers, length, heads, d_k, shared: layers * length**2 * shared,
            lambda layers, length, heads, d_k, shared: 2 * layers * length**2 * shared * d_k,
            lambda layers, length, heads, d_k, shared: (
                2 * layers * length * shared * d_k + layers * length**2 * heads
            ),
        ),
        misconception(
            "one-layer",
            "You count one layer. Each has keys and values of its own.",
            lambda layers, length, heads, d_k, shared: 2 * length * shared * d_k,
        ),
        misconception(
            "one-position",
            "You count what one position adds. The keys and values of all positions are kept.",
            lambda layers, length, heads, d_k, shared: 2 * layers * shared * d_k,
        ),
        misconception(
            "vectors-counted",
            "You count keys and values. Each is a row of d_k numbers.",
            lambda layers, length, heads, d_k, shared: 2 * layers * length * shared,
        ),
    ),
    symptoms=(
        Symptom(
            "too-many",
            "You count too many. Write down the shape of what one layer keeps.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of what one layer keeps.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def cache_numbers(answer: object) -> Verdict:
    """Check the size of a key–value cache.

    ``answer(layers, length, heads, d_k, key_value_heads)`` takes the sizes of a
    decoder-only model and the length of one text. Each layer has ``heads`` query
    heads, which share ``key_value_heads`` heads of keys and values; a key and a
    value have d_k numbers each. It returns how many numbers the cache holds when
    the text has been read.
    """
    return CACHE_NUMBERS.check(answer)


EXERCISES = (LENGTH_OF_EQUAL_WORK, READ_KEY, MERGE_OUTPUTS, CACHED_STEP, CACHE_NUMBERS)
