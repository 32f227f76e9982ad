"""MiniLM made small for the page (family: All 72 heads, and your own sentence).

The build of the site calls ``write_small_minilm`` where ``make models`` has fetched the model;
the page then fetches that file alone. ``numpy_bert`` reads it.
"""

from pathlib import Path

from attention.pretrained import catalogue, numpy_bert, safetensors, small_weights
from attention.pretrained.files import path_of

MODEL = "minilm"
WEIGHTS = "model.safetensors"
LAYERS, HEADS = 6, 12


def tensors_and_pieces() -> tuple[dict, list[str]]:
    """Read the tensors that a sentence needs, with their own names, and the vocabulary.

    Raises
    ------
    ModelNotHere
        If its files have not been fetched.
    """
    tensors, _ = safetensors.read(path_of(MODEL, WEIGHTS))
    lines = path_of(MODEL, "vocab.txt").read_text(encoding="utf-8").removesuffix("\n")
    names = numpy_bert.names_of_tensors(LAYERS)
    return {name: tensors[name] for name in names}, lines.split("\n")


def write_small_minilm(path: str | Path) -> None:
    """Write MiniLM in eight bits, with its vocabulary, its licence and where it is from.

    The same bytes come out each time.

    Raises
    ------
    ModelNotHere
        If its files have not been fetched.
    """
    tensors, pieces = tensors_and_pieces()
    model = catalogue.MODELS[MODEL]
    (original,) = (file for file in model.files if file.name == WEIGHTS)
    about = {
        "title": model.title,
        "licence": model.licence,
        "source": model.source,
        "made from": f"{original.upstream}, SHA-256 {original.sha256}",
        "changes": "without the pooler; matrices in eight bits, a float16 scale for each 32",
        "heads": str(HEADS),
        "vocabulary": "\n".join(pieces),
    }
    small_weights.write(path, small_weights.made_small(tensors), about)
