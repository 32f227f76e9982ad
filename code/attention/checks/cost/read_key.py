"""Read one key in the online softmax (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import Exercise, Symptom, Verdict, close, example
from attention.checks.cost._read_key_mistakes import MISTAKES
from attention.checks.cost._read_key_steps import right_read_key

READ_KEY = Exercise(
    name="read_key",
    signature="f(largest, total, weighted, score, value)",
    outputs=("largest", "total", "weighted"),
    reference=right_read_key,
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
    misconceptions=MISTAKES,
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
