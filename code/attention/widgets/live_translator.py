"""A translator in the page: type a sentence, and read it in French (translation: Try it)."""

import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from textwrap import wrap

import numpy as np
from jaxtyping import Float

from attention._arguments import as_integer, check_no_text
from attention._renamed import in_todays_names
from attention.report import require
from attention.widgets._base import WIDTH, Explorable
from attention.widgets.cut_edges import CutEdges

SPECIALS = ("<padding>", "<start>", "<end>")  # their numbers are 0, 1 and 2
# What the script in the page can compute.
POSITIONS = ("sinusoidal", "learned", "none")
# Of a stored weight; a sentence of 12 words has more than a thousand.
DIGITS = 7
# Weights come from float32 models too.
TOLERANCE = 1e-4

Tokens = Sequence[str]


class LiveTranslator(Explorable):
    """A trained translator to try: it runs in the page, and shows what it looked at.

    A reader types a sentence, or takes an example, and picks a French word to see its
    row of the cross-attention. The weights of the model are no part of the notebook:
    the page fetches their file when the first sentence is to be translated. Until then
    it shows the first example as the notebook translated it.

    Parameters
    ----------
    weights : path
        The file that ``attention.transformer.save`` wrote for a ``Transformer``. On the
        book's site the file of this name in ``weights/`` is fetched.
    english, french : sequence of str
        All tokens, each at its number, as ``Vocabulary.tokens`` has them.
    examples : sequence of (English tokens, French tokens)
        Sentences to offer, with the model's translations, all without ``END``.
    attention : (layers, heads, target, source)
        The weights of the cross-attention for the first example, as ``generate.greedy``
        returns them. Both sides end in ``END``: there is a row and a column more than words.
    head : (int, int), optional
        The layer and the head that are shown at first, counted from 0. Default: the
        mean of the last layer's heads.
    word : str, optional
        The French word that is chosen at first. Default: the first.
    experiment : CutEdges, optional
        Edges of the attention that a reader can cut, in any sentence; with it the page
        shows the encoder's self-attention too. Default: nothing can be cut.

    Raises
    ------
    ValueError
        If the file is not that of a translator which the page can compute, or the
        vocabularies, the examples, the weights of the attention, ``head``, ``word`` or
        the experiment do not fit.
    """

    element = "live-translator"

    def __init__(
        self,
        weights: str | Path,
        english: Tokens,
        french: Tokens,
        examples: Sequence[tuple[Tokens, Tokens]],
        attention: Float[np.ndarray, "layers heads target source"],
        head: tuple[int, int] | None = None,
        word: str | None = None,
        experiment: CutEdges | None = None,
    ):
        self.path = Path(weights)
        self.config = _config(self.path)
        for name, words in (("english", english), ("french", french), ("examples", examples)):
            check_no_text(name, words, "words, not a text")
        for text in (text for pair in examples for text in pair):
            check_no_text("examples", text, "words, not a text")
        self.english, self.french = list(english), list(french)
        _check_vocabulary("english", self.english, self.config["source_vocab_size"])
        _check_vocabulary("french", self.french, self.config["target_vocab_size"])
        self.examples = [(list(source), list(target)) for source, target in examples]
        require(len(self.examples) > 0, "examples", "at least one", len(self.examples))
        for i, (source, target) in enumerate(self.examples):
            _check_words(f"examples[{i}][0]", source, self.english)
            _check_words(f"examples[{i}][1]", target, self.french)
        source, target = self.examples[0]
        _check_attention(attention, self.config, source, target)
        self.attention = attention
        if head is not None:
            layers, heads = attention.shape[:2]
            expected = f"a layer below {layers} and a head below {heads}"
            require(len(head) == 2, "head", expected, head)
            head = tuple(as_integer("head", number, expected) for number in head)
            inside = 0 <= head[0] < layers and 0 <= head[1] < heads
            require(inside, "head", expected, head)
        self.head = head
        require(word is None or word in target, "word", f"one of {target}", word)
        self.word = target[0] if word is None else word
        self.experiment = experiment
        if experiment is not None:
            experiment.check(self.config, self.examples, self.french)

    def data(self) -> dict[str, object]:
        """Return what the page needs before and besides the weights."""
        content = self.path.read_bytes()
        layer, head = self.head or (self.config["decoder_layers"] - 1, None)
        return {
            "file": {
                "name": self.path.name,
                "bytes": len(content),
                # No browser is to take the file of another model for this one.
                "version": sha256(content).hexdigest()[:8],
            },
            "english": " ".join(self.english[len(SPECIALS) :]),
            "french": " ".join(self.french[len(SPECIALS) :]),
            "examples": [[" ".join(source), " ".join(target)] for source, target in self.examples],
            "attention": self.attention.astype(float).round(DIGITS).tolist(),
            "layer": layer,
            "head": head,
            "word": self.word,
            **self._experiment(),
        }

    def _experiment(self) -> dict[str, object]:
        return {} if self.experiment is None else {"experiment": self.experiment.data(self.config)}

    def table(self) -> tuple[str, list[str], list[list[str]]]:
        """Return the examples and their translations."""
        # Here, since a page that shows other figures need not load the grammar.
        from attention.corpus import as_text

        rows = [[as_text(source), as_text(target)] for source, target in self.examples]
        return "Sentences and the model's translations", ["English", "French"], rows

    def __repr__(self) -> str:
        # Two sentences side by side are too wide for a terminal.
        caption, _, rows = self.table()
        lines = [caption]
        for english, french in rows:
            lines += wrap(english, WIDTH, subsequent_indent="  ")
            lines += wrap(f"→ {french}", WIDTH, initial_indent="  ", subsequent_indent="    ")
        return "\n".join(lines)


def _config(path: Path) -> dict[str, object]:
    """Read a translator's config from its file, without torch."""
    require(path.is_file(), "weights", "an existing .safetensors file", str(path))
    content = path.read_bytes()
    # The file begins with the length of a JSON text; ours has a checksum and our header.
    length = int.from_bytes(content[:8], "little")
    try:
        metadata = json.loads(content[8 : 8 + length])["__metadata__"]
        header = in_todays_names(json.loads(metadata["header"].partition(" ")[2]))
    except (ValueError, KeyError, TypeError):
        raise ValueError(
            f"weights: expected a file that attention.transformer.save wrote, got {path}"
        ) from None
    kind = header.get("kind")
    require(kind == "transformer", "weights", "the weights of a transformer", kind)
    config = header["config"]
    translates = config["source_vocab_size"] is not None
    require(translates, "weights", "a model that translates", "a language model")
    position, activation = config["position"], config["activation"]
    require(position in POSITIONS, "weights", f"positions among {POSITIONS}", position)
    require(activation == "relu", "weights", "the activation relu", activation)
    return config


def _check_vocabulary(argument: str, tokens: list[str], symbols: int) -> None:
    require(len(tokens) == symbols, argument, f"the model's {symbols} tokens", len(tokens))
    first = tuple(tokens[: len(SPECIALS)])
    require(first == SPECIALS, argument, f"{SPECIALS} and then the words", first)
    # They are stored with blanks between them.
    wrong = [token for token in tokens if token.split() != [token]]
    require(not wrong, argument, "tokens without blanks", wrong)
    twice = sorted({token for token in tokens if tokens.count(token) > 1})
    require(not twice, argument, "no token twice", twice)


def _check_words(argument: str, tokens: list[str], vocabulary: list[str]) -> None:
    require(len(tokens) > 0, argument, "at least one token", tokens)
    unknown = [token for token in tokens if token not in vocabulary[len(SPECIALS) :]]
    require(not unknown, argument, "words of the vocabulary", unknown)


def _check_attention(
    attention: np.ndarray, config: dict, source: list[str], target: list[str]
) -> None:
    floating = isinstance(attention, np.ndarray) and np.issubdtype(attention.dtype, np.floating)
    got = getattr(attention, "dtype", type(attention).__name__)
    require(floating, "attention", "a floating-point NumPy array", str(got))
    # Both sides end in END.
    shape = config["decoder_layers"], config["heads"], len(target) + 1, len(source) + 1
    expected = f"(layers, heads, French tokens + 1, English tokens + 1) = {shape}"
    require(attention.shape == shape, "attention", expected, attention.shape)
    sums = attention.sum(-1, dtype=float)  # (layers, heads, target)
    weights = bool((attention >= 0).all() and (np.abs(sums - 1) <= TOLERANCE).all())
    require(weights, "attention", "rows of weights that sum to 1", "others")
