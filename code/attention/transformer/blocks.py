"""Embedding, place on the stream, layers (transformer: The residual stream).

From the inside out: ``Residual`` is the place of a sublayer on the residual stream, and
``EncoderLayer`` and ``DecoderLayer`` are two and three sublayers.

The norm stands where ``norm`` says: "post" is the paper, "pre" is what many later
models do, and what is built here unless told otherwise.
"""

import math
from collections.abc import Callable
from functools import partial

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attention.keys_and_values import KeysAndValues
from attention.positions import LearnedPositions, sinusoidal_positions
from attention.transformer.config import TransformerConfig
from attention.transformer.parts import new_attention, new_feed_forward, new_norm

# What passes between the parts. Where there is a source too, ``length`` is the target's.
Tokens = Int[Tensor, "batch length"]
Stream = Float[Tensor, "batch length d_model"]  # the residual stream: a vector for each token
Memory = Float[Tensor, "batch source_length d_model"]  # what the encoder made of the source
Mask = Bool[Tensor, "..."]


class Embedding(nn.Module):
    """Turn token numbers into vectors that say where each token stands (transformer: From tokens).

    Vaswani et al. (2017), sections 3.4 and 3.5. The matrix starts with a variance of
    1 / d_model, as suits the logits if it is used for them too; times √d_model, a
    token's numbers have variance 1, and the positions, of size 1, do not drown them.
    BERT (Devlin et al. 2019, section 3) adds a third row, for the type of the token, and
    a norm.

    Parameters
    ----------
    symbols : int
    config : TransformerConfig
    """

    def __init__(self, symbols: int, config: TransformerConfig):
        super().__init__()
        self.config = config
        self.tokens = nn.Embedding(symbols, config.d_model)
        if config.position == "learned":
            sizes = config.max_length, config.d_model
            self.positions = LearnedPositions(*sizes)
        if config.token_types:
            self.types = nn.Embedding(config.token_types, config.d_model)
        if config.embedding_norm:
            self.norm = new_norm(config)
        scaled = config.scale_embeddings
        self.scale = math.sqrt(config.d_model) if scaled else 1
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tokens, offset: int = 0, types: Tokens | None = None) -> Stream:
        """Look the tokens up; add the positions, if they are of the kind that is added.

        ``offset`` is the position of the first of these tokens. Where tokens have
        types, they are of type 0 unless told otherwise.
        """
        length, d_model = tokens.shape[1], self.config.d_model
        x = self.tokens(tokens) * self.scale  # a vector for each token
        if self.config.position == "sinusoidal":
            circle = self.config.position_base, self.config.position_pairs
            where = length, d_model, offset, x.device, *circle
            x = x + sinusoidal_positions(*where).to(x)
        elif self.config.position == "learned":
            x = x + self.positions(length, offset)
        if self.config.token_types:  # BERT: the first sentence or the second
            types = torch.zeros_like(tokens) if types is None else types
            x = x + self.types(types)
        if self.config.embedding_norm:
            x = self.norm(x)
        return self.dropout(x)


class Residual(nn.Module):
    """A sublayer's place on the stream, which it reads and adds to (transformer: Before or after).

    - norm="post" (Vaswani et al. 2017, section 3.1): Norm(x + Sublayer(x))
    - norm="pre" (Xiong et al. 2020, table 1): x + Sublayer(Norm(x))

    Parameters
    ----------
    config : TransformerConfig
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre = config.norm == "pre"
        self.norm = new_norm(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Stream, sublayer: Callable[[Stream], Stream]) -> Stream:
        """Add to the stream what the sublayer makes of it.

        Parameters
        ----------
        x : (batch, length, d_model)
        sublayer : callable
            From what it reads, (batch, length, d_model), to its update of that shape.
        """
        if self.pre:  # pre-norm: normalised is what the sublayer reads
            return x + self.dropout(sublayer(self.norm(x)))
        return self.norm(x + self.dropout(sublayer(x)))


class EncoderLayer(nn.Module):
    """Let the positions look at each other, then work on each alone (transformer: The encoder).

    Equal to ``nn.TransformerEncoderLayer``. With a causal mask it is the layer of a
    decoder-only model.

    Parameters
    ----------
    config : TransformerConfig
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.self_attention = new_attention(config)
        self.feed_forward = new_feed_forward(config)
        self.around_self_attention = Residual(config)
        self.around_feed_forward = Residual(config)

    def forward(
        self,
        x: Stream,
        mask: Mask | None = None,
        kept: KeysAndValues | None = None,
        **positions: Tensor,
    ) -> Stream:
        """Add to the stream twice.

        Parameters
        ----------
        x : (batch, length, d_model)
        mask : (batch, queries, keys), boolean, optional
            ``True`` for *may attend*; broadcasts.
        kept : KeysAndValues, optional
            Of the positions before these; theirs are appended.
        **positions
            From ``positions_in_scores``.
        """
        look = partial(self.self_attention, mask=mask, kept=kept, **positions)
        x = self.around_self_attention(x, look)
        return self.around_feed_forward(x, self.feed_forward)


class DecoderLayer(nn.Module):
    """Look at what is written, at the source, then work on each alone (transformer: The decoder).

    Equal to ``nn.TransformerDecoderLayer``.

    Parameters
    ----------
    config : TransformerConfig
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.self_attention = new_attention(config)
        self.cross_attention = new_attention(config)
        self.feed_forward = new_feed_forward(config)
        self.around_self_attention = Residual(config)
        self.around_cross_attention = Residual(config)
        self.around_feed_forward = Residual(config)

    def forward(
        self,
        x: Stream,
        memory: Memory | KeysAndValues,
        mask: Mask | None = None,
        memory_mask: Mask | None = None,
        kept: KeysAndValues | None = None,
        **positions: Tensor,
    ) -> Stream:
        """Add to the stream three times.

        Parameters
        ----------
        x : (batch, length, d_model)
        memory : (batch, source_length, d_model), or KeysAndValues
            What the encoder made of the source, or what this layer's cross-attention has
            made of that.
        mask : (batch, length, length), boolean, optional
            Of the self-attention: causal, if the layer is to predict. Broadcasts.
        memory_mask : (batch, length, source_length), boolean, optional
            Of the cross-attention: no padding. Broadcasts.
        kept : KeysAndValues, optional
            Of the positions before these, for the self-attention; theirs are appended.
        **positions
            From ``positions_in_scores``, for the self-attention.
        """
        look = partial(self.self_attention, mask=mask, kept=kept, **positions)
        x = self.around_self_attention(x, look)
        look = partial(self.cross_attention, memory=memory, mask=memory_mask)
        x = self.around_cross_attention(x, look)
        return self.around_feed_forward(x, self.feed_forward)
