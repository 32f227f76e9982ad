"""Common mistakes in the backward pass of attention, with their messages (learning: Exercises)."""

import numpy as np

from attention.checks._exercise import misconception
from attention.checks._mistakes import FULLY_MASKED_NAN, naive_softmax
from attention.checks.learning._shared import (
    attention_backward,
    nothing,
    right_scores,
    softmax_backward,
)


def _ordered(*order: int):
    """Hand back the three gradients in another order."""

    def gradients(query, key, value, upstream, mask):
        right = attention_backward()(query, key, value, upstream, mask)
        return tuple(right[place] for place in order)

    return gradients


def _unscaled(key):
    return 1.0


def _scaled_by_d_v(query, key, value, upstream, mask):
    return attention_backward(scale=lambda key: 1 / np.sqrt(value.shape[-1]))(
        query, key, value, upstream, mask
    )


MISTAKES = (
    misconception(
        "average-forgotten",
        "You multiply by the weight and leave out the average. Each score's gradient is its "
        "weight, times how far its value lies from the present output along the upstream "
        "gradient.",
        attention_backward(softmax_backward(nothing)),
    ),
    misconception(
        "element-by-element",
        "You take the softmax's derivative element by element, w (1 - w). Each score also moves "
        "the weights of all other keys.",
        attention_backward(lambda weights, upstream: weights * (1 - weights) * upstream),
    ),
    misconception(
        "softmax-skipped",
        "The softmax is missing on the way back: you carry the gradient at the weights straight "
        "on to the scores.",
        attention_backward(lambda weights, upstream: upstream),
    ),
    misconception(
        "weight-forgotten",
        "You take the average away, and forget the weight in front. What has no weight yet "
        "learns nothing.",
        attention_backward(
            lambda weights, upstream: upstream - (weights * upstream).sum(-1, keepdims=True)
        ),
    ),
    misconception(
        "average-over-the-queries",
        "In the softmax's gradient you sum over the queries. Each query has a softmax of its "
        "own: sum along its row, over the keys.",
        attention_backward(softmax_backward(lambda w, upstream: (w * upstream).sum(0))),
        attention_backward(softmax_backward(lambda w, upstream: (w * upstream).sum())),
    ),
    misconception(
        "plain-mean",
        "In the softmax's gradient you take the plain mean away. The average that counts is made "
        "with the weights.",
        attention_backward(
            softmax_backward(lambda weights, upstream: upstream.mean(-1, keepdims=True))
        ),
    ),
    misconception(
        "scale-forgotten-on-the-way-back",
        "On the way back the scale is missing. The scores are the scale times the dot products, "
        "so queries and keys get it as a factor.",
        attention_backward(scale_back=_unscaled),
    ),
    misconception(
        "no-scale",
        "The scale is missing throughout: the scores are dot products divided by the square root "
        "of d_k.",
        attention_backward(scale=_unscaled),
    ),
    misconception(
        "scale-forgotten-on-the-way-forth",
        "Your weights are made of unscaled scores. On the way back you have the scale.",
        attention_backward(scale=_unscaled, scale_back=lambda key: 1 / np.sqrt(key.shape[-1])),
    ),
    misconception(
        "scale-undone",
        "On the way back you undo the scale. A factor of the way forth is the same factor on the "
        "way back.",
        attention_backward(scale_back=lambda key: np.sqrt(key.shape[-1])),
    ),
    misconception(
        "scale-d_k",
        "You divide by d_k. It is the square root of d_k, once, for queries and for keys.",
        attention_backward(scale_back=lambda key: 1 / key.shape[-1]),
        attention_backward(scale=lambda key: 1 / key.shape[-1]),
    ),
    misconception(
        "plain-sum-for-values",
        "Queries and keys are right. Each value gets the upstream gradients of the queries that "
        "looked at it, each times the weight it had there: you have left the weights out.",
        attention_backward(at_value=lambda w, upstream: np.ones_like(w).T @ upstream),
    ),
    misconception(
        "outputs-in-another-order",
        "Right numbers in another order: first queries, then keys, then values.",
        _ordered(1, 0, 2),
        _ordered(2, 0, 1),
        _ordered(2, 1, 0),
        _ordered(1, 2, 0),
        _ordered(0, 2, 1),
    ),
    misconception(
        "wrong-sign",
        "All signs are turned round. The gradient says which way the loss grows; the minus comes "
        "later, when a step is taken.",
        lambda *given: tuple(-part for part in attention_backward()(*given)),
    ),
    misconception(
        "sign-of-scores",
        "The values are right, queries and keys have the wrong sign: you take each value away "
        "from the average. The average is taken away from each value.",
        attention_backward(lambda w, upstream: -right_scores(w, upstream)),
    ),
    misconception(
        "mask-ignored",
        "Your function takes a mask and never uses it: a hidden key gets a gradient, and shares in "
        "the weights.",
        attention_backward(hide=lambda scores, mask: scores),
    ),
    misconception(
        "mask-inverted",
        "The mask is the wrong way round. In this book True means: may attend.",
        attention_backward(hide=lambda scores, mask: np.where(mask, -np.inf, scores)),
    ),
    misconception(
        "zero-in-scores",
        "You set hidden scores to 0. That hides nothing, as e to the power 0 is 1: minus infinity "
        "does.",
        attention_backward(hide=lambda scores, mask: np.where(mask, scores, 0)),
    ),
    misconception(
        "fully-masked-not-zero",
        "A query that may attend to nothing attends to something all the same. It should hear "
        "nothing, and tell the keys and values nothing. (A large negative score, if that is what "
        "you use, loses only against a larger one.)",
        attention_backward(hide=lambda scores, mask: np.where(mask, scores, -1e9)),
    ),
    misconception(
        "scale-on-one-side",
        "Only one of queries and keys gets the scale on the way back. It stands in the "
        "scores, and both are behind it.",
        attention_backward(at_key=lambda g, key, query: np.sqrt(key.shape[-1]) * g.T @ query),
        attention_backward(at_query=lambda g, key, query: np.sqrt(key.shape[-1]) * g @ key),
    ),
    misconception(
        "scale-d_v",
        "You scale by d_v, the width of the values. The values have no part in the scores: "
        "look at the width of the keys.",
        _scaled_by_d_v,
    ),
    misconception("fully-masked-nan", FULLY_MASKED_NAN, attention_backward(softmax=naive_softmax)),
)
