"""Read a sentence with the simplest recurrent cell (bottleneck: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Pitfall, Verdict, example
from attention.checks.bottleneck._read_sentence_mistakes import MISTAKES
from attention.checks.bottleneck._read_sentence_steps import all_states

_RNN = np.random.default_rng(101)


def _sentence(length: int, d_input: int, d_state: int) -> dict:
    """Make an example; its numbers have one decimal, so that they print well."""
    return example(
        x=_RNN.normal(size=(length, d_input)).round(1).tolist(),
        W_x=_RNN.normal(size=(d_input, d_state)).round(1).tolist(),
        W_state=_RNN.normal(size=(d_state, d_state)).round(1).tolist(),
        bias=_RNN.normal(size=d_state).round(1).tolist(),
    )


READ_SENTENCE = Exercise(
    name="read_sentence",
    signature="f(x, W_x, W_state, bias)",
    outputs=("state",),
    reference=lambda x, W_x, W_state, bias: all_states(x, W_x, W_state, bias)[-1],
    stages=((_sentence(1, 2, 2), _sentence(2, 2, 2), _sentence(3, 3, 2), _sentence(6, 2, 4)),),
    misconceptions=MISTAKES,
    pitfalls=(
        Pitfall(
            "state-as-wide-as-a-word",
            "Words and states need not have the same width. A state has as many numbers as the "
            "bias.",
            lambda inputs: inputs["x"].shape[1] != len(inputs["bias"]),
        ),
        Pitfall(
            "one-word",
            "A sentence may consist of a single word.",
            lambda inputs: len(inputs["x"]) == 1,
        ),
    ),
)


def read_sentence(answer: object) -> Verdict:
    """Check the encoder with the simplest cell there is.

    ``answer(x, W_x, W_state, bias)`` takes the embeddings ``x`` (length, d_input) of a
    sentence, ``W_x`` (d_input, d_state), ``W_state`` (d_state, d_state) and ``bias``
    (d_state,). It starts from a state of zeros, makes it
    ``tanh(word @ W_x + state @ W_state + bias)`` for each word in turn, and returns the
    last state (d_state,).
    """
    return READ_SENTENCE.check(answer)
