"""Writing with the tokens of a shortlist only (the package's own)."""

from dataclasses import dataclass

import torch
from torch import nn

from attention.generate import Logits, Source, State, Stepper, Token
from attention.pretrained.marian import Shortlist
from attention.tokens import PADDING


@dataclass(frozen=True)
class ShortlistStepper:
    """Write what another ``Stepper`` writes, but of the tokens that a shortlist allows.

    Parameters
    ----------
    stepper : Stepper
    shortlist : Shortlist
    shift : int
        What is added to a token's number in the shortlist to get the stepper's.
    """

    stepper: Stepper
    shortlist: Shortlist
    shift: int

    @property
    def model(self) -> nn.Module:
        """The stepper's."""
        return self.stepper.model

    def start(self, source: Source) -> State:
        """Read the source, and look up which tokens its translation may have."""
        symbols = self.model.config.target_vocab_size
        allowed = torch.zeros(len(source), symbols, dtype=torch.bool)  # (batch, symbols)
        for row, tokens in zip(allowed, source.tolist(), strict=True):
            numbers = [token - self.shift for token in tokens if token != PADDING]
            row[torch.from_numpy(self.shortlist.allowed(numbers)) + self.shift] = True
        return allowed.to(source.device), *self.stepper.start(source)

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token; the logits of tokens that are not allowed become −∞."""
        allowed, *state = state
        logits, state = self.stepper.step(tuple(state), token)
        return logits.masked_fill(~allowed, -torch.inf), (allowed, *state)
