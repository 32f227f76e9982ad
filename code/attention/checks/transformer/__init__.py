"""The exercises of the chapter, in its order (transformer: Exercises)."""

from attention.checks.transformer.decoder_layer import DECODER_LAYER, decoder_layer
from attention.checks.transformer.embed import EMBED, embed
from attention.checks.transformer.feed_forward import FEED_FORWARD, feed_forward
from attention.checks.transformer.layer_norm import LAYER_NORM, layer_norm
from attention.checks.transformer.layer_parameters import LAYER_PARAMETERS, layer_parameters
from attention.checks.transformer.residual import RESIDUAL, residual

EXERCISES = (
    LAYER_NORM,
    RESIDUAL,
    FEED_FORWARD,
    EMBED,
    DECODER_LAYER,
    LAYER_PARAMETERS,
)

__all__ = [
    "EXERCISES",
    "decoder_layer",
    "embed",
    "feed_forward",
    "layer_norm",
    "layer_parameters",
    "residual",
]
