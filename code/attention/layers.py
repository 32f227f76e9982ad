"""The layers of a transformer, in torch (multi-head: All heads in one product).

The conventions are those of ``attention.by_hand``: rows are positions, ``True`` in a mask means
*may attend*, and a query that may attend to nothing gets zero weights and a zero output.
"""

import math
from functools import partial

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from attention._layer_arguments import (
    check_choice,
    checked_attention,
    checked_call,
    checked_shared,
)
from attention.feed_forward import ACTIVATIONS, FeedForward, SwiGLU
from attention.heads import merge_heads, repeat_heads, split_heads
from attention.keys_and_values import KeysAndValues
from attention.norms import LayerNorm, RMSNorm, layer_norm
from attention.positions import PAIRS, rotate

__all__ = [
    "ACTIVATIONS",
    "FeedForward",
    "LayerNorm",
    "MultiHeadAttention",
    "RMSNorm",
    "SwiGLU",
    "layer_norm",
    "merge_heads",
    "repeat_heads",
    "split_heads",
]

Memory = Float[Tensor, "*batch keys d_model"]
Output = Float[Tensor, "*batch queries d_model"]
Weights = Float[Tensor, "*batch heads queries all_keys"]


class MultiHeadAttention(nn.Module):
    """Attend side by side, each head with its own projections (transformer: The encoder).

    Vaswani et al. (2017), section 3.2.2, with biases unless told otherwise.
    Head h uses the h-th block of outputs of ``W_Q``, ``W_K`` and ``W_V``.

    Parameters
    ----------
    d_model : int
        Width of the vectors that come in and go out.
    heads : int
        Must divide ``d_model``; then d_k = d_v = ``d_model / heads``.
    key_value_heads : int, optional
        Heads of keys and values, each shared by a group of heads of queries (Ainslie et
        al. 2023); must divide ``heads``. Default: one for each.
    bias : bool
        Whether the four projections add a bias.
    dropout : float
        Probability that a weight is dropped in training, from 0 to below 1.
    pairs : "adjacent" or "halves"
        Which columns ``rotate`` turns together, if angles are given.
    qk_norm : bool
        Normalise each head's queries and keys, before they are rotated, by their root
        mean square, with a gain for each column that all heads share (Henry et al. 2020;
        Dehghani et al. 2023).

    Raises
    ------
    ValueError
        If a size is not a positive integer, or does not divide what it must,
        ``dropout`` is out of range, or ``pairs`` is unknown.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        key_value_heads: int | None = None,
        bias: bool = True,
        dropout: float | int = 0.0,
        pairs: str = "adjacent",
        qk_norm: bool = False,
    ):
        super().__init__()
        d_model, heads, dropout = checked_attention(d_model, heads, dropout)
        key_value_heads = checked_shared(key_value_heads, heads)
        check_choice("pairs", pairs, PAIRS)
        self.heads, self.dropout, self.pairs = heads, dropout, pairs
        self.key_value_heads = shared = key_value_heads or heads
        self.W_Q = nn.Linear(d_model, d_model, bias)
        self.W_K = nn.Linear(d_model, d_model * shared // heads, bias)
        self.W_V = nn.Linear(d_model, d_model * shared // heads, bias)
        self.W_O = nn.Linear(d_model, d_model, bias)
        self.norm_Q = RMSNorm(d_model // heads) if qk_norm else None
        self.norm_K = RMSNorm(d_model // heads) if qk_norm else None

    def forward(
        self,
        x: Float[Tensor, "*batch queries d_model"],
        memory: Memory | KeysAndValues | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        return_weights: bool = False,
        angles: Float[Tensor, "length pairs"] | None = None,
        score_bias: Float[Tensor, "..."] | None = None,
        kept: KeysAndValues | None = None,
    ) -> Output | tuple[Output, Weights]:
        """Let each row of ``x`` attend to the rows of ``memory``, or of ``x`` itself.

        Parameters
        ----------
        x : (batch, queries, d_model)
            Where the queries come from. Any number of batch axes, also none.
        memory : (batch, keys, d_model), optional
            Where keys and values come from (cross-attention); or these themselves,
            from ``keys_and_values``. Default: ``x`` (self-attention).
        mask : (batch, queries, keys) or (batch, heads, queries, keys), boolean, optional
            ``True`` where a query may attend to a key. With no more axes than
            ``x`` it is the same for all heads; with one more it has one mask
            for each head. Broadcasts: (queries, keys) serves the whole batch, unless
            there are as many queries as there are rows in the batch. Then it could as
            well be (batch, keys), a padding mask without its middle axis, and nobody can
            tell: write ``mask[None]`` for the one and ``mask[:, None]`` for the other.
        return_weights : bool
            Return the weights too. They are as the softmax gave them, before
            dropout.
        angles : (queries, d_k / 2), optional
            Rotate queries and keys by these before they meet (see ``rotate``); in
            self-attention only.
        score_bias : (batch, heads, queries, keys), optional
            Added to the scaled scores, such as ``alibi_bias``. Broadcasts:
            (heads, queries, keys) serves the whole batch.
        kept : KeysAndValues, optional
            Of the positions before those of ``x``, in self-attention only: the rows of
            ``x`` attend to these too, and theirs are appended. ``keys`` counts them all.

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
            ``d_model``, their batch axes differ, there is no key, the mask
            is not boolean, does not broadcast or can be read in two ways, or
            ``angles``, ``score_bias`` or ``kept`` does not fit.
        """
        mask, score_bias = checked_call(self, x, memory, mask, angles, score_bias, kept)
        dropout = self.dropout if self.training else 0.0
        query = split_heads(self.W_Q(x), self.heads)
        key, value = self.keys_and_values(x if memory is None else memory)
        # now (batch, heads, queries, d_k), (batch, key_value_heads, keys, d_k)
        if self.norm_Q is not None:  # QK-norm: only their directions count
            query, key = self.norm_Q(query), self.norm_K(key)
        if angles is not None:
            query, key = (rotate(t, angles, self.pairs) for t in (query, key))
        if kept is not None:  # with a cache: earlier positions come first
            key, value = kept.append(key, value)
        if return_weights:  # (batch, heads, queries, keys)
            key, value = (repeat_heads(t, self.heads) for t in (key, value))
            weights = _attention_weights(query, key, mask, score_bias)
            output = F.dropout(weights, dropout) @ value
            return self.W_O(merge_heads(output)), weights
        mask = _mask_and_bias(mask, score_bias, query)
        attend = F.scaled_dot_product_attention  # the same: it divides by √d_k
        output = attend(query, key, value, mask, dropout, enable_gqa=True)
        return self.W_O(merge_heads(output))  # (batch, queries, d_model)

    def keys_and_values(self, memory: Memory | KeysAndValues) -> KeysAndValues:
        """Make the keys and values of ``memory``, unless it is these already."""
        if isinstance(memory, KeysAndValues):  # with a cache: made once
            return memory
        cut = partial(split_heads, heads=self.key_value_heads)
        return KeysAndValues(cut(self.W_K(memory)), cut(self.W_V(memory)))


def _mask_and_bias(mask: Tensor | None, score_bias: Tensor | None, query: Tensor) -> Tensor | None:
    """Combine both in one tensor to be added to the scores: -inf where the mask is False."""
    if score_bias is None:
        return mask
    score_bias = score_bias.to(query)
    return score_bias if mask is None else score_bias.masked_fill(~mask, -torch.inf)


def _attention_weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    score_bias: Tensor | None = None,
) -> Tensor:
    """Compute the softmax of the scores, with zeros where masked."""
    # Scores in at least 32 bits: a float16 dot product overflows early.
    working = torch.promote_types(query.dtype, torch.float32)
    # (..., queries, d_k) times (..., d_k, keys)
    scores = query.to(working) @ key.to(working).transpose(-1, -2)
    scores = scores / math.sqrt(query.shape[-1])
    if score_bias is not None:
        scores = scores + score_bias.to(scores)
    if mask is None:
        return scores.softmax(-1).to(query.dtype)
    # The lowest number there is, and not -inf: a row of -inf would be NaN
    # after the softmax, and so would its gradient. The zeros that follow
    # change something only in the rows where all is masked.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1).masked_fill(~mask, 0).to(query.dtype)
