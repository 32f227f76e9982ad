"""Who asks for what: a look-up that is learned in a second (learning: She went to the market).

Sentences such as *She went to the market*. Three of the five words have a question: the
person asks what was done (*went*), the verb asks where to (*market*), and the place asks
who is there (*She*). With equal weights on all words the three would give one and the
same answer. A quarter of all sentences is never trained on, *She went to the market*
among them.

The share of right answers says little about where a model looks: random weights are
never quite equal, and ``W_V`` alone learns to make much of the difference
(``LookUp(frozen=True)``). The loss and the weights themselves tell the two apart.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arguments import as_integer, positive_integer, positive_number
from attention._arrays import Array, Number
from attention.by_hand import scaled_dot_product_attention
from attention.gradients import (
    Adam,
    Frame,
    cross_entropy,
    cross_entropy_gradient,
    linear_gradient,
    self_attention_gradient,
)

PERSONS = ("She", "He", "We", "They")
VERBS = ("went", "ran", "drove", "walked")
PLACES = ("market", "station", "harbour", "school")
WORDS = (*PERSONS, *VERBS, *PLACES, "to", "the")
BEST = 1.0  # each answer stands in the sentence, at the place that its question asks for
# Which word of the sentence each word asks for; None: it has no question.
ASKS_FOR = (1, 4, None, None, 0)


@dataclass(frozen=True)
class LookUp:
    """What a run is made of.

    Attributes
    ----------
    d_k : int
        Width of queries and keys.
    rate : float
        Learning rate.
    seed : int
        For the embeddings and the three matrices.
    scale : bool
        Whether the scores are divided by the square root of ``d_k``.
    tied : bool
        Whether one matrix, ``W_Q``, makes queries and keys.
    mask : bool
        Whether a word may look at all words but itself; without it, at itself, too.
    frozen : bool
        A control: ``W_Q`` and ``W_K`` stay as they were drawn, and ``W_V`` alone is trained.
    steps : int
        Updates.
    d_model : int
        Width of embeddings and values.
    """

    d_k: int = 4
    rate: float = 0.03
    seed: int = 0
    scale: bool = True
    tied: bool = False
    mask: bool = True
    frozen: bool = False
    steps: int = 200
    d_model: int = 16

    def __post_init__(self):
        numbers = {
            "rate": positive_number("rate", self.rate),
            "seed": as_integer("seed", self.seed),
        }
        for name in ("d_k", "steps", "d_model"):
            numbers[name] = positive_integer(name, getattr(self, name))
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, whoever made it

    def example_tokens(self) -> list[str]:
        """Give the sentence whose map the frames show: rows and columns of the map."""
        return [WORDS[word] for word in sentences()[1][0]]


def sentences() -> tuple[Integer[Array, "trained 5"], Integer[Array, "held_out 5"]]:
    """Give all sentences, as word numbers: those to train on, and those held out.

    Any two words of a held-out sentence meet in others that are trained on; all three
    never do.
    """
    trained, held_out = [], []
    to, the = WORDS.index("to"), WORDS.index("the")
    for person, verb, place in product(range(4), repeat=3):
        words = (person, 4 + verb, to, the, 8 + place)
        (trained if (person + verb + place) % 4 else held_out).append(words)
    return np.array(trained), np.array(held_out)


class LookUpModel:
    """One head of attention between fixed embeddings, which also read the answer.

    Attributes
    ----------
    embedding : (words, d_model)
        Drawn once and not trained.
    parameters : dict of arrays
        ``W_Q`` and ``W_K``, both (d_model, d_k), and ``W_V``, (d_model, d_model).
    """

    def __init__(self, settings: LookUp):
        generator = np.random.default_rng(settings.seed)
        d_model, d_k = settings.d_model, settings.d_k

        def normal(rows: int, columns: int) -> Array:
            return generator.normal(size=(rows, columns)) / d_model**0.5

        self.settings = settings
        self.embedding = normal(len(WORDS), d_model)  # rows of length about 1
        self.parameters = {"W_Q": normal(d_model, d_k), "W_K": normal(d_model, d_k)}
        self.parameters["W_V"] = normal(d_model, d_model)
        if settings.tied:
            del self.parameters["W_K"]
        self.mask = ~np.eye(len(ASKS_FOR), dtype=bool) if settings.mask else None
        self.scale: Number | None = None if settings.scale else 1

    def projections(self) -> tuple[Array, Array, Array]:
        """Give ``W_Q``, ``W_K`` and ``W_V``."""
        W_K = self.parameters["W_Q" if self.settings.tied else "W_K"]
        return self.parameters["W_Q"], W_K, self.parameters["W_V"]

    def forward(
        self, words: Integer[Array, "sentences 5"]
    ) -> tuple[
        Float[Array, "sentences 5 words"],
        Float[Array, "sentences 5 5"],
        Float[Array, "sentences 5 d_model"],
    ]:
        """Return logits, attention weights, and the output of attention."""
        x = self.embedding[words]  # (sentences, 5, d_model)
        W_Q, W_K, W_V = self.projections()
        output, weights = scaled_dot_product_attention(
            x @ W_Q, x @ W_K, x @ W_V, self.mask, self.scale
        )  # (sentences, 5, d_model), (sentences, 5, 5)
        return output @ self.embedding.T, weights, output

    def loss_and_gradients(
        self, words: Integer[Array, "sentences 5"]
    ) -> tuple[float, dict[str, Array]]:
        """Return the cross-entropy of the answers (nats), and its gradients."""
        targets, wanted = answers(words)
        logits, _, output = self.forward(words)
        d_logits = cross_entropy_gradient(logits, targets, wanted)
        d_output, _ = linear_gradient(output, self.embedding.T, d_logits)
        _, d_W_Q, d_W_K, d_W_V = self_attention_gradient(
            self.embedding[words], *self.projections(), d_output, self.mask, self.scale
        )
        loss = cross_entropy(logits, targets, wanted)
        if self.settings.tied:
            return loss, {"W_Q": d_W_Q + d_W_K, "W_V": d_W_V}
        return loss, {"W_Q": d_W_Q, "W_K": d_W_K, "W_V": d_W_V}

    def accuracy(self, words: Integer[Array, "sentences 5"]) -> float:
        """Return the share of questions that are answered rightly."""
        targets, wanted = answers(words)
        right = self.forward(words)[0].argmax(-1) == targets
        return float(right[wanted].mean())


def answers(
    words: Integer[Array, "sentences 5"],
) -> tuple[Integer[Array, "sentences 5"], Bool[Array, "sentences 5"]]:
    """Give the word that each word asks for, and whether it has a question."""
    place = np.array([0 if asked is None else asked for asked in ASKS_FOR])
    wanted = np.array([asked is not None for asked in ASKS_FOR])
    return words[:, place], np.broadcast_to(wanted, words.shape)


def train(settings: LookUp, every: int = 5) -> Iterator[Frame]:
    """Train on all sentences that are not held out, and show how far it has come.

    Parameters
    ----------
    settings : LookUp
    every : int
        Updates between two frames.

    Yields
    ------
    frame : Frame
        The first one before any update, the last one after the last. ``loss``: on the
        sentences trained on; ``accuracy``: on those held out; ``maps``: "weights", on
        *She went to the market*.

    Raises
    ------
    ValueError
        If ``every`` is not a positive integer.
    """
    every = positive_integer("every", every)
    for _, frame in train_model(settings, every):
        yield frame


def train_model(settings: LookUp, every: int) -> Iterator[tuple[LookUpModel, Frame]]:
    """Train as ``train`` does, and give the model with each frame."""
    trained, held_out = sentences()
    model, adam = LookUpModel(settings), Adam(settings.rate)
    for step in range(settings.steps + 1):
        loss, gradients = model.loss_and_gradients(trained)
        if step % every == 0 or step == settings.steps:
            maps = {"weights": model.forward(held_out[:1])[1][0]}
            yield model, Frame(step, loss, model.accuracy(held_out), BEST, maps)
        if step < settings.steps:
            names = ["W_V"] if settings.frozen else list(gradients)
            adam.update(
                {name: model.parameters[name] for name in names},
                {name: gradients[name] for name in names},
            )
