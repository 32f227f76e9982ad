"""Filling a model of the book with weights that have other names (the package's own)."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from attention.transformer import TransformerConfig
from attention.weight_files import require_same_make

Kind = TypeVar("Kind", bound=nn.Module)
Tensors = Mapping[str, np.ndarray]


def taken(tensors: Tensors, name: str, source: str) -> np.ndarray:
    """Take a tensor by its name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in tensors:
        raise ValueError(f"{source}: expected a tensor {name}, got none of that name")
    return tensors[name]


def as_tensor(array: np.ndarray) -> Tensor:
    """Make a tensor of an array; they share their numbers if these may be written to."""
    return torch.from_numpy(np.require(array, requirements=["C", "W"]))


def with_weights(
    kind: Callable[[TransformerConfig], Kind],
    config: TransformerConfig,
    weights: Mapping[str, np.ndarray],
    source: str,
) -> Kind:
    """Make a model whose weights are these, under the model's own names.

    Matrices that the config ties are there once, under the first of their names, and are one
    in the model.

    Raises
    ------
    ValueError
        If a weight is missing, or has no place in the model, or another shape or type.
    """
    with torch.device("meta"):  # shapes without memory behind them
        model = kind(config)
    tied = _tied(model)
    given = {name: as_tensor(array) for name, array in weights.items()}
    given |= {other: given[name] for other, name in tied.items() if name in given}
    require_same_make(source, model, given)
    model.load_state_dict(given, assign=True)
    for other, name in tied.items():
        *path, last = other.split(".")
        setattr(model.get_submodule(".".join(path)), last, model.get_parameter(name))
    return model.eval()


def _tied(model: nn.Module) -> dict[str, str]:
    """Find the names of weights that are another one, which has the other name."""
    first: dict[int, str] = {}
    tied = {}
    for name, parameter in model.named_parameters(remove_duplicate=False):
        if id(parameter) in first:
            tied[name] = first[id(parameter)]
        first.setdefault(id(parameter), name)
    return tied
