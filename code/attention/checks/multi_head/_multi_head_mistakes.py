"""Common mistakes in `multi_head`, with their messages (multi-head: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import misconception
from attention.checks.multi_head._shared import (
    merged_by_view,
    split_by_view,
    split_interleaved,
)


def right_multi_head(x, W_Q, W_K, W_V, W_O, heads):
    return by_hand.multi_head_attention(x, x, W_Q, W_K, W_V, W_O, heads)[0]


def step_by_step(
    attend: Callable = _mistakes.Attention(),  # noqa: B008 - it cannot be changed
    split: Callable = by_hand.split_heads,
    merge: Callable = by_hand.merge_heads,
    project: Callable = lambda merged, W_O: merged @ W_O,
) -> Callable:
    """Make multi-head attention in which one step may be another than the right one."""

    def answer(x, W_Q, W_K, W_V, W_O, heads):
        query, key, value = (split(x @ W, heads) for W in (W_Q, W_K, W_V))
        output, _ = attend(query, key, value, d_model=x.shape[1], heads=heads)
        return project(merge(output), W_O)

    return answer


def _weights_of_the_first_head(weights, mask, sizes):
    return weights[:1]


def _projecting(choose: Callable) -> Callable:
    """Make multi-head attention with other projection matrices."""

    def attend(x, W_Q, W_K, W_V, W_O, heads):
        return right_multi_head(x, *choose(W_Q, W_K, W_V, W_O), heads)

    return attend


def _one_head(x, W_Q, W_K, W_V, W_O, heads):
    return right_multi_head(x, W_Q, W_K, W_V, W_O, 1)


def _one_head_scaled_for_many(x, W_Q, W_K, W_V, W_O, heads):
    return right_multi_head(x, W_Q * np.sqrt(heads), W_K, W_V, W_O, 1)


def _mean_of_projected_heads(x, W_Q, W_K, W_V, W_O, heads):
    return right_multi_head(x, W_Q, W_K, W_V, W_O, heads) / heads


def _first_block_for_all(x, W_Q, W_K, W_V, W_O, heads):
    """Let all heads project with the columns of the first."""
    d_k = len(W_O) // heads
    first = (np.tile(W[:, :d_k], heads) for W in (W_Q, W_K, W_V))
    return right_multi_head(x, *first, W_O, heads)


def _x_split(x, W_Q, W_K, W_V, W_O, heads):
    """Cut x into heads, and project each with its own part of the matrices."""
    blocks = np.split(np.arange(x.shape[1]), heads)
    outputs = [
        _mistakes.Attention()(*(x[:, block] @ W[np.ix_(block, block)] for W in (W_Q, W_K, W_V)))[0]
        for block in blocks
    ]
    return np.hstack(outputs) @ W_O


MISTAKES = (
    misconception(
        "no-output-projection",
        "You return the merged heads. W_O still has to mix them: without it no column of the "
        "output knows of more than one head.",
        step_by_step(project=lambda merged, W_O: merged),
    ),
    misconception(
        "heads-ignored",
        "The number of heads has no effect on the weights: you have one head of full width. "
        "Split queries, keys and values before you compute scores.",
        _one_head,
        _one_head_scaled_for_many,
    ),
    misconception(
        "view-split",
        "You split the heads by reshaping straight to the final shape. That puts several "
        "positions into one row of a head: first cut each row, then move the axis.",
        step_by_step(split=split_by_view),
        step_by_step(split=split_by_view, merge=merged_by_view),
    ),
    misconception(
        "view-merge",
        "The heads are right, but you merge them without moving their axis back first, and a "
        "row now holds several positions of one head.",
        step_by_step(merge=merged_by_view),
    ),
    misconception(
        "interleaved",
        "You deal out the columns like cards. Each head gets columns that stand side by side.",
        step_by_step(split=split_interleaved),
        step_by_step(
            split=split_interleaved,
            merge=lambda x: x.transpose(1, 2, 0).reshape(x.shape[1], -1),
        ),
    ),
    misconception(
        "heads-averaged",
        "You average over the heads. Each has its own block of rows of W_O, and what comes "
        "out of the blocks is added up.",
        _mean_of_projected_heads,
        step_by_step(
            merge=lambda x: x.mean(axis=0),
            project=lambda mean, W_O: mean @ W_O[: mean.shape[1]],
        ),
    ),
    misconception(
        "first-head-for-all",
        "All heads attend as the first one does. Each has its own block of columns of W_Q and "
        "W_K, and so its own weights.",
        step_by_step(_mistakes.Attention(change=_weights_of_the_first_head)),
        _first_block_for_all,
    ),
    misconception(
        "keys-used-as-values",
        "You average the keys. The weights belong to the values, which W_V makes.",
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q, W_K, W_K, W_O)),
    ),
    misconception(
        "queries-used-as-keys",
        "You compare queries with queries. The keys are made by W_K.",
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q, W_Q, W_V, W_O)),
    ),
    misconception(
        "queries-and-keys-swapped",
        "Queries and keys have changed places: a row of weights belongs to a query, which W_Q "
        "makes.",
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_K, W_Q, W_V, W_O)),
    ),
    misconception(
        "matrices-transposed",
        "You multiply by transposed matrices. Here a row times the matrix gives the "
        "projection: x @ W. (torch.nn.Linear stores the transpose.)",
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q.T, W_K.T, W_V.T, W_O.T)),
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q, W_K, W_V, W_O.T)),
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q.T, W_K.T, W_V.T, W_O)),
    ),
    misconception(
        "residual-added",
        "You add x to the output, as a layer of a Transformer does later. Here attention alone "
        "is asked for.",
        lambda x, W_Q, W_K, W_V, W_O, heads: x + right_multi_head(x, W_Q, W_K, W_V, W_O, heads),
    ),
    misconception(
        "values-not-projected",
        "You average the rows of x. The values are a projection of them, by W_V.",
        _projecting(lambda W_Q, W_K, W_V, W_O: (W_Q, W_K, np.eye(len(W_V)), W_O)),
    ),
    misconception(
        "scores-without-projections",
        "You compare the rows of x themselves. W_Q makes queries of them, W_K keys.",
        _projecting(lambda W_Q, W_K, W_V, W_O: (np.eye(len(W_Q)), np.eye(len(W_K)), W_V, W_O)),
    ),
    misconception(
        "heads-added",
        "You add up the heads. Each has its own block of rows of W_O: let them stand side by "
        "side, and multiply by W_O.",
        step_by_step(
            merge=lambda x: x.sum(axis=0),
            project=lambda total, W_O: total @ W_O[: total.shape[1]],
        ),
    ),
    misconception(
        "heads-in-reverse-order",
        "The heads are merged in reverse order. The columns of the first head come first.",
        step_by_step(merge=lambda x: by_hand.merge_heads(x[::-1])),
    ),
    misconception(
        "heads-not-in-front",
        "You cut each row into heads and leave their axis behind that of the positions: the "
        "heads of one position then attend to each other. Move the axis of the heads to the "
        "front.",
        step_by_step(
            split=lambda x, heads: x.reshape(len(x), heads, -1),
            merge=lambda x: x.reshape(len(x), -1),
        ),
    ),
    misconception(
        "x-split",
        "You cut x into heads and project the parts. Every head projects the whole rows of "
        "x: cut what comes out.",
        _x_split,
    ),
)
