"""Mistakes in what each part has to say, in `merge_outputs` (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.cost._merge_outputs_steps import (
    LOG_TOTALS,
    constant,
    merging,
    of_all_queries,
    right_log_total,
    right_shares,
)

OF_SHARES = (
    misconception(
        "plain-mean",
        "You take the plain mean of the two outputs. A part whose total is larger has more to "
        "say: in the softmax over all keys its keys have more of the weight.",
        *(merging(constant(0.5), log_total) for log_total in LOG_TOTALS),
    ),
    misconception(
        "outputs-added",
        "You add the outputs. Each is an average already; together they are one again, so the "
        "shares of the two parts have to sum to 1.",
        *(merging(constant(1.0), log_total) for log_total in LOG_TOTALS),
    ),
    misconception(
        "weighted-by-the-logs",
        "You weight the outputs by the log totals. They are logarithms: what the parts share "
        "out are the totals themselves.",
        *(merging(lambda a, b: (a / (a + b), b / (a + b)), log) for log in LOG_TOTALS),
        *(merging(lambda a, b: (a, b), log) for log in LOG_TOTALS),
    ),
    misconception(
        "shares-swapped",
        "You have swapped the shares: each output is weighted by the total of the other part.",
        merging(lambda a, b: right_shares(a, b)[::-1]),
    ),
    misconception(
        "not-divided",
        "You weight the outputs by their totals, and leave it there. To be an average, the sum "
        "has to be divided by both totals together.",
        merging(lambda a, b: (np.exp(a), np.exp(b))),
        merging(lambda a, b: (np.exp(a - np.maximum(a, b)), np.exp(b - np.maximum(a, b)))),
    ),
    misconception(
        "shared-among-queries",
        "Your shares sum to 1 over the queries. Each query has shares of its own, one for each "
        "of the two parts.",
        merging(lambda a, b: (of_all_queries(a), of_all_queries(b))),
    ),
    misconception(
        "one-share-for-all-queries",
        "All your queries share out in the same way. Each has two log totals of its own, "
        "and so shares of its own.",
        merging(
            lambda a, b: tuple(
                np.full_like(a, share)
                for share in right_shares(np.logaddexp.reduce(a), np.logaddexp.reduce(b))
            )
        ),
    ),
    misconception(
        "side-by-side",
        "You put the two outputs side by side. Together they are one average, as wide as "
        "each of them.",
        lambda output_a, log_total_a, output_b, log_total_b: (
            np.hstack([output_a, output_b]),
            right_log_total(log_total_a, log_total_b),
        ),
    ),
)
