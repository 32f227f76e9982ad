"""Making transformers, counting, keeping them in files (transformer: Count the param)."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch
from torch import nn

from attention._arguments import unwrapped
from attention.report import require
from attention.transformer.config import TransformerConfig
from attention.transformer.models import LanguageModel, TextEncoder, Transformer
from attention.weight_files import load_weights, read_tensors, save_weights

Model = Transformer | LanguageModel | TextEncoder


def new_transformer(config: TransformerConfig, seed: int) -> Model:
    """Make an untrained model whose weights depend on config and seed alone.

    Without a source it is a ``LanguageModel``, without a target a ``TextEncoder``.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return _kind(config)(config)


def parameters_of(config: TransformerConfig) -> int:
    """Count the numbers that training would adjust, each shared matrix once."""
    with torch.device("meta"):  # shapes without memory behind them
        return sum(parameter.numel() for parameter in _kind(config)(config).parameters())


def save(path: str | Path, model: Model) -> None:
    """Write a model's weights and config to a ``.safetensors`` file."""
    model = unwrapped(model)
    save_weights(path, model, {"kind": "transformer", "config": asdict(model.config)})


def load(path: str | Path) -> Model:
    """Make the model that ``save`` wrote.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it holds something else.
    """
    _, header = read_tensors(path)
    kind = header.get("kind")
    require(kind == "transformer", str(path), "the weights of a transformer", kind)
    model = new_transformer(TransformerConfig(**header["config"]), seed=0)
    load_weights(path, model)
    return model


def _kind(config: TransformerConfig) -> Callable[[TransformerConfig], nn.Module]:
    if config.target_vocab_size is None:
        return TextEncoder
    return LanguageModel if config.source_vocab_size is None else Transformer
