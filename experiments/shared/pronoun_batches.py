"""Batches of sentences with one *it*, a model's say in them, and rows for what is measured."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from attention import corpus
from attention.training import pad
from attention.transformer import Transformer
from shared.pronoun_sentences import Sentence

BATCH = 125
ENGLISH, FRENCH = corpus.english_vocabulary(), corpus.french_vocabulary()
IL, ELLE = FRENCH.encode(["il", "elle"])


@dataclass(frozen=True)
class Batch:
    """Sentences, their sources, and what of their French comes before the pronoun."""

    sentences: list[Sentence]
    source: Tensor
    target: Tensor

    def __len__(self) -> int:
        return len(self.sentences)

    def edges(self, where: str, queries: str, keys: str) -> Tensor:
        """Mark the edges between two groups of places: (batch, queries, keys), boolean."""
        lengths = {"encoder": self.source, "cross": self.source, "decoder": self.target}
        length = (self.source if where == "encoder" else self.target).shape[1]
        edges = torch.zeros(len(self), length, lengths[where].shape[1], dtype=torch.bool)
        for row, one in zip(edges, self.sentences, strict=True):
            rows = (one.english if where == "encoder" else one.steps)[queries]
            columns = (one.french if where == "decoder" else one.english)[keys]
            for query in rows:
                row[query, [key for key in columns if where != "decoder" or key <= query]] = True
        return edges


def make_batch(
    sentences: list[Sentence],
    english: list[corpus.Pair] | None = None,
    french: list[corpus.Pair] | None = None,
) -> Batch:
    """Make a batch; English or French can be taken from other pairs."""
    own = [one.pair for one in sentences]
    sources = [ENGLISH.encode(pair.english) for pair in english or own]
    # END stands at the pronoun's place: no step reads it.
    targets = [FRENCH.encode(pair.french[: pair.pronouns[0].target]) for pair in french or own]
    return Batch(sentences, pad(sources), pad(targets))


def batches(items: list, of: Callable = lambda item: item) -> Iterator[list]:
    """Cut a list into groups of sentences of like length."""
    ordered = sorted(items, key=lambda item: len(of(item).pair.english))
    for start in range(0, len(ordered), BATCH):
        yield ordered[start : start + BATCH]


def elle_over_il(model: Transformer, batch: Batch) -> Tensor:
    """Return the logit of *elle* minus that of *il*, at the step that writes the pronoun."""
    last = (batch.target != 0).sum(-1) - 1  # (batch,): END is at the pronoun's place
    logits = model(batch.source, batch.target)[torch.arange(len(batch)), last]
    return logits[:, ELLE] - logits[:, IL]  # (batch,)


def right_over_wrong(model: Transformer, batch: Batch) -> Tensor:
    """Return the logit of the right pronoun minus that of the wrong one."""
    return elle_over_il(model, batch) * signs(batch.sentences)


def signs(sentences: list[Sentence]) -> Tensor:
    """Return 1 where the pronoun is *elle*, and -1 where it is *il*."""
    return torch.tensor([1.0 if one.elle else -1.0 for one in sentences])


@dataclass
class Rows:
    """The rows of one model."""

    model: str
    seed: str
    rows: list[dict[str, str]]

    def add(self, measure: str, where: str, split: str, values: Tensor | list) -> None:
        """Note the mean of some values."""
        values = torch.as_tensor(values, dtype=torch.float64)
        if not len(values):
            return
        self.note(measure, where, split, values.mean().item(), len(values))

    def note(self, measure: str, where: str, split: str, value: float, count: int) -> None:
        """Note a value."""
        self.rows.append(
            {
                "model": self.model,
                "seed": self.seed,
                "measure": measure,
                "where": where,
                "split": split,
                "value": f"{round(value, 3) + 0.0:g}",  # never "-0"
                "count": str(count),
            }
        )
