"""What a recurrent translator is made of (bottleneck: Two networks and one vector)."""

from dataclasses import dataclass

from torch import nn

from attention._arguments import as_integer, as_real, positive_integer
from attention.report import require
from attention.tokens import END

SCORES = (None, "additive", "dot")
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
READINGS = {
    "forwards": ("forwards",),
    "backwards": ("backwards",),
    "both": ("forwards", "backwards"),
}
WIDTHS = ("d_embedding", "d_encoder", "d_decoder", "d_context", "d_score")


@dataclass(frozen=True)
class RecurrentConfig:
    """What a translator is made of.

    Attributes
    ----------
    source_vocab_size, target_vocab_size : int
        Token numbers run from 0 to these, exclusive; ``PADDING``, ``START`` and
        ``END`` are among them.
    score : None, "additive" or "dot"
        None: the decoder gets one fixed vector. Otherwise, how it looks back.
    reading : "both", "forwards" or "backwards"
        In which order the encoder reads. "both" has an encoder for each direction,
        side by side, as Bahdanau et al. have. "forwards" is Cho's encoder,
        "backwards" is Sutskever's trick of reversing the source.
    cell : "gru", "lstm" or "rnn"
        Of the encoder; the decoder is always a GRU.
    d_embedding : int
        Width of the embeddings of both languages, and of the layer before the logits.
    d_encoder : int
        Width of the encoder's state, in each direction.
    d_decoder : int
        Width of the decoder's state.
    d_context : int
        Width of the fixed vector; not used with a score.
    d_score : int
        Width of queries and keys; not used without a score.
    dropout : float
        Probability that a number is dropped in training, of the embeddings and of
        the layer before the logits; from 0 to below 1.

    Raises
    ------
    ValueError
        If a width is not a positive integer, a vocabulary has no room for a word,
        or another setting is not one of those above.
    """

    source_vocab_size: int
    target_vocab_size: int
    score: str | None = None
    reading: str = "both"
    cell: str = "gru"
    d_embedding: int = 64
    d_encoder: int = 64
    d_decoder: int = 96
    d_context: int = 128
    d_score: int = 64
    dropout: float = 0.0

    def __post_init__(self):
        for name in ("score", "reading", "cell"):
            known = {"score": SCORES, "reading": tuple(READINGS), "cell": tuple(CELLS)}[name]
            require(getattr(self, name) in known, name, f"one of {known}", getattr(self, name))
        numbers = {name: positive_integer(name, getattr(self, name)) for name in WIDTHS}
        for name in ("source_vocab_size", "target_vocab_size"):
            symbols = getattr(self, name)
            numbers[name] = as_integer(name, symbols, f"above {END + 1}", lambda n: n > END + 1)
        expected = "a number from 0 to below 1"
        numbers["dropout"] = as_real("dropout", self.dropout, expected, lambda p: 0 <= p < 1)
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, as files want them
