"""The position lab on the side of Python: its data, its table, what it refuses."""

import math
import re

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

from attention.widgets import PositionLab
from attention.widgets.position_lab import SCHEMES

LENGTH, D_K = 40, 8


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(1)
    return rng.normal(size=D_K), rng.normal(size=D_K), rng.normal(size=(LENGTH, D_K))


@pytest.fixture(scope="module")
def lab(vectors):
    return PositionLab(*vectors)


def score_by_loop(scheme, vectors, p, j, slope):
    """Return one score, number by number."""
    query, key, learned = vectors
    score = 0.0
    for i in range(D_K // 2):
        q, k = complex(*query[2 * i : 2 * i + 2]), complex(*key[2 * i : 2 * i + 2])
        speed = 10000 ** (-2 * i / D_K)
        if scheme == "sinusoidal":
            q += complex(math.sin(p * speed), math.cos(p * speed))
            k += complex(math.sin(j * speed), math.cos(j * speed))
        if scheme == "learned":
            q += complex(*learned[p, 2 * i : 2 * i + 2])
            k += complex(*learned[j, 2 * i : 2 * i + 2])
        if scheme == "rotary":  # a turn of both by the same angle changes nothing
            q *= complex(math.cos((p - j) * speed), math.sin((p - j) * speed))
        score += q.real * k.real + q.imag * k.imag
    return score / math.sqrt(D_K) - (slope * abs(p - j) if scheme == "ALiBi" else 0)


# ------------------------------------------------------------------- scores


@pytest.mark.parametrize("scheme", SCHEMES)
def test_scores_one_by_one(lab, vectors, scheme):
    scores = lab.scores(scheme)
    assert scores.shape == (LENGTH, LENGTH)
    for p in range(0, LENGTH, 3):
        for j in range(LENGTH):
            expected = score_by_loop(scheme, vectors, p, j, 1 / 16)  # head 4 of 8
            assert scores[p, j] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(("head", "slope"), [(1, 1 / 4), (2, 1 / 16), (4, 1 / 256)])
def test_each_head_has_its_slope(vectors, head, slope):
    lab = PositionLab(*vectors, heads=4)
    fall = lab.scores("none") - lab.scores("ALiBi", head)
    assert fall[3, 10] == pytest.approx(7 * slope)
    assert fall[10, 3] == pytest.approx(7 * slope)


@pytest.mark.parametrize(("heads", "head"), [(1, 1), (2, 1), (4, 2), (8, 4), (16, 8)])
def test_head_at_the_start_is_the_one_in_the_middle(vectors, heads, head):
    assert PositionLab(*vectors, heads=heads).data()["head"] == head


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("position", [0, 4, 10, 25, LENGTH - 1])
def test_largest_change_one_by_one(lab, scheme, position):
    scores, start = lab.scores(scheme), lab.start
    changes = [
        abs(scores[position, position + distance] - scores[start, start + distance])
        for distance in range(-LENGTH, LENGTH)
        if 0 <= position + distance < LENGTH and 0 <= start + distance < LENGTH
    ]
    assert lab.largest_change(scheme, position) == max(changes)


@pytest.mark.parametrize("position", [0, 5, 20, LENGTH - 1])
def test_curves_of_none_rotary_and_alibi_stay_and_those_of_added_positions_do_not(lab, position):
    for scheme in ("none", "rotary", "ALiBi"):
        assert lab.largest_change(scheme, position) < 1e-12
    for scheme in ("sinusoidal", "learned"):
        assert lab.largest_change(scheme, position) > 0.1
        assert lab.largest_change(scheme, lab.start) == 0


# --------------------------------------------------------------------- data


def test_data_are_the_vectors(lab, vectors):
    data = lab.data()
    query, key, learned = vectors
    assert data["query"] == query.tolist()
    assert data["key"] == key.tolist()
    np.testing.assert_allclose(data["learned"], learned, atol=1e-8)
    assert (data["heads"], data["start"], data["position"]) == (8, 10, 20)


def test_page_gets_little_data():
    rng = np.random.default_rng(0)
    lab = PositionLab(rng.normal(size=32), rng.normal(size=32), rng.normal(size=(64, 32)))
    assert len(lab._repr_html_()) < 30_000


def test_32_bits_will_do(vectors):
    narrow = [array.astype(np.float32) for array in vectors]
    lab, wide = PositionLab(*narrow), PositionLab(*(array.astype(float) for array in narrow))
    assert lab.data() == wide.data()
    assert np.array_equal(lab.scores("rotary"), wide.scores("rotary"))


def test_later_changes_of_the_arrays_do_not_change_the_figure(vectors):
    query, key, learned = (array.copy() for array in vectors)
    lab = PositionLab(query, key, learned)
    before = repr(lab)
    for array in (query, key, learned):
        array[:] = 0
    assert repr(lab) == before


# ----------------------------------------------------------- table and text


def test_table_compares_two_positions(lab):
    caption, header, rows = lab.table()
    assert caption.startswith("Scaled score of a query at p = 10 and at p = 20 with a key")
    assert header == ("positions", "p", "−10", "−5", "0", "5", "10", "change")
    names = ["none", "sinusoidal", "learned", "rotary", "ALiBi (head 4)"]
    assert [row[:2] for row in rows] == [[name, p] for name in names for p in ("10", "20")]
    assert {len(row) for row in rows} == {len(header)}
    for scheme, (first, second) in zip(
        SCHEMES, zip(rows[::2], rows[1::2], strict=True), strict=True
    ):
        scores, change = lab.scores(scheme), lab.largest_change(scheme)
        for row, p in ((first, 10), (second, 20)):
            shown = [float(text.replace("−", "-")) for text in row[2:7]]
            assert shown == pytest.approx(scores[p, [p - 10, p - 5, p, p + 5, p + 10]], abs=0.00501)
        assert (first[-1], second[-1]) == ("–", f"{change:.2f}")
        if scheme in ("none", "rotary", "ALiBi"):
            assert first[2:-1] == second[2:-1]
            assert second[-1] == "0.00"


def test_a_score_near_zero_has_no_sign():
    lab = PositionLab(np.full(2, -1e-5), np.ones(2), np.zeros((16, 2)))
    assert lab.table()[2][0][2:] == ["0.00"] * 5 + ["–"]


@pytest.mark.parametrize("length", [16, 17, 23, 64, 127, 128])
def test_the_distances_of_the_table_exist(length):
    lab = PositionLab(np.ones(2), np.ones(2), np.ones((length, 2)))
    distances = [int(text.replace("−", "-")) for text in lab.table()[1][2:-1]]
    assert lab.start + min(distances) >= 0
    assert lab.position + max(distances) < length


def test_text_fits_a_line_and_does_not_change(lab, vectors):
    rng = np.random.default_rng(0)
    widest = PositionLab(
        100 * rng.normal(size=64), 2 * rng.normal(size=64), rng.normal(size=(128, 64)), heads=16
    )
    for figure in (lab, widest):
        assert max(map(len, repr(figure).splitlines())) <= 79
    again = PositionLab(*vectors)
    assert repr(again) == repr(lab)
    assert again._repr_html_() == lab._repr_html_()


def test_html_holds_the_table_for_readers_without_a_script(lab):
    html = lab._repr_html_()
    assert html.startswith("<position-lab data-figure=")
    assert "<caption>Scaled score of a query at p = 10" in html
    assert html.count("<tr>") == 1 + 10


# ------------------------------------------------------------------- errors


@pytest.fixture(scope="module")
def unchecked():
    """Return the class as a reader meets it, without enforced shapes."""
    return load_without_shape_checks("widgets/position_lab").PositionLab


def check_message(call, message):
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        call()


ONE, ROWS = np.ones(4), np.ones((16, 4))


@pytest.mark.parametrize(
    ("query", "key", "learned", "message"),
    [
        ([1.0] * 4, ONE, ROWS, "query: expected a floating-point array, got "),
        (np.ones(4, int), ONE, ROWS, "query: expected a floating-point array, got dtype('int64')"),
        (ONE, np.ones(4, int), ROWS, "key: expected a floating-point array, got "),
        (ONE, ONE, ROWS.astype(bool), "learned: expected a floating-point array, got "),
        (ROWS, ONE, ROWS, "query: expected the shape (d_k,), got (16, 4)"),
        (np.ones(3), np.ones(3), np.ones((16, 3)), "query: expected an even d_k from 2 to 64, got"),
        (np.ones(0), np.ones(0), np.ones((16, 0)), "query: expected an even d_k from 2 to 64, got"),
        (np.ones(66), ONE, ROWS, "query: expected an even d_k from 2 to 64, got (66,)"),
        (ONE, np.ones(6), ROWS, "key: expected the shape (4,), got (6,)"),
        (ONE, ROWS, ROWS, "key: expected the shape (4,), got (16, 4)"),
        (ONE, ONE, ONE, "learned: expected the shape (length, 4), got (4,)"),
        (ONE, ONE, np.ones((16, 2)), "learned: expected the shape (length, 4), got (16, 2)"),
        (ONE, ONE, np.ones((15, 4)), "learned: expected 16 to 128 positions, got (15, 4)"),
        (ONE, ONE, np.ones((129, 4)), "learned: expected 16 to 128 positions, got (129, 4)"),
        (np.full(4, np.nan), ONE, ROWS, "query: expected finite numbers, got 'NaN or inf'"),
        (ONE, np.full(4, np.inf), ROWS, "key: expected finite numbers, got 'NaN or inf'"),
        (ONE, ONE, ROWS * np.nan, "learned: expected finite numbers, got 'NaN or inf'"),
    ],
)
def test_bad_vectors_are_refused(unchecked, query, key, learned, message):
    check_message(lambda: unchecked(query, key, learned), message)


@pytest.mark.parametrize("heads", [0, 3, 32, -2, 2.0, True, "8", None])
def test_heads_are_a_power_of_two(unchecked, heads):
    message = f"heads: expected one of (1, 2, 4, 8, 16), got {heads!r}"
    check_message(lambda: unchecked(ONE, ONE, ROWS, heads), message)


def test_the_largest_and_smallest_that_fit(unchecked):
    unchecked(np.ones(2), np.ones(2), np.ones((16, 2)), 1)
    unchecked(np.ones(64), np.ones(64), np.ones((128, 64)), 16)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda lab: lab.scores("alibi"), "scheme: expected one of ('none', 'sinusoidal', "),
        (lambda lab: lab.scores("ALiBi", 0), "head: expected 1 to 8, got 0"),
        (lambda lab: lab.scores("ALiBi", 9), "head: expected 1 to 8, got 9"),
        (lambda lab: lab.largest_change("none", -1), "position: expected 0 to 15, got -1"),
        (lambda lab: lab.largest_change("none", 16), "position: expected 0 to 15, got 16"),
    ],
)
def test_unknown_schemes_heads_and_positions_are_refused(unchecked, call, message):
    lab = unchecked(ONE, ONE, ROWS)
    check_message(lambda: call(lab), message)
