"""BERT, Llama and Marian as plain formulas in NumPy: nothing is shared with the book's blocks.

Each takes tensors under the names that they have in their files, and one text.
"""

import math

import numpy as np

erf = np.vectorize(math.erf, otypes=[float])


def softmax(scores):
    powers = np.exp(scores - scores.max(-1, keepdims=True))
    return powers / powers.sum(-1, keepdims=True)


def layer_norm(x, gain, bias, eps):
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred / np.sqrt((centred**2).mean(-1, keepdims=True) + eps) + bias


def heads_of(rows, heads):
    """Cut (length, width) into (heads, length, width / heads)."""
    return rows.reshape(len(rows), heads, -1).swapaxes(0, 1)


def attend(query, key, value, heads, allowed=True):
    """Return (length, width), and the weights (heads, length, keys)."""
    query, key, value = (heads_of(rows, heads) for rows in (query, key, value))
    scores = query @ key.swapaxes(1, 2) / math.sqrt(query.shape[-1])
    weights = softmax(np.where(allowed, scores, -np.inf))
    return (weights @ value).swapaxes(0, 1).reshape(query.shape[1], -1), weights


def in_float64(tensors):
    def get(name):
        return np.asarray(tensors[name], np.float64)

    return get


def bert(tensors, tokens, layers, heads, eps):
    """Return the hidden states after the embedding and each layer, and each layer's weights."""
    get = in_float64(tensors)

    def linear(x, name):
        return x @ get(f"{name}.weight").T + get(f"{name}.bias")

    def norm(x, name):
        return layer_norm(x, get(f"{name}.weight"), get(f"{name}.bias"), eps)

    start = "embeddings."
    x = get(f"{start}word_embeddings.weight")[tokens]
    x = x + get(f"{start}position_embeddings.weight")[: len(tokens)]
    x = norm(x + get(f"{start}token_type_embeddings.weight")[0], f"{start}LayerNorm")
    states, maps = [x], []
    for number in range(layers):
        here = f"encoder.layer.{number}."
        parts = [linear(x, f"{here}attention.self.{part}") for part in ("query", "key", "value")]
        seen, weights = attend(*parts, heads)
        seen = linear(seen, f"{here}attention.output.dense")
        x = norm(x + seen, f"{here}attention.output.LayerNorm")
        hidden = linear(x, f"{here}intermediate.dense")
        hidden = hidden * (1 + erf(hidden / math.sqrt(2))) / 2
        x = norm(x + linear(hidden, f"{here}output.dense"), f"{here}output.LayerNorm")
        states.append(x)
        maps.append(weights)
    return states, maps


def llama(tensors, metadata, tokens):
    """Return the logits, and each layer's weights."""
    get = in_float64(tensors)
    heads = metadata["llama.attention.head_count"]
    shared = metadata["llama.attention.head_count_kv"]
    eps = metadata["llama.attention.layer_norm_rms_epsilon"]
    base = metadata["llama.rope.freq_base"]

    def norm(x, name):
        return get(name) * x / np.sqrt((x**2).mean(-1, keepdims=True) + eps)

    def rotated(rows, heads):
        # As complex numbers: neighbouring columns are a number's two parts.
        pairs = rows.reshape(len(rows), heads, -1, 2)
        pairs = pairs[..., 0] + 1j * pairs[..., 1]
        frequency = base ** (-np.arange(pairs.shape[-1]) / pairs.shape[-1])
        pairs = pairs * np.exp(1j * np.arange(len(rows))[:, None, None] * frequency)
        return np.stack([pairs.real, pairs.imag], -1).reshape(rows.shape)

    def for_all(rows):
        group = heads // shared
        return heads_of(rows, shared).repeat(group, 0).swapaxes(0, 1).reshape(len(rows), -1)

    x, maps = get("token_embd.weight")[tokens], []
    allowed = np.tri(len(tokens), dtype=bool)
    for number in range(metadata["llama.block_count"]):
        here = f"blk.{number}."
        read = norm(x, f"{here}attn_norm.weight")
        query, key, value = (read @ get(f"{here}attn_{part}.weight").T for part in "qkv")
        query, key = rotated(query, heads), for_all(rotated(key, shared))
        seen, weights = attend(query, key, for_all(value), heads, allowed)
        x = x + seen @ get(f"{here}attn_output.weight").T
        read = norm(x, f"{here}ffn_norm.weight")
        gate, up = (read @ get(f"{here}ffn_{part}.weight").T for part in ("gate", "up"))
        x = x + gate / (1 + np.exp(-gate)) * up @ get(f"{here}ffn_down.weight").T
        maps.append(weights)
    last = "output.weight" if "output.weight" in tensors else "token_embd.weight"
    return norm(x, "output_norm.weight") @ get(last).T, maps


def marian(tensors, settings, source, target):
    """Return the logits for each token of a target, and the decoder's weights on the source.

    The numbers are Marian's. The source ends in ``</s>``.
    """
    get = in_float64(tensors)
    heads = int(settings["transformer-heads"])
    rows = get("Wemb")
    width = rows.shape[1]

    def embedded(vectors):
        steps = width // 2
        frequency = 10_000 ** (-np.arange(steps) / (steps - 1))
        angle = np.arange(len(vectors))[:, None] * frequency
        return vectors * math.sqrt(width) + np.concatenate([np.sin(angle), np.cos(angle)], 1)

    def norm(x, name):
        return layer_norm(x, get(f"{name}_ln_scale")[0], get(f"{name}_ln_bias")[0], 1e-6)

    def look(x, memory, name):
        query = x @ get(f"{name}_Wq") + get(f"{name}_bq")
        key, value = (memory @ get(f"{name}_W{part}") + get(f"{name}_b{part}") for part in "kv")
        seen, weights = attend(query, key, value, heads)
        return norm(x + seen @ get(f"{name}_Wo") + get(f"{name}_bo"), f"{name}_Wo"), weights

    def work(x, name):
        hidden = np.maximum(x @ get(f"{name}_W1") + get(f"{name}_b1"), 0)
        return norm(x + hidden @ get(f"{name}_W2") + get(f"{name}_b2"), f"{name}_ffn")

    memory = embedded(rows[source])
    for number in range(1, int(settings["enc-depth"]) + 1):
        memory, _ = look(memory, memory, f"encoder_l{number}_self")
        memory = work(memory, f"encoder_l{number}_ffn")
    x = embedded(np.concatenate([np.zeros((1, width)), rows[target[:-1]]]))
    maps = []
    for number in range(1, int(settings["dec-depth"]) + 1):
        here = f"decoder_l{number}"
        forget = 1 / (1 + np.exp(-(x @ get(f"{here}_rnn_Wf") + get(f"{here}_rnn_bf"))))
        new, cell, cells = x @ get(f"{here}_rnn_W"), np.zeros(width), []
        for share, update in zip(forget, new, strict=True):
            cell = share * cell + (1 - share) * update
            cells.append(cell)
        x = norm(x + np.maximum(cells, 0), f"{here}_rnn_ffn")
        x, weights = look(x, memory, f"{here}_context")
        x = work(x, f"{here}_ffn")
        maps.append(weights)
    return x @ rows.T + get("decoder_ff_logit_out_b"), maps
