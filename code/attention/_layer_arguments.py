"""What refuses bad input to layers and positions (the package's own).

Each check says which argument is wrong, what came, and what was expected. They look at
types and shapes, never at the numbers, so that training does not wait.
"""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from attention._arguments import nonnegative_integer, positive_integer, positive_number, share
from attention._tensors import broadcasts, describe
from attention.keys_and_values import KeysAndValues
from attention.report import require


def check_rows(name: str, x: Tensor) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"{name}: expected a floating-point tensor, got {describe(x)}")
    if x.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {tuple(x.shape)}")


def checked_attention(d_model: object, heads: object, dropout: object) -> tuple[int, int, float]:
    """Check what an attention is made of; return it as Python's own numbers."""
    d_model, heads = positive_integer("d_model", d_model), positive_integer("heads", heads)
    check_divides(heads, "d_model", d_model)
    return d_model, heads, share("dropout", dropout)


def checked_shared(key_value_heads: object, heads: int) -> int | None:
    """Check how many heads of keys and values there are; None: one for each of queries."""
    if key_value_heads is None:
        return None
    shared = positive_integer("key_value_heads", key_value_heads)
    check_divides(shared, "heads", heads, "key_value_heads")
    return shared


def checked_angles(
    length: object, width: object, offset: object, base: object
) -> tuple[int, int, int, float]:
    """Check what the angles of positions are made of."""
    sizes = positive_integer("length", length), positive_integer("width", width)
    base = positive_number("base", base)
    return *sizes, first_position(offset), base


def checked_norm(d_model: object, eps: object) -> tuple[int, float]:
    """Check what a layer norm is made of."""
    eps = positive_number("eps", eps)
    return positive_integer("d_model", d_model), eps


def checked_widths(d_model: object, d_ff: object, dropout: object) -> tuple[int, int, float]:
    """Check what a feed-forward layer is made of."""
    widths = positive_integer("d_model", d_model), positive_integer("d_ff", d_ff)
    return *widths, share("dropout", dropout)


def checked_call(
    attention: nn.Module,
    x: Tensor,
    memory: Tensor | KeysAndValues | None,
    mask: Tensor | None,
    angles: Tensor | None,
    score_bias: Tensor | None,
    kept: KeysAndValues | None,
) -> tuple[Tensor | None, Tensor | None]:
    """Check what an attention got; return mask and bias with the axes of the scores."""
    memory = x if memory is None else memory
    shape = _scores_shape(x, memory, kept, attention)
    _check_angles(angles, x, memory, attention.heads)
    return _checked_mask(mask, shape), _checked_score_bias(score_bias, shape)


def _scores_shape(
    x: Tensor,
    memory: Tensor | KeysAndValues,
    kept: KeysAndValues | None,
    attention: nn.Module,
) -> tuple[int, ...]:
    """Check where queries, keys and values come from; return (..., heads, queries, keys)."""
    heads, d_model = attention.heads, attention.W_Q.in_features
    _check_x("x", x, d_model)
    if isinstance(memory, KeysAndValues):
        keys = memory.length
        _check_kept("memory", memory, x, attention)
    else:
        _check_x("memory", memory, d_model)
        if x.shape[:-2] != memory.shape[:-2]:
            raise ValueError(
                f"memory: expected the batch axes of x, {tuple(x.shape[:-2])}, "
                f"got {tuple(memory.shape[:-2])}"
            )
        keys = memory.shape[-2]
    if keys == 0:
        name = "x" if memory is x else "memory"
        shape = (memory if isinstance(memory, Tensor) else memory.key).shape
        raise ValueError(f"{name}: expected at least one key, got shape {tuple(shape)}")
    if kept is not None:
        require(memory is x, "kept", "None in cross-attention", "keys and values")
        _check_kept("kept", kept, x, attention)
        keys += kept.length
    return (*x.shape[:-2], heads, x.shape[-2], keys)


def _check_x(name: str, x: Tensor, d_model: int) -> None:
    check_rows(name, x)
    if x.shape[-1] != d_model:
        raise ValueError(
            f"{name}: expected a last axis of d_model = {d_model}, got shape {tuple(x.shape)}"
        )


def _check_kept(name: str, kept: KeysAndValues, x: Tensor, attention: nn.Module) -> None:
    d_k = x.shape[-1] // attention.heads
    shape = (*x.shape[:-2], attention.key_value_heads, kept.length, d_k)
    for part, tensor in (("keys", kept.key), ("values", kept.value)):
        fits = tuple(tensor.shape) == shape
        require(fits, name, f"{part} of shape {shape} for this x", tuple(tensor.shape))


def _checked_mask(mask: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Return the mask with an axis for the heads, unless it is (queries, keys) or None."""
    if mask is None:
        return None
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise ValueError(
            f"mask: expected a boolean tensor (True = may attend), got {describe(mask)}"
        )
    *batch, _, queries, keys = shape
    for_all_heads = (*batch, queries, keys)
    same_for_all = mask.ndim < len(shape)
    if not broadcasts(mask.shape, for_all_heads if same_for_all else shape):
        raise ValueError(
            "mask: expected a shape that broadcasts to (..., queries, keys) = "
            f"{for_all_heads} or (..., heads, queries, keys) = {shape}, "
            f"got {tuple(mask.shape)}"
        )
    if batch and tuple(mask.shape) == (queries, keys) == (batch[-1], keys) and queries > 1:
        raise ValueError(
            f"mask: expected a shape with one meaning, got {tuple(mask.shape)}, which could be "
            "(queries, keys) or (batch, keys): write mask[None] or mask[:, None]"
        )
    # (..., queries, keys) becomes (..., 1, queries, keys): the same mask for each head.
    return mask.unsqueeze(-3) if same_for_all and mask.ndim > 2 else torch.atleast_2d(mask)


def _check_angles(
    angles: Tensor | None, x: Tensor, memory: Tensor | KeysAndValues, heads: int
) -> None:
    if angles is None:
        return
    require(memory is x, "angles", "None in cross-attention", "angles")
    length, d_k = x.shape[-2], x.shape[-1] // heads
    fits = d_k % 2 == 0 and tuple(angles.shape) == (length, d_k // 2)
    expected = f"(length, d_k / 2) for length = {length} and d_k = {d_k}"
    require(fits, "angles", expected, tuple(angles.shape))


def _checked_score_bias(score_bias: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Return the bias with as many axes as the scores have, or None."""
    if score_bias is None:
        return None
    good = isinstance(score_bias, Tensor) and score_bias.is_floating_point()
    require(good, "score_bias", "a floating-point tensor", describe(score_bias))
    fits = broadcasts(score_bias.shape, shape)
    expected = f"a shape that broadcasts to (..., heads, queries, keys) = {shape}"
    require(fits, "score_bias", expected, tuple(score_bias.shape))
    return score_bias[(None,) * (len(shape) - score_bias.ndim)]


def check_width(x: Tensor, d_model: int) -> None:
    good = isinstance(x, Tensor) and x.is_floating_point()
    require(good, "x", "a floating-point tensor", describe(x))
    fits = x.ndim > 0 and x.shape[-1] == d_model
    require(fits, "x", f"a last axis of d_model = {d_model}", tuple(x.shape))


def check_choice(name: str, choice: object, known: Iterable[str]) -> None:
    require(choice in (*known,), name, f"one of {(*known,)}", choice)


def check_divides(heads: int, meaning: str, width: int, name: str = "heads") -> None:
    if width % heads:
        raise ValueError(f"{name}: expected a divisor of {meaning} = {width}, got {heads}")


def first_position(offset: object) -> int:
    """Take the first position: 0 or more."""
    return nonnegative_integer("offset", offset, "an integer from 0 on")
