"""The book's transformer with one thing changed: how it is computed, or what it computes."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attention.heads import merge_heads, split_heads
from attention.keys_and_values import KeysAndValues
from attention.layers import LayerNorm, MultiHeadAttention
from attention.positions import position_angles
from attention.transformer import Transformer


class VariantAttention(MultiHeadAttention):
    """A ``MultiHeadAttention`` with the same parameters, computed in fewer calls.

    The projections that read the same rows are one product with their matrices side by
    side. Nothing is checked, and the weights cannot be asked for.

    Parameters
    ----------
    plain : MultiHeadAttention
        Whose parameters it takes.
    qk_norm : bool
        Normalise each head's queries and keys by their root mean square, with a gain for
        each column that all heads share (Henry et al. 2020; Dehghani et al. 2023).
    rotary : bool
        Rotate queries and keys in self-attention, whatever the embeddings say of positions.
    """

    def __init__(self, plain: MultiHeadAttention, qk_norm: bool = False, rotary: bool = False):
        d_model = plain.W_O.in_features
        super().__init__(d_model, plain.heads)
        self.W_Q, self.W_K, self.W_V, self.W_O = plain.W_Q, plain.W_K, plain.W_V, plain.W_O
        self.d_k, self.rotary = d_model // plain.heads, rotary
        self.gains = None
        if qk_norm:
            self.gains = nn.ParameterList(nn.Parameter(torch.ones(self.d_k)) for _ in "qk")

    def forward(
        self,
        x,
        memory=None,
        mask=None,
        return_weights=False,
        angles=None,
        score_bias=None,
        kept=None,
    ):
        """Attend as ``MultiHeadAttention`` does."""
        if memory is None:
            query, key, value = self._project(x, (self.W_Q, self.W_K, self.W_V))
            key = self._normed(key, 1)
        else:
            (query,) = self._project(x, (self.W_Q,))
            key, value = self.keys_and_values(memory)
        query = self._normed(query, 0)
        if self.rotary and memory is None:
            turn = turns(x.shape[1], self.d_k, kept.length if kept else 0)
            query, key = turned(query, turn), turned(key, turn)
        if kept is not None:
            key, value = kept.append(key, value)
        mask = mask.unsqueeze(-3) if mask is not None else None
        return self.W_O(merge_heads(F.scaled_dot_product_attention(query, key, value, mask)))

    def keys_and_values(self, memory):
        """Make the keys and values of ``memory``, unless it is these already."""
        if isinstance(memory, KeysAndValues):
            return memory
        key, value = self._project(memory, (self.W_K, self.W_V))
        return KeysAndValues(self._normed(key, 1), value)

    def _project(self, x: Tensor, parts: tuple[nn.Linear, ...]) -> list[Tensor]:
        if len(parts) == 1:
            return [split_heads(parts[0](x), self.heads)]
        weight = torch.cat([part.weight for part in parts])
        bias = torch.cat([part.bias for part in parts])
        both = F.linear(x, weight, bias).unflatten(-1, (len(parts), self.heads, self.d_k))
        return [part.transpose(1, 2) for part in both.unbind(2)]

    def _normed(self, x: Tensor, which: int) -> Tensor:
        if self.gains is None:
            return x
        return F.rms_norm(x, (self.d_k,), self.gains[which])


def turns(length: int, d_k: int, offset: int) -> Tensor:
    """Say the rotation at each position as complex numbers (length, d_k / 2)."""
    angles = position_angles(length, d_k, offset)
    return torch.polar(torch.ones_like(angles), angles).to(torch.complex64)


def turned(x: Tensor, turn: Tensor) -> Tensor:
    """Rotate (..., length, d_k): ``attention.positions.rotate``, in one product."""
    pairs = torch.view_as_complex(x.contiguous().unflatten(-1, (-1, 2)))
    return torch.view_as_real(pairs * turn).flatten(-2)


class RMSNorm(nn.Module):
    """Divide by the root mean square, with a gain (Zhang & Sennrich 2019)."""

    def __init__(self, d_model: int):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(d_model))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise each position by itself."""
        return F.rms_norm(x, self.gain.shape, self.gain, 1e-5)


def change(
    model: Transformer, qk_norm: bool = False, rotary: bool = False, rms_norm: bool = False
) -> Transformer:
    """Change a model in place, and return it."""
    for module in list(model.modules()):
        for name, part in list(module.named_children()):
            if isinstance(part, MultiHeadAttention) and not isinstance(part, VariantAttention):
                in_self = rotary and name == "self_attention"
                setattr(module, name, VariantAttention(part, qk_norm, in_self))
            elif rms_norm and isinstance(part, LayerNorm):
                setattr(module, name, RMSNorm(len(part.gain)))
    return model
