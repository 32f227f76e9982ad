"""Write down the Jacobian of the softmax from its weights (scaling: Exercises)."""

from collections.abc import Callable

import numpy as np

from attention import by_hand
from attention.checks._exercise import Exercise, Symptom, Verdict, example, misconception


def _diagonal_and_off(diagonal: Callable, off: Callable) -> Callable:
    """Make a matrix from what stands on the diagonal and what stands off it."""

    def matrix(weights):
        row, column = weights[:, None], weights[None, :]
        return np.where(np.eye(len(weights), dtype=bool), diagonal(row), off(row, column))

    return matrix


def _zero(row, column):
    return np.zeros_like(row * column)


JACOBIAN = Exercise(
    name="jacobian",
    signature="f(weights)",
    outputs=("jacobian",),
    reference=by_hand.softmax_jacobian,
    stages=(
        (
            example(weights=[0.75, 0.25]),
            example(weights=[0.5, 0.3, 0.2]),
            example(weights=[0.1, 0.2, 0.3, 0.4]),
        ),
        (example(weights=[1]), example(weights=[1, 0])),
    ),
    misconceptions=(
        misconception(
            "diagonal-only",
            "Only the diagonal is there. Raising one score also takes weight away from the "
            "other keys: that is what the other entries say.",
            _diagonal_and_off(lambda p: p * (1 - p), _zero),
        ),
        misconception(
            "diagonal-as-vector",
            "You return one number for each key: the diagonal. Every score acts on every "
            "weight: the Jacobian is a matrix (keys, keys).",
            lambda weights: weights * (1 - weights),
        ),
        misconception(
            "weights-on-the-diagonal",
            "The second term is missing: the weights stand on a diagonal, and nothing is "
            "subtracted. Each row should sum to 0.",
            _diagonal_and_off(lambda p: p, _zero),
        ),
        misconception(
            "diagonal-term-missing",
            "The first term is missing: all your entries are negative. Raising a score raises "
            "its own weight.",
            _diagonal_and_off(lambda p: -p * p, lambda p, q: -p * q),
        ),
        misconception(
            "plus-for-minus",
            "The two terms are added where one should be subtracted from the other. Each row "
            "should sum to 0.",
            _diagonal_and_off(lambda p: p + p * p, lambda p, q: p * q),
        ),
        misconception(
            "off-diagonal-positive",
            "The entries off the diagonal have the wrong sign. Raising one score takes weight "
            "away from the other keys.",
            _diagonal_and_off(lambda p: p * (1 - p), lambda p, q: p * q),
        ),
        misconception(
            "diagonal-rule-everywhere",
            "You use p_i (1 - p_j) everywhere. That is right on the diagonal; off it, the score "
            "of one key acts on the weight of another, and there is no 1.",
            _diagonal_and_off(lambda p: p * (1 - p), lambda p, q: p * (1 - q)),
        ),
        misconception(
            "identity-for-weights",
            "On the diagonal you start from 1. It should start from the weight of that key.",
            _diagonal_and_off(lambda p: 1 - p * p, lambda p, q: -p * q),
        ),
        misconception(
            "wrong-sign",
            "All signs are turned round. Raising a score raises its own weight.",
            _diagonal_and_off(lambda p: -p * (1 - p), lambda p, q: p * q),
        ),
        misconception(
            "zero-on-the-diagonal",
            "The diagonal is zero. Raising a score raises its own weight.",
            _diagonal_and_off(np.zeros_like, lambda p, q: -p * q),
        ),
        misconception(
            "outer-product",
            "Only the product of the weights is there, with a plus sign. It is subtracted from a "
            "diagonal that holds the weights.",
            lambda weights: np.outer(weights, weights),
        ),
        misconception(
            "log-softmax",
            "This is the Jacobian of the logarithm of the weights: the weight of the row is "
            "missing as a factor.",
            lambda weights: np.eye(len(weights)) - weights[None, :],
            lambda weights: np.eye(len(weights)) - weights[:, None],
        ),
        misconception(
            "one-weight-squared",
            "Off the diagonal you use one weight twice. Each entry is a product of two weights: "
            "that of its row and that of its column.",
            lambda weights: np.diag(weights) - weights[None, :] ** 2,
            lambda weights: np.diag(weights) - weights[:, None] ** 2,
        ),
        misconception(
            "one-number-subtracted",
            "You subtract one and the same number everywhere: weights @ weights is a number. "
            "The second term is a matrix, np.outer(weights, weights).",
            lambda weights: np.diag(weights) - weights @ weights,
        ),
        misconception(
            "softmax-again",
            "You take a softmax of the weights. They are weights already, and sum to 1.",
            lambda weights: by_hand.softmax_jacobian(by_hand.softmax(weights)),
        ),
        misconception(
            "weights-subtracted",
            "You subtract the weights themselves. What is subtracted is a product of two: the "
            "weight of the row and that of the column.",
            lambda weights: np.diag(weights) - weights[None, :],
            lambda weights: np.diag(weights) - weights[:, None],
        ),
    ),
    symptoms=(
        Symptom(
            "rows-do-not-sum-to-0",
            "Each row of the Jacobian should sum to 0, and yours do not: the weights always sum "
            "to 1, so what one gains the others lose.",
            lambda inputs, expected, got: (np.abs(got[0].sum(-1)) > 1e-4).any(),
        ),
    ),
)


def jacobian(answer: object) -> Verdict:
    """Check the Jacobian of the softmax.

    ``answer(weights)`` takes ``weights`` (keys,), what a softmax returned, and
    returns a matrix (keys, keys): entry [i, j] is the derivative of weight i
    by score j.
    """
    return JACOBIAN.check(answer)
