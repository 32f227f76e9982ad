"""Common mistakes in `to_adjacent`, with their messages (family: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception

Array = np.ndarray


def _interleaved(d_k: int) -> Array:
    """Say which row of a head goes to each place: 0, d_k / 2, 1, d_k / 2 + 1 ..."""
    return np.arange(d_k).reshape(2, -1).T.ravel()


def _taken_apart(d_k: int) -> Array:
    return np.arange(d_k).reshape(-1, 2).T.ravel()


def _halves_swapped(d_k: int) -> Array:
    return np.roll(np.arange(d_k), d_k // 2)


def _ordering(order: Callable[[int], Array], change: Callable = lambda rows: rows) -> Callable:
    """Make a function that puts the rows of each head into an order."""

    def reorder(W, d_k):
        heads = W.reshape(-1, d_k, W.shape[1])
        return change(heads[:, order(d_k)]).reshape(W.shape)

    return reorder


def _as_one_head(order: Callable[[int], Array]) -> Callable:
    return lambda W, d_k: W[order(len(W))]


def _of_columns(W, d_k):
    return W.reshape(len(W), -1, d_k)[:, :, _interleaved(d_k)].reshape(W.shape)


def _first_head_only(W, d_k):
    return np.concatenate([W[_interleaved(d_k)], W[d_k:]])


def _negated(rows: Array) -> Array:
    return rows * np.resize([1, -1], rows.shape[1])[:, None]


def _negated_half(rows: Array) -> Array:
    return rows * np.repeat([-1, 1], rows.shape[1] // 2)[:, None]


RIGHT = _ordering(_interleaved)


MISTAKES = (
    misconception(
        "unchanged",
        "The rows stand as they stood. Row i of the first half of a head rotates together with "
        "row i of the second half: the two should stand side by side.",
        lambda W, d_k: W,
    ),
    misconception(
        "across-heads",
        "You take the whole matrix as one head, so that rows of different heads are mixed. "
        "Each head has d_k rows, and its pairs are its own.",
        _as_one_head(_interleaved),
    ),
    misconception(
        "heads-mixed",
        "The heads no longer stand one after the other: the axes are wrong when you take the "
        "matrix apart, or put it together. First comes the head, then the row in it.",
        lambda W, d_k: W.reshape(d_k, -1, W.shape[1]).swapaxes(0, 1).reshape(W.shape),
        lambda W, d_k: (
            W.reshape(-1, d_k, W.shape[1])[:, _interleaved(d_k)].swapaxes(0, 1).reshape(W.shape)
        ),
        lambda W, d_k: W.reshape(-1, d_k, W.shape[1]).swapaxes(0, 1).reshape(W.shape),
        lambda W, d_k: (
            W.reshape(2, d_k // 2, -1, W.shape[1]).transpose(2, 1, 0, 3).reshape(W.shape)
        ),
    ),
    misconception(
        "the-way-back",
        "You turn adjacent pairs into halves: the way back. Here the halves are given, and their "
        "rows should alternate: the first of each half, then the second of each.",
        _ordering(_taken_apart),
    ),
    misconception(
        "the-way-back-across-heads",
        "You take all even rows of the matrix, then all odd ones. That is the way back, and "
        "it mixes the heads besides.",
        _as_one_head(_taken_apart),
    ),
    misconception(
        "columns",
        "You reorder the columns. They are the inputs, which nothing rotates; the rows of "
        "this matrix make the query's numbers.",
        _of_columns,
        lambda W, d_k: W[:, _interleaved(W.shape[1])],
        lambda W, d_k: W[:, _taken_apart(W.shape[1])],
    ),
    misconception(
        "columns-too",
        "The rows are right, but you reorder the columns too. They are the inputs: leave them.",
        lambda W, d_k: RIGHT(_of_columns(W, d_k), d_k),
    ),
    misconception(
        "neighbours-swapped",
        "You swap neighbours, and the pairs of halves are as far apart as before. Bring row i "
        "of the second half next to row i of the first.",
        _ordering(lambda d_k: np.arange(d_k).reshape(-1, 2)[:, ::-1].ravel()),
    ),
    misconception(
        "second-first",
        "The pairs are right, but in each the row of the second half comes first. Then every "
        "pair turns backwards.",
        _ordering(lambda d_k: np.arange(d_k).reshape(2, -1)[::-1].T.ravel()),
    ),
    misconception(
        "halves-swapped",
        "You swap the two halves of each head. Their rows should alternate: one of the first "
        "half, one of the second.",
        _ordering(_halves_swapped),
    ),
    misconception(
        "reversed",
        "You turn the order of the rows round. The first row of a head stays the first.",
        _ordering(lambda d_k: np.arange(d_k)[::-1]),
        lambda W, d_k: W[::-1],
    ),
    misconception(
        "pairs-reversed",
        "The pairs are right, but the last one comes first. Each pair has a speed of its own: "
        "the order of the pairs has to stay.",
        _ordering(lambda d_k: np.arange(d_k).reshape(2, -1).T[::-1].ravel()),
    ),
    misconception(
        "second-half-reversed",
        "You go through the second half from its end, and pair the first row of a head with "
        "its last. Both halves are gone through from their beginning.",
        _ordering(
            lambda d_k: np.stack(
                [np.arange(d_k // 2), np.arange(d_k)[d_k // 2 :][::-1]], axis=1
            ).ravel()
        ),
    ),
    misconception(
        "first-head-only",
        "You reorder the first head and leave the others as they are. Every head rotates.",
        _first_head_only,
    ),
    misconception(
        "negated",
        "You change signs. The minus of a rotation comes when the query is turned; here only "
        "the order changes.",
        _ordering(_interleaved, _negated),
        _ordering(_interleaved, lambda rows: -_negated(rows)),
    ),
    misconception(
        "rotate-half",
        "You swap the halves and negate one, as is done when a query is turned. Nothing turns "
        "here: the rows of the two halves should alternate.",
        _ordering(_halves_swapped, _negated_half),
    ),
)
