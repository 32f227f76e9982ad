"""The position lab in a browser: operated by mouse, finger and keys, compared with NumPy."""

from itertools import pairwise

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Page, expect
from test_site_browser import violations

from attention import by_hand
from attention.widgets import PositionLab
from attention.widgets.position_lab import SCHEMES

pytestmark = pytest.mark.browser

LENGTH, D_K = 64, 32
RNG = np.random.default_rng(3)
QUERY = RNG.normal(size=D_K)
KEY = 0.5 * QUERY + RNG.normal(size=D_K)
LEARNED = RNG.normal(size=(LENGTH, D_K)) / 3


@pytest.fixture(scope="module")
def lab() -> PositionLab:
    return PositionLab(QUERY, KEY, LEARNED)


@pytest.fixture
def page(figure_page: OpenFigure, lab: PositionLab) -> Page:
    return figure_page(lab)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('position-lab').state")


def choose(page: Page, **choice: str | int) -> None:
    """Press a radio button, or set the slider or the list."""
    for name, value in choice.items():
        if name in ("scheme", "axis"):
            page.locator(f"input[value='{value}']").check()
        elif name == "position":
            page.locator("#position").fill(str(value))
        else:
            page.locator("#head").select_option(str(value))


def points(page: Page, curve: str) -> np.ndarray:
    """Return where a curve is drawn, in parts of a hundred of the frame."""
    text = page.locator(f"polyline.{curve}").get_attribute("points")
    return np.array([[float(x) for x in point.split(",")] for point in text.split()])


def compare(page: Page, lab: PositionLab, scheme: str, position: int) -> None:
    """Assert that the state is what NumPy says."""
    shown = state(page)
    assert (shown["scheme"], shown["position"], shown["start"]) == (scheme, position, 16)
    scores = lab.scores(scheme, shown["head"])
    np.testing.assert_allclose(shown["scores"], scores[position], rtol=0, atol=1e-6)
    np.testing.assert_allclose(shown["startScores"], scores[16], rtol=0, atol=1e-6)
    weights = by_hand.softmax(scores[position])
    np.testing.assert_allclose(shown["weights"], weights, rtol=0, atol=1e-6)
    assert shown["change"] == pytest.approx(lab.largest_change(scheme, position), abs=1e-6)


# ------------------------------------------------------------------- numbers


@pytest.mark.parametrize("scheme", SCHEMES)
def test_numbers_are_those_of_numpy(page: Page, lab: PositionLab, scheme: str) -> None:
    choose(page, scheme=scheme)
    for position in (32, 0, 5, 16, 17, 63):
        choose(page, position=position)
        compare(page, lab, scheme, position)


@pytest.mark.parametrize("heads", [1, 8, 16])
def test_every_head_has_the_slope_of_numpy(figure_page: OpenFigure, heads: int) -> None:
    lab = PositionLab(QUERY, KEY, LEARNED, heads=heads)
    page = figure_page(lab)
    choose(page, scheme="ALiBi")
    for head, slope in enumerate(by_hand.alibi_slopes(heads), start=1):
        choose(page, head=head)
        assert state(page)["head"] == head
        assert state(page)["slope"] == pytest.approx(slope, rel=1e-12)
        compare(page, lab, "ALiBi", 32)


@pytest.mark.parametrize("length", [16, 100, 128])
@pytest.mark.parametrize("d_k", [2, 64])
def test_sizes_at_the_limits(figure_page: OpenFigure, length: int, d_k: int) -> None:
    rng = np.random.default_rng(length)
    lab = PositionLab(rng.normal(size=d_k), rng.normal(size=d_k), rng.normal(size=(length, d_k)))
    page = figure_page(lab, mode="phone")
    for scheme in SCHEMES:
        choose(page, scheme=scheme)
        for position in (0, length - 1):
            choose(page, position=position)
            np.testing.assert_allclose(
                state(page)["scores"], lab.scores(scheme)[position], rtol=0, atol=1e-6
            )
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_curves_of_none_rotary_and_alibi_stay_and_those_of_added_positions_do_not(
    page: Page,
) -> None:
    for scheme in SCHEMES:
        choose(page, scheme=scheme, position=40)
        change = state(page)["change"]
        if scheme in ("sinusoidal", "learned"):
            assert change > 0.5
        else:
            assert change < 1e-12
        assert page.locator(".change").inner_text() == f"{change:.3f}"
        choose(page, position=16)
        assert state(page)["change"] == 0


def test_python_s_words_for_the_schemes_are_those_of_the_page(page: Page) -> None:
    names = "import('/widgets/position-lab.js').then(m => Object.keys(m.SCHEMES))"
    assert page.evaluate(names) == list(SCHEMES)


@pytest.mark.parametrize(
    ("low", "high", "parts", "expected"),
    [
        (0, 4, 4, [0, 1, 2, 3, 4]),
        (-0.9, 2.1, 4, [-0.5, 0, 0.5, 1, 1.5, 2]),
        (0, 0.031, 2, [0, 0.01, 0.02, 0.03]),
        (-30, 2, 4, [-30, -25, -20, -15, -10, -5, 0]),
        (0, 1e-9, 4, [0, 2e-10, 4e-10, 6e-10, 8e-10, 1e-9]),
    ],
)
def test_ticks(page: Page, low: float, high: float, parts: int, expected: list[float]) -> None:
    ticks = "limits => import('/widgets/position-lab.js').then(m => m.ticks(...limits))"
    assert page.evaluate(ticks, [low, high, parts]) == pytest.approx(expected)


# ------------------------------------------------------------- what is drawn


@pytest.mark.parametrize("scheme", SCHEMES)
def test_curves_are_drawn_where_the_numbers_are(page: Page, lab: PositionLab, scheme: str) -> None:
    scores = lab.scores(scheme)
    choose(page, scheme=scheme, position=40)
    low, high = page.evaluate(
        """() => { const { low, high } = document.querySelector('position-lab').scoreFrame;
            return [low, high]; }"""
    )
    assert low <= scores.min()
    assert scores.max() <= high
    for axis, slots in (("position", LENGTH), ("distance", 2 * LENGTH - 1)):
        choose(page, axis=axis)
        for curve, p in (("now", 40), ("then", 16)):
            x, y = points(page, curve).T
            first = 0 if axis == "position" else LENGTH - 1 - p
            np.testing.assert_allclose(x, 100 * (first + np.arange(LENGTH) + 0.5) / slots)
            np.testing.assert_allclose(y, 100 * (high - scores[p]) / (high - low), atol=1e-4)


def test_against_the_distance_a_rotary_curve_stays_in_its_place(page: Page) -> None:
    before = {round(x, 6): y for x, y in points(page, "now")}
    choose(page, position=41)
    shared = [(y, before[round(x, 6)]) for x, y in points(page, "now") if round(x, 6) in before]
    assert len(shared) == LENGTH - 9
    assert np.abs(np.diff(shared)).max() < 1e-9


def test_bars_are_as_high_as_the_weights(page: Page, lab: PositionLab) -> None:
    choose(page, scheme="sinusoidal", axis="position")
    most, path = page.evaluate(
        """() => { const lab = document.querySelector('position-lab');
            return [lab.weightFrame.high, lab.bars.getAttribute('d')]; }"""
    )
    tops = np.array([float(bar.split("V")[1]) for bar in path.split("M")[1:]])
    weights = by_hand.softmax(lab.scores("sinusoidal")[32])
    np.testing.assert_allclose(1 - tops / 100, weights / most, atol=1e-6)


def test_start_needs_no_touch(page: Page) -> None:
    shown = state(page)
    assert (shown["scheme"], shown["position"], shown["axis"]) == ("rotary", 32, "distance")
    for curve in ("now", "then"):
        box = page.locator(f".frame polyline.{curve}").bounding_box()
        assert box["width"] > 100
        assert box["height"] > 20
    assert page.locator("#head").is_disabled()


def test_what_is_written_is_the_state(page: Page) -> None:
    choose(page, scheme="sinusoidal")
    shown = state(page)
    page.get_by_text("The same as a table").click()
    rows = page.locator("details tbody tr")
    expect(rows).to_have_count(LENGTH)
    cells = [row.split("\t") for row in rows.all_inner_texts()]
    for j, (key, distance, score, before, weight) in enumerate(cells):
        assert (key, distance) == (str(j), str(j - 32).replace("-", "−"))
        assert score == f"{shown['scores'][j]:.4f}".replace("-", "−")
        there = j - 32 + 16
        inside = 0 <= there < LENGTH
        expected = f"{shown['startScores'][there]:.4f}".replace("-", "−") if inside else "–"
        assert before == expected
        assert weight == f"{shown['weights'][j]:.6f}"
    top = int(np.argmax(shown["weights"]))
    assert page.get_by_role("status").inner_text() == (
        f"Sinusoidal positions, query at 32: key {top} has the largest weight, "
        f"{shown['weights'][top]:.3f}. At equal distance its scores differ from those of "
        f"p = 16 by {shown['change']:.3f} at most."
    )


@pytest.mark.parametrize(
    ("scheme", "words"),
    [
        ("none", "No positions, query at 32: all keys have the weight 0.016."),
        ("learned", "Learned positions, query at 32: key "),
        ("rotary", "Rotary positions, query at 32: key "),
        ("ALiBi", "ALiBi, head 4, query at 32: key 32 has the largest weight,"),
    ],
)
def test_status_names_the_scheme(page: Page, scheme: str, words: str) -> None:
    choose(page, scheme=scheme)
    assert page.get_by_role("status").inner_text().startswith(words)


def test_zero_vectors_are_drawn_too(figure_page: OpenFigure) -> None:
    page = figure_page(PositionLab(np.zeros(2), np.zeros(2), np.zeros((16, 2))))
    for scheme in SCHEMES:
        choose(page, scheme=scheme)
        html = page.evaluate("document.querySelector('position-lab').shadowRoot.innerHTML")
        assert "NaN" not in html
        assert "Infinity" not in html


# ---------------------------------------------------- mouse, finger, keyboard


def test_mouse(page: Page) -> None:
    slider = page.get_by_role("slider")
    box = slider.bounding_box()
    middle = box["y"] + box["height"] / 2
    page.mouse.click(box["x"] + box["width"] - 4, middle)
    assert state(page)["position"] == 63
    page.mouse.down()
    page.mouse.move(box["x"] + 4, middle, steps=5)
    page.mouse.up()
    assert state(page)["position"] == 0
    page.locator("label", has_text="ALiBi").first.click()
    assert state(page)["scheme"] == "ALiBi"
    page.locator("label", has_text="position j").click()
    assert state(page)["axis"] == "position"
    page.get_by_label("ALiBi head").select_option("1 (slope 0.5)")
    assert state(page)["head"] == 1


def test_finger(figure_page: OpenFigure, lab: PositionLab) -> None:
    page = figure_page(lab, mode="phone")
    page.get_by_role("slider").tap(position={"x": 4, "y": 18})
    assert state(page)["position"] < 3
    tap(page.locator("label", has_text="learned"))
    assert state(page)["scheme"] == "learned"
    tap(page.locator("label", has_text="position j"))
    assert state(page)["axis"] == "position"
    tap(page.get_by_text("The same as a table"))
    expect(page.locator("details tbody tr")).to_have_count(LENGTH)


def test_keyboard(page: Page) -> None:
    press = page.keyboard.press
    slider = page.get_by_role("slider", name="Query at p")
    press("Tab")
    assert state(page)["scheme"] == "rotary"
    press("ArrowRight")
    assert state(page)["scheme"] == "ALiBi"
    press("Tab")
    press("ArrowRight")
    assert state(page)["position"] == 33
    assert slider.get_attribute("aria-valuetext") == "p = 33"
    press("Home")
    assert state(page)["position"] == 0
    press("End")
    assert state(page)["position"] == 63
    press("Tab")
    press("ArrowUp")
    assert state(page)["head"] == 3
    press("Tab")
    press("ArrowRight")
    assert state(page)["axis"] == "position"
    press("Tab")
    press("Enter")
    expect(page.locator("details tbody tr")).to_have_count(LENGTH)


def test_head_can_be_chosen_for_alibi_alone(page: Page) -> None:
    for scheme in SCHEMES:
        choose(page, scheme=scheme)
        assert page.get_by_label("ALiBi head").is_disabled() == (scheme != "ALiBi")


def test_focus_can_be_seen(page: Page) -> None:
    seen = set()
    # The list can be reached once ALiBi, at the right of rotary, is chosen.
    for key in ("Tab", "ArrowRight", "Tab", "Tab", "Tab", "Tab"):
        page.keyboard.press(key)
        name, style, width = page.evaluate(
            """() => { const element =
                document.querySelector('position-lab').shadowRoot.activeElement;
                const style = getComputedStyle(element);
                return [element.localName, style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
        )
        seen.add(name)
        assert style != "none"
        assert width >= 2
    assert seen == {"input", "select", "summary"}


def test_open_table_follows(page: Page) -> None:
    page.get_by_text("The same as a table").click()
    expect(page.locator("details tbody tr")).to_have_count(LENGTH)
    choose(page, position=3, scheme="none")
    caption = "No positions, query at p = 3; largest change 0.000"
    assert page.get_by_role("table", name=caption).count() == 1


# ------------------------------------------------- every mode, quiet, in time


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width(figure_page: OpenFigure, lab: PositionLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    assert violations(page) == []
    page.get_by_text("The same as a table").click()
    expect(page.locator("details tbody tr")).to_have_count(LENGTH)
    for scheme, axis in (("ALiBi", "position"), ("learned", "distance")):
        choose(page, scheme=scheme, axis=axis)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


BOXES = """selector => [...document.querySelector("position-lab").shadowRoot
    .querySelectorAll(selector)].map(e => e.getBoundingClientRect())
    .map(({left, right, top}) => [left, right, top])"""


@pytest.mark.parametrize("length", [16, 17, 64, 100, 128])
def test_labels_of_the_axes_do_not_touch(figure_page: OpenFigure, length: int) -> None:
    rng = np.random.default_rng(0)
    # Weights near 1 / length, and scores in the hundreds: labels are long at both axes.
    query, key = 30 * rng.normal(size=D_K), 10 * rng.normal(size=D_K)
    page = figure_page(PositionLab(query, key, rng.normal(size=(length, D_K))), mode="phone")
    ((left, _, _),) = page.evaluate(BOXES, ".lab")
    for scheme in SCHEMES:
        for axis in ("position", "distance"):
            choose(page, scheme=scheme, axis=axis)
            places = page.evaluate(BOXES, ".places span")
            assert 3 <= len(places) <= 9
            assert all(one[1] + 3 < following[0] for one, following in pairwise(places))
        for frame in (".score", ".weight"):
            labels = page.evaluate(BOXES, f"{frame} .labels span")
            assert len(labels) >= 2
            assert min(label[0] for label in labels) >= left
            assert min(lower[2] - upper[2] for upper, lower in pairwise(labels[::-1])) >= 12


@pytest.mark.parametrize("mode", ["desktop", "phone"])
def test_figure_keeps_its_height(figure_page: OpenFigure, lab: PositionLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    heights = set()
    for scheme in SCHEMES:
        for position in (0, 63):
            choose(page, scheme=scheme, position=position)
            heights.add(page.locator("position-lab").bounding_box()["height"])
    print("height:", *heights)
    assert len(heights) == 1


def test_on_paper(page: Page) -> None:
    print_out(page)
    for plot in page.locator(".frame .plot").all():
        expect(plot).to_be_visible()
    expect(page.locator(".legend")).to_be_visible()
    expect(page.locator("position-lab > table")).to_be_visible()


def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure, lab: PositionLab) -> None:
    page = figure_page(lab, mode="phone")
    for target in page.locator("#position, label:has([type=radio]), select, summary").all():
        assert target.bounding_box()["height"] >= 24


def test_nothing_moves_by_itself(page: Page) -> None:
    moving = page.evaluate(
        """() => [...document.querySelector('position-lab').shadowRoot.querySelectorAll('*')]
            .filter(e => parseFloat(getComputedStyle(e).transitionDuration) > 0).length"""
    )
    assert moving == 0


def test_step_of_the_slider_takes_a_frame_at_most(figure_page: OpenFigure) -> None:
    """Work out, paint and lay out; most of the tries may be hindered by other work."""
    rng = np.random.default_rng(0)
    page = figure_page(
        PositionLab(rng.normal(size=64), rng.normal(size=64), rng.normal(size=(128, 64)))
    )
    steps = """(scheme) => {
        const lab = document.querySelector("position-lab");
        const slider = lab.shadowRoot.querySelector("#position");
        lab.shadowRoot.querySelector(`input[value='${scheme}']`).click();
        return Array.from({length: 40}, (_, i) => {
            const start = performance.now();
            slider.value = 3 * i;
            slider.dispatchEvent(new Event("input"));
            lab.getBoundingClientRect();
            return performance.now() - start;
        });
    }"""
    for scheme in SCHEMES:
        assert_in_a_frame(page, page.evaluate(steps, scheme))
