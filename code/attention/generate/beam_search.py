"""Beam search: several beginnings, to their ends (translation: Habits of training)."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from attention._arguments import as_integer, nonnegative_number, positive_integer
from attention.generate.beams import Hypothesis, best_first, new_beams
from attention.generate.probabilities import finest, log_probabilities
from attention.generate.steppers import Model, Source, Tokens, most_tokens, pick, start, stepper_for
from attention.tokens import PADDING
from attention.training import evaluating


def beam(
    model: Model,
    source: Source,
    width: int = 4,
    alpha: float | int = 0.0,
    max_length: int = 100,
    return_scores: bool = False,
) -> Tokens | tuple[Tokens, Float[Tensor, " batch"]]:
    """Write the best sentence that a beam finds: the first of ``n_best``.

    Parameters
    ----------
    model, source, width, alpha, max_length
        See ``n_best``. With a width of 1 this is ``greedy``.
    return_scores : bool

    Returns
    -------
    tokens : (batch, length)
        As ``greedy`` returns them.
    scores : (batch,), if asked for

    Raises
    ------
    ValueError
        As in ``n_best``.
    """
    found = n_best(model, source, 1, width, alpha, max_length)
    rows = [torch.tensor(best.tokens, device="cpu") for (best,) in found]
    tokens = pad_sequence(rows, batch_first=True, padding_value=PADDING)  # (batch, length)
    tokens = tokens.to(source.device)
    if not return_scores:
        return tokens
    scores = [best.score for (best,) in found]
    return tokens, torch.tensor(scores, dtype=finest(source.device), device=source.device)


def n_best(
    model: Model,
    source: Source,
    n: int,
    width: int = 4,
    alpha: float | int = 0.0,
    max_length: int = 100,
) -> list[list[Hypothesis]]:
    """Follow the likeliest beginnings to their ends, and return the best sentences.

    A *hypothesis* is a sentence or the beginning of one. At each step every beginning is
    continued by every token, and the ``width`` best of all hypotheses are kept. One
    that gets its ``END`` is finished. It is remembered, and stays in the beam for as long
    as it is one of the best: if it could not be driven out, poor sentences that end
    early would take the room of better ones.

    The search is over when no beginning could still get among the n best.

    Parameters
    ----------
    model : Translator, Transformer or Stepper
        Its dropout is off meanwhile.
    source : (batch, source_length)
    n : int
        How many to return for each sentence, from 1 to ``width``.
    width : int
        Hypotheses for each sentence.
    alpha : float
        How much to make up for the probability that long sentences lose, from 0 for
        not at all; see ``length_penalty``.
    max_length : int
        Where a sentence is cut off, its ``END`` counted; see ``write``.

    Returns
    -------
    found : list of lists of Hypothesis
        For each sentence, the best first; of equal ones, that which was finished first,
        and then that which stood higher in the beam (see ``Beams.grow``). Fewer than n
        if fewer were finished; if none was, those that were cut off.

    Raises
    ------
    ValueError
        If a setting is out of its range or the model refuses the source.
    """
    max_length = positive_integer("max_length", max_length)
    width = positive_integer("width", width)
    expected = f"an integer from 1 to width = {width}"
    n = as_integer("n", n, expected, lambda n: 1 <= n <= width)
    alpha = nonnegative_number("alpha", alpha)
    stepper = stepper_for(model)
    max_length = most_tokens(stepper.model, max_length)
    with evaluating(stepper.model):
        state = start(stepper, source)
        sentences = torch.arange(len(source), device=source.device)  # (batch,)
        finished: list[list[Hypothesis]] = [[] for _ in range(len(source))]
        # The rows of the state: all hypotheses of the first sentence, then of the second ...
        state = pick(state, sentences.repeat_interleave(width))
        beams = new_beams(len(source), width, alpha, source.device)
        for _ in range(max_length):
            logits, state = stepper.step(state, beams.written[:, :, -1].flatten())
            # (batch, width, symbols)
            log_p = log_probabilities(logits).unflatten(0, beams.totals.shape)
            beams, parents = beams.grow(log_p)
            state = pick(state, (width * sentences[:, None] + parents).flatten())
            beams.collect(beams.just_ended, finished)
            if _settled(beams.hopes(max_length), finished, n):
                break
    nothing_ended = [[not done] for done in finished]
    nothing_ended = torch.tensor(nothing_ended, device=source.device)  # (batch, 1)
    beams.collect(beams.going_on & nothing_ended, finished)  # those that were cut off
    return [best_first(done)[:n] for done in finished]


def _settled(hopes: Float[Tensor, "batch width"], finished: list[list[Hypothesis]], n: int) -> bool:
    """Say whether no beginning can get among its sentence's n best any more."""
    worst = [best_first(done)[n - 1].score if len(done) >= n else -math.inf for done in finished]
    hope = hopes.amax(1)  # (batch,)
    return bool((hope <= torch.tensor(worst, dtype=hope.dtype, device=hope.device)).all())
