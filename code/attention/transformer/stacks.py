"""Stacks of layers, and what their layers share (transformer: The encoder).

Torch's ``nn.Transformer`` ends each stack in one more norm whatever the placement; here, as
in the paper, a post-norm stack has none, and a pre-norm stack, whose sum nobody else
normalises, has one.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from attention.keys_and_values import KeysAndValues
from attention.positions import alibi_bias, position_angles
from attention.transformer.blocks import DecoderLayer, EncoderLayer, Mask, Memory, Stream
from attention.transformer.config import TransformerConfig
from attention.transformer.parts import new_norm

Cache = Sequence[KeysAndValues]  # what each layer's self-attention keeps
OfSource = Sequence[KeysAndValues]  # what each layer's cross-attention has of the source


class Stack(nn.Module):
    """Layers of one kind, each with parameters of its own.

    Parameters
    ----------
    config : TransformerConfig
    layers : int

    Attributes
    ----------
    kind : type
        Of the layers; the two kinds of stack say which.
    """

    def __init__(self, config: TransformerConfig, layers: int):
        super().__init__()
        self.config = config
        self.layers = nn.ModuleList(self.kind(config) for _ in range(layers))
        pre = config.norm == "pre"  # then nothing has normalised the last sum
        self.norm = new_norm(config) if pre else nn.Identity()


class Encoder(Stack):
    """A stack of encoder layers."""

    kind = EncoderLayer

    def forward(self, x: Stream, mask: Mask | None = None, cache: Cache | None = None) -> Stream:
        """Run the layers one after the other, all with the same mask.

        With a cache, ``x`` follows the positions that are kept in it, and is kept too.
        """
        length, offset = x.shape[1], length_of(cache)
        where = positions_in_scores(self.config, length, offset, x.device)
        for n, layer in enumerate(self.layers):
            x = layer(x, mask, cache and cache[n], **where)  # None if no cache
        return self.norm(x)


class Decoder(Stack):
    """A stack of decoder layers, none of which looks ahead (transformer: The decoder)."""

    kind = DecoderLayer

    def forward(
        self,
        x: Stream,
        memory: Memory | OfSource,
        memory_mask: Mask | None = None,
        cache: Cache | None = None,
    ) -> Stream:
        """Run the layers one after the other; all read the same memory.

        The target's padding needs no mask of its own: it comes after all that counts,
        where the causal mask lets nobody look. With a cache, ``x`` follows the positions
        that are kept in it, and is kept too.
        """
        length, offset = x.shape[1], length_of(cache)
        mask = causal_mask(length, offset, x.device)[None]  # (1, length, keys)
        where = positions_in_scores(self.config, length, offset, x.device)
        for n, layer in enumerate(self.layers):
            src = memory if torch.is_tensor(memory) else memory[n]  # if cached
            x = layer(x, src, mask, memory_mask, cache and cache[n], **where)
        return self.norm(x)


def causal_mask(
    length: int, offset: int = 0, device: torch.device | str | None = None
) -> Bool[Tensor, "length keys"]:
    """Let each position look at itself and at what came before: ``True`` up to the diagonal.

    The first of the ``length`` positions has ``offset`` others before it.
    """
    keys = offset + length
    allowed = torch.ones(length, keys, dtype=torch.bool, device=device)
    return allowed.tril(offset)


def length_of(cache: Cache | None) -> int:
    """Count the positions that have been read before."""
    return cache[0].length if cache else 0


def positions_in_scores(
    config: TransformerConfig,
    length: int,
    offset: int = 0,
    device: torch.device | str | None = None,
) -> dict[str, Tensor]:
    """Make what self-attention needs if positions act on its scores, else nothing.

    It is for ``length`` queries from position ``offset`` on, and all keys up to the last.
    """
    if config.position == "rotary":
        d_k = config.d_model // config.heads
        circle = d_k, offset, config.position_base
        return {"angles": position_angles(length, *circle, device)}
    if config.position == "alibi":
        keys = offset + length
        return {"score_bias": alibi_bias(config.heads, length, keys, device)}
    return {}
