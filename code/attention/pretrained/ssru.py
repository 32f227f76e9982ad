"""A recurrent unit in the place of a decoder's self-attention (the package's own).

A translator that has to be quick keeps one vector of what it has written, instead of keys and
values of every position, and no query is compared with anything.
"""

from typing import Any

import torch
from torch import Tensor, nn

from attention.heads import merge_heads, split_heads
from attention.keys_and_values import KeysAndValues
from attention.transformer.blocks import Stream


class SSRU(nn.Module):
    """The simpler simple recurrent unit: a memory of which a gate forgets a share.

    Kim et al. (2019), section 3.1: f = σ(W_f x + b_f), c = f * c_before + (1 − f) * (W x),
    and what goes out is max(0, c). It takes the arguments of a ``MultiHeadAttention`` in a
    decoder's self-attention, and stands in the same place in a layer.

    Parameters
    ----------
    d_model : int
        Width of what comes in, of the memory, and of what goes out.
    """

    def __init__(self, d_model: int):
        super().__init__()
        self.W = nn.Linear(d_model, d_model, bias=False)
        self.W_f = nn.Linear(d_model, d_model)

    def forward(
        self,
        x: Stream,
        mask: Tensor | None = None,
        kept: KeysAndValues | None = None,
        **positions: Any,
    ) -> Stream:
        """Read the positions one after the other.

        Parameters
        ----------
        x : (batch, length, d_model)
        mask, **positions
            Not needed: it cannot look ahead, and knows the order.
        kept : KeysAndValues, optional
            Of the positions before these. The memories of these are appended, cut as if into
            heads, so that all that serves a cache serves this one; the last one is enough to
            go on.
        """
        forget, new = self.W_f(x).sigmoid(), self.W(x)  # (batch, length, d_model)
        memory = torch.zeros_like(x[:, 0])  # (batch, d_model)
        if kept is not None and kept.length:
            memory = merge_heads(kept.value[..., -1:, :])[:, 0]
        memories = []
        for share, update in zip(forget.unbind(1), new.unbind(1), strict=True):
            memory = share * memory + (1 - share) * update  # (batch, d_model)
            memories.append(memory)
        after = torch.stack(memories, 1)  # (batch, length, d_model)
        if kept is not None:
            in_heads = split_heads(after, kept.value.shape[-3])
            kept.append(in_heads, in_heads)
        return after.relu()
