"""What a beam holds, and how it grows by one token (translation: Habits of training)."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from attention.generate.probabilities import finest
from attention.tokens import END, PADDING, START


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
