"""Where one can look: attention sublayers, and stages (translation: Cut the edge)."""

from torch import nn

from attention._arguments import unwrapped
from attention.layers import MultiHeadAttention
from attention.report import require
from attention.transformer import LanguageModel, TextEncoder, Transformer

Place = tuple[str, int]  # ("encoder", 1): which stack, and how deep


def attentions(model: nn.Module) -> dict[str, list[MultiHeadAttention]]:
    """List a model's attention sublayers, from the first layer to the last.

    Returns
    -------
    attentions : dict
        "encoder" and "decoder" are self-attention, "cross" is the decoder's attention
        to the source. A language model has only "decoder", an encoder alone "encoder".
        A decoder whose layers have something else in the place of self-attention is
        left out.

    Raises
    ------
    ValueError
        If it is no ``Transformer``, ``LanguageModel`` or ``TextEncoder``.
    """
    model = _checked_model(model)
    places: dict[str, list[nn.Module]] = {}
    if not isinstance(model, LanguageModel):
        places["encoder"] = [layer.self_attention for layer in model.encoder.layers]
    if not isinstance(model, TextEncoder):
        places["decoder"] = [layer.self_attention for layer in model.decoder.layers]
    if isinstance(model, Transformer):
        places["cross"] = [layer.cross_attention for layer in model.decoder.layers]
    return {where: layers for where, layers in places.items() if all(map(_attends, layers))}


def stages(model: nn.Module) -> dict[str, list[nn.Module]]:
    """List the modules after each of which the residual stream can be met.

    Returns
    -------
    stages : dict
        Of "encoder" and "decoder" (a language model has only the latter, an encoder
        alone only the former): number 0 is the embedding, number n the n-th layer. The
        norm that ends a stack comes later.

    Raises
    ------
    ValueError
        As ``attentions`` does.
    """
    model = _checked_model(model)
    if isinstance(model, LanguageModel):
        return {"decoder": [model.embedding, *model.decoder.layers]}
    if isinstance(model, TextEncoder):
        return {"encoder": [model.embedding, *model.encoder.layers]}
    return {
        "encoder": [model.source_embedding, *model.encoder.layers],
        "decoder": [model.target_embedding, *model.decoder.layers],
    }


def stack_of(model: nn.Module, where: str) -> nn.ModuleList:
    """Name the layers in which an attention or a stream is."""
    model = unwrapped(model)
    return (model.encoder if where == "encoder" else model.decoder).layers


def _attends(sublayer: nn.Module) -> bool:
    return isinstance(sublayer, MultiHeadAttention)


def _checked_model(model: nn.Module) -> Transformer | LanguageModel | TextEncoder:
    model = unwrapped(model)
    good = isinstance(model, Transformer | LanguageModel | TextEncoder)
    expected = "a Transformer, a LanguageModel or a TextEncoder"
    require(good, "model", expected, type(model).__name__)
    return model
