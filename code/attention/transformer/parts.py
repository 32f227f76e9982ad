"""The parts of a transformer with the settings of its config (transformer: The encoder).

Every layer asks for its parts here, so that a setting is read in one place.
"""

from attention.layers import FeedForward, LayerNorm, MultiHeadAttention, RMSNorm, SwiGLU
from attention.transformer.config import TransformerConfig


def new_attention(config: TransformerConfig) -> MultiHeadAttention:
    """Make an attention."""
    sizes = config.d_model, config.heads, config.key_value_heads
    options = config.bias, config.dropout
    of_scores = config.position_pairs, config.qk_norm
    return MultiHeadAttention(*sizes, *options, *of_scores)


def new_feed_forward(config: TransformerConfig) -> FeedForward:
    """Make a feed-forward layer; with "swiglu" it has a gate."""
    widths = config.d_model, config.d_ff
    options = config.dropout, config.bias
    if config.activation == "swiglu":
        return SwiGLU(*widths, *options)
    return FeedForward(*widths, config.activation, *options)


def new_norm(config: TransformerConfig) -> LayerNorm | RMSNorm:
    """Make a norm; one of the root mean square has no bias anyway."""
    if config.norm_kind == "rms":
        return RMSNorm(config.d_model, config.norm_eps)
    return LayerNorm(config.d_model, config.norm_eps, config.bias)
