"""The stream never repeats itself, its arms differ in one thing, and its logs are the script's."""

import statistics
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

import common
import stream
from attention import corpus
from attention.recurrent import new_translator, parameters_of
from attention.training import PADDING, LogEntry, TrainingRun
from shared import streams
from shared.logs import read_rows
from shared.translators import numbers

pytestmark = pytest.mark.usefixtures("types_not_checked")  # some thousand sentences are drawn

Row = dict[str, str]
SIZE, ROUNDS = 8, 3


@pytest.fixture(scope="module")
def drawn(types_not_checked) -> streams.Stream:
    return streams.Stream(seed=0, rounds=ROUNDS, size=SIZE)


# -------------------------------------------------------------------------------- the stream


def test_no_sentence_comes_twice_in_a_stream(drawn):
    sentences = list(drawn.sentences())
    assert len(sentences) == len(set(sentences)) == ROUNDS * streams.BATCHES * SIZE


def test_all_sentences_of_a_stream_are_for_training(drawn):
    english, french = corpus.english_vocabulary(), corpus.french_vocabulary()
    for step in (0, 140, 299):
        batch = drawn[step]
        for source, target in zip(batch.source, batch.target, strict=True):
            words = english.decode(source[source != PADDING][:-1])
            pair = corpus.translate(" ".join(words))
            assert corpus.home(pair) == "train"
            assert pair.french == tuple(french.decode(target[target != PADDING][:-1]))


def test_each_round_of_a_stream_has_the_same_lengths(drawn):
    assert len(drawn) == ROUNDS * streams.BATCHES
    orders = []
    for start in range(0, len(drawn), streams.BATCHES):
        some = [drawn[step] for step in range(start, start + streams.BATCHES)]
        assert all(len(batch.source) == SIZE for batch in some)
        assert all((batch.source != PADDING).all() for batch in some)  # of one length each
        lengths = [streams.length_of(batch) for batch in some]
        assert {n: lengths.count(n) for n in lengths} == streams.ROUND
        orders.append(lengths)
    assert orders[0] != orders[1]
    assert orders[0] != sorted(orders[0])


def test_another_seed_draws_another_stream(drawn):
    first = set(drawn.sentences(0, streams.BATCHES))
    again, other = (set(streams.Stream(seed, 1, SIZE).sentences()) for seed in (0, 1))
    assert again == first
    assert len(other & first) < 0.2 * len(first)  # short ones


def test_a_run_on_a_stream_goes_on_after_an_interruption(drawn, tmp_path):
    config = replace(stream.MODELS["width 24"], d_encoder=4, d_decoder=4, d_embedding=4)

    def run() -> TrainingRun:
        return TrainingRun(new_translator(config, 0), drawn, stream.recipe_of(0.01, 0))

    whole, first, second = run(), run(), run()
    whole.advance(4)
    first.advance(2)
    first.save(tmp_path / "run.safetensors")
    second.resume(tmp_path / "run.safetensors")
    second.advance(2)
    assert [entry.loss for entry in second.log] == [entry.loss for entry in whole.log]


def coverage_by_hand(drawn: streams.Stream, stop: int, test: str, count: int) -> tuple[float, ...]:
    met = list(drawn.sentences(0, stop))
    wanted = [tuple(source) for source, _ in numbers(test, count)]

    def near(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
        return len(one) == len(other) and sum(a != b for a, b in zip(one, other, strict=True)) == 1

    inside = sum(len(sentence) in corpus.SPLITS[test] for sentence in met)
    return inside, statistics.mean(any(near(w, m) for m in met) for w in wanted)


def test_coverage_is_what_a_comparison_of_all_with_all_finds(drawn):
    tests = {"length 5-8": 40, "length 9-12": 10}
    rows = streams.coverage(drawn, (60, 300), tests)
    assert [(row["updates"], row["test"]) for row in rows] == [
        (stop, test) for stop in (60, 300) for test in tests
    ]
    for row in rows:
        inside, near = coverage_by_hand(drawn, row["updates"], row["test"], tests[row["test"]])
        assert row["sentences"] == inside
        assert float(row["one_word_away"]) == pytest.approx(near, abs=5e-5)
        assert (row["repeated"], float(row["drawn"])) == (0, 0)
    assert max(float(row["one_word_away"]) for row in rows) > 0


def test_coverage_sees_what_is_drawn_and_repeated(drawn, monkeypatch):
    """A stream that says the same test sentence and nothing else."""
    sentence = tuple(numbers("length 5-8", 3)[0][0])
    monkeypatch.setattr(drawn, "sentences", lambda start, stop: iter([sentence] * (stop - start)))
    (row,) = streams.coverage(drawn, (4,), {"length 5-8": 4})
    assert (row["sentences"], row["repeated"], row["drawn"]) == (4, 3, "0.2500")


def test_losses_are_averaged_by_length(drawn):
    lengths = [streams.length_of(drawn[step]) for step in range(len(drawn))]
    log = [LogEntry(n + 1, float(length), 10 * n, n) for n, length in enumerate(lengths)]
    rows = streams.log_rows(log[:102], drawn, stream.TESTS)
    assert [row["updates"] for row in rows] == [100, 102]
    # Weighted as they are met: 1, 3, 5 and 7 batches of 5 to 8 words, 7 of each other length.
    assert float(rows[0]["loss, length 5-8"]) == pytest.approx(114 / 16)
    assert float(rows[0]["loss, length 17-20"]) == 18.5
    assert "" in rows[1].values()  # two batches are of two lengths at most


# ---------------------------------------------------------------------------------- the arms


def test_arms_have_the_same_encoder_and_decoder():
    models = {name: new_translator(stream.config_of(name, 0.0), 0) for name in stream.MODELS}
    for part in ("source_embedding", "readers", "target_embedding", "to_logits"):
        first, *others = (
            [(name, p.shape) for name, p in getattr(model, part).named_parameters()]
            for model in models.values()
        )
        assert all(other == first for other in others)
    assert {model.decoder.hidden_size for model in models.values()} == {128}
    for name, model in models.items():
        fixed = name != "additive"
        assert (model.config.score is None) == fixed
        context = model.decoder.input_size - model.config.d_embedding
        assert name == (f"width {context}" if fixed else "additive")


def test_arms_differ_in_the_width_alone_and_in_parameters_as_is_said():
    for name, config in stream.MODELS.items():
        if name != "additive":
            same = replace(config, d_context=192)
            assert same == stream.MODELS["width 192"]
            assert parameters_of(config) == 227_340 + 769 * config.d_context
    wide, attention = (parameters_of(stream.MODELS[name]) for name in ("width 192", "additive"))
    assert wide - attention == 16_448


def test_the_search_is_the_same_for_all_arms():
    for model in stream.MODELS:
        tried = [trial for of, trial in stream.TRIAL_ARMS.values() if of == model]
        assert tried == list(stream.TRIALS)
    assert len(stream.TRIAL_ARMS) == len(stream.MODELS) * len(set(stream.TRIALS))
    assert stream.TRIAL_SEED not in stream.SEEDS
    assert not set(stream.TRIAL_TESTS) & set(stream.TESTS)
    assert stream.stream_of(0, True, True) is stream.stream_of(0, True, True)  # for all arms
    assert all(stop % streams.BATCHES == 0 for stop in stream.STOPS + stream.TRIAL_STOPS)


def test_the_best_trial_is_chosen_when_all_are_there():
    rows = [
        {"arm": f"additive: {trial}", "token_accuracy": accuracy}
        for trial, accuracy in zip(stream.TRIALS, "0.5 0.7 0.9 0.8 0.6 0.4".split(), strict=True)
    ]
    rows += [{"arm": f"width 24: {stream.TRIALS[0]}", "token_accuracy": "0.99"}]
    assert stream.best_trial("additive", rows) == stream.TRIALS[2]
    for lacking in (rows[1:], []):
        with pytest.raises(SystemExit, match="lacks trials of additive"):
            stream.best_trial("additive", lacking)


def test_slopes_are_of_the_last_third():
    def row(seed: int, stop: int, value: float) -> Row:
        about = {"arm": "width 24", "test": "length 5-8", "seed": str(seed), "updates": str(stop)}
        return about | {"exact_match": str(value)}

    rows = [row(0, stop, 0.2 + stop / 1e5) for stop in (8000, 9000, 10_000, 11_000, 12_000)]
    rows += [row(0, 1000, 0.9), row(0, 7900, 0.9)]  # earlier
    rows += [row(2, stop, 0.5) for stop in (8000, 9000, 10_000, 11_000, 12_000)]
    assert stream.slopes("width 24", "length 5-8", rows) == pytest.approx([0.01, 0])


def test_a_quick_run_writes_all_logs(tmp_path):
    """Of two arms, and of all that another needs."""
    arms = ["coverage", "width 24", "additive", f"additive: {stream.TRIALS[1]}"]
    stream.main([*arms, "--quick", "--jobs", "1", "--output", str(tmp_path)])
    rows = read_rows(tmp_path / "stream.csv")
    assert list(dict.fromkeys((row["arm"], row["seed"]) for row in rows)) == [
        (arms[3], "100"),
        (arms[1], "0"),
        (arms[2], "0"),
    ]
    assert {row["dropout"] for row in rows[:2]} == {"0.1"}
    losses = read_rows(tmp_path / "stream_log.csv")
    assert [row["arm"] for row in losses] == [arms[3], arms[1], arms[2]]
    assert {f"loss, {test}" for test in stream.TESTS} < losses[0].keys()
    covered = read_rows(tmp_path / "stream_coverage.csv")
    assert [row["test"] for row in covered] == 2 * list(stream.TESTS)
    assert (tmp_path / "stream.head.json").exists()


# ----------------------------------------------------------------------------------- the logs


def rows_of(path: Path) -> list[Row]:
    if not path.exists():
        pytest.skip(f"{path.name}: the script has yet to be run")
    return read_rows(path)


def runs() -> list[tuple[str, int, bool]]:
    every = common.Asked(seeds=stream.SEEDS)
    return [
        (arm, seed, arm in stream.TRIAL_ARMS)
        for arm in stream.ARMS
        if arm != "coverage"
        for seed in stream.seeds_of(arm, every)
    ]


def test_log_of_the_stream_is_complete():
    rows = rows_of(stream.OUTPUT)
    assert [(row["arm"], row["seed"], row["updates"], row["test"]) for row in rows] == [
        (arm, str(seed), str(stop), test)
        for arm, seed, tried in runs()
        for stop in stream.stops_of(tried, False)
        for test in stream.tests_of(tried, False)
    ]
    assert {row["seed"] for row in rows if row["arm"] in stream.MODELS} == {"0", "1", "2"}


def test_log_of_the_stream_has_the_best_trials():
    rows = rows_of(stream.OUTPUT)
    for row in rows:
        tried = stream.TRIAL_ARMS.get(row["arm"])
        model, trial = tried or (row["arm"], stream.best_trial(row["arm"], rows))
        assert (float(row["rate"]), float(row["dropout"])) == trial
        assert int(row["parameters"]) == parameters_of(stream.MODELS[model])


def test_numbers_in_the_log_of_the_stream():
    rows = rows_of(stream.OUTPUT)
    for row in rows:
        tests = stream.tests_of(row["arm"] in stream.TRIAL_ARMS, False)
        assert 0 <= float(row["exact_match"]) <= float(row["token_accuracy"]) <= 1
        count = float(row["exact_match"]) * tests[row["test"]]
        assert count == pytest.approx(round(count), abs=5e-5 * tests[row["test"]])
    for before, after in pairwise(rows):
        if (before["arm"], before["seed"]) == (after["arm"], after["seed"]):
            assert float(before["cpu_seconds"]) <= float(after["cpu_seconds"])


def test_log_of_the_losses_of_the_stream_is_complete():
    rows = rows_of(stream.LOG)
    assert [(row["arm"], row["seed"], row["updates"]) for row in rows] == [
        (arm, str(seed), str(step))
        for arm, seed, tried in runs()
        for step in range(streams.BATCHES, stream.stops_of(tried, False)[-1] + 1, streams.BATCHES)
    ]
    # All arms are trained on the same stream, seed by seed.
    tokens = {}
    for row in rows:
        assert all(float(row[f"loss, {test}"]) > 0 for test in stream.TESTS)
        assert tokens.setdefault((row["seed"], row["updates"]), row["tokens"]) == row["tokens"]


def test_log_of_the_coverage_is_complete():
    rows = rows_of(stream.COVERAGE)
    assert [(row["seed"], row["updates"], row["test"]) for row in rows] == [
        (str(seed), str(stop), test)
        for seed in stream.SEEDS
        for stop in stream.STOPS
        for test in stream.TESTS
    ]
    for row in rows:
        assert row["repeated"] == "0"
        assert float(row["drawn"]) == 0  # tests and training have different homes
        assert 0 <= float(row["one_word_away"]) <= 1
    sentences = [int(row["sentences"]) for row in rows if row["updates"] == str(stream.STOPS[-1])]
    assert sum(sentences) == len(stream.SEEDS) * stream.STOPS[-1] * stream.BATCH
