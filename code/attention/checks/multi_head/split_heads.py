"""Split the width into heads (multi-head: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.multi_head._shared import MISPLACED, split_by_view, split_interleaved

SPLIT_HEADS = Exercise(
    name="split_heads",
    signature="f(x, heads)",
    outputs=("split",),
    reference=by_hand.split_heads,
    stages=(
        (
            example(x=[[1, 2], [3, 4]], heads=2),
            example(x=[[1, 2, 3, 4], [5, 6, 7, 8]], heads=2),
            example(x=[[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]], heads=3),
            example(x=[[1, 2, 3.3, 4], [5, 6, 7, 8], [9, 10, 11, 12]], heads=2),
        ),
        (
            example(x=[[1, 2, 3]], heads=3),
            example(x=[[1, 2], [3, 4], [5, 6]], heads=1),
        ),
    ),
    misconceptions=(
        misconception(
            "view-for-transpose",
            "You reshape straight to the final shape. That gives the right shape and the wrong "
            "numbers: the first head gets whole rows, the second the rows after them, so that "
            "positions are mixed. First cut each row, then move the axis of the heads.",
            split_by_view,
        ),
        misconception(
            "heads-not-in-front",
            "Each row is cut correctly, but the axis of the heads still stands behind that of "
            "the positions. Move it to the front.",
            lambda x, heads: x.reshape(len(x), heads, -1),
        ),
        misconception(
            "interleaved",
            "You deal out the columns like cards: with two heads, one gets the first, third and "
            "so on. Each head gets columns that stand side by side.",
            split_interleaved,
        ),
        misconception(
            "rows-split",
            "You cut the sequence: each head gets some of the positions. Every head sees all "
            "positions, and some of the columns.",
            lambda x, heads: np.stack(np.split(x, heads, axis=0)),
        ),
        misconception(
            "transposed-inside",
            "Each head has the right numbers, with rows and columns swapped. Inside a head the "
            "rows are still the positions.",
            lambda x, heads: by_hand.split_heads(x, heads).swapaxes(-1, -2),
        ),
        misconception(
            "every-head-gets-everything",
            "Every head gets all the columns. They are shared out: each gets width divided by "
            "heads.",
            lambda x, heads: np.stack([x] * heads),
        ),
        misconception(
            "number-and-width-swapped",
            "You have swapped the number of heads and their width: each of your heads has as "
            "many columns as there should be heads.",
            lambda x, heads: by_hand.split_heads(x, x.shape[1] // heads),
            lambda x, heads: x.reshape(-1, len(x), heads),
        ),
        misconception(
            "heads-in-reverse-order",
            "The heads come in reverse order. The first head gets the first columns.",
            lambda x, heads: by_hand.split_heads(x, heads)[::-1],
        ),
        misconception(
            "first-head-only",
            "You return the first head alone. All are asked for, along a new first axis.",
            lambda x, heads: by_hand.split_heads(x, heads)[0],
            lambda x, heads: by_hand.split_heads(x, heads)[:1],
        ),
        misconception(
            "heads-ignored",
            "You cut into two heads, however many are asked for.",
            lambda x, heads: by_hand.split_heads(x, 2),
        ),
        misconception(
            "width-ignored",
            "Your heads have two columns each, whatever the width. It is the width divided by "
            "the number of heads.",
            lambda x, heads: x.reshape(-1, heads, 2).transpose(1, 0, 2),
        ),
        misconception(
            "all-axes-reversed",
            "An array of three axes that is transposed with .T has them all in reverse order. "
            "Name the order: transpose(1, 0, 2).",
            lambda x, heads: x.reshape(len(x), heads, -1).T,
        ),
    ),
    symptoms=(MISPLACED,),
)


def split_heads(answer: object) -> Verdict:
    """Check the splitting of rows into heads.

    ``answer(x, heads)`` takes ``x`` (length, width) and the number of heads,
    which divides the width. It returns an array (heads, length, width /
    heads): head h has the h-th block of columns.
    """
    return SPLIT_HEADS.check(answer)
