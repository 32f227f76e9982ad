"""Induction heads of a real model: found by their weights, and taken away."""

import statistics
from collections.abc import Sequence
from contextlib import ExitStack, contextmanager
from itertools import groupby

import torch
from torch import Tensor, nn

from attention import interventions
from shared.first_token import LATE, Rows, all_heads, loss, recorded

REPEATED = 50  # tokens, which come twice
FOUND_ON, TESTED_ON = 3, 4  # texts of such tokens: heads are chosen on some, judged on others
SIZES = (1, 3, 6)
SETS = 10  # of random heads, of each size
PLAIN = 3  # texts in plain English
CONTROLS = (("any", False), ("same layers", True))  # the second for the largest size only
FIRST_TOKEN = 17  # those before are control tokens
Heads = Sequence[tuple[int, int]]


def repeated(count: int, symbols: int, seed: int) -> Tensor:  # (count, 2 * REPEATED)
    """Draw random tokens, and write them twice."""
    draw = torch.Generator().manual_seed(seed)
    once = torch.randint(FIRST_TOKEN, symbols, (count, REPEATED), generator=draw)
    return torch.cat([once, once], dim=1)


def induction_scores(model: nn.Module, texts: Tensor) -> Tensor:  # (layers, heads)
    """Measure the weight on the token that came after the same one, in the repetition."""
    scores = []
    for text in texts:
        weights = all_heads(recorded(model, text[None]), "decoder")
        queries = torch.arange(REPEATED, 2 * REPEATED)
        scores.append(weights[:, :, queries, queries - REPEATED + 1].mean(-1))
    return torch.stack(scores).mean(0)


@contextmanager
def without(model: nn.Module, heads: Heads, length: int):
    """Let some heads, each a layer and a number in it, give nothing in texts of a length."""
    everything = torch.ones(length, length, dtype=torch.bool)
    with ExitStack() as stack:
        for layer, group in groupby(sorted(heads), key=lambda head: head[0]):
            numbers = [number for _, number in group]
            cut = interventions.knock_out(model, "decoder", everything, [layer], numbers)
            stack.enter_context(cut)
        yield


def repeat_scores(model: nn.Module, texts: Tensor, heads: Heads) -> tuple[float, float]:
    """Give loss and accuracy on the repetition, without some heads.

    The first of the repeated tokens cannot be known, and is left out.
    """
    with torch.inference_mode(), without(model, heads, texts.shape[1]):
        log_p = model(texts)[:, REPEATED:-1].log_softmax(-1)  # (texts, REPEATED - 1, symbols)
    target = texts[:, REPEATED + 1 :, None]
    right = log_p.argmax(-1, keepdim=True) == target
    return -log_p.gather(-1, target).mean().item(), right.double().mean().item()


def plain_loss(model: nn.Module, texts: Sequence[list[int]], heads: Heads) -> float:
    """Give the loss on plain texts, without some heads."""
    losses = []
    for text in texts:
        with without(model, heads, len(text)):
            losses.append(loss(model, text, LATE))
    return statistics.mean(losses)


def random_sets(
    size: int, layers: int, heads: int, leave_out: Heads, alike: bool, seed: int
) -> list[Heads]:
    """Draw sets of other heads: from all layers, or from the layers of those left out.

    Parameters
    ----------
    alike : bool
        Draw as many from each layer as the first ``size`` of ``leave_out`` have there.
    """
    draw = torch.Generator().manual_seed(seed)
    sets = []
    for _ in range(SETS):
        if alike:
            chosen: list[tuple[int, int]] = []
            for layer, _ in leave_out[:size]:
                left = [(layer, n) for n in range(heads)]
                left = [one for one in left if one not in leave_out and one not in chosen]
                chosen.append(left[int(torch.randint(len(left), (1,), generator=draw))])
        else:
            left = [(layer, n) for layer in range(layers) for n in range(heads)]
            left = [one for one in left if one not in leave_out]
            order = torch.randperm(len(left), generator=draw)[:size]
            chosen = [left[place] for place in order.tolist()]
        sets.append(chosen)
    return sets


def measure_induction(
    rows: Rows,
    model: nn.Module,
    symbols: int,
    plain: Sequence[list[int]],
    sizes: Sequence[int] = SIZES,
    some: int | None = None,
) -> None:
    """Find the heads, take the best away, and as many others, several times."""
    scores = induction_scores(model, repeated(FOUND_ON, symbols, seed=0)[:some])
    layers, heads = scores.shape
    order = [divmod(place, heads) for place in scores.flatten().argsort(descending=True).tolist()]
    for layer, head in sorted(order):
        rows.add("score", f"{layer}.{head}", scores[layer, head].item(), FOUND_ON)
    texts = repeated(TESTED_ON, symbols, seed=1)[:some]
    arms: list[tuple[str, Heads]] = [("nothing", [])]
    for size in sizes:
        arms.append((f"top {size}", order[:size]))
        for name, alike in CONTROLS[: 2 if size == sizes[-1] else 1]:
            sets = random_sets(size, layers, heads, order[: max(SIZES)], alike, seed=size)
            arms += [(f"{name} {size} {n}", one) for n, one in enumerate(sets[:some])]
    for name, one in arms:
        repeat, right = repeat_scores(model, texts, one)
        rows.add("heads", name, " ".join(f"{layer}.{head}" for layer, head in one), len(one))
        rows.add("repeat", name, repeat, len(texts))
        rows.add("right", name, right, len(texts))
        rows.add("plain", name, plain_loss(model, plain, one), len(plain))
