"""Write multi-head attention with all its projections (multi-head: Exercises)."""

from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Verdict, example
from attention.checks.multi_head._multi_head_mistakes import (
    MISTAKES,
    right_multi_head,
    step_by_step,
)

MULTI_HEAD = Exercise(
    name="multi_head",
    signature="f(x, W_Q, W_K, W_V, W_O, heads)",
    outputs=("output",),
    reference=right_multi_head,
    stages=(
        (
            example(
                x=[[1, 0], [0, 2]],
                W_Q=[[1, 2], [0, 1]],
                W_K=[[2, 0], [-1, 1]],
                W_V=[[1, 3], [2, 5]],
                W_O=[[1, 2], [-1, 1]],
                heads=2,
            ),
            example(
                x=[[1, 0], [1, 2]],
                W_Q=[[1, 1], [0, 1]],
                W_K=[[1, 0], [2, 1]],
                W_V=[[2, 1], [1, -1]],
                W_O=[[1, 1], [3, -1]],
                heads=1,
            ),
            example(
                x=[[1, 0], [0, 1.3], [1, -1]],
                W_Q=[[1, 2], [0.3, 1]],
                W_K=[[2, 0], [-1, 1]],
                W_V=[[1, 3], [2, 5]],
                W_O=[[1, 2], [-1, 1]],
                heads=2,
            ),
            example(
                x=[[1, 0, 1, 2], [0, 1, 2, -1]],
                W_Q=[[1, 0, 1, 0], [0, 1, 1, 1], [1, 0, 0, 2], [0, 1, 0, 1]],
                W_K=[[0, 1, 1, 0], [1, 0, 2, 1], [0, 1, 0, 1], [1, 1, -1, 0]],
                W_V=[[1, 2, 0, 1], [0, 1, 3, 0], [2, 0, 1, 1], [1, -1, 0, 4]],
                W_O=[[1, 0, 2, 1], [0, 1, 1, 3], [2, 1, 0, 1], [1, -1, 1, 0]],
                heads=2,
            ),
        ),
    ),
    misconceptions=MISTAKES,
    shared=_mistakes.of_attention(step_by_step),
)


def multi_head(answer: object) -> Verdict:
    """Check multi-head self-attention.

    ``answer(x, W_Q, W_K, W_V, W_O, heads)`` takes ``x`` (length, d_model),
    four matrices (d_model, d_model) and the number of heads, which divides
    d_model. Head h uses the h-th block of columns of ``W_Q``, ``W_K`` and
    ``W_V``. There is no mask and no bias. It returns (length, d_model).
    """
    return MULTI_HEAD.check(answer)
