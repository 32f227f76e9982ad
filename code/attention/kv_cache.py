"""The key–value cache: write without reading again (cost: Writing: keep keys and values).

A causal mask lets nobody look ahead. So what a position has become, in each layer, stays
the same when more is written after it, and all that later positions ever ask of it are
its keys and its values. They are kept, one of each for every position, head and layer, and
a step sends the new position through the model and no other. Shazeer (2019, section 2.4)
writes this step down and counts what it moves in memory.

There is one way through the model, with a cache or without: every ``MultiHeadAttention``
appends its new keys and values to the ``KeysAndValues`` that it is given, and attends to all
of them. So whatever watches a model or interferes with it (``attention.interventions``) does
so here too.

Keys are kept as scores need them: rotated, if positions are rotary.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention._arguments import unwrapped
from attention.generate import Logits, LogP, Source, State, Token, finest
from attention.layers import KeysAndValues
from attention.report import require
from attention.training import check_numbers, check_positive, evaluating
from attention.transformer import LanguageModel, Transformer, TransformerConfig

Tokens = Int[Tensor, "batch new"]  # those that have not been read yet
Cache = tuple[KeysAndValues, ...]  # of each layer's self-attention


def new_cache(model: Transformer | LanguageModel, batch: int) -> Cache:
    """Begin: each layer of the decoder has read nothing.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    batch = check_positive("batch", batch)
    config, numbers = model.config, model.to_logits.weight
    d_k = config.d_model // config.heads
    # (batch, heads, 0, d_k), of the type of the model's numbers, and where they are
    nothing = numbers.new_empty(batch, config.heads, 0, d_k)
    return tuple(KeysAndValues(nothing, nothing) for _ in range(config.decoder_layers))


def _forks(cache: Iterable[KeysAndValues]) -> Cache:
    """Let a call append to a cache that its owner may go on from again."""
    return tuple(kept.fork() for kept in cache)


# ------------------------------------------------------ an encoder–decoder writes


@dataclass(frozen=True)
class SourceRows:
    """What a step needs of the source: it is made once and never changes.

    Attributes
    ----------
    mask : (rows, 1, source_length)
        ``True`` for tokens.
    each_layer : tuple of KeysAndValues
        Those of each layer's cross-attention.
    sentence : (rows,)
        Which sentence each row is about.
    """

    mask: Bool[Tensor, "rows 1 source_length"]
    each_layer: Cache
    sentence: Int[Tensor, " rows"]

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> "SourceRows":
        """Take some rows, in this order.

        If they are about the same sentences as before, there is nothing to do. So it is
        at every step of a beam but the first: rows of one sentence change places.
        """
        sentence = self.sentence[rows]
        if torch.equal(sentence, self.sentence):
            return self
        return SourceRows(self.mask[rows], tuple(kept[rows] for kept in self.each_layer), sentence)


@dataclass(frozen=True)
class CachedTransformerStepper:
    """Write with a transformer: it keeps keys and values, and reads each token once.

    It writes what ``generate.TransformerStepper`` writes, and everything in
    ``attention.generate`` takes it in the place of a model. The state is what is needed
    of the source, then the keys and values of what has been written, layer by layer. A
    beam can drop, repeat and reorder their rows.

    Parameters
    ----------
    model : Transformer
        Also in a wrapper, such as ``torch.compile`` makes; it is taken out.

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
        model = unwrapped(self.model)
        _check_kind(model, Transformer)
        object.__setattr__(self, "model", model)

    def start(self, source: Source) -> State:
        """Read the source; make its keys and values, once for all steps."""
        memory, mask = self.model.encode(source)
        cross = [layer.cross_attention for layer in self.model.decoder.layers]
        each_layer = tuple(attention.keys_and_values(memory) for attention in cross)
        sentence = torch.arange(len(source), device=source.device)
        return SourceRows(mask, each_layer, sentence), *new_cache(self.model, len(source))

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token, and nothing else; what came before it is kept.

        Raises
        ------
        ValueError
            If ``token`` is not one token number for each row of the state, or there are
            more positions than have been learned.
        """
        source, *cache = state
        _check_token(token, len(source.sentence), self.model.config.target_symbols)
        cache = _forks(cache)
        # (batch, 1, symbols)
        logits = self.model.decode(token[:, None], source.each_layer, source.mask, cache=cache)
        return logits[:, 0], (source, *cache)


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
        They follow what is in the cache. All of them count: there is no padding, since
        no number has a meaning of its own. For texts of different lengths see ``go_on``.
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
    model = unwrapped(model)
    _check_kind(model, LanguageModel)
    check_numbers("tokens", tokens, model.config.target_symbols)
    cache = new_cache(model, len(tokens)) if cache is None else _forks(cache)
    _check_cache(cache, model, len(tokens))
    return model(tokens, cache), cache


def likeliest(log_p: LogP) -> Token:
    """Choose the token with the highest log-probability; of several, the first."""
    return log_p.argmax(1)


def go_on(
    model: LanguageModel,
    prompt: Tokens,
    count: int,
    choose: Callable[[LogP], Token] = likeliest,
    cached: bool = True,
    lengths: Int[Tensor, " batch"] | None = None,
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
    lengths : (batch,), integers, optional
        How many tokens of each row are its prompt; what stands behind them is padding,
        whatever the numbers are. Each row goes on as it would alone: all rows are read
        to the end of the shortest prompt, and then token by token, while longer prompts
        still say what comes next. ``choose`` is called for these rows too, and for
        those that have all their tokens; what it says of them is not used.

    Returns
    -------
    text : (batch, length + count)
        The prompt and what follows it. With ``lengths``, row r is its first
        ``lengths[r] + count`` tokens, and then 0; the width is that of the longest.

    Raises
    ------
    ValueError
        Before anything is written: if ``count`` is not a positive integer, the model
        refuses the prompt, ``lengths`` does not fit it, or there are not enough learned
        positions for so many tokens.
    """
    model = unwrapped(model)
    _check_kind(model, LanguageModel)
    count = check_positive("count", count)
    check_numbers("prompt", prompt, model.config.target_symbols)
    lengths = _checked_lengths(lengths, prompt)
    shortest, longest = int(lengths.min()), int(lengths.max())
    _check_positions(model.config, longest, count)
    text = unread = prompt[:, :shortest]
    cache = None
    with evaluating(model):
        for place in range(shortest, longest + count):
            if cached:
                logits, cache = read(model, unread, cache)
            else:
                logits = model(text)  # (batch, length, symbols)
            log_p = logits[:, -1].to(finest(logits.device)).log_softmax(-1)
            token = choose(log_p)  # (batch,)
            if place < longest:
                token = prompt[:, place].where(place < lengths, token)
            unread = token[:, None]  # (batch, 1)
            text = torch.cat([text, unread], dim=1)
    place = torch.arange(text.shape[1], device=text.device)  # (length,)
    return text.where(place < lengths[:, None] + count, 0)


# --------------------------------------------------------------- what it costs


def cache_bytes(
    config: TransformerConfig,
    batch: int,
    length: int,
    dtype: torch.dtype = torch.float32,
) -> int:
    """Count the bytes of the keys and values that self-attention keeps.

    2 · layers · batch · length · d_model numbers: the heads share d_model among them.
    Room that is set aside for the next few positions (``layers.ROOM``) is not counted.

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
    batch, length = check_positive("batch", batch), check_positive("length", length)
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
    source_length = check_positive("source_length", source_length)
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
    shape = batch, config.heads, cache[0].length, d_k
    for tensor in (tensor for kept in cache for tensor in kept):
        came = f"{tensor.dtype} of shape {tuple(tensor.shape)}"
        require((tensor.dtype, tuple(tensor.shape)) == (dtype, shape), "cache", expected, came)


def _checked_lengths(lengths: Tensor | None, prompt: Tokens) -> Tensor:
    batch, longest = prompt.shape
    if lengths is None:
        return torch.full((batch,), longest, device=prompt.device)
    good = isinstance(lengths, Tensor) and not lengths.is_floating_point() and lengths.ndim == 1
    came = f"{lengths.dtype} of shape {tuple(lengths.shape)}" if good else lengths
    good = good and lengths.dtype != torch.bool and len(lengths) == batch
    require(good, "lengths", f"a tensor of integers of shape ({batch},)", came)
    lengths = lengths.to(prompt.device)
    fits = bool(((1 <= lengths) & (lengths <= longest)).all())
    require(fits, "lengths", f"numbers from 1 to {longest}", lengths.tolist())
    return lengths


def _check_positions(config: TransformerConfig, longest: int, count: int) -> None:
    """Refuse to begin what cannot be finished: the last token is written, but not read."""
    if config.position == "learned":
        room = config.max_length - longest + 1
        expected = f"at most {room} after a prompt of {longest}, as positions are learned"
        require(count <= room, "count", expected, count)
