"""Turn queries or keys by the angles of their positions (position: Exercises)."""

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example
from attention.checks.position._rotate_mistakes import MISTAKES
from attention.checks.position._shared import differ, lengths

ROTATE = Exercise(
    name="rotate",
    signature="f(x, angles)",
    outputs=("rotated",),
    reference=by_hand.rotate,
    stages=(
        (
            example(x=[[1, 0]], angles=[[1]]),
            example(x=[[1, 2], [3, 5]], angles=[[0], [1]]),
            example(x=[[1, 2, 3, 5]], angles=[[1, 0.5]]),
            example(x=[[1, 0, 2, 1], [3, -1, 1, 4]], angles=[[0.5, 0.25], [1, 2]]),
            example(
                x=[[1, 0, 2, 1, -1, 3], [3, -1, 1, 4, 0, 2], [2, 2, 5, 1, 1, 0]],
                angles=[[0, 0, 0], [1, 0.25, 0.5], [2, 0.5, 1]],
            ),
        ),
        (
            example(x=[[1, 2], [3, 4]], angles=[[-1], [-2]]),
            example(x=[[1, 2, 3, 4], [5, 6, 7, 8]], angles=[[0, 0], [0, 0]]),
        ),
    ),
    misconceptions=MISTAKES,
    symptoms=(
        Symptom(
            "changes-lengths",
            "A turn changes no length, and one of your rows is longer or shorter than it was.",
            lambda inputs, expected, got: differ(lengths(got[0]), lengths(expected[0])),
        ),
    ),
)


def rotate(answer: object) -> Verdict:
    """Check the turning of queries or keys (RoPE).

    ``answer(x, angles)`` takes ``x`` (length, d_k), with an even d_k, and
    ``angles`` (length, d_k / 2) in radians. It returns an array like ``x``, in
    which columns 2i and 2i + 1 of each row are turned by angle i of that row: a
    pair (1, 0) becomes (cos, sin).
    """
    return ROTATE.check(answer)
