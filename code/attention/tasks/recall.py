"""Associative recall: the smallest task for attention (scaling: Train it).

A sequence holds pairs such as ``k:7 m:2 c:9 ...`` and ends with a question,
``m:?``. The answer is 2. One attention layer with one head can solve it: the
question is the query, and each pair is a key with its value. The chapter on scaling
trains this model with and without the scale on its scores.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import as_integer, as_real, positive_integer, positive_number
from attention.report import require
from attention.training import minimise


@dataclass(frozen=True)
class RecallConfig:
    """What a run of the recall experiment is made of.

    Attributes
    ----------
    d_k : int
        Width of queries and keys.
    scale : float
        Factor on the scores; the paper's is ``1 / sqrt(d_k)``.
    init_std : float
        Standard deviation of each component of the queries and keys before
        training. 1 is what the derivation of the scale assumes.
    query_factor : float
        Extra factor on the initial ``W_Q`` alone.
    symbols : int
        Number of key symbols, and of value symbols.
    pairs : int
        Pairs in one sequence; at most ``symbols``.
    d_model : int
        Width of the embeddings and of the values.
    """

    d_k: int
    scale: float
    init_std: float = 1.0
    query_factor: float = 1.0
    symbols: int = 64
    pairs: int = 16
    d_model: int = 64

    def __post_init__(self):
        numbers = {}
        for name in ("d_k", "symbols", "pairs", "d_model"):
            number = getattr(self, name)
            numbers[name] = positive_integer(name, number, "an integer, at least 1")
        for name in ("scale", "init_std", "query_factor"):
            numbers[name] = as_real(name, getattr(self, name))
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, whoever made them
        require(self.pairs <= self.symbols, "pairs", f"at most {self.symbols}", self.pairs)


@dataclass(frozen=True)
class RecallBatch:
    """A batch of sequences, as symbol numbers.

    Attributes
    ----------
    keys : (batch, pairs)
        Key symbols; within one sequence all differ.
    values : (batch, pairs)
        Value symbols; they may repeat.
    question : (batch,)
        The key symbol that is asked for.
    answer : (batch,)
        The value symbol that stood beside it.
    """

    keys: Int[Tensor, "batch pairs"]
    values: Int[Tensor, "batch pairs"]
    question: Int[Tensor, " batch"]
    answer: Int[Tensor, " batch"]

    def to(self, device: torch.device | str) -> "RecallBatch":
        """Give the batch on a device."""
        return RecallBatch(*(symbols.to(device) for symbols in vars(self).values()))


def recall_batch(config: RecallConfig, batch: int, generator: torch.Generator) -> RecallBatch:
    """Draw fresh sequences; no two batches share one except by luck.

    They are where the generator is.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    batch = positive_integer("batch", batch)
    drawn = {"generator": generator, "device": generator.device}
    shuffled = torch.rand(batch, config.symbols, **drawn).argsort(dim=1)
    keys = shuffled[:, : config.pairs]  # (batch, pairs): no key twice
    values = torch.randint(config.symbols, (batch, config.pairs), **drawn)
    asked = torch.randint(config.pairs, (batch, 1), **drawn)  # (batch, 1)
    return RecallBatch(
        keys, values, keys.gather(1, asked).squeeze(1), values.gather(1, asked).squeeze(1)
    )


class RecallModel(nn.Module):
    """One head of attention between a question and the pairs, and nothing else.

    Weights are drawn in float64 from ``generator``, and where it is, so that every arm
    of an experiment with the same seed starts from the same numbers.
    """

    def __init__(self, config: RecallConfig, generator: torch.Generator):
        super().__init__()
        self.config = config
        d_model, d_k = config.d_model, config.d_k

        def normal(rows: int, columns: int, std: float) -> nn.Parameter:
            draw = torch.randn(
                rows, columns, generator=generator, dtype=torch.float64, device=generator.device
            )
            return nn.Parameter(draw * std)

        # A token is the sum of two embeddings, together of variance 1. The
        # last row of the second stands for "?".
        self.key_embedding = normal(config.symbols, d_model, 1 / math.sqrt(2))
        self.value_embedding = normal(config.symbols + 1, d_model, 1 / math.sqrt(2))
        one = 1 / math.sqrt(d_model)  # keeps a projection's components at variance 1
        self.W_Q = normal(d_model, d_k, one * config.init_std * config.query_factor)
        self.W_K = normal(d_model, d_k, one * config.init_std)
        self.W_V = normal(d_model, d_model, one)
        self.readout = normal(d_model, config.symbols, one)

    def query_and_key(
        self, batch: RecallBatch
    ) -> tuple[Float[Tensor, "batch 1 d_k"], Float[Tensor, "batch pairs d_k"]]:
        """Project the questions to queries and the pairs to keys."""
        question = self.key_embedding[batch.question] + self.value_embedding[-1]
        query = question[:, None] @ self.W_Q  # (batch, 1, d_k)
        key = self._pairs(batch) @ self.W_K  # (batch, pairs, d_k)
        return query, key

    def scores(self, batch: RecallBatch) -> Float[Tensor, "batch 1 pairs"]:
        """Score each pair against the question."""
        query, key = self.query_and_key(batch)
        return self.config.scale * query @ key.transpose(1, 2)  # (batch, 1, pairs)

    def answer(
        self, batch: RecallBatch, scores: Float[Tensor, "batch 1 pairs"]
    ) -> Float[Tensor, "batch symbols"]:
        """Turn scores into one logit for each value symbol."""
        weights = scores.softmax(dim=-1)  # (batch, 1, pairs)
        output = weights @ (self._pairs(batch) @ self.W_V)  # (batch, 1, d_model)
        return output.squeeze(1) @ self.readout  # (batch, symbols)

    def forward(self, batch: RecallBatch) -> Float[Tensor, "batch symbols"]:
        """Return the logits of the answer."""
        return self.answer(batch, self.scores(batch))

    def _pairs(self, batch: RecallBatch) -> Float[Tensor, "batch pairs d_model"]:
        return self.key_embedding[batch.keys] + self.value_embedding[batch.values]


def train(
    config: RecallConfig,
    learning_rate: float,
    seed: int,
    steps: int = 600,
    batch: int = 64,
    rate_factors: Mapping[str, float] | None = None,
) -> tuple[RecallModel, list[float]]:
    """Train a recall model with Adam, in float64, on fresh sequences.

    Parameters
    ----------
    config : RecallConfig
    learning_rate : float
    seed : int
        Fixes the initial parameters and the sequences, whatever the scale and the rates are.
    steps, batch : int
    rate_factors : mapping, optional
        From the name of a parameter to a factor on its learning rate: ``{"W_Q": 0.25}``.

    Returns
    -------
    model : RecallModel
    losses : list of float
        Cross-entropy of each step's batch before its update, in nats.

    Raises
    ------
    ValueError
        If ``learning_rate``, ``steps``, ``batch`` or a factor is not positive, or
        ``rate_factors`` names no parameter of the model.
    """
    batch = positive_integer("batch", batch, "a positive number")
    generator = torch.Generator().manual_seed(as_integer("seed", seed))
    model = RecallModel(config, generator)
    names = [name for name, _ in model.named_parameters()]
    factors = dict.fromkeys(names, 1.0)
    for name, factor in (rate_factors or {}).items():
        require(name in names, "rate_factors", f"names out of {names}", name)
        factors[name] = positive_number(f"rate_factors[{name!r}]", factor)
    learning_rate = positive_number("learning_rate", learning_rate)
    groups = [
        {"params": [parameter], "lr": factors[name] * learning_rate}
        for name, parameter in model.named_parameters()
    ]

    def draw_loss() -> Tensor:
        sequences = recall_batch(config, batch, generator)
        return F.cross_entropy(model(sequences), sequences.answer)

    return model, minimise(draw_loss, groups, learning_rate, steps)


def probe(model: RecallModel, seed: int = 10_000, batch: int = 1000) -> dict[str, float]:
    """Measure a model on sequences that it was not trained on.

    Returns
    -------
    measurements : dict
        ``loss`` (nats) and ``accuracy`` of the answers; ``score_std``, over
        all scores; ``entropy`` (nats) and ``largest`` weight, means over the
        questions; ``jacobian``, the mean Frobenius norm of the softmax
        Jacobian; ``grad_scores``, the mean norm of the loss gradient at one
        question's scores; ``grad_W_Q``, the norm of the mean loss's gradient
        at ``W_Q``.

    Raises
    ------
    ValueError
        If ``seed`` is no integer, or ``batch`` no positive one.
    """
    batch = positive_integer("batch", batch)
    generator = torch.Generator().manual_seed(as_integer("seed", seed))
    sequences = recall_batch(model.config, batch, generator).to(model.W_Q.device)
    model.zero_grad()
    scores = model.scores(sequences)
    scores.retain_grad()
    logits = model.answer(sequences, scores)
    loss = F.cross_entropy(logits, sequences.answer)
    loss.backward()
    weights = scores.detach().softmax(dim=-1).squeeze(1)  # (batch, pairs)
    jacobian = torch.diag_embed(weights) - weights[:, :, None] * weights[:, None, :]
    measurements = {
        "loss": loss,
        "accuracy": (logits.argmax(-1) == sequences.answer).double().mean(),
        "score_std": scores.std(),
        "entropy": torch.special.entr(weights).sum(-1).mean(),
        "largest": weights.max(-1).values.mean(),
        "jacobian": jacobian.norm(dim=(1, 2)).mean(),
        # The loss is a mean over the batch: undo that for one question's share.
        "grad_scores": scores.grad.norm(dim=-1).mean() * batch,
        "grad_W_Q": model.W_Q.grad.norm(),
    }
    model.zero_grad()
    return {name: value.item() for name, value in measurements.items()}


def steps_to(losses: list[float], threshold: float = 0.5, window: int = 20) -> int | None:
    """Count the steps until the mean loss of the last ``window`` is below a threshold.

    Returns
    -------
    steps : int or None
        ``None`` if the threshold is never reached.

    Raises
    ------
    ValueError
        If ``window`` is not a positive integer, or ``threshold`` no number.
    """
    threshold = as_real("threshold", threshold)
    window = positive_integer("window", window)
    for step in range(window, len(losses) + 1):
        if sum(losses[step - window : step]) / window < threshold:
            return step
    return None
