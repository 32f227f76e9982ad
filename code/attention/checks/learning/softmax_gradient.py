"""Carry a gradient back through the softmax, row by row (learning: Exercises)."""

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception
from attention.checks.learning._shared import (
    nothing,
    right_scores,
    softmax_backward,
    weighted_average,
)


def _rows_do_not_cancel(inputs, expected, got):
    sums = got[0].sum(-1)
    return bool(np.isfinite(sums).all() and (np.abs(sums) > 1e-4).any())


def _weightless_key_moves(inputs, expected, got):
    without = inputs["weights"] == 0
    return bool((np.abs(got[0][without]) > 1e-4).any()) if without.any() else None


SOFTMAX_GRADIENT = Exercise(
    name="softmax_gradient",
    signature="f(weights, upstream)",
    outputs=("gradient",),
    reference=right_scores,
    stages=(
        (
            example(weights=[[0.75, 0.25]], upstream=[[2, 4]]),
            example(weights=[[0.5, 0.3, 0.2]], upstream=[[1, -2, 4]]),
            example(weights=[[0.6, 0.4], [0.1, 0.9]], upstream=[[3, -1], [0.5, 2]]),
            example(
                weights=[[0.2, 0.3, 0.5], [0.7, 0.1, 0.2]],
                upstream=[[1, 2, -1], [0.4, -3, 2.5]],
            ),
        ),
        (
            example(weights=[[1, 0]], upstream=[[2, -3]]),
            example(weights=[[0, 0.5, 0.5], [0, 0, 0]], upstream=[[7, 1, -1], [1, 2, 3]]),
        ),
    ),
    misconceptions=(
        misconception(
            "average-forgotten",
            "You multiply by the weight, and nothing is taken away. A softmax shares out: a score "
            "rises at the cost of the others. Take away the average of the row, made with its "
            "weights.",
            softmax_backward(nothing),
        ),
        misconception(
            "element-by-element",
            "This is the derivative of each weight by its own score, w (1 - w). Each score also "
            "moves the weights of all other keys.",
            lambda weights, upstream: weights * (1 - weights) * upstream,
        ),
        misconception(
            "weight-forgotten",
            "You take the average away, and leave it there. Multiply by the weight of the key: "
            "what has no weight yet gains none.",
            lambda weights, upstream: upstream - weighted_average(weights, upstream),
        ),
        misconception(
            "plain-mean",
            "You take the plain mean of the row away. The average that counts is the one that "
            "attention makes: with the weights.",
            softmax_backward(lambda weights, upstream: upstream.mean(-1, keepdims=True)),
        ),
        misconception(
            "plain-sum",
            "You take the plain sum of the row away. It should be an average: each number times "
            "its weight, then summed.",
            softmax_backward(lambda weights, upstream: upstream.sum(-1, keepdims=True)),
        ),
        misconception(
            "summed-over-the-queries",
            "You sum over the queries. Each query has a softmax of its own: sum along its row, "
            "over the keys.",
            softmax_backward(lambda weights, upstream: (weights * upstream).sum(0)),
        ),
        misconception(
            "summed-over-everything",
            "You sum over all queries together. Each query has a softmax of its own: sum along "
            "its row, over the keys.",
            softmax_backward(lambda weights, upstream: (weights * upstream).sum()),
        ),
        misconception(
            "added",
            "You add the average where it should be taken away.",
            softmax_backward(lambda weights, upstream: -weighted_average(weights, upstream)),
        ),
        misconception(
            "wrong-sign",
            "All signs are turned round. The gradient says which way the loss grows; the minus "
            "comes later, when a step is taken.",
            lambda weights, upstream: -right_scores(weights, upstream),
        ),
        misconception(
            "weight-missing-on-the-average",
            "The first term is right. The second, the average, has to be multiplied by the weight "
            "of the key as well.",
            lambda weights, upstream: weights * upstream - weighted_average(weights, upstream),
            lambda weights, upstream: weights * upstream - (weights * upstream).mean(-1)[:, None],
        ),
        misconception(
            "softmax-again",
            "You take a softmax of the weights. They are weights already: a softmax made them.",
            lambda weights, upstream: right_scores(by_hand.softmax(weights), upstream),
        ),
        misconception(
            "weights-minus-upstream",
            "You subtract one array from the other. That is right for a softmax with a "
            "cross-entropy behind it, where upstream would be the wanted weights. Here upstream "
            "is a gradient.",
            lambda weights, upstream: weights - upstream,
        ),
        misconception(
            "arguments-swapped",
            "The two arrays have changed places.",
            lambda weights, upstream: right_scores(upstream, weights),
        ),
        misconception(
            "one-weight-squared",
            "The average is made with the squares of the weights, or the key's weight is used "
            "twice. Each term has two weights: the key's own, and that of the key averaged over.",
            lambda weights, upstream: weights * upstream - weights**2 * upstream.sum(-1)[:, None],
            softmax_backward(lambda w, upstream: (w**2 * upstream).sum(-1, keepdims=True)),
        ),
        misconception(
            "mean-of-the-products",
            "You take the mean of weight times gradient. The weights sum to 1 already, so that "
            "the sum is the average.",
            softmax_backward(
                lambda weights, upstream: (weights * upstream).mean(-1, keepdims=True)
            ),
        ),
        misconception(
            "keepdims-forgotten",
            "The averages of the rows meet the columns: summing dropped the axis of the keys, "
            "and NumPy then lays the sums along the last axis. Keep that axis with "
            "keepdims=True.",
            softmax_backward(lambda weights, upstream: (weights * upstream).sum(-1)),
        ),
        misconception(
            "one-factor-too-many",
            "You multiply by 1 - weight as well. What the other keys do is in the average already.",
            lambda weights, upstream: (1 - weights) * right_scores(weights, upstream),
        ),
    ),
    symptoms=(
        Symptom(
            "weightless-key-moves",
            "A key without any weight gets a gradient. However its score moves a little, its "
            "weight stays 0: nothing reaches it.",
            _weightless_key_moves,
        ),
        Symptom(
            "rows-do-not-sum-to-0",
            "Along each row your gradients should sum to 0, and they do not: adding the same "
            "number to all scores of a row changes no weight.",
            _rows_do_not_cancel,
        ),
    ),
)


def softmax_gradient(answer: object) -> Verdict:
    """Check the gradient at the scores of a softmax.

    ``answer(weights, upstream)`` takes ``weights`` (queries, keys), what a softmax
    made of each row of scores, and ``upstream`` (queries, keys), the gradient of the
    loss with respect to the weights. It returns the gradient with respect to the
    scores, of the same shape. A row of zero weights gets zeros.
    """
    return SOFTMAX_GRADIENT.check(answer)
