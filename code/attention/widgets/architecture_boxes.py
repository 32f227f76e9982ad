"""The boxes of the picture, and where each leads (transformer: The whole in one picture)."""

from dataclasses import dataclass

from attention.report import section

# The sections of the chapter.
TOKENS_TO_VECTORS = "From tokens to vectors"
STREAM = "The residual stream"
NORM = "The layer norm"
PLACEMENT = "Before or after"
FEED_FORWARD = "The feed-forward layer"
ENCODER = "The encoder"
DECODER = "The decoder"
VECTORS_TO_TOKENS = "From vectors to tokens"
WHOLE = "The whole model"

SOURCE = "(batch, source_length)"
SOURCE_STREAM = "(batch, source_length, d_model)"
TARGET = "(batch, length)"
TARGET_STREAM = "(batch, length, d_model)"
LOGITS = "(batch, length, symbols)"


@dataclass(frozen=True)
class Box:
    """One box of the picture.

    Attributes
    ----------
    name : str
        By which the drawing finds its place.
    label : str
    does : str
        What it does, in one sentence.
    shape : str
        Of the tensor that leaves it.
    section : str
        The heading of the chapter that explains it.
    code : str
        The class or function of ``attention.transformer`` or ``attention.layers``.
    norm : "pre", "post" or None
        The placement of the norms for which it is there. None: for both.
    """

    name: str
    label: str
    does: str
    shape: str
    section: str
    code: str
    norm: str | None = None

    @property
    def section_link(self) -> str:
        """Return where the section is on the page."""
        return section(self.section).partition("](")[2].removesuffix(")")

    @property
    def code_link(self) -> str:
        """Return where the page prints the source of the class."""
        return f"#transformer-source-{self.code.lower()}"


def _embedding(side: str, tokens: Box, stream: str) -> list[Box]:
    """Return the boxes from tokens to the stream."""
    return [
        tokens,
        Box(
            f"{side}_embedding",
            f"Embedding of the {side}",
            "Looks up a vector for each token and multiplies it by √d_model.",
            stream,
            TOKENS_TO_VECTORS,
            "Embedding",
        ),
        Box(
            f"{side}_positions",
            f"Positions of the {side}",
            "Adds to each token's vector one that says where the token stands.",
            stream,
            TOKENS_TO_VECTORS,
            "sinusoidal_positions",
        ),
    ]


def _stream(stack: str, shape: str) -> list[Box]:
    name, label = f"{stack}_stream", f"Residual stream of the {stack}"
    carries = "Carries one vector for each token past all sublayers, which read it and add to it"
    pre, post = f"{carries}.", f"{carries}; with post-norm each sum is normalised on its way."
    return [
        Box(name, label, pre, shape, STREAM, "Residual", "pre"),
        Box(name, label, post, shape, STREAM, "Residual", "post"),
    ]


def _sublayer(stack: str, number: int, sublayer: Box) -> list[Box]:
    """Put a sublayer on the stream: its norm, itself, and the sum."""
    norm, of = f"{stack}_norm_{number}", sublayer.label[0].lower() + sublayer.label[1:]
    return [
        Box(
            norm,
            f"Norm before the {of}",
            "Normalises what the sublayer reads; the stream itself stays as it is.",
            sublayer.shape,
            NORM,
            "LayerNorm",
            "pre",
        ),
        sublayer,
        Box(
            f"{stack}_sum_{number}",
            f"Sum after the {of}",
            "Adds the output of the sublayer to the stream.",
            sublayer.shape,
            STREAM,
            "Residual",
        ),
        Box(
            norm,
            f"Norm after the {of}",
            "Normalises the sum: from here on the stream is what the norm made of it.",
            sublayer.shape,
            NORM,
            "LayerNorm",
            "post",
        ),
    ]


def _attention(name: str, label: str, does: str, shape: str, section: str) -> Box:
    return Box(name, label, does, shape, section, "MultiHeadAttention")


def _feed_forward(stack: str, shape: str) -> Box:
    return Box(
        f"{stack}_feed_forward",
        f"Feed-forward layer of the {stack}",
        "Applies one small network to each position alone: up to d_ff numbers, and back.",
        shape,
        FEED_FORWARD,
        "FeedForward",
    )


def _final_norm(stack: str, shape: str) -> Box:
    return Box(
        f"{stack}_final_norm",
        f"Norm at the end of the {stack}",
        "Normalises the stream once at the end, since with pre-norm nothing else has.",
        shape,
        PLACEMENT,
        "LayerNorm",
        "pre",
    )


# In the order of the data's way: a stack before its layer, and the layer before its parts.
BOXES = (
    *_embedding(
        "source",
        Box(
            "source_tokens",
            "Source tokens",
            "The source as token numbers, with padding on the right up to the longest sentence.",
            SOURCE,
            WHOLE,
            "Transformer",
        ),
        SOURCE_STREAM,
    ),
    Box(
        "encoder",
        "Encoder",
        "Runs N encoder layers one after the other, each with parameters of its own.",
        SOURCE_STREAM,
        ENCODER,
        "Encoder",
    ),
    Box(
        "encoder_layer",
        "N × encoder layer",
        "Reads the stream twice and adds to it twice: positions look at each other, then each "
        "is worked on alone.",
        SOURCE_STREAM,
        ENCODER,
        "EncoderLayer",
    ),
    *_stream("encoder", SOURCE_STREAM),
    *_sublayer(
        "encoder",
        1,
        _attention(
            "encoder_self_attention",
            "Self-attention of the encoder",
            "Lets each position of the source gather from all of them, except from padding.",
            SOURCE_STREAM,
            ENCODER,
        ),
    ),
    *_sublayer("encoder", 2, _feed_forward("encoder", SOURCE_STREAM)),
    _final_norm("encoder", SOURCE_STREAM),
    Box(
        "memory",
        "Memory",
        "What the encoder made of the source; every decoder layer reads it.",
        SOURCE_STREAM,
        ENCODER,
        "Encoder",
    ),
    *_embedding(
        "target",
        Box(
            "target_tokens",
            "Target tokens, shifted",
            "START, then the target without its last token: each place reads what stands before "
            "the token it predicts.",
            TARGET,
            WHOLE,
            "Transformer",
        ),
        TARGET_STREAM,
    ),
    Box(
        "decoder",
        "Decoder",
        "Runs N decoder layers one after the other; all read the same memory, and none looks "
        "ahead.",
        TARGET_STREAM,
        DECODER,
        "Decoder",
    ),
    Box(
        "decoder_layer",
        "N × decoder layer",
        "Reads the stream three times and adds to it three times: it looks at what has been "
        "written, then at the source, then works on each position alone.",
        TARGET_STREAM,
        DECODER,
        "DecoderLayer",
    ),
    *_stream("decoder", TARGET_STREAM),
    *_sublayer(
        "decoder",
        1,
        _attention(
            "decoder_self_attention",
            "Masked self-attention of the decoder",
            "Lets each position gather from itself and those before it, never from later ones.",
            TARGET_STREAM,
            DECODER,
        ),
    ),
    *_sublayer(
        "decoder",
        2,
        _attention(
            "cross_attention",
            "Cross-attention of the decoder",
            "Makes queries of the stream, and keys and values of the memory: the target looks at "
            "the source.",
            TARGET_STREAM,
            DECODER,
        ),
    ),
    *_sublayer("decoder", 3, _feed_forward("decoder", TARGET_STREAM)),
    _final_norm("decoder", TARGET_STREAM),
    Box(
        "to_logits",
        "to_logits",
        "Multiplies each vector by a matrix, the embedding's own if the two are tied: a dot "
        "product with one vector for each symbol.",
        LOGITS,
        VECTORS_TO_TOKENS,
        "Transformer",
    ),
    Box(
        "logits",
        "Logits",
        "One number for each symbol, of which softmax makes the probabilities of the next token.",
        LOGITS,
        VECTORS_TO_TOKENS,
        "Transformer",
    ),
)
