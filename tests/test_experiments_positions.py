"""The trained position models in long texts: which keys are seen where, and what the log says."""

import csv
import importlib.util
import math
from itertools import product
from pathlib import Path

import pytest
import torch

from attention.positions import position_angles, rotate
from attention.transformer import TransformerConfig, new_transformer

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"


@pytest.fixture(scope="module")
def positions():
    spec = importlib.util.spec_from_file_location("positions", EXPERIMENTS / "positions.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def accuracy(positions) -> dict[tuple[str, str, str], list[float]]:
    """Give the accuracies of the seeds at positions 257 to 512, by question, scheme and keys."""
    with (EXPERIMENTS / "positions.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["last"] == str(positions.TESTED)]
    found: dict[tuple[str, str, str], list[float]] = {}
    for row in rows:
        kind = row["question"], row["scheme"], row["keys"]
        found.setdefault(kind, []).append(float(row["accuracy"]))
    return found


def test_all_models_see_all_keys_and_some_a_window(positions, accuracy):
    expected = {
        (question, scheme, keys)
        for question, scheme in product(positions.QUESTIONS, positions.POSITIONS)
        for keys in positions.KEYS_SEEN.get((question, scheme), (positions.ALL,))
    }
    assert set(accuracy) == expected
    assert {len(seeds) for seeds in accuracy.values()} == {len(positions.SEEDS)}


@pytest.mark.parametrize("length", [20, 32, 33, 100])
def test_which_keys_are_seen(positions, length):
    """Counted for each query: never a later key, never more than 32, and the near ones always."""
    causal = torch.ones(length, length, dtype=torch.bool).tril()
    place = torch.arange(length)
    back = place[:, None] - place  # (queries, keys)
    assert torch.equal(positions.mask_of(positions.ALL, length), causal)
    window = positions.mask_of(positions.WINDOW, length)
    assert torch.equal(window, causal & (back < 32))
    scattered = positions.mask_of(positions.SCATTERED, length)
    assert not (scattered & ~causal).any()
    assert scattered[causal & (back < 16)].all()
    assert torch.equal(scattered.sum(-1), (place + 1).clamp(max=32))


def test_scattered_keys_come_from_everywhere(positions):
    """Of the last query's 16 others about as many lie in each quarter of what is before."""
    scattered = positions.mask_of(positions.SCATTERED)
    far = scattered[256:, :240]  # (queries, keys): none of the 16 nearest
    shares = torch.stack([quarter.float().mean() for quarter in far.split(60, dim=1)])
    assert (shares / shares.mean() - 1).abs().max() < 0.2
    assert not torch.equal(scattered[400, :300], scattered[401, :300])


def model_of(position: str):
    config = TransformerConfig(
        source_vocab_size=None,
        target_vocab_size=9,
        d_model=16,
        heads=2,
        d_ff=16,
        decoder_layers=2,
        position=position,
        tie_logits=False,
    )
    return new_transformer(config, seed=0).eval()


def test_with_all_keys_the_answers_are_the_models_own(positions):
    model = model_of("rotary")
    texts = torch.randint(3, 9, (4, 40), generator=torch.Generator().manual_seed(0))
    every, window, capped = (
        positions.answers(model, texts, keys)
        for keys in (positions.ALL, positions.WINDOW, positions.CAPPED)
    )
    own = model(texts).argmax(-1)  # no hook is left in it
    assert torch.equal(every, own)
    assert torch.equal(window[:, :32], own[:, :32])
    assert torch.equal(capped[:, :32], own[:, :32])
    # what stands 2 * 31 or more places back cannot reach through two layers of the window
    long = torch.randint(3, 9, (2, 100), generator=torch.Generator().manual_seed(1))
    other = torch.cat([9 - long[:, :30] + 2, long[:, 30:]], dim=1)
    window = positions.WINDOW
    same = positions.answers(model, long, window) == positions.answers(model, other, window)
    assert same[:, 30 + 62 :].all()


@torch.no_grad()
def test_capped_weights_by_hand(positions):
    """Score by score: a key that is further back than 31 counts as if it stood 31 back."""
    attention = model_of("rotary").double().decoder.layers[0].self_attention
    x = torch.randn(1, 40, 16, generator=torch.Generator().manual_seed(2)).double()
    angles = position_angles(40, 8)
    given = {"angles": angles, "mask": positions.mask_of(positions.CAPPED, 40)}
    inputs, given = positions.cap_distances(attention, (x,), given)
    _, weights = attention(*inputs, **given, return_weights=True)
    query, key = attention.W_Q(x)[0], attention.W_K(x)[0]
    for head, columns in enumerate((slice(0, 8), slice(8, 16))):
        for p in (0, 20, 31, 32, 39):
            scores = [
                rotate(query[p : p + 1, columns], angles[back : back + 1]) @ key[j, columns]
                for j in range(p + 1)
                for back in [min(p - j, 31)]
            ]
            by_hand = (torch.cat(scores) / math.sqrt(8)).softmax(0)
            assert torch.allclose(weights[0, head, p, : p + 1], by_hand, atol=1e-12)
            assert not weights[0, head, p, p + 1 :].any()


def test_with_alibi_the_window_is_the_masks(positions):
    """The bias stays; what the window hides has no say."""
    model = model_of("alibi")
    long = torch.randint(3, 9, (2, 100), generator=torch.Generator().manual_seed(1))
    other = torch.cat([9 - long[:, :30] + 2, long[:, 30:]], dim=1)
    for keys, hidden in ((positions.ALL, False), (positions.WINDOW, True)):
        with torch.no_grad():
            one, two = (
                model.decoder(model.embedding(texts), positions.mask_of(keys, 100)[None])
                for texts in (long, other)
            )
        assert torch.equal(one[:, 92:], two[:, 92:]) == hidden


def test_what_the_chapter_says_of_windows_and_far_keys(positions, accuracy):
    """Of positions 257 to 512, in every seed."""
    of = {
        (question, keys): accuracy[question, "rotary", keys]
        for question in positions.QUESTIONS
        for keys in positions.KEYS_SEEN[question, "rotary"]
    }
    for question in positions.QUESTIONS:
        every, window = of[question, positions.ALL], of[question, positions.WINDOW]
        assert min(accuracy[question, "alibi", positions.ALL]) > max(every)
        assert min(window) > max(accuracy[question, "alibi", positions.ALL])
    recency = positions.QUESTIONS[1]
    assert min(accuracy[recency, "alibi", positions.WINDOW]) > max(of[recency, positions.WINDOW])
    # on distance no new distance is all it takes; on recency the number of keys hurts more
    distance, recency = (
        [of[question, keys] for keys in (positions.ALL, positions.SCATTERED, positions.CAPPED)]
        for question in positions.QUESTIONS
    )
    every, scattered, capped = distance
    assert min(capped) > 0.99 > max(scattered) > min(scattered) > max(every)
    every, scattered, capped = recency
    assert max(every) < min(capped) <= max(capped) < min(scattered)
