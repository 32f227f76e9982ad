"""What a transformer is made of, said in one place (transformer: The whole in one)."""

from dataclasses import dataclass

from attention._arguments import as_integer, nonnegative_integer, positive_number, share
from attention._layer_arguments import check_choice
from attention.layers import ACTIVATIONS as OF_ONE_MATRIX
from attention.positions import PAIRS
from attention.report import require
from attention.tokens import END

NORMS = ("pre", "post")
NORM_KINDS = ("layer", "rms")
POSITIONS = ("sinusoidal", "learned", "rotary", "alibi", "none")
ACTIVATIONS = (*OF_ONE_MATRIX, "swiglu")
SWITCHES = ("tie_logits", "tie_source", "bias", "qk_norm", "scale_embeddings")
SWITCHES += ("embedding_norm", "logits_bias")
CHOICES = {
    "norm": NORMS,
    "norm_kind": NORM_KINDS,
    "position": POSITIONS,
    "position_pairs": tuple(PAIRS),
    "activation": ACTIVATIONS,
}


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
    target_vocab_size : int or None
        The same for the target, or for a language model's text. None: nothing is
        written, an encoder alone.
    d_model : int
        Width of the residual stream.
    heads : int
        Must divide ``d_model``.
    d_ff : int
        Width inside the feed-forward layers.
    encoder_layers, decoder_layers : int
        A language model's are ``decoder_layers``; an encoder alone has no others.
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
    activation : "relu", "gelu" or "swiglu"
        "swiglu" is a layer with a third matrix (see ``SwiGLU``).
    tie_logits : bool
        Whether the matrix before the logits is that of the target's embeddings.
    tie_source : bool
        Whether the source's embeddings are the target's; for a shared vocabulary.
    max_length : int
        Number of learned positions; no other scheme has a longest text.
    key_value_heads : int or None
        Heads of keys and values in every attention, each shared by a group of heads of
        queries; must divide ``heads``. None: as many as ``heads``.
    norm_kind : "layer" or "rms"
        What kind of norm all of them are.
    norm_eps : float
        Above 0; added under their roots.
    bias : bool
        Whether there are biases: of every projection, in the feed-forward layers, and in
        layer norms.
    qk_norm : bool
        Whether every attention normalises its queries and keys.
    position_base : float
        Above 0; of the angles of sinusoids and rotary positions.
    position_pairs : "adjacent" or "halves"
        Which two columns share an angle, 2i and 2i + 1 or i and i + half the width.
    scale_embeddings : bool
        Whether the embeddings of tokens are multiplied by √d_model.
    embedding_norm : bool
        Whether there is one more norm after tokens and positions have been added.
    token_types : int
        Of how many types a token of an encoder alone can be (BERT tells two sentences
        apart by them); 0: there are none.
    logits_bias : bool
        Whether each symbol's logit has a bias of its own.

    Raises
    ------
    ValueError
        If a size is not a positive integer, one does not divide what it must,
        rotary positions would need an odd head, vocabularies that are to be shared
        differ, there is neither source nor target, a model that writes should have token
        types, or another setting is not one of those above.
    """

    source_vocab_size: int | None
    target_vocab_size: int | None
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
    # what later models have changed
    norm_kind: str = "layer"
    norm_eps: float = 1e-5
    bias: bool = True
    qk_norm: bool = False
    position_base: float | int = 10_000
    position_pairs: str = "adjacent"
    scale_embeddings: bool = True
    embedding_norm: bool = False
    token_types: int = 0
    logits_bias: bool = False

    def __post_init__(self):
        _check_config(self)


def _check_config(config: TransformerConfig) -> None:
    """Check all settings; numbers of any library become Python's own, as files need them."""
    vocabularies = "source_vocab_size", "target_vocab_size"
    there = [name for name in vocabularies if getattr(config, name) is not None]
    require(bool(there), " and ".join(vocabularies), "at least one of them", None)
    for name in there:
        _make_integer(config, name, f"an integer above {END + 1}", END + 1)
    for name in ("d_model", "heads", "d_ff", "encoder_layers", "decoder_layers", "max_length"):
        _make_integer(config, name, "a positive integer", 0)
    _set(config, "dropout", share("dropout", config.dropout))
    for name in ("norm_eps", "position_base"):
        _set(config, name, positive_number(name, getattr(config, name)))
    for name in SWITCHES:
        switch = getattr(config, name)
        require(isinstance(switch, bool), name, "True or False", switch)
    divides = config.d_model % config.heads == 0
    require(divides, "heads", f"a divisor of d_model = {config.d_model}", config.heads)
    if config.key_value_heads is not None:
        _make_integer(config, "key_value_heads", "a positive integer", 0)
        divides = config.heads % config.key_value_heads == 0
        expected = f"a divisor of heads = {config.heads}"
        require(divides, "key_value_heads", expected, config.key_value_heads)
    for name, known in CHOICES.items():
        check_choice(name, getattr(config, name), known)
    d_k = config.d_model // config.heads
    can_rotate = config.position != "rotary" or d_k % 2 == 0
    require(can_rotate, "heads", "an even d_model / heads for rotary positions", config.heads)
    if config.tie_source:
        shared = config.source_vocab_size == config.target_vocab_size
        expected = f"target_vocab_size = {config.target_vocab_size}, to be shared"
        require(shared, "source_vocab_size", expected, config.source_vocab_size)
    token_types = nonnegative_integer("token_types", config.token_types)
    writes = config.target_vocab_size is not None
    expected = "0 in a model that writes: only an encoder alone has types of tokens"
    require(token_types == 0 or not writes, "token_types", expected, token_types)
    _set(config, "token_types", token_types)


def _make_integer(config: TransformerConfig, name: str, expected: str, above: int) -> None:
    number = as_integer(name, getattr(config, name), expected, lambda number: number > above)
    _set(config, name, number)


def _set(config: TransformerConfig, name: str, number: float | int) -> None:
    object.__setattr__(config, name, number)  # the config is frozen for everybody else
