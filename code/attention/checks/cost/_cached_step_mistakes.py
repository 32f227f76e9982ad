"""Common mistakes in `cached_step`, with their messages (cost: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks.cost._cached_step_steps import (
    asking_with_the_key,
    projected_again,
    projecting,
    stepping,
    stepping_and_adding_x,
)

MISTAKES = (
    misconception(
        "own-key-missing",
        "The new position attends to those before it, and not to itself. Its own key and value "
        "belong to what it looks at: put them into the cache first, then attend.",
        stepping(seen=lambda old, grown: old),
    ),
    misconception(
        "own-key-only",
        "Your output is the new position's own value. It should look at all keys there are, "
        "those of the earlier positions too.",
        stepping(seen=lambda old, grown: grown[-1:]),
    ),
    misconception(
        "new-in-front",
        "The new key and value stand before the old ones. To this output the order makes no "
        "difference, but row p of the cache belongs to position p: the new one comes last.",
        stepping(append=lambda old, new: np.concatenate([new[None], old])),
    ),
    misconception(
        "x-kept",
        "You put x itself into the cache. What later positions ask for are its key and its "
        "value, which W_K and W_V make.",
        projecting(lambda x, q, k, v: (q, x, x)),
        projecting(lambda x, q, k, v: (q, x, v)),
        projecting(lambda x, q, k, v: (q, k, x)),
    ),
    misconception(
        "projected-again",
        "You project the whole cache. What is in it has been projected when it was new: only x "
        "has not.",
        projected_again,
    ),
    misconception(
        "cache-not-grown",
        "The output is right, but you return keys and values as they came. The next position "
        "will look for those of this one, too.",
        stepping(returned=lambda old, grown, new: old),
    ),
    misconception(
        "only-the-new-returned",
        "The output is right, but you return the new key and the new value alone. The next "
        "position needs the earlier ones, too.",
        stepping(returned=lambda old, grown, new: new[None]),
        stepping(returned=lambda old, grown, new: new),
    ),
    misconception(
        "last-overwritten",
        "The new key and value have taken the place of the last ones. They come after them: "
        "the cache is one row longer than before.",
        stepping(append=lambda old, new: np.concatenate([old[:-1], new[None]])),
    ),
    misconception(
        "no-scale",
        "The scores are not divided by the square root of d_k.",
        stepping(scale=lambda d_model, d_k, count: 1.0),
    ),
    misconception(
        "scaled-by-the-number-of-keys",
        "You divide the scores by the number of keys, or by its root. A score is a sum over "
        "the d_k columns of a key, however many keys there are.",
        stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(count)),
        stepping(scale=lambda d_model, d_k, count: 1 / count),
        stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(np.float64(count - 1))),
    ),
    misconception(
        "wrong-scale",
        "The factor on the scores is another one. They are divided by the square root of d_k, "
        "the width of a key.",
        stepping(scale=lambda d_model, d_k, count: 1 / np.sqrt(d_model)),
        stepping(scale=lambda d_model, d_k, count: 1 / d_k),
        stepping(scale=lambda d_model, d_k, count: np.sqrt(d_k)),
    ),
    misconception(
        "keys-used-as-values",
        "You average the keys, or keep them as values. A key says where a position is found; "
        "what it has to say is its value.",
        stepping(averaged=lambda keys, values: keys),
        projecting(lambda x, q, k, v: (q, k, k)),
    ),
    misconception(
        "query-used-as-key",
        "You keep the query as a key. The new position asks with its query; the later ones "
        "find it by its key, which W_K makes.",
        projecting(lambda x, q, k, v: (q, q, v)),
        projecting(lambda x, q, k, v: (k, q, v)),
    ),
    misconception(
        "key-as-query",
        "The new position asks with its key. It asks with its query, which W_Q makes.",
        asking_with_the_key,
    ),
    misconception(
        "x-added",
        "You add x to the output. That is the residual connection's work; here the output "
        "alone is asked for.",
        stepping_and_adding_x,
    ),
    misconception(
        "query-not-projected",
        "You compare x itself with the keys. W_Q makes the query of it.",
        projecting(lambda x, q, k, v: (x, k, v)),
    ),
    misconception(
        "newest-two-only",
        "The new position sees itself and the one before it. It should look at all keys there are.",
        stepping(seen=lambda old, grown: grown[-2:]),
    ),
)
