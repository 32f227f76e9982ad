"""The scaling lab in a browser: operated by mouse, finger and keys, compared with NumPy."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Page, expect
from test_site_browser import violations

from attention import by_hand
from attention.widgets import ScalingLab
from attention.widgets.scaling_lab import SCALES, SHOWN

pytestmark = pytest.mark.browser

QUERIES, KEYS, WIDEST = 200, 8, 512
RNG = np.random.default_rng(3)
QUERY = RNG.normal(size=(QUERIES, WIDEST))
KEY = RNG.normal(size=(QUERIES, KEYS, WIDEST))


@pytest.fixture(scope="module")
def lab() -> ScalingLab:
    return ScalingLab(QUERY, KEY)


@pytest.fixture
def page(figure_page: OpenFigure, lab: ScalingLab) -> Page:
    return figure_page(lab)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('scaling-lab').state")


def wait_for_tables(page: Page) -> None:
    """They are made a moment after the fold has opened."""
    page.get_by_role("table").nth(2).wait_for()


def measured(query: np.ndarray, key: np.ndarray, scale: float) -> dict:
    """Return the same numbers by NumPy, for one query or for all of them."""
    scores = scale * (key @ query[..., None])[..., 0]  # (..., keys)
    weights = by_hand.softmax(scores)  # (..., keys)
    jacobian = by_hand.softmax_jacobian(weights)  # (..., keys, keys)
    return {
        "scores": scores,
        "weights": weights,
        "spread": scores.std(),
        "entropy": by_hand.entropy(weights).mean(),
        "jacobian": np.linalg.norm(jacobian, axis=(-2, -1)).mean(),
        "derivative": np.linalg.norm(scale * jacobian @ key, axis=(-2, -1)).mean(),
    }


# ------------------------------------------------------------------- numbers


# All that the slider and the button can show, in one question to the page.
EVERY_STATE = """widths => {
    const lab = document.querySelector("scaling-lab");
    const slider = lab.shadowRoot.getElementById("width");
    const next = [...lab.shadowRoot.querySelectorAll("button")].find(
        (button) => button.textContent === "Next query");
    return Array.from({ length: widths }, (_, i) => {
        slider.value = i;
        slider.dispatchEvent(new Event("input"));
        return Array.from({ length: SHOWN }, () => {
            const { state } = lab;
            next.click();
            return state;
        });
    });
}""".replace("SHOWN", str(SHOWN))


@pytest.mark.parametrize("scale", SCALES)
def test_numbers_are_those_of_numpy(page: Page, scale: str) -> None:
    page.locator(f"input[value='{scale}']").check()
    for i, states in enumerate(page.evaluate(EVERY_STATE, 10)):
        d_k = 2**i
        for n, shown in enumerate(states):
            mean = shown["mean"]
            assert (shown["d_k"], shown["scale"], shown["query"]) == (d_k, scale, n + 1)
            factor = d_k ** SCALES[scale]
            one = measured(QUERY[n, :d_k], KEY[n, :, :d_k], factor)
            for name, expected in one.items():
                np.testing.assert_allclose(shown[name], expected, atol=1e-6)
            if n == 0:
                every = measured(QUERY[:, :d_k], KEY[..., :d_k], factor)
                for name in ("spread", "entropy", "jacobian", "derivative"):
                    assert mean[name] == pytest.approx(every[name], abs=1e-6)


def test_jacobian_of_a_saturated_softmax_is_a_number(page: Page) -> None:
    """A short form of the norm cancels to a negative square here."""
    norm = "import('/widgets/scaling-lab.js').then(m => m.jacobianNorm([1 - 1e-16, 1e-16, 0]))"
    assert 0 <= page.evaluate(norm) < 1e-6


def test_what_is_written_is_the_state(page: Page) -> None:
    shown = state(page)
    page.get_by_text("The same as a table").click()
    wait_for_tables(page)
    text = " ".join(page.locator(".lab, .tables").all_inner_texts()).replace("−", "-")
    for score, weight in zip(shown["scores"], shown["weights"], strict=True):
        assert f"{score:.2f}" in text
        assert f"{score:.4f}" in text
        assert f"{weight:.6f}" in text
    for name in ("spread", "entropy", "jacobian", "derivative"):
        for number in (shown[name], shown["mean"][name]):
            assert f"{number:.3f}" in text
            assert f"{number:.4f}" in text
    status = page.get_by_role("status").inner_text()
    assert status.startswith("Query 1, dk = 64, no scale: key ")
    assert f"{max(shown['weights']):.3f}" in status
    assert f"{shown['entropy']:.2f} of at most {np.log(KEYS):.2f} nats" in status


def test_bars_are_as_long_as_the_numbers(page: Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.locator("#width").fill("4")
    lengths = page.evaluate(
        """() => [...document.querySelector('scaling-lab').shadowRoot.querySelectorAll('.bar')]
            .map(bar => bar.getBoundingClientRect().width / bar.parentElement.clientWidth)"""
    )
    shown = state(page)
    limit = page.evaluate("document.querySelector('scaling-lab').limit")
    assert max(np.abs(shown["scores"])) < limit
    np.testing.assert_allclose(lengths[::2], np.abs(shown["scores"]) / limit / 2, atol=0.003)
    np.testing.assert_allclose(lengths[1::2], shown["weights"], atol=0.003)


def test_a_score_beyond_the_axis_ends_in_an_arrow(page: Page) -> None:
    limit = page.evaluate("document.querySelector('scaling-lab').limit")
    page.locator("#width").fill("9")
    beyond = 0
    for _ in range(SHOWN):
        expected = sum(abs(score) >= limit for score in state(page)["scores"])
        assert page.locator(".beyond").count() == expected
        beyond += expected
        page.get_by_role("button", name="Next query").click()
    assert beyond > 0


def test_equal_keys_are_drawn_too(figure_page: OpenFigure) -> None:
    page = figure_page(ScalingLab(np.ones((1, 4)), np.ones((1, 2, 4))))
    assert state(page)["weights"] == [0.5, 0.5]
    assert "NaN" not in page.evaluate("document.querySelector('scaling-lab').shadowRoot.innerHTML")


# ---------------------------------------------------- mouse, finger, keyboard


def test_mouse(page: Page) -> None:
    slider = page.get_by_role("slider")
    box = slider.bounding_box()
    page.mouse.click(box["x"] + box["width"] - 4, box["y"] + box["height"] / 2)
    assert state(page)["d_k"] == 512
    page.mouse.down()
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2, steps=5)
    page.mouse.up()
    assert state(page)["d_k"] == 1
    page.locator("label", has_text="1/√d").click()
    assert state(page)["scale"] == "1/√d_k"
    page.get_by_text("Next query").click()
    assert state(page)["query"] == 2


def test_finger(figure_page: OpenFigure, lab: ScalingLab) -> None:
    page = figure_page(lab, mode="phone")
    slider = page.get_by_role("slider")
    slider.tap(position={"x": 4, "y": 18})
    assert state(page)["d_k"] == 1
    tap(page.locator("label", has_text="1/d"))
    assert state(page)["scale"] == "1/d_k"
    tap(page.get_by_role("button", name="Next query"))
    assert state(page)["query"] == 2
    tap(page.get_by_text("The same as a table"))
    wait_for_tables(page)


def test_keyboard(page: Page) -> None:
    press = page.keyboard.press
    slider = page.get_by_role("slider", name="dk")
    assert slider.get_attribute("aria-valuetext") == "d_k = 64"
    press("Tab")
    press("ArrowRight")
    assert state(page)["d_k"] == 128
    press("Home")
    assert state(page)["d_k"] == 1
    press("End")
    assert slider.get_attribute("aria-valuetext") == "d_k = 512"
    press("Tab")
    press("ArrowRight")
    assert state(page)["scale"] == "1/√d_k"
    press("ArrowRight")
    assert state(page)["scale"] == "1/d_k"
    press("Tab")
    for query in [*range(2, SHOWN + 1), 1]:
        press("Enter")
        assert state(page)["query"] == query
    press("Tab")
    press("Enter")
    wait_for_tables(page)


def test_focus_can_be_seen(page: Page) -> None:
    for _ in range(4):
        page.keyboard.press("Tab")
        style, width = page.evaluate(
            """() => { const style = getComputedStyle(
                document.querySelector('scaling-lab').shadowRoot.activeElement);
                return [style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
        )
        assert style != "none"
        assert width >= 2


def test_open_table_follows(page: Page) -> None:
    page.get_by_text("The same as a table").click()
    wait_for_tables(page)
    page.locator("#width").fill("3")
    assert page.get_by_role("table", name="Query 1, d_k = 8, no scale").count() == 1
    spread = f"{state(page)['mean']['spread']:.4f}"
    assert page.get_by_role("row", name="std of the scores").first.inner_text().endswith(spread)


# ------------------------------------------------- every mode, quiet, in time


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width(figure_page: OpenFigure, lab: ScalingLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    page.get_by_text("The same as a table").click()
    wait_for_tables(page)
    for width in ("9", "6"):
        page.locator("#width").fill(width)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("mode", ["desktop", "phone"])
def test_plots_stand_level(figure_page: OpenFigure, lab: ScalingLab, mode: str) -> None:
    page = figure_page(lab, mode=mode)
    tops = [plot.bounding_box()["y"] for plot in page.locator(".plot").all()]
    assert len(set(tops)) == {"desktop": 1, "phone": 2}[mode]


def test_labels_of_the_axes_are_not_cut_off(figure_page: OpenFigure) -> None:
    # The smaller the vectors, the longer the numbers at the axes.
    page = figure_page(ScalingLab(1e-4 * QUERY, KEY))
    assert page.locator(".plot text").evaluate_all(
        """texts => texts.every(text => {
            const plot = text.ownerSVGElement.viewBox.baseVal, label = text.getBBox();
            return label.x >= 0 && label.x + label.width <= plot.width + 1;
        })"""
    )
    assert "0.0001" in page.locator(".plot text").all_text_contents()


def test_on_paper(page: Page) -> None:
    print_out(page)
    expect(page.locator(".plot").first).to_be_visible()
    # What the dashes of the curves are has to be seen, and the numbers of the curves.
    expect(page.get_by_text("Scale", exact=True)).to_be_visible()
    expect(page.locator("scaling-lab > table")).to_be_visible()


def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure, lab: ScalingLab) -> None:
    page = figure_page(lab, mode="phone")
    for target in page.locator("#width, label:has([type=radio]), button, summary").all():
        assert target.bounding_box()["height"] >= 24


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", "0s"), ("no-preference", "0.12s")])
def test_reduced_motion_is_respected(page: Page, motion: str, seconds: str) -> None:
    page.emulate_media(reduced_motion=motion)
    durations = page.locator(".moves").evaluate_all(
        "all => all.map(e => getComputedStyle(e).transitionDuration)"
    )
    assert set(durations) == {seconds}


def test_step_of_the_slider_takes_a_frame_at_most(page: Page) -> None:
    """Work out, paint and lay out; most of the tries may be hindered by other work."""
    milliseconds = page.evaluate(
        """() => {
            const lab = document.querySelector("scaling-lab");
            const slider = lab.shadowRoot.querySelector("#width");
            return Array.from({length: 40}, (_, i) => {
                const start = performance.now();
                slider.value = i % 10;
                slider.dispatchEvent(new Event("input"));
                lab.getBoundingClientRect();
                return performance.now() - start;
            });
        }"""
    )
    assert_in_a_frame(page, milliseconds)
