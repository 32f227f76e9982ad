"""The exercises of chapter 6, Many heads.

For each exercise: the examples, the common mistakes (as functions that make
them), and the public checker, whose docstring says what is asked.
"""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks import _mistakes
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception

Array = np.ndarray


def _same_numbers(inputs, expected, got):
    return np.array_equal(np.sort(got[0], axis=None), np.sort(expected[0], axis=None))


MISPLACED = Symptom(
    "misplaced",
    "All the numbers are there and the shape is right, but some stand in the wrong place. Follow "
    "the row of one position through your steps.",
    _same_numbers,
)

# -------------------------------------------------------------- split_heads


def _split_by_view(x: Array, heads: int) -> Array:
    """Cut as if the heads had been in front all along: this mixes the positions."""
    length, width = x.shape
    return x.reshape(heads, length, width // heads)


def _split_interleaved(x: Array, heads: int) -> Array:
    """Deal out the columns like cards: head h gets h, h + heads, ..."""
    return x.reshape(len(x), -1, heads).transpose(2, 0, 1)


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
            _split_by_view,
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
            _split_interleaved,
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


# -------------------------------------------------------------- merge_heads


def _merged_by_view(x: Array) -> Array:
    """Merge as if the positions had been in front all along: this mixes them."""
    heads, length, head_width = x.shape
    return x.reshape(length, heads * head_width)


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
            _merged_by_view,
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


# --------------------------------------------------------------- multi_head


def _multi_head(x, W_Q, W_K, W_V, W_O, heads):
    return by_hand.multi_head_attention(x, x, W_Q, W_K, W_V, W_O, heads)[0]


def _step_by_step(
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
        return _multi_head(x, *choose(W_Q, W_K, W_V, W_O), heads)

    return attend


def _one_head(x, W_Q, W_K, W_V, W_O, heads):
    return _multi_head(x, W_Q, W_K, W_V, W_O, 1)


def _one_head_scaled_for_many(x, W_Q, W_K, W_V, W_O, heads):
    return _multi_head(x, W_Q * np.sqrt(heads), W_K, W_V, W_O, 1)


def _mean_of_projected_heads(x, W_Q, W_K, W_V, W_O, heads):
    return _multi_head(x, W_Q, W_K, W_V, W_O, heads) / heads


def _first_block_for_all(x, W_Q, W_K, W_V, W_O, heads):
    """Let all heads project with the columns of the first."""
    d_k = len(W_O) // heads
    first = (np.tile(W[:, :d_k], heads) for W in (W_Q, W_K, W_V))
    return _multi_head(x, *first, W_O, heads)


MULTI_HEAD = Exercise(
    name="multi_head",
    signature="f(x, W_Q, W_K, W_V, W_O, heads)",
    outputs=("output",),
    reference=_multi_head,
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
    misconceptions=(
        misconception(
            "no-output-projection",
            "You return the merged heads. W_O still has to mix them: without it no column of the "
            "output knows of more than one head.",
            _step_by_step(project=lambda merged, W_O: merged),
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
            _step_by_step(split=_split_by_view),
            _step_by_step(split=_split_by_view, merge=_merged_by_view),
        ),
        misconception(
            "view-merge",
            "The heads are right, but you merge them without moving their axis back first, and a "
            "row now holds several positions of one head.",
            _step_by_step(merge=_merged_by_view),
        ),
        misconception(
            "interleaved",
            "You deal out the columns like cards. Each head gets columns that stand side by side.",
            _step_by_step(split=_split_interleaved),
            _step_by_step(
                split=_split_interleaved,
                merge=lambda x: x.transpose(1, 2, 0).reshape(x.shape[1], -1),
            ),
        ),
        misconception(
            "heads-averaged",
            "You average over the heads. Each has its own block of rows of W_O, and what comes "
            "out of the blocks is added up.",
            _mean_of_projected_heads,
            _step_by_step(
                merge=lambda x: x.mean(axis=0),
                project=lambda mean, W_O: mean @ W_O[: mean.shape[1]],
            ),
        ),
        misconception(
            "first-head-for-all",
            "All heads attend as the first one does. Each has its own block of columns of W_Q and "
            "W_K, and so its own weights.",
            _step_by_step(_mistakes.Attention(change=_weights_of_the_first_head)),
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
        ),
        misconception(
            "residual-added",
            "You add x to the output, as a layer of a Transformer does later. Here attention alone "
            "is asked for.",
            lambda x, W_Q, W_K, W_V, W_O, heads: x + _multi_head(x, W_Q, W_K, W_V, W_O, heads),
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
            _step_by_step(
                merge=lambda x: x.sum(axis=0),
                project=lambda total, W_O: total @ W_O[: total.shape[1]],
            ),
        ),
        misconception(
            "heads-in-reverse-order",
            "The heads are merged in reverse order. The columns of the first head come first.",
            _step_by_step(merge=lambda x: by_hand.merge_heads(x[::-1])),
        ),
    ),
    shared=_mistakes.of_attention(_step_by_step),
)


def multi_head(answer: object) -> Verdict:
    """Check multi-head self-attention.

    ``answer(x, W_Q, W_K, W_V, W_O, heads)`` takes ``x`` (length, d_model),
    four matrices (d_model, d_model) and the number of heads, which divides
    d_model. Head h uses the h-th block of columns of ``W_Q``, ``W_K`` and
    ``W_V``. There is no mask and no bias. It returns (length, d_model).
    """
    return MULTI_HEAD.check(answer)


# ----------------------------------------------------------- sum_over_heads


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
            lambda head_outputs, W_O: _merged_by_view(head_outputs) @ W_O,
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
    ),
)


def sum_over_heads(answer: object) -> Verdict:
    """Check the output projection written as a sum over heads.

    ``answer(head_outputs, W_O)`` takes ``head_outputs`` (heads, queries, d_v)
    and ``W_O`` (heads * d_v, d_model). It returns (queries, d_model): the sum
    over the heads of each times its own block of d_v rows of ``W_O``.
    """
    return SUM_OVER_HEADS.check(answer)


# --------------------------------------------------------------- parameters

PARAMETERS = Exercise(
    name="parameters",
    signature="f(d_model, heads)",
    outputs=("parameters",),
    reference=lambda d_model, heads: 4 * d_model**2,
    stages=(
        (
            example(d_model=6, heads=1),
            example(d_model=6, heads=2),
            example(d_model=12, heads=3),
            example(d_model=512, heads=8),
        ),
    ),
    misconceptions=(
        misconception(
            "times-heads",
            "You count matrices of full width for every head. Each head gets only d_k columns, "
            "and that is d_model divided by the number of heads.",
            lambda d_model, heads: 4 * d_model**2 * heads,
        ),
        misconception(
            "divided-by-heads",
            "This is the share of a single head, d_k columns of each matrix. Multiply by the "
            "number of heads: there are that many shares.",
            lambda d_model, heads: 4 * d_model**2 // heads,
        ),
        misconception(
            "no-output-projection",
            "You count W_Q, W_K and W_V. There is a fourth matrix, W_O, that mixes the heads.",
            lambda d_model, heads: 3 * d_model**2,
        ),
        misconception(
            "with-biases",
            "You count biases. The question is about the matrices alone.",
            lambda d_model, heads: 4 * d_model**2 + 4 * d_model,
            lambda d_model, heads: 4 * d_model**2 + d_model,
            lambda d_model, heads: 4 * d_model**2 + 3 * d_model,
        ),
        misconception(
            "one-head-and-output",
            "You count W_O in full, but W_Q, W_K and W_V for a single head.",
            lambda d_model, heads: 3 * d_model**2 // heads + d_model**2,
        ),
        misconception(
            "full-width-heads",
            "You count W_Q, W_K and W_V with full width for every head, and W_O once. Each head "
            "has d_k columns only, and d_k is d_model divided by the number of heads.",
            lambda d_model, heads: 3 * d_model**2 * heads + d_model**2,
        ),
        misconception(
            "d_k-squared",
            "You count matrices of d_k rows and d_k columns. What a head projects is a whole row "
            "of x: its matrices have d_model rows.",
            lambda d_model, heads: 4 * (d_model // heads) ** 2,
        ),
        misconception(
            "one-matrix",
            "This is one matrix. There are four: W_Q, W_K, W_V and W_O.",
            lambda d_model, heads: d_model**2,
        ),
        misconception(
            "not-squared",
            "Your number grows in proportion to d_model. A matrix has rows and columns, and both "
            "grow.",
            lambda d_model, heads: 4 * d_model,
        ),
    ),
    symptoms=(
        Symptom(
            "not-a-whole-number",
            "A number of parameters is a whole number.",
            lambda inputs, expected, got: bool(np.isfinite(got[0]) and got[0] % 1),
        ),
        Symptom(
            "too-many",
            "You count too many. Write down the shape of each matrix.",
            lambda inputs, expected, got: bool(expected[0] < got[0] < np.inf),
        ),
        Symptom(
            "too-few",
            "You count too few. Write down the shape of each matrix.",
            lambda inputs, expected, got: bool(-np.inf < got[0] < expected[0]),
        ),
    ),
)


def parameters(answer: object) -> Verdict:
    """Check the number of parameters of multi-head attention.

    ``answer(d_model, heads)`` takes the width of the model and the number of
    heads, which divides it. It returns how many numbers the four matrices
    hold, without biases, where d_k and d_v are d_model divided by heads.
    """
    return PARAMETERS.check(answer)


EXERCISES = (SPLIT_HEADS, MERGE_HEADS, MULTI_HEAD, SUM_OVER_HEADS, PARAMETERS)
