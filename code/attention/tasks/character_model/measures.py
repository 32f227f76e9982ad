"""What a character model is worth: its losses, its text (masking: A model that reads)."""

import math
import re
from functools import cache

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import functional as F

from attention._arguments import nonnegative_integer
from attention.report import require
from attention.tasks.character_model.model import CharacterModel
from attention.tasks.character_model.text import CONTEXT, SYMBOLS, corpus, decode, encode
from attention.training import device_of


@torch.no_grad()
def held_out_loss(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> float:
    """Compute the loss over whole windows at once, as a training loop reports it.

    Every position sees the true text, as far as the model's mask lets it
    (*teacher forcing*).

    Returns
    -------
    loss : float
        Mean cross-entropy, in nats for each character; its exponential is the
        perplexity.
    """
    total = sum(
        F.cross_entropy(model(some).flatten(0, 1), wanted.flatten(), reduction="sum").item()
        for some, wanted in zip(inputs.split(128), targets.split(128), strict=True)
    )
    return total / targets.numel()


@torch.no_grad()
def honest_losses(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> Float[Tensor, " length"]:
    """Compute the loss of each next character when there is nothing but the past.

    The model is given the first character of each window, then the first two,
    and so on, and is judged by its last position alone. No mask is needed to
    hide the future: it is not there, as it is not when text is generated. A
    causal model gives the same numbers in one pass over the windows.

    Returns
    -------
    losses : (length,)
        Mean cross-entropy over the windows, in nats; entry i with i + 1
        characters given.
    """
    return torch.stack(
        [
            F.cross_entropy(model(inputs[:, : i + 1])[:, -1], targets[:, i])
            for i in range(inputs.shape[1])
        ]
    )


def honest_loss(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> float:
    """Average ``honest_losses`` over the number of characters given, in nats."""
    return honest_losses(model, inputs, targets).mean().item()


def perplexity(loss: float) -> float:
    """Turn a loss in nats into the number of equally likely characters it is worth."""
    return math.exp(loss)


@torch.no_grad()
def changes_with_the_future(model: CharacterModel, length: int = CONTEXT) -> float:
    """Change one input at a time; return the largest change of any logit before it.

    Anything but zero means that the model reads ahead.
    """
    device = device_of(model)
    text = torch.arange(length, device=device) % SYMBOLS  # (length,)
    # (length, length): row j has another symbol at place j alone
    one_place = torch.eye(length, dtype=torch.long, device=device)
    changed = (text + one_place) % SYMBOLS
    # as often as that, since another batch size may round otherwise
    old = text.expand_as(changed)  # (length, length)
    change = model(changed) - model(old)  # (changed at, read at, SYMBOLS)
    return change.abs().amax(-1).tril(-1).max().item()


@torch.no_grad()
def generate(model: CharacterModel, prompt: str, length: int, generator: torch.Generator) -> str:
    """Draw one character after the other from the model's own distribution.

    Returns
    -------
    text : str
        The ``length`` new characters, without the prompt.

    Raises
    ------
    ValueError
        If the prompt is empty or ``length`` is negative.
    """
    require(len(prompt) > 0, "prompt", "at least one character", prompt)
    length = nonnegative_integer("length", length)
    symbols = encode(prompt).to(device_of(model))
    for _ in range(length):
        logits = model(symbols[-CONTEXT:])[-1]  # (SYMBOLS,)
        p = logits.softmax(-1).to(generator.device)  # (SYMBOLS,)
        drawn = torch.multinomial(p, 1, generator=generator)  # (1,)
        symbols = torch.cat([symbols, drawn.to(symbols.device)])
    return decode(symbols[len(prompt) :])


def _words(text: str) -> list[str]:
    return [word.lower() for word in re.findall("[A-Za-z]+", text) if len(word) >= 4]


def words_known(text: str) -> float:
    """Compute the share of words of at least 4 letters that occur in the corpus.

    Returns
    -------
    share : float
        From 0 to 1; 0 if the text has no such word.
    """
    words, known = _words(text), _corpus_words()
    return sum(word in known for word in words) / max(len(words), 1)


@cache
def _corpus_words() -> frozenset[str]:
    return frozenset(_words(corpus()))
