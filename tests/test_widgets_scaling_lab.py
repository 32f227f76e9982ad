"""The scaling lab on the side of Python: its data, its table, what it refuses."""

import re

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention import by_hand
from attention.widgets import ScalingLab
from attention.widgets.scaling_lab import SCALES, SHOWN


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(1)
    return rng.normal(size=(300, 512)), rng.normal(size=(300, 8, 512))


@pytest.fixture(scope="module")
def lab(vectors):
    return ScalingLab(*vectors)


def measure_one(query, key, scale):
    """Return weights, Jacobian and derivative by the query, for one query alone."""
    weights = by_hand.softmax(scale * key @ query)  # (keys,)
    jacobian = by_hand.softmax_jacobian(weights)  # (keys, keys)
    return weights, jacobian, scale * jacobian @ key


# -------------------------------------------------------------------- data


def test_widths_are_the_powers_of_two(lab):
    assert lab.data()["widths"] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512]


@pytest.mark.parametrize(("d_k", "widest"), [(2, 2), (3, 2), (7, 4), (8, 8)])
def test_widest_is_the_largest_power_of_two_that_fits(d_k, widest):
    lab = ScalingLab(np.ones((1, d_k)), np.ones((1, 2, d_k)))
    assert lab.data()["widths"][-1] == widest


def test_products_are_those_of_the_first_components(lab, vectors):
    query, key = vectors
    data = lab.data()
    assert np.shape(data["products"]) == (SHOWN, 10, 8)
    for i, d_k in enumerate(data["widths"]):
        expected = (key[:SHOWN, :, :d_k] @ query[:SHOWN, :d_k, None])[..., 0]
        np.testing.assert_allclose(np.array(data["products"])[:, i], expected, atol=1e-7)


@pytest.mark.parametrize("scale", SCALES)
def test_means_and_derivatives(lab, vectors, scale):
    query, key = vectors
    data = lab.data()
    for i, d_k in enumerate(data["widths"]):
        factor = d_k ** SCALES[scale]
        q, k = query[:, :d_k], key[..., :d_k]
        one_by_one = [measure_one(*pair, factor) for pair in zip(q, k, strict=True)]
        norms = [np.linalg.norm(by_query) for _, _, by_query in one_by_one]
        expected = {
            "spread": (factor * k @ q[..., None]).std(),
            "entropy": np.mean([by_hand.entropy(weights) for weights, _, _ in one_by_one]),
            "jacobian": np.mean([np.linalg.norm(jacobian) for _, jacobian, _ in one_by_one]),
            "derivative": np.mean(norms),
        }
        means = {name: curve[i] for name, curve in data["means"][scale].items()}
        assert means == pytest.approx(expected, abs=1e-7)
        assert data["derivatives"][scale][i] == pytest.approx(norms[:SHOWN], abs=1e-7)


def test_the_derivative_by_the_query_is_the_one_of_differences(vectors):
    query, key = vectors[0][0, :4], vectors[1][0, :, :4]
    step = 1e-6
    differences = np.stack(
        [
            (by_hand.softmax(key @ (query + e) / 2) - by_hand.softmax(key @ (query - e) / 2))
            / (2 * step)
            for e in step * np.eye(4)
        ],
        axis=1,
    )
    lab = ScalingLab(query[None], key[None])
    given = lab.data()["derivatives"]["1/√d_k"][2][0]
    assert given == pytest.approx(np.linalg.norm(differences), abs=1e-6)


def test_sigma_predicts_the_spread(lab):
    data = lab.data()
    spread = data["means"]["none"]["spread"][-1]
    assert spread == pytest.approx(np.sqrt(512) * data["sigma"], rel=0.05)


def test_page_gets_little_data(lab):
    assert len(lab._repr_html_()) < 20_000


def test_32_bits_will_do(vectors):
    query, key = (array[:5].astype(np.float32) for array in vectors)
    assert ScalingLab(query, key).data()["queries"] == 5


# ----------------------------------------------------------- table and text


def test_table_has_each_scale_at_every_other_width(lab):
    caption, header, rows = lab.table()
    assert caption == "Means over 300 queries with 8 keys each; c is the scale"
    assert [row[:2] for row in rows] == [
        [str(d_k), scale] for d_k in (1, 4, 16, 64, 256) for scale in SCALES
    ]
    assert {len(row) for row in rows} == {len(header)}
    spread = dict(zip(lab.data()["widths"], lab.data()["means"]["none"]["spread"], strict=True))
    assert [row[2] for row in rows if row[1] == "none"][3] == f"{spread[64]:.2f}"


def test_text_fits_a_line_and_does_not_change(lab, vectors):
    assert max(map(len, repr(lab).splitlines())) <= 79
    again = ScalingLab(*vectors)
    assert repr(again) == repr(lab)
    assert again._repr_html_() == lab._repr_html_()


def test_html_holds_the_table_for_readers_without_a_script(lab):
    html = lab._repr_html_()
    assert html.startswith("<scaling-lab data-figure=")
    assert "<caption>Means over 300 queries" in html
    assert html.count("<tr>") == 1 + 15


# ------------------------------------------------------------------- errors


@pytest.fixture(scope="module")
def unchecked():
    """Return the class as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("widgets/scaling_lab").ScalingLab


@pytest.mark.parametrize(
    ("query", "key", "message"),
    [
        ([[1.0, 2.0]], np.ones((1, 2, 2)), "query: expected a floating-point array, got "),
        (np.ones((1, 2), int), np.ones((1, 2, 2)), "query: expected a floating-point array, got "),
        (np.ones((1, 2)), np.ones((1, 2, 2), int), "key: expected a floating-point array, got "),
        (np.ones(2), np.ones((1, 2, 2)), "query: expected the shape (queries, d_k), got (2,)"),
        (np.ones((1, 2)), np.ones((2, 2)), "key: expected the shape (queries, keys, d_k), got "),
        (np.ones((0, 2)), np.ones((0, 2, 2)), "query: expected at least one query, got (0, 2)"),
        (np.ones((1, 1)), np.ones((1, 2, 1)), "query: expected a d_k of at least 2, got (1, 1)"),
        (np.ones((1, 2)), np.ones((1, 2, 3)), "key: expected the shape (1, keys, 2), got (1, 2, 3"),
        (np.ones((1, 2)), np.ones((3, 2, 2)), "key: expected the shape (1, keys, 2), got (3, 2, 2"),
        (np.ones((1, 2)), np.ones((1, 1, 2)), "key: expected 2 to 16 keys for a query, got "),
        (np.ones((1, 2)), np.ones((1, 17, 2)), "key: expected 2 to 16 keys for a query, got "),
        (np.full((1, 2), np.nan), np.ones((1, 2, 2)), "query: expected finite numbers, got "),
        (np.ones((1, 2)), np.full((1, 2, 2), np.inf), "key: expected finite numbers, got "),
    ],
)
def test_bad_input_is_refused(unchecked, query, key, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        unchecked(query, key)
