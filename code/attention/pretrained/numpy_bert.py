"""BERT in NumPy alone, as it runs in the page (family: All 72 heads, and your own sentence).

The encoder of ``attention.pretrained.bert``, with the same weights, made of the functions of
``attention.by_hand``: so it needs no torch. It reads one sentence at a time, without padding.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Float

from attention.by_hand import merge_heads, scaled_dot_product_attention, split_heads
from attention.pretrained import small_weights
from attention.pretrained.small_weights import EightBits
from attention.pretrained.wordpiece import WordPiece
from attention.report import require

WORDS = "embeddings.word_embeddings.weight"
POSITIONS = "embeddings.position_embeddings.weight"
TYPES = "embeddings.token_type_embeddings.weight"
EPS = 1e-12  # of BERT's norms

Vectors = Float[np.ndarray, "length d_model"]
Maps = Float[np.ndarray, "heads length length"]

erf = np.frompyfunc(math.erf, 1, 1)  # NumPy has none


class NumpyBert:
    """A BERT that shows what its heads look at.

    Parameters
    ----------
    tensors : dict
        With the names of the library ``transformers``: arrays, or matrices in eight bits.
        What a BERT has after its last layer (a *pooler*) is left out.
    pieces : sequence of str
        The vocabulary of its tokenizer.
    heads : int
        In each layer.

    Raises
    ------
    ValueError
        If a tensor is missing, or ``pieces`` is not the vocabulary of the embedding.
    """

    def __init__(
        self, tensors: Mapping[str, np.ndarray | EightBits], pieces: Sequence[str], heads: int
    ):
        self.tokenizer = WordPiece(pieces)
        self.heads = heads
        self.layers = sum(name.endswith(".intermediate.dense.weight") for name in tensors)
        expected = names_of_tensors(self.layers)
        missing = [name for name in expected if name not in tensors]
        require(not missing, "tensors", "all tensors of a BERT", f"none called {missing[:1]}")
        # Half of all numbers are here. A sentence needs few of them, so they stay small.
        self.words = tensors[WORDS]
        self.tensors = {name: rows(tensors[name]) for name in expected if name != WORDS}
        known = len(getattr(self.words, "numbers", self.words))
        require(known == len(pieces), "pieces", f"{known}, as in the embedding", len(pieces))

    @classmethod
    def from_file(cls, path: str | Path) -> "NumpyBert":
        """Read weights in eight bits, and the vocabulary that is with them.

        Raises
        ------
        ValueError
            If it is not a complete file of small weights of a BERT.
        """
        small, about = small_weights.read(path)
        return cls(small, about["vocabulary"].split("\n"), int(about["heads"]))

    def look(self, sentence: str) -> tuple[list[str], Float[np.ndarray, "layers heads n n"]]:
        """Read a sentence; return its pieces, with their marks, and what each head looks at.

        Raises
        ------
        ValueError
            If it is no text, or has more pieces than the model has positions.
        """
        tokens = self.tokenizer.encode_sentence(sentence)
        _, weights = self.encode(tokens)
        return [self.tokenizer.pieces[token] for token in tokens], weights

    def encode(
        self, tokens: Sequence[int]
    ) -> tuple[Vectors, Float[np.ndarray, "layers heads n n"]]:
        """Run all layers.

        Parameters
        ----------
        tokens : sequence of int

        Returns
        -------
        vectors : (length, d_model)
        weights : (layers, heads, queries, keys)
        """
        most = len(self.tensors[POSITIONS])
        require(0 < len(tokens) <= most, "tokens", f"1 to {most}", len(tokens))
        x, weights = self.embed(tokens), []  # (length, d_model)
        for number in range(self.layers):
            x, maps = self.layer(x, f"encoder.layer.{number}")
            weights.append(maps)
        return x, np.stack(weights)

    def embed(self, tokens: Sequence[int]) -> Vectors:
        """Add what the tokens are, where they stand, and that they are of the first text."""
        x = rows(self.words, tokens) + self.tensors[POSITIONS][: len(tokens)]
        return self.norm(x + self.tensors[TYPES][0], "embeddings.LayerNorm")

    def layer(self, x: Vectors, name: str) -> tuple[Vectors, Maps]:
        """Run one layer: attention, then the feed-forward layer, a norm behind each sum."""
        query, key, value = (
            split_heads(self.linear(x, f"{name}.attention.self.{part}"), self.heads)
            for part in ("query", "key", "value")
        )  # (heads, length, d_k)
        seen, weights = scaled_dot_product_attention(query, key, value)
        update = self.linear(merge_heads(seen), f"{name}.attention.output.dense")
        x = self.norm(x + update, f"{name}.attention.output.LayerNorm")  # (length, d_model)
        hidden = gelu(self.linear(x, f"{name}.intermediate.dense"))  # (length, d_ff)
        update = self.linear(hidden, f"{name}.output.dense")
        return self.norm(x + update, f"{name}.output.LayerNorm"), weights

    def linear(
        self, x: Float[np.ndarray, "length width"], name: str
    ) -> Float[np.ndarray, "length out"]:
        """Multiply by a matrix, whose rows are what comes out, and add a bias."""
        return x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"]

    def norm(self, x: Vectors, name: str) -> Vectors:
        """Give each row mean 0 and variance 1, then a gain and a bias."""
        centred = x - x.mean(-1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + x.dtype.type(EPS))
        return scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"]


def gelu(x: Float[np.ndarray, "..."]) -> Float[np.ndarray, "..."]:
    """Multiply each number by the probability that a normal one is below it."""
    return x * (1 + erf(x / math.sqrt(2)).astype(x.dtype)) / 2


def rows(matrix: np.ndarray | EightBits, which: object = slice(None)) -> np.ndarray:
    """Take rows of a matrix, or numbers of a vector, out of eight bits where they are in such."""
    return matrix.rows(which) if isinstance(matrix, EightBits) else matrix[which]


def answer(bert: NumpyBert, sentence: str, path: str | Path, longest: int) -> str:
    """Look at a sentence that a reader has typed: what the figure in the page asks for.

    Parameters
    ----------
    bert : NumpyBert
    sentence : str
    path : str or Path
        Gets the weights, float32 (layers, heads, queries, keys), if there are at most so many
        pieces as ``longest``.
    longest : int

    Returns
    -------
    pieces : str
        A list, as JSON.
    """
    tokens = bert.tokenizer.encode_sentence(sentence)
    if len(tokens) <= longest:
        _, weights = bert.encode(tokens)
        weights.astype("<f4").tofile(path)
    return json.dumps([bert.tokenizer.pieces[token] for token in tokens])


def names_of_tensors(layers: int) -> list[str]:
    """List what the tensors of a BERT with so many layers are called."""
    parts = ["embeddings.LayerNorm"]
    for number in range(layers):
        here = f"encoder.layer.{number}"
        parts += [f"{here}.attention.self.{part}" for part in ("query", "key", "value")]
        parts += [f"{here}.attention.output.{part}" for part in ("dense", "LayerNorm")]
        parts += [f"{here}.intermediate.dense"]
        parts += [f"{here}.output.{part}" for part in ("dense", "LayerNorm")]
    both = [f"{part}.{kind}" for part in parts for kind in ("weight", "bias")]
    return [WORDS, POSITIONS, TYPES, *both]
