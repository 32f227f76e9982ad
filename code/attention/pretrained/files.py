"""The files of the models: where they are, and whether they are whole (the package's own).

``make models`` puts them into ``models/`` at the root of the book, or where the environment
variable ``ATTENTION_MODELS`` says. ``catalogue`` has the SHA-256 of each.
"""

import hashlib
import os
from functools import lru_cache
from pathlib import Path

from attention.pretrained.catalogue import MODELS, WeightFile
from attention.report import require

FOLDER = Path(__file__).resolve().parents[3] / "models"
CHUNK = 1 << 20  # bytes that are read at once


class ModelNotHere(FileNotFoundError):
    """The files of a model have not been fetched: the message says how to do it."""


def folder() -> Path:
    """Return where the models lie, or should."""
    return Path(os.environ.get("ATTENTION_MODELS") or FOLDER)


def path_of(model: str, file: str) -> Path:
    """Find a file of a model and check its bytes, once in a run of Python.

    Parameters
    ----------
    model : str
        ``"minilm"``, ``"smollm2"`` or ``"marian"``.
    file : str
        As in ``catalogue.MODELS``.

    Raises
    ------
    ValueError
        If there is no such model or file, or its bytes are others than it should have.
    ModelNotHere
        If it has not been fetched.
    """
    path, listed = _place(model, file)
    if not path.is_file():
        raise ModelNotHere(
            f"{path} is not there: `make models` fetches it ({MODELS[model].title}, "
            f"{listed.size / 1e6:.0f} MB, {MODELS[model].licence})"
        )
    fault = fault_of(path, listed)
    require(not fault, str(path), f"{listed.name} of {model}; `make models` fetches it", fault)
    return path


def is_here(model: str) -> bool:
    """Tell whether all files of a model are there, with the right number of bytes."""
    _known(model)
    places = (_place(model, file.name) for file in MODELS[model].files)
    return all(path.is_file() and path.stat().st_size == file.size for path, file in places)


def fault_of(path: Path, file: WeightFile) -> str:
    """Say what is wrong with the bytes of a file, or nothing."""
    status = path.stat()
    if status.st_size != file.size:
        return f"{status.st_size} bytes instead of {file.size}"
    found = _sha256(path, status.st_size, status.st_mtime_ns)
    return "" if found == file.sha256 else f"SHA-256 {found} instead of {file.sha256}"


def _place(model: str, file: str) -> tuple[Path, WeightFile]:
    _known(model)
    listed = {one.name: one for one in MODELS[model].files}
    require(file in listed, "file", f"one of {', '.join(listed)}", file)
    return folder() / model / file, listed[file]


def _known(model: str) -> None:
    require(model in MODELS, "model", f"one of {', '.join(MODELS)}", model)


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed: int) -> str:
    """Compute the SHA-256 of a file anew if its size or its time has changed."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
