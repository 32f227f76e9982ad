"""The ladder of evidence: its log is what its script measures, and its controls are controls."""

import csv
import importlib
import math
from pathlib import Path
from types import ModuleType

import pytest
import torch

from attention.interventions import record_weights
from attention.training import evaluating, pad
from attention.transformer import load

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"
COMMITTED = EXPERIMENTS.parent / "weights" / "translator-transformer.safetensors"
Row = dict[str, str]
Label = tuple[str, str, str]

pytestmark = pytest.mark.usefixtures("types_not_checked")


def script(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXPERIMENTS)
        return importlib.import_module(name)


def rows_of(name: str) -> list[Row]:
    with (EXPERIMENTS / name).open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def evidence() -> ModuleType:
    return script("evidence")


@pytest.fixture(scope="module")
def cuts() -> ModuleType:
    return script("shared.pronoun_evidence")


@pytest.fixture(scope="module")
def causes() -> ModuleType:
    return script("shared.pronoun_causes")


@pytest.fixture(scope="module")
def translator() -> torch.nn.Module:
    return load(COMMITTED)


@pytest.fixture(scope="module")
def few(evidence) -> list:
    """Some mirrored pairs; the first of those of the log."""
    return evidence.mirrored(12)


@pytest.fixture(scope="module")
def logged() -> dict[tuple[str, str], dict[Label, Row]]:
    rows: dict[tuple[str, str], dict[Label, Row]] = {}
    for row in rows_of("evidence.csv"):
        of_model = rows.setdefault((row["model"], row["seed"]), {})
        label = row["measure"], row["where"], row["split"]
        assert label not in of_model
        of_model[label] = row
    return rows


@pytest.fixture(scope="module")
def values(logged) -> dict[tuple[str, str], dict[Label, float]]:
    return {
        model: {label: float(row["value"]) for label, row in rows.items()}
        for model, rows in logged.items()
    }


# ------------------------------------------------------------------------ what it wrote


def test_log_of_the_evidence_is_complete(evidence, logged):
    """All labels of each model; the committed one is there, others may have yet to be run."""
    asked = [(arm, str(seed)) for arm, seed in evidence.MODELS]
    assert list(logged) == [model for model in asked if model in logged]
    assert ("final", "0") in logged
    by_depth: dict[int, set[Label]] = {}
    for (arm, _), rows in logged.items():
        depth = 4 if arm == "four layers" else 2
        heads = {where for measure, where, _ in rows if measure == "looks"}
        assert len(heads) == 4 * (depth + 2)
        assert by_depth.setdefault(depth, set(rows)) == set(rows)


def test_values_of_the_evidence_are_possible(evidence, logged):
    for rows in logged.values():
        for (measure, where, _), row in rows.items():
            value, count = float(row["value"]), int(row["count"])
            assert math.isfinite(value)
            assert 0 <= value <= (1 if measure != "weight cut" else 16)
            half = measure == "follows"
            expected = evidence.MIRRORED * (0.5 if half else 2)
            if measure == "cause":
                right = rows["knock-out", "nothing", "two"]
                assert count == round(float(right["value"]) * int(right["count"]))
            else:
                assert count == expected, where


def test_the_two_scripts_of_the_pronouns_agree(values):
    """Where both have taken the same weights apart: the committed ones."""
    other = {
        (row["measure"], row["where"], row["split"]): float(row["value"])
        for row in rows_of("pronouns.csv")
        if (row["model"], row["seed"]) == ("final", "0")
    }
    found = values["final", "0"]
    for ours, theirs in (
        ("nothing", "nothing"),
        ("noun meant", "encoder it>antecedent"),
        ("other noun", "encoder it>rival"),
        ("adjective", "encoder it>adjective"),
    ):
        assert found["knock-out", ours, "two"] == other["cut", theirs, "two"]


def test_random_words_weigh_as_much_as_the_noun(cuts, values):
    for found in values.values():
        noun = found["weight cut", "noun meant", "two"]
        for draw in range(cuts.RANDOM_CUTS):
            assert found["weight cut", f"random {draw}", "two"] > 0.9 * noun
        assert found["weight cut", "nothing", "two"] == 0


# ---------------------------------------------------------------------- what it measures


def test_edges_from_it_are_in_its_row_alone(cuts, few):
    (batch, *_) = cuts.in_batches(few)
    edges = cuts.edges_from_it(batch, cuts.all_but(cuts.kept_with_it))
    for row, one in zip(edges, batch.sentences, strict=True):
        (it,) = one.english["it"]
        cut = {key for query, key in row.nonzero().tolist() if query == it}
        assert row.sum() == len(cut)
        length = len(one.pair.english) + 1
        assert cut | set(cuts.kept_with_it(one)) == set(range(length))
        assert not cut & set(cuts.kept_with_it(one))


@pytest.mark.arithmetic
def test_random_words_are_none_that_matter(cuts, few, translator):
    (batch, *_) = cuts.in_batches(few)
    with evaluating(translator):
        weights = cuts.weights_of_it(translator, batch)
    for weight, one in zip(weights, batch.sentences, strict=True):
        draws = [cuts.equal_weight(weight, one, draw) for draw in range(5)]
        for drawn in draws:
            assert not set(drawn) & set(cuts.kept_with_it(one))
            goal = weight[one.english["antecedent"]].sum()
            assert weight[drawn].sum() >= goal or set(drawn) == set(cuts.others(one))
            if weight[drawn].sum() >= goal and len(drawn) > 1:
                assert weight[drawn[:-1]].sum() < goal
        assert draws == [cuts.equal_weight(weight, one, draw) for draw in range(5)]
    kept = cuts.as_many_others(0)
    assert all(len(kept(one)) <= len(cuts.kept_with_it(one)) for one in batch.sentences)


@pytest.mark.arithmetic
def test_weights_of_it_are_those_of_its_row(cuts, few, translator):
    (batch, *_) = cuts.in_batches(few)
    with evaluating(translator):
        found = cuts.weights_of_it(translator, batch)
        one = cuts.make_batch(batch.sentences[:1])
        with record_weights(translator) as weights:
            translator(one.source, one.target)
    (it,) = batch.sentences[0].english["it"]
    expected = sum(weights["encoder", layer][0, :, it].sum(0) for layer in range(2))
    torch.testing.assert_close(found[0, : one.source.shape[1]], expected, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(found.sum(1), torch.full((len(found),), 8.0))


@pytest.mark.arithmetic
def test_some_rows_of_the_committed_model_can_be_made_again(evidence, cuts, translator, values):
    """Of 500 sentences; float32 differs between processors, and then a sentence or two do."""
    groups = list(cuts.in_batches(evidence.mirrored(evidence.MIRRORED)))
    with evaluating(translator):
        weights = [cuts.weights_of_it(translator, batch) for batch in groups]
        for name, words in (("noun meant", cuts.named("antecedent")), ("both nouns", cuts.nouns)):
            rows = cuts.Rows("final", "0", [])
            edges = [cuts.edges_from_it(batch, words) for batch in groups]
            cuts.note_cut(translator, groups, weights, edges, name, rows)
            for row in rows.rows:
                label = row["measure"], row["where"], row["split"]
                expected = values["final", "0"][label]
                assert float(row["value"]) == pytest.approx(expected, abs=6e-3)


@pytest.mark.slow
@pytest.mark.arithmetic
def test_all_rows_of_the_committed_model_can_be_made_again(evidence, values):
    again = evidence.measure("final", 0)
    found = values["final", "0"]
    assert len(again) == len(found)
    for row in again:
        label = row["measure"], row["where"], row["split"]
        assert float(row["value"]) == pytest.approx(found[label], rel=5e-3, abs=8e-3), label


def test_causes_are_judged_by_the_grammar(causes, few):
    one = few[0].sentence
    words = len(one.pair.english)
    scored = torch.zeros(words + 1)
    scored[words] = scored[one.english["it"]] = 9.0  # not asked about
    scored[one.english["antecedent"]], scored[one.english["adjective"]] = 2.0, 1.0
    assert all(causes.judged(scored, one).values())
    scored[one.english["rival"]] = 3.0
    judged = causes.judged(scored, one)
    assert not judged["first"]
    assert not judged["first two"]
    assert not judged["antecedent over rival"]


def test_a_random_word_is_as_good_as_counted(causes, few):
    one = few[0].sentence
    words = len(one.pair.english)
    draw = torch.Generator().manual_seed(0)
    found = [causes.judged(torch.rand(words + 1, generator=draw), one) for _ in range(4000)]
    for name, share in causes.random_word(words - 1).items():
        measured = sum(judged[name] for judged in found) / len(found)
        assert measured == pytest.approx(share, abs=0.025), name


@pytest.mark.arithmetic
def test_methods_give_a_number_to_each_word(causes, few, translator):
    with evaluating(translator):
        for both in few[:2]:
            one = both.sentence
            for name, method in causes.METHODS.items():
                scored = method(translator, one)
                assert scored.shape == (len(one.pair.english) + 1,), name
                assert (scored >= 0).all(), name


@pytest.mark.arithmetic
def test_a_word_left_out_is_out(causes, few, translator):
    one = few[0].sentence
    english, vocabulary = one.pair.english, causes.ENGLISH
    with evaluating(translator):
        found = causes.by_leaving_out(translator, one)
        whole = causes.scores(translator, one, pad([vocabulary.encode(english)]))
        for place in (0, one.english["adjective"][0]):
            rest = english[:place] + english[place + 1 :]
            without = causes.scores(translator, one, pad([vocabulary.encode(rest)]))
            expected = (whole - without).abs().item()
            assert found[place].item() == pytest.approx(expected, abs=1e-3)
