"""Where each row stands, in NumPy: sinusoids, RoPE, ALiBi (position: Hands of a clock)."""

import numpy as np
from jaxtyping import Float

from attention._arguments import as_real
from attention._arrays import Array, Number, _check_rotation, _positive_integer


def position_angles(length: int, width: int, base: Number = 10_000) -> Float[Array, "length pairs"]:
    """Give each pair of columns its angle at each position: the first pair turns fastest.

    At position p the angle of columns 2i and 2i + 1 is
    p / base^(2i / width). The sinusoids of Vaswani et al. (2017, section 3.5) and
    RoPE (Su et al. 2021, section 3.2.2) share these angles.

    Parameters
    ----------
    length : int
        Number of positions; the first is 0.
    width : int
        Number of columns. If it is odd, the last angle has one column alone.
    base : float
        Above 0; 10 000 in both papers.

    Returns
    -------
    angles : (length, width / 2)
        In radians, not reduced to one turn.

    Raises
    ------
    ValueError
        If ``length`` or ``width`` is not a positive integer, or ``base`` is not
        a positive number.
    """
    length = _positive_integer("length", length)
    width = _positive_integer("width", width)
    base = as_real("base", base, "a positive number", lambda base: base > 0)
    speed = base ** (-np.arange(0, width, 2) / width)  # (pairs,)
    return np.arange(length)[:, None] * speed


def sinusoidal_positions(length: int, d_model: int) -> Float[Array, "length d_model"]:
    """Write each position as a row of sines and cosines, to be added to the token there.

    Vaswani et al. (2017), section 3.5: sines in the even columns, cosines in the
    odd ones. With an odd ``d_model`` the last sine stands alone.

    Parameters
    ----------
    length : int
        Number of positions; there is no largest one.
    d_model : int

    Returns
    -------
    positions : (length, d_model)

    Raises
    ------
    ValueError
        If ``length`` or ``d_model`` is not a positive integer.
    """
    d_model = _positive_integer("d_model", d_model)
    angles = position_angles(length, d_model)  # (length, pairs)
    both = np.stack([np.sin(angles), np.cos(angles)], axis=-1)  # (length, pairs, 2)
    return both.reshape(length, -1)[:, :d_model]  # sin, cos, sin, cos ...


def rotate(
    x: Float[Array, "*batch length d_k"], angles: Float[Array, "length pairs"]
) -> Float[Array, "*batch length d_k"]:
    """Rotate each pair of neighbouring columns by the position's angle (RoPE) (position: Turn the).

    Su et al. (2021), section 3.2.2, in the form of equation 34. The dot product of a turned query
    and a turned key depends on how far apart they are, and not on where they are.

    Parameters
    ----------
    x : (..., length, d_k)
        Queries or keys; ``d_k`` must be even.
    angles : (length, d_k / 2)
        ``position_angles(length, d_k)``, or rows of it.

    Returns
    -------
    rotated : (..., length, d_k)
        Each row is as long as it was.

    Raises
    ------
    ValueError
        If an array is not floating-point, or ``angles`` has another shape.
    """
    _check_rotation(x, angles)
    cos, sin = np.cos(angles), np.sin(angles)  # (length, pairs)
    first, second = x[..., 0::2], x[..., 1::2]  # (..., length, pairs)
    turned = [first * cos - second * sin, first * sin + second * cos]
    return np.stack(turned, axis=-1).reshape(x.shape).astype(x.dtype)


def alibi_slopes(heads: int) -> Float[Array, " heads"]:
    """Give the penalty on distance of each head (ALiBi) (position: A price on distance).

    Press et al. (2022), section 3: 2^(-8/heads) for the first head, and each next
    one smaller by the same factor, down to 2^-8. If ``heads`` is not a power of
    two: the slopes of the power of two below it, then every other slope of the one
    above, as the authors' code has it.

    Parameters
    ----------
    heads : int

    Returns
    -------
    slopes : (heads,)

    Raises
    ------
    ValueError
        If ``heads`` is not a positive integer.
    """
    heads = _positive_integer("heads", heads)

    def of_power_of_two(count: int) -> Array:
        return 2.0 ** (-8 * np.arange(1, count + 1) / count)

    below = 2 ** (int(heads).bit_length() - 1)  # the largest power of two up to heads
    between = of_power_of_two(2 * below)[0::2]
    return np.concatenate([of_power_of_two(below), between[: heads - below]])


def alibi_bias(heads: int, length: int) -> Float[Array, "heads length length"]:
    """Subtract from each score the distance times the head's slope (position: A price on distance).

    Press et al. (2022), section 3, figure 3. Distance counts in both directions
    alike here, so the bias serves with and without a causal mask.

    Parameters
    ----------
    heads : int
    length : int
        Number of queries, and of keys.

    Returns
    -------
    bias : (heads, length, length)
        To be added to the scaled scores.

    Raises
    ------
    ValueError
        If one of them is not a positive integer.
    """
    length = _positive_integer("length", length)
    position = np.arange(length)
    distance = np.abs(position[:, None] - position)  # (queries, keys)
    return -alibi_slopes(heads)[:, None, None] * distance
