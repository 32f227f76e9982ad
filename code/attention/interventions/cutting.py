"""Cutting edges of the attention: attention knockout (translation: Cut the edge)."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import SupportsIndex

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from attention._tensors import describe
from attention.interventions._arguments import edges_of_text, some_of
from attention.interventions._hooks import Text, by_name, length_of_text, removing
from attention.interventions.places import attentions, stack_of
from attention.keys_and_values import KeysAndValues
from attention.report import require

Edges = Bool[Tensor, "*batch queries keys"]


@contextmanager
def knock_out(
    model: nn.Module,
    where: str,
    edges: Edges,
    layers: Iterable[SupportsIndex] | None = None,
    heads: Iterable[SupportsIndex] | None = None,
) -> Iterator[None]:
    """Cut edges of the attention while the ``with`` block lasts.

    The weight there is 0, and the softmax shares it out among the other keys. A query
    that has no key left gets nothing from the head.

    Parameters
    ----------
    model : Transformer or LanguageModel
    where : "encoder", "decoder" or "cross"
        See ``attentions``.
    edges : (batch, queries, keys), boolean
        ``True`` for an edge that is cut; this is not a mask, where ``True`` means *may
        attend*. Broadcasts: (queries, keys) serves the whole batch. In the decoder, there
        may be more queries than the text has positions, and in its self-attention more
        keys.
    layers, heads : numbers from 0, optional
        Where to cut; by default everywhere.

    Raises
    ------
    ValueError
        If there is no such attention, layer or head, or ``edges`` is not boolean; when
        the model is called, if they do not fit its queries and keys.
    """
    there = attentions(model)
    require(where in there, "where", f"one of {tuple(there)}", where)
    good = isinstance(edges, Tensor) and edges.dtype == torch.bool and edges.ndim in (2, 3)
    expected = "a boolean tensor of shape (batch, queries, keys) or (queries, keys)"
    require(good, "edges", expected, describe(edges))
    layers = some_of("layers", layers, len(there[where]))
    heads = some_of("heads", heads, there[where][0].heads)

    def cut(text: Text, attention: nn.Module, arguments: tuple, named: dict) -> tuple:
        named = by_name(attention, arguments, named)
        x, memory, mask = named["x"], named.get("memory"), named.get("mask")
        if where == "cross":  # self-attention has appended the new positions already
            offset = length_of_text(text.kept, x.shape[1]) - x.shape[1]
            keys = memory.length if isinstance(memory, KeysAndValues) else memory.shape[1]
        else:
            offset = length_of_text(named.get("kept"), 0)
            keys = offset + x.shape[1]
        needed = len(x), offset + x.shape[1], keys
        forbidden = edges_of_text(edges, needed, where)[..., offset:, :].to(x.device)
        chosen = [head in heads for head in range(attention.heads)]
        chosen = torch.tensor(chosen, device=x.device)[:, None, None]  # (heads, 1, 1)
        allowed = ~(forbidden[:, None] & chosen)  # (batch, heads, queries, keys)
        if mask is not None:
            allowed = allowed & (mask[:, None] if mask.ndim == 3 else mask)
        return (), named | {"mask": allowed}

    handles = []
    for number in layers:
        text = Text(stack_of(model, where)[number])
        hook = partial(cut, text)
        handle = there[where][number].register_forward_pre_hook(hook, with_kwargs=True)
        handles += [*text.handles, handle]
    with removing(handles):
        yield
