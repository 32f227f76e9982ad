"""Batches of pairs: rectangles, by length, epoch after epoch (alignment: Watch it learn)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from attention._arguments import as_integer, check_no_text, nonnegative_integer, positive_integer
from attention.report import require
from attention.tokens import PADDING, Pair, pad


@dataclass(frozen=True)
class Batch:
    """Some pairs as two rectangles.

    Attributes
    ----------
    source : (batch, source_length)
    target : (batch, target_length)
        Each row of both is a sequence, ``END``, and then ``PADDING``.
    """

    source: Int[Tensor, "batch source_length"]
    target: Int[Tensor, "batch target_length"]

    def to(self, device: torch.device | str) -> "Batch":
        """Give the batch on a device."""
        return Batch(self.source.to(device), self.target.to(device))

    @property
    def tokens(self) -> int:
        """Count what the model has to predict: the target's tokens, each ``END`` included."""
        return int((self.target != PADDING).sum())


def make_batch(pairs: Sequence[Pair], device: torch.device | str | None = None) -> Batch:
    """Pad the sources and the targets of some pairs.

    Parameters
    ----------
    pairs : sequence of Pair
    device : torch.device or str, optional
        See ``pad``.

    Raises
    ------
    ValueError
        If there is no pair, one is not a source and a target, or ``pad`` refuses them.
    """
    check_pairs(pairs)
    sources, targets = zip(*pairs, strict=True)
    return Batch(pad(sources, device), pad(targets, device))


def check_pairs(pairs: Sequence[Pair]) -> None:
    """Refuse what is not a list of sources with their targets, or an empty one."""
    check_no_text("pairs", pairs, "a sequence of pairs")
    require(len(pairs) > 0, "pairs", "at least one", len(pairs))
    for pair in pairs:
        two = not isinstance(pair, str | bytes) and len(pair) == 2
        require(two, "pairs", "a source and a target in each place", pair)


class BatchesByLength:
    """An endless sequence of batches whose rows have much the same length.

    In every epoch each pair comes once: the pairs are shuffled, sorted by the
    length of the source and then of the target (pairs of equal lengths stay
    shuffled), cut into batches, and the batches are shuffled. So little is
    padded, and a model does not meet the short sentences first. But each batch
    is of one length: the loss jumps from step to step with it.

    The batch of a step depends on the pairs, the size, the seed and the number
    of the step, and on nothing else: no state is kept, so a run that is taken up
    again at step n has to know n only.

    Parameters
    ----------
    pairs : sequence of Pair
    size : int
        Pairs in a batch; one batch in each epoch may have fewer.
    seed : int

    Examples
    --------
    >>> batches = BatchesByLength(pairs, size=64, seed=0)
    >>> batches[0].source.shape  # what step 0 is trained on
    """

    def __init__(self, pairs: Sequence[Pair], size: int, seed: int):
        check_pairs(pairs)
        self.pairs = pairs
        self.size = positive_integer("size", size)
        self.seed = as_integer("seed", seed)
        self.per_epoch = math.ceil(len(pairs) / self.size)
        self._epoch: int | None = None  # whose order is in self._order
        self._order: list[list[int]] = []

    def order(self, epoch: int) -> list[list[int]]:
        """Say which pairs, by number, make up each batch of an epoch."""
        # Any two seeds below a million, or epochs of one seed, get different numbers.
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * epoch)

        def shuffle(count: int) -> list[int]:
            return torch.randperm(count, generator=generator, device="cpu").tolist()

        shuffled = shuffle(len(self.pairs))
        shuffled.sort(key=lambda number: tuple(map(len, self.pairs[number])))
        batches = [shuffled[i : i + self.size] for i in range(0, len(shuffled), self.size)]
        return [batches[i] for i in shuffle(len(batches))]

    def __getitem__(self, step: int) -> Batch:
        step = nonnegative_integer("step", step)  # so this never ends
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.order(epoch)
        return make_batch([self.pairs[number] for number in self._order[place]])
