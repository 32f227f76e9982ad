"""Attention by hand, in NumPy: pure functions (queries-keys-values: The formula).

One convention holds everywhere in the book:

* queries, keys and values are rows: ``query`` is (..., queries, d_k), ``key``
  is (..., keys, d_k), ``value`` is (..., keys, d_v). The axes in front
  (batch, heads) broadcast.
* a mask is boolean, and ``True`` means *may attend*.
* a query that may attend to nothing gets zero weights and a zero output.

The formulas are those of Vaswani et al. (2017), "Attention Is All You Need".

Where to find what: ``weights`` has the softmax and what it does to scores,
``attention`` the average of values, ``masks`` what may be seen, ``heads`` many
heads, ``positions`` where each row stands.
"""

from attention.by_hand.attention import scaled_dot_product_attention
from attention.by_hand.heads import merge_heads, multi_head_attention, split_heads
from attention.by_hand.masks import causal_mask, padding_mask
from attention.by_hand.positions import (
    alibi_bias,
    alibi_slopes,
    position_angles,
    rotate,
    sinusoidal_positions,
)
from attention.by_hand.weights import entropy, softmax, softmax_jacobian

__all__ = [  # noqa: RUF022 - in the order of the book
    "softmax",
    "scaled_dot_product_attention",
    "entropy",
    "softmax_jacobian",
    "causal_mask",
    "padding_mask",
    "split_heads",
    "merge_heads",
    "multi_head_attention",
    "position_angles",
    "sinusoidal_positions",
    "rotate",
    "alibi_slopes",
    "alibi_bias",
]
