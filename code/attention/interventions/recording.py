"""Keeping what is computed: weights, and the stream (translation: The picture)."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from attention._arguments import unwrapped
from attention.interventions._hooks import (
    Stream,
    Text,
    at_stage,
    below_earlier,
    by_name,
    removing,
)
from attention.interventions.places import Place, attentions, stack_of, stages
from attention.keys_and_values import KeysAndValues
from attention.training import evaluating

Source = Int[Tensor, "batch source_length"]
Tokens = Int[Tensor, "batch length"]


@contextmanager
def record_weights(model: nn.Module) -> Iterator[dict[Place, Tensor]]:
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

    def record(place: Place, text: Text, attention: nn.Module, *call: object) -> None:
        named = by_name(attention, *call[:2])
        kept = named.get("kept", text.kept)
        if "kept" in named and kept is not None:  # as it was before this call
            named["kept"] = kept.first(kept.length - named["x"].shape[1])
        with evaluating(attention):
            _, rows = attention.forward(**named | {"return_weights": True})
        weights[place] = below_earlier(rows, kept, (this_block, *place))

    handles = []
    for where, layers in attentions(model).items():
        for number, attention in enumerate(layers):
            text = Text(stack_of(model, where)[number])
            hook = partial(record, (where, number), text)
            handles += [*text.handles, attention.register_forward_hook(hook, with_kwargs=True)]
    with removing(handles):
        yield weights


def cross_weights(
    model: nn.Module, source: Source, target: Tokens
) -> Float[Tensor, "batch layers heads length source_length"]:
    """Let a model predict a target, and return where it looks in the source meanwhile.

    Parameters
    ----------
    model : Transformer
    source : (batch, source_length)
    target : (batch, length)
        See ``Transformer.forward``.

    Returns
    -------
    weights : (batch, decoder_layers, heads, length, source_length)
        Row t is of the step that *writes* ``target[:, t]``; what it reads at that place is
        the token before.
    """
    with torch.no_grad(), record_weights(model) as weights:
        unwrapped(model)(source, target)
    layers = range(len(attentions(model)["cross"]))
    return torch.stack([weights["cross", layer] for layer in layers], dim=1)


@contextmanager
def record_streams(model: nn.Module) -> Iterator[dict[Place, Tensor]]:
    """Keep the residual stream after each stage while the ``with`` block lasts.

    Yields
    ------
    streams : dict
        ``streams["encoder", 0]``: after the encoder's embedding, in the last call;
        ``streams["encoder", 1]``: after its first layer. Each (batch, length, d_model).
        With a cache, new positions are put behind those before, as in
        ``record_weights``.
    """
    streams: dict[Place, Tensor] = {}
    this_block = object()

    def record(place: Place, x: Stream, kept: KeysAndValues | None, offset: int) -> None:
        streams[place] = below_earlier(x, kept, (this_block, *place))

    handles = [
        at_stage(model, where, stage, partial(record, (where, stage)))
        for where, modules in stages(model).items()
        for stage in range(len(modules))
    ]
    with removing(handles):
        yield streams
