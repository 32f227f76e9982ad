"""The mask lab without a browser: what it hands to the page, and its table."""

import importlib.util
import re

import numpy as np
import pytest

from attention import by_hand
from attention.widgets import MaskLab
from attention.widgets._base import SCRIPTS

TOKENS = ["the", "cat", "sat", "pad"]
REAL = np.array([True, True, True, False])
SCORES = np.log(np.array([[1.0, 1, 1, 1], [1, 3, 1, 1], [1, 2, 1, 9], [3, 1, 1, 9]]))


def test_it_starts_causal_and_without_padding():
    figure = MaskLab(SCORES, TOKENS, padding=REAL).data()
    assert figure["tokens"] == TOKENS
    assert figure["padding"] == REAL.tolist()
    assert figure["mask"] == (by_hand.causal_mask(4) & REAL).tolist()
    np.testing.assert_array_equal(figure["scores"], SCORES)


def test_without_padding_it_starts_causal():
    figure = MaskLab(SCORES, TOKENS).data()
    assert figure["padding"] is None
    assert figure["mask"] == by_hand.causal_mask(4).tolist()


def test_text_shows_the_weights_and_what_is_forbidden():
    mask = by_hand.causal_mask(4) & REAL
    mask[0] = False
    assert repr(MaskLab(SCORES, TOKENS, REAL, mask, "Three words")) == (
        "Three words (× = may not attend)\n"
        "query  the   cat   sat   pad  sum\n"
        "the    ×     ×     ×     ×    0.00\n"
        "cat    0.25  0.75  ×     ×    1.00\n"
        "sat    0.25  0.50  0.25  ×    1.00\n"
        "pad    0.60  0.20  0.20  ×    1.00"
    )


def test_half_precision_scores_are_taken():
    figure = MaskLab(np.zeros((2, 2), np.float16), ["a", "b"])
    assert figure.table()[2] == [["a", "1.00", "×", "1.00"], ["b", "0.50", "0.50", "1.00"]]


def test_element_carries_its_data_and_the_table():
    html = MaskLab(SCORES, ["<b>", "cat", "sat", "pad"], REAL)._repr_html_()
    assert html.startswith('<mask-lab data-figure="')
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert html.count("<tr>") == 5


# ------------------------------------------------------------------- bad input


@pytest.fixture(scope="module")
def plain_mask_lab():
    """Return the class as a reader meets it, without enforced shapes."""
    spec = importlib.util.spec_from_file_location("unchecked_mask_lab", SCRIPTS / "mask_lab.py")
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy.MaskLab


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"scores": SCORES.tolist()}, "scores: expected a floating-point NumPy array, got 'list'"),
        (
            {"scores": np.ones((4, 4), int)},
            "scores: expected a floating-point NumPy array, got 'int64'",
        ),
        ({"scores": SCORES[:3]}, "scores: expected as many queries as keys, got (3, 4)"),
        ({"scores": SCORES[0]}, "scores: expected as many queries as keys, got (4,)"),
        ({"scores": np.zeros((0, 0))}, "scores: expected as many queries as keys, got (0, 0)"),
        ({"scores": SCORES - np.inf}, "scores: expected finite numbers within ±1e+06, got -inf"),
        ({"scores": SCORES + np.nan}, "scores: expected finite numbers within ±1e+06, got nan"),
        (
            {"scores": SCORES + 1e9},
            "scores: expected finite numbers within ±1e+06, got 1000000000.0",
        ),
        ({"tokens": TOKENS[:3]}, "tokens: expected 4 tokens, got 3"),
        ({"tokens": ["a", "b", "c", " "]}, "tokens: expected non-empty strings, got ' '"),
        ({"tokens": ["a", "b", "c", 4]}, "tokens: expected non-empty strings, got 4"),
        (
            {"padding": [True, True, True, False]},
            "padding: expected a boolean array (True = may attend), got 'list'",
        ),
        (
            {"padding": REAL.astype(int)},
            "padding: expected a boolean array (True = may attend), got 'int64'",
        ),
        ({"padding": REAL[:3]}, "padding: expected the shape (4,), got (3,)"),
        (
            {"mask": np.ones((4, 4))},
            "mask: expected a boolean array (True = may attend), got 'float64'",
        ),
        (
            {"mask": np.ones((1, 4), bool)},
            "mask: expected the shape (4, 4), got (1, 4)",
        ),
    ],
)
def test_it_says_what_is_wrong(plain_mask_lab, arguments, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain_mask_lab(**{"scores": SCORES, "tokens": TOKENS, **arguments})
