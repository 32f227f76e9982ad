"""The attention explorer on the side of Python: what it stores, prints and refuses."""

import importlib.util
import json
import re
from html import unescape

import numpy as np
import pytest

from attention import by_hand
from attention.widgets import AttentionExplorer
from attention.widgets._base import SCRIPTS

WORDS = ["She", "went", "to", "the", "market"]
ROW = [0.25, 0.0, 0.125, 0.125, 0.5]
WEIGHTS = np.array([ROW, ROW[::-1], [1.0, 0, 0, 0, 0], [0.0] * 5, [0.2] * 5])
TEXT = "\nTo be, or not to be, that is the questi"


def random_weights(maps: int, queries: int, keys: int) -> np.ndarray:
    """Draw causal weights, as a model has them."""
    scores = np.random.default_rng(0).normal(size=(maps, queries, keys))
    return by_hand.softmax(np.where(np.tri(queries, keys, dtype=bool), scores, -np.inf))


@pytest.fixture(scope="session")
def plain():
    """Load the class as a reader meets it: its own checks answer, not those of the types."""
    path = SCRIPTS / "attention_explorer.py"
    spec = importlib.util.spec_from_file_location("unchecked_attention_explorer", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.AttentionExplorer


# ----------------------------------------------------------------------- data


def stored(figure: AttentionExplorer) -> dict:
    """Read the data back from the attribute, as the page does."""
    return json.loads(unescape(re.search(r'data-figure="([^"]*)"', figure._repr_html_())[1]))


def test_one_map():
    data = stored(AttentionExplorer(WEIGHTS, WORDS, start="went"))
    assert data == {
        "caption": "Attention weights: rows are queries, columns are keys",
        "maps": [{"name": "map 1", "weights": WEIGHTS.tolist()}],
        "queries": {"shown": WORDS, "called": WORDS},
        "start": 1,
        "map": 0,
    }


def test_queries_and_keys_of_two_sentences():
    data = AttentionExplorer(WEIGHTS[:2], ["Elle", "alla"], WORDS).data()
    assert data["queries"]["shown"] == ["Elle", "alla"]
    assert data["keys"]["shown"] == WORDS
    assert data["start"] is None


def test_maps_are_named():
    weights, names = random_weights(3, 5, 5), ["head 1", "head 2", "head 3"]
    data = AttentionExplorer(weights, WORDS, names=names, start=4, start_map="head 3").data()
    assert [one["name"] for one in data["maps"]] == names
    assert (data["map"], data["start"]) == (2, 4)
    assert AttentionExplorer(weights, WORDS).names == ["map 1", "map 2", "map 3"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stored_weights_agree_with_the_given_ones(dtype):
    weights = random_weights(2, 40, 40).astype(dtype)
    figure = stored(AttentionExplorer(weights, TEXT))
    kept = np.array([one["weights"] for one in figure["maps"]])
    np.testing.assert_allclose(kept, weights, rtol=0, atol=1e-7)


def test_tiny_is_not_zero():
    kept = stored(AttentionExplorer(np.array([[1 - 1e-12, 1e-12, 0.0]]), ["a"], ["a", "b", "c"]))
    assert kept["maps"][0]["weights"] == [[1.0, 1e-7, 0.0]]


def test_a_page_stays_small():
    figure = AttentionExplorer(random_weights(8, 40, 40), TEXT)
    assert len(figure._repr_html_()) < 100_000


def test_blanks_are_shown_and_called():
    tokens = ["a", " ", "\n", "\t", " the", "New York", "", ","]
    figure = AttentionExplorer(np.eye(8), tokens).data()["queries"]
    assert figure["shown"] == ["a", "␣", "⏎", "⇥", "␣the", "New York", "", ","]
    called = ["a", "blank", "line break", "tab", "␣the", "New York", "empty", "“,”"]
    assert figure["called"] == called


def test_tokens_that_occur_again_are_called_by_position():
    figure = AttentionExplorer(np.eye(4), "ab a").data()["queries"]
    assert figure == {"shown": ["a", "b", "␣", "a"], "called": ["a (1)", "b", "blank", "a (4)"]}


def test_tokens_are_escaped():
    figure = AttentionExplorer(np.eye(2), ["<pad>", '"&'], caption="<b>")
    html = figure._repr_html_()
    assert "<pad>" not in html
    assert "<b>" not in html
    assert stored(figure)["queries"]["shown"] == ["<pad>", '"&']


# ------------------------------------------------------------- text and table


def test_text_of_a_small_matrix():
    assert repr(AttentionExplorer(WEIGHTS, WORDS)).splitlines() == [
        "Attention weights: rows are queries, columns are keys",
        "query   She    went   to     the    market",
        "She     0.250  0      0.125  0.125  0.500",
        "went    0.500  0.125  0.125  0      0.250",
        "to      1.000  0      0      0      0",
        "the     0      0      0      0      0",
        "market  0.200  0.200  0.200  0.200  0.200",
    ]


def test_two_decimals_where_three_are_too_wide():
    keys = "abcdefghijkl"
    lines = repr(AttentionExplorer(np.full((1, 12), 1 / 12), ["query"], keys)).splitlines()
    assert lines[-1] == "query" + "  0.08" * 12


def test_text_of_a_large_matrix():
    figure = AttentionExplorer(random_weights(2, 40, 40), TEXT, start_map=1)
    caption, header, rows = figure.table()
    assert caption == (
        "Attention weights: rows are queries, columns are keys (map 2; 2 maps in all): "
        "the largest of each query"
    )
    assert header == ["query", "largest", "second", "third"]
    assert len(rows) == 40
    assert rows[0] == ["line break", "line break 1.00", "-", "-"]
    best = figure.weights[1, 20].argmax()
    assert rows[20][0] == "“,” (21)"
    assert rows[20][1].endswith(f" {figure.weights[1, 20, best]:.2f}")


@pytest.mark.parametrize("length", [1, 5, 30, 100])
@pytest.mark.parametrize("keys", [1, 2, 12, 13, 40])
def test_lines_fit(length, keys):
    queries = [f"{i}{'q' * length}" for i in range(3)]
    figure = AttentionExplorer(
        np.full((3, keys), 1 / keys),
        queries,
        [f"{j}{'k' * length}" for j in range(keys)],
        caption="Weights of a model with a caption that takes more than a line of a terminal",
    )
    assert max(map(len, repr(figure).splitlines())) <= 79
    assert repr(figure) == repr(figure)


# ---------------------------------------------------------------- bad input


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([[1.0]], "weights: expected a floating-point NumPy array, got 'list'"),
        (np.eye(5, dtype=int), "weights: expected a floating-point NumPy array, got 'int64'"),
        (np.ones(5), "weights: expected the shape (queries, keys) or (maps, queries, keys)"),
        (np.ones((0, 5)), "nothing empty, got (0, 5)"),
        (np.full((5, 5), np.nan), "weights: expected finite numbers"),
        (np.eye(5) - 0.5, "weights: expected numbers from 0 to 1, got (-0.5, 0.5)"),
        (2 * np.eye(5), "weights: expected numbers from 0 to 1, got (0.0, 2.0)"),
        (np.eye(5) * [[1], [1], [0.5], [0], [1]], "weights[2]: expected a row that sums to 1"),
        (np.stack([np.eye(5), np.full((5, 5), 0.3)]), "weights[1, 0]: expected a row that sums"),
    ],
)
def test_what_are_no_weights(plain, weights, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plain(weights, WORDS)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"queries": WORDS[:4]}, "queries: expected 5 labels, got 4"),
        ({"keys": [*WORDS, "."]}, "keys: expected 5 labels, got 6"),
        ({"keys": [1, 2, 3, 4, 5]}, "keys: expected strings, got [1, 2, 3, 4, 5]"),
        ({"names": []}, "names: expected 1 labels, got 0"),
        ({"start": 5}, "start: expected a position from 0 to 4, got 5"),
        ({"start": -1}, "start: expected a position from 0 to 4, got -1"),
        ({"start": True}, "start: expected a position from 0 to 4, got True"),
        ({"start": "goes"}, "start: expected a label that occurs once among"),
        ({"start_map": 1}, "start_map: expected a position from 0 to 0, got 1"),
        ({"start_map": "head 1"}, "start_map: expected a label that occurs once among"),
    ],
)
def test_labels_that_do_not_fit(plain, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        plain(**{"weights": WEIGHTS, "queries": WORDS} | options)


def test_start_must_be_one_token(plain):
    with pytest.raises(ValueError, match="start: expected a label that occurs once"):
        plain(np.eye(2), "aa", start="a")
