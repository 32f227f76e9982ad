"""The attention lab in a browser: by mouse, finger and keys, its numbers beside NumPy's."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, swipe, tap
from playwright.sync_api import Page, expect
from test_site_browser import violations

from attention import by_hand
from attention.widgets import AttentionLab

pytestmark = pytest.mark.browser

TOKENS = ["She", "went", "to", "the", "market"]
# So that the scaled scores are 2, 0, 1, 0 and 3.
QUERY = np.sqrt(2) * np.array([1.0, 2.0])
KEY = np.array([[2, 0], [-2, 1], [-1, 1], [0, 0], [1, 1.0]])
VALUE = np.array([[0, 4], [2, 2], [4, 2], [0, 0], [6, 0.0]])


@pytest.fixture(scope="module")
def lab() -> AttentionLab:
    return AttentionLab(TOKENS, QUERY, KEY, VALUE)


@pytest.fixture
def page(figure_page: OpenFigure, lab: AttentionLab) -> Page:
    return figure_page(lab)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('attention-lab').state")


def check(page: Page) -> dict:
    """Assert that all numbers are those of NumPy for the points as they are now."""
    shown = state(page)
    query, key, value = (np.array(shown[name], float) for name in ("query", "keys", "values"))
    if shown["byHand"]:
        assert shown["scores"] is None
        weights = by_hand.softmax(np.array(shown["scaled"], float))
        output = weights @ value
    else:
        output, weights = by_hand.scaled_dot_product_attention(query[None], key, value)
        output, weights = output[0], weights[0]
        np.testing.assert_allclose(shown["scores"], key @ query, atol=1e-6)
        np.testing.assert_allclose(shown["scaled"], key @ query / np.sqrt(2), atol=1e-6)
    np.testing.assert_allclose(shown["weights"], weights, atol=1e-6)
    np.testing.assert_allclose(shown["output"], output, atol=1e-6)
    return shown


def centre(page: Page, point: str) -> tuple[float, float]:
    box = page.locator(f"[data-point='{point}'] .reach").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def drag(page: Page, point: str, right: float, down: float) -> None:
    x, y = centre(page, point)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def score(page: Page, i: int, number: float) -> None:
    page.locator(f"[data-score='{i}']").fill(str(number))


# ------------------------------------------------------------------- numbers


def test_numbers_are_those_of_numpy(figure_page: OpenFigure) -> None:
    rng = np.random.default_rng(5)
    for keys, size in ((2, 0.01), (3, 5), (8, 1)):
        tokens = [f"word {i}" for i in range(keys)]
        points = (size * rng.normal(size=shape) for shape in ((2,), (keys, 2), (keys, 2)))
        page = figure_page(AttentionLab(tokens, *points))
        check(page)
        for point in ("query", "key 1", "value 0"):
            drag(page, point, *rng.integers(-60, 60, size=2).tolist())
            check(page)


def test_it_starts_as_it_was_given(page: Page) -> None:
    shown = check(page)
    np.testing.assert_allclose(shown["scaled"], [2, 0, 1, 0, 3], atol=1e-9)
    assert not shown["byHand"]
    weight = by_hand.softmax(np.array([2.0, 0, 1, 0, 3]))[0]
    expect(page.get_by_role("status")).to_have_text(
        "“She” has the score 2.83, scaled 2.00. Its exponential is 7.39 of 32.19 in all, so its "
        f"weight is {weight:.3f}; “market” has 2.7 times as much, because its scaled score is "
        "1.00 higher. The mix is (4.14, 1.15)."
    )


def test_prediction_of_the_chapter(page: Page) -> None:
    """Whatever two scores are, the weights are as the exponential of their difference."""
    for higher, lower in ((3, 1), (5, 3), (-1, -3)):
        for i in range(5):
            score(page, i, -6)
        score(page, 4, higher)
        score(page, 2, lower)
        shown = check(page)
        assert shown["weights"][4] / shown["weights"][2] == pytest.approx(np.exp(2))
        expect(page.get_by_role("status")).to_contain_text(
            "“market” has 7.4 times as much, because its scaled score is 2.00 higher."
        )


def test_mix_is_inside_the_hull_and_the_hull_is_convex(page: Page) -> None:
    hull = "points => import('/widgets/plane.js').then(m => m.hull(points))"
    rng = np.random.default_rng(1)
    for points in (
        *(rng.integers(-3, 4, size=(n, 2)) for n in (3, 4, 5, 8, 20)),
        np.array([[0, 0], [1, 1], [2, 2]]),
        np.ones((3, 2)),
    ):
        corners = np.array(page.evaluate(hull, points.tolist()))
        given = {tuple(point) for point in points.tolist()}
        assert {tuple(corner) for corner in corners.tolist()} <= given
        along = np.roll(corners, -1, axis=0) - corners
        for point in (*points, by_hand.softmax(rng.normal(size=len(points))) @ points):
            to = point - corners
            assert (along[:, 0] * to[:, 1] - along[:, 1] * to[:, 0] >= -1e-12).all()
        if len(corners) > 2:  # no corner lies on an edge
            following = np.roll(along, -1, axis=0)
            assert (along[:, 0] * following[:, 1] - along[:, 1] * following[:, 0] > 0).all()


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0.00"),
        (0.25, "0.25"),
        (-31.246, "−31.25"),
        (123456, "1.2 × 10⁵"),
        (1.3e-13, "1.3 × 10⁻¹³"),
        (-4e-5, "−4.0 × 10⁻⁵"),
    ],
)
def test_tiny_and_huge_numbers(page: Page, number: float, text: str) -> None:
    magnitude = "number => import('/widgets/plane.js').then(m => m.magnitude(number))"
    assert page.evaluate(magnitude, number) == text


def test_what_is_written_is_the_state(page: Page) -> None:
    drag(page, "query", -40, 30)
    shown = check(page)
    page.get_by_text("The same as a table").click()
    rows = page.locator("details tbody tr")
    expect(rows).to_have_count(6)
    for i, row in enumerate(rows.all_inner_texts()[:-1]):
        cells = row.replace("−", "-").split("\t")
        assert cells[0] == TOKENS[i]
        assert cells[2:5] == [
            f"{shown['scores'][i]:.4f}",
            f"{shown['scaled'][i]:.4f}",
            f"{shown['weights'][i]:.6f}",
        ]
        written = page.locator(".row").nth(i + 1).inner_text().replace("−", "-")
        for number in (f"{shown['scores'][i]:.2f}", f"{shown['weights'][i]:.3f}"):
            assert number in written
    across, up = (f"{number:.2f}" for number in shown["output"])
    expect(page.locator(".result")).to_have_text(f"({across}, {up})")


def test_drawing_is_true(page: Page) -> None:
    """Discs have the area of the weights, bars their length, the mix stands where it is."""
    drawn = page.evaluate(
        """() => {
            const lab = document.querySelector("attention-lab");
            const all = (selector) => [...lab.shadowRoot.querySelectorAll(selector)];
            const mix = lab.mark.transform.baseVal[0].matrix;
            return {
                radii: lab.valueDiscs.map((disc) => disc.r.baseVal.value),
                bars: all(".bar").map((bar) => bar.offsetWidth / bar.parentElement.clientWidth),
                mix: [mix.e / lab.answering.unit + lab.answering.left,
                      lab.answering.top - mix.f / lab.answering.unit],
            };
        }"""
    )
    shown = state(page)
    areas = (np.array(drawn["radii"]) / 20) ** 2
    np.testing.assert_allclose(areas, np.maximum(shown["weights"], 0.0225), rtol=1e-3)
    np.testing.assert_allclose(drawn["bars"], shown["weights"], atol=0.02)
    np.testing.assert_allclose(drawn["mix"], shown["output"], atol=0.01)


# ---------------------------------------------------- mouse, finger, keyboard


def test_mouse_moves_every_point(page: Page) -> None:
    drag(page, "query", 60, -20)
    drag(page, "key 4", -100, 50)
    drag(page, "value 1", 30, 40)
    shown = check(page)
    assert shown["query"][0] > QUERY[0] + 1
    assert shown["keys"][4][0] < KEY[4][0] - 2
    assert shown["values"][1][1] < VALUE[1][1] - 0.5
    assert shown["chosen"] == 1
    # What is dragged beyond the edge stays in sight.
    drag(page, "value 4", 900, 900)
    x, y = centre(page, "value 4")
    box = page.locator(".plane").nth(1).bounding_box()
    assert box["x"] < x < box["x"] + box["width"]
    assert box["y"] < y < box["y"] + box["height"]
    page.get_by_role("button", name="Reset").click()
    shown = check(page)
    for name, expected in (("query", QUERY), ("keys", KEY), ("values", VALUE)):
        np.testing.assert_allclose(shown[name], expected, atol=1e-6)


def test_scores_by_hand_and_back(page: Page) -> None:
    again = page.get_by_role("button", name="Dot products again")
    expect(again).to_be_hidden()
    score(page, 2, 5)
    shown = check(page)
    np.testing.assert_allclose(shown["scaled"], [2, 0, 5, 0, 3], atol=1e-6)
    assert shown["byHand"]
    expect(page.get_by_text("not in use: scores by hand")).to_be_visible()
    expect(page.get_by_role("status")).to_contain_text("“to” has the scaled score 5.00, set by")
    again.click()
    np.testing.assert_allclose(check(page)["scaled"], [2, 0, 1, 0, 3], atol=1e-6)
    score(page, 2, 5)
    # A value may move meanwhile; a query or a key that moves makes the scores again.
    drag(page, "value 3", 20, 0)
    assert check(page)["byHand"]
    drag(page, "key 0", 10, 0)
    assert not check(page)["byHand"]


def test_finger_moves_a_point_and_scrolls_elsewhere(
    figure_page: OpenFigure, lab: AttentionLab
) -> None:
    page = figure_page(lab, mode="phone")
    swipe(page, *centre(page, "key 3"), 40, -60)
    assert check(page)["keys"][3] == [1.2, 1.8]
    assert page.evaluate("scrollY") == 0
    box = page.locator(".plane").first.bounding_box()
    swipe(page, box["x"] + box["width"] - 15, box["y"] + box["height"] - 30, 0, -120)
    page.wait_for_function("scrollY > 60")
    assert check(page)["keys"][3] == [1.2, 1.8]
    page.locator("[data-score='4']").tap(position={"x": 4, "y": 16})
    assert check(page)["scaled"][4] < -5
    tap(page.get_by_role("button", name="Reset"))
    np.testing.assert_allclose(check(page)["scaled"], [2, 0, 1, 0, 3], atol=1e-6)


def test_keyboard(page: Page) -> None:
    press = page.keyboard.press
    press("Tab")
    query = page.get_by_role("slider", name="query", exact=True)
    expect(query).to_be_focused()
    press("ArrowRight")
    press("Shift+ArrowDown")
    assert check(page)["query"] == [1.5, 2.3]
    assert query.get_attribute("aria-valuetext") == "1.50 across, 2.30 up"
    press("Enter")
    expect(page.get_by_role("slider", name="key of She", exact=True)).to_be_focused()
    press("ArrowLeft")
    assert check(page)["keys"][0] == [1.9, 0]
    press("PageUp")
    press("PageUp")
    expect(page.get_by_role("slider", name="key of market")).to_be_focused()
    assert state(page)["chosen"] == 4
    # Each plane is one stop.
    press("Tab")
    expect(page.get_by_role("slider", name="value of She")).to_be_focused()
    press("ArrowUp")
    assert check(page)["values"][0] == [0, 4.1]
    press("Tab")
    expect(page.get_by_role("button", name="Reset")).to_be_focused()
    press("Tab")
    press("End")
    assert check(page)["scaled"][0] == 6
    press("Shift+Tab")
    press("Enter")  # scores from query and keys again
    assert not check(page)["byHand"]
    expect(page.get_by_role("button", name="Reset")).to_be_focused()


def test_focus_can_be_seen(page: Page) -> None:
    for _ in range(5):
        page.keyboard.press("Tab")
        width = page.evaluate(
            """() => {
                const element = document.querySelector('attention-lab').shadowRoot.activeElement;
                const ring = element.querySelector(".reach");
                const style = getComputedStyle(ring ?? element);
                return parseFloat(ring ? style.strokeWidth : style.outlineWidth);
            }"""
        )
        assert width >= 2


# ------------------------------------------------- every mode, quiet, in time


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width(figure_page: OpenFigure, lab: AttentionLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    page.get_by_text("The same as a table").click()
    expect(page.locator("details tbody tr")).to_have_count(6)
    assert violations(page) == []
    score(page, 0, 5)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("mode", ["phone", pytest.param("desktop", marks=pytest.mark.slow)])
def test_keeps_its_height(figure_page: OpenFigure, lab: AttentionLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    heights = set()
    for i in range(3):
        score(page, i, 6 - i)
        heights.add(page.locator("attention-lab").bounding_box()["height"])
        page.get_by_role("button", name="Dot products again").click()
        heights.add(page.locator("attention-lab").bounding_box()["height"])
    print("height:", *heights)
    assert len(heights) == 1


def test_on_paper(page: Page) -> None:
    print_out(page)
    expect(page.locator(".plane").first).to_be_visible()
    expect(page.locator("attention-lab > table")).to_be_visible()


def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure, lab: AttentionLab) -> None:
    page = figure_page(lab, mode="phone")
    for target in page.locator(".reach, [data-score], button, summary").all():
        if target.is_visible():
            assert target.bounding_box()["height"] >= 24


def test_a_move_takes_a_frame_at_most(figure_page: OpenFigure) -> None:
    """Work out, paint and lay out; most of the tries may be hindered by other work."""
    rng = np.random.default_rng(0)
    points = (rng.normal(size=shape) for shape in ((2,), (8, 2), (8, 2)))
    page = figure_page(AttentionLab([f"word {i}" for i in range(8)], *points))
    milliseconds = page.evaluate(
        """() => {
            const lab = document.querySelector("attention-lab");
            return Array.from({length: 40}, (_, i) => {
                const start = performance.now();
                lab.asking.move("query", [Math.cos(i), Math.sin(i)]);
                lab.getBoundingClientRect();
                return performance.now() - start;
            });
        }"""
    )
    assert_in_a_frame(page, milliseconds)
