"""The gradient lab in a browser: by mouse, finger and keys, its numbers beside NumPy's."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, swipe, tap
from playwright.sync_api import Page, expect
from test_site_browser import violations

from attention import by_hand, gradients
from attention.widgets import GradientLab

pytestmark = pytest.mark.browser

SCORES = np.log([0.6, 0.3, 0.1])
VALUE = np.array([[0, 0], [4, 0], [4, 3.0]])
WANTED = np.array([4, 3.0])
RATE = 0.1


@pytest.fixture(scope="module")
def lab() -> GradientLab:
    return GradientLab("ABC", SCORES, VALUE, WANTED, RATE)


@pytest.fixture
def page(figure_page: OpenFigure, lab: GradientLab) -> Page:
    return figure_page(lab)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('gradient-lab').state")


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def descend(scores: np.ndarray, wanted: np.ndarray, steps: int) -> np.ndarray:
    """Return the scores after so many steps, by the book's own backward pass."""
    for _ in range(steps):
        weights = by_hand.softmax(scores)
        upstream = weights @ VALUE - wanted
        scores = scores - RATE * gradients.softmax_gradient(weights, VALUE @ upstream)
    return scores


def check(page: Page, scores: np.ndarray, wanted: np.ndarray = WANTED) -> dict:
    """Assert that the page's numbers are NumPy's for these scores, and say what it shows."""
    shown = state(page)
    weights = by_hand.softmax(scores)
    output = weights @ VALUE
    upstream = output - wanted
    gradient = gradients.softmax_gradient(weights, VALUE @ upstream)
    expected = {
        "scores": scores,
        "weights": weights,
        "output": output,
        "wanted": wanted,
        "upstream": upstream,
        "loss": (upstream**2).sum() / 2,
        "helps": -(VALUE - output) @ upstream,
        "gradient": gradient,
        "rise": -gradient,
        "after": by_hand.softmax(scores - RATE * gradient),
    }
    for name, numbers in expected.items():
        np.testing.assert_allclose(shown[name], numbers, rtol=0, atol=1e-6, err_msg=name)
    return shown


def drag(page: Page, right: float, down: float) -> None:
    x, y = centre(page)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + right, y + down, steps=5)
    page.mouse.up()


def centre(page: Page) -> tuple[float, float]:
    box = page.locator(".reach").bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


# ------------------------------------------------------------------- numbers


def test_step_by_step_as_in_numpy(page: Page) -> None:
    check(page, SCORES)
    press(page, "Take a step")
    check(page, descend(SCORES, WANTED, 1))
    press(page, "20 steps")
    shown = check(page, descend(SCORES, WANTED, 21))
    assert (shown["steps"], len(shown["trail"])) == (21, 21)
    np.testing.assert_allclose(shown["trail"][0], by_hand.softmax(SCORES) @ VALUE, atol=1e-6)
    np.testing.assert_allclose(
        shown["trail"][20], by_hand.softmax(descend(SCORES, WANTED, 20)) @ VALUE, atol=1e-6
    )


def test_other_sizes(figure_page: OpenFigure) -> None:
    """The page's own step from NumPy's backward pass through a whole attention."""
    rng = np.random.default_rng(2)
    for keys in (2, 8):
        key, value = rng.normal(size=(2, keys, 2))
        query, wanted = rng.normal(size=(2, 2))
        tokens = [f"key {i}" for i in range(keys)]
        page = figure_page(GradientLab(tokens, key @ query, value, wanted, rate=0.7))
        shown = state(page)
        upstream = np.array(shown["upstream"])
        d_query, _, _ = gradients.attention_gradient(
            query[None], key, value, upstream[None], scale=1
        )
        np.testing.assert_allclose(np.array(shown["gradient"]) @ key, d_query[0], atol=1e-6)
        assert sum(shown["gradient"]) == pytest.approx(0, abs=1e-12)
        page.context.close()


@pytest.mark.parametrize("lead", [0, 7, 30])
def test_a_lead_saturates(page: Page, lead: int) -> None:
    page.locator("#lead").fill(str(lead))
    start = SCORES + lead * np.array([1, 0, 0])
    check(page, start)
    press(page, "20 steps")
    shown = check(page, descend(start, WANTED, 20))
    moved = np.linalg.norm(np.array(shown["output"]) - shown["trail"][0])
    print(f"lead {lead}: the output moved by {moved:.3g}")
    if lead == 0:
        assert moved > 2
    if lead == 30:
        # NumPy's gradient is as small: it is the softmax's doing, not the page's.
        assert 0 < shown["rise"][2] < 1e-12
        assert moved < 1e-10
        expect(page.get_by_role("status")).to_contain_text("weight is 1.6 × 10⁻¹⁴")


def test_outside_the_hull_the_output_stops_at_its_edge(page: Page) -> None:
    for _ in range(7):
        page.locator(".handle").press("Shift+ArrowDown")
    wanted = np.array(state(page)["wanted"])
    assert wanted[1] < 0
    for _ in range(20):
        press(page, "20 steps")
    shown = check(page, descend(SCORES, wanted, 400), wanted)
    assert len(shown["trail"]) == 400
    assert 0 <= shown["output"][1] < 0.1


# ------------------------------------------------------------- what is shown


def test_what_is_said(page: Page) -> None:
    status = page.get_by_role("status")
    expect(status).to_have_text(
        "No step taken yet, loss 6.52. The score of “B” rises most, by 1.48 times the rate: its "
        "value helps by 4.95 more than the average does, and it has the weight 0.300. “C” would "
        "help more, by 13.05, but its weight is 0.100."
    )
    press(page, "Take a step")
    expect(status).to_contain_text("1 step taken, loss ")
    press(page, "20 steps")
    expect(status).to_contain_text("21 steps taken, loss ")
    expect(status).to_contain_text("No other value would help more.")


def test_an_output_where_it_is_wanted(figure_page: OpenFigure) -> None:
    page = figure_page(GradientLab("AB", np.zeros(2), VALUE[:2], np.array([2.0, 0])))
    expect(page.get_by_role("status")).to_have_text(
        "No step taken yet, loss 0.00. The output is where it is wanted."
    )
    assert "NaN" not in page.evaluate("document.querySelector('gradient-lab').shadowRoot.innerHTML")
    press(page, "20 steps")
    assert state(page)["scores"] == [0, 0]


def test_equal_values_are_drawn_too(figure_page: OpenFigure) -> None:
    page = figure_page(GradientLab("AB", np.zeros(2), np.ones((2, 2)), np.ones(2)))
    html = page.evaluate("document.querySelector('gradient-lab').shadowRoot.innerHTML")
    assert "NaN" not in html
    assert "Infinity" not in html


def test_what_is_written_is_the_state(page: Page) -> None:
    press(page, "Take a step")
    shown = state(page)
    page.get_by_text("The same as a table").click()
    rows = page.locator("details tbody tr")
    expect(rows).to_have_count(3)
    for i, row in enumerate(rows.all_inner_texts()):
        cells = row.replace("−", "-").split("\t")
        names = ("scores", "helps", "weights", "rise", "after")
        written = [f"{shown[name][i]:.{4 + 2 * (name[0] in 'wa')}f}" for name in names]
        assert cells[2:] == written
        drawn = page.locator(".row").nth(i + 1).inner_text().replace("−", "-")
        for name, digits in (("helps", 2), ("weights", 3), ("rise", 2), ("after", 3)):
            assert f"{shown[name][i]:.{digits}f}" in drawn
    page.locator("#lead").fill("3")
    expect(page.get_by_role("table", name="Steps: 0, lead 3; output")).to_be_visible()


def test_drawing_is_true(page: Page) -> None:
    press(page, "Take a step")
    drawn = page.evaluate(
        """() => {
            const lab = document.querySelector("gradient-lab");
            const part = (bar, length) => length / bar.parentElement.clientWidth;
            const mark = lab.mark.transform.baseVal[0].matrix;
            return {
                bars: lab.rows.map(({ riseBar: bar }) => part(bar, bar.offsetWidth)),
                down: lab.rows.map(({ riseBar: bar }) => bar.classList.contains("down")),
                next: lab.rows.map(({ next }) => part(next, next.offsetLeft + 1)),
                limit: lab.limits.rise,
                output: [mark.e / lab.plane.unit + lab.plane.left,
                         lab.plane.top - mark.f / lab.plane.unit],
                trail: lab.trailLine.getAttribute("d").split("L").length,
            };
        }"""
    )
    shown = state(page)
    rise = np.array(shown["rise"])
    assert np.abs(rise).max() < drawn["limit"]
    np.testing.assert_allclose(drawn["bars"], np.abs(rise) / drawn["limit"] / 2, atol=0.02)
    np.testing.assert_array_equal(drawn["down"], rise < 0)
    np.testing.assert_allclose(drawn["next"], shown["after"], atol=0.02)
    np.testing.assert_allclose(drawn["output"], shown["output"], atol=0.01)
    assert drawn["trail"] == 2


# ---------------------------------------------------- mouse, finger, keyboard


def test_mouse_and_reset(page: Page) -> None:
    drag(page, -120, 90)
    wanted = np.array(state(page)["wanted"])
    assert (wanted < WANTED - 1).all()
    check(page, SCORES, wanted)
    press(page, "20 steps")
    check(page, descend(SCORES, wanted, 20), wanted)
    # The trail stays while one drags.
    drag(page, 30, -20)
    assert len(state(page)["trail"]) == 20
    page.locator("#lead").fill("5")
    assert state(page)["trail"] == []
    press(page, "Reset")
    shown = check(page, SCORES)
    assert (shown["lead"], shown["steps"], shown["trail"]) == (0, 0, [])
    assert page.locator("#lead").input_value() == "0"


def test_finger(figure_page: OpenFigure, lab: GradientLab) -> None:
    page = figure_page(lab, mode="phone")
    swipe(page, *centre(page), -60, 60)
    wanted = np.array(state(page)["wanted"])
    assert (wanted < WANTED - 0.5).all()
    assert page.evaluate("scrollY") == 0
    tap(page.get_by_role("button", name="Take a step"))
    check(page, descend(SCORES, wanted, 1), wanted)
    page.locator("#lead").tap(position={"x": 100, "y": 18})
    assert 5 < state(page)["lead"] < 25


def test_keyboard(page: Page) -> None:
    keys = page.keyboard
    keys.press("Tab")
    wanted = page.get_by_role("slider", name="wanted output")
    expect(wanted).to_be_focused()
    keys.press("ArrowLeft")
    keys.press("Shift+ArrowDown")
    assert state(page)["wanted"] == [3.9, 2.5]
    assert wanted.get_attribute("aria-valuetext") == "3.90 across, 2.50 up"
    for name, steps in (("Take a step", 1), ("20 steps", 21), ("Reset", 0)):
        keys.press("Tab")
        expect(page.get_by_role("button", name=name)).to_be_focused()
        keys.press("Enter")
        assert state(page)["steps"] == steps
    keys.press("Tab")
    keys.press("End")
    assert state(page)["lead"] == 30


# ------------------------------------------------- every mode, quiet, in time


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width(figure_page: OpenFigure, lab: GradientLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    page.get_by_text("The same as a table").click()
    expect(page.locator("details tbody tr")).to_have_count(3)
    page.locator("#lead").fill("30")
    press(page, "20 steps")
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("mode", ["phone", pytest.param("desktop", marks=pytest.mark.slow)])
def test_keeps_its_height(figure_page: OpenFigure, lab: GradientLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    heights = set()
    for lead in ("0", "10", "30"):
        page.locator("#lead").fill(lead)
        for _ in range(2):
            heights.add(page.locator("gradient-lab").bounding_box()["height"])
            press(page, "20 steps")
    print("height:", *heights)
    assert len(heights) == 1


def test_on_paper(page: Page) -> None:
    print_out(page)
    expect(page.locator(".plane")).to_be_visible()
    expect(page.locator("gradient-lab > table")).to_be_visible()


def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure, lab: GradientLab) -> None:
    page = figure_page(lab, mode="phone")
    for target in page.locator(".reach, #lead, button, summary").all():
        assert target.bounding_box()["height"] >= 24


def test_many_steps_take_a_frame_at_most(figure_page: OpenFigure) -> None:
    """Work out, paint and lay out; most of the tries may be hindered by other work."""
    rng = np.random.default_rng(0)
    tokens = [f"key {i}" for i in range(8)]
    page = figure_page(GradientLab(tokens, *(rng.normal(size=s) for s in ((8,), (8, 2), (2,)))))
    milliseconds = page.evaluate(
        """() => {
            const lab = document.querySelector("gradient-lab");
            return Array.from({length: 40}, () => {
                const start = performance.now();
                lab.advance(20);
                lab.getBoundingClientRect();
                return performance.now() - start;
            });
        }"""
    )
    assert_in_a_frame(page, milliseconds)
