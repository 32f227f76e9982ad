"""Weights from a ``.safetensors`` file of whatever origin, as NumPy (the package's own).

``attention.weight_files`` reads those of this book, which have a checksum of ours in them.
"""

from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open

from attention.pretrained._cursor import check_file


def read(path: str | Path) -> tuple[dict[str, np.ndarray], dict]:
    """Read all tensors of a file, and the texts in its header.

    Returns
    -------
    tensors : dict
        By name, in the file's own types.
    metadata : dict
        Of texts.

    Raises
    ------
    ValueError
        If there is no such file, or it is incomplete or of another kind, or has numbers
        of a type that NumPy lacks.
    """
    check_file(path)
    try:
        with safe_open(path, framework="np") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}
            return tensors, dict(file.metadata() or {})
    except (SafetensorError, OSError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a complete .safetensors file ({error})") from error
