"""What decoding asks of a model, and how each kind answers (cost: Writing: keep keys and values).

To read a source, and then to take one token after the other and say what may follow.
That is a ``Stepper``, and there is a short one for each kind.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention._arguments import unwrapped
from attention.recurrent import Memory, Translator
from attention.report import require
from attention.training import device_of
from attention.transformer import Transformer

Source = Int[Tensor, "batch source_length"]
Tokens = Int[Tensor, "batch length"]
Token = Int[Tensor, " batch"]  # one for each row
Logits = Float[Tensor, "batch symbols"]  # of the next token


@runtime_checkable
class Rows(Protocol):
    """Something in rows, such as a tensor, of which ``[rows]`` takes some in a new order."""

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> Any: ...


State = tuple[Rows | None, ...]


@runtime_checkable
class Stepper(Protocol):
    """What decoding asks of a model: to start on a source, and to take a step.

    All that passes from step to step is the state: a tuple of tensors whose first axis
    counts the rows (or of whatever else has rows to be taken), or None where a model has
    nothing to keep. So ``pick`` can drop, repeat and reorder the rows of any model.

    Attributes
    ----------
    model : nn.Module
        Its dropout is off while something is written.
    """

    model: nn.Module

    def start(self, source: Source) -> State:
        """Read the source; give the state in which nothing has been written yet."""
        ...

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Take the token written last, ``START`` at first; say what may follow it."""
        ...


@dataclass(frozen=True)
class RecurrentStepper:
    """Write with a recurrent translator: it keeps the decoder's state and its memory."""

    model: Translator

    def start(self, source: Source) -> State:
        """Read the source."""
        memory, decoder = self.model.encode(source)
        return decoder, *vars(memory).values()

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token."""
        decoder, *memory = state
        logits, decoder, _ = self.model.step(Memory(*memory), decoder, token)
        return logits, (decoder, *memory)


@dataclass(frozen=True)
class TransformerStepper:
    """Write with a transformer: it keeps all tokens so far, and reads them all again."""

    model: Transformer

    def start(self, source: Source) -> State:
        """Read the source."""
        memory = self.model.encode(source)
        return source[:, :0], *memory

    def step(self, state: State, token: Token) -> tuple[Logits, State]:
        """Read one token, after all that came before it."""
        before, *memory = state
        before = torch.cat([before, token[:, None]], dim=1)  # (batch, length)
        logits = self.model.decode(before, *memory)  # (batch, length, symbols)
        return logits[:, -1], (before, *memory)


Model = Translator | Transformer | Stepper | nn.Module  # a wrapper is an nn.Module


def stepper_for(model: Model) -> Stepper:
    """Find out how to write with a model; a ``Stepper`` is returned as it is.

    Of a model in a wrapper, the model itself is taken.

    Raises
    ------
    ValueError
        If it is neither a translator of the book nor a ``Stepper``.
    """
    model = unwrapped(model)
    if isinstance(model, Translator):
        return RecurrentStepper(model)
    if isinstance(model, Transformer):
        return TransformerStepper(model)
    expected = "a Translator, a Transformer or a Stepper"
    require(isinstance(model, Stepper), "model", expected, type(model).__name__)
    return model


def pick(state: State, rows: Int[Tensor, " picked"]) -> State:
    """Take some rows of a state, in this order; a row may be taken twice or not at all."""
    return tuple(None if part is None else part[rows] for part in state)


def start(stepper: Stepper, source: Source) -> State:
    """Let a stepper read the source, which has to be where its model is.

    Raises
    ------
    ValueError
        If it is elsewhere, or the model refuses it.
    """
    check_device("source", source, stepper.model)
    return stepper.start(source)


def most_tokens(model: nn.Module, max_length: int) -> int:
    """Say how many tokens a model can write: with learned positions, no more than it has.

    It reads ``START`` and all but the last of them, so it needs as many positions.
    """
    limited = isinstance(model, Transformer) and model.config.position == "learned"
    return min(max_length, model.config.max_length) if limited else max_length


def check_device(name: str, tokens: object, model: nn.Module) -> None:
    """Refuse tokens that are not where a model is."""
    tensor = isinstance(tokens, Tensor)
    require(tensor, name, "a torch.int64 tensor of shape (batch, length)", tokens)
    here, expected = tokens.device, device_of(model)
    require(here == expected, name, f"tokens on {expected}, where the model is", str(here))
