"""Writing with a trained translator: the likeliest word, a beam of sentences, or a draw.

A translator gives a probability to every token that might come next. *Decoding* turns
that into a sentence. ``greedy`` takes the likeliest token at each step, ``beam`` keeps
several beginnings and returns the likeliest sentence among those it has followed to the
end, ``sample`` draws. ``forced_scores`` is the way back: how likely is a sentence that is
given?

All of them work for the recurrent translators and for the transformer, since they ask
little of a model: to read a source, and then to take one token after the other and say
what may follow. That is a ``Stepper``, and there is a short one for each kind.

``PADDING`` and ``START`` are never written: what probability a model leaves them is
given to the other tokens, in proportion. Log-probabilities are natural logarithms, in
float64 whatever the model's numbers are, so that adding many of them loses nothing (but
Apple's GPUs have no float64: there they are float32).

All is done where the source is, and that is where the model has to be. The model may be
inside a wrapper, such as ``torch.compile`` makes.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn.utils.rnn import pad_sequence

from attention._arguments import as_integer, as_real, unwrapped
from attention.interventions import cross_weights
from attention.recurrent import Memory, Translator
from attention.report import require
from attention.training import END, PADDING, START, check_positive, device_of, evaluating
from attention.transformer import Transformer

Source = Int[Tensor, "batch source_length"]
Tokens = Int[Tensor, "batch length"]
Token = Int[Tensor, " batch"]  # one for each row
Logits = Float[Tensor, "batch symbols"]  # of the next token; LogP likewise
LogP = Float[Tensor, "batch symbols"]


@runtime_checkable
class Rows(Protocol):
    """Something in rows, such as a tensor, of which ``[rows]`` takes some in a new order."""

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> Any: ...


State = tuple[Rows | None, ...]

# ------------------------------------------------------- what is asked of a model


@runtime_checkable
class Stepper(Protocol):
    """What decoding asks of a model: to start on a source, and to take a step.

    All that passes from step to step is the state: a tuple of tensors whose first axis
    counts the rows (or of whatever else has rows to be taken), or None where a model has
    nothing to keep. So ``pick`` can drop, repeat and reorder the rows of any model.

    Attributes
    ----------
    model : nn.Module
        Its dropout is off while something is written.
    """

    model: nn.Module

    def start(self, source: Source) -> State:
        """Read the source; give the state in which nothing has been written yet."""
        ...

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Take the token written last, ``START`` at first; say what may follow it."""
        ...


@dataclass(frozen=True)
class RecurrentStepper:
    """Write with a recurrent translator: it keeps the decoder's state and its memory."""

    model: Translator

    def start(self, source: Source) -> State:
        """Read the source."""
        memory, decoder = self.model.encode(source)
        return decoder, *vars(memory).values()

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token."""
        decoder, *memory = state
        logits, decoder, _ = self.model.step(Memory(*memory), decoder, token)
        return logits, (decoder, *memory)


@dataclass(frozen=True)
class TransformerStepper:
    """Write with a transformer: it keeps all tokens so far, and reads them all again."""

    model: Transformer

    def start(self, source: Source) -> State:
        """Read the source."""
        memory = self.model.encode(source)
        return source[:, :0], *memory

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token, after all that came before it."""
        before, *memory = state
        before = torch.cat([before, token[:, None]], dim=1)  # (batch, length)
        logits = self.model.decode(before, *memory)  # (batch, length, symbols)
        return logits[:, -1], (before, *memory)


Model = Translator | Transformer | Stepper | nn.Module  # a wrapper is an nn.Module


def stepper_for(model: Model) -> Stepper:
    """Find out how to write with a model; a ``Stepper`` is returned as it is.

    Of a model in a wrapper, the model itself is taken.

    Raises
    ------
    ValueError
        If it is neither a translator of the book nor a ``Stepper``.
    """
    model = unwrapped(model)
    if isinstance(model, Translator):
        return RecurrentStepper(model)
    if isinstance(model, Transformer):
        return TransformerStepper(model)
    expected = "a Translator, a Transformer or a Stepper"
    require(isinstance(model, Stepper), "model", expected, type(model).__name__)
    return model


def pick(state: State, rows: Int[Tensor, " picked"]) -> State:
    """Take some rows of a state, in this order; a row may be taken twice or not at all."""
    return tuple(None if part is None else part[rows] for part in state)


def _start(stepper: Stepper, source: Source) -> State:
    """Let a stepper read the source, which has to be where its model is.

    Raises
    ------
    ValueError
        If it is elsewhere, or the model refuses it.
    """
    _check_device("source", source, stepper.model)
    return stepper.start(source)


def _most_tokens(model: nn.Module, max_length: int) -> int:
    """Say how many tokens a model can write: with learned positions, no more than it has.

    It reads ``START`` and all but the last of them, so it needs as many positions.
    """
    limited = isinstance(model, Transformer) and model.config.position == "learned"
    return min(max_length, model.config.max_length) if limited else max_length


def finest(device: torch.device) -> torch.dtype:
    """Give the type of number that probabilities are computed with on a device."""
    return torch.float32 if device.type == "mps" else torch.float64


def log_probabilities(
    logits: Float[Tensor, "*batch symbols"],
) -> Float[Tensor, "*batch symbols"]:
    """Turn logits into log-probabilities of what may be written.

    Raises
    ------
    ValueError
        If there is a NaN or an infinity among the logits, so that they have no softmax.
    """
    never = torch.tensor([PADDING, START], device=logits.device)
    logits = logits.to(finest(logits.device))  # (..., symbols)
    logits = logits.index_fill(-1, never, -torch.inf)
    log_p = logits.log_softmax(-1)  # (..., symbols)
    require(not log_p.isnan().any(), "logits", "numbers with a softmax", "some without")
    return log_p


# ------------------------------------------------------------- one token at a time


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
    max_length = check_positive("max_length", max_length)
    stepper = stepper_for(model)
    with evaluating(stepper.model):
        state = _start(stepper, source)
        token = source.new_full((len(source),), START)  # (batch,)
        going_on = torch.ones_like(token, dtype=torch.bool)  # (batch,): no END yet
        tokens = []
        for _ in range(_most_tokens(stepper.model, max_length)):
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
    _check_device("source", source, model)
    _check_device("target", target, model)
    with evaluating(model):
        logits = model(source, target)  # (batch, length, symbols)
    log_p = log_probabilities(logits)  # (batch, length, symbols)
    scores = log_p.gather(2, target[:, :, None]).squeeze(2)  # (batch, length)
    return scores.where(target != PADDING, 0.0)


# ------------------------------------------------------------------------ sampling


def sample(
    model: Model,
    source: Source,
    generator: torch.Generator,
    temperature: float | int = 1.0,
    top_k: int | None = None,
    top_p: float | int = 1.0,
    max_length: int = 100,
) -> Tokens:
    """Draw each token with the probability that the model gives it.

    What row r draws depends on the generator, on r and on ``max_length``, and on
    nothing that stands in other rows.

    Parameters
    ----------
    model, source, max_length
        See ``write``.
    generator : torch.Generator
        The same state of it, the same sentences. It may be the CPU's wherever the model is.
    temperature : float
        Log-probabilities are divided by it. Near 0 the likeliest token gets all, as
        with ``greedy``; 1 is the model as it is; above 1 the tokens become more alike.
    top_k : int, optional
        Draw among the k likeliest tokens only (Fan et al. 2018, section 5.1).
    top_p : float
        Draw among the likeliest tokens only, as many of them as it takes to have this
        share of the probability (Holtzman et al. 2020, section 3.1), counted after
        ``temperature`` and ``top_k`` have done their part. With 1: among all.

    Returns
    -------
    tokens : (batch, length)
        See ``write``.

    Raises
    ------
    ValueError
        As in ``write``, or if a setting is out of its range.
    """
    known = isinstance(generator, torch.Generator)
    require(known, "generator", "a torch.Generator", generator)
    temperature = as_real("temperature", temperature, "a number above 0", lambda t: t > 0)
    top_k, top_p = _checked_shares(top_k, top_p)
    max_length = check_positive("max_length", max_length)
    _check_device("source", source, stepper_for(model).model)
    # As many numbers for each row, whether it needs them or not: none depends on others.
    shape = len(source), max_length
    dtype = finest(source.device)
    numbers = torch.rand(shape, generator=generator, dtype=dtype, device=generator.device)
    numbers = numbers.to(source.device)  # (batch, max_length)
    number_of_step = iter(numbers.T.contiguous())  # (batch,) at each step

    def choose(log_p: Tensor) -> Tensor:
        best = log_p.amax(1, keepdim=True)  # (batch, 1)
        log_p = (log_p - best) / temperature  # (batch, symbols), the best 0: no overflow
        return draw(truncate(log_p, top_k, top_p), next(number_of_step))

    return write(model, source, choose, max_length)


def truncate(log_p: LogP, top_k: int | None, top_p: float | int) -> LogP:
    """Keep the likeliest tokens and set all others to −∞.

    Parameters
    ----------
    log_p : (batch, symbols)
        Need not be normalised, and the result is not.
    top_k, top_p
        See ``sample``. Of equal tokens, those with the lowest numbers are kept.

    Raises
    ------
    ValueError
        If one of them is out of its range.
    """
    top_k, top_p = _checked_shares(top_k, top_p)
    ranked, tokens = log_p.sort(dim=1, descending=True, stable=True)  # (batch, symbols) each
    if top_k is not None:
        ranked[:, top_k:] = -torch.inf
    if top_p < 1:
        p = ranked.softmax(1)  # (batch, symbols)
        better = p.cumsum(1) - p  # the probability of all that is likelier
        ranked = ranked.masked_fill(better >= top_p, -torch.inf)
    return torch.empty_like(log_p).scatter(1, tokens, ranked)


def draw(log_p: LogP, number: Float[Tensor, " batch"]) -> Token:
    """Turn a number from [0, 1) into a token.

    The tokens lie side by side on a line, each as wide as its probability; the number
    falls on one of them.

    Parameters
    ----------
    log_p : (batch, symbols)
        Need not be normalised.
    number : (batch,)
    """
    ends = log_p.exp().cumsum(1)  # (batch, symbols): where each token's place ends
    ends = ends / ends[:, -1:]  # the last one is 1, above any number
    return torch.searchsorted(ends, number[:, None], right=True).squeeze(1)  # (batch,)


# ----------------------------------------------------------------------- the beam


class Hypothesis(NamedTuple):
    """A sentence that a beam has found.

    Attributes
    ----------
    tokens : list of int
        The last one is ``END``, unless the sentence was cut off.
    score : float
        Its log-probability divided by its length penalty.
    """

    tokens: list[int]
    score: float


def length_penalty(length: float | int | Tensor, alpha: float | int) -> float | Tensor:
    """Give what the log-probability of a sentence is divided by, for its length.

    Wu et al. (2016), equation 14, without the coverage: ((5 + length) / 6)^α, ``END``
    counted. With α = 0 it is 1 for all; the larger α, the less a sentence loses by
    being long.
    """
    return ((5 + length) / 6) ** alpha


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
    max_length = check_positive("max_length", max_length)
    width = check_positive("width", width)
    expected = f"an integer from 1 to width = {width}"
    n = as_integer("n", n, expected, lambda n: 1 <= n <= width)
    alpha = as_real("alpha", alpha, "a number, 0 or more", lambda alpha: alpha >= 0)
    stepper = stepper_for(model)
    max_length = _most_tokens(stepper.model, max_length)
    with evaluating(stepper.model):
        state = _start(stepper, source)
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


@dataclass(frozen=True)
class Beams:
    """What is being followed: ``width`` hypotheses for each sentence, the best first.

    Attributes
    ----------
    written : (batch, width, length)
        ``START`` and what came after it; ``PADDING`` after ``END``.
    totals : (batch, width)
        Log-probabilities; −∞ for an empty place.
    alpha : float
        See ``length_penalty``.
    """

    written: Int[Tensor, "batch width length"]
    totals: Float[Tensor, "batch width"]
    alpha: float | int

    @property
    def going_on(self) -> Bool[Tensor, "batch width"]:
        """Which hypotheses are beginnings."""
        ended = (self.written == END).any(2)  # (batch, width)
        return self.totals.isfinite() & ~ended

    @property
    def just_ended(self) -> Bool[Tensor, "batch width"]:
        """Which hypotheses got their ``END`` in the last step."""
        return self.totals.isfinite() & (self.written[:, :, -1] == END)

    @property
    def lengths(self) -> Float[Tensor, "batch width"]:
        """How many tokens have been written, ``END`` included."""
        return (self.written[:, :, 1:] != PADDING).sum(2, dtype=self.totals.dtype)

    def grow(
        self, log_p: Float[Tensor, "batch width symbols"]
    ) -> tuple["Beams", Int[Tensor, "batch width"]]:
        """Continue each beginning by each token, and keep the best hypotheses.

        Equal ones are in the order of the hypotheses they come from, and then of their
        last tokens.

        Parameters
        ----------
        log_p : (batch, width, symbols)
            Of each token after each hypothesis; what it says of an ended one is ignored.

        Returns
        -------
        beams : Beams
        parents : (batch, width)
            The place that each hypothesis came from.
        """
        width, symbols = log_p.shape[1:]
        stays = log_p.new_full((symbols,), -torch.inf)  # (symbols,)
        stays[PADDING] = 0.0  # after END, PADDING is certain
        log_p = log_p.where(self.going_on[:, :, None], stays)
        candidates = self.totals[:, :, None] + log_p  # (batch, width, symbols)
        penalties = length_penalty(self.lengths + self.going_on, self.alpha)  # (batch, width)
        scores = (candidates / penalties[:, :, None]).flatten(1)  # (batch, width * symbols)
        places = scores.sort(dim=1, descending=True, stable=True).indices[:, :width]

        parents, tokens = places // symbols, places % symbols  # (batch, width) each
        written = self.written.take_along_dim(parents[:, :, None], dim=1)
        written = torch.cat([written, tokens[:, :, None]], dim=2)
        totals = candidates.flatten(1).gather(1, places)  # (batch, width)
        return Beams(written, totals, self.alpha), parents

    def hopes(self, max_length: int) -> Float[Tensor, "batch width"]:
        """Say what each beginning would score if it lost nothing and became as long as it may.

        No score can be higher, since a log-probability only falls.
        """
        totals = self.totals.where(self.going_on, -torch.inf)  # (batch, width)
        return totals / length_penalty(max_length, self.alpha)

    def collect(self, which: Bool[Tensor, "batch width"], into: list[list[Hypothesis]]) -> None:
        """Add some of the hypotheses, with their scores, to the lists of their sentences."""
        scores = self.totals / length_penalty(self.lengths, self.alpha)  # (batch, width)
        for sentence, place in which.nonzero().tolist():
            tokens = self.written[sentence, place, 1:].tolist()  # without START
            into[sentence].append(Hypothesis(tokens, scores[sentence, place].item()))


def new_beams(
    batch: int, width: int, alpha: float | int, device: torch.device | None = None
) -> Beams:
    """Begin: there is one way to have written nothing, and the other places are empty."""
    device = device or torch.get_default_device()
    written = torch.full((batch, width, 1), START, device=device)  # (batch, width, 1)
    # (batch, width)
    totals = torch.full((batch, width), -torch.inf, dtype=finest(device), device=device)
    totals[:, 0] = 0.0
    return Beams(written, totals, alpha)


def best_first(hypotheses: list[Hypothesis]) -> list[Hypothesis]:
    """Sort hypotheses by score; equal ones stay in their order."""
    return sorted(hypotheses, key=lambda hypothesis: hypothesis.score, reverse=True)


def _settled(hopes: Float[Tensor, "batch width"], finished: list[list[Hypothesis]], n: int) -> bool:
    """Say whether no beginning can get among its sentence's n best any more."""
    worst = [best_first(done)[n - 1].score if len(done) >= n else -math.inf for done in finished]
    hope = hopes.amax(1)  # (batch,)
    return bool((hope <= torch.tensor(worst, dtype=hope.dtype, device=hope.device)).all())


# ------------------------------------------------------------------------- checks


def _checked_shares(top_k: object, top_p: object) -> tuple[int | None, float]:
    top_k = None if top_k is None else check_positive("top_k", top_k)
    return top_k, as_real("top_p", top_p, "a number above 0, up to 1", lambda p: 0 < p <= 1)


def _check_device(name: str, tokens: object, model: nn.Module) -> None:
    tensor = isinstance(tokens, Tensor)
    require(tensor, name, "a torch.int64 tensor of shape (batch, length)", tokens)
    here, expected = tokens.device, device_of(model)
    require(here == expected, name, f"tokens on {expected}, where the model is", str(here))
