"""The 2017 transformer: config, parts, stacks, models, files (transformer: The whole)."""

from attention.transformer.blocks import DecoderLayer, Embedding, EncoderLayer, Residual
from attention.transformer.config import (
    ACTIVATIONS,
    NORM_KINDS,
    NORMS,
    POSITIONS,
    TransformerConfig,
)
from attention.transformer.files import load, new_transformer, parameters_of, save
from attention.transformer.models import LanguageModel, TextEncoder, Transformer, initialise
from attention.transformer.parts import new_attention, new_feed_forward, new_norm
from attention.transformer.stacks import (
    Decoder,
    Encoder,
    Stack,
    causal_mask,
    length_of,
    positions_in_scores,
)

__all__ = [
    "ACTIVATIONS",
    "NORMS",
    "NORM_KINDS",
    "POSITIONS",
    "Decoder",
    "DecoderLayer",
    "Embedding",
    "Encoder",
    "EncoderLayer",
    "LanguageModel",
    "Residual",
    "Stack",
    "TextEncoder",
    "Transformer",
    "TransformerConfig",
    "causal_mask",
    "initialise",
    "length_of",
    "load",
    "new_attention",
    "new_feed_forward",
    "new_norm",
    "new_transformer",
    "parameters_of",
    "positions_in_scores",
    "save",
]
