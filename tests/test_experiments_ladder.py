"""The ladder from 2017 to Llama: one block at a time, and the log is what the script writes."""

import statistics
from dataclasses import asdict
from itertools import pairwise

import pytest
import torch
from torch.nn import functional as F

import common
import ladder
from attention.pretrained import llama
from attention.tokens import END, PADDING, START
from attention.training import Recipe, TrainingRun, make_batch
from attention.transformer import TransformerConfig, new_transformer, parameters_of
from shared import one_text
from shared.equal_parameters import with_parameters
from shared.logs import read_rows
from shared.rate_search import Search

pytestmark = pytest.mark.usefixtures("types_not_checked")  # thousands of sentences are drawn

Row = dict[str, str]


def changed(one: str, other: str) -> dict[str, object]:
    """Give what the config of the one arm has and that of the other has not, but for d_ff."""
    configs = [asdict(ladder.config_of(name)) for name in (one, other)]
    return {
        name: value
        for name, value in configs[0].items()
        if configs[1][name] != value and name != "d_ff"
    }


# ------------------------------------------------------------------------------------ the arms


def test_each_rung_changes_one_block():
    assert asdict(ladder.config_of("2017")) == asdict(ladder.OF_2017)
    for below, rung in pairwise(ladder.RUNGS):
        assert changed(rung, below) == ladder.STEPS[rung]


def test_each_control_puts_one_block_back():
    for name, setting in ladder.BACK.items():
        found = changed(name, ladder.LLAMA)
        assert found.keys() == setting.keys()
        (block,) = found
        of_2017 = getattr(ladder.OF_2017, block)
        assert found[block] == (ladder.OF_2017.heads if of_2017 is None else of_2017)
    put_back = {block for setting in ladder.BACK.values() for block in setting}
    steps = {block for setting in ladder.STEPS.values() for block in setting}
    # Biases are put back by the rung before Llama, and QK-norm is no block of Llama's.
    assert steps - put_back == {"bias", "qk_norm"}
    assert changed("grouped queries", ladder.LLAMA) == {"bias": True}


def test_the_last_rung_but_one_is_a_llama():
    sizes = {"embedding_length": 64, "feed_forward_length": 196, "block_count": 3}
    sizes |= {"attention.head_count": 4, "attention.head_count_kv": 2}
    metadata = {f"llama.{name}": size for name, size in sizes.items()}
    metadata |= {"general.architecture": "llama", "llama.attention.layer_norm_rms_epsilon": 1e-5}
    tensors = {"token_embd.weight": torch.zeros(one_text.SYMBOLS, 64)}
    theirs = asdict(llama.config_of(tensors, metadata))
    ours = asdict(ladder.config_of(ladder.LLAMA))
    assert {name for name in ours if ours[name] != theirs[name]} == {"scale_embeddings"}


def test_all_arms_have_as_many_parameters():
    wanted = parameters_of(ladder.OF_2017)
    for name in ladder.SEARCH.names:
        config = ladder.config_of(name)
        assert abs(parameters_of(config) / wanted - 1) < 0.006, name
        model = new_transformer(config, 0)
        assert sum(p.numel() for p in model.parameters()) == parameters_of(config)
    width = ladder.config_of("SwiGLU").d_ff
    assert width == pytest.approx(2 / 3 * ladder.OF_2017.d_ff, rel=0.01)


@pytest.mark.parametrize("wanted", [20_000, 33_333])
def test_the_width_is_the_one_that_comes_nearest(wanted):
    config = TransformerConfig(None, 50, d_model=16, heads=2)
    found = with_parameters(config, wanted)
    assert found.d_ff % 4 == 0

    def error(d_ff: int) -> int:
        sizes = {"d_model": 16, "heads": 2, "d_ff": d_ff}
        return abs(parameters_of(TransformerConfig(None, 50, **sizes)) - wanted)

    assert error(found.d_ff) <= min(error(found.d_ff - 4), error(found.d_ff + 4))


# ---------------------------------------------------------------------------------- the search

SMALL = Search(("a", "b"), (0.1, 0.2, 0.4), by="loss", seeds=(0, 1), others=("base",))


def test_the_search_is_equal():
    search = ladder.SEARCH
    for name in search.names:
        assert [rate for of, rate in search.trials.values() if of == name] == [*search.rates]
    assert search.trial_seed not in search.seeds
    assert len(search.seeds) >= 3
    assert ladder.TRIAL_STOPS[-1] * 3 == ladder.STOPS[-1]
    trials = [job for job in search.order(search.arms, search.seeds) if job[0] in search.trials]
    assert trials == [(arm, search.trial_seed) for arm in search.trials]


def test_an_arm_takes_the_rate_of_its_best_trial():
    rows = [
        {"arm": f"{name}, rate {rate}", "loss": loss}
        for name, losses in (("a", ("0.5", "0.3", "0.4")), ("b", ("0.1", "0.2", "0.3")))
        for rate, loss in zip(SMALL.rates, losses, strict=True)
    ]
    assert SMALL.rate_of("a", rows) == 0.2
    assert SMALL.rate_of("b", rows) == 0.1
    assert SMALL.rate_of("a, rate 0.4", []) == 0.4
    assert SMALL.rate_of("a", [], quick=True) == 0.2
    with pytest.raises(SystemExit, match="lacks trials of a: run them first"):
        SMALL.rate_of("a", rows[1:])


def test_the_trials_come_first_and_what_trains_nothing_once():
    assert SMALL.order(SMALL.arms, (0, 1))[-5:] == [
        *((name, seed) for name in "ab" for seed in (0, 1)),
        ("base", 0),
    ]
    done = []

    def measure(arm: str, seed: int, asked: common.Asked) -> list[dict]:
        done.append((arm, seed))
        return [{"arm": arm, "seed": seed}]

    asked = common.Asked(arms=("a", "a, rate 0.4", "base"), seeds=(0, 1))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(common, "file_rows", lambda *_: None)
        patch.setattr(common, "file_head", lambda *_: None)
        SMALL.run(measure, asked, ladder.OUTPUT)
    assert done == [("a, rate 0.4", 100), ("a", 0), ("a", 1), ("base", 0)]


def test_trials_have_sentences_of_their_own():
    splits = [
        {pair.english for pair in one_text.sentences(name, 300)}
        for name in ("train", "validation", "test")
    ]
    with_two = {p.english for p in one_text.sentences("pronouns, two nouns", 100, 9)}
    assert len(set.union(*splits, with_two)) == sum(map(len, splits)) + len(with_two)


# ------------------------------------------------------------------------------------ the text


def test_both_sentences_are_one_text():
    (pair,) = one_text.sentences("test", 1)
    ((english, french),) = one_text.pairs("test", 1)
    text = one_text.one_text(english, french)
    assert one_text.ENGLISH.decode(text[: len(english)]) == pair.english
    assert text[len(english)] == one_text.EQUALS
    found = [number - one_text.SHIFT for number in text[len(english) + 1 :]]
    assert one_text.FRENCH.decode(found) == pair.french
    every = one_text.french_numbers(one_text.FRENCH.tokens[END + 1 :])
    assert every == [*range(one_text.FIRST_FRENCH, one_text.EQUALS)]


@pytest.fixture(scope="module")
def model():
    config = TransformerConfig(None, one_text.SYMBOLS, d_model=16, heads=2, d_ff=16)
    return new_transformer(config, 0).double()


@pytest.mark.arithmetic
def test_losses_by_hand(model):
    some = one_text.pairs("test", 5)
    parts: tuple[list[float], list[float]] = ([], [])
    for english, french in some:
        text = [START, *one_text.one_text(english, french), END]
        with torch.no_grad():
            log_p = model(torch.tensor([text]))[0].log_softmax(-1)
        for place, token in enumerate(text[1:]):
            parts[place > len(english)].append(-log_p[place, token].item())
    found = one_text.held_out_losses(model, some)
    assert list(found.values()) == pytest.approx([*map(statistics.mean, parts)])
    batch = make_batch(one_text.with_texts(some))
    whole = one_text.next_token_loss(model, batch, Recipe(0.1)).item()
    assert whole == pytest.approx(statistics.mean([*parts[0], *parts[1]]))


def test_it_goes_on_after_each_sentence(model):
    """Though they are of different lengths, and computed together, with a cache."""
    some = one_text.pairs("test", 6)
    source = make_batch(some).source
    found = one_text.write_french(model, source, 4)
    for (english, _), row in zip(some, found, strict=True):
        text = [START, *english, one_text.EQUALS]
        for _ in range(4):
            with torch.no_grad():
                text.append(int(model(torch.tensor([text]))[0, -1].argmax()))
        assert row.tolist() == text[-4:]


def test_an_exact_translation_ends_where_the_sentence_ends(monkeypatch):
    some = one_text.pairs("test", 4)

    def write(_: object, source: torch.Tensor, count: int) -> torch.Tensor:
        known = {tuple(english): french for english, french in some}
        rows = [[*known[tuple(row[: row.index(END)])], END] for row in source.tolist()]
        rows[0] = [*rows[0][:-1], 77, END]  # of the shortest source: one word too many
        padded = [row + [PADDING] * (count + 1 - len(row)) for row in rows]
        return torch.tensor(padded)

    monkeypatch.setattr(one_text, "write_french", write)
    assert sum(one_text.exact_translations(None, some)) == 3


def test_pronouns_are_asked_for_where_they_stand():
    some = one_text.sentences("pronouns, two nouns", 20, one_text.TWO_NOUNS)
    numbers = [
        (one_text.ENGLISH.encode(p.english), one_text.french_numbers(p.french)) for p in some
    ]
    text = make_batch(one_text.with_texts(numbers)).target

    def knows(tokens: torch.Tensor) -> torch.Tensor:
        assert torch.equal(tokens, one_text.before(text))
        return F.one_hot(text, one_text.SYMBOLS).float()

    class Knows(torch.nn.Module):
        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            return knows(tokens) * self.sign

    oracle = Knows()
    oracle.sign = 1
    assert all(one_text.right_pronouns(oracle, some))
    oracle.sign = -1
    assert not any(one_text.right_pronouns(oracle, some))


def test_arms_of_one_seed_see_the_same_batches():
    pairs = one_text.with_texts(one_text.pairs("train", 200))
    runs = []
    for name in ("2017", "QK-norm"):
        batches = ladder.ReadyBatches(pairs, ladder.BATCH, 1)
        model = new_transformer(ladder.config_of(name), 1)
        runs.append(TrainingRun(model, batches, Recipe(0.001), one_text.next_token_loss))
    for step in range(8):
        one, other = (run.data[step] for run in runs)
        assert torch.equal(one.target, other.target)


# ---------------------------------------------------------------------------- reading the log


def row(arm: str, seed: int, updates: int, seconds: float, loss: float) -> Row:
    numbers = {"seed": seed, "updates": updates, "cpu_seconds": seconds, "french_loss": loss}
    return {"arm": arm} | {name: str(value) for name, value in numbers.items()}


BY_HAND = [
    row("2017, rate 0.003", 100, 10, 1, 9),  # a trial
    row("2017", 0, 4000, 4, 0.5),
    row("2017", 0, 2000, 2, 1.0),
    row("2017", 1, 2000, 2, 2.0),
    row("2017", 1, 4000, 6, 1.0),
    row("QK-norm", 0, 2000, 3, 0.8),
    row("QK-norm", 0, 4000, 5, 0.4),
]
SPEEDS = [{"arm": "2017", "milliseconds": "15"}, {"arm": "QK-norm", "milliseconds": "20"}]


def test_arms_at_equal_updates_and_at_equal_seconds():
    assert ladder.at_equal_updates(BY_HAND, "french_loss") == {"2017": [0.5, 1.0], "QK-norm": [0.4]}
    assert ladder.updates_in_equal_seconds(SPEEDS) == {"2017": 4000, "QK-norm": 3000}
    found = ladder.at_equal_seconds(BY_HAND, SPEEDS, "french_loss")
    assert found == {"2017": [0.5, 1.0], "QK-norm": [pytest.approx(0.6)]}


def test_no_measure_is_read_off_outside_of_the_stops():
    slow = [{"arm": "2017", "milliseconds": "15"}, {"arm": "QK-norm", "milliseconds": "60"}]
    with pytest.raises(ValueError, match=r"^updates: expected a number from 2000 to 4000, got 10"):
        ladder.at_equal_seconds(BY_HAND, slow, "french_loss")


def test_all_arms_take_turns():
    """In a process as this one, which is busy: so it is only asked that there are times."""
    quick = common.Asked(quick=True)
    rows = ladder.speed("speed", quick)
    assert [row["arm"] for row in rows] == [*ladder.SEARCH.names]
    for timed in rows:
        lowest, median, highest = (float(timed[n]) for n in ("lowest", "milliseconds", "highest"))
        assert 0 < lowest <= median <= highest


@pytest.fixture(scope="module")
def log() -> list[Row]:
    if not ladder.OUTPUT.exists():
        pytest.skip(f"{ladder.OUTPUT.name}: the script has yet to be run")
    return read_rows(ladder.OUTPUT)


def test_log_is_complete(log):
    search = ladder.SEARCH
    expected = [
        (arm, str(seed), str(stop))
        for arm, seed in search.order(search.arms, search.seeds)
        for stop in (ladder.TRIAL_STOPS if arm in search.trials else ladder.STOPS)
    ]
    assert [(row["arm"], row["seed"], row["updates"]) for row in log] == expected


def test_log_has_the_best_trials_rates(log):
    for row in log:
        assert float(row["rate"]) == ladder.SEARCH.rate_of(row["arm"], log)
        config = ladder.config_of(ladder.SEARCH.name_of(row["arm"]))
        assert int(row["parameters"]) == parameters_of(config)
        assert int(row["d_ff"]) == config.d_ff


def test_log_goes_on(log):
    for row in log:
        trial = row["arm"] in ladder.SEARCH.trials
        assert all(float(row[name]) > 0 for name in ("loss", "english_loss", "french_loss"))
        for name, of in (("exact_match", ladder.EXACT), ("pronouns", ladder.PRONOUNS)):
            assert trial == (row[name] == "")
            if not trial:
                count = float(row[name]) * of
                assert count == pytest.approx(round(count), abs=5e-5 * of)
                assert 0 <= count <= of
    for before, after in pairwise(log):
        if (before["arm"], before["seed"]) == (after["arm"], after["seed"]):
            assert float(before["cpu_seconds"]) < float(after["cpu_seconds"])


def test_log_can_be_read_at_equal_seconds(log):
    speeds = read_rows(ladder.SPEED)
    assert [row["arm"] for row in speeds] == [*ladder.SEARCH.names]
    for measure in ladder.MEASURES:
        found = ladder.at_equal_seconds(log, speeds, measure)
        assert list(found) == [*ladder.SEARCH.names]
        assert {len(values) for values in found.values()} == {len(ladder.SEARCH.seeds)}
