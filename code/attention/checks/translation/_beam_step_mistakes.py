"""Common mistakes in `beam_step`, with their messages (translation: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.translation._beam_step_steps import (
    along_the_columns,
    ascending,
    changed,
    divided_with_a_rest,
    in_order_of_place,
    increments,
    of_the_best_beginning,
    old_totals,
    one_of_each,
    one_of_each_in_order,
    one_of_each_token,
    places_returned,
    probabilities,
    ranked,
    ranked_without_totals,
    right_beam_step,
    split_by,
    tokens_first,
    worst,
)

MISTAKES = (
    misconception(
        "one-of-each-beginning",
        "You keep one continuation of each beginning. All continuations compete: the best "
        "two may have the same parent, and some beginning none at all.",
        one_of_each,
        one_of_each_in_order,
    ),
    misconception(
        "one-beginning-only",
        "You go on from the best beginning alone. A beginning that is behind now may come out "
        "ahead: rank the continuations of all of them.",
        of_the_best_beginning,
    ),
    misconception(
        "totals-forgotten",
        "You rank the new tokens by themselves. What counts is the whole sentence so far: add "
        "the total of its beginning.",
        ranked(lambda totals, log_p: log_p),
    ),
    misconception(
        "totals-multiplied",
        "You multiply with the totals. Probabilities are multiplied; these are their "
        "logarithms, which are added.",
        ranked(lambda totals, log_p: totals[:, None] * log_p),
    ),
    misconception(
        "new-tokens-reported",
        "The right ones are kept, but as totals you return what the last token adds. Return "
        "the sums: the next step needs them.",
        increments,
    ),
    misconception(
        "worst-kept",
        "You keep the unlikeliest. np.argsort sorts from low to high; log-probabilities are "
        "negative, and the best is the one nearest to 0.",
        worst,
    ),
    misconception(
        "best-last",
        "The right ones are kept, in reverse order. The best comes first.",
        ascending,
    ),
    misconception(
        "not-sorted",
        "The right ones are kept, but in the order of their places. The best comes first.",
        in_order_of_place,
    ),
    misconception(
        "divided-by-the-wrong-number",
        "A place in the flattened array is parent * symbols + token. So divide by the number "
        "of symbols, the length of a row.",
        split_by(lambda log_p, width: len(log_p)),
        split_by(lambda log_p, width: width),
    ),
    misconception(
        "parents-and-tokens-swapped",
        "Parents and tokens have changed places: first the beginning that is continued, then "
        "the token that is added.",
        tokens_first,
    ),
    misconception(
        "probabilities",
        "You return probabilities. Leave the totals as logarithms: products of many "
        "probabilities become too small to be told from 0.",
        probabilities,
    ),
    misconception(
        "old-totals-returned",
        "The right ones are kept, but you return the totals of their beginnings. Add what "
        "the new token brings.",
        old_totals,
    ),
    misconception(
        "averaged",
        "You divide the totals by a number of tokens. The sums are asked for.",
        changed(lambda scores: scores / 2),
        changed(lambda scores: scores / 3),
    ),
    misconception(
        "renormalised",
        "You normalise the totals of those that are kept. Return the sums as they are: the "
        "next step needs them.",
        changed(lambda scores: scores - np.log(np.exp(scores).sum())),
    ),
    misconception(
        "totals-subtracted",
        "You subtract the totals. Both are logarithms of probabilities, which are added.",
        ranked(lambda totals, log_p: log_p - totals[:, None]),
    ),
    misconception(
        "probabilities-added",
        "You add probabilities. They are multiplied, so their logarithms are added.",
        ranked(lambda totals, log_p: np.exp(totals)[:, None] + np.exp(log_p)),
        ranked(lambda totals, log_p: np.logaddexp(totals[:, None], log_p)),
    ),
    misconception(
        "totals-along-the-columns",
        "You add the totals along the columns. There is one for each beginning, and so for "
        "each row: give them a second axis.",
        along_the_columns,
    ),
    misconception(
        "ranked-without-totals",
        "You rank the new tokens by themselves, and add the totals afterwards. Rank the sums.",
        ranked_without_totals,
    ),
    misconception(
        "tokens-counted-from-1",
        "Your tokens count from 1. They are places, which count from 0.",
        lambda totals, log_p, width: (lambda s, p, t: (s, p, t + 1))(
            *right_beam_step(totals, log_p, width)
        ),
    ),
    misconception(
        "places-returned",
        "You return places in the flattened array. A place is parent * symbols + token: divide it.",
        places_returned,
    ),
    misconception(
        "not-rounded-down",
        "The number of a beginning is a whole one: divide the place by the number of symbols and "
        "round down. np.divmod gives both, the beginning and the token.",
        divided_with_a_rest,
    ),
    misconception(
        "one-of-each-token",
        "You keep each token once, after its best beginning. The same token may continue "
        "two beginnings.",
        one_of_each_token,
    ),
)
