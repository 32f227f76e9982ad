"""A language model that reads and goes on with a cache (cost: Writing: keep keys and values)."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from attention._arguments import as_integer, positive_integer, unwrapped
from attention.generate import LogP, Token, finest
from attention.kv_cache.caches import Cache, check_kind, forks, new_cache, shape_kept
from attention.report import require
from attention.tokens import check_numbers
from attention.training import evaluating
from attention.transformer import LanguageModel, TransformerConfig

Tokens = Int[Tensor, "batch new"]  # those that have not been read yet


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
        no number has a meaning of its own. For texts of different lengths see ``continue_text``.
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
    check_kind(model, LanguageModel)
    check_numbers("tokens", tokens, model.config.target_vocab_size)
    cache = new_cache(model, len(tokens)) if cache is None else forks(cache)
    _check_cache(cache, model, len(tokens))
    return model(tokens, cache), cache


def likeliest(log_p: LogP) -> Token:
    """Choose the token with the highest log-probability; of several, the first."""
    return log_p.argmax(1)


def continue_text(
    model: LanguageModel,
    prompt: Tokens,
    count: int,
    choose: Callable[[LogP], Token] = likeliest,
    cached: bool = True,
    lengths: Int[Tensor, " batch"] | None = None,
    end: int | None = None,
) -> Int[Tensor, "batch length"]:
    """Write ``count`` tokens after a prompt, or fewer if the model ends its text.

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
    end : int, optional
        The token that ends a text. A row that has written it is done, and 0 stands behind
        it; when all rows are done, the writing stops. In a prompt it is a token like others.

    Returns
    -------
    text : (batch, length + count)
        The prompt and what follows it. With ``lengths``, row r is its first
        ``lengths[r] + count`` tokens, and then 0; the width is that of the longest. With
        ``end`` it is as wide as the writing went.

    Raises
    ------
    ValueError
        Before anything is written: if ``count`` is not a positive integer, the model
        refuses the prompt, ``lengths`` does not fit it, ``end`` is no token of the
        model, or there are not enough learned positions for so many tokens.
    """
    model = unwrapped(model)
    check_kind(model, LanguageModel)
    count = positive_integer("count", count)
    check_numbers("prompt", prompt, model.config.target_vocab_size)
    lengths = _checked_lengths(lengths, prompt)
    shortest, longest = int(lengths.min()), int(lengths.max())
    _check_positions(model.config, longest, count)
    if end is not None:
        symbols = model.config.target_vocab_size
        end = as_integer("end", end, f"a token below {symbols}", lambda token: 0 <= token < symbols)
    done = torch.zeros_like(lengths, dtype=torch.bool)  # (batch,)
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
            token = token.where(~done, 0)
            unread = token[:, None]  # (batch, 1)
            text = torch.cat([text, unread], dim=1)
            if end is not None:
                done |= (token == end) & (place >= lengths)
            if done.all():
                break
    place = torch.arange(text.shape[1], device=text.device)  # (length,)
    return text.where(place < lengths[:, None] + count, 0)


def _check_cache(cache: Cache, model: LanguageModel, batch: int) -> None:
    config, dtype = model.config, model.to_logits.weight.dtype
    layers, (heads, d_k) = config.decoder_layers, shape_kept(config)
    require(len(cache) == layers, "cache", f"keys and values of {layers} layers", len(cache))
    expected = f"{dtype} of shape {(batch, heads, 'keys', d_k)} in each layer"
    shape = batch, heads, cache[0].length, d_k
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
