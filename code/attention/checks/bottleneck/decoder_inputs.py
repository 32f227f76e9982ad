"""Shift the target: what the decoder should have written before (bottleneck: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.bottleneck._shared import END

Array = np.ndarray


def _starts(target: Array, start: int) -> Array:
    return np.full((len(target), 1), start)


def _shifted_through(target: Array, start: int) -> Array:
    """Shift the whole rectangle as if it were one line."""
    return np.concatenate([[start], target.ravel()[:-1]]).reshape(target.shape)


def _another_start(inputs, expected, got) -> bool:
    first = got[0][:, 0]
    return bool((np.isfinite(first) & (first != inputs["start"])).any())  # NaN says something else


DECODER_INPUTS = Exercise(
    name="decoder_inputs",
    signature="f(target, start)",
    outputs=("inputs",),
    reference=lambda target, start: np.hstack([_starts(target, start), target[:, :-1]]),
    stages=(
        (
            example(target=np.array([[7, 5, 2]]), start=1),
            example(target=np.array([[7, 5, 2], [8, 2, 0]]), start=1),
            example(target=np.array([[8, 6, 2, 0], [4, 7, 9, 2]]), start=3),
            example(target=np.array([[4, 9, 6, 2], [3, 2, 0, 0], [5, 5, 2, 0]]), start=1),
        ),
    ),
    misconceptions=(
        misconception(
            "not-shifted",
            "The decoder reads the very word that it is to write at that step. It would learn to "
            "copy, and have nothing to copy from when it translates.",
            lambda target, start: target,
        ),
        misconception(
            "shifted-the-wrong-way",
            "The decoder reads the word after the one that it is to write. It should read the "
            "word before.",
            lambda target, start: np.hstack([target[:, 1:], _starts(target, start)]),
            lambda target, start: np.hstack([target[:, 1:], _starts(target, 0)]),
        ),
        misconception(
            "too-long",
            "START stands in front, but the last column is still there, so there is one input "
            "more than there are targets. Nothing is written after the last column: drop it.",
            lambda target, start: np.hstack([_starts(target, start), target]),
        ),
        misconception(
            "wraps-around",
            "What ends a row has come round to its front. The first thing that is read is START, "
            "in every row.",
            lambda target, start: np.roll(target, 1, axis=1),
        ),
        misconception(
            "start-over-the-first-word",
            "START replaces the first word, and the others stay where they were. They have to "
            "move one place to the right.",
            lambda target, start: np.hstack([_starts(target, start), target[:, 1:]]),
        ),
        misconception(
            "first-word-twice",
            "The rows are shifted, but in front of each stands its own first word in place of "
            "START. The decoder would be told what it is to write first.",
            lambda target, start: np.hstack([target[:, :1], target[:, :-1]]),
        ),
        misconception(
            "sentences-mixed",
            "You shift the whole batch as if it were one line, so the end of one sentence becomes "
            "the beginning of the next. Each row is shifted by itself.",
            _shifted_through,
            lambda target, start: np.roll(target, 1),
        ),
        misconception(
            "shifted-down",
            "You shift along the wrong axis: each sentence has moved down by one row. The words "
            "run along the rows.",
            lambda target, start: np.vstack([np.full_like(target[:1], start), target[:-1]]),
        ),
        misconception(
            "end-removed",
            "You take END away. The decoder never gets to read what follows it, so there is no "
            "harm in leaving it.",
            lambda target, start: np.hstack(
                [_starts(target, start), np.where(target == END, 0, target)[:, :-1]]
            ),
        ),
        misconception(
            "shifted-twice",
            "You shift by two places. Each word moves one place to the right.",
            lambda target, start: np.hstack([_starts(target, start)] * 2 + [target])[
                :, : target.shape[1]
            ],
            lambda target, start: np.hstack([_starts(target, start), _starts(target, 0), target])[
                :, : target.shape[1]
            ],
            lambda target, start: np.hstack([_starts(target, 0), _starts(target, start), target])[
                :, : target.shape[1]
            ],
        ),
        misconception(
            "start-ignored",
            "The first column has a number of your own. The number of START is handed over: use"
            " that.",
            lambda target, start: np.hstack([_starts(target, 1), target[:, :-1]]),
            lambda target, start: np.hstack([_starts(target, 0), target[:, :-1]]),
        ),
        misconception(
            "start-everywhere",
            "Every place holds START. It comes first only; after it stand the words before.",
            lambda target, start: np.full_like(target, start),
        ),
        misconception(
            "start-at-the-end",
            "START stands in the last place of each row, and the words before it have not moved. "
            "It comes first, and the words move one place to the right.",
            lambda target, start: np.hstack([target[:, :-1], _starts(target, start)]),
        ),
    ),
    indices=True,
    symptoms=(
        Symptom(
            "no-start",
            "Every row of inputs should begin with START. Some row of yours does not.",
            _another_start,
        ),
    ),
)


def decoder_inputs(answer: object) -> Verdict:
    """Check what the decoder reads under teacher forcing.

    ``answer(target, start)`` takes ``target`` (batch, length), integers: in each row
    the words to be written, ``END`` (2), then padding (0). It returns the inputs
    (batch, length): at each place what the decoder reads when it is to write
    ``target`` there, ``start`` coming first.
    """
    return DECODER_INPUTS.check(answer)
