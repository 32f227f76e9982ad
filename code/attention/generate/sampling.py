"""Drawing a sentence token by token (translation: Habits of training)."""

import torch
from jaxtyping import Float
from torch import Tensor

from attention._arguments import as_real, positive_integer, positive_number
from attention.generate.one_by_one import write
from attention.generate.probabilities import LogP, finest
from attention.generate.steppers import Model, Source, Token, Tokens, check_device, stepper_for
from attention.report import require


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
    temperature = positive_number("temperature", temperature, "a number above 0")
    top_k, top_p = _checked_shares(top_k, top_p)
    max_length = positive_integer("max_length", max_length)
    check_device("source", source, stepper_for(model).model)
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


def _checked_shares(top_k: object, top_p: object) -> tuple[int | None, float]:
    top_k = None if top_k is None else positive_integer("top_k", top_k)
    return top_k, as_real("top_p", top_p, "a number above 0, up to 1", lambda p: 0 < p <= 1)
