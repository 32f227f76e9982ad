"""The character model: its data, its mask, its losses and its heads."""

import csv
import importlib.util
import json
import math
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from attention.tasks import character_model as cm
from attention.training import save_weights

ROOT = Path(__file__).resolve().parent.parent
ALL_HEADS = [(block, head) for block in range(2) for head in range(4)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def held_out() -> tuple[torch.Tensor, torch.Tensor]:
    inputs, targets = cm.held_out_windows()
    return inputs[:12], targets[:12]


@pytest.fixture(scope="module")
def trained() -> cm.CharacterModel:
    """A model with some opinions; a new one is almost indifferent to its heads."""
    return cm.train(0, steps=30)[0]


# ------------------------------------------------------------------ the text


def test_the_text_goes_there_and_back():
    assert cm.SYMBOLS == 97
    assert cm.decode(cm.encode("A mask~\n")) == "A mask~\n"
    assert cm.encode("\n ~\t\N{MINUS SIGN}").tolist() == [0, 1, 95, cm.UNKNOWN, cm.UNKNOWN]
    assert cm.decode(cm.encode("a\tb")) == "a\N{REPLACEMENT CHARACTER}b"


def test_the_corpus_is_english_and_repeats_no_paragraph():
    text = cm.corpus()
    assert len(text) > 200_000
    paragraphs = text.split("\n\n")
    assert len(set(paragraphs)) == len(paragraphs)
    assert text.count(" the ") > 2000


def test_the_last_tenth_is_held_out():
    training, held_out = cm.split()
    assert cm.decode(torch.cat([training, held_out])[:-1]) == cm.decode(cm.encode(cm.corpus()[:-1]))
    assert len(held_out) == pytest.approx(len(cm.corpus()) / 10, abs=1)


@pytest.mark.parametrize("shift", [0, 1, 2])
def test_targets_stand_shift_later(shift: int):
    symbols = torch.arange(cm.CONTEXT + 5) + 20
    inputs, targets = cm.windows(symbols, torch.tensor([0, 3]), shift)
    assert inputs[:, 0].tolist() == [20, 23]
    assert inputs.shape == targets.shape == (2, cm.CONTEXT)
    assert (targets - inputs == shift).all()


def test_shifts_on_a_string():
    text = "attention!" * 10
    for shift, first_target in enumerate("att"):
        inputs, targets = cm.windows(cm.encode(text), torch.tensor([0]), shift)
        assert cm.decode(inputs[0]) == text[: cm.CONTEXT]
        assert cm.decode(targets[0]) == text[shift : shift + cm.CONTEXT]
        assert cm.decode(targets[0])[0] == first_target


def test_every_shift_gets_the_same_windows_up_to_the_ends_of_the_text():
    symbols = torch.arange(cm.CONTEXT + 3)  # three windows leave room for shift 1, two for shift 2
    starts = []
    for shift in (0, 1, 2):
        inputs, targets = next(cm.batches(symbols, 50, generator(), shift))
        assert (targets - inputs == shift).all()
        starts.append(inputs[:, 0].tolist())
    assert starts[0] == starts[1] == starts[2]
    assert set(starts[0]) == {0, 1}


def test_held_out_windows_tile_the_held_out_text():
    _, symbols = cm.split()
    for shift in (0, 2):
        inputs, targets = cm.held_out_windows(shift)
        assert torch.equal(inputs.flatten(), symbols[: inputs.numel()])
        assert torch.equal(targets.flatten(), symbols[shift : inputs.numel() + shift])
        assert len(symbols) - inputs.numel() < cm.CONTEXT + 2


# ----------------------------------------------------------------- the model


def test_logits_have_a_row_for_each_position():
    model = cm.new_model(0)
    assert model(torch.zeros(3, 7, dtype=torch.long)).shape == (3, 7, cm.SYMBOLS)
    assert model(torch.zeros(cm.CONTEXT, dtype=torch.long)).shape == (cm.CONTEXT, cm.SYMBOLS)


def test_a_block_is_pre_norm():
    block = cm.Block(8, 2)
    x = torch.randn(1, 5, 8, generator=generator())
    after_attention = x + block.attention(block.attention_norm(x))
    expected = after_attention + block.feed_forward(block.feed_forward_norm(after_attention))
    torch.testing.assert_close(block(x, None), expected)


def test_positions_matter():
    logits = cm.new_model(0)(torch.tensor([5, 5, 5]))
    assert (logits[0] - logits[2]).abs().max() > 0.01


def test_the_seed_fixes_the_weights_and_leaves_the_callers_generator_alone():
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    first, same, other = cm.new_model(1), cm.new_model(1, causal=False), cm.new_model(2)
    assert torch.rand(1) == expected
    assert (first.causal, same.causal) == (True, False)
    assert torch.equal(first.readout.weight, same.readout.weight)
    assert not torch.equal(first.readout.weight, other.readout.weight)


@pytest.mark.parametrize("length", [2, cm.CONTEXT])
def test_only_the_model_without_mask_changes_with_the_future(length: int):
    assert cm.changes_with_the_future(cm.new_model(0), length) == 0
    assert cm.changes_with_the_future(cm.new_model(0, causal=False), length) > 0.001


def test_a_mask_one_position_too_wide_is_caught():
    class OneTooWide(cm.CharacterModel):
        def mask(self, length: int) -> torch.Tensor:
            return torch.ones(length, length, dtype=torch.bool).tril(1)

    assert cm.changes_with_the_future(OneTooWide()) > 0.001


class TwoWayStart(cm.CharacterModel):
    """The first four positions see each other: a prefix that is read both ways."""

    def mask(self, length: int) -> torch.Tensor:
        mask = super().mask(length)
        mask[:4, :4] = True
        return mask


def test_a_leak_that_the_last_input_does_not_show_is_caught():
    model = TwoWayStart()
    one, other = torch.tensor([[5, 6, 7, 8, 9, 10], [5, 6, 7, 8, 9, 11]])
    with torch.no_grad():
        assert torch.equal(model(one)[:-1], model(other)[:-1])  # the last input alone: no leak
    assert cm.changes_with_the_future(model, length=6) > 0.001
    assert cm.changes_with_the_future(model) > 0.001


# ------------------------------------------------------------ losses and text


@pytest.mark.arithmetic
def test_training_repeats_itself_and_learns():
    model, losses = cm.train(3, steps=25, batch=8)
    again, same_losses = cm.train(3, steps=25, batch=8)
    assert losses == same_losses
    assert torch.equal(model.readout.weight, again.readout.weight)
    assert losses[0] == pytest.approx(math.log(cm.SYMBOLS), abs=0.5)
    assert sum(losses[-5:]) / 5 < 3.5
    assert cm.train(4, steps=1, batch=8)[1] != losses[:1]


def test_shift_and_mask_reach_the_training():
    first = {
        (causal, shift): cm.train(0, causal, shift, steps=1, batch=4)[1][0]
        for causal in (True, False)
        for shift in (0, 1, 2)
    }
    assert len(set(first.values())) == 6


@pytest.mark.arithmetic
def test_batches_are_cut_to_all_lengths_and_the_windows_stay(monkeypatch):
    seen = {}

    class Noting(cm.CharacterModel):
        def forward(self, symbols: torch.Tensor) -> torch.Tensor:
            seen.setdefault(shortest, []).append(symbols)
            return super().forward(symbols)

    monkeypatch.setattr("attention.tasks.character_model.model.CharacterModel", Noting)
    for shortest in (1, 50, cm.CONTEXT):
        cm.train(0, steps=30, batch=2, shortest=shortest)
        lengths = {batch.shape[1] for batch in seen[shortest]}
        assert min(lengths) >= shortest
        assert max(lengths) <= cm.CONTEXT
        assert len(lengths) > 5 or shortest == cm.CONTEXT
        for cut, whole in zip(seen[shortest], seen[1], strict=True):
            both = min(cut.shape[1], whole.shape[1])
            assert torch.equal(cut[:, :both], whole[:, :both])
    assert min(batch.shape[1] for batch in seen[1]) < 20


def test_held_out_loss_is_the_mean_over_all_characters():
    inputs, targets = cm.held_out_windows()
    inputs, targets = inputs[:130, :9], targets[:130, :9]  # more than one piece of 128
    model = cm.new_model(0)
    expected = F.cross_entropy(model(inputs).transpose(1, 2), targets).item()
    assert cm.held_out_loss(model, inputs, targets) == pytest.approx(expected, rel=1e-6)


@pytest.mark.arithmetic
def test_a_causal_models_losses_are_honest(trained, held_out):
    """Prefix by prefix or in one pass: the same contexts, so the same losses."""
    inputs, targets = held_out
    one_pass = F.cross_entropy(trained(inputs).transpose(1, 2), targets, reduction="none").mean(0)
    prefixes = cm.honest_losses(trained, inputs, targets)
    torch.testing.assert_close(prefixes, one_pass, atol=1e-5, rtol=0)
    assert cm.honest_loss(trained, inputs, targets) == pytest.approx(
        cm.held_out_loss(trained, inputs, targets), abs=1e-5
    )


@pytest.mark.arithmetic
def test_without_a_mask_honest_and_reported_losses_differ(trained, held_out):
    no_mask = cm.CharacterModel(causal=False)
    no_mask.load_state_dict(trained.state_dict())
    inputs, targets = held_out
    one_pass = F.cross_entropy(no_mask(inputs).transpose(1, 2), targets, reduction="none").mean(0)
    difference = cm.honest_losses(no_mask, inputs, targets) - one_pass
    # The last position has the whole window before it, with a mask or without.
    assert difference[-1].abs() < 1e-5
    assert difference[:-1].abs().max() > 1e-3


def test_perplexity_of_a_uniform_guess_is_the_number_of_symbols(held_out):
    model = cm.new_model(0)
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.zero_()
    loss = cm.held_out_loss(model, *held_out)
    assert cm.perplexity(loss) == pytest.approx(cm.SYMBOLS, rel=1e-5)


def test_generation_is_drawn_from_the_last_positions_distribution():
    model = cm.new_model(0)
    with torch.no_grad():
        model.readout.weight.zero_()
        model.readout.bias.fill_(-100)
        model.readout.bias[cm.encode("ab")] = torch.tensor([math.log(3.0), 0.0])
    text = cm.generate(model, "x", 120, generator())
    assert set(text) == {"a", "b"}
    assert text.count("a") == pytest.approx(90, abs=15)
    assert text == cm.generate(model, "x", 120, generator())


def test_generation_looks_back_one_context_and_no_further(trained):
    ends_alike = "z" * 30 + "q" * cm.CONTEXT
    one = cm.generate(trained, ends_alike, 20, generator())
    other = cm.generate(trained, "y" * 9 + "q" * cm.CONTEXT, 20, generator())
    assert one == other
    assert len(one) == 20
    assert one != cm.generate(trained, "the mask", 20, generator())


def test_words_known_counts_long_words():
    assert cm.words_known("The function xqzzk, Argument: wwxyz; is 12345.") == 0.5
    assert cm.words_known("to be or not") == 0
    assert cm.words_known(cm.corpus()) == 1


# ----------------------------------------------------------------------- heads


@pytest.mark.arithmetic
def test_recorded_weights_are_those_of_the_forward_pass(trained, held_out):
    weights = cm.attention_weights(trained, held_out[0])
    assert weights.shape == (2, 12, 4, cm.CONTEXT, cm.CONTEXT)
    torch.testing.assert_close(weights.sum(-1), torch.ones(weights.shape[:-1]))
    assert weights.triu(1).max() == 0
    first = trained.blocks[0]
    x = trained.symbol(held_out[0]) + trained.position.weight
    mask = torch.ones(cm.CONTEXT, cm.CONTEXT, dtype=torch.bool).tril()
    _, expected = first.attention(first.attention_norm(x), mask=mask, return_weights=True)
    torch.testing.assert_close(weights[0], expected)
    assert not first.attention._forward_hooks


@pytest.mark.arithmetic
def test_removing_all_heads_is_attending_to_nothing(trained, held_out):
    inputs, _ = held_out
    with cm.without_heads(trained, ALL_HEADS):
        removed = trained(inputs)
    x = trained.symbol(inputs) + trained.position.weight
    nothing = torch.zeros(cm.CONTEXT, cm.CONTEXT, dtype=torch.bool)
    for block in trained.blocks:
        x = block(x, nothing)
    torch.testing.assert_close(removed, trained.readout(trained.norm(x)))


@pytest.mark.arithmetic
def test_removing_one_head_is_zeroing_its_columns_of_W_O(trained, held_out):
    inputs, _ = held_out
    intact = trained(inputs)
    with cm.without_heads(trained, [(1, 2)]):
        removed = trained(inputs)
    other = cm.CharacterModel()
    other.load_state_dict(trained.state_dict())
    with torch.no_grad():
        other.blocks[1].attention.W_O.weight[:, 32:48] = 0
    torch.testing.assert_close(removed, other(inputs))
    assert (removed - intact).abs().max() > 1e-3
    assert torch.equal(trained(inputs), intact)  # and it is back


def test_heads_come_back_after_an_error(trained, held_out):
    intact = trained(held_out[0])
    with pytest.raises(RuntimeError, match="on purpose"), cm.without_heads(trained, ALL_HEADS):
        raise RuntimeError("on purpose")
    assert torch.equal(trained(held_out[0]), intact)


def one_hot_weights(places: list[int]) -> torch.Tensor:
    return F.one_hot(torch.tensor(places), len(places)).float()[None, None]


@pytest.mark.parametrize(
    ("places", "measure"),
    [
        # of "abcab ab": symbols 0 to 7, a blank at 5
        ([0, 0, 1, 2, 3, 4, 5, 6], "previous"),
        ([0, 0, 0, 0, 0, 0, 0, 0], "first"),
        ([0, 1, 2, 3, 4, 5, 6, 7], "itself"),
        ([0, 0, 0, 0, 1, 0, 3, 4], "same"),
        ([0, 0, 0, 1, 2, 0, 4, 2], "after_same"),
        ([0, 0, 0, 0, 0, 0, 0, 5], "word_start"),
    ],
)
def test_heads_made_by_hand_are_recognised(places: list[int], measure: str):
    symbols = cm.encode("abcab ab")[None]
    measures = cm.head_measures(one_hot_weights(places), symbols)
    assert measures[measure].item() == pytest.approx(1)
    assert measures["entropy"].item() == pytest.approx(0)
    elsewhere = cm.head_measures(one_hot_weights([0, 1, 0, 1, 0, 1, 0, 1]), symbols)
    assert elsewhere[measure].item() < 1


def test_a_uniform_head_has_entropy_one():
    uniform = torch.ones(8, 8).tril()
    uniform = (uniform / uniform.sum(-1, keepdim=True))[None, None]
    measures = cm.head_measures(uniform, cm.encode("abcab ab")[None])
    assert measures["entropy"].item() == pytest.approx(1)
    expected = sum(1 / (i + 1) for i in range(2, 8)) / 6
    for measure in ("previous", "first", "itself"):
        assert measures[measure].item() == pytest.approx(expected)
    # a and b at 3 and 4 stood once before, those at 6 and 7 twice.
    assert measures["same"].item() == pytest.approx((1 / 4 + 1 / 5 + 2 / 7 + 2 / 8) / 4)


def test_an_indentation_is_not_a_repetition():
    symbols = cm.encode("    a  a")[None]
    only_the_second_a = cm.head_measures(one_hot_weights([0, 0, 0, 0, 0, 0, 0, 4]), symbols)
    assert only_the_second_a["same"].item() == 1


# ------------------------------------------------------- the weights, the logs


def test_weights_come_back_from_the_file(tmp_path: Path, trained, held_out):
    save_weights(tmp_path / "model.safetensors", trained, {})
    again = cm.load(tmp_path / "model.safetensors")
    assert again.causal
    assert torch.equal(again(held_out[0]), trained(held_out[0]))
    with pytest.raises(ValueError, match=r"path: expected an existing .safetensors file, got "):
        cm.load(tmp_path / "none.safetensors")


def experiment(name: str):
    spec = importlib.util.spec_from_file_location(name, ROOT / "experiments" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def log(name: str) -> list[dict[str, str]]:
    with (ROOT / "experiments" / f"{name}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_masking_log_is_complete():
    masking = experiment("masking")
    found = [(row["arm"], row["seed"]) for row in log("masking")]
    assert found == [(arm, str(seed)) for arm, seed in masking.jobs_of(masking.ARMS, masking.SEEDS)]
    assert len(found) == 4 * 5 + 2 * 2
    samples = json.loads(masking.SAMPLES.read_text(encoding="utf-8"))
    assert list(samples) == list(masking.ARMS)
    assert all(len(sample["loss"]) == masking.STEPS / 20 for sample in samples.values())


def test_most_of_the_honest_loss_without_a_mask_is_the_length_and_not_all():
    """Trained on all lengths: far below the perplexity of before, and above the causal model's."""
    honest = {
        arm: [float(r["honest_perplexity"]) for r in log("masking") if r["arm"] == arm]
        for arm in experiment("masking").ARMS
    }
    assert max(honest["no mask, all lengths"]) < min(honest["no mask"]) / 10
    assert min(honest["no mask, all lengths"]) > 1.2 * max(honest["causal, all lengths"])
    for row in log("masking"):
        if row["arm"] == "no mask, all lengths":  # the leak is as open as ever
            assert float(row["held_out_perplexity"]) < 1.5
            assert float(row["changes_with_the_future"]) > 1


@pytest.mark.arithmetic
@pytest.mark.parametrize("arm", ["causal", "no mask", "no mask, all lengths"])
def test_masking_log_can_be_begun_again(arm: str):
    """The first 20 steps; loosely, since the text differs between Python versions."""
    masking = experiment("masking")
    logged = json.loads(masking.SAMPLES.read_text(encoding="utf-8"))[arm]["loss"][0]
    _, losses = cm.train(0, **masking.ARMS[arm], steps=20)
    assert sum(losses) / 20 == pytest.approx(logged, abs=0.05)


def test_heads_logs_are_complete():
    script = experiment("heads_of_a_model")
    kinds = ("trained", "untrained", "random queries and keys")
    found = [(r["seed"], r["model"], r["block"], r["head"]) for r in log("heads_of_a_model")]
    assert found == [
        (str(seed), kind, str(block), str(head))
        for seed in script.SEEDS
        for kind in kinds
        for block, head in ALL_HEADS
    ]
    orders = ["least important first", *(f"random {i}" for i in range(script.RANDOM_ORDERS))]
    found = [(r["seed"], r["order"], r["removed"]) for r in log("heads_of_a_model_pruning")]
    assert found == [
        (str(seed), order, str(count))
        for seed in script.SEEDS
        for order in orders
        for count in range(9)
    ]


@pytest.mark.arithmetic
def test_the_committed_weights_are_the_logged_model():
    script = experiment("heads_of_a_model")
    model = cm.load(script.WEIGHTS)
    logged = {
        (int(row["block"]), int(row["head"])): float(row["previous"])
        for row in log("heads_of_a_model")
        if (row["seed"], row["model"]) == ("0", "trained")
    }
    measured = script.measure(model)
    for head in ALL_HEADS:
        assert measured[head]["previous"] == pytest.approx(logged[head], abs=0.03)
    (row,) = [r for r in log("masking") if (r["arm"], r["seed"]) == ("causal", "0")]
    inputs, targets = cm.held_out_windows()
    loss = cm.held_out_loss(model, inputs[::4], targets[::4])
    assert loss == pytest.approx(float(row["held_out_loss"]), abs=0.1)


@pytest.mark.arithmetic
def test_random_queries_and_keys_keep_everything_else(trained):
    control = experiment("heads_of_a_model").with_random_queries_and_keys(trained, 1, seed=0)
    changed = {
        name
        for name, parameter in control.named_parameters()
        if not torch.equal(parameter, trained.get_parameter(name))
    }
    assert changed == {
        f"blocks.1.attention.{layer}.{kind}"
        for layer in ("W_Q", "W_K")
        for kind in ("weight", "bias")
    }
    name = "blocks.1.attention.W_Q.weight"
    ratio = control.get_parameter(name).std() / trained.get_parameter(name).std()
    assert ratio.item() == pytest.approx(1, abs=0.05)


# -------------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: cm.train(0, steps=0), "steps: expected a positive number, got 0"),
        (lambda: cm.train(0, batch=-1), "batch: expected a positive number, got -1"),
        (
            lambda: cm.train(0, learning_rate=0.0),
            "learning_rate: expected a positive number, got 0.0",
        ),
        (lambda: cm.train(0, shift=3), "shift: expected 0, 1 or 2, got 3"),
        (lambda: cm.train(0, shortest=0), "shortest: expected 1 to 64, got 0"),
        (lambda: cm.train(0, shortest=65), "shortest: expected 1 to 64, got 65"),
        (
            lambda: cm.windows(torch.arange(70), torch.tensor([0]), -1),
            "shift: expected 0 or more, got -1",
        ),
        (
            lambda: cm.windows(torch.arange(70), torch.tensor([5, 6]), 1),
            r"starts: expected numbers from 0 to 5, got \[5, 6\]",
        ),
        (
            lambda: cm.windows(torch.arange(70), torch.tensor([-1]), 1),
            r"starts: expected numbers from 0 to 5, got \[-1\]",
        ),
        (
            lambda: cm.new_model(0)(torch.zeros(65, dtype=torch.long)),
            "symbols: expected 1 to 64 of them, got 65",
        ),
        (
            lambda: cm.new_model(0)(torch.zeros(2, 0, dtype=torch.long)),
            "symbols: expected 1 to 64 of them, got 0",
        ),
        (
            lambda: cm.generate(cm.new_model(0), "", 3, generator()),
            "prompt: expected at least one character, got ''",
        ),
        (
            lambda: cm.generate(cm.new_model(0), "a", -3, generator()),
            "length: expected 0 or more, got -3",
        ),
        (
            lambda: cm.without_heads(cm.new_model(0), [(2, 0)]).__enter__(),
            "removed: expected blocks from 0 to 1, got 2",
        ),
        (
            lambda: cm.without_heads(cm.new_model(0), [(0, 4)]).__enter__(),
            "removed: expected heads from 0 to 3, got 4",
        ),
    ],
)
def test_bad_arguments_are_refused(call, message: str):
    with pytest.raises(ValueError, match=message):
        call()
