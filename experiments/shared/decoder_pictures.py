"""What *it* can be in a decoder: its row, its answers, and where these come from."""

import dataclasses
import statistics
from collections.abc import Sequence

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

QUARTILES = {"lower": 0.25, "median": 0.5, "upper": 0.75}


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
    """Ask what *it* refers to, swap a word, and patch one position at a time."""
    shares: dict[str, list[np.ndarray]] = {"noun": [], "word": []}
    cuts: dict[str, list[float]] = {name: [] for name in CUTS}
    answers = []
    for number, pair in enumerate(pairs):
        nouns = number_of(tokenizer, pair.first), number_of(tokenizer, pair.second)
        texts = [
            asked(pair, version, tokenizer.cut, tokenizer.encode, pair.first) for version in (0, 1)
        ]
        runs = [run_of(model, text.tokens) for text in texts]
        answers.append([margin(run.logits, *nouns).item() for run in runs])
        shares["word"].append(_shares(model, texts[0], *runs, "word", stages, nouns))
        # Of the two versions one, by turns, gets another noun in the place of the one it names.
        version = number % 2
        named, instead = pair.first, pair.other_first
        if answers[-1][version] < 0:
            named, instead = pair.second, pair.other_second
        text = asked(pair, version, tokenizer.cut, tokenizer.encode, named)
        contrast = number_of(tokenizer, named), number_of(tokenizer, instead)
        other = run_of(model, _with_noun(text, contrast[1]).tokens)
        shares["noun"].append(_shares(model, text, runs[version], other, "noun", stages, contrast))
        here, there = (margin(run.logits, *contrast).item() for run in (runs[version], other))
        rows.add("swap", f"{number}", f"{here:.4f} {there:.4f}", 2)
        edges = torch.stack([edges_between(text, *cut) for cut in CUTS.values()])
        with interventions.knock_out(model, "decoder", edges):
            tokens = torch.tensor([text.tokens]).expand(len(edges), -1)
            without, _ = last_logits(model, tokens)
        for name, cut in zip(CUTS, margin(without, *contrast).tolist(), strict=True):
            cuts[name].append((here - cut) / (here - there))
    _note_answers(rows, np.array(answers))
    for swap, found in shares.items():
        _note_shares(rows, swap, np.stack(found), stages)
    for name, values in cuts.items():
        for measure, quantile in QUARTILES.items():
            value = float(np.quantile(values, quantile))
            rows.add(f"cut {measure}", name, value, len(values))


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


def _note_answers(rows: Rows, margins: np.ndarray) -> None:
    """Note how often the answer is right, and how often it moves the right way."""
    right = (margins[:, 0] > 0) + 1.0 * (margins[:, 1] < 0)
    count = len(margins)
    rows.add("answers", "right", float(right.mean() / 2), 2 * count)
    rows.add("answers", "flip", float((margins[:, 0] > margins[:, 1]).mean()), count)
    rows.add("answers", "first noun", float((margins > 0).mean()), 2 * count)
    rows.add("answers", "same noun", float((right == 1).mean()), count)


def _note_shares(rows: Rows, swap: str, found: np.ndarray, stages: Sequence[int]) -> None:
    for measure, quantile in QUARTILES.items():
        values = np.quantile(found, quantile, axis=0)  # (positions, stages)
        for position, by_stage in zip(POSITIONS[swap], values.tolist(), strict=True):
            for stage, value in zip(stages, by_stage, strict=True):
                rows.add(f"{swap} {measure}", f"{position} {stage}", value, len(found))
