"""An encoder reads the source, a decoder writes the target (bottleneck: Two networks)."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attention._arguments import as_integer
from attention.recurrent.config import CELLS, READINGS, RecurrentConfig
from attention.recurrent.look_back import LookBack
from attention.report import require
from attention.tokens import PADDING, START, check_tokens


@dataclass(frozen=True)
class Memory:
    """All that the decoder may know of the source.

    Attributes
    ----------
    mask : (batch, source_length)
        ``True`` for tokens, ``False`` for padding.
    vector : (batch, d_context) or None
        The one fixed vector of a model without a score.
    annotations : (batch, source_length, d_annotation) or None
        With a score: the encoder's states, one for each source token.
    keys : (batch, source_length, d_score) or None
        With a score: what the annotations can be found by.
    """

    mask: Bool[Tensor, "batch source_length"]
    vector: Float[Tensor, "batch d_context"] | None = None
    annotations: Float[Tensor, "batch source_length d_annotation"] | None = None
    keys: Float[Tensor, "batch source_length d_score"] | None = None


class Translator(nn.Module):
    """An encoder–decoder with one fixed context vector, or with attention.

    Both follow the equations of Cho et al. (2014, section 2.2 and appendix A) and
    Bahdanau et al. (2015, section 3 and appendix A); y are target tokens, s the
    decoder's states, c the contexts:

    - s_t = GRU(s_{t-1}, [y_{t-1}, c_t]) and y_t ~ softmax(W tanh(U [s_t, y_{t-1}, c_t]));
    - without a score, c_t = c = tanh(V h) at every step, h being the encoder's last
      state, and s_0 = tanh(V' c);
    - with a score, c_t is the average of the encoder's states, with the weights that
      s_{t-1} gives them, and s_0 = tanh(V' h).

    What differs from the papers: the cell (see ``gru_step``), tanh for their maxout,
    and, with "both", h is the last state of both directions in both models. Sutskever
    et al. (2014) hand c over in s_0 only; here, as in Cho, every step sees it.

    Parameters
    ----------
    config : RecurrentConfig
    """

    def __init__(self, config: RecurrentConfig):
        super().__init__()
        self.config = config
        reader = CELLS[config.cell]
        directions = READINGS[config.reading]
        d_annotation = config.d_encoder * len(directions)
        d_context = d_annotation if config.score else config.d_context

        self.source_embedding = nn.Embedding(config.source_vocab_size, config.d_embedding)
        self.readers = nn.ModuleDict(
            {
                direction: reader(config.d_embedding, config.d_encoder, batch_first=True)
                for direction in directions
            }
        )
        if config.score:
            self.look_back = LookBack(config.d_decoder, d_annotation, config.d_score, config.score)
        else:
            self.to_vector = nn.Linear(d_annotation, d_context)
        self.to_state = nn.Linear(d_annotation if config.score else d_context, config.d_decoder)
        self.target_embedding = nn.Embedding(config.target_vocab_size, config.d_embedding)
        self.decoder = nn.GRU(config.d_embedding + d_context, config.d_decoder, batch_first=True)
        self.to_hidden = nn.Linear(
            config.d_decoder + config.d_embedding + d_context, config.d_embedding
        )
        self.to_logits = nn.Linear(config.d_embedding, config.target_vocab_size)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self,
        source: Int[Tensor, "batch source_length"],
        target: Int[Tensor, "batch target_length"],
        return_weights: bool = False,
    ) -> (
        Float[Tensor, "batch target_length symbols"]
        | tuple[
            Float[Tensor, "batch target_length symbols"],
            Float[Tensor, "batch target_length source_length"],
        ]
    ):
        """Predict each target token from the source and the true tokens before it.

        Parameters
        ----------
        source : (batch, source_length)
            Tokens, then ``PADDING`` up to the longest.
        target : (batch, target_length)
            What is to be written, ``END`` included, without ``START``: the model puts
            that in front itself and never sees a token before it has predicted it.
        return_weights : bool
            Return the attention weights too; for a model with a score.

        Returns
        -------
        logits : (batch, target_length, symbols)
            ``logits[:, t]`` are for ``target[:, t]``.
        weights : (batch, target_length, source_length), if asked for
            Row t are the weights of the step that *writes* ``target[:, t]``, found
            before it was known. (In this step the decoder reads ``target[:, t - 1]``;
            its state, which asks, has read no further than t - 2.) At the step that
            *reads* ``target[:, t]``, one row later, the model already looks for the
            next word: a heat map of row t + 1 against word t looks plausible and is
            wrong by one everywhere.

        Raises
        ------
        ValueError
            If source or target is not a rectangle of token numbers with the padding
            on the right, target holds ``START``, or weights are asked of a model
            without any.
        """
        check_tokens("target", target, self.config.target_vocab_size)
        require(not (target == START).any(), "target", "no START: the model adds it", "START")
        _check_weights_wanted(self.config, return_weights)
        memory, state = self.encode(source)
        start = torch.full_like(target[:, :1], START)
        before = torch.cat([start, target[:, :-1]], dim=1)  # what is read before each token
        read = self.dropout(self.target_embedding(before))  # (batch, target_length, d_embedding)
        if memory.vector is not None:  # no step has to wait for another's context
            contexts = memory.vector[:, None].expand(-1, read.shape[1], -1)
            states, _ = self.decoder(torch.cat([read, contexts], -1), state[None])
            return self._logits(states, read, contexts)

        steps = []
        for read_now in read.unbind(1):
            state, context, weights = self._step(memory, state, read_now)
            steps.append((state, context, weights))
        states, contexts, weights = (torch.stack(rows, 1) for rows in zip(*steps, strict=True))
        logits = self._logits(states, read, contexts)
        return (logits, weights) if return_weights else logits

    def encode(
        self, source: Int[Tensor, "batch source_length"]
    ) -> tuple[Memory, Float[Tensor, "batch d_decoder"]]:
        """Read the source; return what the decoder may know of it, and its first state."""
        check_tokens("source", source, self.config.source_vocab_size)
        mask = source != PADDING  # (batch, source_length)
        lengths = mask.sum(1)  # (batch,)
        embedded = self.dropout(self.source_embedding(source))
        annotations, last = [], []
        for direction, reader in self.readers.items():
            # The padding comes last in either direction: when the reader arrives there,
            # all that counts is done.
            x = embedded if direction == "forwards" else flip(embedded, lengths)
            states, _ = reader(x)  # (batch, source_length, d_encoder), in the order of reading
            rows = torch.arange(len(states), device=states.device)
            last.append(states[rows, lengths - 1])  # (batch, d_encoder)
            annotations.append(states if direction == "forwards" else flip(states, lengths))
        final = torch.cat(last, -1)  # (batch, d_annotation)
        if self.config.score is None:
            vector = torch.tanh(self.to_vector(final))  # (batch, d_context)
            return Memory(mask, vector), torch.tanh(self.to_state(vector))
        joined = torch.cat(annotations, -1)  # (batch, source_length, d_annotation)
        keys = self.look_back.W_K(joined)  # (batch, source_length, d_score)
        return Memory(mask, None, joined, keys), torch.tanh(self.to_state(final))

    def step(
        self,
        memory: Memory,
        state: Float[Tensor, "batch d_decoder"],
        before: Int[Tensor, " batch"],
    ) -> tuple[
        Float[Tensor, "batch symbols"],
        Float[Tensor, "batch d_decoder"],
        Float[Tensor, "batch source_length"] | None,
    ]:
        """Read the token before and predict the next one: ``forward``, a step at a time.

        Parameters
        ----------
        memory : Memory
            From ``encode``, as the first ``state`` is.
        state : (batch, d_decoder)
        before : (batch,)
            The token written last; ``START`` at the first step.

        Returns
        -------
        logits : (batch, symbols)
        state : (batch, d_decoder)
            For the next step.
        weights : (batch, source_length), or None without a score
        """
        read = self.dropout(self.target_embedding(before))  # (batch, d_embedding)
        state, context, weights = self._step(memory, state, read)
        return self._logits(state, read, context), state, weights

    def _step(
        self, memory: Memory, state: Tensor, read: Tensor
    ) -> tuple[Tensor, Tensor, Tensor | None]:
        """Make the context, then the new state."""
        if memory.vector is not None:
            context, weights = memory.vector, None
        else:
            context, weights = self.look_back(state, memory.keys, memory.annotations, memory.mask)
        x = torch.cat([read, context], -1)  # (batch, d_embedding + d_context)
        _, state = self.decoder(x[:, None], state[None])  # a sequence of length 1
        return state[0], context, weights

    def _logits(self, state: Tensor, read: Tensor, context: Tensor) -> Tensor:
        hidden = torch.tanh(self.to_hidden(torch.cat([state, read, context], -1)))
        return self.to_logits(self.dropout(hidden))


def flip(
    x: Float[Tensor, "batch length width"], lengths: Int[Tensor, " batch"]
) -> Float[Tensor, "batch length width"]:
    """Reverse each row's first ``lengths`` entries and leave the padding after them."""
    place = torch.arange(x.shape[1], device=x.device)  # (length,)
    last = lengths[:, None] - 1  # (batch, 1)
    order = torch.where(place <= last, last - place, place)  # (batch, length)
    return x.gather(1, order[:, :, None].expand_as(x))


def new_translator(config: RecurrentConfig, seed: int) -> Translator:
    """Make an untrained model whose weights depend on config and seed alone.

    Raises
    ------
    ValueError
        If ``seed`` is no integer.
    """
    seed = as_integer("seed", seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Translator(config)


def _check_weights_wanted(config: RecurrentConfig, return_weights: bool) -> None:
    """Refuse to return the weights of a model that does not look back."""
    there = config.score is not None
    expected = "False for a model without a score"
    require(there or not return_weights, "return_weights", expected, return_weights)
