"""Put the heads back side by side (multi-head: Exercises)."""

from attention import by_hand
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.multi_head._shared import MISPLACED, merged_by_view

MERGE_HEADS = Exercise(
    name="merge_heads",
    signature="f(heads_output)",
    outputs=("merged",),
    reference=by_hand.merge_heads,
    stages=(
        (
            example(heads_output=[[[1], [3]], [[2], [4]]]),
            example(heads_output=[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]),
            example(heads_output=[[[1, 2], [7, 8]], [[3, 4], [9, 10]], [[5, 6], [11, 12]]]),
            example(heads_output=[[[1, 2], [5, 6], [9, 10]], [[3.3, 4], [7, 8], [11, 12]]]),
        ),
        (
            example(heads_output=[[[1]], [[2]], [[3]]]),
            example(heads_output=[[[1, 2], [3, 4], [5, 6]]]),
        ),
    ),
    misconceptions=(
        misconception(
            "view-for-transpose",
            "You reshape without moving the axis of the heads back first. The shape is right, but "
            "a row now holds several positions of one head. It should hold one position of all "
            "heads.",
            merged_by_view,
        ),
        misconception(
            "averaged",
            "You average over the heads. What each of them found should stay apart: their rows "
            "stand side by side.",
            lambda x: x.mean(axis=0),
        ),
        misconception(
            "added",
            "You add up the heads. What each of them found should stay apart: their rows stand "
            "side by side.",
            lambda x: x.sum(axis=0),
        ),
        misconception(
            "interleaved",
            "You shuffle the columns of the heads: the first column of each, then the second of "
            "each. Each head keeps its columns together.",
            lambda x: x.transpose(1, 2, 0).reshape(x.shape[1], -1),
        ),
        misconception(
            "first-head-only",
            "You return the first head and leave out the others.",
            lambda x: x[0],
        ),
        misconception(
            "stacked",
            "You put the heads below each other. Each position has one row, in which the heads "
            "stand side by side.",
            lambda x: x.reshape(-1, x.shape[-1]),
        ),
        misconception(
            "heads-kept-apart",
            "You have moved the axis of the heads, but it is still there. Join the last two axes "
            "into one.",
            lambda x: x.swapaxes(0, 1),
        ),
        misconception(
            "heads-in-reverse-order",
            "The heads come in reverse order. The columns of the first head come first.",
            lambda x: by_hand.merge_heads(x[::-1]),
        ),
        misconception(
            "all-axes-reversed",
            "An array of three axes that is transposed with .T has them all in reverse order. "
            "Name the order: transpose(1, 0, 2).",
            lambda x: x.T.reshape(x.shape[1], -1),
        ),
    ),
    symptoms=(MISPLACED,),
)


def merge_heads(answer: object) -> Verdict:
    """Check the merging of heads into rows, the inverse of splitting.

    ``answer(heads_output)`` takes an array (heads, length, head_width) and
    returns one (length, heads * head_width): in each row the heads stand side
    by side.
    """
    return MERGE_HEADS.check(answer)
