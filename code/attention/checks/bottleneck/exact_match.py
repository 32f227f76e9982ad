"""Count the sentences that are right token for token, up to their end (bottleneck: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.bottleneck._shared import END

Array = np.ndarray


def _counted(targets: Array, with_end: bool = True) -> Array:
    """Say which places count: (sentences, length), boolean."""
    before_end = np.cumsum(targets == END, axis=1) == 0
    return before_end | (targets == END) if with_end else before_end


def _right(outputs: Array, targets: Array, with_end: bool = True) -> Array:
    return ((outputs == targets) | ~_counted(targets, with_end)).all(1)


def _bags(outputs: Array, targets: Array) -> float:
    """Compare the words up to END without their order."""

    def bag(row: Array) -> list[int]:
        words = row.tolist()
        return sorted(words[: words.index(END)] if END in words else words)

    return float(np.mean([bag(o) == bag(t) for o, t in zip(outputs, targets, strict=True)]))


EXACT_MATCH = Exercise(
    name="exact_match",
    signature="f(outputs, targets)",
    outputs=("share",),
    reference=lambda outputs, targets: _right(outputs, targets).mean(),
    stages=(
        (
            example(
                outputs=np.array([[5, 7, 2], [5, 8, 2]]), targets=np.array([[5, 7, 2], [5, 7, 2]])
            ),
            # Cut off too early, and going on where it should have ended.
            example(
                outputs=np.array([[5, 2, 0, 0], [6, 4, 4, 2], [3, 9, 2, 0]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 2, 0], [3, 9, 2, 0]]),
            ),
            example(
                outputs=np.array([[5, 7, 2, 0], [6, 4, 9, 2], [7, 5, 2, 0], [6, 4, 9, 2]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 8, 2], [5, 7, 2, 0], [6, 4, 9, 2]]),
            ),
        ),
        (
            # After END anything may stand.
            example(
                outputs=np.array([[5, 7, 2, 6], [6, 4, 2, 2], [3, 9, 9, 2], [8, 2, 8, 2]]),
                targets=np.array([[5, 7, 2, 0], [6, 4, 2, 0], [3, 9, 2, 0], [8, 2, 0, 0]]),
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "after-end-compared",
            "You compare whole rows. What an output holds after its END was never meant: look no "
            "further than the END of the target.",
            lambda outputs, targets: (outputs == targets).all(1).mean(),
        ),
        misconception(
            "end-forgotten",
            "You compare the words and not END. An output that goes on after the last word, when "
            "it should have ended, is counted as right.",
            lambda outputs, targets: _right(outputs, targets, with_end=False).mean(),
        ),
        misconception(
            "padding-counted",
            "You return the share of right places, padding among them. Padding is always right, "
            "so short sentences look good. And a sentence counts only as a whole.",
            lambda outputs, targets: (outputs == targets).mean(),
        ),
        misconception(
            "token-accuracy",
            "This is the token accuracy, the share of right tokens. A sentence counts only if "
            "all its tokens are right.",
            lambda outputs, targets: (outputs == targets)[_counted(targets)].mean(),
        ),
        misconception(
            "mean-of-sentences",
            "You take the token accuracy of each sentence and average these. A sentence with one "
            "wrong token counts as 0.",
            lambda outputs, targets: np.mean(
                [
                    (o == t)[_counted(t[None])[0]].mean()
                    for o, t in zip(outputs, targets, strict=True)
                ]
            ),
        ),
        misconception(
            "counted",
            "You return how many sentences are right. Their share is asked for: divide by the "
            "number of sentences.",
            lambda outputs, targets: _right(outputs, targets).sum(),
        ),
        misconception(
            "for-each-sentence",
            "You return for each sentence whether it is right. Their mean is the share.",
            _right,
        ),
        misconception(
            "share-of-wrong",
            "You return the share of sentences that are wrong.",
            lambda outputs, targets: 1 - _right(outputs, targets).mean(),
        ),
        misconception(
            "order-ignored",
            "You compare the words without their order. A translation with its words mixed up "
            "is not right.",
            _bags,
        ),
        misconception(
            "all-or-nothing",
            "You ask whether all sentences are right. The share of those that are is asked for.",
            lambda outputs, targets: float(_right(outputs, targets).all()),
        ),
        misconception(
            "one-right-token-is-enough",
            "A sentence counts as right as soon as one of its tokens is. All of them have to be.",
            lambda outputs, targets: ((outputs == targets) & _counted(targets)).any(1).mean(),
        ),
        misconception(
            "down-the-columns",
            "You ask whether a place is right in all sentences. Ask whether a sentence is right"
            " at all places: along axis 1.",
            lambda outputs, targets: ((outputs == targets) | ~_counted(targets)).all(0).mean(),
        ),
        misconception(
            "percent",
            "You return percent. A share lies between 0 and 1.",
            lambda outputs, targets: 100 * _right(outputs, targets).mean(),
        ),
        misconception(
            "first-token-only",
            "You compare the first token of each sentence alone. All tokens up to END count.",
            lambda outputs, targets: (outputs[:, 0] == targets[:, 0]).mean(),
        ),
        misconception(
            "end-only",
            "You look at the place of END alone. The words before it have to be right, too.",
            lambda outputs, targets: (outputs == END)[targets == END].mean(),
        ),
    ),
)


def exact_match(answer: object) -> Verdict:
    """Check the share of sentences that are right as a whole.

    ``answer(outputs, targets)`` takes two arrays of integers (sentences, length). In
    each row of ``targets`` stand the words, ``END`` (2), then padding (0). An output
    may hold anything after its ``END``. It returns the share of sentences whose output
    is its target, token for token, and ends where it ends.
    """
    return EXACT_MATCH.check(answer)
