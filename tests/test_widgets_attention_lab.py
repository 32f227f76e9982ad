"""The attention lab on the side of Python: its data, its table, what it refuses."""

import re

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention import by_hand
from attention.widgets import AttentionLab

TOKENS = ["She", "went", "to", "the", "market"]
QUERY = np.array([1.0, 2.0])
KEY = np.array([[2, 0], [-2, 1], [-1, 1], [0, 0], [1, 1.0]])
VALUE = np.array([[0, 4], [2, 2], [4, 2], [0, 0], [6, -1.0]])


@pytest.fixture
def lab():
    return AttentionLab(TOKENS, QUERY, KEY, VALUE)


def test_data_are_the_points(lab):
    figure = lab.data()
    assert figure["tokens"] == TOKENS
    for name, expected in (("query", QUERY), ("key", KEY), ("value", VALUE)):
        np.testing.assert_array_equal(figure[name], expected)


def test_table_has_the_four_steps(lab):
    caption, header, rows = lab.table()
    assert caption.startswith("Query (1.00, 2.00): ")
    assert {len(row) for row in rows} == {len(header)}
    output, weights = by_hand.scaled_dot_product_attention(QUERY[None], KEY, VALUE)
    for i, (token, score, scaled, weight, _, product) in enumerate(rows[:-1]):
        numbers = [float(n.replace("−", "-")) for n in re.findall(r"[−\d.]+", product)]
        assert token == TOKENS[i]
        assert float(score) == pytest.approx(KEY[i] @ QUERY, abs=0.006)
        assert float(scaled) == pytest.approx(KEY[i] @ QUERY / np.sqrt(2), abs=0.006)
        assert float(weight) == pytest.approx(weights[0, i], abs=0.0006)
        np.testing.assert_allclose(numbers, weights[0, i] * VALUE[i], atol=0.006)
    assert rows[-1][3] == "1.000"
    across, up = (f"{number:.2f}".replace("-", "−") for number in output[0])
    assert rows[-1][-1] == f"({across}, {up})"


def test_text_fits_a_line_and_html_holds_the_table(lab):
    assert max(map(len, repr(lab).splitlines())) <= 79
    html = lab._repr_html_()
    assert html.startswith("<attention-lab data-figure=")
    assert html.count("<tr>") == 1 + len(TOKENS) + 1
    assert len(html) < 3000


def test_32_bits_will_do():
    query, key, value = (array.astype(np.float32) for array in (QUERY, KEY, VALUE))
    assert (
        AttentionLab(TOKENS, query, key, value).table()[2]
        == (AttentionLab(TOKENS, QUERY, KEY, VALUE).table()[2])
    )


def test_what_is_given_is_kept_apart(lab):
    key = KEY.copy()
    lab = AttentionLab(TOKENS, QUERY, key, VALUE)
    key[:] = 0
    assert lab.data()["key"] == KEY.tolist()


# ------------------------------------------------------------------- errors


@pytest.fixture(scope="module")
def unchecked():
    """Return the class as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("widgets/attention_lab", "widgets/_points").AttentionLab


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"query": [1.0, 2.0]}, "query: expected a floating-point array, got "),
        ({"query": np.ones(2, int)}, "query: expected a floating-point array, got "),
        ({"query": np.ones(3)}, "query: expected the shape (2,), got (3,)"),
        ({"query": np.array([np.nan, 0])}, "query: expected finite numbers within ±20, got nan"),
        ({"query": np.array([20.5, 0])}, "query: expected finite numbers within ±20, got 20.5"),
        ({"key": KEY.tolist()}, "key: expected a floating-point array, got "),
        ({"key": KEY[:1]}, "key: expected 2 to 8 keys, got 1"),
        ({"key": np.ones((9, 2))}, "key: expected 2 to 8 keys, got 9"),
        ({"key": np.ones((5, 3))}, "key: expected the shape (5, 2), got (5, 3)"),
        ({"key": KEY - np.inf}, "key: expected finite numbers within ±20, got -inf"),
        ({"value": VALUE[:4]}, "value: expected the shape (5, 2), got (4, 2)"),
        ({"value": VALUE.astype(int)}, "value: expected a floating-point array, got "),
        ({"tokens": TOKENS[:4]}, "tokens: expected 5 tokens, got 4"),
        ({"tokens": [*TOKENS[:4], " "]}, "tokens: expected non-empty strings, got ' '"),
        ({"tokens": [*TOKENS[:4], 5]}, "tokens: expected non-empty strings, got 5"),
        ({"tokens": [*TOKENS[:4], "She"]}, "tokens: expected no two alike, got "),
    ],
)
def test_bad_input_is_refused(unchecked, wrong, message):
    good = {"tokens": TOKENS, "query": QUERY, "key": KEY, "value": VALUE}
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        unchecked(**good | wrong)
