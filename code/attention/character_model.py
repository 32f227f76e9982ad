"""The smallest language model worth the name: characters, two blocks, four heads.

It reads the help texts that come with Python (``pydoc_data.topics``), so every
reader has the data already; they differ a little between Python versions. Each
step has a switch for the mistakes that chapter 5 shows: ``causal`` leaves out the
mask, ``shift`` aligns the targets wrongly.
"""

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import as_integer
from attention.layers import MultiHeadAttention
from attention.report import require
from attention.training import check_positive, device_of, load_weights, minimise

# ------------------------------------------------------------------ the text

VOCABULARY = "\n" + "".join(map(chr, range(32, 127)))  # printable ASCII and the newline
UNKNOWN = len(VOCABULARY)  # the one symbol for every other character
SYMBOLS = len(VOCABULARY) + 1
CONTEXT = 64  # characters that the model can look back on, itself included


@cache
def corpus() -> str:
    """Join the help texts of Python, each paragraph once.

    Some topics quote others whole. A paragraph that stands both in the training
    part and in the held-out part would let memory pass for skill.
    """
    from pydoc_data.topics import topics  # only the corpus needs it, not a loaded model

    paragraphs = "\n\n".join(topics[name] for name in sorted(topics)).split("\n\n")
    return "\n\n".join(dict.fromkeys(paragraphs))


def encode(text: str) -> Int[Tensor, " length"]:
    """Turn characters into symbol numbers; what is not in the vocabulary is ``UNKNOWN``.

    Raises
    ------
    ValueError
        If ``text`` is no string.
    """
    require(isinstance(text, str), "text", "a string", text)
    number = {character: i for i, character in enumerate(VOCABULARY)}
    symbols = [number.get(character, UNKNOWN) for character in text]
    return torch.tensor(symbols, dtype=torch.long, device="cpu")


def decode(symbols: Int[Tensor, " length"]) -> str:
    """Turn symbol numbers into characters; ``UNKNOWN`` becomes the replacement character."""
    return "".join((VOCABULARY + "\N{REPLACEMENT CHARACTER}")[i] for i in symbols.tolist())


@cache
def split() -> tuple[Int[Tensor, " training"], Int[Tensor, " held_out"]]:
    """Encode the corpus and hold out its last tenth."""
    symbols = encode(corpus())
    return symbols.tensor_split([len(symbols) * 9 // 10])


def windows(
    symbols: Int[Tensor, " length"], starts: Int[Tensor, " batch"], shift: int = 1
) -> tuple[Int[Tensor, "batch context"], Int[Tensor, "batch context"]]:
    """Cut windows of ``CONTEXT`` symbols, and their targets ``shift`` symbols later.

    Parameters
    ----------
    symbols : (length,)
    starts : (batch,)
        Where each window begins.
    shift : int
        1 asks for the next symbol. 0 asks for the symbol that is there, 2 for
        the one after the next: both run, and both are bugs.

    Returns
    -------
    inputs, targets : (batch, CONTEXT)

    Raises
    ------
    ValueError
        If ``shift`` is negative or a window leaves the text.
    """
    shift = as_integer("shift", shift, "0 or more", lambda shift: shift >= 0)
    last = len(symbols) - CONTEXT - shift
    inside = all(0 <= start <= last for start in starts.tolist())
    require(inside, "starts", f"numbers from 0 to {last}", starts.tolist())
    # (batch, CONTEXT)
    places = starts[:, None] + torch.arange(CONTEXT, device=starts.device)
    return symbols[places], symbols[places + shift]


def batches(
    symbols: Int[Tensor, " length"], batch: int, generator: torch.Generator, shift: int = 1
) -> Iterator[tuple[Int[Tensor, "batch context"], Int[Tensor, "batch context"]]]:
    """Draw windows from all over the text, without end; they are where ``symbols`` are.

    Raises
    ------
    ValueError
        If ``batch`` is not a positive integer, or as in ``windows``; when the first batch
        is asked for.
    """
    batch = check_positive("batch", batch)
    while True:
        # As if shift were always 2, so that every arm of an experiment gets the same windows.
        starts = torch.randint(
            len(symbols) - CONTEXT - 1, (batch,), generator=generator, device=generator.device
        )
        yield windows(symbols, starts.to(symbols.device), shift)


def held_out_windows(
    shift: int = 1,
) -> tuple[Int[Tensor, "windows context"], Int[Tensor, "windows context"]]:
    """Cut the held-out text into windows that do not overlap, with their targets."""
    _, symbols = split()
    starts = torch.arange(0, len(symbols) - CONTEXT - 1, CONTEXT, device=symbols.device)
    return windows(symbols, starts, shift)


# ----------------------------------------------------------------- the model


class Block(nn.Module):
    """Attention, then a feed-forward layer, each added to what comes in.

    The norm stands before each of them (*pre-norm*, as in most models today),
    and not after the sum as in Vaswani et al. (2017).
    """

    def __init__(self, d_model: int, heads: int):
        super().__init__()
        self.attention_norm = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, heads)
        self.feed_forward_norm = nn.LayerNorm(d_model)
        self.feed_forward = nn.Sequential(
            nn.Linear(d_model, 4 * d_model), nn.GELU(), nn.Linear(4 * d_model, d_model)
        )

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Return (batch, length, d_model) from the same shape."""
        mask = None if mask is None else mask[None]  # (1, length, length): for all texts
        x = x + self.attention(self.attention_norm(x), mask=mask)
        return x + self.feed_forward(self.feed_forward_norm(x))


class CharacterModel(nn.Module):
    """A decoder-only transformer over characters, with learned positions.

    Parameters
    ----------
    causal : bool
        Whether a position may attend only to itself and to what came before.
        ``False`` is the bug of chapter 5.
    """

    def __init__(self, causal: bool = True, d_model: int = 64, heads: int = 4, blocks: int = 2):
        super().__init__()
        self.causal = causal
        self.symbol = nn.Embedding(SYMBOLS, d_model)
        self.position = nn.Embedding(CONTEXT, d_model)
        self.blocks = nn.ModuleList(Block(d_model, heads) for _ in range(blocks))
        self.norm = nn.LayerNorm(d_model)
        self.readout = nn.Linear(d_model, SYMBOLS)

    def forward(self, symbols: Int[Tensor, "*batch length"]) -> Float[Tensor, "*batch length all"]:
        """Return logits over all symbols at each position.

        Raises
        ------
        ValueError
            If there is no symbol, or more than ``CONTEXT``.
        """
        length = symbols.shape[-1]
        require(1 <= length <= CONTEXT, "symbols", f"1 to {CONTEXT} of them", length)
        mask = None
        if self.causal:
            mask = torch.ones(length, length, dtype=torch.bool, device=symbols.device).tril()
        x = self.symbol(symbols) + self.position.weight[:length]  # (..., length, d_model)
        for block in self.blocks:
            x = block(x, mask)
        return self.readout(self.norm(x))  # (..., length, SYMBOLS)


def new_model(seed: int, causal: bool = True) -> CharacterModel:
    """Make an untrained model; the same seed gives the same weights, causal or not.

    Raises
    ------
    ValueError
        If ``seed`` is no integer.
    """
    seed = as_integer("seed", seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CharacterModel(causal)


def load(path: str | Path) -> CharacterModel:
    """Read a trained causal model from a ``.safetensors`` file.

    Raises
    ------
    ValueError
        If there is no such file, it is damaged, or it holds something else.
    """
    model = CharacterModel()
    load_weights(path, model)
    return model


def train(
    seed: int,
    causal: bool = True,
    shift: int = 1,
    steps: int = 800,
    batch: int = 32,
    learning_rate: float = 0.003,
) -> tuple[CharacterModel, list[float]]:
    """Train a model with Adam, in float32.

    The seed fixes the initial weights and the windows, whatever ``causal`` and
    ``shift`` are.

    Returns
    -------
    model : CharacterModel
    losses : list of float
        Cross-entropy of each step's batch before its update, in nats.

    Raises
    ------
    ValueError
        If ``steps``, ``batch`` or ``learning_rate`` is not positive, or
        ``shift`` is not 0, 1 or 2.
    """
    seed = as_integer("seed", seed)
    batch = as_integer("batch", batch, "a positive number", lambda batch: batch > 0)
    shift = as_integer("shift", shift, "0, 1 or 2", lambda shift: shift in (0, 1, 2))
    model = new_model(seed, causal)
    data = batches(split()[0], batch, torch.Generator().manual_seed(seed), shift)

    def draw_loss() -> Tensor:
        inputs, targets = next(data)  # (batch, CONTEXT) each
        logits = model(inputs)  # (batch, CONTEXT, SYMBOLS)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    return model, minimise(draw_loss, model.parameters(), learning_rate, steps)


# ----------------------------------------------------------- what it is worth


@torch.no_grad()
def held_out_loss(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> float:
    """Compute the loss over whole windows at once, as a training loop reports it.

    Every position sees the true text, as far as the model's mask lets it
    (*teacher forcing*).

    Returns
    -------
    loss : float
        Mean cross-entropy, in nats for each character; its exponential is the
        perplexity.
    """
    total = sum(
        F.cross_entropy(model(some).flatten(0, 1), wanted.flatten(), reduction="sum").item()
        for some, wanted in zip(inputs.split(128), targets.split(128), strict=True)
    )
    return total / targets.numel()


@torch.no_grad()
def honest_losses(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> Float[Tensor, " length"]:
    """Compute the loss of each next character when there is nothing but the past.

    The model is given the first character of each window, then the first two,
    and so on, and is judged by its last position alone. No mask is needed to
    hide the future: it is not there, as it is not when text is generated. A
    causal model gives the same numbers in one pass over the windows.

    Returns
    -------
    losses : (length,)
        Mean cross-entropy over the windows, in nats; entry i with i + 1
        characters given.
    """
    return torch.stack(
        [
            F.cross_entropy(model(inputs[:, : i + 1])[:, -1], targets[:, i])
            for i in range(inputs.shape[1])
        ]
    )


def honest_loss(
    model: CharacterModel,
    inputs: Int[Tensor, "windows length"],
    targets: Int[Tensor, "windows length"],
) -> float:
    """Average ``honest_losses`` over the number of characters given, in nats."""
    return honest_losses(model, inputs, targets).mean().item()


@torch.no_grad()
def changes_with_the_future(model: CharacterModel, length: int = CONTEXT) -> float:
    """Change one input at a time; return the largest change of any logit before it.

    Anything but zero means that the model reads ahead.
    """
    device = device_of(model)
    text = torch.arange(length, device=device) % SYMBOLS  # (length,)
    other = torch.eye(length, dtype=torch.long, device=device)
    changed = (text + other) % SYMBOLS  # (length, length), row j: another symbol at j alone
    # The old text as often as the new one: another batch size may round otherwise.
    change = model(changed) - model(text.expand_as(changed))  # (changed at, read at, SYMBOLS)
    return change.abs().amax(-1).tril(-1).max().item()


@torch.no_grad()
def generate(model: CharacterModel, prompt: str, length: int, generator: torch.Generator) -> str:
    """Draw one character after the other from the model's own distribution.

    Returns
    -------
    text : str
        The ``length`` new characters, without the prompt.

    Raises
    ------
    ValueError
        If the prompt is empty or ``length`` is negative.
    """
    require(len(prompt) > 0, "prompt", "at least one character", prompt)
    length = as_integer("length", length, "0 or more", lambda length: length >= 0)
    symbols = encode(prompt).to(device_of(model))
    for _ in range(length):
        logits = model(symbols[-CONTEXT:])[-1]  # (SYMBOLS,)
        p = logits.softmax(-1).to(generator.device)  # (SYMBOLS,)
        drawn = torch.multinomial(p, 1, generator=generator)  # (1,)
        symbols = torch.cat([symbols, drawn.to(symbols.device)])
    return decode(symbols[len(prompt) :])


def _words(text: str) -> list[str]:
    return [word.lower() for word in re.findall("[A-Za-z]+", text) if len(word) >= 4]


def words_known(text: str) -> float:
    """Compute the share of words of at least 4 letters that occur in the corpus.

    Returns
    -------
    share : float
        From 0 to 1; 0 if the text has no such word.
    """
    words, known = _words(text), _corpus_words()
    return sum(word in known for word in words) / max(len(words), 1)


@cache
def _corpus_words() -> frozenset[str]:
    return frozenset(_words(corpus()))


# ------------------------------------------------------------- what heads do

Head = tuple[int, int]  # the number of its block, its number in the block


@torch.no_grad()
def attention_weights(
    model: CharacterModel, symbols: Int[Tensor, "batch length"]
) -> Float[Tensor, "blocks batch heads length length"]:
    """Record the weights of all heads in one forward pass."""
    recorded = []

    def record(module: MultiHeadAttention, arguments: tuple, options: dict, _: Tensor) -> None:
        recorded.append(module.forward(*arguments, **options, return_weights=True)[1])

    handles = [
        block.attention.register_forward_hook(record, with_kwargs=True) for block in model.blocks
    ]
    try:
        model(symbols)
    finally:
        for handle in handles:
            handle.remove()
    return torch.stack(recorded)


@contextmanager
def without_heads(model: CharacterModel, removed: list[Head]) -> Iterator[CharacterModel]:
    """Remove heads while the ``with`` block lasts: W_O gets zeros from them.

    Raises
    ------
    ValueError
        If the model has no such head.
    """
    for number, head in removed:
        last = len(model.blocks) - 1
        require(0 <= number <= last, "removed", f"blocks from 0 to {last}", number)
        last = model.blocks[number].attention.heads - 1
        require(0 <= head <= last, "removed", f"heads from 0 to {last}", head)
    handles = []
    for number, head in removed:
        attention = model.blocks[number].attention
        handles.append(attention.W_O.register_forward_pre_hook(_silence(head, attention.heads)))
    try:
        yield model
    finally:
        for handle in handles:
            handle.remove()


def _silence(head: int, heads: int):
    def hook(_: nn.Module, arguments: tuple[Tensor]) -> tuple[Tensor]:
        (merged,) = arguments  # (batch, length, d_model), the heads side by side
        d_v = merged.shape[-1] // heads
        keep = merged.new_ones(merged.shape[-1])
        keep[head * d_v : (head + 1) * d_v] = 0
        return (merged * keep,)

    return hook


def head_measures(
    weights: Float[Tensor, "*heads_of batch heads length length"],
    symbols: Int[Tensor, "batch length"],
) -> dict[str, Float[Tensor, "*heads_of heads"]]:
    """Measure where causal heads look, on average over windows and queries.

    Only queries that have such a place are counted, and never the first two
    positions, where most places are the same one.

    Parameters
    ----------
    weights : (..., batch, heads, length, length)
        As ``attention_weights`` returns them.
    symbols : (batch, length)
        What the model read.

    Returns
    -------
    measures : dict
        Mean weight, from 0 to 1, on the ``previous`` position, the ``first``,
        the query's own (``itself``), all positions with the query's symbol
        (``same``), all positions right after one of those (``after_same``), the
        last space or newline (``word_start``), the last three at least two
        positions back, so that none of them is the previous one; and
        ``entropy``, over its largest possible value. ``same`` and
        ``after_same`` leave out queries that are blank: in an indentation
        everything is the same.
    """
    length = symbols.shape[-1]
    i = torch.arange(length, device=symbols.device)
    query, key = i[:, None], i[None, :]
    blank = (symbols == VOCABULARY.index(" ")) | (symbols == VOCABULARY.index("\n"))
    same = (symbols[:, :, None] == symbols[:, None, :]) & ~blank[:, :, None]
    after_same = F.pad(same[:, :, :-1], (1, 0))  # (batch, queries, keys), as same
    # The last blank up to each position, or -1; a word starts after it.
    last_blank = torch.where(blank, i, -1).cummax(-1).values[:, :, None]
    places = {
        "previous": key == query - 1,
        "first": (key == 0).expand(length, length),
        "itself": key == query,
        "same": same & (key <= query - 2),
        "after_same": after_same & (key <= query - 2),
        "word_start": (key == last_blank) & (key <= query - 2),
    }
    measures = {}
    for name, place in places.items():
        place = (place & (query >= 2)).expand_as(same)
        counted = place.any(-1)  # (batch, queries)
        on_place = (weights * place[:, None]).sum(-1)  # (..., batch, heads, queries)
        measures[name] = on_place.sum((-1, -3)) / counted.sum()
    relative = torch.special.entr(weights).sum(-1)[..., 2:] / torch.log(i[2:] + 1.0)
    measures["entropy"] = relative.mean((-1, -3))
    return measures


def perplexity(loss: float) -> float:
    """Turn a loss in nats into the number of equally likely characters it is worth."""
    return math.exp(loss)
