"""What functions of NumPy arrays ask of their arguments, and their dtype (the package's own).

Each check says which argument is wrong, what came, and what was expected. What is still
to be checked is an ``object`` here: it may be anything.
"""

import numpy as np

from attention._arguments import as_integer, as_real

Array = np.ndarray
Number = float | int | np.floating | np.integer
Shape = tuple[int, ...]


# ------------------------------------------------------------------- dtypes


def _working_dtype(*arrays: Array) -> np.dtype:
    """Return the dtype to compute in: the widest given, but at least 32 bits."""
    return np.result_type(*arrays, np.float32)


def _wide(*arrays: Array) -> list[Array]:
    """Use at least 32 bits: in float16 a sum of exponentials overflows early."""
    working = _working_dtype(*arrays)
    return [array.astype(working, copy=False) for array in arrays]


def _check_float_dtype(dtype: type | np.dtype) -> None:
    if not np.issubdtype(dtype, np.floating):
        raise ValueError(f"dtype: expected a floating-point dtype, got {dtype}")


# ------------------------------------------------------------------ numbers


def _checked_scale(scale: object) -> float:
    return as_real("scale", scale)


def _positive_integer(name: str, number: object) -> int:
    return as_integer(name, number, "a positive integer", lambda number: number > 0)


# ---------------------------------------------------------------- one array


def _describe(thing: object) -> str:
    if isinstance(thing, Array):
        return f"{thing.dtype} of shape {thing.shape}"
    return type(thing).__name__


def _check_float(name: str, array: object) -> None:
    if not isinstance(array, Array) or not np.issubdtype(array.dtype, np.floating):
        raise ValueError(f"{name}: expected a floating-point NumPy array, got {_describe(array)}")


def _check_matrix(name: str, array: object) -> None:
    _check_float(name, array)
    if array.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {array.shape}")
    if array.shape[-1] == 0:
        raise ValueError(f"{name}: expected a last axis of at least 1, got shape {array.shape}")
    if not np.isfinite(array).all():
        raise ValueError(f"{name}: expected finite numbers, got NaN or infinity")


def _check_below_infinity(name: str, array: Array) -> None:
    if np.isnan(array).any() or np.isposinf(array).any():
        raise ValueError(f"{name}: expected finite numbers or -inf, got NaN or +inf")


def _check_shape(name: str, array: Array, shape: Shape) -> None:
    if array.shape != shape:
        raise ValueError(f"{name}: expected the shape {shape}, got {array.shape}")


def _check_same(name: str, size: int, meaning: str, expected: int) -> None:
    if size != expected:
        raise ValueError(f"{name}: expected its size to equal {meaning} = {expected}, got {size}")


def _fits(array: Array, shape: Shape) -> bool:
    """Tell whether an array broadcasts to a shape."""
    try:
        return np.broadcast_shapes(array.shape, shape) == shape
    except ValueError:
        return False


# ------------------------------------------------------- scores and weights


def _checked_axis(scores: object, axis: object) -> int:
    """Check scores and the axis along which a softmax is to run."""
    _check_float("scores", scores)
    expected = f"an axis of scores, of shape {scores.shape}"
    axes = range(-scores.ndim, scores.ndim)
    axis = as_integer("axis", axis, expected, lambda axis: axis in axes)
    if scores.shape[axis] == 0:
        raise ValueError(
            f"scores: expected at least one entry along axis {axis}, got shape {scores.shape}"
        )
    _check_below_infinity("scores", scores)
    return axis


def _check_weights(weights: object) -> None:
    _check_float("weights", weights)
    if weights.ndim == 0:
        raise ValueError("weights: expected at least one axis, got a single number")
    if not np.isfinite(weights).all() or (weights < 0).any():
        raise ValueError("weights: expected finite numbers >= 0, got a negative number, NaN or inf")


def _check_query_key_value(query: object, key: object, value: object) -> None:
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


def _check_mask(mask: object, scores_shape: Shape) -> None:
    if not isinstance(mask, Array) or mask.dtype != bool:
        raise ValueError(
            f"mask: expected a boolean array (True = may attend), got {_describe(mask)}"
        )
    if not _fits(mask, scores_shape):
        raise ValueError(
            f"mask: expected a shape that broadcasts to (..., queries, keys) = {scores_shape}, "
            f"got {mask.shape}"
        )


def _checked_max_length(lengths: object, max_length: object) -> int:
    """Check the lengths of padded sequences; return how long they are with padding."""
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
    return max_length


def _check_scores_and_value(scores: object, value: object) -> None:
    _check_float("scores", scores)
    if scores.ndim < 2:
        raise ValueError(f"scores: expected at least two axes, got shape {scores.shape}")
    if scores.shape[-1] == 0:
        raise ValueError(f"scores: expected at least one key, got shape {scores.shape}")
    _check_below_infinity("scores", scores)
    _check_matrix("value", value)
    _check_same("value", value.shape[-2], "the number of keys", scores.shape[-1])


def _check_given_back(
    output: object, output_gradient: object, shape: Shape, log_totals: object, log_shape: Shape
) -> None:
    """Check what the way back through attention takes from the way forward."""
    for name, array in (("output", output), ("output_gradient", output_gradient)):
        _check_matrix(name, array)
        _check_shape(name, array, shape)
    _check_float("log_totals", log_totals)
    _check_shape("log_totals", log_totals, log_shape)
    _check_below_infinity("log_totals", log_totals)


# ------------------------------------------------------ heads and positions


def _checked_heads(x: object, heads: object) -> int:
    """Check rows and the number of heads to be made of them."""
    _check_matrix("x", x)
    heads = _positive_integer("heads", heads)
    width = x.shape[-1]
    if width % heads:
        raise ValueError(f"heads: expected a divisor of the width {width}, got {heads}")
    return heads


def _check_split(x: object) -> None:
    _check_float("x", x)
    if x.ndim < 3:
        raise ValueError(f"x: expected (..., heads, length, head_width), got shape {x.shape}")


def _check_projections(
    x: object, memory: object, W_Q: object, W_K: object, W_V: object, W_O: object
) -> None:
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


def _check_rotation(x: object, angles: object) -> None:
    _check_matrix("x", x)
    _check_matrix("angles", angles)
    *_, length, d_k = x.shape
    if d_k % 2 or angles.shape != (length, d_k // 2):
        raise ValueError(
            f"angles: expected the shape (length, d_k / 2) for x of shape {x.shape} "
            f"and an even d_k, got {angles.shape}"
        )


# ------------------------------------------------------------------- gradients


def _summed_like(array: Array, gradient: Array) -> Array:
    """Undo broadcasting: where an array served several times, add up its gradients."""
    in_front = gradient.ndim - array.ndim
    gradient = gradient.sum(tuple(range(in_front)))
    once = tuple(axis for axis, size in enumerate(array.shape) if size == 1)
    return gradient.sum(once, keepdims=True).astype(array.dtype, copy=False)
