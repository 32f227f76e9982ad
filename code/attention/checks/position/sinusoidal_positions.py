"""Make the table of sines and cosines (position: Exercises)."""

from attention import by_hand
from attention.checks._exercise import Exercise, Pitfall, Symptom, Verdict, example
from attention.checks.position._shared import differ
from attention.checks.position._sinusoidal_positions_mistakes import MISTAKES

SINUSOIDAL_POSITIONS = Exercise(
    name="sinusoidal_positions",
    signature="f(length, d_model)",
    outputs=("positions",),
    reference=by_hand.sinusoidal_positions,
    stages=(
        (
            example(length=3, d_model=2),
            example(length=3, d_model=4),
            example(length=4, d_model=6),
            example(length=40, d_model=8),
        ),
        (
            example(length=3, d_model=1),
            example(length=3, d_model=3),
            example(length=1, d_model=5),
            example(length=4, d_model=7),
        ),
    ),
    misconceptions=MISTAKES,
    pitfalls=(
        Pitfall(
            "odd-width",
            "An odd width has one cosine fewer than it has sines: the last column is a sine that "
            "stands alone.",
            lambda inputs: inputs["d_model"] % 2 == 1 < inputs["d_model"],
        ),
    ),
    symptoms=(
        Symptom(
            "first-row",
            "Look at your first row. At position 0 every angle is 0, so the row is 0, 1, 0, 1 and "
            "so on.",
            lambda inputs, expected, got: differ(got[0][0], expected[0][0]),
        ),
    ),
)


def sinusoidal_positions(answer: object) -> Verdict:
    """Check the table of sines and cosines.

    ``answer(length, d_model)`` takes two numbers. It returns an array (length,
    d_model): at position p, counted from 0, columns 2i and 2i + 1 hold sine and
    cosine of the angle p / 10000^(2i / d_model). If ``d_model`` is odd, the
    last column is a sine that stands alone.
    """
    return SINUSOIDAL_POSITIONS.check(answer)
