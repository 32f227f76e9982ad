"""Files of weights: whole or not at all, checked when read (transformer: The whole model).

A ``.safetensors`` file holds numbers and strings, and no code that reading it could
run (a pickle does). Ours has one string: a checksum, a blank, and a JSON text. The
checksum is of that text and of all numbers, so that no changed bit goes unseen.
"""

import hashlib
import json
import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from attention._arguments import unwrapped
from attention._renamed import in_todays_names
from attention._tensors import describe
from attention.report import require


def write_tensors(path: str | Path, tensors: dict[str, Tensor], header: dict) -> None:
    """Write named tensors and a JSON header to a ``.safetensors`` file.

    The file appears under its name when it is complete: a run that is killed
    while it saves leaves the old file as it was. Equal contents make equal files.
    """
    text = json.dumps(header, sort_keys=True)
    # Copies, since two names may share one memory (tied weights), which the format forbids.
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    unfinished = Path(f"{path}.unfinished")
    save_file(tensors, unfinished, {"header": f"{digest(tensors, text)} {text}"})
    os.replace(unfinished, path)


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read what ``write_tensors`` wrote.

    Returns
    -------
    tensors : dict
    header : dict

    Raises
    ------
    ValueError
        If there is no such file, it is not from ``write_tensors``, or it has
        been cut short or changed since.
    """
    require(Path(path).is_file(), "path", "an existing .safetensors file", str(path))
    try:
        with safe_open(path, framework="pt") as file:
            stored = (file.metadata() or {}).get("header", "")
            # Copies: what safe_open gives is the file itself, wherever it goes from now on.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except (SafetensorError, OSError, KeyError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{path}: not a complete .safetensors file ({error})") from error
    checksum, _, text = stored.partition(" ")
    if not text:
        raise ValueError(f"{path}: no checksum in it, so not written by this book's write_tensors")
    if digest(tensors, text) != checksum:
        raise ValueError(f"{path}: the checksum is wrong, so the file has been changed or damaged")
    return tensors, in_todays_names(json.loads(text))


def save_weights(path: str | Path, model: nn.Module, header: dict) -> None:
    """Write a model's weights, with whatever the header should tell about them.

    They have the model's own names, whatever wrapper it is in.
    """
    write_tensors(path, unwrapped(model).state_dict(), header)


def load_weights(path: str | Path, model: nn.Module) -> dict:
    """Read weights into a model of the same make.

    Returns
    -------
    header : dict

    Raises
    ------
    ValueError
        If the file cannot be read (see ``read_tensors``), or its weights have
        other names, shapes or types than the model's.
    """
    weights, header = read_tensors(path)
    model = unwrapped(model)
    require_same_make(path, model, weights)
    model.load_state_dict(weights)
    return header


def with_prefix(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """Take the tensors whose names have a prefix, which their new names lack."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def require_same_make(path: str | Path, model: nn.Module, weights: dict[str, Tensor]) -> None:
    """Refuse weights whose names, shapes or types are not the model's, as ``load_weights``."""

    def make(tensors: dict[str, Tensor]) -> dict[str, str]:
        return {name: describe(tensor) for name, tensor in tensors.items()}

    expected, found = make(model.state_dict()), make(weights)
    for name in sorted(expected.keys() | found.keys()):
        wanted, came = expected.get(name, "nothing"), found.get(name, "nothing")
        if wanted != came:
            raise ValueError(f"{path}: expected {wanted} for the model's {name}, got {came}")


def digest(tensors: dict[str, Tensor], text: str) -> str:
    """Compute a checksum of a text and of named tensors: names, types, shapes, numbers."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()
