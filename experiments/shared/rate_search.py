"""An equal search of the learning rate for all arms: trials first, then runs at the best rate."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import common
from shared.logs import read_rows

KEY = ("arm", "seed")


@dataclass(frozen=True)
class Search:
    """Which rates are tried for which arms, and with which seeds the arms are then run.

    Attributes
    ----------
    names : tuple of str
        The arms that have a rate.
    rates : tuple of float
        What is tried for each of them.
    by : str
        The column in which the lowest number wins.
    seeds : tuple of int
        Of the arms' runs.
    trial_seed : int
        Of all trials, and of nothing else.
    others : tuple of str
        Arms that train nothing. They have the first of the seeds.
    """

    names: tuple[str, ...]
    rates: tuple[float, ...]
    by: str
    seeds: tuple[int, ...] = (0, 1, 2)
    trial_seed: int = 100
    others: tuple[str, ...] = ()

    @cached_property
    def trials(self) -> dict[str, tuple[str, float]]:
        """Name the trials: each is of an arm, at a rate."""
        return {f"{name}, rate {rate}": (name, rate) for name in self.names for rate in self.rates}

    @property
    def arms(self) -> tuple[str, ...]:
        """Name everything that can be asked for, the trials first."""
        return (*self.trials, *self.names, *self.others)

    def name_of(self, arm: str) -> str:
        """Say what an arm trains; a trial trains what it is a trial of."""
        return self.trials[arm][0] if arm in self.trials else arm

    def seeds_of(self, arm: str, seeds: Sequence[int]) -> tuple[int, ...]:
        """Say with which of the seeds that were asked for an arm is run."""
        if arm in self.trials:
            return (self.trial_seed,)
        return self.seeds[:1] if arm in self.others else tuple(seeds)

    def rate_of(self, arm: str, rows: Iterable[Mapping[str, str]], quick: bool = False) -> float:
        """Give a trial its rate, and an arm the rate whose trial was the best.

        In a quick run, which may have no trials, an arm gets the one in the middle.

        Raises
        ------
        SystemExit
            If the rows lack one of its trials.
        """
        if arm in self.trials:
            return self.trials[arm][1]
        if quick:
            return self.rates[len(self.rates) // 2]
        found = {
            self.trials[row["arm"]][1]: float(row[self.by])
            for row in rows
            if row["arm"] in self.trials and self.name_of(row["arm"]) == arm
        }
        if len(found) < len(self.rates):
            raise SystemExit(f"the log lacks trials of {arm}: run them first")
        return min(found, key=found.__getitem__)

    def order(self, arms: Iterable[str], seeds: Sequence[int]) -> list[common.Job]:
        """List the runs of some arms, in the order of the log."""
        return [(arm, seed) for arm in arms for seed in self.seeds_of(arm, seeds)]

    def run(self, measure: Callable[..., list[dict]], asked: common.Asked, log: Path) -> None:
        """Run what was asked for, the trials first, whose best rates the others take."""
        order = self.order(self.arms, self.seeds)
        for trials in (True, False):
            jobs = self.order([a for a in asked.arms if (a in self.trials) == trials], asked.seeds)
            common.run(measure, jobs, asked, [log], KEY, order)

    def chosen(self, arm: str, asked: common.Asked, log: Path) -> float:
        """Read an arm's rate in the log as it is now."""
        return self.rate_of(arm, read_rows(asked.path(log)), asked.quick)
