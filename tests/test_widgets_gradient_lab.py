"""The gradient lab on the side of Python: its data, its table, what it refuses."""

import re

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention import by_hand, gradients
from attention.widgets import GradientLab

TOKENS = ["A", "B", "C"]
SCORES = np.log([0.6, 0.3, 0.1])
VALUE = np.array([[0, 0], [4, 0], [4, 3.0]])
WANTED = np.array([4, 3.0])


@pytest.fixture
def lab():
    return GradientLab(TOKENS, SCORES, VALUE, WANTED, rate=0.5)


def test_data_are_scores_points_and_rate(lab):
    figure = lab.data()
    assert (figure["tokens"], figure["rate"]) == (TOKENS, 0.5)
    for name, expected in (("scores", SCORES), ("value", VALUE), ("wanted", WANTED)):
        np.testing.assert_array_equal(figure[name], expected)


def test_table_is_a_step_of_gradient_descent_on_the_loss(lab):
    """The gradient is asked of differences of the loss, not of the formula."""
    caption, header, rows = lab.table()
    assert caption.startswith("One query; output (1.60, 0.30), wanted (4.00, 3.00), upstream (−2.4")
    assert {len(row) for row in rows} == {len(header)}

    def loss(scores):
        return float(((by_hand.softmax(scores) @ VALUE - WANTED) ** 2).sum() / 2)

    gradient = gradients.central_differences(loss, SCORES)
    after = by_hand.softmax(SCORES - 0.5 * gradient)
    for i, (token, weight, _, helps, rise, next_weight) in enumerate(rows):
        helps, rise = (float(text.replace("−", "-")) for text in (helps, rise))
        assert token == TOKENS[i]
        assert rise == pytest.approx(-gradient[i], abs=0.006)
        assert float(weight) * helps == pytest.approx(rise, abs=0.01)
        assert float(next_weight) == pytest.approx(after[i], abs=0.0006)


def test_text_fits_a_line_and_html_holds_the_table(lab):
    assert max(map(len, repr(lab).splitlines())) <= 79
    html = lab._repr_html_()
    assert html.startswith("<gradient-lab data-figure=")
    assert html.count("<tr>") == 1 + len(TOKENS)
    assert len(html) < 2500


def test_a_word_is_a_sequence_of_tokens_and_32_bits_will_do():
    arrays = (array.astype(np.float32) for array in (SCORES, VALUE, WANTED))
    assert GradientLab("ABC", *arrays, rate=np.float32(0.5)).data()["tokens"] == TOKENS


# ------------------------------------------------------------------- errors


@pytest.fixture(scope="module")
def unchecked():
    """Return the class as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("widgets/gradient_lab", "widgets/_points").GradientLab


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"scores": SCORES.tolist()}, "scores: expected a floating-point array, got "),
        ({"scores": SCORES[:1]}, "scores: expected 2 to 8 keys, got 1"),
        ({"scores": np.zeros((3, 1))}, "scores: expected the shape (3,), got (3, 1)"),
        ({"scores": SCORES - np.inf}, "scores: expected finite numbers within ±20, got -inf"),
        ({"scores": SCORES - 30}, "scores: expected finite numbers within ±20, got -30."),
        ({"value": VALUE[:, :1]}, "value: expected the shape (3, 2), got (3, 1)"),
        ({"value": VALUE.astype(int)}, "value: expected a floating-point array, got "),
        ({"wanted": np.zeros(3)}, "wanted: expected the shape (2,), got (3,)"),
        ({"wanted": WANTED * np.nan}, "wanted: expected finite numbers within ±20, got nan"),
        ({"tokens": "AB"}, "tokens: expected 3 tokens, got 2"),
        ({"tokens": "AAB"}, "tokens: expected no two alike, got "),
        ({"rate": 0}, "rate: expected above 0, at most 10, got 0"),
        ({"rate": 10.5}, "rate: expected above 0, at most 10, got 10.5"),
        ({"rate": True}, "rate: expected above 0, at most 10, got True"),
    ],
)
def test_bad_input_is_refused(unchecked, wrong, message):
    good = {"tokens": TOKENS, "scores": SCORES, "value": VALUE, "wanted": WANTED}
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        unchecked(**good | wrong)
