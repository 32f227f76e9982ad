"""A pair of sentences as one text, "english = french": as numbers, and what a model makes of it."""

from collections.abc import Sequence
from functools import cache

import torch
from jaxtyping import Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention import corpus
from attention.kv_cache import continue_text, likeliest
from attention.tokens import END, PADDING, START, Pair
from attention.training import (
    Batch,
    Recipe,
    decode_all,
    evaluating,
    exact_matches,
    make_batch,
    token_loss,
)
from attention.transformer import LanguageModel

ENGLISH, FRENCH = corpus.english_vocabulary(), corpus.french_vocabulary()
# One vocabulary: the English words keep their numbers, the French ones come after them.
FIRST_FRENCH = len(ENGLISH)
SHIFT = FIRST_FRENCH - (END + 1)
EQUALS = len(FRENCH) + SHIFT
SYMBOLS = EQUALS + 1
LENGTHS = range(5, 13)  # English words of a sentence
TWO_NOUNS = 9  # words, at least, that it takes for two nouns and a pronoun

Rows = Int[Tensor, "batch length"]


def french_numbers(words: Sequence[str]) -> list[int]:
    """Turn French words into numbers of the one vocabulary."""
    return [number + SHIFT for number in FRENCH.encode(words)]


def one_text(english: Sequence[int], french: Sequence[int]) -> list[int]:
    """Write both sentences one after the other, with "=" between them."""
    return [*english, EQUALS, *french]


@cache
def sentences(split: str, count: int, shortest: int = LENGTHS[0]) -> list[corpus.Pair]:
    """Draw the sentences of a split that have as many words as those of training."""
    return corpus.draw_split(split, count, lengths=range(shortest, LENGTHS.stop))


@cache
def pairs(split: str, count: int) -> list[Pair]:
    """Draw the pairs of a split, as numbers of the one vocabulary."""
    return [
        (ENGLISH.encode(pair.english), french_numbers(pair.french))
        for pair in sentences(split, count)
    ]


def with_texts(some: Sequence[Pair]) -> list[Pair]:
    """Give each pair's English, which is a prompt, and its whole text."""
    return [(english, one_text(english, french)) for english, french in some]


# ------------------------------------------------------------------------------- the loss


def before(text: Rows) -> Rows:
    """Say what a model reads at each place where it is to predict the text."""
    return F.pad(text[:, :-1], (1, 0), value=START)


def next_token_loss(model: nn.Module, batch: Batch, _: Recipe) -> Tensor:
    """Average the cross-entropy over all tokens of the texts, ``END`` included, in nats."""
    return token_loss(model(before(batch.target)), batch.target)


def held_out_losses(model: LanguageModel, some: Sequence[Pair]) -> dict[str, float]:
    """Measure the loss of the English and of the French tokens, in nats for each.

    "=" counts as the end of the English.
    """
    batch = make_batch(with_texts(some))
    text = batch.target  # (texts, length)
    with evaluating(model):
        losses = F.cross_entropy(model(before(text)).mT, text, reduction="none")
    place = torch.arange(text.shape[1])  # (length,)
    lengths = (batch.source != PADDING).sum(1, keepdim=True)  # the English, with "="
    parts = {"english_loss": place < lengths, "french_loss": (place >= lengths) & (text != PADDING)}
    return {name: losses[part].mean().item() for name, part in parts.items()}


# ------------------------------------------------------------------------------ what it writes


def prompts(source: Rows) -> tuple[Rows, Int[Tensor, " batch"]]:
    """Make prompts of padded English sentences: ``START``, the words, "="; and their lengths."""
    asked = source.where(source != END, EQUALS)
    return F.pad(asked, (1, 0), value=START), (source != PADDING).sum(1) + 1


def write_french(model: LanguageModel, source: Rows, count: int) -> Rows:
    """Go on after "english =", always with the likeliest token."""
    prompt, lengths = prompts(source)
    text = continue_text(model, prompt, count, likeliest, lengths=lengths)
    place = lengths[:, None] + torch.arange(count)  # (batch, count)
    return text.gather(1, place)


def exact_translations(model: LanguageModel, some: Sequence[Pair]) -> list[bool]:
    """Say of each pair whether the model writes the French word for word, and then ends."""
    sources, targets = zip(*some, strict=True)
    longest = max(map(len, targets)) + 1
    outputs = decode_all(lambda source: write_french(model, source, longest), sources)
    return exact_matches(outputs, targets)


def right_pronouns(model: LanguageModel, some: Sequence[corpus.Pair]) -> list[bool]:
    """Say of each pair whether the model finds the pronoun likelier than the other gender's.

    Given the true words before it, so that other mistakes do not count.
    """
    il, elle = french_numbers(["il", "elle"])
    right = []
    numbers = [(ENGLISH.encode(pair.english), french_numbers(pair.french)) for pair in some]
    with evaluating(model):
        logits = model(before(make_batch(with_texts(numbers)).target))  # (texts, length, symbols)
    for row, pair in zip(logits, some, strict=True):
        (pronoun,) = pair.pronouns
        at = row[len(pair.english) + 1 + pronoun.target]  # (symbols,)
        right.append(bool((at[elle] > at[il]) == (pronoun.translation == "elle")))
    return right
