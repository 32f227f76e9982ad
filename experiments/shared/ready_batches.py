"""Batches that are padded beforehand, and batches of equally many tokens."""

from collections.abc import Sequence

import torch
from jaxtyping import Int
from torch import Tensor

from attention.tokens import END, PADDING, Pair
from attention.training import Batch, BatchesByLength


class ReadyBatches(BatchesByLength):
    """The batches of ``BatchesByLength``, taken from two rectangles that are made once.

    Parameters
    ----------
    pairs, size, seed
        As there.
    """

    def __init__(self, pairs: Sequence[Pair], size: int, seed: int):
        super().__init__(pairs, size, seed)
        sources, targets = zip(*pairs, strict=True)
        self.sources, self.targets = rectangle(sources), rectangle(targets)

    def __getitem__(self, step: int) -> Batch:
        """Cut the rows of a step, as wide as the longest of them."""
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.order(epoch)
        numbers = self._order[place]
        longest = [max(len(self.pairs[n][side]) for n in numbers) + 1 for side in (0, 1)]
        some = torch.tensor(numbers)
        return Batch(self.sources[some, : longest[0]], self.targets[some, : longest[1]])


class BatchesByTokens(ReadyBatches):
    """Batches with much the same number of tokens instead of the same number of pairs.

    The epoch is shuffled and sorted as in ``BatchesByLength``. It is then cut where the next
    pair would make a batch too large, its padding counted. So there are many short sentences
    in a batch, or few long ones.

    Parameters
    ----------
    pairs : sequence of Pair
    tokens : int
        The most that the two rectangles of a batch hold together.
    seed : int
    """

    def __init__(self, pairs: Sequence[Pair], tokens: int, seed: int):
        super().__init__(pairs, 1, seed)
        self.tokens = tokens
        self.per_epoch = len(self.order(0))  # every epoch is cut at the same lengths

    def order(self, epoch: int) -> list[list[int]]:
        """Say which pairs, by number, make up each batch of an epoch."""
        generator = torch.Generator().manual_seed(self.seed + 1_000_003 * epoch)
        shuffled = torch.randperm(len(self.pairs), generator=generator).tolist()
        shuffled.sort(key=lambda number: tuple(map(len, self.pairs[number])))
        batches: list[list[int]] = []
        rows, longest = self.tokens, [0, 0]  # so that the first pair opens a batch
        for number in shuffled:
            lengths = [len(side) + 1 for side in self.pairs[number]]
            wider = [max(pair) for pair in zip(longest, lengths, strict=True)]
            if (rows + 1) * sum(wider) > self.tokens:
                batches.append([])
                rows, wider = 0, lengths
            batches[-1].append(number)
            rows, longest = rows + 1, wider
        places = torch.randperm(len(batches), generator=generator).tolist()
        return [batches[place] for place in places]


def rectangle(sequences: Sequence[Sequence[int]]) -> Int[Tensor, "sequences longest"]:
    """Write sequences below each other, each with its ``END``, as ``pad`` does."""
    longest = max(map(len, sequences)) + 1
    rows = [[*one, END] + [PADDING] * (longest - len(one) - 1) for one in sequences]
    return torch.tensor(rows)
