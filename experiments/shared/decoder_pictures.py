"""What *it* can be in a decoder: its row, its answers, and where these come from."""

import dataclasses
import statistics
from collections.abc import Iterable, Sequence

import numpy as np
import torch

from attention import interventions
from attention.pretrained.byte_pairs import BytePairs
from attention.transformer import LanguageModel
from shared.first_token import Rows, all_heads, recorded
from shared.minimal_pairs import MinimalPair, place_of
from shared.patch_maps import (
    CUTS,
    POSITIONS,
    STAGES,
    Asked,
    Run,
    asked,
    edges_between,
    last_logits,
    margin,
    patched,
    run_of,
)


def rows_of_it(
    rows: Rows, model: LanguageModel, tokenizer: BytePairs, pairs: Sequence[MinimalPair]
) -> None:
    """Compare the rows of *it*, and of the last word, in both versions of each pair."""
    differences: dict[str, list[float]] = {"it": [], "last": []}
    first = []
    for pair in pairs:
        found = []
        for text in pair.versions("sentence"):
            tokens = torch.tensor([tokenizer.encode(text)])
            found.append(all_heads(recorded(model, tokens), "decoder"))
        at = place_of(tokenizer.cut(pair.text), "it")
        differences["it"].append((found[0] - found[1])[:, :, at].abs().max().item())
        differences["last"].append((found[0] - found[1])[:, :, at + 2].abs().max().item())
        first.append(found[0][:, :, at, 0].mean().item())
    for name, values in differences.items():
        rows.add("row", f"{name} identical", sum(not value for value in values), len(values))
        rows.add("row", f"{name} largest difference", max(values), len(values))
        rows.add("row", f"{name} median difference", statistics.median(values), len(values))
    rows.add("row", "it > first token", statistics.mean(first), len(first))


def number_of(tokenizer: BytePairs, word: str) -> int:
    """Give the number of the token that a word is inside a text."""
    (number,) = tokenizer.encode(f" {word}")
    return number


def maps(
    rows: Rows,
    model: LanguageModel,
    tokenizer: BytePairs,
    pairs: Sequence[MinimalPair],
    stages: Sequence[int] = STAGES,
) -> None:
    """Ask what *it* refers to, swap a word, and patch one position at a time.

    Each pair has a row for each swap: the shares of all positions, one after the other, each at
    all stages. What is swapped for the noun that is named is of the first version and of the
    second by turns.
    """
    rows.add("order", "stages", " ".join(map(str, stages)), len(stages))
    for swap, positions in POSITIONS.items():
        rows.add("order", swap, ", ".join(positions), len(positions))
    for number, pair in enumerate(pairs):
        nouns = number_of(tokenizer, pair.first), number_of(tokenizer, pair.second)
        texts = [
            asked(pair, version, tokenizer.cut, tokenizer.encode, pair.first) for version in (0, 1)
        ]
        runs = [run_of(model, text.tokens) for text in texts]
        answers = [margin(run.logits, *nouns).item() for run in runs]
        rows.add("answer", number, _line(answers), 2)
        shares = _shares(model, texts[0], *runs, "word", stages, nouns)
        rows.add("word", number, _line(shares.flatten()), shares.size)
        version = number % 2
        named, instead = pair.first, pair.other_first
        if answers[version] < 0:
            named, instead = pair.second, pair.other_second
        text = asked(pair, version, tokenizer.cut, tokenizer.encode, named)
        contrast = number_of(tokenizer, named), number_of(tokenizer, instead)
        other = run_of(model, _with_noun(text, contrast[1]).tokens)
        shares = _shares(model, text, runs[version], other, "noun", stages, contrast)
        rows.add("noun", number, _line(shares.flatten()), shares.size)
        here, there = (margin(run.logits, *contrast).item() for run in (runs[version], other))
        rows.add("swap", number, _line([here, there]), 2)
        edges = torch.stack([edges_between(text, *cut) for cut in CUTS.values()])
        with interventions.knock_out(model, "decoder", edges):
            tokens = torch.tensor([text.tokens]).expand(len(edges), -1)
            without, _ = last_logits(model, tokens)
        for name, cut in zip(CUTS, margin(without, *contrast).tolist(), strict=True):
            rows.add("cut", f"{number} {name}", (here - cut) / (here - there))


def _line(numbers: Iterable[float]) -> str:
    return " ".join(f"{number:.4f}" for number in numbers)


def _with_noun(text: Asked, noun: int) -> Asked:
    tokens = list(text.tokens)
    tokens[text.places["noun"]] = noun
    return dataclasses.replace(text, tokens=tokens)


def _shares(
    model: LanguageModel,
    text: Asked,
    own: Run,
    other: Run,
    swap: str,
    stages: Sequence[int],
    contrast: tuple[int, int],
) -> np.ndarray:  # (positions, stages)
    """Give which share of the way from this run's margin to the other's each patch goes."""
    here, there = margin(own.logits, *contrast), margin(other.logits, *contrast)
    found = [
        margin(patched(model, text, own, other, position, stages), *contrast)
        for position in POSITIONS[swap]
    ]
    return ((here - torch.stack(found)) / (here - there)).numpy()
