"""How real models look at the first token of a text, and what they lose without it."""

import statistics
from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor, nn

from attention import interventions

FROM = 3  # queries from this position on: the first ones have hardly a choice
LATE = 8  # losses of tokens behind this position
OTHERS = (1, 2, 3, 4, 5)  # positions that are cut as controls


class Rows(list):
    """Rows of one model."""

    def __init__(self, model: str):
        super().__init__()
        self.model = model

    def add(self, measure: str, place: object, value: object, count: int = 1) -> None:
        """Add a row; numbers are rounded to five digits."""
        value = f"{value:.5g}" if isinstance(value, float) else value
        row = {"model": self.model, "measure": measure, "place": place}
        self.append(row | {"value": value, "count": count})


def recorded(model: nn.Module, *texts: Tensor) -> dict:
    """Record the weights of a call."""
    with torch.inference_mode(), interventions.record_weights(model) as weights:
        model(*texts)
    return weights


def all_heads(weights: dict, where: str) -> Tensor:  # (layers, heads, queries, keys)
    """Put the layers of one text into one tensor."""
    return torch.stack([w[0] for (place, _), w in sorted(weights.items()) if place == where])


def look_from(rows: Rows, weights: Tensor, query: int, pieces: list[str]) -> None:
    """Say where heads look on average, from each token, and where most do from one."""
    count = weights[..., 0, 0].numel()
    for row, values in enumerate(weights.mean((0, 1)).tolist()):
        for key, weight in enumerate(values):
            rows.add("market", f"{row} {key}", weight, count)
    hardest = weights[:, :, query].argmax(-1).flatten().tolist()
    for key, piece in enumerate(pieces):
        rows.add("goes to", f"{key} {piece}", hardest.count(key), count)


def look_at_first(rows: Rows, model: nn.Module, where: str, texts: list[list[int]]) -> None:
    """Measure the weight on the first token, by layer, and on some others."""
    first, even, strong = [], [], []
    others: dict[str, list[float]] = {}
    for text in texts:
        weights = all_heads(recorded(model, torch.tensor([text])), where)[:, :, FROM:]
        first.append(weights[..., 0].mean((1, 2)))  # (layers,)
        even.append((1 / (weights > 0).sum(-1).float()).mean().item())
        strong.append(weights[..., 0].mean(2))  # (layers, heads)
        for name, value in on_others(weights).items():
            others.setdefault(name, []).append(value)
    by_layer = torch.stack(first).mean(0)
    for layer, share in enumerate(by_layer.tolist()):
        rows.add("sink", layer, share, len(texts))
    rows.add("sink", "all", by_layer.mean().item(), len(texts))
    rows.add("sink", "even", statistics.mean(even), len(texts))
    for name, found in others.items():
        rows.add("sink", name, statistics.mean(found), len(texts))
    heads = torch.stack(strong).mean(0)  # (layers, heads)
    rows.add("heads", "above half", int((heads > 0.5).sum()), heads.numel())


def on_others(weights: Tensor) -> dict[str, float]:
    """Give the mean weight on the second token, the token itself, the one before, the last.

    ``weights`` are (layers, heads, queries, keys), of the queries from ``FROM`` on.
    """
    keys = weights.shape[-1]
    query = torch.arange(FROM, keys)
    row = torch.arange(len(query))
    return {
        "second": weights[..., 1].mean().item(),
        "itself": weights[:, :, row, query].mean().item(),
        "before": weights[:, :, row, query - 1].mean().item(),
        "last": weights[:, :, :-1, -1].mean().item(),  # 0 behind a causal mask
    }


def look_at_lengths(
    rows: Rows, model: nn.Module, where: str, layers: Iterable, texts: list[list[int]]
) -> None:
    """Measure how long the first token's vectors are, beside the others', and what they add.

    What a key adds is its weight times the length of its value; the share of the first
    token is that of the sum over all keys.
    """
    values, streams, added = {}, {}, {}
    kept: dict[int, Tensor] = {}

    def keep(number: int, module: nn.Module, inputs: tuple, output: Tensor) -> None:
        kept[number] = output[0]  # (length, width)

    layers = list(layers)
    handles = [
        layer.self_attention.W_V.register_forward_hook(partial(keep, number))
        for number, layer in enumerate(layers)
    ]
    for text in texts:
        with (
            torch.inference_mode(),
            interventions.record_streams(model) as stream,
            interventions.record_weights(model) as weights,
        ):
            model(torch.tensor([text]))
        for number, layer in enumerate(layers):
            value = kept[number].unflatten(-1, (layer.self_attention.key_value_heads, -1))
            values.setdefault(number, []).append(over_others(value))
            share = share_of_first(weights[where, number][0], value)
            added.setdefault(number, []).append(share)
            streams.setdefault(number, []).append(over_others(stream[where, number][0]))
    for handle in handles:
        handle.remove()
    for number in range(len(layers)):
        rows.add("value", number, statistics.mean(values[number]), len(texts))
        rows.add("stream", number, statistics.mean(streams[number]), len(texts))
        rows.add("added", number, statistics.mean(added[number]), len(texts))


def share_of_first(weights: Tensor, value: Tensor) -> float:
    """Give the first key's share of weight times length, mean over heads and queries.

    ``weights`` are (heads, queries, keys), ``value`` (keys, shared heads, width).
    """
    lengths = value.norm(dim=-1).T  # (shared heads, keys)
    lengths = lengths.repeat_interleave(len(weights) // len(lengths), 0)
    parts = (weights * lengths[:, None])[:, FROM:]  # (heads, queries, keys)
    return (parts[..., 0] / parts.sum(-1)).mean().item()


def over_others(vectors: Tensor) -> float:
    """Divide the length of the first vector by the median of the others, mean over heads."""
    lengths = vectors.norm(dim=-1)  # (length,) or (length, heads)
    return (lengths[0] / lengths[1:].median(0).values).mean().item()


# ------------------------------------------------------------------------------- the losses


def loss(model: nn.Module, text: list[int], start: int = LATE) -> float:
    """Compute the mean loss of the tokens of a text from a position on, in nats."""
    tokens = torch.tensor([text])
    with torch.inference_mode():
        log_p = model(tokens)[0, :-1].double().log_softmax(-1)
    return -log_p.gather(1, tokens[0, 1:, None])[start - 1 :].mean().item()


def cut_each(rows: Rows, model: nn.Module, texts: list[list[int]]) -> None:
    """Forbid a position to the queries from ``LATE`` on, in all layers and heads.

    The loss is that of the tokens that these queries predict. "all" forbids the first token
    to every query behind it; "moved" is the weight on the second token then, and before.
    """
    whole = [loss(model, text) for text in texts]
    rows.add("cut", "nothing", statistics.mean(whole), len(texts))
    for position, start in [*((position, LATE) for position in (0, *OTHERS)), ("all", 1)]:
        rises = []
        for text, before in zip(texts, whole, strict=True):
            with interventions.knock_out(model, "decoder", edges(text, position, start)):
                rises.append(loss(model, text) - before)
        for number, rise in enumerate(rises):
            rows.add("cut", f"{position} {number}", rise)
    for name in ("before", "after"):
        found = []
        for text in texts:
            nothing = edges(text, 0, 1) & (name == "after")
            with interventions.knock_out(model, "decoder", nothing):
                weights = all_heads(recorded(model, torch.tensor([text])), "decoder")
            found.append(weights[:, :, LATE:, 1].mean().item())
        rows.add("moved", name, statistics.mean(found), len(texts))


def edges(text: list[int], position: int | str, start: int) -> Tensor:
    """Mark the edges from the queries from a position on to a key; "all" is the first one."""
    marked = torch.zeros(len(text), len(text), dtype=torch.bool)
    marked[start:, 0 if position == "all" else position] = True
    return marked
