"""Scores to weights, in NumPy: softmax, entropy, Jacobian (queries-keys-values: Four steps)."""

import numpy as np
from jaxtyping import Float

from attention._arrays import Array, _check_weights, _checked_axis, _working_dtype


def softmax(scores: Float[Array, "..."], axis: int = -1) -> Float[Array, "..."]:
    """Turn scores into positive weights that sum to 1 along one axis.

    Parameters
    ----------
    scores : (...)
        Any real numbers. ``-inf`` means "no weight here".
    axis : int
        The axis along which the weights sum to 1.

    Returns
    -------
    weights : (...)
        Same shape and dtype as ``scores``. A row that is ``-inf`` throughout
        gives zeros.

    Raises
    ------
    ValueError
        If ``scores`` is not a floating-point array, has no such ``axis``, is
        empty along it, or holds NaN or ``+inf``.
    """
    axis = _checked_axis(scores, axis)
    wide = scores.astype(_working_dtype(scores))
    largest = wide.max(axis, keepdims=True)
    # exp(s - m) / sum exp(s - m) does not depend on m. With m the largest
    # score no exponential overflows. A row of -inf has no largest score:
    # there m = 0, since -inf - (-inf) would be NaN.
    exponentials = np.exp(wide - np.where(np.isneginf(largest), 0, largest))
    total = exponentials.sum(axis, keepdims=True)
    weights = exponentials / np.where(total == 0, 1, total)
    return weights.astype(scores.dtype)


def entropy(weights: Float[Array, "*rows keys"]) -> Float[Array, "*rows"] | np.floating:
    """Measure how spread out each row of weights is, in nats (scaling: What the softmax).

    ``-sum(w * log(w))`` along the last axis, with 0 log 0 = 0. It is 0 when
    one key has all the weight and ``log(keys)`` when all have the same.

    Parameters
    ----------
    weights : (..., keys)
        Not negative.

    Returns
    -------
    entropy : (...)
        In nats. One row alone gives one number.

    Raises
    ------
    ValueError
        If ``weights`` is not a floating-point array, or holds a negative or
        non-finite number.
    """
    _check_weights(weights)
    logs = np.log(np.where(weights > 0, weights, 1))
    # "0 -" rather than a bare minus: an entropy of zero shall not print as -0.
    return 0 - (weights * logs).sum(-1)


def softmax_jacobian(weights: Float[Array, "*rows keys"]) -> Float[Array, "*rows keys keys"]:
    """Give the derivative of each softmax weight by each score (scaling: The Jacobian).

    ``d w_i / d s_j = w_i * (1 if i == j else 0) - w_i * w_j``.

    Parameters
    ----------
    weights : (..., keys)
        Rows that a softmax returned.

    Returns
    -------
    jacobian : (..., keys, keys)
        Entry ``[..., i, j]`` is d w_i / d s_j. Symmetric; rows sum to 0.

    Raises
    ------
    ValueError
        If ``weights`` is not a floating-point array, or holds a negative or
        non-finite number.
    """
    _check_weights(weights)
    diagonal = weights[..., :, None] * np.eye(weights.shape[-1], dtype=weights.dtype)
    return diagonal - weights[..., :, None] * weights[..., None, :]
