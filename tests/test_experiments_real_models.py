"""The log of the real models is what its script writes, and says what the chapter reads off."""

import importlib
from pathlib import Path
from types import ModuleType

import pytest
import torch

from attention.pretrained import files

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"


def script() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXPERIMENTS)
        return importlib.import_module("real_models")


real_models = script()
first_token = importlib.import_module("shared.first_token")
ROWS = importlib.import_module("shared.logs").read_rows(real_models.OUTPUT)
# Times are of a machine, and what is written greedily can turn at a near tie.
NOT_COMPARED = {"cache", "says", "talk"}


def found(model: str, measure: str) -> dict[str, str]:
    return {r["place"]: r["value"] for r in ROWS if (r["model"], r["measure"]) == (model, measure)}


def test_the_log_is_complete():
    assert [*dict.fromkeys(row["model"] for row in ROWS)] == [*real_models.MODELS]
    for model, layers in (("minilm", 6), ("smollm2", 30)):
        for measure in ("value", "stream", "added"):
            assert [*found(model, measure)] == [*map(str, range(layers))]
        assert {"all", "even", "second", "itself", "before", "last"} <= {*found(model, "sink")}
    drawn = [f"drawn {number}" for number in range(real_models.DRAWN)]
    assert [*found("smollm2", "first")] == [*real_models.FIRST, *drawn]
    cut = [(p, t) for p in (0, *first_token.OTHERS, "all") for t in range(len(real_models.TEXTS))]
    assert [*found("smollm2", "cut")] == ["nothing", *(f"{p} {t}" for p, t in cut)]
    assert [*found("smollm2", "talk")] == [*real_models.TALK]
    assert [*found("smollm2", "pairs")] == [*real_models.PAIRS]
    assert [*found("marian", "translation")] == [*real_models.SENTENCES]


@pytest.mark.parametrize("model", ["minilm", "smollm2"])
def test_weights_of_each_query_sum_to_1(model):
    sums: dict[str, float] = {}
    for place, value in found(model, "market").items():
        query = place.split()[0]
        sums[query] = sums.get(query, 0) + float(value)
    assert list(sums.values()) == pytest.approx([1] * len(sums), abs=1e-3)


def test_the_first_vector_over_the_median_of_the_others():
    vectors = torch.tensor([[6.0, 8], [0, 1], [0, 5], [3, 4]])  # lengths 10, 1, 5, 5
    assert first_token.over_others(vectors) == 2
    assert first_token.over_others(vectors[:, None].expand(-1, 3, -1)) == 2


def test_what_the_first_key_adds():
    weights = torch.full((2, 5, 4), 0.25)  # two heads share the values
    value = torch.tensor([[3.0, 4], [0, 5], [0, 10], [0, 0]])[:, None]  # lengths 5, 5, 10, 0
    assert first_token.share_of_first(weights, value) == pytest.approx(0.25)


def test_which_edges_are_cut():
    text = [5, 6, 7, 8]
    assert first_token.edges(text, 1, 2).nonzero().tolist() == [[2, 1], [3, 1]]
    assert first_token.edges(text, "all", 1).nonzero().tolist() == [[1, 0], [2, 0], [3, 0]]


@pytest.mark.arithmetic
@pytest.mark.parametrize("model", ["minilm", "marian"])
def test_the_script_measures_what_the_log_says(model):
    if not files.is_here(model):
        pytest.skip(f"{model}: `make models` has not been run")
    rows = [row for row in real_models.measure(model) if row["measure"] not in NOT_COMPARED]
    logged = [row for row in ROWS if row["model"] == model and row["measure"] not in NOT_COMPARED]
    assert [(r["measure"], str(r["place"])) for r in rows] == [
        (r["measure"], r["place"]) for r in logged
    ]
    for row, old in zip(rows, logged, strict=True):
        if row["measure"] in ("market", "sink", "value", "stream", "added"):
            expected = pytest.approx(float(old["value"]), rel=1e-3, abs=1e-4)
            assert float(row["value"]) == expected, row
        else:
            assert str(row["value"]) == old["value"], row
