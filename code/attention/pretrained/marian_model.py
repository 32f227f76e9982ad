"""Marian's small translators in the blocks of the book (the package's own).

They are encoder-decoders of 2017 with 6 and 2 layers, all post-norm, trained to write as a large
model does (Kim et al. 2019). The decoder has a recurrent unit in the place of self-attention.

Marian's numbers of tokens are not those of the book: ``</s>`` is 0. So each token has a number
two higher here, which makes ``</s>`` the book's ``END``, and ``PADDING`` and ``START``
have rows of zeros. A row of zeros is what Marian begins to write from.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from attention.pretrained._weights import Tensors, taken, with_weights
from attention.pretrained.ssru import SSRU
from attention.report import require
from attention.transformer import Transformer, TransformerConfig

SHIFT = 2  # from Marian's number of a token to the book's
# What makes a model of Marian one of these.
SETTINGS = {
    "type": "transformer",
    "transformer-decoder-autoreg": "rnn",
    "dec-cell": "ssru",
    "tied-embeddings-all": "true",
    "transformer-ffn-activation": "relu",
    "transformer-ffn-depth": "2",
    "transformer-preprocess": "",
    "transformer-postprocess": "dan",  # dropout, add, norm
    "transformer-postprocess-top": "",
    "transformer-train-position-embeddings": "false",
}
# Our part of a layer, and what its matrix (or a norm's gain) and its bias are called there.
ENCODER_LAYER = {
    **{f"self_attention.W_{x}": (f"self_W{x.lower()}", f"self_b{x.lower()}") for x in "QKVO"},
    "around_self_attention.norm": ("self_Wo_ln_scale", "self_Wo_ln_bias"),
    "feed_forward.W_1": ("ffn_W1", "ffn_b1"),
    "feed_forward.W_2": ("ffn_W2", "ffn_b2"),
    "around_feed_forward.norm": ("ffn_ffn_ln_scale", "ffn_ffn_ln_bias"),
}
DECODER_LAYER = {
    "self_attention.W": ("rnn_W", None),
    "self_attention.W_f": ("rnn_Wf", "rnn_bf"),
    "around_self_attention.norm": ("rnn_ffn_ln_scale", "rnn_ffn_ln_bias"),
    **{
        f"cross_attention.W_{x}": (f"context_W{x.lower()}", f"context_b{x.lower()}") for x in "QKVO"
    },
    "around_cross_attention.norm": ("context_Wo_ln_scale", "context_Wo_ln_bias"),
    **{name: theirs for name, theirs in ENCODER_LAYER.items() if "feed_forward" in name},
}


class MarianTranslator(Transformer):
    """A ``Transformer`` whose decoder has an ``SSRU`` in the place of self-attention.

    Parameters
    ----------
    config : TransformerConfig
        With a source.
    """

    def __init__(self, config: TransformerConfig):
        super().__init__(config)
        for layer in self.decoder.layers:
            layer.self_attention = SSRU(config.d_model)


def translator_of(
    tensors: Tensors, settings: Mapping[str, Any], source: str = "tensors"
) -> MarianTranslator:
    """Make a translator of the tensors and settings of a model of Marian.

    Raises
    ------
    ValueError
        If it is a model of another kind, or a tensor is missing or has another shape.
    """
    config = config_of(tensors, settings, source)
    weights = dict(_of_symbols(tensors, source))
    for stack, layers, parts in (
        ("encoder", config.encoder_layers, ENCODER_LAYER),
        ("decoder", config.decoder_layers, DECODER_LAYER),
    ):
        for number in range(layers):
            for ours, theirs in parts.items():
                here, there = f"{stack}.layers.{number}.{ours}", f"{stack}_l{number + 1}_"
                weights |= _of_part(tensors, source, here, there, *theirs)
    return with_weights(MarianTranslator, config, weights, source)


def config_of(
    tensors: Tensors, settings: Mapping[str, Any], source: str = "tensors"
) -> TransformerConfig:
    """Say in the settings of the book what those of a model of Marian say.

    Raises
    ------
    ValueError
        If it is a model of another kind.
    """
    for name, expected in SETTINGS.items():
        came = settings.get(name, "nothing")
        require(came == expected, source, f"a model of Marian with {name} {expected!r}", came)
    symbols, d_model = taken(tensors, "Wemb", source).shape
    return TransformerConfig(
        source_vocab_size=symbols + SHIFT,
        target_vocab_size=symbols + SHIFT,
        d_model=d_model,
        heads=int(settings["transformer-heads"]),
        d_ff=int(settings["transformer-dim-ffn"]),
        encoder_layers=int(settings["enc-depth"]),
        decoder_layers=int(settings["dec-depth"]),
        norm="post",
        position="sinusoidal",
        activation="relu",
        tie_source=True,
        norm_eps=1e-6,
        # The angles go from 1 to 1 / 10 000, the last included: in one step fewer.
        position_base=10_000.0 ** (d_model / (d_model - 2)),
        position_pairs="halves",
        logits_bias=True,
    )


def _of_symbols(tensors: Tensors, source: str) -> Iterator[tuple[str, np.ndarray]]:
    """Put the rows of ``PADDING`` and ``START`` in front."""
    rows = taken(tensors, "Wemb", source)  # (symbols, d_model)
    bias = taken(tensors, "decoder_ff_logit_out_b", source)  # (1, symbols)
    yield "source_embedding.tokens.weight", np.pad(rows, ((SHIFT, 0), (0, 0)))
    yield "to_logits.bias", np.pad(bias[0], (SHIFT, 0))


def _of_part(
    tensors: Tensors, source: str, here: str, there: str, weight: str, bias: str | None
) -> dict[str, np.ndarray]:
    """Take what a matrix or a norm has: Marian multiplies from the right, and biases are rows."""
    numbers = taken(tensors, there + weight, source)
    one_row = here.endswith("norm")
    weights = {f"{here}.{'gain' if one_row else 'weight'}": numbers[0] if one_row else numbers.T}
    if bias is not None:
        weights[f"{here}.bias"] = taken(tensors, there + bias, source)[0]
    return weights
