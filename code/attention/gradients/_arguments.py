"""What the backward pass asks of its arguments (the package's own)."""

import numpy as np

from attention._arrays import (
    Array,
    Shape,
    _check_float,
    _check_matrix,
    _check_same,
    _check_shape,
    _describe,
)


def output_shape(query: Array, key: Array, value: Array) -> Shape:
    """Give the shape of what attention returns for three checked arrays."""
    leading = np.broadcast_shapes(query.shape[:-2], key.shape[:-2], value.shape[:-2])
    return (*leading, query.shape[-2], value.shape[-1])


def check_upstream(upstream: object, shape: Shape) -> None:
    _check_float("upstream", upstream)
    _check_shape("upstream", upstream, shape)
    if not np.isfinite(upstream).all():
        raise ValueError("upstream: expected finite numbers, got NaN or infinity")


def check_linear(x: object, weight: object) -> None:
    _check_float("x", x)
    if x.ndim == 0:
        raise ValueError("x: expected at least one axis, got a single number")
    check_matrices(x.shape[-1], "x", weight=weight)


def check_self_projections(x: object, W_Q: object, W_K: object, W_V: object) -> None:
    _check_matrix("x", x)
    check_matrices(x.shape[-1], "x", W_Q=W_Q, W_K=W_K, W_V=W_V)
    _check_same("W_K", W_K.shape[1], "the columns of W_Q", W_Q.shape[1])


def check_matrices(rows: int, origin: str, **matrices: object) -> None:
    for name, matrix in matrices.items():
        _check_matrix(name, matrix)
        if matrix.ndim != 2:
            raise ValueError(f"{name}: expected two axes, got shape {matrix.shape}")
        _check_same(name, matrix.shape[0], f"the last axis of {origin}", rows)


def checked_wanted(logits: object, targets: object, wanted: object) -> Array:
    """Check logits and right answers; return which rows count."""
    _check_float("logits", logits)
    if logits.ndim == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits: expected at least one class, got shape {logits.shape}")
    if not np.isfinite(logits).all():
        raise ValueError("logits: expected finite numbers, got NaN or infinity")
    if not isinstance(targets, Array) or not np.issubdtype(targets.dtype, np.integer):
        raise ValueError(f"targets: expected an integer NumPy array, got {_describe(targets)}")
    _check_shape("targets", targets, logits.shape[:-1])
    classes = logits.shape[-1]
    if ((targets < 0) | (targets >= classes)).any():
        raise ValueError(
            f"targets: expected integers from 0 to {classes - 1}, "
            f"got {int(targets.min())} to {int(targets.max())}"
        )
    if wanted is None:
        wanted = np.ones(targets.shape, bool)
    if not isinstance(wanted, Array) or wanted.dtype != bool:
        raise ValueError(f"wanted: expected a boolean NumPy array, got {_describe(wanted)}")
    _check_shape("wanted", wanted, targets.shape)
    if not wanted.any():
        raise ValueError("wanted: expected at least one row that counts, got none")
    return wanted


def check_updates(parameters: object, gradients: object, before: dict[str, Array]) -> None:
    """Check that gradients belong to parameters, and both to the update before."""
    for name, arrays in (("parameters", parameters), ("gradients", gradients)):
        if not isinstance(arrays, dict):
            raise ValueError(f"{name}: expected a dict of arrays, got {_describe(arrays)}")
    for names in (gradients.keys(), before.keys() or gradients.keys()):
        if names != parameters.keys():
            raise ValueError(
                f"parameters: expected the names {sorted(names)}, got {sorted(parameters)}"
            )
    for name, gradient in gradients.items():
        _check_float(f"parameters[{name!r}]", parameters[name])
        _check_float(f"gradients[{name!r}]", gradient)
        shape = before[name].shape if before else parameters[name].shape
        _check_shape(f"parameters[{name!r}]", parameters[name], shape)
        _check_shape(f"gradients[{name!r}]", gradient, shape)
        if not np.isfinite(gradient).all():
            raise ValueError(f"gradients[{name!r}]: expected finite numbers, got NaN or infinity")


def check_tokens(tokens: object, length: int, vocab_size: int) -> None:
    """Check that tokens can be embedded."""
    integers = isinstance(tokens, Array) and np.issubdtype(tokens.dtype, np.integer)
    if not integers or tokens.ndim != 2:
        raise ValueError(
            f"tokens: expected integers of shape (batch, length), got {_describe(tokens)}"
        )
    if not 0 < tokens.shape[1] <= length:
        raise ValueError(f"tokens: expected 1 to {length} positions, got {tokens.shape[1]}")
    if ((tokens < 0) | (tokens >= vocab_size)).any():
        raise ValueError(
            f"tokens: expected integers from 0 to {vocab_size - 1}, "
            f"got {int(tokens.min())} to {int(tokens.max())}"
        )
