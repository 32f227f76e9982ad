"""Say who may attend to whom in a BERT and in a GPT (family: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.family._may_attend_mistakes import MISTAKES
from attention.checks.family._may_attend_steps import attending
from attention.checks.masking._shared import NUMBERS_FOR_BOOLEANS, hides_too_much


def _both(*tokens: list[int]) -> tuple:
    """Ask about the same tokens in an encoder and in a decoder."""
    return tuple(
        example(kind=kind, tokens=np.array(row))
        for row in tokens
        for kind in ("encoder", "decoder")
    )


def _looks_at_padding(inputs, expected, got):
    return got[0][:, inputs["tokens"] == 0].any()


def _sees_the_future(inputs, expected, got):
    return np.triu(got[0], 1).any() if inputs["kind"] == "decoder" else None


MAY_ATTEND = Exercise(
    name="may_attend",
    signature="f(kind, tokens)",
    outputs=("mask",),
    reference=attending(),
    stages=(
        (
            example(kind="decoder", tokens=np.array([5])),
            *_both([7, 3], [4, 9, 0], [0, 1, 8], [6, 2, 0, 0], [0, 0, 1, 5], [3, 1, 4, 1]),
        ),
        _both([0, 0], [2, 0, 6]),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        *NUMBERS_FOR_BOOLEANS,
        Symptom(
            "looks-at-padding",
            "Padding may be seen: in the column of a 0 there is a True.",
            _looks_at_padding,
        ),
        Symptom(
            "sees-the-future",
            "Somebody in the decoder may attend to a later position: above the diagonal there is a "
            "True.",
            _sees_the_future,
        ),
        Symptom(
            "hides-real-tokens",
            "Nothing forbidden may be seen, but some real token is hidden from a position that "
            "may attend to it.",
            hides_too_much,
        ),
    ),
    boolean=True,
)


def may_attend(answer: object) -> Verdict:
    """Check the masks of an encoder and of a decoder, with padding.

    ``answer(kind, tokens)`` takes ``"encoder"`` (a BERT) or ``"decoder"`` (a GPT, a Llama)
    and ``tokens`` (length,), whole numbers of which 0 is padding, at either end. It
    returns a boolean array (length, length): ``True`` where the query of this row may
    attend to the key of this column. In an encoder that is each real token, in a decoder
    each real one that is not in the query's future. Rows of padding are no exception;
    they may be empty.
    """
    return MAY_ATTEND.check(answer)
