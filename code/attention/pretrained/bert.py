"""BERT in the blocks of the book, with the weights of MiniLM (the package's own).

A BERT (Devlin et al. 2019) is the encoder of 2017 with post-norm, learned positions, GELU,
and an embedding that is not scaled, has a row for the type of the token, and ends in a norm.
"""

import numpy as np

from attention.pretrained import safetensors
from attention.pretrained._weights import Tensors, taken, with_weights
from attention.pretrained.files import path_of
from attention.transformer import TextEncoder, TransformerConfig

# all-MiniLM-L6-v2 (Wang et al. 2020): 22.6 million numbers.
MINILM = TransformerConfig(
    source_vocab_size=30522,
    target_vocab_size=None,
    d_model=384,
    heads=12,
    d_ff=1536,
    encoder_layers=6,
    norm="post",
    position="learned",
    activation="gelu",
    max_length=512,
    norm_eps=1e-12,
    scale_embeddings=False,
    embedding_norm=True,
    token_types=2,
)
# What the parts of a layer, and what stands before the layers, are called here and there.
LAYER = {
    "self_attention.W_Q": "attention.self.query",
    "self_attention.W_K": "attention.self.key",
    "self_attention.W_V": "attention.self.value",
    "self_attention.W_O": "attention.output.dense",
    "around_self_attention.norm": "attention.output.LayerNorm",
    "feed_forward.W_1": "intermediate.dense",
    "feed_forward.W_2": "output.dense",
    "around_feed_forward.norm": "output.LayerNorm",
}
EMBEDDING = {
    "embedding.tokens.weight": "embeddings.word_embeddings.weight",
    "embedding.positions.weight": "embeddings.position_embeddings.weight",
    "embedding.types.weight": "embeddings.token_type_embeddings.weight",
    "embedding.norm.gain": "embeddings.LayerNorm.weight",
    "embedding.norm.bias": "embeddings.LayerNorm.bias",
}


def minilm() -> TextEncoder:
    """Read MiniLM, a small BERT whose vectors are made to tell how alike two sentences are.

    Raises
    ------
    ModelNotHere
        If its files have not been fetched.
    """
    path = path_of("minilm", "model.safetensors")
    tensors, _ = safetensors.read(path)
    return bert_of(tensors, MINILM, str(path))


def bert_of(tensors: Tensors, config: TransformerConfig, source: str = "tensors") -> TextEncoder:
    """Make a BERT of tensors with the names of the library ``transformers``.

    Parameters
    ----------
    tensors : dict of arrays
        What a BERT has after its last layer (a *pooler*) is left out.
    config : TransformerConfig
    source : str
        What an error should call them.

    Raises
    ------
    ValueError
        If one is missing, or has another shape or type than the config's.
    """
    return with_weights(TextEncoder, config, _in_our_names(tensors, config, source), source)


def _in_our_names(
    tensors: Tensors, config: TransformerConfig, source: str
) -> dict[str, np.ndarray]:
    names = dict(EMBEDDING)
    for number in range(config.encoder_layers):
        for ours, theirs in LAYER.items():
            here, there = f"encoder.layers.{number}.{ours}", f"encoder.layer.{number}.{theirs}"
            names[f"{here}.{'gain' if here.endswith('norm') else 'weight'}"] = f"{there}.weight"
            names[f"{here}.bias"] = f"{there}.bias"
    return {ours: taken(tensors, theirs, source) for ours, theirs in names.items()}
