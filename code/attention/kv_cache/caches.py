"""The caches of a transformer's layers: made, shared, counted (cost: Writing: keep keys)."""

from collections.abc import Iterable

import torch

from attention._arguments import positive_integer
from attention.keys_and_values import KeysAndValues
from attention.report import require
from attention.transformer import LanguageModel, Transformer, TransformerConfig

Cache = tuple[KeysAndValues, ...]  # of each layer's self-attention


def new_cache(model: Transformer | LanguageModel, batch: int) -> Cache:
    """Begin: each layer of the decoder has read nothing.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    batch = positive_integer("batch", batch)
    config, numbers = model.config, model.to_logits.weight
    shared, d_k = shape_kept(config)
    # (batch, key_value_heads, 0, d_k), of the type of the model's numbers, and where they are
    nothing = numbers.new_empty(batch, shared, 0, d_k)
    return tuple(KeysAndValues(nothing, nothing) for _ in range(config.decoder_layers))


def shape_kept(config: TransformerConfig) -> tuple[int, int]:
    """Say in how many heads a layer keeps keys and values, and how wide each of them is."""
    return config.key_value_heads or config.heads, config.d_model // config.heads


def forks(cache: Iterable[KeysAndValues]) -> Cache:
    """Let a call append to a cache that its owner may go on from again."""
    return tuple(kept.fork() for kept in cache)


def check_kind(model: object, kind: type) -> None:
    """Refuse a model of another kind."""
    fits = isinstance(model, kind)
    require(fits, "model", f"a {kind.__name__}", type(model).__name__)


def cache_bytes(
    config: TransformerConfig,
    batch: int,
    length: int,
    dtype: torch.dtype = torch.float32,
) -> int:
    """Count the bytes of the keys and values that self-attention keeps (cost: What the cache).

    2 · layers · batch · length · key_value_heads · d_k numbers. If no head is shared, the last
    two together are d_model.
    Room that is set aside for the next few positions (``keys_and_values.ROOM``) is not counted.

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
    batch, length = positive_integer("batch", batch), positive_integer("length", length)
    require(isinstance(dtype, torch.dtype), "dtype", "a torch.dtype", dtype)
    shared, d_k = shape_kept(config)
    numbers = 2 * config.decoder_layers * batch * length * shared * d_k
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
    there = config.source_vocab_size is not None
    require(there, "config", "one with a source", "a language model's")
    source_length = positive_integer("source_length", source_length)
    return cache_bytes(config, batch, source_length, dtype)
