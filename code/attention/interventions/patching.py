"""Activation patching: the stream of one run in another (evidence: Patch in, patch out)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import SupportsIndex

import torch
from jaxtyping import Bool
from torch import Tensor, nn

from attention._tensors import describe
from attention.interventions._arguments import check_covers, number_up_to
from attention.interventions._hooks import Stream, at_stage, removing
from attention.interventions.places import stages
from attention.keys_and_values import KeysAndValues
from attention.report import require

Places = Bool[Tensor, "batch length"]


@contextmanager
def patch_activations(
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
        From ``record_streams`` in another run. In the decoder, ``places`` and
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
    stage = number_up_to(last, "stage", stage)
    good = isinstance(places, Tensor) and places.dtype == torch.bool
    require(good, "places", "a boolean tensor of shape (batch, length)", describe(places))
    good = isinstance(stream, Tensor) and stream.is_floating_point()
    expected = "a floating-point tensor of shape (batch, length, d_model)"
    require(good, "stream", expected, describe(stream))

    def patch(x: Stream, kept: KeysAndValues | None, offset: int) -> Stream:
        end = offset + x.shape[1]
        check_covers("places", "(batch, length)", places, (len(x), end), where)
        needed = len(x), end, x.shape[2]
        check_covers("stream", "(batch, length, d_model)", stream, needed, where)
        here = places[:, offset:end, None].to(x.device)
        return torch.where(here, stream[:, offset:end].to(x.device), x)

    with removing([at_stage(model, where, stage, patch)]):
        yield
