"""The figure with all heads of a BERT, without a browser: its data, its table, what it refuses."""

import json
import re
from html import unescape

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention.pretrained.catalogue import MODELS
from attention.widgets import BertHeads
from attention.widgets.bert_heads import LONGEST, as_text, shares_of

PIECES = ["[CLS]", "un", "##sure", ",", "cat", "[SEP]"]
FILE = {"bytes": 24_000_000, "sha256": "0" * 64}


def drawn(count=6, layers=2, heads=3, seed=0):
    powers = np.exp(2 * np.random.default_rng(seed).normal(size=(layers, heads, count, count)))
    return powers / powers.sum(-1, keepdims=True)


def figure(make=BertHeads, **changes):
    given = {"sentences": [(PIECES, drawn())], "model": MODELS["minilm"], "file": FILE}
    return make(**(given | {"difference": 0.0182, "head": (1, 2)} | changes))


def test_data():
    weights = drawn()
    html = figure(word="cat")._repr_html_()
    data = json.loads(unescape(re.search('data-figure="([^"]*)"', html)[1]))
    assert html.startswith("<bert-heads data-figure=")
    assert (data["layers"], data["heads"], data["head"], data["word"]) == (2, 3, [1, 2], "cat")
    assert (data["file"], data["difference"], data["longest"]) == (FILE, 0.0182, LONGEST)
    assert data["model"][1] == "Apache-2.0"
    assert data["model"][2] == "huggingface.co/sentence-transformers/all-MiniLM-L6-v2"
    (sentence,) = data["sentences"]
    assert sentence["pieces"] == PIECES
    stored = np.array(sentence["weights"].split(), int).reshape(weights.shape) / 1000
    np.testing.assert_allclose(stored, weights, rtol=0, atol=5.1e-4)


def test_shares_are_those_of_a_plain_loop():
    weights = drawn()
    shares = shares_of(weights)
    last = len(PIECES) - 1
    keys = {
        "first": lambda q: 0,
        "before": lambda q: q - 1,
        "itself": lambda q: q,
        "after": lambda q: q + 1,
        "last": lambda q: last,
    }
    assert [*shares] == [*keys]
    for place, key in keys.items():
        for layer, head in np.ndindex(2, 3):
            found = [weights[layer, head, q, key(q)] for q in range(1, last)]
            assert shares[place][layer, head] == pytest.approx(np.mean(found))


def test_text_and_table():
    weights = drawn()
    lines = repr(figure()).splitlines()
    assert lines[0].startswith("Where the heads of each layer look on average, in “unsure, cat”:")
    assert lines[-2].split() == [
        "0",
        *(f"{share[0].mean():.2f}" for share in shares_of(weights).values()),
    ]
    assert max(map(len, lines)) <= 79


def test_pieces_are_put_together():
    assert as_text(["[CLS]", "she", "went", ".", "[SEP]"]) == "she went."
    assert as_text(["[CLS]", "a", "##b", "?", "!", "c", "[SEP]"]) == "ab?! c"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sentences": []}, "sentences: expected at least one, got 0"),
        ({"sentences": [("abc", drawn(3))]}, "sentences[0][0]: expected pieces, not a text"),
        ({"sentences": [(["a", "b"], drawn(2))]}, "sentences[0][0]: expected 3 to 40 pieces"),
        ({"sentences": [(PIECES, drawn().tolist())]}, "sentences[0][1]: expected a floating-point"),
        ({"sentences": [(PIECES, drawn()[0])]}, "sentences[0][1]: expected (layers, heads, quer"),
        ({"sentences": [(PIECES, drawn(5))]}, "sentences[0][1]: expected the shape (2, 3, 6, 6)"),
        (
            {"sentences": [(PIECES, drawn()), (PIECES, drawn(heads=2))]},
            "sentences[1][1]: expected the shape (2, 3, 6, 6), got (2, 2, 6, 6)",
        ),
        ({"sentences": [(PIECES, 2 * drawn())]}, "sentences[0][1]: expected rows of weights"),
        ({"sentences": [(PIECES, drawn() * np.nan)]}, "sentences[0][1]: expected rows of weights"),
        ({"file": {"bytes": 3}}, "file: expected its bytes and its sha256"),
        ({"head": (2, 0)}, "head: expected a layer below 2 and a head below 3, got"),
        ({"head": (0, -1)}, "head: expected a layer below 2 and a head below 3, got"),
        ({"head": (1,)}, "head: expected a layer below 2 and a head below 3, got"),
        ({"word": "dog"}, "word: expected one of ["),
    ],
)
def test_bad_input(changes, message):
    plain = load_without_shape_checks("widgets/bert_heads").BertHeads
    with pytest.raises(ValueError, match=re.escape(message)):
        figure(plain, **changes)
