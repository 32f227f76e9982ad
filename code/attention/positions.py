"""Positions, told to a transformer in four ways, in torch (position: Hands of a clock).

Tables of positions are float64, whatever the model's numbers are: an angle near
100 000, rounded to float32, can be off by 0.004. Who uses a table rounds its sines.
``offset`` is the first position, for a text whose beginning has been dealt with.
``device`` is where the table will be used; by default, where torch makes tensors.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn

from attention._arguments import positive_integer
from attention._layer_arguments import check_choice, check_rows, checked_angles, first_position
from attention.report import require

# Which two columns share an angle, as the shape and the axis that put them beside each other:
# 2i and 2i + 1, as in the papers, or i and i + d / 2.
PAIRS = {"adjacent": ((-1, 2), -1), "halves": ((2, -1), -2)}


def position_angles(
    length: int,
    width: int,
    offset: int = 0,
    base: float | int = 10_000,
    device: torch.device | str | None = None,
) -> Float[Tensor, "length pairs"]:
    """Let a hand turn for each two columns, the first fast and the last slowly.

    At position p the hand of columns 2i and 2i + 1 has come to the angle
    p / base^(2i / width): p radians for the first, hardly p / base for the last. The
    sinusoids of Vaswani et al. (2017, section 3.5) show the hands' heights and sides;
    RoPE (Su et al. 2021, section 3.2.2) turns queries and keys along with them.

    Parameters
    ----------
    length : int
        Number of positions.
    width : int
        Number of columns, two for each hand; if it is odd, the last has one.
    offset : int
        The first position, 0 or more.
    base : float
        Above 0; 10 000 in both papers.
    device : torch.device, optional

    Returns
    -------
    angles : (length, width / 2), float64
        In radians, not reduced to one turn.

    Raises
    ------
    ValueError
        If ``length`` or ``width`` is not a positive integer, ``offset`` is negative, or
        ``base`` is not positive.
    """
    length, width, offset, base = checked_angles(length, width, offset, base)
    device = _with_float64(device)
    places = torch.arange(offset, offset + length, device=device)
    position = places.double()  # (length,)
    column = torch.arange(0, width, 2, device=device).double()  # (pairs,)
    return position[:, None] * base ** (-column / width)


def sinusoidal_positions(
    length: int,
    d_model: int,
    offset: int = 0,
    device: torch.device | str | None = None,
    base: float | int = 10_000,
    pairs: str = "adjacent",
) -> Float[Tensor, "length d_model"]:
    """Write each position as a row of sines and cosines, to be added to the token there.

    Vaswani et al. (2017), section 3.5: the sines are in the even columns, the cosines
    beside them in the odd ones. With an odd ``d_model`` the last sine stands alone.

    Parameters
    ----------
    length : int
        Number of positions; there is no largest one.
    d_model : int
    offset : int
        The first position, 0 or more.
    device : torch.device, optional
    base : float
        Above 0; see ``position_angles``.
    pairs : "adjacent" or "halves"
        A sine beside its cosine, or all sines and then all cosines.

    Returns
    -------
    positions : (length, d_model), float64

    Raises
    ------
    ValueError
        If ``length`` or ``d_model`` is not a positive integer, ``offset`` is negative,
        ``base`` is not positive, or ``pairs`` is unknown.
    """
    d_model = positive_integer("d_model", d_model)
    check_choice("pairs", pairs, PAIRS)
    _, axis = PAIRS[pairs]
    angles = position_angles(length, d_model, offset, base, device)
    sines, cosines = angles.sin(), angles.cos()  # (length, pairs)
    both = torch.stack([sines, cosines], axis)  # (length, pairs, 2)
    return both.flatten(-2)[:, :d_model]  # sin, cos, sin, cos ...


class LearnedPositions(nn.Module):
    """Keep a learned row for each position, added to the token there (position: A learned row).

    Gehring et al. (2017), section 3.1; in BERT and GPT too. There is no row, and
    so no model, beyond ``max_length``.

    Parameters
    ----------
    max_length : int
        Number of positions.
    d_model : int

    Raises
    ------
    ValueError
        If one of them is not a positive integer.
    """

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        max_length = positive_integer("max_length", max_length)
        d_model = positive_integer("d_model", d_model)
        self.weight = nn.Parameter(torch.randn(max_length, d_model) / math.sqrt(d_model))

    def forward(self, length: int, offset: int = 0) -> Float[Tensor, "length d_model"]:
        """Return the rows of ``length`` positions from ``offset`` on.

        Raises
        ------
        ValueError
            If they go beyond ``max_length``, or ``offset`` is negative.
        """
        length, offset = positive_integer("length", length), first_position(offset)
        expected = f"at most {len(self.weight)} positions, for which there are rows"
        require(offset + length <= len(self.weight), "length", expected, offset + length)
        return self.weight[offset : offset + length]


def rotate(
    x: Float[Tensor, "*batch length d_k"],
    angles: Float[Tensor, "length pairs"],
    pairs: str = "adjacent",
) -> Float[Tensor, "*batch length d_k"]:
    """Turn each pair of columns by the position's angle (RoPE) (position: Turn the).

    Su et al. (2021), section 3.2.2, equation 15, in the form of equation 34. A query
    turned by its position's angles and a key turned by its own have the dot product that
    the unturned key and a query turned by the difference have: the score knows how far
    apart they are, and not where they are.

    The pairs are columns 0 and 1, 2 and 3, and so on, as in the paper. Some libraries
    pair column i with column i + d_k / 2 ("halves"); it is the same with the columns in
    another order, so weights trained for one must be reordered for the other.

    Parameters
    ----------
    x : (..., length, d_k)
        Queries or keys; ``d_k`` must be even.
    angles : (length, d_k / 2)
        ``position_angles(length, d_k, offset)``.
    pairs : "adjacent" or "halves"

    Returns
    -------
    rotated : (..., length, d_k)
        Each row is as long as it was.

    Raises
    ------
    ValueError
        If ``angles`` has another shape, or ``pairs`` is unknown.
    """
    check_rows("x", x)
    check_choice("pairs", pairs, PAIRS)
    *_, length, d_k = x.shape
    fits = d_k % 2 == 0 and tuple(angles.shape) == (length, d_k // 2)
    expected = f"(length, d_k / 2) for x of shape {tuple(x.shape)}"
    require(fits, "angles", expected, tuple(angles.shape))
    cos, sin = angles.cos().to(x), angles.sin().to(x)  # (length, pairs)
    shape, axis = PAIRS[pairs]
    first, second = x.unflatten(-1, shape).unbind(axis)  # (..., length, pairs)
    turned = [first * cos - second * sin, first * sin + second * cos]
    return torch.stack(turned, axis).flatten(-2)  # (..., length, d_k)


def alibi_slopes(heads: int, device: torch.device | str | None = None) -> Float[Tensor, " heads"]:
    """Say how much each head minds distance (ALiBi) (position: A price on distance).

    Press et al. (2022), section 3: 2^(-8/heads) for the first, and each next one that
    much smaller again, down to 2^-8. The authors' code, and models trained since, do so
    only if ``heads`` is a power of two, and so does this. If it is not, they take the
    slopes of the power of two below it, then every other slope of the one above.

    Parameters
    ----------
    heads : int
    device : torch.device, optional

    Returns
    -------
    slopes : (heads,), float64

    Raises
    ------
    ValueError
        If ``heads`` is not a positive integer.
    """
    heads, device = positive_integer("heads", heads), _with_float64(device)

    def of_power_of_two(count: int) -> Tensor:
        number = torch.arange(1, count + 1, dtype=torch.float64, device=device)
        return 2.0 ** (-8 * number / count)

    below = 2 ** (heads.bit_length() - 1)  # the largest power of two up to heads
    between = of_power_of_two(2 * below)[0::2]
    return torch.cat([of_power_of_two(below), between[: heads - below]])


def alibi_bias(
    heads: int,
    queries: int,
    keys: int,
    device: torch.device | str | None = None,
) -> Float[Tensor, "heads queries keys"]:
    """Take from each score the distance times the head's slope (position: A price on distance).

    Press et al. (2022), section 3, figure 3. The paper's models are causal; as distance
    counts in both directions alike here, it serves an encoder too.

    Parameters
    ----------
    heads : int
    queries, keys : int
        The last query stands where the last key does. So one query and many keys are a
        text that is being continued.
    device : torch.device, optional

    Returns
    -------
    bias : (heads, queries, keys), float64
        For ``MultiHeadAttention``'s ``score_bias``; zero where a query meets its own key.

    Raises
    ------
    ValueError
        If a number is not a positive integer, or there are more queries than keys.
    """
    queries, keys = positive_integer("queries", queries), positive_integer("keys", keys)
    require(queries <= keys, "queries", f"at most keys = {keys}", queries)
    key = torch.arange(keys, device=_with_float64(device))  # (keys,)
    query = key[keys - queries :, None]  # (queries, 1)
    return -alibi_slopes(heads, device)[:, None, None] * (query - key).abs()


def _with_float64(device: torch.device | str | None) -> torch.device | str | None:
    """Name the device for a table: an Apple GPU has no float64, so the CPU makes its tables."""
    return "cpu" if str(device).startswith("mps") else device
