"""What recording and interfering share: hooks, places (transformer: One sentence, every tensor).

Torch calls a *hook* before or after a module's own ``forward``.
"""

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import SupportsIndex

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle

from attention.interventions.places import stack_of
from attention.keys_and_values import KeysAndValues

Stream = Float[Tensor, "batch length d_model"]


@contextmanager
def removing(handles: list[RemovableHandle]) -> Iterator[None]:
    """Take hooks off again when the ``with`` block ends, also if by an error."""
    try:
        with as_written():
            yield
    finally:
        for handle in handles:
            handle.remove()


def as_written() -> AbstractContextManager:
    """Let compiled functions run as they were written; there are none without dynamo."""
    there = "torch._dynamo" in sys.modules
    return torch.compiler.set_stance("force_eager") if there else nullcontext()


def by_name(module: nn.Module, arguments: tuple, named: dict) -> dict:
    """Name the arguments with which a module was called."""
    names = inspect.signature(module.forward).parameters
    return dict(zip(names, arguments, strict=False)) | named


class Text:
    """Know what is kept of the text that a layer is reading, while it is reading it.

    Cross-attention needs no keys of the text, and is not told; its layer is.
    """

    def __init__(self, layer: nn.Module):
        self.kept: KeysAndValues | None = None
        self.handles = [
            layer.register_forward_pre_hook(self._begin, with_kwargs=True),
            layer.register_forward_hook(self._end, always_call=True),
        ]

    def _begin(self, layer: nn.Module, arguments: tuple, named: dict) -> None:
        self.kept = by_name(layer, arguments, named).get("kept")

    def _end(self, *_: object) -> None:
        self.kept = None


def at_stage(
    model: nn.Module,
    where: str,
    stage: SupportsIndex,
    meet: Callable[[Stream, KeysAndValues | None, int], Stream | None],
) -> RemovableHandle:
    """Let a function meet the stream: it is told what is kept, and the stream's first position.

    What it returns, unless None, takes the stream's place. Stage 0 is met where the first
    layer begins.
    """
    layer = stack_of(model, where)[max(stage - 1, 0)]

    def before(layer: nn.Module, arguments: tuple, named: dict) -> tuple | None:
        named = by_name(layer, arguments, named)
        kept = named.get("kept")
        x = meet(named["x"], kept, length_of_text(kept, 0))
        return None if x is None else ((), named | {"x": x})

    def after(layer: nn.Module, arguments: tuple, named: dict, output: Stream) -> Stream | None:
        kept = by_name(layer, arguments, named).get("kept")
        return meet(output, kept, length_of_text(kept, output.shape[1]) - output.shape[1])

    if stage == 0:
        return layer.register_forward_pre_hook(before, with_kwargs=True)
    return layer.register_forward_hook(after, with_kwargs=True)


def length_of_text(kept: KeysAndValues | None, without_cache: int) -> int:
    return without_cache if kept is None else kept.length


def below_earlier(rows: Tensor, kept: KeysAndValues | None, name: tuple) -> Tensor:
    """Put rows of new positions below those of earlier ones, which go with what is kept."""
    if kept is None:
        return rows
    if name in kept.notes:
        earlier = kept.notes[name]  # (..., rows, columns)
        earlier = F.pad(earlier, (0, rows.shape[-1] - earlier.shape[-1]))
        rows = torch.cat([earlier, rows], dim=-2)
    kept.notes[name] = rows
    return rows
