"""What training a translator takes: batches, the loop, checkpoints and measures.

A sequence is a list of token numbers. A model is anything that, called as
``model(source, target)``, returns logits for each position of ``target`` and
whose position t depends on the tokens before t alone (*teacher forcing*: it is
told the right beginning, and asked for what comes next).

The three numbers below are the same in every vocabulary of the book.
"""

import hashlib
import json
import math
import os
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import as_integer, as_real, check_no_text, unwrapped
from attention.report import require

PADDING = 0  # fills a row up to the length of the longest; it is no token
START = 1  # what the decoder reads when nothing has been written yet
END = 2  # what the decoder writes when it has finished

Tokens = Sequence[int]
Pair = tuple[Tokens, Tokens]  # a source and its target, without any of the three

# ------------------------------------------------------------------- batches


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


def pad(
    sequences: Sequence[Tokens], device: torch.device | str | None = None
) -> Int[Tensor, "batch length"]:
    """Write sequences below each other, each followed by ``END`` and then by ``PADDING``.

    Parameters
    ----------
    sequences : sequence of token sequences
    device : torch.device or str, optional
        Where the rows should be. Default: where torch puts new tensors.

    Raises
    ------
    ValueError
        If there is no sequence, or one holds ``PADDING``, ``START``, ``END``, a
        negative number or something that is no integer.
    """
    check_no_text("sequences", sequences, "a sequence of token sequences")
    require(len(sequences) > 0, "sequences", "at least one", len(sequences))
    ended = [_with_end(sequence) for sequence in sequences]
    length = max(map(len, ended))
    rows = torch.full((len(ended), length), PADDING, device="cpu")  # (batch, length)
    for row, tokens in zip(rows, ended, strict=True):
        row[: len(tokens)] = tokens
    return rows.to(device or torch.get_default_device())


def _with_end(sequence: Tokens) -> Int[Tensor, " length"]:
    try:
        tokens = torch.tensor([*sequence, END], device="cpu")  # (length,)
    except (TypeError, ValueError, RuntimeError):  # text, say, or rows of different lengths
        tokens = None
    integers = tokens is not None and tokens.dtype == torch.long and tokens.ndim == 1
    require(integers, "sequences", "a sequence of integers in each place", sequence)
    require(
        min(sequence, default=END + 1) > END,
        "sequences",
        f"tokens above {END}: the numbers up to it have a meaning of their own",
        list(sequence),
    )
    return tokens


def unpad(rows: Int[Tensor, "batch length"]) -> list[list[int]]:
    """Read each row up to its first ``END``, which is kept, or up to the first ``PADDING``.

    A row without ``END`` is a sentence that was not finished.
    """
    sequences = []
    for row in rows.tolist():
        end = row.index(END) + 1 if END in row else len(row)
        sequences.append([token for token in row[:end] if token != PADDING])
    return sequences


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
    _check_pairs(pairs)
    sources, targets = zip(*pairs, strict=True)
    return Batch(pad(sources, device), pad(targets, device))


def _check_pairs(pairs: Sequence[Pair]) -> None:
    check_no_text("pairs", pairs, "a sequence of pairs")
    require(len(pairs) > 0, "pairs", "at least one", len(pairs))
    for pair in pairs:
        two = not isinstance(pair, str | bytes) and len(pair) == 2
        require(two, "pairs", "a source and a target in each place", pair)


def check_numbers(name: str, tokens: object, symbols: int) -> None:
    """Refuse what is not a rectangle of token numbers.

    Parameters
    ----------
    name : str
        What the error should call them.
    tokens : (batch, length)
    symbols : int
        Token numbers run from 0 to this, exclusive.

    Raises
    ------
    ValueError
        If it is no such rectangle, or an empty one.
    """
    good = isinstance(tokens, Tensor) and tokens.dtype == torch.long and tokens.ndim == 2
    came = (
        f"{tokens.dtype} of shape {tuple(tokens.shape)}" if isinstance(tokens, Tensor) else tokens
    )
    require(good, name, "a torch.int64 tensor of shape (batch, length)", came)
    require(tokens.numel() > 0, name, "at least one sequence and one position", came)
    low, high = tokens.min().item(), tokens.max().item()
    require(0 <= low and high < symbols, name, f"tokens from 0 to {symbols - 1}", (low, high))


def check_tokens(name: str, tokens: object, symbols: int) -> None:
    """Refuse what is not a rectangle of token numbers with the padding on the right.

    Parameters and errors are those of ``check_numbers``.
    """
    check_numbers(name, tokens, symbols)
    real = tokens != PADDING  # (batch, length)
    require(bool(real[:, 0].all()), name, "a token at the start of each row", "PADDING there")
    on_the_right = bool((real[:, 1:] <= real[:, :-1]).all())
    require(on_the_right, name, "PADDING only after the last token of a row", "PADDING between")


def check_positive(name: str, number: object) -> int:
    """Refuse what is not a positive integer.

    Parameters
    ----------
    name : str
        What the error should call it.
    number : int
        Python's, NumPy's or torch's.

    Returns
    -------
    number : int
        The same as Python's own.

    Raises
    ------
    ValueError
        If it is none; ``True`` is none.
    """
    return as_integer(name, number, "a positive integer", lambda number: number > 0)


def device_of(model: nn.Module) -> torch.device:
    """Say where a model is: where its first number is, or on the CPU if it has none."""
    numbers = chain(model.parameters(), model.buffers())
    return next((tensor.device for tensor in numbers), torch.device("cpu"))


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
        _check_pairs(pairs)
        self.pairs = pairs
        self.size = check_positive("size", size)
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
        step = as_integer("step", step, "0 or more", lambda step: step >= 0)  # so this never ends
        epoch, place = divmod(step, self.per_epoch)
        if epoch != self._epoch:
            self._epoch, self._order = epoch, self.order(epoch)
        return make_batch([self.pairs[number] for number in self._order[place]])


# ---------------------------------------------------------------------- loss


def token_loss(
    logits: Float[Tensor, "batch length symbols"],
    target: Int[Tensor, "batch length"],
    label_smoothing: float = 0.0,
) -> Float[Tensor, ""]:
    """Average the cross-entropy over all tokens that are not padding, in nats.

    Parameters
    ----------
    logits : (batch, length, symbols)
    target : (batch, length)
    label_smoothing : float
        The share ε of probability that the target gives away to all symbols
        alike, the right one included (Szegedy et al. 2016, section 7). With
        ε > 0 even a perfect model has a loss above 0.

    Raises
    ------
    ValueError
        If ``label_smoothing`` is not a number from 0 to below 1, or the target is
        nothing but padding.
    """
    smoothing = _checked_share("label_smoothing", label_smoothing)
    target = target.flatten()  # (batch * length,)
    require(bool((target != PADDING).any()), "target", "at least one token", "padding only")
    return F.cross_entropy(
        logits.flatten(0, 1), target, ignore_index=PADDING, label_smoothing=smoothing
    )


# ------------------------------------------------------------------ the loop


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
        clip = _checked_positive("clip", clip)
        parameters = [p for group in optimizer.param_groups for p in group["params"]]
        nn.utils.clip_grad_norm_(parameters, clip)
    optimizer.step()
    return loss.item()


def minimise(
    draw_loss: Callable[[], Tensor],
    parameters: Iterable[nn.Parameter],
    learning_rate: float,
    steps: int,
) -> list[float]:
    """Take steps with Adam, each on a loss that is drawn afresh, and nothing more.

    Returns
    -------
    losses : list of float
        Of each step, before its update.

    Raises
    ------
    ValueError
        If ``learning_rate`` or ``steps`` is not positive.
    """
    learning_rate = _checked_positive("learning_rate", learning_rate)
    steps = as_integer("steps", steps, "a positive number", lambda steps: steps > 0)
    optimizer = torch.optim.Adam(parameters, lr=learning_rate)
    return [update(optimizer, draw_loss()) for _ in range(steps)]


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
            "learning_rate": _checked_positive("learning_rate", self.learning_rate),
            "warm_up": as_integer("warm_up", self.warm_up, "0 or more", lambda steps: steps >= 0),
            "betas": _checked_betas(self.betas),
            "label_smoothing": _checked_share("label_smoothing", self.label_smoothing),
            "seed": as_integer("seed", self.seed),
        }
        if self.clip is not None:
            numbers["clip"] = _checked_positive("clip", self.clip)
        if self.schedule == "linear":
            warm_up = numbers["warm_up"]
            expected = f"more than warm_up = {warm_up}"
            numbers["steps"] = as_integer("steps", self.steps, expected, lambda n: n > warm_up)
        elif self.steps is not None:
            numbers["steps"] = check_positive("steps", self.steps)
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, as files want them

    def rate(self, step: int) -> float:
        """Give the learning rate of a step; the first step is number 1."""
        step = as_integer("step", step, "1 or more", lambda step: step >= 1)
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


def _checked_positive(name: str, number: object) -> float:
    return as_real(name, number, "a positive number", lambda number: number > 0)


def _checked_share(name: str, number: object) -> float:
    return as_real(name, number, "a number from 0 to below 1", lambda number: 0 <= number < 1)


def _checked_betas(betas: object) -> tuple[float, float]:
    two = isinstance(betas, Sequence) and not isinstance(betas, str) and len(betas) == 2
    require(two, "betas", "two numbers", betas)
    return tuple(_checked_share("betas", beta) for beta in betas)


class LogEntry(NamedTuple):
    """What is written down after a step."""

    step: int  # steps done
    loss: float  # of this step's batch before its update, in nats for each token
    tokens: int  # target tokens trained on so far
    cpu_seconds: float  # processor time spent on training so far, of all threads together


Data = BatchesByLength | Sequence[Batch]  # by the number of the step
Loss = Callable[[nn.Module, Batch, Recipe], Tensor]


def translation_loss(model: nn.Module, batch: Batch, recipe: Recipe) -> Float[Tensor, ""]:
    """Compute ``token_loss`` with the target's true beginnings given."""
    return token_loss(model(batch.source, batch.target), batch.target, recipe.label_smoothing)


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
        steps = check_positive("steps", steps)
        device = device_of(self.model)
        with _in_mode(self.model, training=True), _keeping_random_state(device):
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
        weights = _part(tensors, "model.")
        model = unwrapped(self.model)
        _require_same_make(path, model, weights)
        if header["next_batch"] != self._fingerprint(header["step"]):
            raise ValueError(f"{path}: expected a run on this run's data, got one on other data")

        self.step = header["step"]
        model.load_state_dict(weights)
        averages: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(tensors, "optimizer.").items():
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
        return _digest({"source": batch.source, "target": batch.target}, "")


def steps_within(log: Sequence[LogEntry], cpu_seconds: float | int) -> int:
    """Count the steps that a run had done after some seconds of processor time.

    Other work on the machine makes these seconds some 30 % longer or shorter.
    """
    return bisect_right(log, cpu_seconds, key=lambda entry: entry.cpu_seconds)


@contextmanager
def _in_mode(model: nn.Module, training: bool) -> Iterator[None]:
    """Switch all parts of a model to one mode; each gets back its own."""
    before = [(part, part.training) for part in model.modules()]
    model.train(training)
    try:
        yield
    finally:
        for part, mode in before:
            part.training = mode


@contextmanager
def _keeping_random_state(device: torch.device) -> Iterator[None]:
    """Put the state of the random numbers back, the CPU's and the device's."""
    with torch.random.fork_rng(devices=[]):
        if device.type == "cpu":
            yield
            return
        there = torch.get_device_module(device)
        which = () if device.type == "mps" else (device,)  # Apple's GPU is one, and unnumbered
        before = there.get_rng_state(*which)
        try:
            yield
        finally:
            there.set_rng_state(before, *which)


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Switch dropout and gradients off while the ``with`` block lasts.

    After it each part of the model is as it was, in training or not.
    """
    with _in_mode(model, training=False), torch.no_grad():
        yield


# --------------------------------------------------------------------- files
# A .safetensors file holds numbers and strings, and no code that reading it could
# run (a pickle does). Ours has one string: a checksum, a blank, and a JSON text. The
# checksum is of that text and of all numbers, so that no changed bit goes unseen.


def write_tensors(path: str | Path, tensors: dict[str, Tensor], header: dict) -> None:
    """Write named tensors and a JSON header to a ``.safetensors`` file.

    The file appears under its name when it is complete: a run that is killed
    while it saves leaves the old file as it was. Equal contents make equal files.
    """
    text = json.dumps(header, sort_keys=True)
    # Copies, since two names may share one memory (tied weights), which the format forbids.
    tensors = {name: tensor.detach().cpu().clone().contiguous() for name, tensor in tensors.items()}
    unfinished = Path(f"{path}.unfinished")
    save_file(tensors, unfinished, {"header": f"{_digest(tensors, text)} {text}"})
    os.replace(unfinished, path)


def read_tensors(path: str | Path) -> tuple[dict[str, Tensor], dict]:
    """Read what ``write_tensors`` wrote.

    Returns
    -------
    tensors : dict
    header : dict

    Raises
    ------
    ValueError
        If there is no such file, it is not from ``write_tensors``, or it has
        been cut short or changed since.
    """
    require(Path(path).is_file(), "path", "an existing .safetensors file", str(path))
    try:
        with safe_open(path, framework="pt") as file:
            stored = (file.metadata() or {}).get("header", "")
            # Copies: what safe_open gives is the file itself, wherever it goes from now on.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}
    except (SafetensorError, OSError, KeyError, AttributeError, RuntimeError) as error:
        raise ValueError(f"{path}: not a complete .safetensors file ({error})") from error
    checksum, _, text = stored.partition(" ")
    if not text:
        raise ValueError(f"{path}: no checksum in it, so not written by this book's write_tensors")
    if _digest(tensors, text) != checksum:
        raise ValueError(f"{path}: the checksum is wrong, so the file has been changed or damaged")
    return tensors, json.loads(text)


def save_weights(path: str | Path, model: nn.Module, header: dict) -> None:
    """Write a model's weights, with whatever the header should tell about them.

    They have the model's own names, whatever wrapper it is in.
    """
    write_tensors(path, unwrapped(model).state_dict(), header)


def load_weights(path: str | Path, model: nn.Module) -> dict:
    """Read weights into a model of the same make.

    Returns
    -------
    header : dict

    Raises
    ------
    ValueError
        If the file cannot be read (see ``read_tensors``), or its weights have
        other names, shapes or types than the model's.
    """
    weights, header = read_tensors(path)
    model = unwrapped(model)
    _require_same_make(path, model, weights)
    model.load_state_dict(weights)
    return header


def _part(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


def _require_same_make(path: str | Path, model: nn.Module, weights: dict[str, Tensor]) -> None:
    def make(tensors: dict[str, Tensor]) -> dict[str, str]:
        return {name: f"{t.dtype} of shape {tuple(t.shape)}" for name, t in tensors.items()}

    expected, found = make(model.state_dict()), make(weights)
    for name in sorted(expected.keys() | found.keys()):
        wanted, came = expected.get(name, "nothing"), found.get(name, "nothing")
        if wanted != came:
            raise ValueError(f"{path}: expected {wanted} for the model's {name}, got {came}")


def _digest(tensors: dict[str, Tensor], text: str) -> str:
    """Compute a checksum of a text and of named tensors: names, types, shapes, numbers."""
    digest = hashlib.sha256(text.encode())
    for name, tensor in sorted(tensors.items()):
        digest.update(f"\n{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


# ------------------------------------------------------------------ measures


def right_tokens(
    model: nn.Module, pairs: Sequence[Pair], size: int = 100
) -> tuple[Int[Tensor, " pairs"], Int[Tensor, " pairs"]]:
    """Count the tokens of each target that the model finds, given the true ones before.

    Token accuracy is ``right.sum() / tokens.sum()``. It flatters: after a mistake
    of its own a model would have to go on from there, and here it need not.

    Parameters
    ----------
    model : nn.Module
    pairs : sequence of Pair
    size : int
        Pairs computed at a time; it does not change the result.

    Returns
    -------
    right, tokens : (pairs,)
        How many it finds, and how many there are, with ``END``; where the model is.

    Raises
    ------
    ValueError
        If there is no pair, or ``size`` is not a positive integer.
    """
    _check_pairs(pairs)
    device = device_of(model)
    right = torch.zeros(len(pairs), dtype=torch.long, device=device)
    with evaluating(model):
        for numbers in _similar([source for source, _ in pairs], size):
            batch = make_batch([pairs[number] for number in numbers], device)
            found = model(batch.source, batch.target).argmax(-1)  # (batch, target_length)
            hits = (found == batch.target) & (batch.target != PADDING)
            right[numbers] = hits.sum(-1)
    return right, torch.tensor([len(target) + 1 for _, target in pairs], device=device)


def decode_all(
    decode: Callable[[Tensor], Tensor],
    sources: Sequence[Tokens],
    size: int = 100,
    device: torch.device | str | None = None,
) -> list[list[int]]:
    """Translate sentences of all lengths, those of like length together.

    Parameters
    ----------
    decode : callable
        From a padded source (batch, source_length) to tokens (batch, length):
        ``partial(generate.greedy, model)``, for example.
    sources : sequence of token sequences
    size : int
        Sentences decoded at a time.
    device : torch.device or str, optional
        Where the padded sources should be: where the model is. See ``pad``.

    Returns
    -------
    outputs : list of token lists
        In the order of the sources; each ends in ``END`` unless it was cut off.

    Raises
    ------
    ValueError
        If ``size`` is not a positive integer, or ``pad`` refuses the sources.
    """
    check_no_text("sources", sources, "a sequence of token sequences")
    outputs: list[list[int]] = [[] for _ in sources]
    for numbers in _similar(sources, size):
        rows = decode(pad([sources[number] for number in numbers], device))
        for number, output in zip(numbers, unpad(rows), strict=True):
            outputs[number] = output
    return outputs


def _similar(sources: Sequence[Tokens], size: int) -> list[list[int]]:
    """Group the numbers of the sources so that lengths in a group are alike."""
    size = check_positive("size", size)
    order = sorted(range(len(sources)), key=lambda number: len(sources[number]))
    return [order[i : i + size] for i in range(0, len(order), size)]


def exact_matches(outputs: Sequence[Tokens], targets: Sequence[Tokens]) -> list[bool]:
    """Say which outputs are their target, token for token, and end where it ends.

    Parameters
    ----------
    outputs : sequence of token sequences
        With ``END``, as ``decode_all`` returns them; without it, it is no match.
    targets : sequence of token sequences
        Without ``END``, as in a ``Pair``.

    Raises
    ------
    ValueError
        If there are more of one than of the other, or text stands for tokens.
    """
    for name, sequences in (("outputs", outputs), ("targets", targets)):
        for tokens in (sequences, *sequences):
            check_no_text(name, tokens, "a sequence of token sequences")
    require(len(outputs) == len(targets), "outputs", f"{len(targets)} of them", len(outputs))
    return [list(output) == [*target, END] for output, target in zip(outputs, targets, strict=True)]


def means_by_length(
    lengths: Sequence[int], values: Sequence[float | int], buckets: Sequence[tuple[int, int]]
) -> list[float]:
    """Average values over the sentences whose length is in each bucket.

    Parameters
    ----------
    lengths, values : sequence
        One of each for every sentence; ``True`` counts as 1.
    buckets : sequence of (shortest, longest)
        Both ends belong to the bucket.

    Returns
    -------
    means : list of float
        NaN for a bucket without a sentence.

    Raises
    ------
    ValueError
        If the lengths are not as many as the values, or one of both is text.
    """
    for name, numbers in (("lengths", lengths), ("values", values)):
        check_no_text(name, numbers, "a number for each sentence")
    require(len(values) == len(lengths), "values", f"{len(lengths)} of them", len(values))
    means = []
    for shortest, longest in buckets:
        inside = [
            float(value)
            for length, value in zip(lengths, values, strict=True)
            if shortest <= length <= longest
        ]
        means.append(sum(inside) / len(inside) if inside else math.nan)
    return means


def bleu(outputs: Sequence[str], references: Sequence[str], tokenize: str = "13a") -> float:
    """Score translations by the runs of 1 to 4 words that they share with a reference.

    BLEU (Papineni et al. 2002), as ``sacrebleu`` computes it (Post 2018): of the
    whole set at once, with one reference for each output.

    Parameters
    ----------
    outputs, references : sequence of str
        Sentences as one would print them.
    tokenize : str
        What counts as a word; "13a" is the standard, "none" splits at blanks.

    Returns
    -------
    score : float
        From 0 to 100.

    Raises
    ------
    ValueError
        If there are no outputs, or more of one than of the other, or one of both is
        not a sequence of strings: a single string is none.
    ImportError
        If ``sacrebleu`` is not installed.
    """
    for name, sentences in (("outputs", outputs), ("references", references)):
        check_no_text(name, sentences, "a sequence of sentences")
        for sentence in sentences:
            require(isinstance(sentence, str), name, "a string in each place", sentence)
    require(len(outputs) > 0, "outputs", "at least one", len(outputs))
    require(len(outputs) == len(references), "outputs", f"{len(references)} of them", len(outputs))
    try:
        from sacrebleu.metrics import BLEU
    except ImportError as error:
        raise ImportError("BLEU needs the package sacrebleu: pip install sacrebleu") from error
    return BLEU(tokenize=tokenize).corpus_score(list(outputs), [list(references)]).score


# ---------------------------------------------------------------- alignments

Link = tuple[int, int]  # a source word and a target word, both counted from 0
Alignment = set[Link] | frozenset[Link]


def strongest_links(
    weights: Float[Tensor, "rows columns"], source_length: int, target_length: int
) -> set[Link]:
    """Link each target word to the source word with the largest weight.

    Parameters
    ----------
    weights : (rows, columns)
        Of one sentence pair. Row t must be the weights of the step that *writes*
        target word t.
    source_length, target_length : int
        In words. Further rows and columns are those of ``END`` and of padding. A
        target word that looks hardest at the source's ``END`` is linked to nothing.

    Raises
    ------
    ValueError
        If the weights have fewer rows or columns than there are words, or a length is
        no number of words.
    """
    rows, columns = weights.shape
    target_length = _checked_length("target_length", target_length, rows)
    source_length = _checked_length("source_length", source_length, columns)
    strongest = weights[:target_length].argmax(-1).tolist()
    return {(source, target) for target, source in enumerate(strongest) if source < source_length}


def _checked_length(name: str, length: object, longest: float | int = math.inf) -> int:
    expected = "0 or more words" if longest == math.inf else f"at most {longest}"
    return as_integer(name, length, expected, lambda length: 0 <= length <= longest)


def alignment_error_rate(
    alignments: Sequence[Alignment],
    sure: Sequence[Alignment],
    possible: Sequence[Alignment] | None = None,
) -> float:
    """Compare links with those that a person, or a grammar, has drawn.

    1 - (|A ∩ S| + |A ∩ P|) / (|A| + |S|), counted over all sentences together, where
    A are the links to be judged, S the sure ones and P the possible ones, S among
    them (Och & Ney 2003).

    Parameters
    ----------
    alignments, sure : sequence of sets of links
        One set for each sentence.
    possible : sequence of sets of links, optional
        Default: only the sure ones.

    Returns
    -------
    rate : float
        0 if all sure links are found and all others are possible ones; 1 if
        nothing fits.

    Raises
    ------
    ValueError
        If the numbers of sentences differ, something is not a sequence of sets, or there
        is no link at all.
    """
    _check_sets("alignments", alignments)
    possible = _possible(sure, possible, len(alignments))
    fitting = links = 0
    for found, certain, allowed in zip(alignments, sure, possible, strict=True):
        fitting += len(found & certain) + len(found & allowed)
        links += len(found) + len(certain)
    require(links > 0, "alignments", "at least one link, there or in sure", links)
    return 1 - fitting / links


def diagonal_links(source_length: int, target_length: int) -> set[Link]:
    """Link each target word to the source word that is as far along its sentence.

    Raises
    ------
    ValueError
        If ``source_length`` is not a positive integer, or ``target_length`` is negative
        or no integer.
    """
    source_length = check_positive("source_length", source_length)
    target_length = _checked_length("target_length", target_length)
    return {
        ((2 * target + 1) * source_length // (2 * target_length), target)
        for target in range(target_length)
    }


def uniform_error_rate(
    lengths: Sequence[tuple[int, int]],
    sure: Sequence[Alignment],
    possible: Sequence[Alignment] | None = None,
) -> float:
    """Compute the error rate to expect if each target word is linked to any source word.

    Exactly, and not by drawing: the number of links is fixed, so the rate's
    expectation follows from each link's chance of 1 in ``source_length``.

    Parameters
    ----------
    lengths : sequence of (source_length, target_length)
        In words, one pair for each sentence.
    sure, possible
        As in ``alignment_error_rate``.

    Raises
    ------
    ValueError
        If the numbers of sentences differ, a length is no number of words, or there is no
        target word.
    """
    check_no_text("lengths", lengths, "two lengths for each sentence")
    possible = _possible(sure, possible, len(lengths))
    fitting = links = 0.0
    for (source_length, target_length), certain, allowed in zip(
        lengths, sure, possible, strict=True
    ):
        fitting += (len(certain) + len(certain | allowed)) / check_positive(
            "lengths", source_length
        )
        links += _checked_length("lengths", target_length) + len(certain)
    require(links > 0, "lengths", "at least one target word", list(lengths))
    return 1 - fitting / links


def _possible(
    sure: Sequence[Alignment], possible: Sequence[Alignment] | None, sentences: int
) -> list[Alignment]:
    """Check the numbers of sentences; put the sure links among the possible ones."""
    possible = sure if possible is None else possible
    for name, sets in (("sure", sure), ("possible", possible)):
        _check_sets(name, sets)
        require(len(sets) == sentences, name, f"{sentences} sets of links", len(sets))
    return [allowed | certain for allowed, certain in zip(possible, sure, strict=True)]


def _check_sets(name: str, sets: Sequence[Alignment]) -> None:
    good = not isinstance(sets, Set | str) and all(isinstance(links, Set) for links in sets)
    require(good, name, "a sequence of sets of links", sets)
