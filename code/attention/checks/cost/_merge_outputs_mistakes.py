"""Common mistakes in `merge_outputs`, with their messages (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.cost._merge_outputs_shares import OF_SHARES
from attention.checks.cost._merge_outputs_steps import (
    LOG_TOTALS,
    along_the_columns,
    largest_of_all,
    merging,
    naive_and_the_rest,
    naive_log_total,
    naive_shares,
    relative_to,
    right_log_total,
    right_shares,
    the_rest_and_naive,
)

MISTAKES = (
    *OF_SHARES,
    misconception(
        "along-the-columns",
        "You multiply the shares along the columns. There is one for each query, and so for "
        "each row: give them a second axis.",
        along_the_columns,
    ),
    misconception(
        "log-totals-added",
        "The output is right. As log total you add, or average, the two logs. It is the totals "
        "that add up: the sum of two logs is the log of their product.",
        merging(log_total=np.add),
        merging(log_total=lambda a, b: (a + b) / 2),
    ),
    misconception(
        "larger-log-total",
        "The output is right. As log total you return the larger one of the two: the keys of "
        "the other part are not in it.",
        merging(log_total=np.maximum),
    ),
    misconception(
        "log-forgotten",
        "The output is right. As log total you return the total: its logarithm is asked for.",
        merging(log_total=lambda a, b: np.exp(a) + np.exp(b)),
    ),
    misconception(
        "largest-not-added-back",
        "The output is right. From the log totals you have taken away the larger one, so that "
        "nothing overflows. To the log of the sum it has to be added again.",
        merging(log_total=lambda a, b: np.log1p(np.exp(-np.abs(a - b)))),
    ),
    misconception(
        "overflows",
        "Right, until the log totals are far from 0: the total itself is then infinite, or 0. "
        "Take away the larger log total before you take exponentials.",
        *(
            merging(shares, log_total)
            for shares in (naive_shares, naive_and_the_rest, the_rest_and_naive)
            for log_total in (naive_log_total, right_log_total)
        ),
        merging(log_total=naive_log_total),
    ),
    misconception(
        "one-largest-for-all",
        "Right, until the queries differ much: you take away the largest log total of all "
        "queries, and where both parts of a query are far below it, two zeros are left. Each "
        "query has a larger one of its own.",
        merging(*relative_to(largest_of_all)),
        merging(relative_to(largest_of_all)[0]),
        merging(log_total=relative_to(largest_of_all)[1]),
    ),
    misconception(
        "measured-against-one-part",
        "Right, until one part is very much larger than the other: you take away the log total "
        "of one and the same part, whichever is larger, and the exponential overflows.",
        merging(*relative_to(lambda a, b: a)),
        merging(*relative_to(lambda a, b: b)),
        merging(log_total=relative_to(lambda a, b: a)[1]),
        merging(log_total=relative_to(lambda a, b: b)[1]),
    ),
    misconception(
        "base-two",
        "You took powers of 2. The log totals are logarithms to the base e.",
        merging(lambda a, b: right_shares(a * np.log(2), b * np.log(2))),
        merging(log_total=np.logaddexp2),
        merging(lambda a, b: right_shares(a * np.log(2), b * np.log(2)), np.logaddexp2),
    ),
    misconception(
        "winner-takes-all",
        "You return the output of the part whose total is larger. The other part has its "
        "share too.",
        *(merging(lambda a, b: (1.0 * (a >= b), 1.0 * (a < b)), log) for log in LOG_TOTALS),
    ),
    misconception(
        "log-total-of-one-part",
        "The output is right. As log total you return that of one part: the keys of the "
        "other are missing in it.",
        merging(log_total=lambda a, b: a),
        merging(log_total=lambda a, b: b),
        merging(log_total=np.minimum),
    ),
    misconception(
        "log-totals-multiplied",
        "The output is right. You multiply the log totals: the totals themselves are added.",
        merging(log_total=np.multiply),
    ),
    misconception(
        "mean-of-the-totals",
        "The output is right. Your log total is that of the mean of the totals: they are added.",
        merging(log_total=lambda a, b: right_log_total(a, b) - np.log(2)),
    ),
    misconception(
        "halved",
        "Your shares sum to a half. The share of a part is its total, divided by both "
        "totals together.",
        merging(lambda a, b: tuple(share / 2 for share in right_shares(a, b))),
    ),
    misconception(
        "sigmoid-of-each",
        "You make each share from its own log total alone. A share says how large a total "
        "is beside the other.",
        merging(lambda a, b: (1 / (1 + np.exp(-a)), 1 / (1 + np.exp(-b)))),
    ),
    misconception(
        "relative-to-the-other",
        "You weight each output by its total divided by the other total. Divide by both together.",
        merging(lambda a, b: (np.exp(a - b), np.exp(b - a))),
    ),
    misconception(
        "one-share-missing",
        "Only one of the outputs is weighted.",
        merging(lambda a, b: (right_shares(a, b)[0], np.ones_like(b))),
        merging(lambda a, b: (np.ones_like(a), right_shares(a, b)[1])),
    ),
)
