"""`attention.training`: batches, the loop, files that resume, measures against a count by hand."""

import json
import math
import re
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file
from tests.conftest import load_without_shape_checks
from torch import nn
from torch.nn import functional as F

from attention import training
from attention.recurrent import RecurrentConfig, Translator, new_translator
from attention.training import (
    END,
    PADDING,
    BatchesByLength,
    LogEntry,
    Recipe,
    TrainingRun,
    alignment_error_rate,
    bleu,
    decode_all,
    diagonal_links,
    evaluating,
    exact_matches,
    load_weights,
    make_batch,
    means_by_length,
    minimise,
    pad,
    read_tensors,
    right_tokens,
    save_weights,
    steps_within,
    strongest_links,
    token_loss,
    uniform_error_rate,
    unpad,
    update,
    write_tensors,
)

cases = settings(max_examples=60)
sequences = st.lists(st.integers(END + 1, 30), max_size=6)
some_sequences = st.lists(sequences, min_size=1, max_size=5)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some_pairs(count: int = 50, seed: int = 0, longest: int = 9):
    """Draw pairs whose target is their source, 1 to `longest` tokens long."""
    rng = generator(seed)
    lengths = torch.randint(1, longest + 1, (count,), generator=rng).tolist()
    rows = [torch.randint(END + 1, 12, (n,), generator=rng).tolist() for n in lengths]
    return [(row, row) for row in rows]


@pytest.fixture(scope="module")
def plain() -> ModuleType:
    """`attention.training` as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("training", "tokens", "weight_files")


def check_message(call, message: str) -> None:
    """Assert that `call` raises a ValueError with just this message."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call()


# ------------------------------------------------------------------- batches


def test_pad_ends_each_row():
    assert pad([[5, 6, 7], [], [8]]).tolist() == [[5, 6, 7, 2], [2, 0, 0, 0], [8, 2, 0, 0]]
    assert pad([[]]).tolist() == [[2]]


@cases
@given(some_sequences)
def test_pad_there_and_back(rows):
    assert unpad(pad(rows)) == [[*row, END] for row in rows]


def test_unpad_keeps_what_was_not_finished_and_drops_what_follows_the_end():
    rows = torch.tensor([[5, 2, 7, 7], [5, 6, 7, 8], [5, 6, 0, 0], [2, 2, 2, 2]])
    assert unpad(rows) == [[5, 2], [5, 6, 7, 8], [5, 6], [2]]


def test_a_batch_counts_what_is_to_be_predicted():
    batch = make_batch([([5, 6], [7]), ([8], [9, 9, 9])])
    assert batch.source.tolist() == [[5, 6, 2], [8, 2, 0]]
    assert batch.target.tolist() == [[7, 2, 0, 0], [9, 9, 9, 2]]
    assert batch.tokens == 6


@cases
@given(st.integers(1, 40), st.integers(1, 12), st.integers(0, 99), st.integers(0, 3))
def test_an_epoch_has_each_pair_once(count, size, seed, epoch):
    batches = BatchesByLength(some_pairs(count), size, seed)
    order = batches.order(epoch)
    assert sorted(number for numbers in order for number in numbers) == list(range(count))
    sizes = sorted(map(len, order), reverse=True)
    assert len(sizes) == batches.per_epoch
    assert all(n == size for n in sizes[:-1])
    assert 1 <= sizes[-1] <= size


def test_the_batch_of_a_step_depends_on_seed_and_step_alone():
    pairs = some_pairs()
    one, other = BatchesByLength(pairs, 8, seed=3), BatchesByLength(pairs, 8, seed=3)
    steps = [0, 30, 7, 6, 13, 0, 14, 1]  # seven batches are an epoch
    asked = {step: one[step] for step in steps}
    for step in reversed(range(31)):
        batch = other[step]
        if step in asked:
            assert torch.equal(batch.source, asked[step].source)
            assert torch.equal(batch.target, asked[step].target)


def test_seeds_and_epochs_have_orders_of_their_own():
    pairs = some_pairs()
    orders = [BatchesByLength(pairs, 8, seed).order(epoch) for seed in (0, 1) for epoch in (0, 1)]
    for number, order in enumerate(orders):
        assert order not in orders[:number]


def test_rows_of_a_batch_have_like_lengths_and_batches_no_order():
    pairs = [(source, source[:-1]) for source, _ in some_pairs(400)]
    order = BatchesByLength(pairs, 16, seed=0).order(0)
    lengths = [[len(pairs[number][0]) for number in numbers] for numbers in order]
    ranges = [(min(row), max(row)) for row in lengths]
    # Ordered by length, the batches overlap in the lengths at their ends alone.
    for (_, longest), (shortest, _) in zip(sorted(ranges), sorted(ranges)[1:], strict=False):
        assert longest <= shortest
    assert ranges != sorted(ranges)
    assert sum(high - low for low, high in ranges) < 9
    # Within a length, it is by luck who meets whom.
    assert any(numbers != sorted(numbers) for numbers in order)


def test_equal_sources_are_sorted_by_their_targets():
    pairs = [([5], [5] * (n % 7)) for n in range(70)]
    order = BatchesByLength(pairs, 10, seed=0).order(0)
    assert all(len({len(pairs[number][1]) for number in numbers}) == 1 for numbers in order)


@pytest.mark.parametrize(
    ("tokens", "numbers_are_wrong", "message"),
    [
        ([3], True, "a torch.int64 tensor of shape (batch, length), got [3]"),
        (
            torch.ones(2),
            True,
            "a torch.int64 tensor of shape (batch, length), got 'torch.float32 of shape (2,)'",
        ),
        (
            torch.ones(2, 0).long(),
            True,
            "at least one sequence and one position, got 'torch.int64 of shape (2, 0)'",
        ),
        (torch.tensor([[3, 9]]), True, "tokens from 0 to 8, got (3, 9)"),
        (torch.tensor([[3, -1]]), True, "tokens from 0 to 8, got (-1, 3)"),
        (
            torch.tensor([[3], [0]]),
            False,
            "a token at the start of each row, got 'PADDING there'",
        ),
        (
            torch.tensor([[3, 0, 4]]),
            False,
            "PADDING only after the last token of a row, got 'PADDING between'",
        ),
        (torch.tensor([[8, 1, 2], [2, 0, 0]]), False, None),
    ],
)
def test_tokens_are_numbers_with_the_padding_on_the_right(tokens, numbers_are_wrong, message):
    for check, wrong in [
        (training.check_numbers, numbers_are_wrong),
        (training.check_tokens, message is not None),
    ]:
        if wrong:
            check_message(lambda check=check: check("rows", tokens, 9), f"rows: expected {message}")
        else:
            check("rows", tokens, 9)


def test_bad_pairs_are_refused(plain):
    check_message(lambda: plain.pad([]), "sequences: expected at least one, got 0")
    for token in (-1, 0, 1, 2):
        check_message(
            lambda token=token: plain.pad([[3], [4, token]]),
            "sequences: expected tokens above 2: the numbers up to it have a meaning of "
            f"their own, got [4, {token}]",
        )
    check_message(lambda: plain.BatchesByLength([], 3, 0), "pairs: expected at least one, got 0")
    for size in (0, -1, 2.0, True):
        check_message(
            lambda size=size: plain.BatchesByLength(some_pairs(), size, 0),
            f"size: expected a positive integer, got {size!r}",
        )
    check_message(
        lambda: plain.BatchesByLength(some_pairs(), 8, 0)[-1], "step: expected 0 or more, got -1"
    )


# ---------------------------------------------------------------------- loss


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_token_loss_token_by_token(smoothing: float):
    logits = torch.randn(2, 4, 7, generator=generator(), dtype=torch.float64)
    target = torch.tensor([[3, 4, 2, 0], [6, 2, 0, 0]])
    total = 0.0
    for row, column in [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]:
        log_p = logits[row, column] - logits[row, column].exp().sum().log()
        wanted = torch.full((7,), smoothing / 7, dtype=torch.float64)
        wanted[target[row, column]] += 1 - smoothing
        total -= (wanted * log_p).sum().item()
    assert token_loss(logits, target, smoothing).item() == pytest.approx(total / 5, abs=1e-12)


def test_padding_has_no_part_in_the_loss():
    logits = torch.randn(1, 3, 5, generator=generator(), requires_grad=True)
    token_loss(logits, torch.tensor([[4, 2, 0]]), 0.1).backward()
    assert logits.grad[0, :2].all()
    assert not logits.grad[0, 2].any()


# ------------------------------------------------------------------ one step


@pytest.mark.parametrize(("clip", "moved"), [(None, 5.0), (10.0, 5.0), (1.0, 1.0), (0.25, 0.25)])
def test_a_long_gradient_is_shortened(clip, moved):
    one, two = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.SGD([one, two], lr=1)
    one.grad = torch.tensor([99.0])  # left over from before: forgotten
    loss = 3 * one.sum() + 4 * two.sum() + 7
    assert update(optimizer, loss, clip) == 7
    assert torch.cat([one, two]).norm().item() == pytest.approx(moved, rel=1e-5)
    assert one.item() == pytest.approx(-moved * 3 / 5, rel=1e-5)


def test_minimise_is_a_plain_loop_to_the_last_bit():
    def start():
        return nn.Parameter(torch.linspace(-1, 1, 9)), generator(1)

    def loss_of(w, rng):
        return (w - torch.rand(9, generator=rng)).square().sum()

    w, rng = start()
    losses = minimise(lambda: loss_of(w, rng), [w], learning_rate=0.03, steps=25)
    twin, rng = start()
    optimizer, expected = torch.optim.Adam([twin], lr=0.03), []
    for _ in range(25):
        loss = loss_of(twin, rng)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        expected.append(loss.item())
    assert losses == expected
    assert torch.equal(w, twin)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0.0, 5), "learning_rate: expected a positive number, got 0.0"),
        ((0.1, 0), "steps: expected a positive number, got 0"),
    ],
)
def test_minimise_wants_positive_numbers(arguments, message):
    w = nn.Parameter(torch.zeros(1))
    check_message(lambda: minimise(w.sum, [w], *arguments), message)


# ------------------------------------------------------------------ the recipe


def test_rates_of_every_schedule():
    constant = Recipe(2.0, warm_up=4)
    assert [constant.rate(n) for n in (1, 2, 3, 4, 5, 99)] == [0.5, 1, 1.5, 2, 2, 2]
    root = Recipe(2.0, "inverse root", warm_up=4)
    assert [root.rate(n) for n in (1, 4, 16, 64)] == [0.5, 2, 1, 0.5]
    assert Recipe(2.0, "inverse root").rate(4) == 1
    linear = Recipe(2.0, "linear", warm_up=4, steps=12)
    assert [linear.rate(n) for n in (1, 4, 8, 11, 12, 13)] == [0.5, 2, 1, 0.25, 0, 0]
    assert Recipe(2.0).rate(1) == 2


@cases
@given(st.integers(1, 10**6), st.integers(1, 10**4), st.sampled_from([64, 512]))
def test_inverse_root_is_equation_3_of_attention_is_all_you_need(step, warm_up, d_model):
    peak = d_model**-0.5 * warm_up**-0.5
    expected = d_model**-0.5 * min(step**-0.5, step * warm_up**-1.5)
    rate = Recipe(peak, "inverse root", warm_up).rate(step)
    assert rate == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate: expected a positive number, got 0.0"),
        (
            {"schedule": "cosine"},
            "schedule: expected one of ('constant', 'inverse root', 'linear'), got 'cosine'",
        ),
        ({"warm_up": -1}, "warm_up: expected 0 or more, got -1"),
        ({"schedule": "linear"}, "steps: expected more than warm_up = 0, got None"),
        (
            {"schedule": "linear", "warm_up": 9, "steps": 9},
            "steps: expected more than warm_up = 9, got 9",
        ),
        ({"clip": 0.0}, "clip: expected a positive number, got 0.0"),
        ({"label_smoothing": 1.0}, "label_smoothing: expected a number from 0 to below 1, got 1.0"),
    ],
)
def test_a_bad_recipe_is_refused(changed, message):
    check_message(lambda: Recipe(**({"learning_rate": 0.1} | changed)), message)
    check_message(lambda: Recipe(0.1).rate(0), "step: expected 1 or more, got 0")


# ------------------------------------------------------------------- the loop

RECIPE = Recipe(0.01, "inverse root", warm_up=3, label_smoothing=0.1, seed=7)
CONFIG = RecurrentConfig(12, 12, "additive", d_embedding=6, d_encoder=5, d_decoder=7, dropout=0.3)


def new_run(recipe: Recipe = RECIPE, seed: int = 0, size: int = 8, config=CONFIG) -> TrainingRun:
    return TrainingRun(
        new_translator(config, seed), BatchesByLength(some_pairs(), size, seed), recipe
    )


def weights_of(run: TrainingRun) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in run.model.state_dict().items()}


def equal(ours: dict[str, torch.Tensor], theirs: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def without_time(log: list[LogEntry]) -> list[tuple[int, float, int]]:
    return [entry[:3] for entry in log]


@pytest.fixture(scope="module")
def straight() -> TrainingRun:
    """A run of 20 steps in one go: nearly three epochs."""
    run = new_run()
    run.advance(20)
    return run


def test_a_run_repeats_itself(straight):
    again = new_run()
    again.advance(20)
    assert equal(weights_of(again), weights_of(straight))
    assert without_time(again.log) == without_time(straight.log)


@pytest.mark.parametrize("first", [1, 6, 7, 10, 19])
def test_a_run_resumed_from_a_file_is_the_same_to_the_last_bit(straight, tmp_path, first):
    path = tmp_path / "run.safetensors"
    begun = new_run()
    begun.advance(first)
    begun.save(path)
    resumed = new_run()
    resumed.model = resumed.model.requires_grad_()  # a new object, from the same seed
    resumed.resume(path)
    assert resumed.step == first
    assert resumed.log == begun.log
    resumed.advance(20 - first)
    assert equal(weights_of(resumed), weights_of(straight))
    assert without_time(resumed.log) == without_time(straight.log)
    mine, theirs = (run.optimizer.state_dict()["state"] for run in (resumed, straight))
    assert mine.keys() == theirs.keys()
    assert all(equal(mine[number], theirs[number]) for number in mine)


def test_a_run_may_be_resumed_by_one_that_went_elsewhere(straight, tmp_path):
    begun, other = new_run(), new_run()
    begun.advance(4)
    begun.save(tmp_path / "run")
    other.advance(15)
    other.resume(tmp_path / "run")
    other.advance(16)
    assert equal(weights_of(other), weights_of(straight))


def test_a_run_can_be_saved_before_its_first_step(straight, tmp_path):
    new_run().save(tmp_path / "run")
    resumed = new_run(seed=0)
    resumed.resume(tmp_path / "run")
    assert (resumed.step, resumed.log) == (0, [])
    resumed.advance(20)
    assert equal(weights_of(resumed), weights_of(straight))


def test_other_work_between_the_steps_changes_nothing(straight):
    run = new_run()
    for _ in range(20):
        run.advance(1)
        torch.randn(3)
        right_tokens(run.model, some_pairs(5))
    assert equal(weights_of(run), weights_of(straight))


def test_a_run_changes_nothing_around_it():
    torch.manual_seed(11)
    before, run = torch.get_rng_state(), new_run()
    run.model.eval()
    run.advance(2)
    assert torch.equal(torch.get_rng_state(), before)
    assert not run.model.training


@pytest.mark.parametrize(
    "changed", [{"seed": 8}, {"label_smoothing": 0.0}, {"clip": 0.01}, {"warm_up": 9}]
)
def test_the_recipe_matters(straight, changed):
    run = new_run(replace(RECIPE, **changed))
    run.advance(20)
    assert not equal(weights_of(run), weights_of(straight))


def test_the_loop_against_one_written_out():
    config, recipe = replace(CONFIG, dropout=0.0), replace(RECIPE, clip=0.5)
    run = new_run(recipe, config=config)
    run.advance(9)
    model, data = new_translator(config, 0), BatchesByLength(some_pairs(), 8, 0)
    optimizer = torch.optim.Adam(model.parameters(), betas=(0.9, 0.98))
    losses = []
    for step in range(9):
        optimizer.param_groups[0]["lr"] = 0.01 * min((step + 1) / 3, math.sqrt(3 / (step + 1)))
        batch = data[step]
        logits = model(batch.source, batch.target)
        loss = F.cross_entropy(
            logits.flatten(0, 1), batch.target.flatten(), ignore_index=0, label_smoothing=0.1
        )
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        optimizer.step()
        losses.append(loss.item())
    assert [entry.loss for entry in run.log] == losses
    assert equal(weights_of(run), model.state_dict())


@pytest.mark.arithmetic
def test_the_log(straight):
    assert [entry.step for entry in straight.log] == list(range(1, 21))
    tokens = [straight.data[step].tokens for step in range(20)]
    assert [entry.tokens for entry in straight.log] == [sum(tokens[: n + 1]) for n in range(20)]
    seconds = [entry.cpu_seconds for entry in straight.log]
    assert seconds == sorted(seconds)
    assert 0 < seconds[0] < seconds[-1] < 20
    assert straight.step == 20
    assert sum(entry.loss for entry in straight.log[-5:]) / 5 < straight.log[0].loss


@pytest.mark.arithmetic
def test_only_training_is_charged_to_the_log():
    run, spent = new_run(), 0.0
    for _ in range(3):
        started = time.process_time()
        run.advance(1)
        spent += time.process_time() - started
        while time.process_time() < started + 0.2:
            pass  # an evaluation, say
    assert 0 < run.log[-1].cpu_seconds <= spent


def test_steps_within_some_seconds():
    log = [LogEntry(n, 1.0, n, 0.5 * n) for n in (1, 2, 3)]
    assert [steps_within(log, s) for s in (0, 0.49, 0.5, 1.2, 1.5, 99)] == [0, 0, 1, 2, 3, 3]


def test_any_loss_can_be_trained_and_any_list_is_data():
    seen = []

    def loss(model: nn.Module, batch: training.Batch, recipe: Recipe) -> torch.Tensor:
        seen.append(batch)
        return model.weight.square().sum() * recipe.learning_rate

    data = [make_batch([pair]) for pair in some_pairs(3)]
    run = TrainingRun(nn.Linear(2, 2), data, Recipe(0.1), loss)
    run.advance(3)
    assert seen == data


def test_a_loss_that_is_no_number_stops_the_run_before_the_weights_are_lost():
    def loss(model: nn.Module, batch: training.Batch, recipe: Recipe) -> torch.Tensor:
        return model.weight.sum() * (math.nan if len(run.log) == 2 else 1)

    run = TrainingRun(nn.Linear(2, 2), [make_batch(some_pairs(2))] * 9, Recipe(0.1), loss)
    check_message(lambda: run.advance(5), "loss: expected a finite number at step 2, got nan")
    assert run.step == len(run.log) == 2
    assert run.model.weight.isfinite().all()
    for steps in (0, -1):
        check_message(
            lambda steps=steps: run.advance(steps),
            f"steps: expected a positive integer, got {steps}",
        )


def test_each_part_of_a_model_gets_back_its_own_mode():
    model = nn.Sequential(nn.Dropout(), nn.Sequential(nn.Dropout(), nn.Dropout()))
    model.train()
    model[1].eval()
    model[1][0].train()
    modes = [part.training for part in model.modules()]
    assert len(set(modes)) == 2
    with evaluating(model):
        assert not any(part.training for part in model.modules())
    assert [part.training for part in model.modules()] == modes
    with pytest.raises(KeyError), evaluating(model):
        raise KeyError
    assert [part.training for part in model.modules()] == modes

    def loss(model: nn.Module, batch: training.Batch, recipe: Recipe) -> torch.Tensor:
        assert all(part.training for part in model.modules())
        return model[2].weight.sum() * (math.nan if run.step == 1 else 1)

    model.append(nn.Linear(2, 2)).eval()
    model[0].train()
    modes = [part.training for part in model.modules()]
    run = TrainingRun(model, [make_batch(some_pairs(2))] * 9, Recipe(0.1), loss)
    with pytest.raises(ValueError, match="a finite number at step 1"):
        run.advance(2)
    assert [part.training for part in model.modules()] == modes


def test_evaluating_puts_things_back():
    model = nn.Dropout(0.5)
    with evaluating(model):
        assert not model.training
        assert not torch.is_grad_enabled()
    assert model.training
    assert torch.is_grad_enabled()
    model.eval()
    with pytest.raises(KeyError), evaluating(model):
        raise KeyError
    assert not model.training


# --------------------------------------------------------------------- files

TENSORS = {
    "scalar": torch.tensor(3.5),
    "doubles": torch.tensor([[1e-300, math.pi]], dtype=torch.float64),
    "numbers": torch.arange(5),
    "bytes": torch.tensor([0, 255], dtype=torch.uint8),
    "nothing": torch.zeros(0, 4),
    "not contiguous": torch.arange(6.0).reshape(2, 3).T,
}


def test_tensors_there_and_back(tmp_path):
    header = {"step": 3, "text": "naïve ½", "nested": {"list": [1.5, None, True]}}
    write_tensors(tmp_path / "file", TENSORS, header)
    tensors, again = read_tensors(tmp_path / "file")
    assert again == header
    assert tensors.keys() == TENSORS.keys()
    assert equal(tensors, TENSORS)
    assert all(tensors[name].dtype == TENSORS[name].dtype for name in TENSORS)
    assert equal(load_file(tmp_path / "file"), TENSORS)  # an ordinary .safetensors file
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_equal_contents_make_equal_files(tmp_path):
    write_tensors(tmp_path / "one", TENSORS, {"a": 1, "b": 2})
    write_tensors(tmp_path / "two", dict(reversed(TENSORS.items())), {"b": 2, "a": 1})
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_tied_weights_can_be_saved(tmp_path):
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding, self.readout = nn.Embedding(5, 3), nn.Linear(3, 5)
            self.readout.weight = self.embedding.weight

    model, other = Tied(), Tied()
    save_weights(tmp_path / "tied", model, {"kind": "tied"})
    assert load_weights(tmp_path / "tied", other) == {"kind": "tied"}
    assert torch.equal(other.embedding.weight, model.embedding.weight)
    assert other.readout.weight is other.embedding.weight


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> tuple[Path, bytes]:
    """A saved run, and what its file holds."""
    path = tmp_path_factory.mktemp("run") / "run.safetensors"
    small = RecurrentConfig(12, 12, d_embedding=1, d_encoder=1, d_decoder=1, d_context=1)
    run = new_run(config=small)
    run.advance(2)
    run.save(path)
    return path, path.read_bytes()


many_damages = settings(max_examples=150, suppress_health_check=list(HealthCheck))


@many_damages
@given(data=st.data())
def test_a_file_that_was_cut_short_is_refused(plain, saved, data):
    path, whole = saved
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: not a complete .safetensors"):
        plain.read_tensors(path)
    path.write_bytes(whole)


@many_damages
@given(data=st.data())
def test_a_changed_byte_does_not_go_unseen(plain, saved, data):
    path, whole = saved
    tensors, header = plain.read_tensors(path)
    header_end = 8 + int.from_bytes(whole[:8], "little")
    place = data.draw(st.integers(0, header_end - 1) | st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != whole[place]))
    path.write_bytes(whole[:place] + bytes([byte]) + whole[place + 1 :])
    message = None
    try:
        found, other = plain.read_tensors(path)
    except ValueError as error:
        message = str(error)
    path.write_bytes(whole)
    if message is not None:
        assert message.startswith(f"{path}: ")
    else:  # one kind of blank for another between the header's entries, say
        assert other == header
        assert found.keys() == tensors.keys()
        assert equal(found, tensors)


@pytest.mark.parametrize("place", ["first number", "last number", "step in the header"])
def test_a_flipped_bit_where_nothing_else_would_notice(saved, place):
    path, whole = saved
    header_end = 8 + int.from_bytes(whole[:8], "little")
    if place == "step in the header":
        position = whole.index(b'\\"step\\": 2') + len(b'\\"step\\": ')
    else:
        position = header_end if place == "first number" else len(whole) - 1
    path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
    check_message(
        lambda: read_tensors(path),
        f"{path}: the checksum is wrong, so the file has been changed or damaged",
    )
    path.write_bytes(whole)


def test_other_files_are_refused(plain, tmp_path):
    path = tmp_path / "file"
    check_message(
        lambda: plain.read_tensors(path),
        f"path: expected an existing .safetensors file, got {str(path)!r}",
    )
    check_message(
        lambda: plain.read_tensors(tmp_path),
        f"path: expected an existing .safetensors file, got {str(tmp_path)!r}",
    )
    save_file({"weight": torch.zeros(2)}, path)
    check_message(
        lambda: plain.read_tensors(path),
        f"{path}: no checksum in it, so not written by this book's write_tensors",
    )
    path.write_text("not tensors at all", encoding="utf-8")
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: not a complete .safetensors"):
        plain.read_tensors(path)


def test_a_run_refuses_what_is_not_its_own(straight, tmp_path):
    path, run = tmp_path / "run", new_run()
    run.advance(3)
    before, log = weights_of(run), list(run.log)

    def refuses(message: str) -> None:
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: {message}"):
            run.resume(path)
        assert equal(weights_of(run), before)
        assert (run.step, run.log) == (3, log)

    save_weights(path, run.model, {"kind": "translator"})
    refuses("expected a saved training run, got 'translator'")
    other = new_run(replace(RECIPE, learning_rate=0.02))
    other.save(path)
    refuses("expected the recipe .*0.01.*, got .*0.02")
    new_run(size=9).save(path)
    refuses("expected a run on this run's data, got one on other data")
    new_run(config=replace(CONFIG, d_decoder=8)).save(path)
    refuses(
        r"expected torch.float32 of shape \(21,\) for the model's decoder.bias_hh_l0, "
        r"got torch.float32 of shape \(24,\)"
    )
    new_run(config=replace(CONFIG, score="dot")).save(path)
    refuses(r"expected torch.float32 of shape \(64,\) for the model's look_back.v, got nothing")
    path.write_bytes(path.read_bytes()[:-1])
    refuses("not a complete .safetensors file")
    run.advance(17)
    assert equal(weights_of(run), weights_of(straight))


def test_weights_must_fit(tmp_path):
    path = tmp_path / "weights"
    save_weights(path, nn.Linear(2, 3), {})
    for other, message in [
        (
            nn.Linear(2, 4),
            "expected torch.float32 of shape (4,) for the model's bias, "
            "got torch.float32 of shape (3,)",
        ),
        (
            nn.Linear(2, 3, bias=False),
            "expected nothing for the model's bias, got torch.float32 of shape (3,)",
        ),
        (
            nn.Linear(2, 3).double(),
            "expected torch.float64 of shape (3,) for the model's bias, "
            "got torch.float32 of shape (3,)",
        ),
    ]:
        check_message(lambda other=other: load_weights(path, other), f"{path}: {message}")


def test_a_saved_run_is_no_pickle(saved):
    path, whole = saved
    header = json.loads(whole[8 : 8 + int.from_bytes(whole[:8], "little")])
    assert header["__metadata__"].keys() == {"header"}
    checksum, text = header["__metadata__"]["header"].split(" ", maxsplit=1)
    assert re.fullmatch("[0-9a-f]{64}", checksum)
    assert json.loads(text)["step"] == 2
    assert json.loads(text)["recipe"]["betas"] == [0.9, 0.98]
    assert path.exists()


# ------------------------------------------------------------------- measures


class Copier(nn.Module):
    """Predict the target from itself, but 3 wherever a 7 stands."""

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        assert not self.training
        return F.one_hot(target.where(target != 7, 3), 12).double()


def test_right_tokens_are_counted_without_padding():
    targets = [[4, 7, 5], [], [7, 7, 7, 7, 7], [9] * 8]
    pairs = [([5] * (3 * n + 1), target) for n, target in enumerate(targets)]
    for size in (1, 3, 100):
        right, tokens = right_tokens(Copier(), pairs[::-1], size)
        assert tokens.tolist() == [9, 6, 1, 4]
        assert right.tolist() == [9, 1, 1, 3]


def test_decode_all_keeps_the_order():
    sources = [[5] * n for n in (4, 1, 7, 2, 2, 0)]
    seen = []

    def decode(source: torch.Tensor) -> torch.Tensor:
        seen.append(source.shape)
        return source.where(source != 5, 6)

    outputs = decode_all(decode, sources, size=2)
    assert outputs == [[6] * n + [END] for n in (4, 1, 7, 2, 2, 0)]
    assert seen == [(2, 2), (2, 3), (2, 8)]  # those of like length together


def test_an_exact_match_ends_where_the_target_ends():
    outputs = [[4, 5, END], [4, 5], [4, END], [4, 5, 6, END], [END], [5, 4, END]]
    targets = [[4, 5], [4, 5], [4, 5], [4, 5], [], [4, 5]]
    assert exact_matches(outputs, targets) == [True, False, False, False, True, False]
    check_message(lambda: exact_matches([[END]], []), "outputs: expected 0 of them, got 1")


def test_means_by_length():
    means = means_by_length([4, 5, 6, 9], [True, 0, 1.0, 0.25], [(4, 5), (6, 8), (9, 9), (10, 99)])
    assert means[:3] == [0.5, 1.0, 0.25]
    assert math.isnan(means[3])
    check_message(lambda: means_by_length([4], [], []), "values: expected 1 of them, got 0")


def test_bleu_is_asked_of_sacrebleu(monkeypatch, plain):
    asked = []

    class BLEU:
        def __init__(self, **options):
            asked.append(options)

        def corpus_score(self, outputs, references):
            asked.append((outputs, references))
            return SimpleNamespace(score=12.5)

    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "sacrebleu", SimpleNamespace())
        patch.setitem(sys.modules, "sacrebleu.metrics", SimpleNamespace(BLEU=BLEU))
        assert bleu(["a b", "c"], ("d", "e")) == 12.5
    assert asked == [{"tokenize": "13a"}, (["a b", "c"], [["d", "e"]])]
    monkeypatch.setitem(sys.modules, "sacrebleu", None)
    monkeypatch.setitem(sys.modules, "sacrebleu.metrics", None)
    with pytest.raises(ImportError, match="BLEU needs the package sacrebleu"):
        bleu(["a"], ["b"])
    check_message(lambda: plain.bleu([], []), "outputs: expected at least one, got 0")
    check_message(lambda: plain.bleu(["a"], []), "outputs: expected 0 of them, got 1")


def test_bleu_by_hand():
    pytest.importorskip("sacrebleu")
    reference = "the black cat sat on the old mat today"
    assert bleu([reference], [reference]) == pytest.approx(100)
    # 7 words against 9; 6/7, 4/6, 3/5 and 2/4 of the runs are shared.
    output = "the cat sat on the old rug"
    precisions = [6 / 7, 4 / 6, 3 / 5, 2 / 4]
    expected = 100 * math.exp(1 - 9 / 7) * math.prod(precisions) ** 0.25
    assert bleu([output], [reference]) == pytest.approx(expected)


# ----------------------------------------------------------------- alignments


def test_alignment_error_rate_by_hand():
    sure, possible = [{(0, 0), (1, 2)}], [{(0, 0), (1, 2), (1, 1)}]
    # All sure links and a possible one: no error.
    assert alignment_error_rate([{(0, 0), (1, 2), (1, 1)}], sure, possible) == 0
    # Of 3 links one is sure, one possible, one wrong: 1 - (1 + 2) / (3 + 2).
    links = [{(0, 0), (1, 1), (2, 2)}]
    assert alignment_error_rate(links, sure, possible) == pytest.approx(0.4)
    # Without possible links: 1 - (1 + 1) / (3 + 2).
    assert alignment_error_rate(links, sure) == pytest.approx(0.6)
    # The sure links are possible ones even if they are not among them.
    assert alignment_error_rate(links, sure, [{(1, 1)}]) == pytest.approx(0.4)
    # Two sentences: counts are added, not rates: 1 - (3 + 2) / (5 + 3).
    both = [*links, {(0, 0)}]
    assert alignment_error_rate(both, [*sure, {(0, 0)}], [*possible, set()]) == pytest.approx(
        1 - (3 + 2) / (5 + 2)
    )
    assert alignment_error_rate([{(0, 0)}], [{(1, 1)}]) == 1


links = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=8)


@cases
@given(st.lists(st.tuples(links, links, links), min_size=1, max_size=4))
def test_what_holds_for_every_error_rate(sentences):
    found, sure, possible = map(list, zip(*sentences, strict=True))
    if not any(found) and not any(sure):
        return
    rate = alignment_error_rate(found, sure, possible)
    assert 0 <= rate <= 1
    assert rate <= alignment_error_rate(found, sure)
    # With sure links alone it is one less the F-measure of precision and recall.
    matches = sum(len(a & s) for a, s in zip(found, sure, strict=True))
    if matches:
        precision, recall = matches / sum(map(len, found)), matches / sum(map(len, sure))
        f_measure = 2 * precision * recall / (precision + recall)
        assert alignment_error_rate(found, sure) == pytest.approx(1 - f_measure)


def test_strongest_links_leave_the_end_out():
    weights = torch.tensor(
        [
            [0.1, 0.7, 0.2, 0.0],  # word 0 looks at word 1
            [0.5, 0.4, 0.1, 0.0],  # word 1 at word 0
            [0.2, 0.1, 0.7, 0.0],  # word 2 at the source's END: at nothing
            [0.0, 0.0, 0.0, 1.0],  # END, at padding
        ]
    )
    assert strongest_links(weights, source_length=2, target_length=3) == {(1, 0), (0, 1)}
    assert strongest_links(weights, 3, 3) == {(1, 0), (0, 1), (2, 2)}
    check_message(
        lambda: strongest_links(weights, 5, 3), "source_length: expected at most 4, got 5"
    )
    check_message(
        lambda: strongest_links(weights, 3, 5), "target_length: expected at most 4, got 5"
    )


def test_diagonal_links():
    assert diagonal_links(3, 3) == {(0, 0), (1, 1), (2, 2)}
    assert diagonal_links(2, 4) == {(0, 0), (0, 1), (1, 2), (1, 3)}
    assert diagonal_links(6, 2) == {(1, 0), (4, 1)}
    assert diagonal_links(1, 2) == {(0, 0), (0, 1)}
    assert diagonal_links(5, 0) == set()
    check_message(lambda: diagonal_links(0, 3), "source_length: expected a positive integer, got 0")


@cases
@given(st.integers(1, 30), st.integers(1, 30))
def test_diagonal_links_stay_inside_and_go_up(source_length, target_length):
    links = sorted(diagonal_links(source_length, target_length), key=lambda link: link[1])
    assert [target for _, target in links] == list(range(target_length))
    sources = [source for source, _ in links]
    assert sources == sorted(sources)
    assert 0 <= sources[0] <= sources[-1] < source_length
    # The same read from the other end, but for halves.
    if source_length % 2 and target_length % 2:
        mirrored = {(source_length - 1 - s, target_length - 1 - t) for s, t in links}
        assert (source_length // 2, target_length // 2) in mirrored & set(links)


def test_the_uniform_baseline_is_the_mean_over_all_choices():
    sure, possible = [{(0, 0), (1, 2)}, {(1, 1)}], [{(1, 1)}, {(0, 1)}]
    rates = []
    for a in range(2):
        for b in range(2):
            for c in range(2):
                for d in range(3):
                    for e in range(3):
                        found = [{(a, 0), (b, 1), (c, 2)}, {(d, 0), (e, 1)}]
                        rates.append(alignment_error_rate(found, sure, possible))
    expected = sum(rates) / len(rates)
    assert uniform_error_rate([(2, 3), (3, 2)], sure, possible) == pytest.approx(expected)


def test_numbers_of_sentences_must_agree(plain):
    for call in (
        lambda: plain.alignment_error_rate([{(0, 0)}], []),
        lambda: plain.uniform_error_rate([(1, 1)], []),
    ):
        check_message(call, "sure: expected 1 sets of links, got 0")
    check_message(
        lambda: plain.alignment_error_rate([{(0, 0)}], [set()], []),
        "possible: expected 1 sets of links, got 0",
    )
    check_message(
        lambda: plain.alignment_error_rate([set()], [set()]),
        "alignments: expected at least one link, there or in sure, got 0",
    )


def test_the_three_numbers_are_not_to_be_changed_in_passing():
    """Committed weights and every vocabulary rely on them."""
    assert (PADDING, training.START, END) == (0, 1, 2)
    assert Translator(CONFIG).target_embedding.num_embeddings == 12
