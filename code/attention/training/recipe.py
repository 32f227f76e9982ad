"""How a model is trained: rate, Adam, clipping, seed (translation: Habits of training)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from attention._arguments import (
    as_integer,
    nonnegative_integer,
    positive_integer,
    positive_number,
    share,
)
from attention.report import require

SCHEDULES = ("constant", "inverse root", "linear")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: everything but the model and the data.

    Attributes
    ----------
    learning_rate : float
        Of Adam, at its highest.
    schedule : "constant", "inverse root" or "linear"
        What follows the warm-up. "inverse root" falls with 1 / √step (Vaswani et
        al. 2017, equation 3, with its highest rate given instead of d_model);
        "linear" falls to 0 at step ``steps``. A run that falls to 0 is good at
        its end only: to compare models halfway, choose another.
    warm_up : int
        Steps in which the rate rises in a straight line from 0.
    steps : int, optional
        Where "linear" arrives at 0.
    betas : pair of float
        Adam's memory of the gradient and of its square.
    clip : float or None
        Longest gradient; see ``update``.
    label_smoothing : float
        See ``token_loss``.
    seed : int
        Of everything random in training: of dropout, and nothing else. The
        initial weights and the batches have seeds of their own.

    Raises
    ------
    ValueError
        If a number is out of range, the schedule is unknown, or "linear" has no
        ``steps`` after the warm-up.
    """

    learning_rate: float
    schedule: str = "constant"
    warm_up: int = 0
    steps: int | None = None
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float | None = 1.0
    label_smoothing: float = 0.0
    seed: int = 0

    def __post_init__(self):
        require(self.schedule in SCHEDULES, "schedule", f"one of {SCHEDULES}", self.schedule)
        numbers = {
            "learning_rate": positive_number("learning_rate", self.learning_rate),
            "warm_up": nonnegative_integer("warm_up", self.warm_up),
            "betas": _checked_betas(self.betas),
            "label_smoothing": share("label_smoothing", self.label_smoothing),
            "seed": as_integer("seed", self.seed),
        }
        if self.clip is not None:
            numbers["clip"] = positive_number("clip", self.clip)
        if self.schedule == "linear":
            warm_up = numbers["warm_up"]
            expected = f"more than warm_up = {warm_up}"
            numbers["steps"] = as_integer("steps", self.steps, expected, lambda n: n > warm_up)
        elif self.steps is not None:
            numbers["steps"] = positive_integer("steps", self.steps)
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, as files want them

    def rate(self, step: int) -> float:
        """Give the learning rate of a step; the first step is number 1."""
        step = positive_integer("step", step, "1 or more")
        if step < self.warm_up:
            return self.learning_rate * step / self.warm_up
        match self.schedule:
            case "constant":
                return self.learning_rate
            case "inverse root":
                return self.learning_rate * math.sqrt(max(self.warm_up, 1) / step)
            case _:  # "linear"
                left = (self.steps - step) / (self.steps - self.warm_up)
                return self.learning_rate * max(left, 0.0)


def _checked_betas(betas: object) -> tuple[float, float]:
    two = isinstance(betas, Sequence) and not isinstance(betas, str) and len(betas) == 2
    require(two, "betas", "two numbers", betas)
    return tuple(share("betas", beta) for beta in betas)
