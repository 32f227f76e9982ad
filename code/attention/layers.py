"""The layers of a transformer, in torch (multi-head: All heads; position; transformer).

The conventions are those of ``attention.by_hand``: rows are positions, a mask
is boolean with ``True`` for *may attend*, and a query that may attend to
nothing gets zero weights and a zero output from every head.
"""

import copy
import math
from collections.abc import Iterator

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import as_integer, as_real
from attention.report import require

# --------------------------------------------------------------- many heads


def split_heads(
    x: Float[Tensor, "*batch length width"], heads: int
) -> Float[Tensor, "*batch heads length head_width"]:
    """Cut the last axis into ``heads`` equal parts and put them in front.

    Parameters
    ----------
    x : (..., length, width)
    heads : int
        Must divide ``width``.

    Returns
    -------
    split : (..., heads, length, width / heads)
        A view of ``x``: no number is copied.

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point tensor with at least two axes, or
        ``heads`` does not divide its width.
    """
    _check_rows("x", x)
    heads = _positive("heads", heads)
    _check_divides(heads, "the last axis of x", x.shape[-1])
    # The cut comes first, (..., length, heads, head_width), and only then do
    # two axes change places. A reshape to the final shape would mix positions.
    return x.unflatten(-1, (heads, -1)).transpose(-2, -3)


def merge_heads(
    x: Float[Tensor, "*batch heads length head_width"],
) -> Float[Tensor, "*batch length width"]:
    """Put the heads side by side again: the inverse of ``split_heads``.

    Parameters
    ----------
    x : (..., heads, length, head_width)

    Returns
    -------
    merged : (..., length, heads * head_width)

    Raises
    ------
    ValueError
        If ``x`` is not a floating-point tensor with at least three axes.
    """
    _check_rows("x", x)
    if x.ndim < 3:
        raise ValueError(
            f"x: expected (..., heads, length, head_width), got shape {tuple(x.shape)}"
        )
    return x.transpose(-2, -3).flatten(-2)


# ------------------------------------------------------ keys and values, kept


class KeysAndValues:
    """The keys and values of positions that an attention has read, to be used again.

    Parameters
    ----------
    key : (batch, heads, keys, d_k)
        Rotated already, if positions are rotary.
    value : (batch, heads, keys, d_v)

    Attributes
    ----------
    key, value
        Of all positions that are kept.
    notes : dict
        Tensors with the same rows in front, which go wherever the rows go. Whoever
        watches a model leaves here what belongs to the positions that are kept.
    """

    def __init__(
        self,
        key: Float[Tensor, "*batch heads keys d_k"],
        value: Float[Tensor, "*batch heads keys d_v"],
    ):
        self.key, self.value = key, value
        self.notes: dict[object, Tensor] = {}
        self._shelf: _Shelf | None = None

    def __iter__(self) -> Iterator[Tensor]:
        """Give the keys, then the values."""
        return iter((self.key, self.value))

    @property
    def length(self) -> int:
        """How many positions are kept."""
        return self.key.shape[-2]

    def append(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Put those of the next positions behind, and return the keys and values of all."""
        if torch.is_grad_enabled():  # gradients need the old tensors as they were
            self.key = torch.cat([self.key, key], dim=-2)
            self.value = torch.cat([self.value, value], dim=-2)
            self._shelf = None
            return self.key, self.value
        end = self.length + key.shape[-2]
        if self._shelf is None or not self._shelf.has_room(self.length, end):
            self._shelf = _Shelf(self, end + ROOM)
        self.key, self.value = self._shelf.put(self.length, key, value)
        return self.key, self.value

    def fork(self) -> "KeysAndValues":
        """Share what is kept; what is appended to the fork, the original does not see."""
        fork = copy.copy(self)
        fork.notes = dict(self.notes)
        return fork

    def first(self, length: int) -> "KeysAndValues":
        """Fork, and keep the first positions only."""
        fork = self.fork()
        fork.key, fork.value = (tensor[..., :length, :] for tensor in self)
        return fork

    def __getitem__(self, rows: Int[Tensor, " picked"]) -> "KeysAndValues":
        """Take some rows of the batch, in this order, as ``generate.pick`` does."""
        picked = KeysAndValues(self.key[rows], self.value[rows])
        picked.notes = {name: note[rows] for name, note in self.notes.items()}
        return picked


# Positions for which memory is set aside when a cache is moved. One step in so many
# copies what is kept, which is little beside attention: that reads it all in every step.
ROOM = 64


class _Shelf:
    """Memory for more positions than are kept yet.

    Forks share it, and each sees its own first positions. Only what lies behind all of
    them is ever written to: a fork that would write where another has written is moved
    to a shelf of its own.
    """

    def __init__(self, kept: KeysAndValues, room: int):
        self.key, self.value = (_with_room(tensor, room) for tensor in kept)
        self.filled = kept.length

    def has_room(self, start: int, end: int) -> bool:
        # What was made in inference mode may not be written to outside.
        same_mode = self.key.is_inference() == torch.is_inference_mode_enabled()
        return self.filled == start and end <= self.key.shape[-2] and same_mode

    def put(self, start: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.filled = start + key.shape[-2]
        self.key[..., start : self.filled, :] = key
        self.value[..., start : self.filled, :] = value
        return self.key[..., : self.filled, :], self.value[..., : self.filled, :]


def _with_room(tensor: Tensor, length: int) -> Tensor:
    """Copy to memory that has room for so many positions."""
    roomy = tensor.new_empty(*tensor.shape[:-2], length, tensor.shape[-1])
    roomy[..., : tensor.shape[-2], :] = tensor
    return roomy


# ----------------------------------------------------------- attention itself

Memory = Float[Tensor, "*batch keys d_model"]
Output = Float[Tensor, "*batch queries d_model"]
Weights = Float[Tensor, "*batch heads queries all_keys"]


class MultiHeadAttention(nn.Module):
    """Attend several times side by side, each head with its own projections.

    Vaswani et al. (2017), section 3.2.2, with biases unless told otherwise.
    Head h uses the h-th block of outputs of ``W_Q``, ``W_K`` and ``W_V``.

    Parameters
    ----------
    d_model : int
        Width of the vectors that come in and go out.
    heads : int
        Must divide ``d_model``; then d_k = d_v = ``d_model / heads``.
    bias : bool
        Whether the four projections add a bias.
    dropout : float
        Probability that a weight is dropped in training, from 0 to below 1.

    Raises
    ------
    ValueError
        If ``d_model`` or ``heads`` is not a positive integer, ``heads`` does
        not divide ``d_model``, or ``dropout`` is out of range.
    """

    def __init__(
        self,
        d_model: int,
        heads: int,
        bias: bool = True,
        dropout: float | int = 0.0,
    ):
        super().__init__()
        d_model = _positive("d_model", d_model)
        heads = _positive("heads", heads)
        _check_divides(heads, "d_model", d_model)
        self.heads = heads
        self.dropout = _probability("dropout", dropout)
        self.W_Q = nn.Linear(d_model, d_model, bias)
        self.W_K = nn.Linear(d_model, d_model, bias)
        self.W_V = nn.Linear(d_model, d_model, bias)
        self.W_O = nn.Linear(d_model, d_model, bias)

    def forward(
        self,
        x: Float[Tensor, "*batch queries d_model"],
        memory: Memory | KeysAndValues | None = None,
        mask: Bool[Tensor, "..."] | None = None,
        return_weights: bool = False,
        angles: Float[Tensor, "length pairs"] | None = None,
        score_bias: Float[Tensor, "..."] | None = None,
        kept: KeysAndValues | None = None,
    ) -> Output | tuple[Output, Weights]:
        """Let each row of ``x`` attend to the rows of ``memory``, or of ``x`` itself.

        Parameters
        ----------
        x : (batch, queries, d_model)
            Where the queries come from. Any number of batch axes, also none.
        memory : (batch, keys, d_model), optional
            Where keys and values come from (cross-attention); or these themselves,
            from ``keys_and_values``. Default: ``x`` (self-attention).
        mask : (batch, queries, keys) or (batch, heads, queries, keys), boolean, optional
            ``True`` where a query may attend to a key. With no more axes than
            ``x`` it is the same for all heads; with one more it has one mask
            for each head. Broadcasts: (queries, keys) serves the whole batch, unless
            there are as many queries as there are rows in the batch. Then it could as
            well be (batch, keys), a padding mask without its middle axis, and nobody can
            tell: write ``mask[None]`` for the one and ``mask[:, None]`` for the other.
        return_weights : bool
            Return the weights too. They are as the softmax gave them, before
            dropout.
        angles : (queries, d_k / 2), optional
            Rotate queries and keys by these before they meet (see ``rotate``); in
            self-attention only.
        score_bias : (batch, heads, queries, keys), optional
            Added to the scaled scores, such as ``alibi_bias``. Broadcasts:
            (heads, queries, keys) serves the whole batch.
        kept : KeysAndValues, optional
            Of the positions before those of ``x``, in self-attention only: the rows of
            ``x`` attend to these too, and theirs are appended. ``keys`` counts them all.

        Returns
        -------
        output : (batch, queries, d_model)
            A query that may attend to nothing gets the bias of ``W_O``.
        weights : (batch, heads, queries, keys), if asked for
            Each row sums to 1, or is zero if the mask leaves the query no key.

        Raises
        ------
        ValueError
            If ``x`` or ``memory`` is not a floating-point tensor of width
            ``d_model``, their batch axes differ, there is no key, the mask
            is not boolean, does not broadcast or can be read in two ways, or
            ``angles``, ``score_bias`` or ``kept`` does not fit.
        """
        memory = x if memory is None else memory
        call = x, memory, mask, angles, score_bias, kept
        mask, score_bias = _checked(self, *call)
        dropout = self.dropout if self.training else 0.0

        query = split_heads(self.W_Q(x), self.heads)
        key, value = self.keys_and_values(memory)
        # now (batch, heads, queries, d_k), (batch, heads, keys, d_k) and
        # (batch, heads, keys, d_v)
        if angles is not None:
            query, key = rotate(query, angles), rotate(key, angles)
        if kept is not None:
            # those of earlier positions first
            key, value = kept.append(key, value)
        if not return_weights:
            mask = _mask_and_bias(mask, score_bias, query)
            output = F.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, dropout_p=dropout
            )  # (batch, heads, queries, d_v)
            return self.W_O(merge_heads(output))  # (batch, queries, d_model)

        # (batch, heads, queries, keys)
        weights = _attention_weights(query, key, mask, score_bias)
        output = F.dropout(weights, dropout) @ value
        return self.W_O(merge_heads(output)), weights

    def keys_and_values(
        self, memory: Float[Tensor, "*batch keys d_model"] | KeysAndValues
    ) -> KeysAndValues:
        """Make the keys and values of ``memory``, unless it is these already."""
        if isinstance(memory, KeysAndValues):
            return memory
        key = split_heads(self.W_K(memory), self.heads)
        value = split_heads(self.W_V(memory), self.heads)
        return KeysAndValues(key, value)


def _mask_and_bias(mask: Tensor | None, score_bias: Tensor | None, query: Tensor) -> Tensor | None:
    """Say both in one tensor, to be added to the scores: -inf where the mask says no."""
    if score_bias is None:
        return mask
    score_bias = score_bias.to(query)
    return score_bias if mask is None else score_bias.masked_fill(~mask, -torch.inf)


def _attention_weights(
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    score_bias: Tensor | None = None,
) -> Tensor:
    """Compute the softmax of the scores, with zeros where masked."""
    # Scores in at least 32 bits: a float16 dot product overflows early.
    working = torch.promote_types(query.dtype, torch.float32)
    # (..., queries, d_k) times (..., d_k, keys)
    scores = query.to(working) @ key.to(working).transpose(-1, -2)
    scores = scores / math.sqrt(query.shape[-1])
    if score_bias is not None:
        scores = scores + score_bias.to(scores)
    if mask is None:
        return scores.softmax(-1).to(query.dtype)
    # The lowest number there is, and not -inf: a row of -inf would be NaN
    # after the softmax, and so would its gradient. The zeros that follow
    # change something only in the rows where all is masked.
    scores = scores.masked_fill(~mask, torch.finfo(scores.dtype).min)
    return scores.softmax(-1).masked_fill(~mask, 0).to(query.dtype)


# ------------------------------------------------- the norm, and each alone

Rows = Float[Tensor, "*batch d_model"]  # a vector for each position


def layer_norm(
    x: Float[Tensor, "*batch d_model"],
    gain: Float[Tensor, " d_model"],
    bias: Float[Tensor, " d_model"],
    eps: float,
) -> Float[Tensor, "*batch d_model"]:
    """Give each row mean 0 and variance 1, then a gain and a bias for each column.

    Ba et al. (2016), section 3. The variance is divided by the width and not by one
    less, and ``eps`` is added to it before the root is taken: it matters where a row's
    numbers are nearly all the same.
    """
    centred = x - x.mean(-1, keepdim=True)  # (..., d_model)
    variance = centred.square().mean(-1, keepdim=True)  # (..., 1)
    return gain * centred / torch.sqrt(variance + eps) + bias


class LayerNorm(nn.Module):
    """Hold the gain and the bias of a ``layer_norm``, equal to ``nn.LayerNorm``.

    Parameters
    ----------
    d_model : int
    eps : float
        Above 0.

    Raises
    ------
    ValueError
        If ``d_model`` is not a positive integer, or ``eps`` not a positive number.
    """

    def __init__(self, d_model: int, eps: float | int = 1e-5):
        super().__init__()
        d_model = _positive("d_model", d_model)
        positive = "a positive number"
        self.eps = as_real("eps", eps, positive, lambda eps: eps > 0)
        self.gain = nn.Parameter(torch.ones(d_model))
        self.bias = nn.Parameter(torch.zeros(d_model))

    def forward(self, x: Rows) -> Rows:
        """Normalise each position by itself: no other has a say in it.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        _check_width(x, len(self.gain))
        # layer_norm(x, self.gain, self.bias, self.eps), in one pass over x
        return F.layer_norm(x, self.gain.shape, self.gain, self.bias, self.eps)


ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


class FeedForward(nn.Module):
    """Think about each position alone: widen, bend, narrow.

    Vaswani et al. (2017), section 3.3, equation 2: max(0, x W_1 + b_1) W_2 + b_2. The
    same matrices serve all positions, and nothing passes between them.

    Parameters
    ----------
    d_model : int
        Width of what comes in and goes out.
    d_ff : int
        Width in between; the paper's is 4 ``d_model``.
    activation : "relu" or "gelu"
        The paper's, or that of BERT and GPT (Hendrycks & Gimpel 2016).
    dropout : float
        Probability that a number in between is dropped in training, from 0 to below 1.

    Raises
    ------
    ValueError
        If a width is not a positive integer, the activation is unknown, or
        ``dropout`` is out of range.
    """

    def __init__(
        self,
        d_model: int,
        d_ff: int,
        activation: str = "relu",
        dropout: float | int = 0.0,
    ):
        super().__init__()
        d_model, d_ff = _positive("d_model", d_model), _positive("d_ff", d_ff)
        expected = f"one of {tuple(ACTIVATIONS)}"
        require(activation in ACTIVATIONS, "activation", expected, activation)
        dropout = _probability("dropout", dropout)
        self.W_1 = nn.Linear(d_model, d_ff)
        self.W_2 = nn.Linear(d_ff, d_model)
        self.activation = ACTIVATIONS[activation]
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Rows) -> Rows:
        """Return what is to be added at each position.

        Raises
        ------
        ValueError
            If ``x`` is not a floating-point tensor of width ``d_model``.
        """
        _check_width(x, self.W_1.in_features)
        hidden = self.activation(self.W_1(x))  # (..., d_ff)
        return self.W_2(self.dropout(hidden))  # (..., d_model)


# ---------------------------------------------------------------- positions
# Tables of positions are float64, whatever the model's numbers are: an angle near
# 100 000, rounded to float32, can be off by 0.004. Who uses a table rounds its sines.
# ``offset`` is the first position, for a text whose beginning has been dealt with.
# ``device`` is where the table will be used; by default, where torch makes tensors.


def position_angles(
    length: int,
    width: int,
    offset: int = 0,
    base: float | int = 10_000,
    device: torch.device | str | None = None,
) -> Float[Tensor, "length pairs"]:
    """Let a hand turn for each two columns, the first fast and the last slowly.

    At position p the hand of columns 2i and 2i + 1 has come to the angle
    p / base^(2i / width): p radians for the first, hardly p / base for the last. The
    sinusoids of Vaswani et al. (2017, section 3.5) show the hands' heights and sides;
    RoPE (Su et al. 2021, section 3.2.2) turns queries and keys along with them.

    Parameters
    ----------
    length : int
        Number of positions.
    width : int
        Number of columns, two for each hand; if it is odd, the last has one.
    offset : int
        The first position, 0 or more.
    base : float
        Above 0; 10 000 in both papers.
    device : torch.device, optional

    Returns
    -------
    angles : (length, width / 2), float64
        In radians, not reduced to one turn.

    Raises
    ------
    ValueError
        If ``length`` or ``width`` is not a positive integer, ``offset`` is negative, or
        ``base`` is not positive.
    """
    length, width = _positive("length", length), _positive("width", width)
    offset, device = _offset(offset), _with_float64(device)
    base = as_real("base", base, "a positive number", lambda base: base > 0)
    places = torch.arange(offset, offset + length, device=device)  # (length,)
    position = places.double()
    column = torch.arange(0, width, 2, device=device).double()  # (pairs,)
    return position[:, None] * base ** (-column / width)


def sinusoidal_positions(
    length: int,
    d_model: int,
    offset: int = 0,
    device: torch.device | str | None = None,
) -> Float[Tensor, "length d_model"]:
    """Write each position as a row of sines and cosines, to be added to the token there.

    Vaswani et al. (2017), section 3.5: the sines are in the even columns, the cosines
    beside them in the odd ones. With an odd ``d_model`` the last sine stands alone.

    Parameters
    ----------
    length : int
        Number of positions; there is no largest one.
    d_model : int
    offset : int
        The first position, 0 or more.
    device : torch.device, optional

    Returns
    -------
    positions : (length, d_model), float64

    Raises
    ------
    ValueError
        If ``length`` or ``d_model`` is not a positive integer, or ``offset`` is negative.
    """
    d_model = _positive("d_model", d_model)
    # (length, pairs)
    angles = position_angles(length, d_model, offset, device=device)
    both = torch.stack([angles.sin(), angles.cos()], -1)  # (length, pairs, 2)
    return both.flatten(-2)[:, :d_model]  # sin, cos, sin, cos ...


class LearnedPositions(nn.Module):
    """Keep a row of parameters for each position, to be added to the token there.

    Gehring et al. (2017), section 3.1; in BERT and GPT too. There is no row, and
    so no model, beyond ``max_length``.

    Parameters
    ----------
    max_length : int
        Number of positions.
    d_model : int

    Raises
    ------
    ValueError
        If one of them is not a positive integer.
    """

    def __init__(self, max_length: int, d_model: int):
        super().__init__()
        max_length = _positive("max_length", max_length)
        d_model = _positive("d_model", d_model)
        self.weight = nn.Parameter(torch.randn(max_length, d_model) / math.sqrt(d_model))

    def forward(self, length: int, offset: int = 0) -> Float[Tensor, "length d_model"]:
        """Return the rows of ``length`` positions from ``offset`` on.

        Raises
        ------
        ValueError
            If they go beyond ``max_length``, or ``offset`` is negative.
        """
        length, offset = _positive("length", length), _offset(offset)
        expected = f"at most {len(self.weight)} positions, for which there are rows"
        require(offset + length <= len(self.weight), "length", expected, offset + length)
        return self.weight[offset : offset + length]


def rotate(
    x: Float[Tensor, "*batch length d_k"], angles: Float[Tensor, "length pairs"]
) -> Float[Tensor, "*batch length d_k"]:
    """Turn each two neighbouring columns by an angle that depends on the position (RoPE).

    Su et al. (2021), section 3.2.2, equation 15, in the form of equation 34. A query
    turned by its position's angles and a key turned by its own have the dot product that
    the unturned key and a query turned by the difference have: the score knows how far
    apart they are, and not where they are.

    The pairs are columns 0 and 1, 2 and 3, and so on, as in the paper. Some libraries
    pair column i with column i + d_k / 2; it is the same with the columns in another
    order, so weights trained for one must be reordered for the other.

    Parameters
    ----------
    x : (..., length, d_k)
        Queries or keys; ``d_k`` must be even.
    angles : (length, d_k / 2)
        ``position_angles(length, d_k, offset)``.

    Returns
    -------
    rotated : (..., length, d_k)
        Each row is as long as it was.

    Raises
    ------
    ValueError
        If ``angles`` has another shape.
    """
    _check_rows("x", x)
    *_, length, d_k = x.shape
    fits = d_k % 2 == 0 and tuple(angles.shape) == (length, d_k // 2)
    expected = f"(length, d_k / 2) for x of shape {tuple(x.shape)}"
    require(fits, "angles", expected, tuple(angles.shape))
    cos, sin = angles.cos().to(x), angles.sin().to(x)  # (length, pairs)
    first, second = x[..., 0::2], x[..., 1::2]  # (..., length, pairs)
    turned = [first * cos - second * sin, first * sin + second * cos]
    return torch.stack(turned, -1).flatten(-2)  # (..., length, d_k)


def alibi_slopes(heads: int, device: torch.device | str | None = None) -> Float[Tensor, " heads"]:
    """Say how much each head minds distance (ALiBi).

    Press et al. (2022), section 3: 2^(-8/heads) for the first, and each next one that
    much smaller again, down to 2^-8. The authors' code, and models trained since, do so
    only if ``heads`` is a power of two, and so does this. If it is not, they take the
    slopes of the power of two below it, then every other slope of the one above.

    Parameters
    ----------
    heads : int
    device : torch.device, optional

    Returns
    -------
    slopes : (heads,), float64

    Raises
    ------
    ValueError
        If ``heads`` is not a positive integer.
    """
    heads, device = _positive("heads", heads), _with_float64(device)

    def of_power_of_two(count: int) -> Tensor:
        number = torch.arange(1, count + 1, dtype=torch.float64, device=device)
        return 2.0 ** (-8 * number / count)

    below = 2 ** (heads.bit_length() - 1)  # the largest power of two up to heads
    between = of_power_of_two(2 * below)[0::2]
    return torch.cat([of_power_of_two(below), between[: heads - below]])


def alibi_bias(
    heads: int,
    queries: int,
    keys: int,
    device: torch.device | str | None = None,
) -> Float[Tensor, "heads queries keys"]:
    """Take from each score the distance between query and key, times the head's slope.

    Press et al. (2022), section 3, figure 3. The paper's models are causal; as distance
    counts in both directions alike here, it serves an encoder too.

    Parameters
    ----------
    heads : int
    queries, keys : int
        The last query stands where the last key does. So one query and many keys are a
        text that is being continued.
    device : torch.device, optional

    Returns
    -------
    bias : (heads, queries, keys), float64
        For ``MultiHeadAttention``'s ``score_bias``; zero where a query meets its own key.

    Raises
    ------
    ValueError
        If a number is not a positive integer, or there are more queries than keys.
    """
    queries, keys = _positive("queries", queries), _positive("keys", keys)
    require(queries <= keys, "queries", f"at most keys = {keys}", queries)
    key = torch.arange(keys, device=_with_float64(device))  # (keys,)
    query = key[keys - queries :, None]  # (queries, 1)
    return -alibi_slopes(heads, device)[:, None, None] * (query - key).abs()


def _with_float64(device: torch.device | str | None) -> torch.device | str | None:
    """Name the device for a table: an Apple GPU has no float64, so the CPU makes its tables."""
    return "cpu" if str(device).startswith("mps") else device


# ------------------------------------------------------------------- checks
# Each says which argument is wrong, what came, and what was expected. They look
# at types and shapes, never at the numbers, so that training does not wait.


def _describe(thing: object) -> str:
    if isinstance(thing, Tensor):
        return f"{thing.dtype} of shape {tuple(thing.shape)}"
    return type(thing).__name__


def _check_rows(name: str, x: Tensor) -> None:
    if not isinstance(x, Tensor) or not x.is_floating_point():
        raise ValueError(f"{name}: expected a floating-point tensor, got {_describe(x)}")
    if x.ndim < 2:
        raise ValueError(f"{name}: expected at least two axes, got shape {tuple(x.shape)}")


def _checked(
    attention: MultiHeadAttention,
    x: Tensor,
    memory: Tensor | KeysAndValues,
    mask: Tensor | None,
    angles: Tensor | None,
    score_bias: Tensor | None,
    kept: KeysAndValues | None,
) -> tuple[Tensor | None, Tensor | None]:
    """Check what an attention got; return mask and bias with the axes of the scores."""
    shape = _scores_shape(x, memory, kept, attention.heads, attention.W_Q.in_features)
    _check_angles(angles, x, memory, attention.heads)
    return _checked_mask(mask, shape), _checked_score_bias(score_bias, shape)


def _scores_shape(
    x: Tensor,
    memory: Tensor | KeysAndValues,
    kept: KeysAndValues | None,
    heads: int,
    d_model: int,
) -> tuple[int, ...]:
    """Check where queries, keys and values come from; return (..., heads, queries, keys)."""
    _check_x("x", x, d_model)
    if isinstance(memory, KeysAndValues):
        keys = memory.length
        _check_kept("memory", memory, x, heads)
    else:
        _check_x("memory", memory, d_model)
        if x.shape[:-2] != memory.shape[:-2]:
            raise ValueError(
                f"memory: expected the batch axes of x, {tuple(x.shape[:-2])}, "
                f"got {tuple(memory.shape[:-2])}"
            )
        keys = memory.shape[-2]
    if keys == 0:
        name = "x" if memory is x else "memory"
        shape = (memory if isinstance(memory, Tensor) else memory.key).shape
        raise ValueError(f"{name}: expected at least one key, got shape {tuple(shape)}")
    if kept is not None:
        require(memory is x, "kept", "None in cross-attention", "keys and values")
        _check_kept("kept", kept, x, heads)
        keys += kept.length
    return (*x.shape[:-2], heads, x.shape[-2], keys)


def _check_x(name: str, x: Tensor, d_model: int) -> None:
    _check_rows(name, x)
    if x.shape[-1] != d_model:
        raise ValueError(
            f"{name}: expected a last axis of d_model = {d_model}, got shape {tuple(x.shape)}"
        )


def _check_kept(name: str, kept: KeysAndValues, x: Tensor, heads: int) -> None:
    shape = (*x.shape[:-2], heads, kept.length, x.shape[-1] // heads)
    for part, tensor in (("keys", kept.key), ("values", kept.value)):
        fits = tuple(tensor.shape) == shape
        require(fits, name, f"{part} of shape {shape} for this x", tuple(tensor.shape))


def _checked_mask(mask: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Return the mask with an axis for the heads, unless it is (queries, keys) or None."""
    if mask is None:
        return None
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        raise ValueError(
            f"mask: expected a boolean tensor (True = may attend), got {_describe(mask)}"
        )
    *batch, _, queries, keys = shape
    for_all_heads = (*batch, queries, keys)
    same_for_all = mask.ndim < len(shape)
    if not _broadcasts(mask.shape, for_all_heads if same_for_all else shape):
        raise ValueError(
            "mask: expected a shape that broadcasts to (..., queries, keys) = "
            f"{for_all_heads} or (..., heads, queries, keys) = {shape}, "
            f"got {tuple(mask.shape)}"
        )
    if batch and tuple(mask.shape) == (queries, keys) == (batch[-1], keys) and queries > 1:
        raise ValueError(
            f"mask: expected a shape with one meaning, got {tuple(mask.shape)}, which could be "
            "(queries, keys) or (batch, keys): write mask[None] or mask[:, None]"
        )
    # (..., queries, keys) becomes (..., 1, queries, keys): the same mask for each head.
    return mask.unsqueeze(-3) if same_for_all and mask.ndim > 2 else torch.atleast_2d(mask)


def _broadcasts(shape: tuple[int, ...], target: tuple[int, ...]) -> bool:
    """Say whether a tensor of this shape can be stretched to the target, axis by axis."""
    pairs = zip(shape[::-1], target[::-1], strict=False)
    return len(shape) <= len(target) and all(size in (1, wanted) for size, wanted in pairs)


def _check_angles(
    angles: Tensor | None, x: Tensor, memory: Tensor | KeysAndValues, heads: int
) -> None:
    if angles is None:
        return
    require(memory is x, "angles", "None in cross-attention", "angles")
    length, d_k = x.shape[-2], x.shape[-1] // heads
    fits = d_k % 2 == 0 and tuple(angles.shape) == (length, d_k // 2)
    expected = f"(length, d_k / 2) for length = {length} and d_k = {d_k}"
    require(fits, "angles", expected, tuple(angles.shape))


def _checked_score_bias(score_bias: Tensor | None, shape: tuple[int, ...]) -> Tensor | None:
    """Return the bias with as many axes as the scores have, or None."""
    if score_bias is None:
        return None
    good = isinstance(score_bias, Tensor) and score_bias.is_floating_point()
    require(good, "score_bias", "a floating-point tensor", _describe(score_bias))
    fits = _broadcasts(score_bias.shape, shape)
    expected = f"a shape that broadcasts to (..., heads, queries, keys) = {shape}"
    require(fits, "score_bias", expected, tuple(score_bias.shape))
    return score_bias[(None,) * (len(shape) - score_bias.ndim)]


def _check_width(x: Tensor, d_model: int) -> None:
    good = isinstance(x, Tensor) and x.is_floating_point()
    require(good, "x", "a floating-point tensor", _describe(x))
    fits = x.ndim > 0 and x.shape[-1] == d_model
    require(fits, "x", f"a last axis of d_model = {d_model}", tuple(x.shape))


def _offset(offset: int) -> int:
    return as_integer("offset", offset, "an integer from 0 on", lambda offset: offset >= 0)


def _check_divides(heads: int, meaning: str, width: int) -> None:
    if width % heads:
        raise ValueError(f"heads: expected a divisor of {meaning} = {width}, got {heads}")


def _positive(name: str, number: int) -> int:
    return as_integer(name, number, "a positive integer", lambda number: number > 0)


def _probability(name: str, number: float | int) -> float:
    return as_real(name, number, "a number from 0 to below 1", lambda number: 0 <= number < 1)
