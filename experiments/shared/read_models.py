"""Models that others have trained, with what cuts their texts: each is read once."""

from functools import cache

from torch import nn

from attention.pretrained import bert, byte_pairs, gguf, llama, translator, wordpiece
from attention.pretrained.files import path_of


@cache
def smollm2() -> tuple[nn.Module, byte_pairs.BytePairs]:
    """Read the Llama and what cuts its texts."""
    metadata = gguf.read_metadata(path_of("smollm2", "model.gguf"))
    return llama.smollm2(), byte_pairs.BytePairs.from_metadata(metadata)


@cache
def minilm() -> tuple[nn.Module, wordpiece.WordPiece]:
    """Read the BERT and what cuts its texts."""
    return bert.minilm(), wordpiece.WordPiece.from_file(path_of("minilm", "vocab.txt"))


@cache
def marian() -> translator.Marian:
    """Read the translator."""
    return translator.english_to_portuguese()
