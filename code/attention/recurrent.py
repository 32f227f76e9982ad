"""Translating with recurrent networks: one vector for the sentence, or looking back.

An *encoder* reads the source, a *decoder* writes the target, one token at a time.
What passes between them is

- one vector, whatever the length of the sentence (Cho et al. 2014; Sutskever et
  al. 2014): ``score=None``; or
- one vector for each source token, of which the decoder takes another weighted
  average before every word (Bahdanau et al. 2015): ``score="additive"`` or
  ``"dot"``.

Everything else is the same for both, so that what is measured is the difference
that looking back makes.
"""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from attention._arguments import as_integer, as_real, unwrapped
from attention.report import require
from attention.training import (
    END,
    PADDING,
    START,
    check_positive,
    check_tokens,
    load_weights,
    read_tensors,
    save_weights,
)

# -------------------------------------------------------------------- the cell


def gru_step(
    x: Float[Tensor, "*batch d_input"],
    state: Float[Tensor, "*batch d_state"],
    W_x: Float[Tensor, "3*d_state d_input"],
    W_state: Float[Tensor, "3*d_state d_state"],
    b_x: Float[Tensor, " 3*d_state"],
    b_state: Float[Tensor, " 3*d_state"],
) -> Float[Tensor, "*batch d_state"]:
    """Read one input and return the new state: a GRU cell, spelled out.

    ``gru_step(x, state, *cell.parameters())`` equals ``cell(x, state)`` for an
    ``nn.GRUCell``, in value and gradient, and a loop over it equals an ``nn.GRU``.
    The models below use ``nn.GRU``, which does the same in less time.

    The cell is that of Cho et al. (2014, section 2.3) but for a habit of today's
    libraries: the reset gate acts after the matrix product and not before it. Bahdanau
    et al. (2015, appendix A.1.1) swap the roles of ``update`` and ``1 - update``.

    Parameters
    ----------
    x : (..., d_input)
    state : (..., d_state)
    W_x : (3 d_state, d_input)
        Three matrices below each other: for the reset gate, the update gate and
        the proposal. ``W_state`` and the biases likewise.
    W_state : (3 d_state, d_state)
    b_x, b_state : (3 d_state,)

    Returns
    -------
    state : (..., d_state)
    """
    reset_x, update_x, proposal_x = (x @ W_x.T + b_x).chunk(3, dim=-1)  # (..., d_state) each
    reset_s, update_s, proposal_s = (state @ W_state.T + b_state).chunk(3, dim=-1)
    reset = torch.sigmoid(reset_x + reset_s)  # 0: propose as if there were no past
    update = torch.sigmoid(update_x + update_s)  # 1: leave the state alone
    proposal = torch.tanh(proposal_x + reset * proposal_s)
    return update * state + (1 - update) * proposal


# ------------------------------------------------------------------ the scores


def additive_scores(
    query: Float[Tensor, "batch d_score"],
    keys: Float[Tensor, "batch keys d_score"],
    v: Float[Tensor, " d_score"],
) -> Float[Tensor, "batch keys"]:
    """Score each key against the query by v · tanh(q + k), as Bahdanau et al. (2015) do."""
    return torch.tanh(query[:, None] + keys) @ v


def dot_scores(
    query: Float[Tensor, "batch d_score"], keys: Float[Tensor, "batch keys d_score"]
) -> Float[Tensor, "batch keys"]:
    """Score each key against the query by q · k / √d_score.

    With queries and keys projected as here, this is the "general" score of Luong et
    al. (2015, section 3.1), their W_a being the product of two narrower matrices,
    times the scale of Vaswani et al. (2017).
    """
    return (keys @ query[:, :, None]).squeeze(-1) / math.sqrt(keys.shape[-1])


class LookBack(nn.Module):
    """Turn the decoder's state into a query, and average what the source answers.

    Bahdanau et al. (2015), section 3.1 and appendix A.1.2: ``W_Q`` is their W_a,
    ``W_K`` their U_a, ``v`` their v_a. Keys are projected annotations, values the
    annotations themselves.

    Parameters
    ----------
    d_state : int
        Width of the decoder's state.
    d_annotation : int
    d_score : int
        Width of queries and keys.
    score : "additive" or "dot"
    """

    def __init__(self, d_state: int, d_annotation: int, d_score: int, score: str):
        super().__init__()
        self.W_Q = nn.Linear(d_state, d_score, bias=False)
        self.W_K = nn.Linear(d_annotation, d_score)
        if score == "additive":
            self.v = nn.Parameter(torch.empty(d_score).uniform_(-1, 1) / math.sqrt(d_score))
        self.score = score

    def forward(
        self,
        state: Float[Tensor, "batch d_state"],
        keys: Float[Tensor, "batch source_length d_score"],
        annotations: Float[Tensor, "batch source_length d_annotation"],
        mask: Bool[Tensor, "batch source_length"],
    ) -> tuple[Float[Tensor, "batch d_annotation"], Float[Tensor, "batch source_length"]]:
        """Return the context and the weights it was averaged with.

        Parameters
        ----------
        state : (batch, d_state)
        keys : (batch, source_length, d_score)
            ``W_K(annotations)``, computed once for the whole sentence.
        annotations : (batch, source_length, d_annotation)
        mask : (batch, source_length), boolean
            ``True`` for tokens, ``False`` for padding.
        """
        query = self.W_Q(state)  # (batch, d_score)
        if self.score == "additive":
            scores = additive_scores(query, keys, self.v)  # (batch, source_length)
        else:
            scores = dot_scores(query, keys)
        scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
        weights = scores.softmax(-1)  # (batch, source_length): 0 on padding
        context = (weights[:, None] @ annotations).squeeze(1)  # (batch, d_annotation)
        return context, weights


# ------------------------------------------------------------------- the model

SCORES = (None, "additive", "dot")
CELLS = {"gru": nn.GRU, "lstm": nn.LSTM, "rnn": nn.RNN}
READINGS = {
    "forwards": ("forwards",),
    "backwards": ("backwards",),
    "both": ("forwards", "backwards"),
}


@dataclass(frozen=True)
class RecurrentConfig:
    """What a translator is made of.

    Attributes
    ----------
    source_symbols, target_symbols : int
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

    source_symbols: int
    target_symbols: int
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
        numbers = {name: check_positive(name, getattr(self, name)) for name in WIDTHS}
        for name in ("source_symbols", "target_symbols"):
            symbols = getattr(self, name)
            numbers[name] = as_integer(name, symbols, f"above {END + 1}", lambda n: n > END + 1)
        expected = "a number from 0 to below 1"
        numbers["dropout"] = as_real("dropout", self.dropout, expected, lambda p: 0 <= p < 1)
        for name, number in numbers.items():
            object.__setattr__(self, name, number)  # Python's own, as files want them


WIDTHS = ("d_embedding", "d_encoder", "d_decoder", "d_context", "d_score")


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

        self.source_embedding = nn.Embedding(config.source_symbols, config.d_embedding)
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
        self.target_embedding = nn.Embedding(config.target_symbols, config.d_embedding)
        self.decoder = nn.GRU(config.d_embedding + d_context, config.d_decoder, batch_first=True)
        self.to_hidden = nn.Linear(
            config.d_decoder + config.d_embedding + d_context, config.d_embedding
        )
        self.to_logits = nn.Linear(config.d_embedding, config.target_symbols)
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
        check_tokens("target", target, self.config.target_symbols)
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
        check_tokens("source", source, self.config.source_symbols)
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


# ------------------------------------------------------------ making and keeping


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


def parameters_of(config: RecurrentConfig) -> int:
    """Count the numbers that training would adjust."""
    with torch.device("meta"):  # shapes without memory behind them
        return sum(parameter.numel() for parameter in Translator(config).parameters())


def width_for(parameters: int, config: RecurrentConfig, field: str = "d_decoder") -> int:
    """Find the width that brings a model nearest to a number of parameters.

    Models of different make can so be compared at equal size.

    Parameters
    ----------
    parameters : int
    config : RecurrentConfig
        Everything else about the model.
    field : str
        Which width: "d_decoder", "d_encoder", "d_context", ...

    Returns
    -------
    width : int
        For ``dataclasses.replace(config, d_decoder=width)``.

    Raises
    ------
    ValueError
        If there is no such width, it does not matter to this model, or the model
        is too large even with a width of 1.
    """
    require(field in WIDTHS, "field", f"one of {WIDTHS}", field)
    parameters = as_integer("parameters", parameters)

    def count(width: int) -> int:
        return parameters_of(replace(config, **{field: width}))

    require(count(2) > count(1), "field", "a width that this model has", field)
    require(count(1) <= parameters, "parameters", f"at least {count(1)}", parameters)
    too_wide = 2
    while count(too_wide) < parameters:
        too_wide *= 2
    widest = too_wide // 2  # count(widest) <= parameters <= count(too_wide)
    while too_wide - widest > 1:
        middle = (widest + too_wide) // 2
        widest, too_wide = (middle, too_wide) if count(middle) <= parameters else (widest, middle)
    return min(widest, too_wide, key=lambda width: abs(count(width) - parameters))


def save(path: str | Path, model: Translator) -> None:
    """Write a model's weights and config to a ``.safetensors`` file."""
    model = unwrapped(model)
    save_weights(path, model, {"kind": "translator", "config": asdict(model.config)})


def load(path: str | Path) -> Translator:
    """Make the model that ``save`` wrote.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it holds something else.
    """
    _, header = read_tensors(path)
    kind = header.get("kind")
    require(kind == "translator", str(path), "the weights of a translator", kind)
    model = new_translator(RecurrentConfig(**header["config"]), seed=0)
    load_weights(path, model)
    return model


# --------------------------------------------------------- how far a gradient gets


def gradient_reach(
    cell: nn.RNN | nn.GRU | nn.LSTM, x: Float[Tensor, "batch length d_input"]
) -> Float[Tensor, "batch length"]:
    """Measure how much the last state still depends on the input k steps back.

    The measure is the norm of the Jacobian d state_T / d x_{T-k} (Pascanu et al. 2013,
    equation 5, times what the input does to its own state). It is chosen over the
    gradient of a loss for two reasons: it needs no read-out and no task, so untrained
    and trained cells, and cells of different kinds, are measured alike; and a loss
    that has been learnt has a small gradient everywhere, which would look like
    vanishing.

    Parameters
    ----------
    cell : nn.RNN, nn.GRU or nn.LSTM
        One layer, one direction, ``batch_first=True``.
    x : (batch, length, d_input)
        Sequences without padding. Of an LSTM, the state is what it puts out (h), and
        not its inner cell (c).

    Returns
    -------
    reach : (batch, length)
        Column k: the norm, over all entries of the Jacobian, for the input k steps
        back; column 0 is the last input.

    Raises
    ------
    ValueError
        If the cell has several layers or directions or is not ``batch_first``.
    """
    plain = cell.num_layers == 1 and not cell.bidirectional and cell.batch_first
    require(plain, "cell", "one layer, one direction, batch_first=True", cell)
    x = x.detach().requires_grad_()
    last = cell(x)[0][:, -1]  # (batch, d_state)
    squares = x.new_zeros(x.shape[:2])  # (batch, length)
    for component in last.sum(0):  # sequences do not mix: each gets its own gradient
        (gradient,) = torch.autograd.grad(component, x, retain_graph=True)
        squares += gradient.square().sum(-1)
    return squares.sqrt().flip(1)


# ---------------------------------------------------------------------- checks


def _check_weights_wanted(config: RecurrentConfig, return_weights: bool) -> None:
    """Refuse to return the weights of a model that does not look back."""
    there = config.score is not None
    expected = "False for a model without a score"
    require(there or not return_weights, "return_weights", expected, return_weights)
