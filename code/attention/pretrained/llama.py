"""Llama in the blocks of the book, with the weights of SmolLM2 (the package's own).

A Llama (Touvron et al. 2023) is a language model with pre-norm whose norms are RMSNorms,
whose feed-forward layers have a gate (SwiGLU), whose positions are rotary, and which has no
biases and no scaled embeddings. In later ones heads share keys and values.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from attention.pretrained import gguf
from attention.pretrained._weights import Tensors, taken, with_weights
from attention.pretrained.files import path_of
from attention.report import require
from attention.transformer import LanguageModel, TransformerConfig

# What the parts of a layer are called here and in a GGUF file. Its queries and keys are
# ordered so that neighbouring columns rotate together, as they do here by default.
LAYER = {
    "around_self_attention.norm.gain": "attn_norm.weight",
    "self_attention.W_Q.weight": "attn_q.weight",
    "self_attention.W_K.weight": "attn_k.weight",
    "self_attention.W_V.weight": "attn_v.weight",
    "self_attention.W_O.weight": "attn_output.weight",
    "around_feed_forward.norm.gain": "ffn_norm.weight",
    "feed_forward.W_1.weight": "ffn_gate.weight",
    "feed_forward.W_2.weight": "ffn_down.weight",
    "feed_forward.W_3.weight": "ffn_up.weight",
}
AROUND = {
    "embedding.tokens.weight": "token_embd.weight",
    "decoder.norm.gain": "output_norm.weight",
}
LOGITS = "output.weight"  # not there if the logits are tied to the embeddings


def smollm2() -> LanguageModel:
    """Read SmolLM2-135M-Instruct (Ben Allal et al. 2025), a Llama that answers questions.

    Its weights are stored in four bits, and become float32.

    Raises
    ------
    ModelNotHere
        If its file has not been fetched.
    """
    return read_llama(path_of("smollm2", "model.gguf"))


def read_llama(path: str | Path) -> LanguageModel:
    """Read a Llama from a GGUF file: see ``llama_of``."""
    tensors, metadata = gguf.read(path)
    return llama_of(tensors, metadata, str(path))


def llama_of(
    tensors: Tensors, metadata: Mapping[str, Any], source: str = "tensors"
) -> LanguageModel:
    """Make a Llama of the tensors and settings of a GGUF file.

    Raises
    ------
    ValueError
        If it is another kind of model, rotates only a part of each head, or a tensor is
        missing or has another shape than the settings say.
    """
    config = config_of(tensors, metadata, source)
    names = dict(AROUND)
    if not config.tie_logits:
        names["to_logits.weight"] = LOGITS
    for number in range(config.decoder_layers):
        for ours, theirs in LAYER.items():
            names[f"decoder.layers.{number}.{ours}"] = f"blk.{number}.{theirs}"
    weights = {ours: taken(tensors, theirs, source) for ours, theirs in names.items()}
    return with_weights(LanguageModel, config, weights, source)


def config_of(
    tensors: Tensors, metadata: Mapping[str, Any], source: str = "tensors"
) -> TransformerConfig:
    """Say in the settings of the book what the settings of a GGUF file say of a Llama.

    Raises
    ------
    ValueError
        If it is another kind of model, a setting is missing, or it rotates only a part of
        each head.
    """
    kind = metadata.get("general.architecture")
    require(kind == "llama", source, "a model of the architecture 'llama'", kind)

    def setting(name: str) -> Any:
        there = f"llama.{name}"
        require(there in metadata, source, f"a setting {there}", "none of that name")
        return metadata[there]

    config = TransformerConfig(
        source_vocab_size=None,
        target_vocab_size=len(taken(tensors, AROUND["embedding.tokens.weight"], source)),
        d_model=setting("embedding_length"),
        heads=setting("attention.head_count"),
        d_ff=setting("feed_forward_length"),
        decoder_layers=setting("block_count"),
        norm="pre",
        position="rotary",
        activation="swiglu",
        tie_logits=LOGITS not in tensors,
        key_value_heads=setting("attention.head_count_kv"),
        norm_kind="rms",
        norm_eps=setting("attention.layer_norm_rms_epsilon"),
        bias=False,
        position_base=metadata.get("llama.rope.freq_base", 10_000.0),
        position_pairs="adjacent",
        scale_embeddings=False,
    )
    d_k = config.d_model // config.heads
    rotated = metadata.get("llama.rope.dimension_count", d_k)
    require(rotated == d_k, source, f"heads that rotate all {d_k} columns", rotated)
    return config
