"""Common mistakes in `top_p`, with their messages (translation: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.translation._top_p_steps import (
    divided,
    from_the_tail,
    in_order_of_size,
    keeping,
    keeping_anyway,
    kept_first,
    last_one_cut,
    only_the_kept,
    or_zeros,
    right_top_p,
    scattered_wrongly,
    share_before,
    softmax,
    softmax_of_the_kept,
    two_at_most,
    unsorted,
)

MISTAKES = (
    misconception(
        "last-one-missing",
        "You stop one token too early: those you keep have less than the share together. The "
        "token with which the share is reached belongs to them.",
        keeping(lambda ranked, share: np.cumsum(ranked) <= share),
        keeping(lambda ranked, share: np.cumsum(ranked) < share),
        *(
            keeping_anyway(reached, first)
            for reached in (np.less_equal, np.less)
            for first in (True, False)
        ),
    ),
    misconception(
        "one-too-many",
        "You keep one token more than it takes. As soon as the share is reached, no further "
        "token is kept.",
        keeping(lambda ranked, share: share_before(ranked) <= share),
        keeping(
            lambda ranked, share: np.arange(len(ranked)) < (share_before(ranked) < share).sum() + 1
        ),
    ),
    misconception(
        "not-divided",
        "The right tokens are kept, but their probabilities no longer sum to 1. Divide by "
        "their sum.",
        lambda p, share: kept_first(p, lambda ranked: share_before(ranked) < share),
    ),
    misconception(
        "softmax-again",
        "You put probabilities through a softmax, which makes them more alike. Divide by their "
        "sum instead.",
        softmax_of_the_kept,
        lambda p, share: softmax(right_top_p(p, share) * p[right_top_p(p, share) > 0].sum()),
        lambda p, share: right_top_p(softmax(p), share),
    ),
    misconception(
        "not-sorted",
        "You add up in the order of the vocabulary. Start with the likeliest token, whatever "
        "its number.",
        unsorted,
    ),
    misconception(
        "unlikeliest-kept",
        "You start with the unlikeliest token. np.argsort sorts from low to high.",
        from_the_tail,
    ),
    misconception(
        "order-lost",
        "The numbers are right, but sorted by size. Each must stand at the place of its token.",
        in_order_of_size,
    ),
    misconception(
        "places-lost",
        "You return the kept ones alone. Then nobody knows whose they are: return one number "
        "for each token, 0 for those that are not kept.",
        only_the_kept,
        lambda p, share: -np.sort(-only_the_kept(p, share)),
    ),
    misconception(
        "share-as-threshold",
        "You compare each probability by itself with the share. It is their sum that counts, "
        "from the likeliest on.",
        keeping(lambda ranked, share: ranked >= share),
        keeping(lambda ranked, share: ranked >= 1 - share),
        keeping(lambda ranked, share: ranked > 1 - share),
        lambda p, share: or_zeros(np.where(p >= 1 - share, p, 0)),
    ),
    misconception(
        "nothing-dropped",
        "You drop no token.",
        lambda p, share: p,
    ),
    misconception(
        "only-the-best",
        "You keep the likeliest token alone. Keep as many as it takes to reach the share.",
        keeping(lambda ranked, share: np.arange(len(ranked)) < 1),
    ),
    misconception(
        "threshold",
        "You compare each probability with a number by itself. Add them up from the "
        "likeliest on, until the share is reached.",
        lambda p, share: np.where(p >= share, p, 0) / max(p[p >= share].sum(), 1e-9),
        lambda p, share: divided(np.where(p >= share * p.max(), p, 0)),
    ),
    misconception(
        "a-share-of-the-tokens",
        "You keep a share of the number of tokens. Keep as many as it takes for their "
        "probabilities to reach the share.",
        lambda p, share: divided(p * (np.argsort(np.argsort(-p)) < np.ceil(share * len(p)))),
    ),
    misconception(
        "divided-by-the-share",
        "You divide by the share. What is kept may have more than that: divide by its sum.",
        lambda p, share: right_top_p(p, share) * p[right_top_p(p, share) > 0].sum() / share,
    ),
    misconception(
        "equal-probabilities",
        "The right tokens are kept, but all have the same probability. They keep their "
        "proportions.",
        lambda p, share: divided((right_top_p(p, share) > 0).astype(float)),
    ),
    misconception(
        "ones-returned",
        "You return 1 for each token that is kept. Return its probability, divided by the "
        "sum of those kept.",
        lambda p, share: (right_top_p(p, share) > 0).astype(float),
    ),
    misconception(
        "dropped-tokens-kept",
        "You keep exactly those that should be dropped.",
        lambda p, share: divided(np.where(right_top_p(p, share) > 0, 0, p)),
    ),
    misconception(
        "mask-in-order-of-size",
        "Which places are kept is said in order of size, but you apply it to p in order of "
        "the vocabulary. Go back with the order that argsort gave.",
        lambda p, share: divided(p * (np.arange(len(p)) < (right_top_p(p, share) > 0).sum())),
    ),
    misconception(
        "last-one-cut",
        "The last token that is kept is cut, so that the sum is the share exactly. A token "
        "is kept as a whole.",
        last_one_cut,
    ),
    misconception(
        "scattered-wrongly",
        "The right probabilities, in wrong places. order says which token stands at each "
        "rank; to go back, write kept[order] = ranked.",
        scattered_wrongly,
    ),
    misconception(
        "two-at-most",
        "You keep two tokens at most. Keep as many as it takes.",
        two_at_most,
    ),
)
