"""What the heads of a character model do (multi-head: What the heads of a trained)."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from attention.layers import MultiHeadAttention
from attention.report import require
from attention.tasks.character_model.model import CharacterModel
from attention.tasks.character_model.text import VOCABULARY

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
