"""What a transformer is made of, said in one place (transformer: The whole in one)."""

from dataclasses import dataclass

from attention._arguments import as_integer, as_real
from attention.layers import ACTIVATIONS
from attention.report import require
from attention.tokens import END

NORMS = ("pre", "post")
POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")


@dataclass(frozen=True)
class TransformerConfig:
    """What a transformer is made of.

    The base model of Vaswani et al. (2017, table 3), with a vocabulary that both
    languages share, is ``TransformerConfig(37000, 37000, 512, 8, 2048, 6, 6, 0.1,
    norm="post", tie_source=True)``.

    Attributes
    ----------
    source_vocab_size : int or None
        Token numbers of the source run from 0 to this, exclusive; ``PADDING``,
        ``START`` and ``END`` are among them. None: no source, a language model.
    target_vocab_size : int
        The same for the target, or for a language model's text.
    d_model : int
        Width of the residual stream.
    heads : int
        Must divide ``d_model``.
    d_ff : int
        Width inside the feed-forward layers.
    encoder_layers, decoder_layers : int
        A language model's are ``decoder_layers``.
    dropout : float
        Probability that a number is dropped in training, from 0 to below 1: of the
        embeddings, of what a sublayer adds, of the weights, and inside the
        feed-forward layers. The last two are habits of libraries, not in the paper.
    norm : "pre" or "post"
        Before each sublayer, or after each sum.
    position : "sinusoidal", "learned", "rotary", "alibi" or "none"
        How positions are told apart. The first two are added to the embeddings; the
        next two act on the scores of every self-attention, and cross-attention learns
        of positions only what self-attention has written into the stream.
    activation : "relu" or "gelu"
    tie_logits : bool
        Whether the matrix before the logits is that of the target's embeddings.
    tie_source : bool
        Whether the source's embeddings are the target's; for a shared vocabulary.
    max_length : int
        Number of learned positions; no other scheme has a longest text.
    key_value_heads : int or None
        Heads of keys and values in every attention, each shared by a group of heads of
        queries; must divide ``heads``. None: as many as ``heads``.

    Raises
    ------
    ValueError
        If a size is not a positive integer, one does not divide what it must,
        rotary positions would need an odd head, vocabularies that are to be shared
        differ, or another setting is not one of those above.
    """

    source_vocab_size: int | None
    target_vocab_size: int
    d_model: int = 64
    heads: int = 4
    d_ff: int = 256
    encoder_layers: int = 2
    decoder_layers: int = 2
    dropout: float = 0.0
    norm: str = "pre"
    position: str = "sinusoidal"
    activation: str = "relu"
    tie_logits: bool = True
    tie_source: bool = False
    max_length: int = 512
    key_value_heads: int | None = None

    def __post_init__(self):
        _check_config(self)


def _check_config(config: TransformerConfig) -> None:
    """Check all settings; numbers of any library become Python's own, as files need them."""
    for name in ("source_vocab_size", "target_vocab_size"):
        if name == "target_vocab_size" or config.source_vocab_size is not None:
            _make_integer(config, name, f"an integer above {END + 1}", END + 1)
    for name in ("d_model", "heads", "d_ff", "encoder_layers", "decoder_layers", "max_length"):
        _make_integer(config, name, "a positive integer", 0)
    expected = "a number from 0 to below 1"
    dropout = as_real("dropout", config.dropout, expected, lambda dropout: 0 <= dropout < 1)
    object.__setattr__(config, "dropout", dropout)
    divides = config.d_model % config.heads == 0
    require(divides, "heads", f"a divisor of d_model = {config.d_model}", config.heads)
    if config.key_value_heads is not None:
        _make_integer(config, "key_value_heads", "a positive integer", 0)
        divides = config.heads % config.key_value_heads == 0
        expected = f"a divisor of heads = {config.heads}"
        require(divides, "key_value_heads", expected, config.key_value_heads)
    choices = {"norm": NORMS, "position": POSITIONS, "activation": tuple(ACTIVATIONS)}
    for name, known in choices.items():
        require(getattr(config, name) in known, name, f"one of {known}", getattr(config, name))
    d_k = config.d_model // config.heads
    can_rotate = config.position != "rotary" or d_k % 2 == 0
    require(can_rotate, "heads", "an even d_model / heads for rotary positions", config.heads)
    if config.tie_source:
        shared = config.source_vocab_size == config.target_vocab_size
        expected = f"target_vocab_size = {config.target_vocab_size}, to be shared"
        require(shared, "source_vocab_size", expected, config.source_vocab_size)


def _make_integer(config: TransformerConfig, name: str, expected: str, above: int) -> None:
    number = as_integer(name, getattr(config, name), expected, lambda number: number > above)
    object.__setattr__(config, name, number)  # the config is frozen for everybody else
