"""Give a share of the probability to all symbols (label smoothing) (translation: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception


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
        misconception(
            "shares-subtracted",
            "You take the smoothing away from the right symbol, and then a share from all. The "
            "shares are added: each symbol gets smoothing divided by symbols.",
            lambda target, symbols, smoothing: (
                (1 - smoothing) * np.eye(symbols)[target] - smoothing / symbols
            ),
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
