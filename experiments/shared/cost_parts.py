"""What the experiment on cost measures: parts of a layer, steps of writing, tiles in NumPy."""

import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from attention import by_hand, tiled
from attention.heads import merge_heads, split_heads
from attention.keys_and_values import KeysAndValues
from attention.kv_cache import new_cache, read
from attention.transformer import EncoderLayer, LanguageModel, TransformerConfig, new_transformer
from shared.meters import Call

CONFIG = TransformerConfig(None, 100, d_model=256, heads=8, d_ff=1024, decoder_layers=4)
# Large enough that its weights do not stay in a processor's cache from one step to the next.
WIDE = TransformerConfig(None, 100, d_model=1024, heads=16, d_ff=4096, decoder_layers=4)
FORWARD, BOTH = "forward", "forward and backward"
Case = tuple[str, str]  # a part and a direction
Part = Callable[[Tensor], Tensor]  # from (1, length, d_model) to the same shape

HEADS: list[Case] = [
    ("heads kept", FORWARD),
    ("heads kept", BOTH),
    ("heads fused", FORWARD),
    ("heads fused", BOTH),
]
LAYER: list[Case] = [
    *HEADS,
    ("projections", FORWARD),
    ("feed-forward", FORWARD),
    ("encoder layer", FORWARD),
    ("GRU", FORWARD),
]
WRITING: list[Case] = [("step without cache", FORWARD), ("step with cache", FORWARD)]
BATCHES = {f"batch of {batch}": batch for batch in (1, 2, 4, 8, 16, 32)}
GROUPS = {f"{shared} of 16 heads kept": shared for shared in (16, 4, 1)}
GROUPED_BATCH = 4
WIDTH = 64  # of a head in NumPy, and of the window
NUMPY: list[Case] = [
    ("NumPy, all at once", FORWARD),
    ("NumPy, in tiles", FORWARD),
    ("NumPy, window in tiles", FORWARD),
]


def new_calls(cases: Sequence[Case], length: int) -> dict[Case, Call]:
    """Make the inputs; return what is to be measured."""
    return {case: _new_call(*case, length) for case in cases}


def _new_call(part: str, direction: str, length: int) -> Call:
    if part.startswith("step"):
        return new_step(part, length)
    if part in BATCHES:
        return new_cached_step(WIDE, BATCHES[part], length)
    if part in GROUPS:
        config = replace(WIDE, key_value_heads=GROUPS[part])
        return new_cached_step(config, GROUPED_BATCH, length)
    if part.startswith("NumPy"):
        return new_numpy_call(part, length)
    return new_call(new_parts()[part], direction, length)


# ---------------------------------------------------------------------- parts of a layer


def new_parts() -> dict[str, Part]:
    """Make the parts of a layer. Those of the encoder layer share its parameters."""
    torch.manual_seed(0)
    layer = EncoderLayer(CONFIG)
    attention = layer.self_attention
    W_Q, W_K, W_V, W_O = attention.W_Q, attention.W_K, attention.W_V, attention.W_O
    gru = nn.GRU(CONFIG.d_model, CONFIG.d_model, batch_first=True)
    return {
        "heads kept": heads_kept,
        "heads fused": heads_fused,
        "projections": lambda x: W_O(W_Q(x) + W_K(x) + W_V(x)),
        "feed-forward": layer.feed_forward,
        "encoder layer": layer,
        "GRU": lambda x: gru(x)[0],
    }


def heads_kept(x: Tensor) -> Tensor:
    """Let x attend to itself in each head, without projections: softmax(QKᵀ / √d_k) V."""
    query = key = value = split_heads(x, CONFIG.heads)  # (1, heads, length, d_k)
    scores = query @ key.mT / math.sqrt(query.shape[-1])  # (1, heads, length, length)
    return merge_heads(scores.softmax(-1) @ value)


def heads_fused(x: Tensor) -> Tensor:
    """Compute what ``heads_kept`` does, block by block."""
    query = key = value = split_heads(x, CONFIG.heads)  # (1, heads, length, d_k)
    return merge_heads(F.scaled_dot_product_attention(query, key, value))


def new_call(part: Part, direction: str, length: int) -> Call:
    """Make an input for a part of a layer, and return the call."""
    x = torch.randn(1, length, CONFIG.d_model, generator=torch.Generator().manual_seed(0))

    def forward() -> Tensor:
        with torch.no_grad():
            return part(x)

    def forward_and_backward() -> None:
        output = part(x)
        output.backward(torch.ones_like(output))

    if direction == FORWARD:
        return forward
    x.requires_grad_()  # as if there were a layer before this one
    return forward_and_backward


# ---------------------------------------------------------------------- steps of writing


def new_step(part: str, length: int) -> Call:
    """Make a text, and a cache if it is asked for; return the call that says what follows."""
    model, generator = new_transformer(CONFIG, seed=0), torch.Generator().manual_seed(0)
    text = torch.randint(CONFIG.target_vocab_size, (1, length), generator=generator)
    with torch.no_grad():
        _, cache = read(model, text[:, :-1])

    def without_cache() -> Tensor:
        with torch.no_grad():
            return model(text)[:, -1]

    def with_cache() -> Tensor:
        with torch.no_grad():
            logits, _ = read(model, text[:, -1:], rewound(cache))
            return logits[:, -1]

    return with_cache if part == "step with cache" else without_cache


def new_cached_step(config: TransformerConfig, batch: int, length: int) -> Call:
    """Make a model and a cache of ``length - 1`` positions, filled by chance; return a step."""
    model = new_wide_model(config)
    token = torch.zeros(batch, 1, dtype=torch.long)
    with torch.no_grad():  # this step sets memory aside for those after it
        _, kept = read(model, token, filled_cache(model, batch, length - 2))

    def step() -> Tensor:
        with torch.no_grad():
            return read(model, token, rewound(kept))[0][:, -1]

    return step


@cache
def new_wide_model(config: TransformerConfig) -> LanguageModel:
    """Make a model that all batches share."""
    return new_transformer(config, seed=0)


def rewound(kept: tuple[KeysAndValues, ...]) -> tuple[KeysAndValues, ...]:
    """Let the next step write where the last one has written.

    Else the cache would be copied to new memory in each call, as two continuations of one
    text need it; of the steps of a single text one in ``keys_and_values.ROOM`` does that.
    """
    for layer in kept:
        layer._shelf.filled = layer.length
    return kept


def filled_cache(model: LanguageModel, batch: int, length: int) -> tuple[KeysAndValues, ...]:
    """Make a cache as if ``length`` positions had been read. The numbers are drawn."""
    generator, filled = torch.Generator().manual_seed(0), []
    for empty in new_cache(model, batch):
        shape = *empty.key.shape[:-2], length, empty.key.shape[-1]
        filled.append(KeysAndValues(*(torch.randn(shape, generator=generator) for _ in "kv")))
    return tuple(filled)


# ------------------------------------------------------------------------ tiles in NumPy


def new_numpy_call(part: str, length: int) -> Call:
    """Make queries, keys and values of one head; return attention of the NumPy kind."""
    draw = np.random.default_rng(0)
    arrays = draw.normal(size=(3, length, WIDTH)).astype(np.float32)  # (3, length, d_k)
    if part == "NumPy, all at once":
        return lambda: by_hand.scaled_dot_product_attention(*arrays)
    mask = tiled.window(WIDTH) if "window" in part else None
    return lambda: tiled.tiled_attention(*arrays, mask=mask)


# ----------------------------------------------------------------------- multiplications


def multiplications(part: str, direction: str, length: int) -> int:
    """Count the multiplications of the matrix products in a call.

    Backward there are two products for each one forward: the gradients of its two
    factors. Fused heads make their scores once more, since they kept none.
    """
    if part in BATCHES:
        return BATCHES[part] * _cached_step(WIDE, length)
    if part in GROUPS:
        return GROUPED_BATCH * _cached_step(replace(WIDE, key_value_heads=GROUPS[part]), length)
    n, d, d_ff = length, CONFIG.d_model, CONFIG.d_ff
    layers, symbols = CONFIG.decoder_layers, CONFIG.target_vocab_size
    times, scores_again = (1, 0) if direction == FORWARD else (3, n * n * d)
    projections = times * 4 * n * d * d
    feed_forward = times * 2 * n * d * d_ff
    kept = times * 2 * n * n * d  # scores and average
    fused = kept + scores_again
    tiles = tiled.count_blocks(n, n, tiled.window(WIDTH)) if "window" in part else 0
    return {
        "heads kept": kept,
        "heads fused": fused,
        "projections": projections,
        "feed-forward": feed_forward,
        "encoder layer": projections + fused + feed_forward,
        # two gates and a candidate, each from the input and from the state
        "GRU": times * 6 * n * d * d,
        # a mask spares no multiplication: the scores that it hides are made too
        "step without cache": layers * (projections + kept + feed_forward) + n * d * symbols,
        "step with cache": _cached_step(CONFIG, n),
        "NumPy, all at once": 2 * n * n * WIDTH,
        "NumPy, in tiles": 2 * n * n * WIDTH,
        "NumPy, window in tiles": 2 * tiles * 64 * 64 * WIDTH,  # tiles of 64 by 64
    }[part]


def _cached_step(config: TransformerConfig, length: int) -> int:
    """Count those of a step for one text of ``length`` positions, the new one included."""
    d, shared = config.d_model, config.key_value_heads or config.heads
    projections = 2 * d * d + 2 * d * d * shared // config.heads
    layer = projections + 2 * length * d + 2 * d * config.d_ff
    return config.decoder_layers * layer + d * config.target_vocab_size
