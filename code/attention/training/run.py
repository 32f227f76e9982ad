"""The training loop, and a run that can be resumed (translation: From near: one step)."""

import json
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from attention._arguments import positive_integer, positive_number, unwrapped
from attention.report import require
from attention.training.batches import Batch, BatchesByLength
from attention.training.loss import translation_loss
from attention.training.modes import device_of, in_mode, keeping_random_state
from attention.training.recipe import Recipe
from attention.weight_files import (
    digest,
    read_tensors,
    require_same_make,
    with_prefix,
    write_tensors,
)


def update(optimizer: torch.optim.Optimizer, loss: Tensor, clip: float | None = None) -> float:
    """Take one step down the gradient of a loss.

    Parameters
    ----------
    optimizer : torch.optim.Optimizer
    loss : tensor without axes
    clip : float, optional
        If the gradient of all parameters, taken as one vector, is longer than
        this, it is shortened to it (Pascanu et al. 2013, algorithm 1).

    Returns
    -------
    loss : float
        As it was before the step.
    """
    optimizer.zero_grad()
    loss.backward()
    if clip is not None:
        clip = positive_number("clip", clip)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip)
    optimizer.step()
    return loss.item()


def minimise(
    draw_loss: Callable[[], Tensor],
    parameters: Iterable[nn.Parameter] | Iterable[dict],
    learning_rate: float,
    steps: int,
) -> list[float]:
    """Take steps with Adam, each on a loss that is drawn afresh, and nothing more.

    Parameters
    ----------
    draw_loss : callable
        Called without arguments before each step.
    parameters : iterable
        Parameters; or groups as ``torch.optim`` takes them, to give some a rate of their own.
    learning_rate : float
    steps : int

    Returns
    -------
    losses : list of float
        Of each step, before its update.

    Raises
    ------
    ValueError
        If ``learning_rate`` or ``steps`` is not positive.
    """
    learning_rate = positive_number("learning_rate", learning_rate)
    steps = positive_integer("steps", steps, "a positive number")
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    return [update(optimizer, draw_loss()) for _ in range(steps)]


class LogEntry(NamedTuple):
    """What is written down after a step."""

    step: int  # steps done
    loss: float  # of this step's batch before its update, in nats for each token
    tokens: int  # target tokens trained on so far
    cpu_seconds: float  # processor time spent on training so far, of all threads together


Data = BatchesByLength | Sequence[Batch]  # by the number of the step
Loss = Callable[[nn.Module, Batch, Recipe], Tensor]


class TrainingRun:
    """A model in training: it can be stopped, saved, and taken up again.

    Twenty steps at once, or ten and ten with a file in between, give the same
    weights to the last bit (on one machine, with the same number of threads).
    For this a run keeps everything that the next step depends on: weights, Adam's
    averages, the number of the step, and the state of the random numbers that
    dropout draws. What else draws random numbers meanwhile does not disturb it.

    It runs where the model is: each batch is moved there.

    Parameters
    ----------
    model : nn.Module
        Trained in place.
    data : BatchesByLength or sequence of Batch
        ``data[n]`` is what step n is trained on, however often it is asked for.
    recipe : Recipe
    loss : callable
        Called with model, batch and recipe. Default: ``translation_loss``.

    Attributes
    ----------
    step : int
        Steps done.
    log : list of LogEntry
        One for each step.
    """

    def __init__(self, model: nn.Module, data: Data, recipe: Recipe, loss: Loss = translation_loss):
        self.model, self.data, self.recipe, self.loss = model, data, recipe, loss
        self.optimizer = torch.optim.Adam(model.parameters(), recipe.learning_rate, recipe.betas)
        self.step = 0
        self.log: list[LogEntry] = []
        self._random_state = torch.Generator().manual_seed(recipe.seed).get_state()

    def advance(self, steps: int) -> None:
        """Train for some more steps.

        Raises
        ------
        ValueError
            If ``steps`` is not a positive integer, or a loss is not a finite number.
            The weights are then those before that step.
        """
        steps = positive_integer("steps", steps)
        device = device_of(self.model)
        with in_mode(self.model, training=True), keeping_random_state(device):
            torch.set_rng_state(self._random_state)
            for _ in range(steps):
                self._take_step(device)

    def _take_step(self, device: torch.device) -> None:
        before = self.log[-1] if self.log else LogEntry(0, 0.0, 0, 0.0)
        started = time.process_time()
        batch = self.data[self.step].to(device)
        if device.type != "cpu":  # dropout draws there: from where the CPU's numbers have come to
            torch.manual_seed(int(torch.randint(2**62, (), device="cpu")))
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.rate(self.step + 1)
        loss = self.loss(self.model, batch, self.recipe)
        require(bool(loss.isfinite()), "loss", f"a finite number at step {self.step}", loss.item())
        value = update(self.optimizer, loss, self.recipe.clip)
        seconds = time.process_time() - started

        self.step += 1
        self._random_state = torch.get_rng_state()
        self.log.append(
            LogEntry(self.step, value, before.tokens + batch.tokens, before.cpu_seconds + seconds)
        )

    def save(self, path: str | Path) -> None:
        """Write everything that the next step depends on, and the log, to one file."""
        weights = unwrapped(self.model).state_dict()
        tensors = {f"model.{name}": tensor for name, tensor in weights.items()}
        for number, state in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{number}.{name}": tensor for name, tensor in state.items()}
        tensors["random_state"] = self._random_state
        log = torch.tensor(self.log, dtype=torch.float64, device="cpu")
        tensors["log"] = log.reshape(-1, 4)
        header = {
            "kind": "training run",
            "step": self.step,
            "recipe": asdict(self.recipe),
            "next_batch": self._fingerprint(self.step),
        }
        write_tensors(path, tensors, header)

    def resume(self, path: str | Path) -> None:
        """Take up a run where ``save`` left it.

        This run must have the same recipe and data, and a model of the same make.

        Raises
        ------
        ValueError
            If there is no such file, it is damaged, is no saved run, or was saved
            with another recipe, other data or another model. Nothing is changed
            then.
        """
        tensors, header = read_tensors(path)
        kind = header.get("kind")
        require(kind == "training run", str(path), "a saved training run", kind)
        recipe = json.loads(json.dumps(asdict(self.recipe)))  # tuples become lists, as in the file
        require(header["recipe"] == recipe, str(path), f"the recipe {recipe}", header["recipe"])
        weights = with_prefix(tensors, "model.")
        model = unwrapped(self.model)
        require_same_make(path, model, weights)
        if header["next_batch"] != self._fingerprint(header["step"]):
            raise ValueError(f"{path}: expected a run on this run's data, got one on other data")

        self.step = header["step"]
        model.load_state_dict(weights)
        averages: dict[int, dict[str, Tensor]] = {}
        for name, tensor in with_prefix(tensors, "optimizer.").items():
            number, _, name = name.partition(".")
            averages.setdefault(int(number), {})[name] = tensor
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": averages, "param_groups": groups})
        self._random_state = tensors["random_state"]
        self.log = [
            LogEntry(int(step), loss, int(tokens), seconds)
            for step, loss, tokens, seconds in tensors["log"].tolist()
        ]

    def _fingerprint(self, step: int) -> str:
        """Digest the batch of a step, to know the data by."""
        batch = self.data[step]
        return digest({"source": batch.source, "target": batch.target}, "")


def steps_within(log: Sequence[LogEntry], cpu_seconds: float | int) -> int:
    """Count the steps that a run had done after some seconds of processor time.

    Other work on the machine makes these seconds some 30 % longer or shorter.
    """
    return bisect_right(log, cpu_seconds, key=lambda entry: entry.cpu_seconds)
