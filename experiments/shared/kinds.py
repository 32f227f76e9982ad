"""Encoder-only, decoder-only, or both: how each kind is made, and trained on the same sentences.

How they are then asked to do something is in `questions.py`.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention.tokens import END, PADDING, Pair
from attention.training import Batch, Recipe, make_batch, token_loss, translation_loss
from attention.transformer import TextEncoder, TransformerConfig, new_transformer
from shared.one_text import EQUALS, SYMBOLS, before, with_texts
from shared.ready_batches import ReadyBatches

BLANK = SYMBOLS  # the last number of the vocabulary
BLANKED = 0.15  # share of the words, as in BERT
ENCODER, ANY_SHARE = "encoder", "encoder, any share of gaps"
DECODER, BOTH, SEES_AHEAD = "decoder", "encoder-decoder", "encoder, next token"
GAP_FILLERS = (ENCODER, ANY_SHARE)
KINDS = (*GAP_FILLERS, DECODER, BOTH, SEES_AHEAD)

Rows = Int[Tensor, "batch length"]


class WordsFromEncoder(nn.Module):
    """An encoder-only model with logits for each token; their matrix is the embeddings'.

    It has the parameters of a ``LanguageModel`` of as many layers, under other names.

    Parameters
    ----------
    config : TransformerConfig
        Of the ``TextEncoder``.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__()
        self.encoder = TextEncoder(config)
        self.to_logits = nn.Linear(config.d_model, config.source_vocab_size, bias=False)
        self.to_logits.weight = self.encoder.embedding.tokens.weight

    def forward(self, tokens: Rows) -> Float[Tensor, "batch length symbols"]:
        """Say at each place which word stands there, or comes next, as it was trained to."""
        return self.to_logits(self.encoder(tokens))


def new_model(config: TransformerConfig, seed: int) -> nn.Module:
    """Make an untrained model whose weights depend on config and seed alone."""
    if config.target_vocab_size is not None:
        return new_transformer(config, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return WordsFromEncoder(config)


# ------------------------------------------------------------------ what they are trained on


def with_gaps(text: Rows, share: Float[Tensor, "batch 1"], generator: torch.Generator) -> Batch:
    """Blank a share of each row's words, at least one; the target is these, and else padding."""
    words = (text != PADDING) & (text != END) & (text != EQUALS)
    drawn = torch.rand(text.shape, generator=generator).masked_fill(~words, 2)
    gaps = (drawn < share) | (drawn == drawn.amin(1, keepdim=True))
    return Batch(text.masked_fill(gaps, BLANK), text.where(gaps, PADDING))


def with_a_stretch_missing(english: Rows, generator: torch.Generator) -> Batch:
    """Put one gap in the place of some words of each row; the target is these words.

    It may hide one word, or all up to the end: nothing says how many.
    """
    pairs = []
    for row in english.tolist():
        words = row[: row.index(END)]
        first, last = torch.rand(2, generator=generator).tolist()
        start = int(first * len(words))
        stop = start + 1 + int(last * (len(words) - start))
        pairs.append(([*words[:start], BLANK, *words[stop:]], words[start:stop]))
    return make_batch(pairs)


def one_sequence_loss(model: nn.Module, batch: Batch, _: Recipe) -> Tensor:
    """Average the cross-entropy over all places that have a target."""
    return token_loss(model(batch.source), batch.target)


def loss_of(kind: str) -> Callable[[nn.Module, Batch, Recipe], Tensor]:
    """Say what a kind is to make small."""
    return translation_loss if kind == BOTH else one_sequence_loss


class SameSentences(ReadyBatches):
    """What a kind is trained on: at each step the same pairs for all, in turns without French.

    Parameters
    ----------
    kind : str
        Its way of training.
    pairs : sequence of Pair
    size : int
        Pairs in a batch.
    seed : int
    """

    def __init__(self, kind: str, pairs: Sequence[Pair], size: int, seed: int):
        super().__init__(pairs, size, seed)
        self.kind, self.texts = kind, ReadyBatches(with_texts(pairs), size, seed)

    def __getitem__(self, step: int) -> Batch:
        """Make what the kind reads of the pairs of a step, and what it is to answer."""
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * (step + 1))
        with_french = step % 2 == 1
        if self.kind == BOTH:
            pairs = super().__getitem__(step)
            return pairs if with_french else with_a_stretch_missing(pairs.source, generator)
        both = self.texts[step]
        text = both.target if with_french else both.source
        if self.kind not in GAP_FILLERS:
            return Batch(before(text), text)
        share = torch.full((len(text), 1), BLANKED)
        if self.kind == ANY_SHARE:
            share = torch.rand(len(text), 1, generator=generator)
        return with_gaps(text, share, generator)
