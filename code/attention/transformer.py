"""The 2017 transformer, whole: words meet by attention alone (transformer: The whole model).

From the inside out: ``Residual`` is the place of a sublayer on the residual stream,
``EncoderLayer`` and ``DecoderLayer`` are two and three sublayers, ``Encoder`` and
``Decoder`` are stacks of them, and ``Transformer`` puts embeddings before and logits
after. ``LanguageModel`` is made of the same parts without a source.

The norm stands where ``norm`` says: "post" is the paper, "pre" is what many later
models do, and what is built here unless told otherwise. Torch's ``nn.Transformer`` ends
each stack in one more norm whatever the placement; here, as in the paper, a post-norm
stack has none, and a pre-norm stack, whose sum nobody else normalises, has one.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attention._arguments import as_integer, as_real, unwrapped
from attention.layers import (
    ACTIVATIONS,
    FeedForward,
    KeysAndValues,
    LayerNorm,
    LearnedPositions,
    MultiHeadAttention,
    alibi_bias,
    position_angles,
    sinusoidal_positions,
)
from attention.report import require
from attention.training import (
    END,
    PADDING,
    START,
    check_numbers,
    check_tokens,
    load_weights,
    read_tensors,
    save_weights,
)

# What passes between the parts. Where there is a source too, ``length`` is the target's.
Tokens = Int[Tensor, "batch length"]
Source = Int[Tensor, "batch source_length"]
Stream = Float[Tensor, "batch length d_model"]  # the residual stream: a vector for each token
Memory = Float[Tensor, "batch source_length d_model"]  # what the encoder made of the source
Mask = Bool[Tensor, "..."]
Cache = Sequence[KeysAndValues]  # what each layer's self-attention keeps
OfSource = Sequence[KeysAndValues]  # what each layer's cross-attention has of the source
Weights = Float[Tensor, "batch heads length source_length"]  # of one layer's cross-attention
AllWeights = Float[Tensor, "batch layers heads length source_length"]
Logits = Float[Tensor, "batch length symbols"]

NORMS = ("pre", "post")
POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")


@dataclass(frozen=True)
class TransformerConfig:
    """What a transformer is made of.

    The base model of Vaswani et al. (2017, table 3), with a vocabulary that both
    languages share, is ``TransformerConfig(37000, 37000, 512, 8, 2048, 6, 6, 0.1,
    norm="post", tie_source=True)``.

    Attributes
    ----------
    source_symbols : int or None
        Token numbers of the source run from 0 to this, exclusive; ``PADDING``,
        ``START`` and ``END`` are among them. None: no source, a language model.
    target_symbols : int
        The same for the target, or for a language model's text.
    d_model : int
        Width of the residual stream.
    heads : int
        Must divide ``d_model``.
    d_ff : int
        Width inside the feed-forward layers.
    encoder_layers, decoder_layers : int
        A language model's are ``decoder_layers``.
    dropout : float
        Probability that a number is dropped in training, from 0 to below 1: of the
        embeddings, of what a sublayer adds, of the weights, and inside the
        feed-forward layers. The last two are habits of libraries, not in the paper.
    norm : "pre" or "post"
        Before each sublayer, or after each sum.
    position : "sinusoidal", "learned", "rotary", "alibi" or "none"
        How positions are told apart. The first two are added to the embeddings; the
        next two act on the scores of every self-attention, and cross-attention learns
        of positions only what self-attention has written into the stream.
    activation : "relu" or "gelu"
    tie_logits : bool
        Whether the matrix before the logits is that of the target's embeddings.
    tie_source : bool
        Whether the source's embeddings are the target's; for a shared vocabulary.
    max_length : int
        Number of learned positions; no other scheme has a longest text.

    Raises
    ------
    ValueError
        If a size is not a positive integer, ``heads`` does not divide ``d_model``,
        rotary positions would need an odd head, vocabularies that are to be shared
        differ, or another setting is not one of those above.
    """

    source_symbols: int | None
    target_symbols: int
    d_model: int = 64
    heads: int = 4
    d_ff: int = 256
    encoder_layers: int = 2
    decoder_layers: int = 2
    dropout: float = 0.0
    norm: str = "pre"
    position: str = "sinusoidal"
    activation: str = "relu"
    tie_logits: bool = True
    tie_source: bool = False
    max_length: int = 512

    def __post_init__(self):
        _check_config(self)


# ------------------------------------------------------------ tokens to vectors


class Embedding(nn.Module):
    """Turn token numbers into vectors, and say in them where each token stands.

    Vaswani et al. (2017), sections 3.4 and 3.5. The matrix starts with a variance of
    1 / d_model, as suits the logits if it is used for them too; times √d_model, a
    token's numbers have variance 1, and the positions, of size 1, do not drown them.

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
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, tokens: Tokens, offset: int = 0) -> Stream:
        """Look the tokens up; add the positions, if they are of the kind that is added.

        ``offset`` is the position of the first of these tokens.
        """
        length, d_model = tokens.shape[1], self.config.d_model
        x = self.tokens(tokens)  # (batch, length, d_model)
        x = x * math.sqrt(d_model)
        if self.config.position == "sinusoidal":
            where = length, d_model, offset, x.device
            x = x + sinusoidal_positions(*where).to(x)
        elif self.config.position == "learned":
            x = x + self.positions(length, offset)
        return self.dropout(x)


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
        return {"angles": position_angles(length, d_k, offset, device=device)}
    if config.position == "alibi":
        keys = offset + length
        return {"score_bias": alibi_bias(config.heads, length, keys, device)}
    return {}


# ---------------------------------------------------------------------- layers


def new_attention(config: TransformerConfig) -> MultiHeadAttention:
    """Make attention of the config's sizes."""
    d_model, heads, dropout = config.d_model, config.heads, config.dropout
    return MultiHeadAttention(d_model, heads, dropout=dropout)


def new_feed_forward(config: TransformerConfig) -> FeedForward:
    """Make a feed-forward layer of the config's sizes."""
    sizes = config.d_model, config.d_ff
    return FeedForward(*sizes, config.activation, config.dropout)


def new_logits(config: TransformerConfig) -> nn.Linear:
    """Make the matrix that scores each symbol; it has no bias, as an embedding has none."""
    return nn.Linear(config.d_model, config.target_symbols, bias=False)


class Residual(nn.Module):
    """A sublayer's place on the residual stream: it reads the stream and adds to it.

    - norm="post" (Vaswani et al. 2017, section 3.1): LayerNorm(x + Sublayer(x))
    - norm="pre" (Xiong et al. 2020, table 1): x + Sublayer(LayerNorm(x))

    Parameters
    ----------
    config : TransformerConfig
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.pre = config.norm == "pre"
        self.norm = LayerNorm(config.d_model)
        self.dropout = nn.Dropout(config.dropout)

    def read(self, x: Stream) -> Stream:
        """Give the sublayer the stream to read, normalised if pre-norm."""
        return self.norm(x) if self.pre else x

    def add(self, x: Stream, said: Stream) -> Stream:
        """Add what the sublayer said; normalise the sum if post-norm."""
        x = x + self.dropout(said)
        return x if self.pre else self.norm(x)


class EncoderLayer(nn.Module):
    """Let the positions look at each other, then let each think for itself.

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
        """Read the stream twice and add to it twice.

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
        read = self.around_self_attention.read(x)  # (batch, length, d_model)
        said = self.self_attention(read, mask=mask, kept=kept, **positions)
        x = self.around_self_attention.add(x, said)

        said = self.feed_forward(self.around_feed_forward.read(x))
        return self.around_feed_forward.add(x, said)


class DecoderLayer(nn.Module):
    """Look at what has been written, then at the source, then think.

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
        return_weights: bool = False,
        kept: KeysAndValues | None = None,
        **positions: Tensor,
    ) -> Stream | tuple[Stream, Weights]:
        """Read the stream three times and add to it three times.

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
        return_weights : bool
            Return the weights of the cross-attention too.
        kept : KeysAndValues, optional
            Of the positions before these, for the self-attention; theirs are appended.
        **positions
            From ``positions_in_scores``, for the self-attention.
        """
        read = self.around_self_attention.read(x)  # (batch, length, d_model)
        said = self.self_attention(read, mask=mask, kept=kept, **positions)
        x = self.around_self_attention.add(x, said)

        read = self.around_cross_attention.read(x)
        said = self.cross_attention(read, memory, memory_mask, return_weights)
        if return_weights:
            said, weights = said  # and (batch, heads, length, source_length)
        x = self.around_cross_attention.add(x, said)

        said = self.feed_forward(self.around_feed_forward.read(x))
        x = self.around_feed_forward.add(x, said)
        return (x, weights) if return_weights else x


# ---------------------------------------------------------------------- stacks


def for_each(layers: nn.ModuleList, given: object) -> Sequence:
    """Give each layer its own, if there is a sequence of them, or all layers the same."""
    return given if isinstance(given, Sequence) else [given] * len(layers)


def kept_length(cache: Cache | None) -> int:
    """Say how many positions have been read before."""
    return 0 if cache is None else cache[0].length


def final_norm(config: TransformerConfig) -> nn.Module:
    """Make what ends a stack: a norm after pre-norm layers; post-norm layers end in one."""
    return LayerNorm(config.d_model) if config.norm == "pre" else nn.Identity()


class Encoder(nn.Module):
    """A stack of encoder layers.

    Parameters
    ----------
    config : TransformerConfig
    layers : int
    """

    def __init__(self, config: TransformerConfig, layers: int):
        super().__init__()
        self.config = config
        stack = [EncoderLayer(config) for _ in range(layers)]
        self.layers = nn.ModuleList(stack)
        self.norm = final_norm(config)

    def forward(
        self,
        x: Stream,
        mask: Mask | None = None,
        cache: Cache | None = None,
    ) -> Stream:
        """Run the layers one after the other, all with the same mask.

        With a cache, ``x`` follows the positions that are kept in it, and is kept too.
        """
        offset, length = kept_length(cache), x.shape[1]
        where = positions_in_scores(self.config, length, offset, x.device)
        caches = for_each(self.layers, cache)
        for layer, kept in zip(self.layers, caches, strict=True):
            x = layer(x, mask, kept, **where)  # (batch, length, d_model)
        return self.norm(x)


class Decoder(nn.Module):
    """A stack of decoder layers, none of which looks ahead.

    Parameters
    ----------
    config : TransformerConfig
    layers : int
    """

    def __init__(self, config: TransformerConfig, layers: int):
        super().__init__()
        self.config = config
        stack = [DecoderLayer(config) for _ in range(layers)]
        self.layers = nn.ModuleList(stack)
        self.norm = final_norm(config)

    def forward(
        self,
        x: Stream,
        memory: Memory | OfSource,
        memory_mask: Mask | None = None,
        return_weights: bool = False,
        cache: Cache | None = None,
    ) -> Stream | tuple[Stream, AllWeights]:
        """Run the layers one after the other; all read the same memory.

        The target's padding needs no mask of its own: it comes after all that counts,
        where the causal mask lets nobody look. With a cache, ``x`` follows the positions
        that are kept in it, and is kept too.
        """
        offset, length = kept_length(cache), x.shape[1]
        # (1, length, all positions)
        mask = causal_mask(length, offset, x.device)[None]
        where = positions_in_scores(self.config, length, offset, x.device)
        memories = for_each(self.layers, memory)
        each = self.layers, memories, for_each(self.layers, cache)
        looked = []
        for layer, source, kept in zip(*each, strict=True):
            # (batch, length, d_model)
            masks = mask, memory_mask
            x = layer(x, source, *masks, return_weights, kept, **where)
            if return_weights:
                x, weights = x  # and (batch, heads, length, source_length)
                looked.append(weights)
        x = self.norm(x)
        return (x, torch.stack(looked, 1)) if return_weights else x


def causal_mask(
    length: int, offset: int = 0, device: torch.device | str | None = None
) -> Bool[Tensor, "length keys"]:
    """Let each position look at itself and at what came before: ``True`` up to the diagonal.

    The first of the ``length`` positions has ``offset`` others before it.
    """
    keys = offset + length
    allowed = torch.ones(length, keys, dtype=torch.bool, device=device)
    return allowed.tril(offset)


# ---------------------------------------------------------------------- models


class Transformer(nn.Module):
    """An encoder–decoder that translates (Vaswani et al. 2017, figure 1).

    Parameters
    ----------
    config : TransformerConfig
        With a source.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        _check_source(config, there=True)
        self.config = config
        self.source_embedding = Embedding(config.source_symbols, config)
        self.target_embedding = Embedding(config.target_symbols, config)
        self.encoder = Encoder(config, config.encoder_layers)
        self.decoder = Decoder(config, config.decoder_layers)
        self.to_logits = new_logits(config)
        self.apply(initialise)
        if config.tie_logits:
            self.to_logits.weight = self.target_embedding.tokens.weight
        if config.tie_source:
            self.source_embedding.tokens = self.target_embedding.tokens

    def forward(
        self, source: Source, target: Tokens, return_weights: bool = False
    ) -> Logits | tuple[Logits, AllWeights]:
        """Predict each target token from the source and the true tokens before it.

        Parameters
        ----------
        source : (batch, source_length)
            Tokens, then ``PADDING`` up to the longest.
        target : (batch, length)
            What is to be written, ``END`` included, without ``START``: the model puts
            that in front itself and never sees a token before it has predicted it.
        return_weights : bool
            Return the weights of the cross-attention too.

        Returns
        -------
        logits : (batch, length, symbols)
            ``logits[:, t]`` are for ``target[:, t]``.
        weights : (batch, decoder_layers, heads, length, source_length), if asked for
            Row t are the weights of the step that *writes* ``target[:, t]``; what it
            reads at that place is the token before.

        Raises
        ------
        ValueError
            If source or target is not a rectangle of token numbers with the padding
            on the right, target holds ``START``, or there are more positions than have
            been learned.
        """
        _check_target(target, self.config)
        memory, memory_mask = self.encode(source)
        start = torch.full_like(target[:, :1], START)  # (batch, 1)
        # Each token is predicted from those before it: (batch, length)
        before = torch.cat([start, target[:, :-1]], dim=1)
        return self.decode(before, memory, memory_mask, return_weights)

    def encode(self, source: Source) -> tuple[Memory, Mask]:
        """Read the source.

        Returns
        -------
        memory : (batch, source_length, d_model)
            One vector for each token, with the rest of the sentence in it.
        memory_mask : (batch, 1, source_length)
            ``True`` for tokens, ``False`` for padding.
        """
        check_tokens("source", source, self.config.source_symbols)
        # (batch, 1, source_length): the same keys for all queries
        mask = (source != PADDING)[:, None]
        return self.encoder(self.source_embedding(source), mask), mask

    def decode(
        self,
        before: Tokens,
        memory: Memory | OfSource,
        memory_mask: Mask,
        return_weights: bool = False,
        cache: Cache | None = None,
    ) -> Logits | tuple[Logits, AllWeights]:
        """Predict what follows each of the tokens written so far, ``START`` being the first.

        Parameters
        ----------
        before : (batch, length)
        memory, memory_mask
            From ``encode``. In the place of the memory there may be the keys and values
            that each layer's cross-attention has made of it.
        return_weights : bool
        cache : sequence of KeysAndValues, optional
            What each layer's self-attention keeps of the tokens before these; it grows
            by these.

        Returns
        -------
        As ``forward`` does; ``logits[:, t]`` are for the token after ``before[:, t]``.
        """
        # (batch, length, d_model)
        x = self.target_embedding(before, kept_length(cache))
        x = self.decoder(x, memory, memory_mask, return_weights, cache)
        if return_weights:
            x, weights = x
        logits = self.to_logits(x)  # (batch, length, symbols)
        return (logits, weights) if return_weights else logits


class LanguageModel(nn.Module):
    """A decoder-only transformer: it goes on with a text, and there is no source.

    Without cross-attention a decoder's layer has the two sublayers of an encoder's. So
    this is an ``Encoder`` that a causal mask keeps from looking ahead.

    Parameters
    ----------
    config : TransformerConfig
        Without a source: ``source_symbols=None``.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        _check_source(config, there=False)
        self.config = config
        self.embedding = Embedding(config.target_symbols, config)
        self.decoder = Encoder(config, config.decoder_layers)
        self.to_logits = new_logits(config)
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
        check_numbers("tokens", tokens, self.config.target_symbols)
        offset = kept_length(cache)
        mask = causal_mask(tokens.shape[1], offset, tokens.device)[None]
        x = self.embedding(tokens, offset)  # (batch, length, d_model)
        # (batch, length, symbols)
        return self.to_logits(self.decoder(x, mask, cache))


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


# ------------------------------------------------------------ making and keeping


def new_transformer(config: TransformerConfig, seed: int) -> Transformer | LanguageModel:
    """Make an untrained model whose weights depend on config and seed alone.

    Without a source it is a ``LanguageModel``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _kind(config)(config)


def parameters_of(config: TransformerConfig) -> int:
    """Count the numbers that training would adjust, each shared matrix once."""
    with torch.device("meta"):  # shapes without memory behind them
        return sum(parameter.numel() for parameter in _kind(config)(config).parameters())


def save(path: str | Path, model: Transformer | LanguageModel) -> None:
    """Write a model's weights and config to a ``.safetensors`` file."""
    model = unwrapped(model)
    save_weights(path, model, {"kind": "transformer", "config": asdict(model.config)})


def load(path: str | Path) -> Transformer | LanguageModel:
    """Make the model that ``save`` wrote.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it holds something else.
    """
    _, header = read_tensors(path)
    kind = header.get("kind")
    require(kind == "transformer", str(path), "the weights of a transformer", kind)
    model = new_transformer(TransformerConfig(**header["config"]), seed=0)
    load_weights(path, model)
    return model


def _kind(config: TransformerConfig) -> Callable[[TransformerConfig], nn.Module]:
    return LanguageModel if config.source_symbols is None else Transformer


# ---------------------------------------------------------------------- checks


def _check_config(config: TransformerConfig) -> None:
    """Check all settings; numbers of any library become Python's own, as files need them."""
    for name in ("source_symbols", "target_symbols"):
        if name == "target_symbols" or config.source_symbols is not None:
            _make_integer(config, name, f"an integer above {END + 1}", END + 1)
    for name in ("d_model", "heads", "d_ff", "encoder_layers", "decoder_layers", "max_length"):
        _make_integer(config, name, "a positive integer", 0)
    expected = "a number from 0 to below 1"
    dropout = as_real("dropout", config.dropout, expected, lambda dropout: 0 <= dropout < 1)
    object.__setattr__(config, "dropout", dropout)
    divides = config.d_model % config.heads == 0
    require(divides, "heads", f"a divisor of d_model = {config.d_model}", config.heads)
    choices = {"norm": NORMS, "position": POSITIONS, "activation": tuple(ACTIVATIONS)}
    for name, known in choices.items():
        require(getattr(config, name) in known, name, f"one of {known}", getattr(config, name))
    d_k = config.d_model // config.heads
    can_rotate = config.position != "rotary" or d_k % 2 == 0
    require(can_rotate, "heads", "an even d_model / heads for rotary positions", config.heads)
    if config.tie_source:
        shared = config.source_symbols == config.target_symbols
        expected = f"target_symbols = {config.target_symbols}, to be shared"
        require(shared, "source_symbols", expected, config.source_symbols)


def _make_integer(config: TransformerConfig, name: str, expected: str, above: int) -> None:
    number = as_integer(name, getattr(config, name), expected, lambda number: number > above)
    object.__setattr__(config, name, number)  # the config is frozen for everybody else


def _check_target(target: Tensor, config: TransformerConfig) -> None:
    check_tokens("target", target, config.target_symbols)
    require(not (target == START).any(), "target", "no START: the model adds it", "START")


def _check_source(config: TransformerConfig, there: bool) -> None:
    expected = "a number of symbols" if there else "None for a language model"
    fits = (config.source_symbols is not None) == there
    require(fits, "source_symbols", expected, config.source_symbols)
