"""Pictures of single heads, as their finders would draw them, and what becomes of them."""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import nn

from shared import pair_scores
from shared.first_token import Rows, all_heads, recorded
from shared.minimal_pairs import (
    HALVES,
    Cut,
    Encode,
    MinimalPair,
    look,
    place_of,
    previous,
    read_pairs,
)

FAMOUS = (
    "The cat sat on the mat because it was tired.",
    "The cat sat on the mat because it was soft.",
    "The mat lay under the cat because it was tired.",
)
# What is asked of a pair: kind, who looks, and in which frames.
QUESTIONS = (
    ("it", "it", ("sentence", "list", "list turned")),
    ("it", "", ("sentence", "list", "list turned")),
    ("with", "with", ("sentence", "apart")),
    ("with", "", ("sentence", "list", "list turned")),
)
MEASURES: dict[str, Callable] = {
    "right": pair_scores.right,
    "flip": pair_scores.flips,
    "shift": pair_scores.shift,
}


def famous(rows: Rows, model: nn.Module, pieces_of: Cut, encode: Encode) -> None:
    """Pick the head whose map of the famous sentence is the most beautiful, and look again."""
    gaps = weights = None
    for number, text in enumerate(FAMOUS):
        found = all_heads(recorded(model, torch.tensor([encode(text)])), "encoder")
        pieces = pieces_of(text)
        from_it = found[:, :, place_of(pieces, "it")]  # (layers, heads, keys)
        if gaps is None:
            gaps = from_it[..., place_of(pieces, "cat")] - from_it[..., place_of(pieces, "mat")]
            chosen = divmod(int(gaps.argmax()), gaps.shape[1])
            for name, gap in zip(names_of(gaps.shape), gaps.flatten().tolist(), strict=True):
                rows.add("gap", name, gap)
        weights = from_it[chosen]
        for key, (piece, weight) in enumerate(zip(pieces, weights.tolist(), strict=True)):
            rows.add("row", f"{number} {key} {piece}", weight)


def names_of(shape: Sequence[int]) -> list[str]:
    """Name heads by layer and head, in the order of a flattened array of this shape."""
    return [f"{layer}.{head}" for layer, head in np.ndindex(*shape)]


def ask(
    rows: Rows,
    model: nn.Module,
    pieces_of: Cut,
    encode: Encode,
    kind: str,
    query: str,
    frames: Sequence[str],
    some: int | None = None,
    only_best: bool = False,
) -> None:
    """Score all heads in all frames, by halves, and the best against luck.

    Parameters
    ----------
    some : int, optional
        So many pairs of each half; default: all.
    only_best : bool
        Note the scores of the heads only that are the best of a half or of both.
    """
    halves = {half: read_pairs(kind, half)[:some] for half in HALVES}
    halves = {half: pairs for half, pairs in halves.items() if pairs}
    noted: set[str] = set()
    for frame in frames:
        found = {
            half: look(model, pieces_of, encode, pairs, frame, query)
            for half, pairs in halves.items()
        }
        names = np.array(names_of(next(iter(found.values())).shape[-2:]))
        where = f"{kind} {query or 'last'}>{frame}"
        for measure, score in MEASURES.items():
            scores = {half: score(each).reshape(len(each), -1) for half, each in found.items()}
            both = np.concatenate([*scores.values()])
            if frame == "sentence":
                bests = [both, *scores.values()]
                noted |= {str(names[each.mean(0).argmax()]) for each in bests}
            if measure != "shift":
                against_luck(rows, f"{measure} {where}", both)
            for half, each in scores.items():
                rows.add(f"mean {measure}", f"{where} {half}", float(each.mean()), each.size)
        for measure, score in MEASURES.items():
            for half, each in found.items():
                means = score(each).reshape(len(each), -1).mean(0)
                for name, mean in zip(names, means.tolist(), strict=True):
                    if not only_best or name in noted:
                        rows.add(measure, f"{where} {half} {name}", mean, len(each))


def against_luck(rows: Rows, name: str, by_pair: np.ndarray) -> None:
    """Note the best head's score, and how the best of as many heads is distributed by luck."""
    best = float(by_pair.mean(0).max())
    maxima = pair_scores.null_of_maximum(by_pair)
    rows.add("best", name, best, len(by_pair))
    rows.add("chance", name, pair_scores.chance_of(best, maxima), len(maxima))
    above = float(np.quantile(maxima, 0.95))
    rows.add("heads above", name, int((by_pair.mean(0) > above + 1e-9).sum()), by_pair.shape[1])
    for value, count in zip(*np.unique(maxima.round(5), return_counts=True), strict=True):
        rows.add("null", f"{name} {value:.5g}", int(count), len(maxima))


def token_before(
    rows: Rows,
    model: nn.Module,
    pieces_of: Cut,
    encode: Encode,
    texts: Sequence[str],
    some: int | None = None,
) -> None:
    """Ask whether the head that links *with* to the noun looks at a noun, or one token back."""
    pairs: Sequence[MinimalPair] = read_pairs("with")[:some]
    to_words = look(model, pieces_of, encode, pairs, "sentence", "with")[:, 0, 1]
    names = names_of(to_words.shape[-2:])
    chosen = int(to_words.mean(0).argmax())  # who links "with" to the object most strongly
    rows.add("chosen", "with>object", names[chosen], len(pairs))
    for frame in ("sentence", "apart"):
        back = previous(model, pieces_of, encode, pairs, frame, "with")[:, 0]
        noun = look(model, pieces_of, encode, pairs, frame, "with")[:, 0, 1]
        for name, weights in (("before", back), ("object", noun)):
            value = float(weights.reshape(len(pairs), -1)[:, chosen].mean())
            rows.add("before", f"{frame} {name}", value, len(pairs))
    shares = []
    for text in texts:
        weights = all_heads(recorded(model, torch.tensor([encode(text)])), "encoder")
        shares.append(weights.flatten(0, 1)[chosen].diagonal(-1)[1:].mean().item())
    rows.add("before", "plain texts", float(np.mean(shares)), len(texts))
