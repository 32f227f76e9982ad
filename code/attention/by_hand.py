"""Attention by hand, in NumPy: pure functions, every step in sight.

One convention holds everywhere in the book:

* queries, keys and values are rows: ``query`` is (..., queries, d_k), ``key``
  is (..., keys, d_k), ``value`` is (..., keys, d_v). The axes in front
  (batch, heads) broadcast.
* a mask is boolean, and ``True`` means *may attend*.
* a query that may attend to nothing gets zero weights and a zero output.

The formulas are those of Vaswani et al. (2017), "Attention Is All You Need".
"""

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arguments import as_integer, as_real

Array = np.ndarray
Number = float | int | np.floating | np.integer


# ---------------------------------------------------------------- attention


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
    _check_float("scores", scores)
    expected = f"an axis of scores, of shape {scores.shape}"
    axes = range(-scores.ndim, scores.ndim)
    axis = as_integer("axis", axis, expected, lambda axis: axis in axes)
    if scores.shape[axis] == 0:
        raise ValueError(
            f"scores: expected at least one entry along axis {axis}, got shape {scores.shape}"
        )
    if np.isnan(scores).any() or np.isposinf(scores).any():
        raise ValueError("scores: expected finite numbers or -inf, got NaN or +inf")

    wide = scores.astype(_working_dtype(scores))
    largest = wide.max(axis, keepdims=True)
    # exp(s - m) / sum exp(s - m) does not depend on m. With m the largest
    # score no exponential overflows. A row of -inf has no largest score:
    # there m = 0, since -inf - (-inf) would be NaN.
    exponentials = np.exp(wide - np.where(np.isneginf(largest), 0, largest))
    total = exponentials.sum(axis, keepdims=True)
    weights = exponentials / np.where(total == 0, 1, total)
    return weights.astype(scores.dtype)


def scaled_dot_product_attention(
    query: Float[Array, "*#batch queries d_k"],
    key: Float[Array, "*#batch keys d_k"],
    value: Float[Array, "*#batch keys d_v"],
    mask: Bool[Array, "..."] | None = None,
    scale: Number | None = None,
) -> tuple[Float[Array, "*#batch queries d_v"], Float[Array, "*#batch queries keys"]]:
    """Average the values, weighted by how well each key answers the query.

    ``softmax(scale * query @ key^T) @ value``, the softmax running over the
    keys (Vaswani et al. 2017, equation 1).

    Parameters
    ----------
    query : (..., queries, d_k)
    key : (..., keys, d_k)
    value : (..., keys, d_v)
    mask : (..., queries, keys), boolean, optional
        ``True`` where a query may attend to a key. Broadcasts to the scores.
    scale : number, optional
        Factor on the scores. Default: ``1 / sqrt(d_k)``.

    Returns
    -------
    output : (..., queries, d_v)
    weights : (..., queries, keys)
        Each row sums to 1, or is zero if the mask leaves the query no key.

    Raises
    ------
    ValueError
        If shapes do not fit, an array is not floating-point or not finite,
        the mask is not boolean or does not broadcast, there is no key, or a
        score is too large for the dtype.
    """
    _check_query_key_value(query, key, value)
    d_k = query.shape[-1]
    scale = 1 / np.sqrt(d_k) if scale is None else _checked_scale(scale)
    # Arithmetic in at least 32 bits: a float16 dot product overflows early.
    working = _working_dtype(query, key, value)
    q, k, v = (array.astype(working) for array in (query, key, value))

    with np.errstate(over="ignore", invalid="ignore"):  # checked next
        # (..., queries, d_k) times (..., d_k, keys)
        scores = q @ k.swapaxes(-1, -2) * working.type(scale)
    _check_overflow(scores)
    if mask is not None:
        _check_mask(mask, scores.shape)
        scores = np.where(mask, scores, working.type(-np.inf))
    weights = softmax(scores)  # (..., queries, keys)
    output = weights @ v  # (..., queries, d_v)

    dtype = np.result_type(query, key, value)
    return output.astype(dtype), weights.astype(dtype)


# -------------------------------------------------------------------- masks


def causal_mask(length: int) -> Bool[Array, "length length"]:
    """Let each position attend to itself and to what came before it.

    Parameters
    ----------
    length : int
        Number of positions.

    Returns
    -------
    mask : (length, length), boolean
        ``mask[i, j]`` is ``True`` when ``j <= i``.

    Raises
    ------
    ValueError
        If ``length`` is not a positive integer.
    """
    length = _positive_integer("length", length)
    return np.tri(length, dtype=bool)


def padding_mask(
    lengths: Integer[Array, "*batch"], max_length: int | None = None
) -> Bool[Array, "*batch 1 keys"]:
    """Let every query attend to real tokens and not to padding.

    Parameters
    ----------
    lengths : (...), integers
        Number of real tokens of each sequence; padding comes after them.
    max_length : int, optional
        Number of keys. Default: the longest of ``lengths``.

    Returns
    -------
    mask : (..., 1, max_length), boolean
        The axis of size 1 stands for the queries: all see the same keys.

    Raises
    ------
    ValueError
        If ``lengths`` is not an integer array, or is out of 0..max_length.
    """
    if not isinstance(lengths, Array) or not np.issubdtype(lengths.dtype, np.integer):
        raise ValueError(f"lengths: expected an integer array, got {_describe(lengths)}")
    if max_length is None:
        max_length = int(lengths.max(initial=0))
    max_length = _positive_integer("max_length", max_length)
    if ((lengths < 0) | (lengths > max_length)).any():
        raise ValueError(
            f"lengths: expected integers from 0 to max_length = {max_length}, "
            f"got {lengths.tolist()}"
        )
    return np.arange(max_length) < lengths[..., None, None]


# --------------------------------------------------------------- many heads


def split_heads(
    x: Float[Array, "*batch length width"], heads: int
) -> Float[Array, "*batch heads length head_width"]:
    """Cut the last axis into ``heads`` equal parts and put them in front.

    Parameters
    ----------
    x : (..., length, width)
    heads : int
        Must divide ``width``.

    Returns
    -------
    split : (..., heads, length, width / heads)

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point array with at least two axes, or
        ``heads`` does not divide its width.
    """
    _check_matrix("x", x)
    heads = _positive_integer("heads", heads)
    *batch, length, width = x.shape
    if width % heads:
        raise ValueError(f"heads: expected a divisor of the width {width}, got {heads}")
    return x.reshape(*batch, length, heads, width // heads).swapaxes(-2, -3)


def merge_heads(
    x: Float[Array, "*batch heads length head_width"],
) -> Float[Array, "*batch length width"]:
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
        If ``x`` is not a floating-point array with at least three axes.
    """
    _check_float("x", x)
    if x.ndim < 3:
        raise ValueError(f"x: expected (..., heads, length, head_width), got shape {x.shape}")
    *batch, heads, length, head_width = x.shape
    return x.swapaxes(-2, -3).reshape(*batch, length, heads * head_width)


def multi_head_attention(
    x: Float[Array, "*batch queries d_model"],
    memory: Float[Array, "*batch keys d_memory"],
    W_Q: Float[Array, "d_model heads_d_k"],
    W_K: Float[Array, "d_memory heads_d_k"],
    W_V: Float[Array, "d_memory heads_d_v"],
    W_O: Float[Array, "heads_d_v d_out"],
    heads: int,
    mask: Bool[Array, "..."] | None = None,
) -> tuple[Float[Array, "*batch queries d_out"], Float[Array, "*batch heads queries keys"]]:
    """Attend several times side by side, each head with its own projections.

    Vaswani et al. (2017), section 3.2.2, without biases. Head h uses the h-th
    block of columns of ``W_Q``, ``W_K`` and ``W_V``.

    Parameters
    ----------
    x : (..., queries, d_model)
        Where the queries come from.
    memory : (..., keys, d_memory)
        Where keys and values come from. ``x`` itself for self-attention.
    W_Q : (d_model, heads * d_k)
    W_K : (d_memory, heads * d_k)
    W_V : (d_memory, heads * d_v)
    W_O : (heads * d_v, d_out)
    heads : int
    mask : (..., queries, keys), boolean, optional
        ``True`` where a query may attend to a key; the same for all heads.

    Returns
    -------
    output : (..., queries, d_out)
    weights : (..., heads, queries, keys)

    Raises
    ------
    ValueError
        If shapes do not fit, ``heads`` does not divide a projection's width,
        or for any reason ``scaled_dot_product_attention`` gives.
    """
    for name, array in (("x", x), ("memory", memory)):
        _check_matrix(name, array)
    for name, array in (("W_Q", W_Q), ("W_K", W_K), ("W_V", W_V), ("W_O", W_O)):
        _check_matrix(name, array)
        if array.ndim != 2:
            raise ValueError(f"{name}: expected two axes, got shape {array.shape}")
    _check_same("W_Q", W_Q.shape[0], "the last axis of x", x.shape[-1])
    _check_same("W_K", W_K.shape[0], "the last axis of memory", memory.shape[-1])
    _check_same("W_K", W_K.shape[1], "the columns of W_Q", W_Q.shape[1])
    _check_same("W_V", W_V.shape[0], "the last axis of memory", memory.shape[-1])
    _check_same("W_O", W_O.shape[0], "the columns of W_V", W_V.shape[1])
    if mask is not None:
        _check_mask(mask, (*x.shape[:-1], memory.shape[-2]))
        if mask.ndim > 2:
            mask = mask[..., None, :, :]  # (..., 1, queries, keys): the same mask for each head

    query = split_heads(x @ W_Q, heads)  # (..., heads, queries, d_k)
    key = split_heads(memory @ W_K, heads)  # (..., heads, keys, d_k)
    value = split_heads(memory @ W_V, heads)  # (..., heads, keys, d_v)
    output, weights = scaled_dot_product_attention(query, key, value, mask)
    return merge_heads(output) @ W_O, weights


# ------------------------------------------------------- how sharp is a row?


def entropy(weights: Float[Array, "*rows keys"]) -> Float[Array, "*rows"] | np.floating:
    """Measure how spread out each row of weights is, in nats.

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
    """Give the derivative of each softmax weight by each score.

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


# ----------------------------------------------------- where does each row stand?


def position_angles(length: int, width: int, base: Number = 10_000) -> Float[Array, "length pairs"]:
    """Let a hand turn for each two columns, the first fast and the last slowly.

    At position p the hand of columns 2i and 2i + 1 has come to the angle
    p / base^(2i / width). The sinusoids of Vaswani et al. (2017, section 3.5) and
    RoPE (Su et al. 2021, section 3.2.2) share these angles.

    Parameters
    ----------
    length : int
        Number of positions; the first is 0.
    width : int
        Number of columns. If it is odd, the last hand has one alone.
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
    """Turn each two neighbouring columns by the angle of the row's position (RoPE).

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
    _check_matrix("x", x)
    _check_matrix("angles", angles)
    *_, length, d_k = x.shape
    if d_k % 2 or angles.shape != (length, d_k // 2):
        raise ValueError(
            f"angles: expected the shape (length, d_k / 2) for x of shape {x.shape} "
            f"and an even d_k, got {angles.shape}"
        )
    cos, sin = np.cos(angles), np.sin(angles)  # (length, pairs)
    first, second = x[..., 0::2], x[..., 1::2]  # (..., length, pairs)
    turned = [first * cos - second * sin, first * sin + second * cos]
    return np.stack(turned, axis=-1).reshape(x.shape).astype(x.dtype)


def alibi_slopes(heads: int) -> Float[Array, " heads"]:
    """Say how much each head minds distance (ALiBi).

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
    """Take from each score the distance between query and key, times the head's slope.

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


# ------------------------------------------------------------------- checks
# Each says which argument is wrong, what came, and what was expected.


def _working_dtype(*arrays: Array) -> np.dtype:
    """Return the dtype to compute in: the widest given, but at least 32 bits."""
    return np.result_type(*arrays, np.float32)


def _describe(thing: object) -> str:
    if isinstance(thing, Array):
        return f"{thing.dtype} of shape {thing.shape}"
    return type(thing).__name__


def _check_float(name: str, array: Array) -> None:
    if not isinstance(array, Array) or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name}: expected a floating-point NumPy array, got {_describe(array)}")


def _check_matrix(name: str, array: Array) -> None:
    _check_float(name, array)
    if array.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {array.shape}")
    if array.shape[-1] == 0:
        raise ValueError(f"{name}: expected a last axis of at least 1, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")


def _check_query_key_value(query: Array, key: Array, value: Array) -> None:
    for name, array in (("query", query), ("key", key), ("value", value)):
        _check_matrix(name, array)
    _check_same("key", key.shape[-1], "d_k, the last axis of query", query.shape[-1])
    _check_same("value", value.shape[-2], "the number of keys", key.shape[-2])
    if key.shape[-2] == 0:
        raise ValueError(f"key: expected at least one key, got shape {key.shape}")
    try:
        np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    except ValueError:
        raise ValueError(
            "query, key, value: expected leading axes that broadcast, "
            f"got shapes {query.shape}, {key.shape} and {value.shape}"
        ) from None


def _check_overflow(scores: Array) -> None:
    if not np.isfinite(scores).all():
        raise ValueError(
            f"query, key: their scaled dot products overflow {scores.dtype}; "
            "expected smaller entries"
        )


def _check_same(name: str, size: int, meaning: str, expected: int) -> None:
    if size != expected:
        raise ValueError(f"{name}: expected its size to equal {meaning} = {expected}, got {size}")


def _check_mask(mask: Array, scores_shape: tuple[int, ...]) -> None:
    if not isinstance(mask, Array) or mask.dtype != bool:
        raise ValueError(
            f"mask: expected a boolean array (True = may attend), got {_describe(mask)}"
        )
    try:
        fits = np.broadcast_shapes(mask.shape, scores_shape) == scores_shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"mask: expected a shape that broadcasts to (..., queries, keys) = {scores_shape}, "
            f"got {mask.shape}"
        )


def _check_weights(weights: Array) -> None:
    _check_float("weights", weights)
    if weights.ndim == 0:
        raise ValueError("weights: expected at least one axis, got a single number")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights: expected finite numbers >= 0, got a negative number, NaN or inf")


def _checked_scale(scale: object) -> float:
    return as_real("scale", scale)


def _positive_integer(name: str, number: object) -> int:
    return as_integer(name, number, "a positive integer", lambda number: number > 0)
