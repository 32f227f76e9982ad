"""Writing one token at a time, whichever is chosen (translation: Habits of training)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

from attention._arguments import positive_integer, unwrapped
from attention.generate.probabilities import LogP, log_probabilities
from attention.generate.steppers import (
    Model,
    Source,
    Token,
    Tokens,
    check_device,
    most_tokens,
    start,
    stepper_for,
)
from attention.interventions import cross_weights
from attention.tokens import END, PADDING, START
from attention.training import evaluating
from attention.transformer import Transformer


def write(model: Model, source: Source, choose: Callable[[LogP], Token], max_length: int) -> Tokens:
    """Let ``choose`` take a token at each step, until every sentence has ended.

    Parameters
    ----------
    model : Translator, Transformer or Stepper
        Its dropout is off meanwhile.
    source : (batch, source_length)
    choose : callable
        From log-probabilities (batch, symbols) to tokens (batch,). It is called for
        ended sentences too, as long as others go on.
    max_length : int
        Where a sentence is cut off, its ``END`` counted. It is cut off earlier where a
        model has no more positions.

    Returns
    -------
    tokens : (batch, length)
        Each row ends in ``END``, then ``PADDING``; a sentence that was cut off has no
        ``END``.

    Raises
    ------
    ValueError
        If ``max_length`` is not a positive integer, the source is not where the model
        is, or the model refuses it.
    """
    max_length = positive_integer("max_length", max_length)
    stepper = stepper_for(model)
    with evaluating(stepper.model):
        state = start(stepper, source)
        token = source.new_full((len(source),), START)  # (batch,)
        going_on = torch.ones_like(token, dtype=torch.bool)  # (batch,): no END yet
        tokens = []
        for _ in range(most_tokens(stepper.model, max_length)):
            logits, state = stepper.step(state, token)  # (batch, symbols)
            token = choose(log_probabilities(logits)).where(going_on, PADDING)  # (batch,)
            tokens.append(token)
            going_on = token > END  # neither END nor the PADDING after it
            if not going_on.any():
                break
    return torch.stack(tokens, 1)


def greedy(
    model: Model, source: Source, max_length: int = 100, return_weights: bool = False
) -> Tokens | tuple[Tokens, Float[Tensor, "batch *layers_heads length source_length"]]:
    """Write the likeliest token at each step; of several, the one with the lowest number.

    Parameters
    ----------
    model, source, max_length
        See ``write``.
    return_weights : bool
        Return the weights of looking back at the source too.

    Returns
    -------
    tokens : (batch, length)
        See ``write``.
    weights : (batch, ..., length, source_length), if asked for
        With axes for layers and heads in the place of the dots, if the model has
        several. Row t is of the step that wrote token t; zero after ``END``.

    Raises
    ------
    ValueError
        As in ``write``, or if weights are asked of a model without any.
    """
    tokens = write(model, source, lambda log_p: log_p.argmax(1), max_length)
    if not return_weights:
        return tokens
    model = unwrapped(stepper_for(model).model)
    if isinstance(model, Transformer):
        weights = cross_weights(model, source, tokens)
    else:
        with evaluating(model):
            _, weights = model(source, tokens, return_weights=True)
    by_token = weights.movedim(-2, 1)  # (batch, length, ..., source_length): the same numbers
    by_token[tokens == PADDING] = 0.0
    return tokens, weights


def forced_scores(model: Model, source: Source, target: Tokens) -> Float[Tensor, "batch length"]:
    """Give the log-probability of each token of a target, the true ones before it given.

    A row's sum is the log-probability of the sentence. It is computed by a single call
    of the model, not step by step, and is what a beam's total should be.

    Parameters
    ----------
    model : Translator, Transformer or Stepper
        Of a ``Stepper``, the ``model`` inside is called.
    source : (batch, source_length)
    target : (batch, length)
        ``END`` included, without ``START``.

    Returns
    -------
    scores : (batch, length)
        Zero on ``PADDING``.

    Raises
    ------
    ValueError
        If source or target is not where the model is, or the model refuses one of them.
    """
    model = unwrapped(stepper_for(model).model)
    check_device("source", source, model)
    check_device("target", target, model)
    with evaluating(model):
        logits = model(source, target)  # (batch, length, symbols)
    log_p = log_probabilities(logits)  # (batch, length, symbols)
    scores = log_p.gather(2, target[:, :, None]).squeeze(2)  # (batch, length)
    return scores.where(target != PADDING, 0.0)
