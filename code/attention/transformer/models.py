"""The 2017 transformer, and a language model of its parts (transformer: The whole model).

No recurrence: attention alone carries words to words. ``Transformer`` puts embeddings before
two stacks and logits after them. ``LanguageModel`` has no source, ``TextEncoder`` no target.
"""

import math

from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention.report import require
from attention.tokens import PADDING, START, check_numbers, check_tokens
from attention.transformer.blocks import Embedding, Mask, Memory, Stream, Tokens
from attention.transformer.config import TransformerConfig
from attention.transformer.stacks import Cache, Decoder, Encoder, OfSource, causal_mask, length_of

Source = Int[Tensor, "batch source_length"]
Logits = Float[Tensor, "batch length symbols"]


class Transformer(nn.Module):
    """An encoder–decoder that translates (Vaswani et al. 2017, figure 1).

    Parameters
    ----------
    config : TransformerConfig
        With a source.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        _check_texts(config, source="a number of symbols", target="a number of symbols")
        self.config = config
        self.source_embedding = Embedding(config.source_vocab_size, config)
        self.target_embedding = Embedding(config.target_vocab_size, config)
        self.encoder = Encoder(config, config.encoder_layers)
        self.decoder = Decoder(config, config.decoder_layers)
        sizes = config.d_model, config.target_vocab_size
        self.to_logits = nn.Linear(*sizes, config.logits_bias)
        self.apply(initialise)
        if config.tie_logits:
            self.to_logits.weight = self.target_embedding.tokens.weight
        if config.tie_source:
            self.source_embedding.tokens = self.target_embedding.tokens

    def forward(self, source: Source, target: Tokens) -> Logits:
        """Predict each target token from the source and the true tokens before it.

        Parameters
        ----------
        source : (batch, source_length)
            Tokens, then ``PADDING`` up to the longest.
        target : (batch, length)
            What is to be written, ``END`` included, without ``START``: the model puts
            that in front itself and never sees a token before it has predicted it.

        Returns
        -------
        logits : (batch, length, symbols)
            ``logits[:, t]`` are for ``target[:, t]``. What is read at that place is the
            token before.

        Raises
        ------
        ValueError
            If source or target is not a rectangle of token numbers with the padding
            on the right, target holds ``START``, or there are more positions than have
            been learned.
        """
        _check_target(target, self.config)
        before = F.pad(target[:, :-1], (1, 0), value=START)  # (batch, length)
        return self.decode(before, *self.encode(source))

    def encode(self, source: Source) -> tuple[Memory, Mask]:
        """Read the source.

        Returns
        -------
        memory : (batch, source_length, d_model)
            One vector for each token, with the rest of the sentence in it.
        memory_mask : (batch, 1, source_length)
            ``True`` for tokens, ``False`` for padding.
        """
        check_tokens("source", source, self.config.source_vocab_size)
        mask = (source != PADDING)[:, None]  # the same for all queries
        return self.encoder(self.source_embedding(source), mask), mask

    def decode(
        self,
        before: Tokens,
        memory: Memory | OfSource,
        memory_mask: Mask,
        cache: Cache | None = None,
    ) -> Logits:
        """Predict what follows each of the tokens written so far, ``START`` being the first.

        Parameters
        ----------
        before : (batch, length)
        memory, memory_mask
            From ``encode``. In the place of the memory there may be the keys and values
            that each layer's cross-attention has made of it.
        cache : sequence of KeysAndValues, optional
            What each layer's self-attention keeps of the tokens before these; it grows
            by these.

        Returns
        -------
        logits : (batch, length, symbols)
            ``logits[:, t]`` are for the token after ``before[:, t]``.
        """
        # with a cache: before is the new tokens only, and they come after it
        x = self.target_embedding(before, length_of(cache))
        return self.to_logits(self.decoder(x, memory, memory_mask, cache))


class LanguageModel(nn.Module):
    """A decoder-only transformer: it goes on with a text, and there is no source.

    Without cross-attention a decoder's layer has the two sublayers of an encoder's. So
    this is an ``Encoder`` that a causal mask keeps from looking ahead.

    Parameters
    ----------
    config : TransformerConfig
        Without a source: ``source_vocab_size=None``.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        _check_texts(config, source=None, target="a number of symbols")
        self.config = config
        self.embedding = Embedding(config.target_vocab_size, config)
        self.decoder = Encoder(config, config.decoder_layers)  # no source
        sizes = config.d_model, config.target_vocab_size
        self.to_logits = nn.Linear(*sizes, config.logits_bias)
        self.apply(initialise)
        if config.tie_logits:
            self.to_logits.weight = self.embedding.tokens.weight

    def forward(self, tokens: Tokens, cache: Cache | None = None) -> Logits:
        """Predict what follows each token.

        Parameters
        ----------
        tokens : (batch, length)
            No number has a meaning of its own; what stands after a text cannot change
            what is predicted in it.
        cache : sequence of KeysAndValues, optional
            What each layer keeps of the tokens before these; it grows by these.

        Returns
        -------
        logits : (batch, length, symbols)
            ``logits[:, t]`` are for the token after ``tokens[:, t]``.

        Raises
        ------
        ValueError
            If ``tokens`` is not a rectangle of token numbers, or there are more
            positions than have been learned.
        """
        check_numbers("tokens", tokens, self.config.target_vocab_size)
        offset = length_of(cache)  # with a cache: tokens is the new ones only
        # decoder-only: an encoder's sublayers, and a mask: nobody looks ahead
        mask = causal_mask(tokens.shape[1], offset, tokens.device)[None]
        x = self.embedding(tokens, offset)  # (batch, length, d_model)
        return self.to_logits(self.decoder(x, mask, cache))


class TextEncoder(nn.Module):
    """An encoder-only transformer, such as BERT: it reads a text and writes none.

    Parameters
    ----------
    config : TransformerConfig
        Without a target: ``target_vocab_size=None``.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        _check_texts(config, source="a number of symbols", target=None)
        self.config = config
        self.embedding = Embedding(config.source_vocab_size, config)
        self.encoder = Encoder(config, config.encoder_layers)
        self.apply(initialise)

    def forward(self, tokens: Tokens, types: Tokens | None = None) -> Stream:
        """Give each token a vector with the rest of the text in it, on both sides.

        Parameters
        ----------
        tokens : (batch, length)
            Tokens, then ``PADDING`` up to the longest.
        types : (batch, length), optional
            Of each token, if the config has ``token_types``. Default: 0.

        Returns
        -------
        states : (batch, length, d_model)

        Raises
        ------
        ValueError
            If tokens or types are not rectangles of numbers in range, there is padding
            before a token, or there are more positions than have been learned.
        """
        check_tokens("tokens", tokens, self.config.source_vocab_size)
        _check_types(types, tokens, self.config.token_types)
        # encoder-only: each token sees all others, before and after it
        mask = (tokens != PADDING)[:, None]  # (batch, 1, length)
        return self.encoder(self.embedding(tokens, types=types), mask)


def initialise(module: nn.Module) -> None:
    """Draw a module's first numbers, so that signals neither grow nor fade.

    Matrices as in Glorot & Bengio (2010, equation 16), biases 0, embeddings with
    variance 1 / d_model. The paper does not say; its authors' code did the same.
    """
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.normal_(module.weight, std=1 / math.sqrt(module.embedding_dim))


def _check_target(target: Tensor, config: TransformerConfig) -> None:
    check_tokens("target", target, config.target_vocab_size)
    require(not (target == START).any(), "target", "no START: the model adds it", "START")


def _check_types(types: Tensor | None, tokens: Tensor, count: int) -> None:
    if types is not None:
        require(count > 0, "types", "None: the config has no token_types", "types")
        check_numbers("types", types, count)
        expected = f"a type for each of the tokens, {tuple(tokens.shape)}"
        require(types.shape == tokens.shape, "types", expected, tuple(types.shape))


def _check_texts(config: TransformerConfig, source: str | None, target: str | None) -> None:
    """Refuse the config of a model of another kind."""
    for name, expected in (("source_vocab_size", source), ("target_vocab_size", target)):
        size = getattr(config, name)
        fits = (size is None) == (expected is None)
        none = "None for a language model" if name[0] == "s" else "None for an encoder alone"
        require(fits, name, expected or none, size)
