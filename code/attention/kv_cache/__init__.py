"""Writing without reading everything again: the key–value cache (cost: Writing: keep keys).

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

from attention.kv_cache.caches import Cache, cache_bytes, new_cache, source_cache_bytes
from attention.kv_cache.continuing import continue_text, likeliest, read
from attention.kv_cache.stepper import CachedTransformerStepper, SourceRows

__all__ = [
    "Cache",
    "CachedTransformerStepper",
    "SourceRows",
    "cache_bytes",
    "continue_text",
    "likeliest",
    "new_cache",
    "read",
    "source_cache_bytes",
]
