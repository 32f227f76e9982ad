"""The character model: made, read from a file, trained (masking: A model that reads)."""

from pathlib import Path

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention._arguments import as_integer, positive_integer
from attention.layers import MultiHeadAttention
from attention.report import require
from attention.tasks.character_model.text import CONTEXT, SYMBOLS, batches, split
from attention.training import load_weights, minimise


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
        ``False`` is the bug of the chapter on masking.
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
        mask = self.mask(length)
        x = self.symbol(symbols) + self.position.weight[:length]  # (..., length, d_model)
        for block in self.blocks:
            x = block(x, mask)
        return self.readout(self.norm(x))  # (..., length, SYMBOLS)

    def mask(self, length: int) -> Bool[Tensor, "queries keys"] | None:
        """Say which position may attend to which; None: each to all."""
        if not self.causal:
            return None
        device = self.position.weight.device
        return torch.ones(length, length, dtype=torch.bool, device=device).tril()


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
    shortest: int = CONTEXT,
) -> tuple[CharacterModel, list[float]]:
    """Train a model with Adam, in float32.

    The seed fixes the initial weights and the windows, whatever ``causal``,
    ``shift`` and ``shortest`` are.

    Parameters
    ----------
    seed : int
    causal, shift
        As in ``CharacterModel`` and ``windows``.
    steps, batch : int
    learning_rate : float
    shortest : int
        Each batch is cut to a length between this and ``CONTEXT``, drawn afresh. With 1 the
        model knows texts of every length; unless told, it knows whole windows alone.

    Returns
    -------
    model : CharacterModel
    losses : list of float
        Cross-entropy of each step's batch before its update, in nats.

    Raises
    ------
    ValueError
        If ``steps``, ``batch`` or ``learning_rate`` is not positive,
        ``shift`` is not 0, 1 or 2, or ``shortest`` not from 1 to ``CONTEXT``.
    """
    seed = as_integer("seed", seed)
    batch = positive_integer("batch", batch, "a positive number")
    shift = as_integer("shift", shift, "0, 1 or 2", lambda shift: shift in (0, 1, 2))
    shortest = as_integer(
        "shortest", shortest, f"1 to {CONTEXT}", lambda length: 1 <= length <= CONTEXT
    )
    model = new_model(seed, causal)
    data = batches(split()[0], batch, torch.Generator().manual_seed(seed), shift)
    lengths = torch.Generator().manual_seed(seed)  # of its own: the windows stay the same

    def draw_loss() -> Tensor:
        length = torch.randint(shortest, CONTEXT + 1, (), generator=lengths)
        inputs, targets = (symbols[:, :length] for symbols in next(data))  # (batch, length)
        logits = model(inputs)  # (batch, length, SYMBOLS)
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())

    return model, minimise(draw_loss, model.parameters(), learning_rate, steps)
