"""Repeat what stood there before: the task of an induction head (learning: An induction).

A text of random symbols holds one block twice, at random places. Whoever has seen
``c f a`` before and now reads ``c`` should say ``f``. All other symbols differ, so
whoever looks for the symbol before finds it, and the best possible answers are all
right. The gap between the two blocks is drawn afresh for each text, so that counting
back a fixed number of positions does not help.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Integer

from attention._arguments import as_integer, positive_integer, positive_number
from attention._arrays import Array
from attention.by_hand import causal_mask
from attention.gradients import Adam, AttentionOnly, Frame, cross_entropy
from attention.report import require

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BEST = 1.0  # each answer stands in the text, after the only other place of its symbol


@dataclass(frozen=True)
class Induction:
    """What a run is made of.

    Attributes
    ----------
    layers : int
    rate : float
        The largest learning rate: it rises for ``WARM_UP`` steps, then falls to 0.
    seed : int
        For the weights and the texts.
    steps : int
        Updates.
    causal : bool
        Whether a position may see only itself and what came before it.
    scale : bool
        Whether the scores are divided by the square root of ``d_k``.
    tied : bool
        Whether one matrix makes queries and keys.
    d_model, d_k : int
    symbols : int
        At most 26.
    length : int
        Of a text: at least twice the block, at most ``symbols + block``.
    block : int
        Symbols in the block, all different.
    batch : int
        Texts in a step.
    """

    layers: int = 2
    rate: float = 0.02
    seed: int = 0
    steps: int = 300
    causal: bool = True
    scale: bool = True
    tied: bool = False
    d_model: int = 32
    d_k: int = 32
    symbols: int = 24
    length: int = 24
    block: int = 6
    batch: int = 32

    def __post_init__(self):
        numbers = {
            "rate": positive_number("rate", self.rate),
            "seed": as_integer("seed", self.seed),
        }
        for name in ("layers", "steps", "d_model", "d_k", "symbols", "length", "block", "batch"):
            numbers[name] = positive_integer(name, getattr(self, name))
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, whoever made it
        require(self.block >= 2, "block", "at least 2", self.block)
        require(self.symbols <= len(LETTERS), "symbols", f"at most {len(LETTERS)}", self.symbols)
        least, most = 2 * self.block, self.symbols + self.block
        fits = least <= self.length <= most  # there are symbols enough to differ
        require(fits, "length", f"{least} to {most}", self.length)

    def example_tokens(self) -> list[str]:
        """Give the text whose maps the frames show: rows and columns of each map."""
        return [LETTERS[token] for token in example(self).tokens[0]]


@dataclass(frozen=True)
class Texts:
    """Texts, as symbol numbers.

    Attributes
    ----------
    tokens : (batch, length)
    targets : (batch, length)
        The token that comes next; 0 at the end.
    wanted : (batch, length)
        ``True`` in the second block, but for its last symbol: there the next token can
        be known.
    first, second : (batch,)
        Where the two blocks begin.
    """

    tokens: Integer[Array, "batch length"]
    targets: Integer[Array, "batch length"]
    wanted: Bool[Array, "batch length"]
    first: Integer[Array, " batch"]
    second: Integer[Array, " batch"]


def draw_texts(settings: Induction, batch: int, generator: np.random.Generator) -> Texts:
    """Draw fresh texts; no two batches share one except by luck.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer.
    """
    batch = positive_integer("batch", batch)
    symbols, length, block = settings.symbols, settings.length, settings.block
    # Different symbols, as many as the text has without its second block ...
    different = generator.random((batch, symbols)).argsort(1)[:, : length - block]
    # ... and two of the places that are left over, with the first block between them.
    places = np.sort(generator.integers(0, length - 2 * block + 1, (batch, 2)), 1)
    first, second = places[:, :1], places[:, 1:] + block  # (batch, 1)
    position = np.arange(length)  # (length,)
    since = position - second  # (batch, length): from the beginning of the second block
    origin = np.where(since < block, first + since, position - block)
    origin = np.where(since < 0, position, origin)  # (batch, length): into `different`
    tokens = np.take_along_axis(different, origin, 1)  # (batch, length)
    targets = np.concatenate([tokens[:, 1:], np.zeros((batch, 1), tokens.dtype)], 1)
    wanted = (since >= 0) & (since < block - 1)
    return Texts(tokens, targets, wanted, first[:, 0], second[:, 0])


def example(settings: Induction) -> Texts:
    """Give the text that the maps are drawn of, the same for all seeds."""
    return draw_texts(settings, 1, np.random.default_rng(0))


def new_model(settings: Induction, generator: np.random.Generator) -> AttentionOnly:
    """Draw a model that has learned nothing."""
    return AttentionOnly(
        settings.symbols,
        settings.length,
        settings.d_model,
        settings.d_k,
        settings.layers,
        generator,
        scale=None if settings.scale else 1,
        tied=settings.tied,
    )


WARM_UP = 50  # steps


def rate_at(settings: Induction, step: int) -> float:
    """Give the learning rate of an update, counted from 0: up, then down to 0."""
    left = (settings.steps - step) / max(settings.steps - WARM_UP, 1)
    return settings.rate * min((step + 1) / WARM_UP, left)


def train(settings: Induction, every: int = 5) -> Iterator[Frame]:
    """Train a model on fresh texts, and show how far it has come.

    Parameters
    ----------
    settings : Induction
    every : int
        Updates between two frames.

    Yields
    ------
    frame : Frame
        The first one before any update, the last one after the last. ``loss`` and
        ``accuracy`` are means over the texts since the frame before, each measured
        before the model learned from it. ``maps``: "layer 0", "layer 1".

    Raises
    ------
    ValueError
        If ``every`` is not a positive integer.
    """
    every = positive_integer("every", every)
    for _, frame in train_model(settings, every):
        yield frame


def train_model(settings: Induction, every: int) -> Iterator[tuple[AttentionOnly, Frame]]:
    """Train as ``train`` does, and give the model with each frame."""
    generator = np.random.default_rng(settings.seed)
    model = new_model(settings, generator)
    mask = mask_of(settings)
    adam = Adam(settings.rate, betas=(0.9, 0.98))
    losses, right = [], []
    for step in range(settings.steps + 1):
        texts = draw_texts(settings, settings.batch, generator)
        loss, logits, gradients = model.loss_and_gradients(
            texts.tokens, texts.targets, texts.wanted, mask
        )
        losses.append(loss)
        right.append((logits.argmax(-1) == texts.targets)[texts.wanted].mean())
        if step % every == 0 or step == settings.steps:
            loss, accuracy = float(np.mean(losses)), float(np.mean(right))
            yield model, Frame(step, loss, accuracy, BEST, maps_of(settings, model))
            losses, right = [], []
        if step < settings.steps:
            adam.rate = rate_at(settings, step)
            adam.update(model.parameters, gradients)


def maps_of(settings: Induction, model: AttentionOnly) -> dict[str, Float[Array, "length length"]]:
    """Give the weights of each layer on the example."""
    _, maps, _ = model.forward(example(settings).tokens, mask_of(settings))
    return {f"layer {layer}": weights[0] for layer, weights in enumerate(maps)}


def probe(
    model: AttentionOnly, settings: Induction, seed: int = 10_000, batch: int = 200
) -> dict[str, float]:
    """Measure a model on texts that it was not trained on.

    Returns
    -------
    measurements : dict
        ``loss`` (nats) and ``accuracy`` of the answers; ``previous``, the mean weight of
        the first layer on the position before, from the second one on; ``induction``, the
        mean weight of the last layer on the symbol that came after, in the first block,
        where the second block is to be continued.

    Raises
    ------
    ValueError
        If ``seed`` is no integer, or ``batch`` no positive one.
    """
    generator = np.random.default_rng(as_integer("seed", seed))
    texts = draw_texts(settings, positive_integer("batch", batch), generator)
    logits, maps, _ = model.forward(texts.tokens, mask_of(settings))
    right = logits.argmax(-1) == texts.targets  # (batch, length)
    back = np.arange(1, settings.length)
    # From a position in the second block to the one after its double in the first.
    wanted, queries = np.nonzero(texts.wanted)
    keys = queries - (texts.second - texts.first)[wanted] + 1
    return {
        "loss": cross_entropy(logits, texts.targets, texts.wanted),
        "accuracy": float(right[texts.wanted].mean()),
        "previous": float(maps[0][:, back, back - 1].mean()),
        "induction": float(maps[-1][wanted, queries, keys].mean()),
    }


def mask_of(settings: Induction) -> Bool[Array, "length length"] | None:
    """Give the mask of a run; None: each position sees all."""
    return causal_mask(settings.length) if settings.causal else None
