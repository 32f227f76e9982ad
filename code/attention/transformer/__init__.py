"""The 2017 transformer: config, parts, stacks, models, files (transformer: The whole)."""

from attention.transformer.blocks import DecoderLayer, Embedding, EncoderLayer, Residual
from attention.transformer.config import NORMS, POSITIONS, TransformerConfig
from attention.transformer.files import load, new_transformer, parameters_of, save
from attention.transformer.models import LanguageModel, Transformer, initialise
from attention.transformer.stacks import (
    Decoder,
    Encoder,
    Stack,
    causal_mask,
    length_of,
    positions_in_scores,
)

__all__ = [
    "NORMS",
    "POSITIONS",
    "Decoder",
    "DecoderLayer",
    "Embedding",
    "Encoder",
    "EncoderLayer",
    "LanguageModel",
    "Residual",
    "Stack",
    "Transformer",
    "TransformerConfig",
    "causal_mask",
    "initialise",
    "length_of",
    "load",
    "new_transformer",
    "parameters_of",
    "positions_in_scores",
    "save",
]
