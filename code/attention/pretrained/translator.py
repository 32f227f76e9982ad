"""A Marian translator in the blocks of the book, English to Portuguese (the package's own).

From a text to a text: tokens, the model, its shortlist, tokens again.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from attention._arguments import check_no_text
from attention.generate import greedy
from attention.kv_cache import CachedTransformerStepper
from attention.pretrained import marian
from attention.pretrained.files import path_of
from attention.pretrained.marian_model import SHIFT, MarianTranslator, translator_of
from attention.pretrained.shortlist import ShortlistStepper
from attention.pretrained.unigram import Unigram
from attention.report import require
from attention.tokens import END, pad, unpad
from attention.training import device_of


@dataclass(frozen=True)
class Marian:
    """A translator with all that it takes to get from a text to a text.

    Attributes
    ----------
    model : MarianTranslator
    tokenizer : Unigram
        Of both languages.
    shortlist : Shortlist, optional
        If there is one, only its tokens are written.
    """

    model: MarianTranslator
    tokenizer: Unigram
    shortlist: marian.Shortlist | None = None

    def encode(self, text: str) -> list[int]:
        """Turn a text into the book's numbers of its tokens, without ``END``."""
        return [number + SHIFT for number in self.tokenizer.encode(text)]

    def decode(self, tokens: Sequence[int]) -> str:
        """Turn the book's numbers of tokens into a text; ``END`` is left out."""
        return self.tokenizer.decode([token - SHIFT for token in tokens if token > END])

    def stepper(self) -> CachedTransformerStepper | ShortlistStepper:
        """Give ``attention.generate`` what it writes with: with a cache, and the shortlist."""
        cached = CachedTransformerStepper(self.model)
        return cached if self.shortlist is None else ShortlistStepper(cached, self.shortlist, SHIFT)

    def translate(self, sentences: Sequence[str], max_length: int = 200) -> list[str]:
        """Translate sentences, the likeliest token at each step.

        Raises
        ------
        ValueError
            If there is no sentence, or it is one text and not several.
        """
        check_no_text("sentences", sentences, "a sequence of sentences")
        require(len(sentences) > 0, "sentences", "at least one", len(sentences))
        source = pad([self.encode(text) for text in sentences], device_of(self.model))
        return [self.decode(row) for row in unpad(greedy(self.stepper(), source, max_length))]


def english_to_portuguese(shortlist: bool = True) -> Marian:
    """Read the translator; with its shortlist it writes what its own program does.

    Raises
    ------
    ModelNotHere
        If its files have not been fetched.
    """
    path, of_tokens = path_of("marian", "model.bin"), path_of("marian", "shortlist.bin")
    tensors, metadata = marian.read(path)
    return Marian(
        translator_of(tensors, metadata["config"], str(path)),
        Unigram.from_file(path_of("marian", "vocab.spm")),
        marian.read_shortlist(of_tokens) if shortlist else None,
    )
