"""The layers of a transformer, in torch.

The conventions are those of ``attention.by_hand``: rows are positions, a mask
is boolean with ``True`` for *may attend*, and a query that may attend to
nothing gets zero weights and a zero output from every head.
"""

import math

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

# --------------------------------------------------------------- many heads


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
    _check_rows("x", x)
    _check_positive_integer("heads", heads)
    _check_divides(heads, "the last axis of x", x.shape[-1])
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
    _check_rows("x", x)
    if x.ndim < 3:
        raise ValueError(
            f"x: expected (..., heads, length, head_width), got shape {tuple(x.shape)}"
        )
    return x.transpose(-2, -3).flatten(-2)


class MultiHeadAttention(nn.Module):
    """Attend several times side by side, each head with its own projections.

    Vaswani et al. (2017), section 3.2.2, with biases unless told otherwise.
    Head h uses the h-th block of outputs of ``W_Q``, ``W_K`` and ``W_V``.

    Parameters
    ----------
    d_model : int
        Width of the vectors that come in and go out.
    heads : int
        Must divide ``d_model``; then d_k = d_v = ``d_model / heads``.
    bias : bool
        Whether the four projections add a bias.
    dropout : float
        Probability that a weight is dropped in training, from 0 to below 1.

    Raises
    ------
    ValueError
        If ``d_model`` or ``heads`` is not a positive integer, ``heads`` does
        not divide ``d_model``, or ``dropout`` is out of range.
    """

    def __init__(self, d_model: int, heads: int, bias: bool = True, dropout: float = 0.0):
        super().__init__()
        _check_positive_integer("d_model", d_model)
        _check_positive_integer("heads", heads)
        _check_divides(heads, "d_model", d_model)
        _check_probability("dropout", dropout)
        self.heads = heads
        self.dropout = dropout
        self.W_Q = nn.Linear(d_model, d_model, bias)
        self.W_K = nn.Linear(d_model, d_model, bias)
        self.W_V = nn.Linear(d_model, d_model, bias)
        self.W_O = nn.Linear(d_model, d_model, bias)

    def forward(
        self,
        x: Float[Tensor, "*batch queries d_model"],
        memory: Float[Tensor, "*batch keys d_model"] | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        return_weights: bool = False,
    ) -> (
        Float[Tensor, "*batch queries d_model"]
        | tuple[Float[Tensor, "*batch queries d_model"], Float[Tensor, "*batch heads queries keys"]]
    ):
        """Let each row of ``x`` attend to the rows of ``memory``, or of ``x`` itself.

        Parameters
        ----------
        x : (batch, queries, d_model)
            Where the queries come from. Any number of batch axes, also none.
        memory : (batch, keys, d_model), optional
            Where keys and values come from (cross-attention). Default: ``x``
            (self-attention).
        mask : (batch, queries, keys) or (batch, heads, queries, keys), boolean, optional
            ``True`` where a query may attend to a key. With no more axes than
            ``x`` it is the same for all heads; with one more it has one mask
            for each head. Broadcasts: (queries, keys) serves the whole batch.
        return_weights : bool
            Return the weights too. They are as the softmax gave them, before
            dropout.

        Returns
        -------
        output : (batch, queries, d_model)
            A query that may attend to nothing gets the bias of ``W_O``.
        weights : (batch, heads, queries, keys), if asked for
            Each row sums to 1, or is zero if the mask leaves the query no key.

        Raises
        ------
        ValueError
            If ``x`` or ``memory`` is not a floating-point tensor of width
            ``d_model``, their batch axes differ, there is no key, or the mask
            is not boolean or does not broadcast.
        """
        memory = x if memory is None else memory
        _check_x_and_memory(x, memory, self.W_Q.in_features)
        mask = _checked_mask(mask, x, memory, self.heads)
        dropout = self.dropout if self.training else 0.0

        query = split_heads(self.W_Q(x), self.heads)  # (batch, heads, queries, d_k)
        key = split_heads(self.W_K(memory), self.heads)  # (batch, heads, keys, d_k)
        value = split_heads(self.W_V(memory), self.heads)  # (batch, heads, keys, d_v)
        if not return_weights:
            output = F.scaled_dot_product_attention(query, key, value, mask, dropout)
            return self.W_O(merge_heads(output))  # (batch, queries, d_model)

        weights = _attention_weights(query, key, mask)  # (batch, heads, queries, keys)
        output = F.dropout(weights, dropout) @ value  # (batch, heads, queries, d_v)
        return self.W_O(merge_heads(output)), weights


def _attention_weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
) -> Tensor:
    """Compute softmax(query @ key^T / sqrt(d_k)), with zeros where masked."""
    # Scores in at least 32 bits: a float16 dot product overflows early.
    working = torch.promote_types(query.dtype, torch.float32)
    # (..., queries, d_k) times (..., d_k, keys)
    scores = query.to(working) @ key.to(working).transpose(-1, -2)
    scores = scores / math.sqrt(query.shape[-1])
    if mask is None:
        return scores.softmax(-1).to(query.dtype)
    # The lowest number there is, and not -inf: a row of -inf would be NaN
    # after the softmax, and so would its gradient. The zeros that follow
    # change something only in the rows where all is masked.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1).masked_fill(~mask, 0).to(query.dtype)


# ------------------------------------------------------------------- checks
# Each says which argument is wrong, what came, and what was expected. They look
# at types and shapes, never at the numbers, so that training does not wait.


def _describe(thing: object) -> str:
    if isinstance(thing, Tensor):
        return f"{thing.dtype} of shape {tuple(thing.shape)}"
    return type(thing).__name__


def _check_rows(name: str, x: Tensor) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"{name}: expected a floating-point tensor, got {_describe(x)}")
    if x.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {tuple(x.shape)}")


def _check_x_and_memory(x: Tensor, memory: Tensor, d_model: int) -> None:
    for name, rows in (("x", x), ("memory", memory)):
        _check_rows(name, rows)
        if rows.shape[-1] != d_model:
            raise ValueError(
                f"{name}: expected a last axis of d_model = {d_model}, "
                f"got shape {tuple(rows.shape)}"
            )
    if x.shape[:-2] != memory.shape[:-2]:
        raise ValueError(
            f"memory: expected the batch axes of x, {tuple(x.shape[:-2])}, "
            f"got {tuple(memory.shape[:-2])}"
        )
    if memory.shape[-2] == 0:
        name = "x" if memory is x else "memory"
        raise ValueError(f"{name}: expected at least one key, got shape {tuple(memory.shape)}")


def _checked_mask(mask: Tensor | None, x: Tensor, memory: Tensor, heads: int) -> Tensor | None:
    """Return the mask with an axis for the heads, unless it is (queries, keys) or None."""
    if mask is None:
        return None
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise ValueError(
            f"mask: expected a boolean tensor (True = may attend), got {_describe(mask)}"
        )
    *batch, queries, keys = *x.shape[:-1], memory.shape[-2]
    for_all_heads, for_each_head = (*batch, queries, keys), (*batch, heads, queries, keys)
    same_for_all = mask.ndim <= x.ndim
    if not _broadcasts(mask.shape, for_all_heads if same_for_all else for_each_head):
        raise ValueError(
            "mask: expected a shape that broadcasts to (..., queries, keys) = "
            f"{for_all_heads} or (..., heads, queries, keys) = {for_each_head}, "
            f"got {tuple(mask.shape)}"
        )
    # (..., queries, keys) becomes (..., 1, queries, keys): the same mask for each head.
    return mask.unsqueeze(-3) if same_for_all and mask.ndim > 2 else torch.atleast_2d(mask)


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Say whether a tensor of this shape can be stretched to the target, axis by axis."""
    pairs = zip(shape[::-1], target[::-1], strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)


def _check_divides(heads: int, meaning: str, width: int) -> None:
    if width % heads:
        raise ValueError(f"heads: expected a divisor of {meaning} = {width}, got {heads}")


def _check_positive_integer(name: str, number: int) -> None:
    if isinstance(number, bool) or not isinstance(number, int) or number < 1:
        raise ValueError(f"{name}: expected a positive integer, got {number!r}")


def _check_probability(name: str, number: float) -> None:
    if not isinstance(number, int | float) or not 0 <= number < 1:
        raise ValueError(f"{name}: expected a number from 0 to below 1, got {number!r}")
