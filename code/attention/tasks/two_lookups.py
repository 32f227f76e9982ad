"""Two look-ups at once: a task for two heads (multi-head: A task for two look-ups).

A sequence holds pairs such as ``k:7 m:2 c:9 ...`` and ends with one question
token that asks for two keys in order, ``m,k:?``. The answer is 2, then 7. It
extends the task of `attention.tasks.recall`. One softmax row can find both pairs, but
what it hands on is one convex combination of their values: 2 and 7, in no order.
The chapter on many heads trains this model with different numbers of them.
"""

import math
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import (
    as_integer,
    nonnegative_integer,
    nonnegative_number,
    positive_integer,
)
from attention.report import require
from attention.training import minimise


@dataclass(frozen=True)
class LookupConfig:
    """What a run of the experiment is made of.

    Attributes
    ----------
    heads : int
        They share ``d_model``: each has ``d_k = d_v = d_model / heads``.
    asked : int
        Keys in the question. 2 is the task of the chapter, 1 its control.
    hidden : int
        Width of a hidden ReLU layer in the read-out; 0 means a linear read-out.
    symbols : int
        Number of key symbols, and of value symbols.
    pairs : int
        Pairs in one sequence; at most ``symbols``.
    d_model : int
        Width of the embeddings, and of all heads together.
    """

    heads: int
    asked: int = 2
    hidden: int = 0
    symbols: int = 64
    pairs: int = 16
    d_model: int = 64

    def __post_init__(self):
        numbers = {}
        for name in ("heads", "asked", "symbols", "pairs", "d_model"):
            number = getattr(self, name)
            numbers[name] = positive_integer(name, number, "an integer, at least 1")
        hidden = nonnegative_integer("hidden", self.hidden, "an integer, at least 0")
        for name, number in (numbers | {"hidden": hidden}).items():
            object.__setattr__(self, name, number)  # Python's own, whoever made it
        require(self.pairs <= self.symbols, "pairs", f"at most {self.symbols}", self.pairs)
        require(self.asked <= self.pairs, "asked", f"at most {self.pairs}", self.asked)
        divides = self.d_model % self.heads == 0
        require(divides, "heads", f"a divisor of d_model = {self.d_model}", self.heads)


@dataclass(frozen=True)
class LookupBatch:
    """A batch of sequences, as symbol numbers.

    Attributes
    ----------
    keys : (batch, pairs)
        Key symbols; within one sequence all differ.
    values : (batch, pairs)
        Value symbols; within one sequence all differ, so that order matters.
    question : (batch, asked)
        The key symbols that are asked for, in order; all differ.
    answer : (batch, asked)
        The value symbols that stood beside them.
    """

    keys: Int[Tensor, "batch pairs"]
    values: Int[Tensor, "batch pairs"]
    question: Int[Tensor, "batch asked"]
    answer: Int[Tensor, "batch asked"]

    def to(self, device: torch.device | str) -> "LookupBatch":
        """Give the batch on a device."""
        return LookupBatch(*(symbols.to(device) for symbols in vars(self).values()))


def lookup_batch(config: LookupConfig, batch: int, generator: torch.Generator) -> LookupBatch:
    """Draw fresh sequences; no two batches share one except by luck.

    They are where the generator is.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    batch = positive_integer("batch", batch)

    def draw(count: int, among: int) -> Int[Tensor, "batch count"]:
        """Draw without repetition in each row."""
        numbers = torch.rand(batch, among, generator=generator, device=generator.device)
        return numbers.argsort(dim=1)[:, :count]

    keys = draw(config.pairs, config.symbols)  # (batch, pairs)
    values = draw(config.pairs, config.symbols)  # (batch, pairs)
    places = draw(config.asked, config.pairs)  # (batch, asked)
    return LookupBatch(keys, values, keys.gather(1, places), values.gather(1, places))


class LookupModel(nn.Module):
    """Multi-head attention from one question token to the pairs, and a read-out.

    The number of parameters does not depend on the number of heads. Weights are
    drawn in float64 from ``generator``, and where it is, so models that differ in
    their heads alone start from the same numbers.
    """

    def __init__(self, config: LookupConfig, generator: torch.Generator):
        super().__init__()
        self.config = config
        d_model, symbols, asked = config.d_model, config.symbols, config.asked

        def normal(*shape: int, variance: float) -> nn.Parameter:
            draw = torch.randn(
                *shape, generator=generator, dtype=torch.float64, device=generator.device
            )
            return nn.Parameter(draw * math.sqrt(variance))

        # A pair is the sum of two embeddings, the question of asked + 1: each
        # symbol has one embedding for every place it can be asked in.
        self.key_embedding = normal(symbols, d_model, variance=1 / 2)
        self.value_embedding = normal(symbols, d_model, variance=1 / 2)
        self.asked_embedding = normal(asked, symbols, d_model, variance=1 / (asked + 1))
        self.question_mark = normal(d_model, variance=1 / (asked + 1))
        self.W_Q, self.W_K, self.W_V, self.W_O = (
            normal(d_model, d_model, variance=1 / d_model) for _ in range(4)
        )
        if config.hidden:
            self.W_hidden = normal(d_model, config.hidden, variance=2 / d_model)
        width = config.hidden or d_model
        self.readout = normal(width, asked * symbols, variance=1 / width)

    def tokens(
        self, batch: LookupBatch
    ) -> tuple[Float[Tensor, "batch 1 d_model"], Float[Tensor, "batch pairs d_model"]]:
        """Embed the question as one token, and each pair as one."""
        places = torch.arange(self.config.asked, device=batch.question.device)  # (asked,)
        asked = self.asked_embedding[places, batch.question]  # (batch, asked, d_model)
        question = asked.sum(dim=1, keepdim=True) + self.question_mark  # (batch, 1, d_model)
        pairs = self.key_embedding[batch.keys] + self.value_embedding[batch.values]
        return question, pairs  # pairs: (batch, pairs, d_model)

    def attend(
        self, batch: LookupBatch
    ) -> tuple[Float[Tensor, "batch 1 d_model"], Float[Tensor, "batch heads 1 pairs"]]:
        """Let each head attend from the question to the pairs, and sum the heads."""
        question, pairs = self.tokens(batch)
        heads = self.config.heads
        split = "batch length (heads width) -> batch heads length width"
        query = rearrange(question @ self.W_Q, split, heads=heads)  # (batch, heads, 1, d_k)
        key = rearrange(pairs @ self.W_K, split, heads=heads)  # (batch, heads, pairs, d_k)
        value = rearrange(pairs @ self.W_V, split, heads=heads)  # (batch, heads, pairs, d_v)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        weights = scores.softmax(dim=-1)  # (batch, heads, 1, pairs)
        merge = "batch heads length width -> batch length (heads width)"
        output = rearrange(weights @ value, merge) @ self.W_O  # (batch, 1, d_model)
        return output, weights

    def answer(
        self, output: Float[Tensor, "batch 1 d_model"]
    ) -> Float[Tensor, "batch asked symbols"]:
        """Read one logit for each place and value symbol out of the attention output."""
        if self.config.hidden:
            output = torch.relu(output @ self.W_hidden)  # (batch, 1, hidden)
        logits = output @ self.readout  # (batch, 1, asked * symbols)
        split = "batch 1 (asked symbols) -> batch asked symbols"
        return rearrange(logits, split, asked=self.config.asked)

    def forward(self, batch: LookupBatch) -> Float[Tensor, "batch asked symbols"]:
        """Return the logits of each answer."""
        output, _ = self.attend(batch)
        return self.answer(output)


def answer_loss(model: LookupModel, batch: LookupBatch) -> Float[Tensor, ""]:
    """Return the cross-entropy of one answer, in nats, averaged over places and batch."""
    logits = model(batch)  # (batch, asked, symbols)
    return F.cross_entropy(logits.flatten(0, 1), batch.answer.flatten())


def train(
    config: LookupConfig, learning_rate: float, seed: int, steps: int = 1000, batch: int = 64
) -> tuple[LookupModel, list[float]]:
    """Train a model with Adam, in float64, on fresh sequences.

    Returns
    -------
    model : LookupModel
    losses : list of float
        ``answer_loss`` of each step's batch before its update, in nats.

    Raises
    ------
    ValueError
        If ``learning_rate``, ``steps`` or ``batch`` is not positive.
    """
    batch = positive_integer("batch", batch, "a positive number")
    generator = torch.Generator().manual_seed(as_integer("seed", seed))
    model = LookupModel(config, generator)

    def draw_loss() -> Tensor:
        return answer_loss(model, lookup_batch(config, batch, generator))

    return model, minimise(draw_loss, model.parameters(), learning_rate, steps)


@torch.no_grad()
def probe(
    model: LookupModel, seed: int = 10_000, batch: int = 2000, noise: float = 0.25
) -> dict[str, float]:
    """Measure a model on sequences that it was not trained on.

    Parameters
    ----------
    model : LookupModel
    seed : int
        For the sequences and the noise.
    batch : int
        Number of sequences.
    noise : float
        Standard deviation of the noise of ``in_order_noisy``, in units of the
        root mean square of the attention output.

    Returns
    -------
    measurements : dict
        ``loss`` of one answer (nats). Shares of the sequences: ``in_order``,
        all answers right; ``as_a_set``, the symbols with the largest summed
        probabilities are the answers, in whatever order; ``right_1``,
        ``right_2``, ..., the answer of one place right; ``in_order_noisy``, as
        ``in_order`` after noise on the attention output. ``weight_1``,
        ``weight_2``, ...: mean weight on the pair asked for in one place, of
        the head that gives it most.

    Raises
    ------
    ValueError
        If ``seed`` is no integer, ``batch`` no positive one, or ``noise`` is negative.
    """
    noise = nonnegative_number("noise", noise)
    generator = torch.Generator().manual_seed(as_integer("seed", seed))
    sequences = lookup_batch(model.config, batch, generator).to(model.W_Q.device)
    output, weights = model.attend(sequences)
    logits = model.answer(output)  # (batch, asked, symbols)
    right = logits.argmax(-1) == sequences.answer  # (batch, asked)
    likely = logits.softmax(-1).sum(1).topk(model.config.asked).indices  # (batch, asked)
    same_set = likely.sort().values == sequences.answer.sort().values  # (batch, asked)
    draw = torch.randn(
        output.shape, generator=generator, dtype=output.dtype, device=generator.device
    ).to(output.device)
    noisy = model.answer(output + noise * output.square().mean().sqrt() * draw)
    measurements = {
        "loss": F.cross_entropy(logits.flatten(0, 1), sequences.answer.flatten()),
        "in_order": right.all(-1).double().mean(),
        "as_a_set": same_set.all(-1).double().mean(),
        "in_order_noisy": (noisy.argmax(-1) == sequences.answer).all(-1).double().mean(),
    }
    for place in range(model.config.asked):
        wanted = sequences.keys == sequences.question[:, place, None]  # (batch, pairs)
        on_wanted = (weights[:, :, 0] * wanted[:, None]).sum(-1)  # (batch, heads)
        measurements[f"right_{place + 1}"] = right[:, place].double().mean()
        measurements[f"weight_{place + 1}"] = on_wanted.mean(0).max()
    return {name: value.item() for name, value in measurements.items()}


@torch.no_grad()
def score_ranks(model: LookupModel) -> Int[Tensor, "asked heads"]:
    """Give the rank of each head's matrix of scores between all symbols.

    Its rows are the symbols asked for in one place, its columns the key
    symbols. A product of (symbols, d_k) and (d_k, symbols) has at most rank d_k.
    """
    heads = model.config.heads
    query = rearrange(model.asked_embedding @ model.W_Q, "a s (h d) -> a h s d", h=heads)
    key = rearrange(model.key_embedding @ model.W_K, "s (h d) -> h d s", h=heads)
    return torch.linalg.matrix_rank(query @ key)  # (asked, heads)
