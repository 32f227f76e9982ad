"""Where one can look: attention sublayers, and stages (translation: Does it look back)."""

from torch import nn

from attention._arguments import unwrapped
from attention.layers import MultiHeadAttention
from attention.report import require
from attention.transformer import LanguageModel, Transformer

Place = tuple[str, int]  # ("encoder", 1): which stack, and how deep


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


def stack_of(model: nn.Module, where: str) -> nn.ModuleList:
    """Name the layers in which an attention or a stream is."""
    model = unwrapped(model)
    return (model.encoder if where == "encoder" else model.decoder).layers


def _checked_model(model: nn.Module) -> Transformer | LanguageModel:
    model = unwrapped(model)
    good = isinstance(model, Transformer | LanguageModel)
    require(good, "model", "a Transformer or a LanguageModel", type(model).__name__)
    return model
