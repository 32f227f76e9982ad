"""The way back through a softmax: one line (learning: The rule in five lines)."""

from jaxtyping import Float

from attention._arrays import Array, _check_weights, _wide
from attention.gradients._arguments import check_upstream


def softmax_gradient(
    weights: Float[Array, "*rows keys"], upstream: Float[Array, "*rows keys"]
) -> Float[Array, "*rows keys"]:
    """Go back through a softmax: from its weights' gradient to its scores' gradient.

    ``w_j * (g_j - sum_i(w_i * g_i))``: a score should rise if a weight on its key would
    help more than the row does on average, and in proportion to the weight that the key
    already has. That is ``upstream @ softmax_jacobian(weights)``, without the Jacobian.

    Parameters
    ----------
    weights : (..., keys)
        Rows that a softmax returned. Where it returned zeros, as for a query that may
        attend to nothing, the gradient is zero.
    upstream : (..., keys)
        The gradient of the loss with respect to the weights.

    Returns
    -------
    scores_gradient : (..., keys)
        Each row sums to 0.

    Raises
    ------
    ValueError
        If ``weights`` is not a floating-point array or holds a negative or non-finite
        number, or ``upstream`` is not floating-point, not finite, or of another shape.
    """
    _check_weights(weights)
    check_upstream(upstream, weights.shape)
    w, g = _wide(weights, upstream)
    average = (w * g).sum(-1, keepdims=True)  # (..., 1): the row as it is
    return (w * (g - average)).astype(weights.dtype, copy=False)
