"""Common mistakes in `entropy`, with their messages (scaling: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import misconception


def entropy_with_epsilon(weights):
    return -(weights * np.log(weights + 1e-3)).sum(-1)


def plain_entropy(weights):
    return -(weights * np.log(weights)).sum(-1)


EPSILON = (
    "Your result is slightly off: the small number that you add to avoid log(0) is large "
    "enough to see. Leave the zeros out of the sum instead."
)

NAN_AT_ZERO = (
    "A weight of 0 gives NaN: log(0) is minus infinity, and 0 times that is not a number. "
    "A key without weight adds nothing to the entropy: treat it separately."
)

MISTAKES = (
    misconception(
        "bits",
        "Your entropy is in bits. Here it is asked for in nats: use the natural logarithm.",
        lambda weights: by_hand.entropy(weights) / np.log(2),
    ),
    misconception(
        "base-ten",
        "You used the logarithm to base 10. Nats need the natural logarithm.",
        lambda weights: by_hand.entropy(weights) / np.log(10),
    ),
    misconception(
        "wrong-sign",
        "Your entropy is negative. The logarithm of a weight below 1 is negative: a minus "
        "sign makes up for it.",
        lambda weights: -by_hand.entropy(weights),
    ),
    misconception(
        "everything-summed",
        "You return one number for all rows together. Each row of weights has its own "
        "entropy: sum over the keys, the last axis.",
        lambda weights: by_hand.entropy(weights).sum(),
    ),
    misconception(
        "rows-averaged",
        "You return the average over all rows. Each row of weights has its own entropy.",
        lambda weights: by_hand.entropy(weights).mean(),
    ),
    misconception(
        "first-axis",
        "You sum over the first axis. The keys are the last one.",
        lambda weights: by_hand.entropy(np.moveaxis(weights, 0, -1)),
    ),
    misconception(
        "not-summed",
        "You return what each key contributes. The entropy of a row is their sum.",
        lambda weights: -weights * np.log(np.where(weights > 0, weights, 1)),
    ),
    misconception(
        "mean-over-keys",
        "You take the mean over the keys. The weights sum to 1 already: the sum is the "
        "average of -log(weight).",
        lambda weights: by_hand.entropy(weights) / weights.shape[-1],
    ),
    misconception(
        "perplexity",
        "You return the exponential of the entropy: the perplexity, the effective number of "
        "keys. The entropy itself is asked for.",
        lambda weights: np.exp(by_hand.entropy(weights)),
    ),
    misconception(
        "divided-by-largest",
        "You divide by the largest entropy possible, so that even weights give 1. Here the "
        "entropy in nats is asked for.",
        lambda weights: by_hand.entropy(weights) / np.log(weights.shape[-1]),
    ),
    misconception(
        "logs-not-weighted",
        "You add up the logarithms. Each counts in proportion to its weight.",
        lambda weights: -np.log(np.where(weights > 0, weights, 1)).sum(-1),
        lambda weights: -np.log(weights).sum(-1),
        lambda weights: -np.log(weights).mean(-1),
    ),
    misconception(
        "gini",
        "You return 1 minus the sum of the squares. That too measures spread, but it is not "
        "the entropy.",
        lambda weights: 1 - (weights**2).sum(-1),
    ),
    misconception("epsilon", EPSILON, entropy_with_epsilon),
    misconception("nan-at-zero", NAN_AT_ZERO, plain_entropy),
    misconception(
        "one-added-in-the-logarithm",
        "You take the logarithm of 1 + weight. That avoids log(0), but it is another number: "
        "leave the zeros out instead.",
        lambda weights: -(weights * np.log1p(weights)).sum(-1),
        lambda weights: (weights * np.log1p(weights)).sum(-1),
    ),
    misconception(
        "sum-inside-the-logarithm",
        "You take the logarithm of a sum of squares. The entropy sums weight times logarithm, "
        "one key at a time.",
        lambda weights: -np.log((weights**2).sum(-1)),
    ),
    misconception(
        "largest-weight-only",
        "You take the logarithm of the largest weight alone. Every key counts, in proportion "
        "to its weight.",
        lambda weights: -np.log(weights.max(-1)),
    ),
    misconception(
        "difference-from-even-weights",
        "You return how far the entropy lies below that of even weights. The entropy itself "
        "is asked for.",
        lambda weights: np.log(weights.shape[-1]) - by_hand.entropy(weights),
    ),
    misconception(
        "softmax-first",
        "You take a softmax of the weights. They are weights already, and sum to 1.",
        lambda weights: by_hand.entropy(by_hand.softmax(weights)),
    ),
    misconception(
        "each-key-or-not",
        "You add the entropy of *this key or not* for all keys. The keys are alternatives: "
        "only weight times logarithm is summed.",
        lambda weights: by_hand.entropy(np.stack([weights, 1 - weights], -1)).sum(-1),
    ),
    misconception(
        "logarithm-of-the-rest",
        "You take the logarithm of 1 - weight. Each weight is multiplied by its own logarithm.",
        lambda weights: -(weights * np.log1p(-weights)).sum(-1),
        lambda weights: -(weights * np.log1p(-np.minimum(weights, 1 - 1e-12))).sum(-1),
    ),
    misconception(
        "batch-taken-for-rows",
        "You take whatever stands in the first axis for a row. Each axis but the last may "
        "count rows: sum over the last one alone.",
        lambda weights: (
            by_hand.entropy(weights).sum(-1) if weights.ndim > 2 else by_hand.entropy(weights)
        ),
    ),
)
