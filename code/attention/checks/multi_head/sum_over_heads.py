"""Write the output projection as a sum over heads (multi-head: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Verdict, example, misconception
from attention.checks.multi_head._shared import (
    merged_by_view,
)

Array = np.ndarray


def _merged_times(head_outputs: Array, W_O: Array) -> Array:
    return by_hand.merge_heads(head_outputs) @ W_O


def _summing(block: Callable) -> Callable:
    """Add up each head times what ``block(W_O, h, heads, d_v)`` gives it of W_O."""

    def total(head_outputs, W_O):
        heads, _, d_v = head_outputs.shape
        return sum(head_outputs[h] @ block(W_O, h, heads, d_v) for h in range(heads))

    return total


SUM_OVER_HEADS = Exercise(
    name="sum_over_heads",
    signature="f(head_outputs, W_O)",
    outputs=("output",),
    reference=_merged_times,
    stages=(
        (
            example(head_outputs=[[[1]], [[2]]], W_O=[[1, 3], [5, 2]]),
            example(head_outputs=[[[1], [2]], [[3], [-1]]], W_O=[[1, 0, 2], [4, 1, -1]]),
            example(
                head_outputs=[[[1, 2]], [[3, -1]]],
                W_O=[[1, 0, 2, 1], [3, 1, 0, 2], [0, 2, 1, -1], [1, 4, 2, 0]],
            ),
            example(
                head_outputs=[[[1, 2], [0, 1]], [[3, -1], [2, 1]]],
                W_O=[[1, 0, 2], [3, 1, 0], [0, 2, -1], [1, 4, 2]],
            ),
            example(
                head_outputs=[[[1, 2], [0, 1]], [[3, -1], [2, 1]], [[1, 1], [-2, 4]]],
                W_O=[[1, 2], [3.3, 0], [0, 2], [1, 4], [2, 1], [-1, 3]],
            ),
        ),
    ),
    misconceptions=(
        misconception(
            "averaged",
            "You average over the heads. Concatenating and projecting adds them up.",
            lambda head_outputs, W_O: _merged_times(head_outputs, W_O) / len(head_outputs),
        ),
        misconception(
            "first-block-for-all",
            "All heads are projected by the first block of W_O. (To add up the heads first and "
            "project the sum is the same.) Each has its own block: the second head takes the rows "
            "after those of the first.",
            _summing(lambda W_O, h, heads, d_v: W_O[:d_v]),
        ),
        misconception(
            "blocks-in-reverse-order",
            "The heads meet the blocks of W_O in reverse order: the first head gets the last rows.",
            _summing(lambda W_O, h, heads, d_v: W_O[(heads - 1 - h) * d_v : (heads - h) * d_v]),
        ),
        misconception(
            "columns-for-rows",
            "You cut W_O into columns, or use its transpose. Each head has a block of rows: a "
            "row of W_O says what one entry of a head adds to the output.",
            _summing(lambda W_O, h, heads, d_v: W_O[:, h * d_v : (h + 1) * d_v].T),
            _summing(
                lambda W_O, h, heads, d_v: (W_O.T if W_O.shape[0] == W_O.shape[1] else W_O)[
                    h * d_v : (h + 1) * d_v
                ]
            ),
        ),
        misconception(
            "interleaved",
            "You deal out the rows of W_O like cards. Each head gets rows that stand one after "
            "another.",
            _summing(lambda W_O, h, heads, d_v: W_O[h::heads]),
        ),
        misconception(
            "no-output-projection",
            "W_O has no effect on your result. It says what each head contributes to each column "
            "of the output.",
            lambda head_outputs, W_O: head_outputs.sum(axis=0),
            lambda head_outputs, W_O: by_hand.merge_heads(head_outputs),
        ),
        misconception(
            "one-head-only",
            "Only one of the heads reaches the output: the others are overwritten, or the sum "
            "is returned too early.",
            lambda head_outputs, W_O: head_outputs[0] @ W_O[: head_outputs.shape[2]],
            lambda head_outputs, W_O: head_outputs[-1] @ W_O[-head_outputs.shape[2] :],
        ),
        misconception(
            "overlapping-blocks",
            "The blocks of W_O overlap: each begins one row after the one before it. It should "
            "begin where that one ends.",
            _summing(lambda W_O, h, heads, d_v: W_O[h : h + d_v]),
        ),
        misconception(
            "view-merge",
            "You merge the heads by reshaping, without moving their axis first: a row then holds "
            "several positions of one head.",
            lambda head_outputs, W_O: merged_by_view(head_outputs) @ W_O,
        ),
        misconception(
            "not-summed",
            "You return one matrix for each head. They still have to be added up.",
            lambda head_outputs, W_O: (
                head_outputs @ W_O.reshape(len(head_outputs), -1, W_O.shape[1])
            ),
        ),
        misconception(
            "multiplied",
            "You multiply the contributions of the heads with each other. They are added up.",
            lambda head_outputs, W_O: (
                head_outputs @ W_O.reshape(len(head_outputs), -1, W_O.shape[1])
            ).prod(axis=0),
        ),
        misconception(
            "one-head-missing",
            "One head is left out of the sum: look where your loop begins and where it ends.",
            lambda head_outputs, W_O: _merged_times(head_outputs[1:], W_O[head_outputs.shape[2] :]),
            lambda head_outputs, W_O: _merged_times(
                head_outputs[:-1], W_O[: -head_outputs.shape[2]]
            ),
        ),
        misconception(
            "two-heads-alone",
            "You add up two heads. There may be more.",
            lambda head_outputs, W_O: _merged_times(
                head_outputs[:2], W_O[: 2 * head_outputs.shape[2]]
            ),
        ),
    ),
)


def sum_over_heads(answer: object) -> Verdict:
    """Check the output projection written as a sum over heads.

    ``answer(head_outputs, W_O)`` takes ``head_outputs`` (heads, queries, d_v)
    and ``W_O`` (heads * d_v, d_model). It returns (queries, d_model): the sum
    over the heads of each times its own block of d_v rows of ``W_O``.
    """
    return SUM_OVER_HEADS.check(answer)
