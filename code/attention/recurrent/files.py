"""Models in files: weights, and the config (bottleneck: Two networks and one vector)."""

from dataclasses import asdict
from pathlib import Path

from attention._arguments import unwrapped
from attention.recurrent.config import RecurrentConfig
from attention.recurrent.translator import Translator, new_translator
from attention.report import require
from attention.weight_files import load_weights, read_tensors, save_weights


def save(path: str | Path, model: Translator) -> None:
    """Write a model's weights and config to a ``.safetensors`` file."""
    model = unwrapped(model)
    save_weights(path, model, {"kind": "translator", "config": asdict(model.config)})


def load(path: str | Path) -> Translator:
    """Make the model that ``save`` wrote.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it holds something else.
    """
    _, header = read_tensors(path)
    kind = header.get("kind")
    require(kind == "translator", str(path), "the weights of a translator", kind)
    model = new_translator(RecurrentConfig(**header["config"]), seed=0)
    load_weights(path, model)
    return model
