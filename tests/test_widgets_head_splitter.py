"""The head splitter's data, table and text, without a browser."""

import importlib.util
import json
import re
from html import unescape

import numpy as np
import pytest

from attention import by_hand
from attention.widgets import HeadSplitter
from attention.widgets._base import SCRIPTS

LENGTH, D_MODEL, HEADS = 5, 8, 2
rng = np.random.default_rng(4)
QUERY, KEY, VALUE = rng.normal(size=(3, LENGTH, D_MODEL))
W_O = rng.normal(size=(D_MODEL, D_MODEL))
GIVEN = {"query": QUERY, "key": KEY, "value": VALUE, "W_O": W_O, "heads": HEADS}


def splitter(**changed: object) -> HeadSplitter:
    return HeadSplitter(**{**GIVEN, **changed})


def rows(figure: HeadSplitter) -> dict[str, list[str]]:
    return {stage: rest for stage, *rest in figure.table()[2]}


def numbers(text: str) -> list[float]:
    return [float(number.replace("−", "-")) for number in text.split()]


def test_data_are_what_was_given() -> None:
    mask = by_hand.causal_mask(LENGTH)
    data = splitter(mask=mask, tokens=list("abcde"), start=(1, 3)).data()
    np.testing.assert_array_equal(np.array(data["value"]), VALUE)
    np.testing.assert_array_equal(np.array(data["mask"]), mask)
    assert data["tokens"] == list("abcde")
    assert (data["heads"], data["start"]) == (2, (1, 3))


def test_data_can_be_stored() -> None:
    stored = re.search('data-figure="(.*?)"', splitter()._repr_html_()).group(1)
    data = json.loads(unescape(stored))
    np.testing.assert_allclose(np.array(data["query"]), QUERY, atol=1e-8)
    assert data["mask"] is data["tokens"] is None


def test_the_stages_are_those_of_multi_head_attention() -> None:
    figure = splitter()
    eye = np.eye(D_MODEL)
    # Only the values go through memory unchanged, so compare head by head.
    for head in range(HEADS):
        own = slice(4 * head, 4 * head + 4)
        output, weights = by_hand.scaled_dot_product_attention(
            QUERY[:, own], KEY[:, own], VALUE[:, own]
        )
        np.testing.assert_allclose(figure.outputs[head], output)
        np.testing.assert_allclose(figure.weights[head], weights)
        np.testing.assert_allclose(figure.merged[:, own], output)
    x = splitter(query=VALUE, key=VALUE)
    expected, _ = by_hand.multi_head_attention(VALUE, VALUE, eye, eye, eye, W_O, HEADS)
    np.testing.assert_allclose(x.output, expected)


def test_the_table_follows_a_number() -> None:
    figure = splitter(start=(2, 5))
    path = rows(figure)
    assert path["values"][:2] == ["(5, 8)", "[2, 5]"]
    assert path["split"] == ["(2, 5, 4)", "[1, 2, 1]", path["values"][2]]
    assert path["weights"][:2] == ["(2, 5, 5)", "[1, :, 2]"]
    assert path["merged"][1] == "[:, 5]"
    assert path["W_O"][1] == "[5, :]"
    for stage, expected in {
        "values": VALUE[2, 5],
        "weights": figure.weights[1, :, 2],
        "outputs": figure.outputs[1, :, 1],
        "merged": figure.merged[:, 5],
        "W_O": W_O[5],
    }.items():
        np.testing.assert_allclose(numbers(path[stage][2]), np.atleast_1d(expected), atol=0.0051)


def test_the_share_is_what_is_missing_without_the_number() -> None:
    figure = splitter(start=(2, 5))
    without = VALUE.copy()
    without[2, 5] = 0
    missing = figure.output - splitter(value=without).output  # (length, d_model)
    _, place, text = rows(figure)["share"]
    position = int(re.fullmatch(r"\[(\d), :\]", place).group(1))
    assert position == figure.weights[1, :, 2].argmax()
    np.testing.assert_allclose(numbers(text), missing[position], atol=0.0051)


def test_text_is_narrow_and_writes_zero_without_a_minus() -> None:
    text = repr(splitter(value=np.where(VALUE < 0, -1e-9, VALUE)))
    assert max(map(len, text.splitlines())) <= 79
    assert "−0.00" not in text


@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_any_divisor_will_do(heads: int) -> None:
    assert rows(splitter(heads=heads))["split"][0] == f"({heads}, 5, {8 // heads})"


def test_a_position_that_is_hidden_from_all_is_no_problem() -> None:
    mask = np.zeros((LENGTH, LENGTH), dtype=bool)
    assert numbers(rows(splitter(mask=mask))["weights"][2]) == [0] * LENGTH


@pytest.fixture(scope="module")
def plain_head_splitter() -> type:
    """Return the class as a reader meets it, without enforced shapes."""
    file = SCRIPTS / "head_splitter.py"
    spec = importlib.util.spec_from_file_location("unchecked_head_splitter", file)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy.HeadSplitter


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"query": QUERY.tolist()}, "query: expected a floating-point array with two axes"),
        ({"query": QUERY[0]}, "query: expected .* got 'float64 of shape \\(8,\\)'"),
        ({"query": np.zeros((9, 8))}, "query: expected a length and a d_model of 1 to 8"),
        ({"query": np.zeros((0, 8))}, "query: expected a length and a d_model of 1 to 8"),
        ({"key": KEY[:4]}, r"key: expected the shape \(5, 8\), got \(4, 8\)"),
        ({"value": VALUE.astype(int)}, "value: expected a floating-point array"),
        ({"value": np.full_like(VALUE, np.nan)}, "value: expected finite numbers"),
        ({"W_O": W_O[:, :4]}, r"W_O: expected the shape \(8, 8\), got \(8, 4\)"),
        ({"heads": 3}, "heads: expected a divisor of the width 8, got 3"),
        ({"heads": 0}, "heads: expected a positive integer, got 0"),
        ({"tokens": ["a"]}, "tokens: expected 5 of them, got 1"),
        ({"mask": np.ones(5, bool)}, r"mask: expected the shape \(5, 5\), got \(5,\)"),
        ({"mask": np.ones((5, 5))}, "mask: expected a boolean array"),
        ({"start": (5, 0)}, r"start: expected a place in an array of shape \(5, 8\)"),
        ({"start": (0, -1)}, "start: expected a place"),
        ({"start": (1,)}, "start: expected a place"),
    ],
)
def test_bad_input_is_refused(plain_head_splitter: type, changed: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plain_head_splitter(**{**GIVEN, **changed})
