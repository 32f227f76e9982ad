"""The loss at the end and its gradient: answer by answer (learning: She went to the market)."""

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arrays import Array, _wide
from attention.by_hand import softmax
from attention.gradients._arguments import checked_wanted


def cross_entropy(
    logits: Float[Array, "*rows classes"],
    targets: Integer[Array, "*rows"],
    wanted: Bool[Array, "*rows"] | None = None,
) -> float:
    """Measure how surprised the logits are by the right answers, in nats.

    ``-log softmax(logits)[target]``, averaged over the rows that count.

    Parameters
    ----------
    logits : (..., classes)
    targets : (...), integers
        The right answer of each row, from 0 to ``classes - 1``.
    wanted : (...), boolean, optional
        ``True`` where a row counts. Default: all count.

    Returns
    -------
    loss : float

    Raises
    ------
    ValueError
        If ``logits`` is not a floating-point array or not finite, ``targets`` or
        ``wanted`` has another type or shape, a target is no class, or no row counts.
    """
    wanted = checked_wanted(logits, targets, wanted)
    (wide,) = _wide(logits)
    # No exponential overflows: the largest is 1.
    shifted = wide - wide.max(-1, keepdims=True)  # (..., classes)
    right = np.take_along_axis(shifted, targets[..., None], -1)[..., 0]
    losses = np.log(np.exp(shifted).sum(-1)) - right  # (...)
    return float(losses[wanted].mean())


def cross_entropy_gradient(
    logits: Float[Array, "*rows classes"],
    targets: Integer[Array, "*rows"],
    wanted: Bool[Array, "*rows"] | None = None,
) -> Float[Array, "*rows classes"]:
    """Give the gradient of the cross-entropy with respect to the logits.

    The probabilities, minus 1 at the right answer, divided by the number of rows that
    count; zero in rows that do not count.

    Parameters
    ----------
    logits, targets, wanted
        As in ``cross_entropy``.

    Returns
    -------
    d_logits : (..., classes)

    Raises
    ------
    ValueError
        As in ``cross_entropy``.
    """
    wanted = checked_wanted(logits, targets, wanted)
    classes = np.arange(logits.shape[-1])
    right = targets[..., None] == classes  # (..., classes): one in each row
    difference = softmax(logits) - right.astype(logits.dtype)  # (..., classes)
    return difference * wanted[..., None] / int(wanted.sum())
