"""Exact attention in linear memory, in NumPy, block by block (cost: Block by block).

``attention.by_hand`` holds a score for each query and each key at once. Here the
keys come one block after the other, and of those that are past a *summary* is
kept: for each query two numbers and one row as wide as a value. It is enough,
since two summaries can be merged into the summary of all their keys. The results
are those of ``by_hand`` but for rounding; so are the conventions.

Where it comes from: the summary and how it is merged, for the softmax alone, is
the online softmax of Milakov & Gimelshein (2018), "Online normalizer calculation
for softmax". Rabe & Staats (2021), "Self-attention Does Not Need O(n^2) Memory",
add the values. Dao et al. (2022), "FlashAttention", cut queries and keys into
blocks and compute the scores a second time for the gradient.

Where to find what: ``summary`` has the summaries and how they merge, ``tiles`` the
blocks, ``masks`` what a query may attend to, ``forward`` and ``gradient`` attention
and the way back through it.
"""

from attention.tiled.forward import tiled_attention
from attention.tiled.gradient import tiled_attention_gradient
from attention.tiled.masks import Band, Mask, MaskFunction, causal, mask_function, window
from attention.tiled.summary import (
    LogTotals,
    Output,
    Summary,
    empty_summary,
    merge,
    summarise,
)
from attention.tiled.tiles import block_scores, blocks, blocks_to_meet, count_blocks

__all__ = [
    "Band",
    "LogTotals",
    "Mask",
    "MaskFunction",
    "Output",
    "Summary",
    "block_scores",
    "blocks",
    "blocks_to_meet",
    "causal",
    "count_blocks",
    "empty_summary",
    "mask_function",
    "merge",
    "summarise",
    "tiled_attention",
    "tiled_attention_gradient",
    "window",
]
