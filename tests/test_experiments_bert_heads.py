"""The log of the 72 heads is what its script writes, and whole."""

import importlib
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from attention.pretrained import files

EXPERIMENTS = Path(__file__).resolve().parent.parent / "experiments"


def script() -> ModuleType:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXPERIMENTS)
        return importlib.import_module("bert_heads")


bert_heads = script()
ROWS = importlib.import_module("shared.logs").read_rows(bert_heads.OUTPUT)
MAPS = json.loads(bert_heads.MAPS.read_text(encoding="utf-8"))


def test_the_log_is_complete():
    pairs = [f"{bits} bits, {name}" for name in ("shown", "texts") for bits in (32, 8, 4)]
    measures = ("largest", "mean", "same key")
    expected = [("file", name) for name in ("bytes", "sha256", "numbers")]
    expected += [(measure, pair) for pair in pairs for measure in measures]
    assert [(row["measure"], row["place"]) for row in ROWS] == expected
    assert [one["text"] for one in MAPS] == [*bert_heads.SHOWN]


def test_weights_of_each_query_sum_to_1():
    for one in MAPS:
        count = len(one["pieces"])
        weights = np.array(one["weights"])
        assert weights.shape == (6, 12, count, count)
        assert np.abs(weights.sum(-1) - bert_heads.STORED).max() <= count / 2
        assert (one["pieces"][0], one["pieces"][-1]) == ("[CLS]", "[SEP]")


@pytest.mark.arithmetic
def test_the_script_measures_what_the_log_says():
    if not files.is_here("minilm"):
        pytest.skip("minilm: `make models` has not been run")
    found = bert_heads.measure("minilm")
    assert [(row["measure"], row["place"]) for row in found["rows"]] == [
        (row["measure"], row["place"]) for row in ROWS
    ]
    for row, old in zip(found["rows"], ROWS, strict=True):
        if row["measure"] == "file":
            assert str(row["value"]) == old["value"]
        elif row["place"].startswith("32"):  # rounding alone
            assert float(row["value"]) == 1 or float(row["value"]) < 1e-5
        else:
            assert float(row["value"]) == pytest.approx(float(old["value"]), rel=2e-2), row
    for one, stored in zip(found["maps"], MAPS, strict=True):
        assert one["pieces"] == stored["pieces"]
        assert np.abs(np.subtract(one["weights"], stored["weights"])).max() <= 1
