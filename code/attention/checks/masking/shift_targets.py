"""Cut a text into the inputs and targets of a language model (masking: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


def _differ(got: Array, expected: Array) -> bool:
    return bool(np.isfinite(got).all() and (got != expected).any())


SHIFT_TARGETS = Exercise(
    name="shift_targets",
    signature="f(tokens)",
    outputs=("inputs", "targets"),
    reference=lambda tokens: (tokens[:-1], tokens[1:]),
    stages=(
        (
            example(tokens=np.array([3, 7])),
            example(tokens=np.array([3, 7, 1])),
            example(tokens=np.array([4, 9, 2, 6])),
            example(tokens=np.array([5, 50001, 5, 5, 2])),
        ),
    ),
    misconceptions=(
        misconception(
            "not-shifted",
            "Inputs and targets are the same tokens. To copy the token it sees is all a model "
            "would learn from that: the target is the next one.",
            lambda tokens: (tokens[:-1], tokens[:-1]),
            lambda tokens: (tokens[1:], tokens[1:]),
            lambda tokens: (tokens, tokens),
        ),
        misconception(
            "shifted-by-two",
            "The target is the token after the next: somewhere the shift is made twice.",
            lambda tokens: (tokens[:-2], tokens[2:]),
            lambda tokens: (tokens[:-1], np.append(tokens[2:], tokens[:1])),
            lambda tokens: (tokens[:-1], np.append(tokens[2:], 0)),
        ),
        misconception(
            "wraps-around",
            "The first token of the sequence becomes the target of the last. Nothing is known "
            "about what follows the last token: it is no input.",
            lambda tokens: (tokens, np.roll(tokens, -1)),
        ),
        misconception(
            "padded",
            "Both still have the full length, and the last target is made up. Nothing is known "
            "about what follows the last token: it is no input.",
            lambda tokens: (tokens, np.append(tokens[1:], 0)),
            lambda tokens: (tokens, np.append(tokens[1:], -1)),
            lambda tokens: (tokens, np.append(tokens[1:], -100)),
            lambda tokens: (tokens, np.append(tokens[1:], tokens[-1])),
        ),
        misconception(
            "swapped",
            "Inputs and targets are swapped: here the target of each token is the one before it.",
            lambda tokens: (tokens[1:], tokens[:-1]),
        ),
        misconception(
            "shifted-the-wrong-way",
            "The targets are shifted the wrong way: each is the token before the input, not the "
            "one after it.",
            lambda tokens: (tokens, np.roll(tokens, 1)),
            lambda tokens: (tokens[:-1], np.roll(tokens, 1)[:-1]),
            lambda tokens: (tokens[:-1], np.append(0, tokens[:-2])),
        ),
        misconception(
            "reversed",
            "The tokens come in reverse order. A shift keeps their order.",
            lambda tokens: (tokens[::-1][:-1], tokens[::-1][1:]),
            lambda tokens: (tokens[:-1][::-1], tokens[1:][::-1]),
            lambda tokens: (tokens[:-1], tokens[::-1][:-1]),
        ),
        misconception(
            "dropped-at-the-wrong-end",
            "You drop the first pair and keep the last, whose target is made up. The last token "
            "is the one with nothing after it.",
            lambda tokens: (tokens[1:], np.roll(tokens, -1)[1:]),
            lambda tokens: (tokens[1:], np.append(tokens[2:], 0)),
        ),
        misconception(
            "inputs-too-long",
            "The inputs still hold the last token. No target belongs to it.",
            lambda tokens: (tokens, tokens[1:]),
        ),
        misconception(
            "targets-too-long",
            "The targets still hold the first token. No input comes before it.",
            lambda tokens: (tokens[:-1], tokens),
        ),
    ),
    symptoms=(
        Symptom(
            "inputs-wrong",
            "The inputs should be the tokens as they are, without the last one.",
            lambda inputs, expected, got: _differ(got[0], expected[0]),
        ),
        Symptom(
            "targets-wrong",
            "The inputs are right, the targets are not: each should be the token that follows.",
            lambda inputs, expected, got: _differ(got[1], expected[1]),
        ),
    ),
)


def shift_targets(answer: object) -> Verdict:
    """Check the inputs and targets of a language model.

    ``answer(tokens)`` takes ``tokens`` (length,), integers, at least two. It
    returns the pair ``(inputs, targets)``, each (length - 1,): the target at
    each position is the token that follows the input there.
    """
    return SHIFT_TARGETS.check(answer)
