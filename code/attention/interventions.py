"""Watch a transformer at work, and interfere (translation: Does a head look at the noun).

That a head looks somewhere does not say that the model needs what it finds there. So
there are tools to look and tools to interfere, for a ``with`` block each:

- ``recording_weights`` and ``recording_streams`` look;
- ``forbidding`` cuts *edges*: from a query to a key, where no head may attend then;
- ``patching`` puts the residual stream of another run in the place of this one's.

They can be nested, all leave the model as it was, and none changes a line of it: torch
calls a *hook* before or after a module's own ``forward``. The model may be in a wrapper.
What ``torch.compile`` made asks no hooks that came later, so while a block lasts it runs
as it was written.

All of them act while a model writes, too: with ``greedy``, ``beam`` and ``sample``, with
``read`` and ``go_on``, with a key–value cache and without. The decoder then reads a text
that grows.

- Positions are counted from the beginning of the text. The position p has row p of
  ``edges``, ``places`` and ``stream``, whichever step it is read in. For the decoder these
  may be longer than the text, since nobody knows its length before; not shorter.
- What is recorded of a text that is read in parts is put together. So at the end there is
  the same with a cache as without, where each step reads the whole text again.
- The rows are those that the decoder gets. In a beam these are all hypotheses of the first
  sentence, then all of the second, and so on. ``edges`` without a batch axis serve them
  all; what differs between sentences must be repeated with ``repeat_interleave(width, 0)``.
  The encoder gets each sentence once.

Examples
--------
>>> with recording_streams(model) as streams:
...     model(other_source, target)
>>> with patching(model, "encoder", 1, places, streams["encoder", 1]):
...     logits = model(source, target)
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import SupportsIndex

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.hooks import RemovableHandle

from attention._arguments import as_integer, unwrapped
from attention.layers import KeysAndValues, MultiHeadAttention
from attention.report import require
from attention.training import evaluating
from attention.transformer import LanguageModel, Transformer

Place = tuple[str, int]  # ("encoder", 1): which stack, and how deep
Edges = Bool[Tensor, "*batch queries keys"]
Places = Bool[Tensor, "batch length"]
Stream = Float[Tensor, "batch length d_model"]


def attentions(model: nn.Module) -> dict[str, list[MultiHeadAttention]]:
    """List a model's attention sublayers, from the first layer to the last.

    Returns
    -------
    attentions : dict
        "encoder" and "decoder" are self-attention, "cross" is the decoder's attention
        to the source. A language model has only "decoder".

    Raises
    ------
    ValueError
        If it is no ``Transformer`` and no ``LanguageModel``.
    """
    model = _checked_model(model)
    decoder = [layer.self_attention for layer in model.decoder.layers]
    if isinstance(model, LanguageModel):
        return {"decoder": decoder}
    return {
        "encoder": [layer.self_attention for layer in model.encoder.layers],
        "decoder": decoder,
        "cross": [layer.cross_attention for layer in model.decoder.layers],
    }


def stages(model: nn.Module) -> dict[str, list[nn.Module]]:
    """List the modules after each of which the residual stream can be met.

    Returns
    -------
    stages : dict
        Of "encoder" and "decoder" (a language model has only the latter): number 0 is
        the embedding, number n the n-th layer. The norm that ends a stack comes later.

    Raises
    ------
    ValueError
        As ``attentions`` does.
    """
    model = _checked_model(model)
    if isinstance(model, LanguageModel):
        return {"decoder": [model.embedding, *model.decoder.layers]}
    return {
        "encoder": [model.source_embedding, *model.encoder.layers],
        "decoder": [model.target_embedding, *model.decoder.layers],
    }


# ---------------------------------------------------------------------- looking


@contextmanager
def recording_weights(model: nn.Module) -> Iterator[dict[Place, Tensor]]:
    """Keep the attention weights of all layers and heads while the ``with`` block lasts.

    They are computed beside the model's own work, which stays the same to the last
    digit, without dropout and without gradients.

    Yields
    ------
    weights : dict
        ``weights["encoder", 0]``: of the encoder's first layer, in the last call. Each
        (batch, heads, queries, keys); for the names, see ``attentions``. With a cache the
        rows of new positions are put below those of the positions before, as far as these
        were read in the block; a row is 0 where the keys came later.
    """
    weights: dict[Place, Tensor] = {}
    this_block = object()

    def record(place: Place, text: _Text, attention: nn.Module, *call: object) -> None:
        named = _by_name(attention, *call[:2])
        kept = named.get("kept", text.kept)
        if "kept" in named and kept is not None:  # as it was before this call
            named["kept"] = kept.first(kept.length - named["x"].shape[1])
        with evaluating(attention):
            _, rows = attention.forward(**named | {"return_weights": True})
        weights[place] = _below_earlier(rows, kept, (this_block, *place))

    handles = []
    for where, layers in attentions(model).items():
        for number, attention in enumerate(layers):
            text = _Text(_stack(model, where)[number])
            hook = partial(record, (where, number), text)
            handles += [*text.handles, attention.register_forward_hook(hook, with_kwargs=True)]
    with _removing(handles):
        yield weights


@contextmanager
def recording_streams(model: nn.Module) -> Iterator[dict[Place, Tensor]]:
    """Keep the residual stream after each stage while the ``with`` block lasts.

    Yields
    ------
    streams : dict
        ``streams["encoder", 0]``: after the encoder's embedding, in the last call;
        ``streams["encoder", 1]``: after its first layer. Each (batch, length, d_model).
        With a cache, new positions are put behind those before, as in
        ``recording_weights``.
    """
    streams: dict[Place, Tensor] = {}
    this_block = object()

    def record(place: Place, x: Stream, kept: KeysAndValues | None, offset: int) -> None:
        streams[place] = _below_earlier(x, kept, (this_block, *place))

    handles = [
        _at_stage(model, where, stage, partial(record, (where, stage)))
        for where, modules in stages(model).items()
        for stage in range(len(modules))
    ]
    with _removing(handles):
        yield streams


# ------------------------------------------------------------------ interfering


@contextmanager
def forbidding(
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
    require(good, "edges", expected, _describe(edges))
    layers = _some_of("layers", layers, len(there[where]))
    heads = _some_of("heads", heads, there[where][0].heads)

    def cut(text: _Text, attention: nn.Module, arguments: tuple, named: dict) -> tuple:
        named = _by_name(attention, arguments, named)
        x, memory, mask = named["x"], named.get("memory"), named.get("mask")
        if where == "cross":  # self-attention has appended the new positions already
            offset = _length(text.kept, x.shape[1]) - x.shape[1]
            keys = memory.length if isinstance(memory, KeysAndValues) else memory.shape[1]
        else:
            offset = _length(named.get("kept"), 0)
            keys = offset + x.shape[1]
        needed = len(x), offset + x.shape[1], keys
        forbidden = _edges_of_text(edges, needed, where)[..., offset:, :].to(x.device)
        chosen = [head in heads for head in range(attention.heads)]
        chosen = torch.tensor(chosen, device=x.device)[:, None, None]  # (heads, 1, 1)
        allowed = ~(forbidden[:, None] & chosen)  # (batch, heads, queries, keys)
        if mask is not None:
            allowed = allowed & (mask[:, None] if mask.ndim == 3 else mask)
        return (), named | {"mask": allowed}

    handles = []
    for number in layers:
        text = _Text(_stack(model, where)[number])
        hook = partial(cut, text)
        handle = there[where][number].register_forward_pre_hook(hook, with_kwargs=True)
        handles += [*text.handles, handle]
    with _removing(handles):
        yield


@contextmanager
def patching(
    model: nn.Module, where: str, stage: SupportsIndex, places: Places, stream: Stream
) -> Iterator[None]:
    """Replace the residual stream at some places while the ``with`` block lasts.

    Parameters
    ----------
    model : Transformer or LanguageModel
    where : "encoder" or "decoder"
    stage : int
        0 for after the embedding, n for after the n-th layer.
    places : (batch, length), boolean
        ``True`` where ``stream`` takes the place of what the model computed.
    stream : (batch, length, d_model)
        From ``recording_streams`` in another run. In the decoder, ``places`` and
        ``stream`` may be longer than the text.

    Raises
    ------
    ValueError
        If there is no such stream or stage, or ``places`` is not boolean; when the
        model is called, if they do not fit the model's stream.
    """
    there = stages(model)
    require(where in there, "where", f"one of {tuple(there)}", where)
    last = len(there[where]) - 1
    stage = _number_up_to(last, "stage", stage)
    good = isinstance(places, Tensor) and places.dtype == torch.bool
    require(good, "places", "a boolean tensor of shape (batch, length)", _describe(places))
    good = isinstance(stream, Tensor) and stream.is_floating_point()
    expected = "a floating-point tensor of shape (batch, length, d_model)"
    require(good, "stream", expected, _describe(stream))

    def patch(x: Stream, kept: KeysAndValues | None, offset: int) -> Stream:
        end = offset + x.shape[1]
        _check_covers("places", "(batch, length)", places, (len(x), end), where)
        needed = len(x), end, x.shape[2]
        _check_covers("stream", "(batch, length, d_model)", stream, needed, where)
        here = places[:, offset:end, None].to(x.device)
        return torch.where(here, stream[:, offset:end].to(x.device), x)

    with _removing([_at_stage(model, where, stage, patch)]):
        yield


# ---------------------------------------------------------------- where in the text


class _Text:
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
        self.kept = _by_name(layer, arguments, named).get("kept")

    def _end(self, *_: object) -> None:
        self.kept = None


def _at_stage(
    model: nn.Module,
    where: str,
    stage: SupportsIndex,
    meet: Callable[[Stream, KeysAndValues | None, int], Stream | None],
) -> RemovableHandle:
    """Let a function meet the stream: it is told what is kept, and the stream's first position.

    What it returns, unless None, takes the stream's place. Stage 0 is met where the first
    layer begins.
    """
    layer = _stack(model, where)[max(stage - 1, 0)]

    def before(layer: nn.Module, arguments: tuple, named: dict) -> tuple | None:
        named = _by_name(layer, arguments, named)
        kept = named.get("kept")
        x = meet(named["x"], kept, _length(kept, 0))
        return None if x is None else ((), named | {"x": x})

    def after(layer: nn.Module, arguments: tuple, named: dict, output: object) -> object:
        x = output[0] if isinstance(output, tuple) else output
        kept = _by_name(layer, arguments, named).get("kept")
        x = meet(x, kept, _length(kept, x.shape[1]) - x.shape[1])
        # A decoder's layer that was asked for them returns weights too.
        return (x, *output[1:]) if isinstance(output, tuple) and x is not None else x

    if stage == 0:
        return layer.register_forward_pre_hook(before, with_kwargs=True)
    return layer.register_forward_hook(after, with_kwargs=True)


def _stack(model: nn.Module, where: str) -> nn.ModuleList:
    """Name the layers in which an attention or a stream is."""
    model = unwrapped(model)
    return (model.encoder if where == "encoder" else model.decoder).layers


def _length(kept: KeysAndValues | None, without_cache: int) -> int:
    return without_cache if kept is None else kept.length


def _below_earlier(rows: Tensor, kept: KeysAndValues | None, name: tuple) -> Tensor:
    """Put rows of new positions below those of earlier ones, which go with what is kept."""
    if kept is None:
        return rows
    if name in kept.notes:
        earlier = kept.notes[name]  # (..., rows, columns)
        earlier = F.pad(earlier, (0, rows.shape[-1] - earlier.shape[-1]))
        rows = torch.cat([earlier, rows], dim=-2)
    kept.notes[name] = rows
    return rows


# ---------------------------------------------------------------------- the hooks


@contextmanager
def _removing(handles: list[RemovableHandle]) -> Iterator[None]:
    """Take hooks off again when the ``with`` block ends, also if by an error."""
    try:
        with _as_written():
            yield
    finally:
        for handle in handles:
            handle.remove()


def _as_written() -> AbstractContextManager:
    """Let compiled functions run as they were written; there are none without dynamo."""
    there = "torch._dynamo" in sys.modules
    return torch.compiler.set_stance("force_eager") if there else nullcontext()


def _by_name(module: nn.Module, arguments: tuple, named: dict) -> dict:
    """Name the arguments with which a module was called."""
    names = inspect.signature(module.forward).parameters
    return dict(zip(names, arguments, strict=False)) | named


# ---------------------------------------------------------------------- checks

# Axes along which the decoder's text may turn out shorter than was planned for.
_OF_TEXT = {"encoder": (), "decoder": ("queries", "keys"), "cross": ("queries",)}


def _edges_of_text(edges: Edges, needed: tuple[int, int, int], where: str) -> Bool[Tensor, "..."]:
    """Check that edges broadcast to (batch, queries, keys), and leave out what is to come."""
    grows, there = _OF_TEXT[where], edges
    if "queries" in grows and edges.shape[-2] > 1:
        there = there[..., : needed[1], :]
    if "keys" in grows and edges.shape[-1] > 1:
        there = there[..., : needed[2]]
    pairs = zip(there.shape[::-1], needed[::-1], strict=False)
    fits = all(size in (1, wanted) for size, wanted in pairs)
    expected = f"a shape that broadcasts to (batch, queries, keys) = {needed}"
    expected += f", or with more {' and '.join(grows)}" if grows else ""
    require(fits, "edges", expected, tuple(edges.shape))
    return there.expand(needed)


def _check_covers(
    name: str, meaning: str, tensor: Tensor, needed: tuple[int, ...], where: str
) -> None:
    """Check a shape whose second axis, the text's length, may be longer in the decoder."""
    shape = tuple(tensor.shape)
    longer = where == "decoder" and len(shape) > 1 and shape[1] > needed[1]
    covered = (shape[0], needed[1], *shape[2:]) if longer else shape
    expected = f"{meaning} = {needed}" + (" or longer" if where == "decoder" else "")
    require(covered == needed, name, expected, shape)


def _checked_model(model: nn.Module) -> Transformer | LanguageModel:
    model = unwrapped(model)
    good = isinstance(model, Transformer | LanguageModel)
    require(good, "model", "a Transformer or a LanguageModel", type(model).__name__)
    return model


def _number_up_to(last: int, name: str, number: object) -> int:
    expected = f"a number from 0 to {last}"
    return as_integer(name, number, expected, lambda number: 0 <= number <= last)


def _some_of(name: str, numbers: Iterable[SupportsIndex] | None, count: int) -> list[int]:
    """Check the numbers of layers or heads; None stands for all of them."""
    numbers = range(count) if numbers is None else numbers
    return [_number_up_to(count - 1, name, number) for number in numbers]


def _describe(thing: object) -> str:
    if isinstance(thing, Tensor):
        return f"{thing.dtype} of shape {tuple(thing.shape)}"
    return type(thing).__name__
