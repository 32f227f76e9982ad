"""Watch a transformer at work and interfere, to learn what its attention carries.

That a head looks somewhere does not say that the model needs what it finds there. So
there are tools to look and tools to interfere, for a ``with`` block each:

- ``recording_weights`` and ``recording_streams`` look;
- ``forbidding`` cuts *edges*: from a query to a key, where no head may attend then;
- ``patching`` puts the residual stream of another run in the place of this one's.

They can be nested, all leave the model as it was, and none changes a line of it: torch
calls a *hook* before or after a module's own ``forward``.

Examples
--------
>>> with recording_streams(model) as streams:
...     model(other_source, target)
>>> with patching(model, "encoder", 1, places, streams["encoder", 1]):
...     logits = model(source, target)
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from attention.layers import MultiHeadAttention
from attention.report import require
from attention.training import evaluating
from attention.transformer import LanguageModel, Transformer

Place = tuple[str, int]  # ("encoder", 1): which stack, and how deep
Edges = Bool[Tensor, "*batch queries keys"]
Places = Bool[Tensor, "batch length"]
Stream = Float[Tensor, "batch length d_model"]

_ARGUMENTS = ("x", "memory", "mask", "return_weights", "angles", "score_bias")


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
    _check_model(model)
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
    _check_model(model)
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
        (batch, heads, queries, keys); for the names, see ``attentions``.
    """
    weights: dict[Place, Tensor] = {}

    def recorder(place: Place) -> Callable:
        def hook(attention, arguments, named, output):
            call = _by_name(arguments, named) | {"return_weights": True}
            with evaluating(attention):
                _, weights[place] = attention.forward(**call)

        return hook

    handles = [
        attention.register_forward_hook(recorder((where, layer)), with_kwargs=True)
        for where, layers in attentions(model).items()
        for layer, attention in enumerate(layers)
    ]
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
    """
    streams: dict[Place, Tensor] = {}

    def recorder(place: Place) -> Callable:
        def hook(module, arguments, output):
            streams[place] = _stream_of(output)

        return hook

    handles = [
        module.register_forward_hook(recorder((where, stage)))
        for where, modules in stages(model).items()
        for stage, module in enumerate(modules)
    ]
    with _removing(handles):
        yield streams


# ------------------------------------------------------------------ interfering


@contextmanager
def forbidding(
    model: nn.Module,
    where: str,
    edges: Edges,
    layers: Iterable[int] | None = None,
    heads: Iterable[int] | None = None,
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
        attend*. Broadcasts: (queries, keys) serves the whole batch.
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

    def hook(attention, arguments, named):
        call = _by_name(arguments, named)
        x, memory, mask = call["x"], call.get("memory"), call.get("mask")
        keys = (x if memory is None else memory).shape[1]
        shape = (*x.shape[:2], keys)
        fits = _stretches(edges.shape, shape)
        expected = f"a shape that broadcasts to (batch, queries, keys) = {shape}"
        require(fits, "edges", expected, tuple(edges.shape))
        chosen = torch.zeros(attention.heads, 1, 1, dtype=torch.bool)
        chosen[heads] = True
        allowed = ~(edges.expand(shape)[:, None] & chosen)  # (batch, heads, queries, keys)
        if mask is not None:
            allowed = allowed & (mask[:, None] if mask.ndim == 3 else mask)
        return (), call | {"mask": allowed}

    handles = [
        there[where][layer].register_forward_pre_hook(hook, with_kwargs=True) for layer in layers
    ]
    with _removing(handles):
        yield


@contextmanager
def patching(
    model: nn.Module, where: str, stage: int, places: Places, stream: Stream
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
        From ``recording_streams`` in another run.

    Raises
    ------
    ValueError
        If there is no such stream or stage, or ``places`` is not boolean; when the
        model is called, if they do not fit the model's stream.
    """
    there = stages(model)
    require(where in there, "where", f"one of {tuple(there)}", where)
    last = len(there[where]) - 1
    require(_is_number(stage, last), "stage", f"a number from 0 to {last}", stage)
    good = isinstance(places, Tensor) and places.dtype == torch.bool
    require(good, "places", "a boolean tensor of shape (batch, length)", _describe(places))
    good = isinstance(stream, Tensor) and stream.is_floating_point()
    expected = "a floating-point tensor of shape (batch, length, d_model)"
    require(good, "stream", expected, _describe(stream))

    def hook(module, arguments, output):
        x = _stream_of(output)
        fits = places.shape == x.shape[:2]
        require(fits, "places", f"(batch, length) = {tuple(x.shape[:2])}", tuple(places.shape))
        expected = f"(batch, length, d_model) = {tuple(x.shape)}"
        require(stream.shape == x.shape, "stream", expected, tuple(stream.shape))
        patched = torch.where(places[:, :, None], stream, x)
        # A decoder's layer that was asked for them returns weights too.
        return (patched, *output[1:]) if isinstance(output, tuple) else patched

    with _removing([there[where][stage].register_forward_hook(hook)]):
        yield


# ---------------------------------------------------------------------- the hooks


@contextmanager
def _removing(handles: list[RemovableHandle]) -> Iterator[None]:
    """Take hooks off again when the ``with`` block ends, also if by an error."""
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _by_name(arguments: tuple, named: dict) -> dict:
    """Name the arguments with which an attention was called."""
    return dict(zip(_ARGUMENTS, arguments, strict=False)) | named


def _stream_of(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    return output[0] if isinstance(output, tuple) else output


def _stretches(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Say whether a tensor of this shape can be expanded to the target."""
    pairs = zip(shape[::-1], target[::-1], strict=False)
    return all(size in (1, wanted) for size, wanted in pairs)


# ---------------------------------------------------------------------- checks


def _check_model(model: nn.Module) -> None:
    good = isinstance(model, Transformer | LanguageModel)
    require(good, "model", "a Transformer or a LanguageModel", type(model).__name__)


def _is_number(number: object, last: int) -> bool:
    whole = isinstance(number, int) and not isinstance(number, bool)
    return whole and 0 <= number <= last


def _some_of(name: str, numbers: Iterable[int] | None, count: int) -> list[int]:
    """Check the numbers of layers or heads; None stands for all of them."""
    numbers = list(range(count) if numbers is None else numbers)
    good = all(_is_number(number, count - 1) for number in numbers)
    require(good, name, f"numbers from 0 to {count - 1}", numbers)
    return numbers


def _describe(thing: object) -> str:
    if isinstance(thing, Tensor):
        return f"{thing.dtype} of shape {tuple(thing.shape)}"
    return type(thing).__name__
