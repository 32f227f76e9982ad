"""Random symbols with a question to answer at each of them, for causal models.

There are two questions, since there are two uses of position:

    distance   which symbol stood here 3 places ago?
    recency    each symbol is a key with a value; which value had this key when it came last?
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from attention.training import END, PADDING, Batch, Recipe, token_loss

FIRST = END + 1  # the number of the first symbol
SYMBOLS, BACK = 16, 3  # of the question "distance"
KEYS, VALUES = 8, 8  # of the question "recency"


def ask(question: str, batch: int, length: int, generator: torch.Generator) -> Batch:
    """Draw texts; the target at each position is the answer there, or PADDING for none."""
    if question == "distance":
        symbols = torch.randint(SYMBOLS, (batch, length), generator=generator)
        before = symbols.roll(BACK, 1)  # (batch, length): what stood BACK places ago
        known = (torch.arange(length) >= BACK).expand(batch, length)
    else:
        key = torch.randint(KEYS, (batch, length), generator=generator)
        value = torch.randint(VALUES, (batch, length), generator=generator)
        symbols = key * VALUES + value
        earlier = (key[:, :, None] == key[:, None, :]).tril(-1)  # (batch, length, length)
        place = torch.arange(length) + 1
        last = (earlier * place).amax(-1)  # (batch, length): where the key was, from 1; 0 if new
        before = value.gather(1, (last - 1).clamp(min=0))
        known = last > 0
    return Batch(symbols + FIRST, torch.where(known, before + FIRST, PADDING))


class Texts(Sequence[Batch]):
    """Fresh texts for every step of training.

    Parameters
    ----------
    question : "distance" or "recency"
    seed : int
    batch, length : int
        Of each batch: how many texts, of how many symbols.
    steps : int
        How many batches there are.
    """

    def __init__(self, question: str, seed: int, batch: int, length: int, steps: int):
        self.question, self.seed = question, seed
        self.batch, self.length, self.steps = batch, length, steps

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, step: int) -> Batch:
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * (step + 1))
        return ask(self.question, self.batch, self.length, generator)


def loss(model: nn.Module, batch: Batch, _: Recipe) -> Tensor:
    """Average the cross-entropy over all questions that have an answer."""
    return token_loss(model(batch.source), batch.target)
