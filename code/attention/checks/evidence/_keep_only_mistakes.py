"""Common mistakes in `keep_only`, with their messages (evidence: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention.checks._exercise import misconception

Array = np.ndarray


def cutting(rule: Callable) -> Callable:
    """Make edges from a rule for row, column, query and whether the column is kept."""

    def edges(length, query, kept):
        row, column = np.arange(length)[:, None], np.arange(length)  # (length, 1), (length,)
        is_kept = np.isin(column, kept)  # (length,)
        return np.broadcast_to(rule(row, column, query, is_kept), (length, length))

    return edges


right_keep_only = cutting(lambda row, column, query, kept: (row == query) & ~kept)

MISTAKES = (
    misconception(
        "kept-ones-cut",
        "You cut the edges that should be kept. True means that the edge is cut.",
        cutting(lambda row, column, query, kept: (row == query) & kept),
    ),
    misconception(
        "mask-for-edges",
        "You return a mask, where True means that the query may attend. Here True means that "
        "the edge is cut.",
        cutting(lambda row, column, query, kept: (row != query) | kept),
    ),
    misconception(
        "all-queries",
        "You cut the same keys from every query. Only one word is kept from them; the others go "
        "on reading all words.",
        cutting(lambda row, column, query, kept: (row == row) & ~kept),
    ),
    misconception(
        "column-for-row",
        "You cut edges towards the query's word. The rows are the queries: cut in its row, not in "
        "its column.",
        lambda length, query, kept: right_keep_only(length, query, kept).T,
    ),
    misconception(
        "itself-kept",
        "Your query may always attend to itself. It may do so only if it is among the kept.",
        cutting(lambda row, column, query, kept: (row == query) & ~kept & (column != query)),
    ),
    misconception(
        "itself-cut",
        "Your query may never attend to itself. If it is among the kept, it may.",
        cutting(lambda row, column, query, kept: (row == query) & (~kept | (column == query))),
    ),
    misconception(
        "only-the-first-kept",
        "You keep one key, the first or the last of the list. Keep all of them.",
        lambda length, query, kept: right_keep_only(length, query, kept[:1]),
        lambda length, query, kept: right_keep_only(length, query, kept[-1:]),
    ),
    misconception(
        "every-edge",
        "You cut every edge of the query. Then it gets nothing from the head.",
        cutting(lambda row, column, query, kept: (row == query) & (column == column)),
    ),
    misconception(
        "nothing-cut",
        "You cut nothing.",
        cutting(lambda row, column, query, kept: (row != row) & kept),
    ),
)
