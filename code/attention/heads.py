"""Cut vectors into heads and merge them, in torch (multi-head: All heads in one product).

A cut is a view: no number is copied. Heads that are shared can be repeated.
"""

from jaxtyping import Float
from torch import Tensor

from attention._arguments import positive_integer
from attention._layer_arguments import check_divides, check_rows


def split_heads(
    x: Float[Tensor, "*batch length width"], heads: int
) -> Float[Tensor, "*batch heads length head_width"]:
    """Cut the last axis into ``heads`` equal parts and put them in front.

    Parameters
    ----------
    x : (..., length, width)
    heads : int
        Must divide ``width``.

    Returns
    -------
    split : (..., heads, length, width / heads)
        A view of ``x``: no number is copied.

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point tensor with at least two axes, or
        ``heads`` does not divide its width.
    """
    check_rows("x", x)
    heads = positive_integer("heads", heads)
    check_divides(heads, "the last axis of x", x.shape[-1])
    # The cut comes first, (..., length, heads, head_width), and only then do
    # two axes change places. A reshape to the final shape would mix positions.
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def merge_heads(
    x: Float[Tensor, "*batch heads length head_width"],
) -> Float[Tensor, "*batch length width"]:
    """Put the heads side by side again: the inverse of ``split_heads``.

    Parameters
    ----------
    x : (..., heads, length, head_width)

    Returns
    -------
    merged : (..., length, heads * head_width)

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point tensor with at least three axes.
    """
    check_rows("x", x)
    if x.ndim < 3:
        raise ValueError(
            f"x: expected (..., heads, length, head_width), got shape {tuple(x.shape)}"
        )
    return x.transpose(-2, -3).flatten(-2)


def repeat_heads(
    x: Float[Tensor, "*batch shared length head_width"], heads: int
) -> Float[Tensor, "*batch heads length head_width"]:
    """Give each of ``heads`` heads of queries the head that its group shares.

    Parameters
    ----------
    x : (..., shared, length, head_width)
        Keys or values; their heads are a divisor of ``heads``. The first serves the first
        ``heads / shared`` heads of queries.
    heads : int

    Returns
    -------
    repeated : (..., heads, length, head_width)
        ``x`` itself if no head is shared.

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point tensor with at least three axes, or the number of
        its heads does not divide ``heads``.
    """
    check_rows("x", x)
    heads = positive_integer("heads", heads)
    if x.ndim < 3 or heads % max(x.shape[-3], 1):
        raise ValueError(
            f"x: expected (..., shared, length, head_width), shared a divisor of heads = {heads}, "
            f"got shape {tuple(x.shape)}"
        )
    group = heads // x.shape[-3]
    return x if group == 1 else x.repeat_interleave(group, -3)
