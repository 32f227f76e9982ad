"""Writing with a transformer without reading everything again: the key–value cache.

A causal mask lets nobody look ahead. So what a position has become, in each layer, stays
the same when more is written after it, and all that later positions ever ask of it are
its keys and its values. They are kept, one of each for every position, head and layer, and
a step sends the new position through the model and no other. Shazeer (2019, section 2.4)
writes this step down and counts what it moves in memory.

``MultiHeadAttention`` makes keys and values and uses them in one call. Here the two halves
stand apart: ``keys_and_values`` and ``attend``. Everything else is the model's own parts, in
the model's order, and the logits are the model's too.

Keys are kept as scores need them: rotated, if positions are rotary.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import functional as F

from attention.generate import Logits, LogP, Source, State, Token
from attention.layers import (
    MultiHeadAttention,
    alibi_bias,
    merge_heads,
    position_angles,
    rotate,
    sinusoidal_positions,
    split_heads,
)
from attention.report import require
from attention.training import check_numbers, check_positive, evaluating
from attention.transformer import (
    DecoderLayer,
    Embedding,
    EncoderLayer,
    LanguageModel,
    Transformer,
    TransformerConfig,
)

Tokens = Int[Tensor, "batch new"]  # those that have not been read yet
Stream = Float[Tensor, "batch new d_model"]  # of the new positions alone
Angles = Float[Tensor, "length pairs"]
Mask = Bool[Tensor, "..."]

# ------------------------------------------------------------ what is kept


class KeysAndValues(NamedTuple):
    """What one layer keeps of the positions it has read.

    Attributes
    ----------
    key : (batch, heads, keys, d_k)
        Rotated already, if positions are rotary.
    value : (batch, heads, keys, d_v)
    """

    key: Float[Tensor, "batch heads keys d_k"]
    value: Float[Tensor, "batch heads keys d_v"]

    @property
    def length(self) -> int:
        """How many positions are kept."""
        return self.key.shape[2]

    def followed_by(self, new: "KeysAndValues") -> "KeysAndValues":
        """Put those of the next positions behind them; what was kept is not changed.

        All numbers are copied for it. A program in a hurry sets the memory aside before.
        """
        key = torch.cat([self.key, new.key], dim=2)
        value = torch.cat([self.value, new.value], dim=2)
        return KeysAndValues(key, value)


Cache = tuple[KeysAndValues, ...]  # of each layer's self-attention


def new_cache(model: Transformer | LanguageModel, batch: int) -> Cache:
    """Begin: each layer of the decoder has read nothing.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    check_positive("batch", batch)
    config, numbers = model.config, model.to_logits.weight
    d_k = config.d_model // config.heads
    # (batch, heads, 0, d_k), of the type of the model's numbers
    nothing = numbers.new_empty(batch, config.heads, 0, d_k)
    return (KeysAndValues(nothing, nothing),) * config.decoder_layers


# ----------------------------------------- the two halves of MultiHeadAttention


def keys_and_values(
    attention: MultiHeadAttention,
    memory: Float[Tensor, "batch length d_model"],
    angles: Angles | None = None,
) -> KeysAndValues:
    """Make what others can find these positions by, and what these have to say.

    Parameters
    ----------
    attention : MultiHeadAttention
    memory : (batch, length, d_model)
        Where keys and values come from.
    angles : (length, d_k / 2), optional
        Rotate the keys by these: the angles of the places where ``memory`` stands.
    """
    key = split_heads(attention.W_K(memory), attention.heads)
    value = split_heads(attention.W_V(memory), attention.heads)
    if angles is not None:
        key = rotate(key, angles)
    return KeysAndValues(key, value)


def attend(
    attention: MultiHeadAttention,
    x: Stream,
    kept: KeysAndValues,
    mask: Mask | None = None,
    angles: Angles | None = None,
    score_bias: Float[Tensor, "heads new keys"] | None = None,
) -> Stream:
    """Let each row of ``x`` attend to keys and values that are there already.

    Parameters
    ----------
    attention : MultiHeadAttention
    x : (batch, new, d_model)
        Where the queries come from.
    kept : KeysAndValues
        Of all positions that there are to look at; in self-attention, the new ones too.
    mask : broadcasts to (batch, heads, new, keys), boolean, optional
        ``True`` for *may attend*.
    angles : (new, d_k / 2), optional
        Rotate the queries by these.
    score_bias : (heads, new, keys), optional
        Added to the scaled scores; it needs a mask beside it.
    """
    dropout = attention.dropout if attention.training else 0.0
    query = split_heads(attention.W_Q(x), attention.heads)
    if angles is not None:
        query = rotate(query, angles)
    if score_bias is not None:  # both in one: -inf where the mask says no
        mask = score_bias.to(query).masked_fill(~mask, -torch.inf)
    output = F.scaled_dot_product_attention(
        query, kept.key, kept.value, attn_mask=mask, dropout_p=dropout
    )  # (batch, heads, new, d_v)
    return attention.W_O(merge_heads(output))  # (batch, new, d_model)


# ------------------------------------------- where the new positions stand
# ``offset`` is the number of positions that are kept, and so the place of the first new one.


def embed(embedding: Embedding, tokens: Tokens, offset: int) -> Stream:
    """Do as the embedding does, for tokens that stand from ``offset`` on.

    Raises
    ------
    ValueError
        If positions are learned, and there is none for the last of these.
    """
    length, d_model = tokens.shape[1], embedding.config.d_model
    x = embedding.tokens(tokens)  # (batch, new, d_model)
    x = x * math.sqrt(d_model)
    if embedding.config.position == "sinusoidal":
        x = x + sinusoidal_positions(length, d_model, offset).to(x)
    elif embedding.config.position == "learned":
        x = x + embedding.positions(length, offset)
    return embedding.dropout(x)


def causal_from(
    config: TransformerConfig,
    offset: int,
    new: int,
) -> dict[str, Tensor]:
    """Make what self-attention needs for new positions: the last rows of what it had for all.

    Returns
    -------
    where : dict
        "mask", (new, keys), with ``keys = offset + new``: each new position sees what is
        kept, what is new before it, and itself. With rotary positions also "angles",
        (new, d_k / 2); with ALiBi also "score_bias", (heads, new, keys).
    """
    keys = offset + new
    mask = torch.ones(new, keys, dtype=torch.bool).tril(offset)
    if config.position == "rotary":
        d_k = config.d_model // config.heads
        return {"mask": mask, "angles": position_angles(new, d_k, offset)}
    if config.position == "alibi":
        score_bias = alibi_bias(config.heads, new, keys)
        return {"mask": mask, "score_bias": score_bias}
    return {"mask": mask}


# -------------------------------------------------------- the sublayers of a step


def look_back(
    layer: EncoderLayer | DecoderLayer,
    x: Stream,
    kept: KeysAndValues,
    mask: Mask,
    angles: Angles | None = None,
    score_bias: Float[Tensor, "heads new keys"] | None = None,
) -> tuple[Stream, KeysAndValues]:
    """Let new positions look at all that are kept, and keep them too.

    Parameters
    ----------
    layer : EncoderLayer or DecoderLayer
    x : (batch, new, d_model)
    kept : KeysAndValues
        Of the positions before.
    mask, angles, score_bias
        From ``causal_from``.

    Returns
    -------
    x : (batch, new, d_model)
    kept : KeysAndValues
        With the new positions.
    """
    around, attention = layer.around_self_attention, layer.self_attention
    read = around.read(x)  # (batch, new, d_model)
    new = keys_and_values(attention, read, angles)
    kept = kept.followed_by(new)
    said = attend(attention, read, kept, mask, angles, score_bias)
    return around.add(x, said), kept


def look_at_source(
    layer: DecoderLayer,
    x: Stream,
    source: KeysAndValues,
    memory_mask: Bool[Tensor, "batch 1 source_length"],
) -> Stream:
    """Let new positions look at the source, whose keys and values never change."""
    around = layer.around_cross_attention
    mask = memory_mask[:, None]  # (batch, 1, 1, source_length): for each head
    said = attend(layer.cross_attention, around.read(x), source, mask)
    return around.add(x, said)


def think(layer: EncoderLayer | DecoderLayer, x: Stream) -> Stream:
    """Let each new position think for itself: no other has a part in it."""
    around = layer.around_feed_forward
    return around.add(x, layer.feed_forward(around.read(x)))


# ------------------------------------------------------ an encoder–decoder writes


@dataclass(frozen=True)
class CachedTransformerStepper:
    """Write with a transformer: it keeps keys and values, and reads each token once.

    It writes what ``generate.TransformerStepper`` writes, and everything in
    ``attention.generate`` takes it in the place of a model. The state is the source's mask,
    then the keys and values of the source, layer by layer, then those of what has been
    written: one tensor after the other, all with the rows in front, so that a beam can
    drop, repeat and reorder them.

    Parameters
    ----------
    model : Transformer

    Raises
    ------
    ValueError
        If it is no ``Transformer``.

    Examples
    --------
    >>> greedy(CachedTransformerStepper(model), source)
    """

    model: Transformer

    def __post_init__(self):
        _check_kind(self.model, Transformer)

    def start(self, source: Source) -> State:
        """Read the source; make its keys and values, once for all steps."""
        memory, memory_mask = self.model.encode(source)
        cross = [layer.cross_attention for layer in self.model.decoder.layers]
        sources = [keys_and_values(attention, memory) for attention in cross]
        cache = new_cache(self.model, len(source))
        return memory_mask, *_tensors_of(sources), *_tensors_of(cache)

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token, and nothing else; what came before it is kept.

        Raises
        ------
        ValueError
            If ``token`` is not one token number for each row of the state, or there are
            more positions than have been learned.
        """
        decoder, config = self.model.decoder, self.model.config
        memory_mask, *tensors = state
        _check_token(token, len(memory_mask), config.target_symbols)
        pairs = _pairs_of(tensors)
        sources = pairs[: config.decoder_layers]
        cache = pairs[config.decoder_layers :]
        offset = cache[0].length
        # (batch, 1, d_model)
        x = embed(self.model.target_embedding, token[:, None], offset)
        where = causal_from(config, offset, new=1)
        each = zip(decoder.layers, sources, cache, strict=True)
        grown = []
        for layer, source, kept in each:
            x, kept = look_back(layer, x, kept, **where)
            x = look_at_source(layer, x, source, memory_mask)
            x = think(layer, x)
            grown.append(kept)
        logits = self.model.to_logits(decoder.norm(x))  # (batch, 1, symbols)
        state = memory_mask, *_tensors_of(sources), *_tensors_of(grown)
        return logits[:, 0], state


def _tensors_of(pairs: Iterable[KeysAndValues]) -> list[Tensor]:
    return [tensor for pair in pairs for tensor in pair]


def _pairs_of(tensors: list[Tensor]) -> list[KeysAndValues]:
    pairs = zip(tensors[0::2], tensors[1::2], strict=True)
    return [KeysAndValues(key, value) for key, value in pairs]


# ------------------------------------------------------- a language model goes on


def read(
    model: LanguageModel,
    tokens: Tokens,
    cache: Cache | None = None,
) -> tuple[Float[Tensor, "batch new symbols"], Cache]:
    """Predict what follows each of some new tokens, without the old ones.

    Read in one go or in parts, a text gives the same logits. A prompt is best read in one:
    its positions are computed side by side, and what comes after it one by one, since
    each token has to be written before it can be read.

    Parameters
    ----------
    model : LanguageModel
        Dropout and gradients are as they are in ``model(tokens)``.
    tokens : (batch, new)
        They follow what is in the cache.
    cache : Cache, optional
        What ``read`` returned for the tokens before. Default: there were none.

    Returns
    -------
    logits : (batch, new, symbols)
        The last rows of ``model(all_tokens)``.
    cache : Cache
        With the new tokens. The old one is not changed, and can be gone on from again.

    Raises
    ------
    ValueError
        If ``model`` is no ``LanguageModel``, ``tokens`` is not a rectangle of token
        numbers, the cache is not of this model and this batch, or there are more
        positions than have been learned.
    """
    _check_kind(model, LanguageModel)
    check_numbers("tokens", tokens, model.config.target_symbols)
    if cache is None:
        cache = new_cache(model, len(tokens))
    _check_cache(cache, model, len(tokens))
    offset = cache[0].length
    x = embed(model.embedding, tokens, offset)  # (batch, new, d_model)
    where = causal_from(model.config, offset, tokens.shape[1])
    grown = []
    for layer, kept in zip(model.decoder.layers, cache, strict=True):
        x, kept = look_back(layer, x, kept, **where)
        x = think(layer, x)
        grown.append(kept)
    logits = model.to_logits(model.decoder.norm(x))  # (batch, new, symbols)
    return logits, tuple(grown)


def likeliest(log_p: LogP) -> Token:
    """Choose the token with the highest log-probability; of several, the first."""
    return log_p.argmax(1)


def go_on(
    model: LanguageModel,
    prompt: Tokens,
    count: int,
    choose: Callable[[LogP], Token] = likeliest,
    cached: bool = True,
) -> Int[Tensor, "batch length"]:
    """Write ``count`` tokens after a prompt.

    Parameters
    ----------
    model : LanguageModel
        Its dropout is off meanwhile, and then as it was.
    prompt : (batch, length)
    count : int
    choose : callable
        From log-probabilities (batch, symbols), in float64, to tokens (batch,).
    cached : bool
        Whether to read each token once, or the whole text again for each new one. It
        changes the time this takes, and the rounding of the logits.

    Returns
    -------
    text : (batch, length + count)
        The prompt and what follows it.

    Raises
    ------
    ValueError
        If ``count`` is not a positive integer, or the model refuses the prompt.
    """
    _check_kind(model, LanguageModel)
    check_positive("count", count)
    text, unread, cache = prompt, prompt, None
    with evaluating(model):
        for _ in range(count):
            if cached:
                logits, cache = read(model, unread, cache)
            else:
                logits = model(text)  # (batch, length, symbols)
            log_p = logits[:, -1].double().log_softmax(-1)
            unread = choose(log_p)[:, None]  # (batch, 1)
            text = torch.cat([text, unread], dim=1)
    return text


# --------------------------------------------------------------- what it costs


def cache_bytes(
    config: TransformerConfig,
    batch: int,
    length: int,
    dtype: torch.dtype = torch.float32,
) -> int:
    """Count the bytes of the keys and values that self-attention keeps.

    2 · layers · batch · length · d_model numbers: the heads share d_model among them.

    Parameters
    ----------
    config : TransformerConfig
    batch : int
        Rows; with a beam, the hypotheses of all sentences.
    length : int
        Positions that have been read.
    dtype : torch.dtype
        What the numbers are kept as.

    Raises
    ------
    ValueError
        If ``batch`` or ``length`` is not a positive integer, or ``dtype`` no type.
    """
    check_positive("batch", batch)
    check_positive("length", length)
    require(isinstance(dtype, torch.dtype), "dtype", "a torch.dtype", dtype)
    numbers = 2 * config.decoder_layers * batch * length * config.d_model
    return numbers * dtype.itemsize


def source_cache_bytes(
    config: TransformerConfig,
    batch: int,
    source_length: int,
    dtype: torch.dtype = torch.float32,
) -> int:
    """Count the bytes of the keys and values that cross-attention keeps of the source.

    They are made once and do not grow. The formula is that of ``cache_bytes``, with the
    source's length, padding included.

    Raises
    ------
    ValueError
        As in ``cache_bytes``, or if the config is that of a model without a source.
    """
    there = config.source_symbols is not None
    require(there, "config", "one with a source", "a language model's")
    check_positive("source_length", source_length)
    return cache_bytes(config, batch, source_length, dtype)


# ---------------------------------------------------------------------- checks


def _check_kind(model: object, kind: type) -> None:
    fits = isinstance(model, kind)
    require(fits, "model", f"a {kind.__name__}", type(model).__name__)


def _check_token(token: object, rows: int, symbols: int) -> None:
    good = isinstance(token, Tensor) and token.dtype == torch.long and token.ndim == 1
    came = f"{token.dtype} of shape {tuple(token.shape)}" if isinstance(token, Tensor) else token
    require(good and len(token) == rows, "token", f"a torch.int64 tensor of shape ({rows},)", came)
    check_numbers("token", token[:, None], symbols)


def _check_cache(cache: Cache, model: LanguageModel, batch: int) -> None:
    config, dtype = model.config, model.to_logits.weight.dtype
    layers, d_k = config.decoder_layers, config.d_model // config.heads
    require(len(cache) == layers, "cache", f"keys and values of {layers} layers", len(cache))
    expected = f"{dtype} of shape {(batch, config.heads, 'keys', d_k)} in each layer"
    for tensor in _tensors_of(cache):
        came = f"{tensor.dtype} of shape {tuple(tensor.shape)}"
        shape = batch, config.heads, cache[0].length, d_k
        require((tensor.dtype, tuple(tensor.shape)) == (dtype, shape), "cache", expected, came)
