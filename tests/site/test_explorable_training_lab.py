"""The training lab in a browser: operated by mouse, finger and keys, compared with NumPy."""

from collections.abc import Callable

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Page, expect
from test_site_browser import violations
from tests.fake_training import train

from attention.widgets import TrainingLab
from attention.widgets.training_run import written
from attention.widgets.watching import Part, watch

pytestmark = pytest.mark.browser

SENTENCE = ["She", "went", "to", "the", "market"]
LETTERS = list("bdafbcegdfabcegdhfabcegd")
FRAMES = list(train(5, frames=40, maps=("weights",)))


@pytest.fixture(scope="module")
def lab() -> TrainingLab:
    return TrainingLab(FRAMES, SENTENCE, title="A fake training", label="rate 0.1")


@pytest.fixture(scope="module")
def two_runs() -> TrainingLab:
    other = TrainingLab(train(24, 20, ("layer 0",), seed=2), LETTERS, label="one layer")
    return TrainingLab(train(24), LETTERS, label="two layers", beside=other)


@pytest.fixture
def page(figure_page: OpenFigure, lab: TrainingLab) -> Page:
    return figure_page(lab)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('training-lab').state")


def button(page: Page, name: str):
    return page.get_by_role("button", name=name)


def shows(page: Page, i: int) -> None:
    """Assert that frame i is shown: its numbers, and its weights to the hundredth."""
    shown, frame = state(page), FRAMES[i]
    assert (shown["step"], shown["index"]) == (frame.step, i)
    assert shown["loss"] == pytest.approx(frame.loss, rel=1e-3)
    assert shown["accuracy"] == pytest.approx(frame.accuracy, abs=1e-4)
    hundredths = np.round(100 * frame.maps["weights"]).ravel()
    np.testing.assert_array_equal(shown["maps"]["weights"], hundredths)


# ------------------------------------------------------------------- numbers


def test_it_begins_at_the_end_and_scrubs_to_every_frame(page: Page) -> None:
    shows(page, 39)
    for i in (0, 17, 38):
        page.get_by_role("slider").fill(str(i))
        shows(page, i)
        said = page.get_by_role("slider").get_attribute("aria-valuetext")
        assert said.startswith(f"step {5 * i}: loss {FRAMES[i].loss:.3f}, accuracy ")


def test_the_map_has_the_colours_of_its_weights(page: Page) -> None:
    page.get_by_role("slider").fill("25")
    pixels = page.evaluate(
        """() => {
            const lab = document.querySelector("training-lab");
            const canvas = lab.shadowRoot.querySelector("canvas");
            return [...canvas.getContext("2d").getImageData(0, 0, 5, 5).data];
        }"""
    )
    weights = np.round(FRAMES[25].maps["weights"], 2).ravel()
    covers = page.evaluate(
        "w => import('/widgets/base.js').then(m => w.map(m.cover))", weights.tolist()
    )
    np.testing.assert_allclose(np.reshape(pixels, (25, 4))[:, 3], 255 * np.array(covers), atol=0.51)


def test_the_map_follows_the_page_into_the_dark(page: Page) -> None:
    ink = """() => {
        const { canvas } = document.querySelector("training-lab").maps[0];
        const pixels = [...canvas.getContext("2d").getImageData(0, 0, 5, 5).data];
        const strongest = Math.max(...pixels.filter((_, i) => i % 4 === 3));
        const at = pixels.findIndex((value, i) => i % 4 === 3 && value === strongest);
        return pixels.slice(at - 3, at);
    }"""
    shown = {}
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        page.evaluate("() => new Promise(requestAnimationFrame)")
        shown[theme] = page.evaluate(ink)
    np.testing.assert_allclose(shown["light"], [0x00, 0x44, 0x9E], atol=3)
    np.testing.assert_allclose(shown["dark"], [0x8C, 0xBC, 0xF5], atol=3)


def test_a_query_is_chosen_and_its_weights_are_written(page: Page) -> None:
    page.get_by_role("slider").fill("5")
    page.get_by_role("combobox", name="Query").select_option("went")
    first, second = FRAMES[5].maps["weights"][1, :2]
    largest = [("She", first), ("went", second)]
    largest.sort(key=lambda pair: -pair[1])
    expected = "went → " + ", ".join(f"{token} {weight:.2f}" for token, weight in largest)
    expect(page.locator("figcaption")).to_have_text(expected)
    # A click into the map chooses the row.
    box = page.locator(".picture").bounding_box()
    page.mouse.click(box["x"] + 5, box["y"] + 0.5 * box["height"])
    assert state(page)["query"] == 2
    expect(page.get_by_role("combobox")).to_have_value("to")


def test_two_runs_are_shown_at_the_same_step(figure_page: OpenFigure, two_runs) -> None:
    page = figure_page(two_runs)
    assert state(page)["names"] == ["two layers", "one layer"]
    assert page.locator("canvas").count() == 3
    page.get_by_role("slider").fill("10")
    for canvas in page.locator("canvas").all():
        assert "step 50:" in canvas.get_attribute("aria-label")
    # The other has ended before: its last frame stays.
    page.get_by_role("slider").fill("39")
    labels = [canvas.get_attribute("aria-label") for canvas in page.locator("canvas").all()]
    assert ["step 195:" in label for label in labels] == [True, True, False]
    assert "step 95:" in labels[2]


# ---------------------------------------------------- mouse, finger, keyboard


def test_play_goes_from_the_first_to_the_last_frame(page: Page) -> None:
    button(page, "Play").click()
    assert state(page)["isMoving"]
    assert state(page)["index"] < 39
    button(page, "Pause").click()
    at = state(page)["index"]
    button(page, "Step").click()
    shows(page, at + 1)
    page.get_by_role("slider").fill("37")
    button(page, "Play").click()
    page.wait_for_function("!document.querySelector('training-lab').state.isMoving")
    shows(page, 39)


def test_finger(figure_page: OpenFigure, lab: TrainingLab) -> None:
    page = figure_page(lab, mode="phone")
    page.get_by_role("slider").tap(position={"x": 4, "y": 18})
    shows(page, 0)
    tap(button(page, "Step"))
    shows(page, 1)
    page.locator(".picture").tap(position={"x": 9, "y": 9})
    page.wait_for_function("document.querySelector('training-lab').state.query === 0")
    for target in page.locator("button:visible, input, select, summary").all():
        assert target.bounding_box()["height"] >= 24


def test_keyboard(page: Page) -> None:
    press = page.keyboard.press
    press("Tab")
    press("Tab")
    press("Enter")  # Step: from the last to the first
    shows(page, 0)
    press("Tab")
    press("ArrowRight")
    shows(page, 1)
    press("End")
    shows(page, 39)
    press("Tab")
    press("ArrowUp")
    assert state(page)["query"] == 3
    press("Tab")
    press("Enter")
    assert page.get_by_role("table").count() == 2
    rows = page.get_by_role("table").first.get_by_role("row").all_inner_texts()
    assert rows[1].split() == ["0", "2.698", "0.061"]
    assert page.get_by_role("table", name="Weights of the query the at step 195").count() == 1


# ------------------------------------------------------- a run that grows


@pytest.fixture
def growing(figure_page: OpenFigure) -> Callable[..., Page]:
    """Open a lab before its first frame, and note what it asks the page for."""

    def open_it(mode: str = "desktop") -> Page:
        run = watch(iter(()), SENTENCE, label="rate 0.3", title="A fake training")
        page = figure_page(Part(run), mode=mode)
        page.evaluate(
            """() => {
                window.asked = [];
                addEventListener("training", ({ detail }) => asked.push(detail));
                document.querySelector("training-lab").dataset.trains = "stop";
                document.querySelector("training-lab").begin();
            }"""
        )
        return page

    return open_it


def tell(page: Page, **message: object) -> None:
    page.evaluate("m => document.querySelector('training-lab').receive(m)", message)
    page.evaluate("() => new Promise(requestAnimationFrame)")


def send(page: Page, first: int, last: int) -> None:
    tell(page, frames=[written(frame) for frame in FRAMES[first:last]])


def test_a_run_grows_and_can_be_steered(growing: Callable[..., Page]) -> None:
    page = growing()
    expect(page.get_by_text("The first frame is on its way")).to_be_visible()
    send(page, 0, 3)
    expect(page.get_by_text("The first frame is on its way")).to_be_hidden()
    shows(page, 2)
    send(page, 3, 5)
    shows(page, 4)
    button(page, "Pause").click()
    send(page, 5, 6)  # was on its way
    shows(page, 4)
    button(page, "Step").click()  # this one is there
    shows(page, 5)
    button(page, "Step").click()  # this one has to be made
    shows(page, 5)
    send(page, 6, 7)
    shows(page, 6)
    page.get_by_role("slider").fill("1")
    shows(page, 1)
    button(page, "Go on").click()
    send(page, 7, 9)
    shows(page, 8)
    page.get_by_role("slider").fill("2")  # looking back does not hold it up
    send(page, 9, 10)
    shows(page, 2)
    button(page, "Stop").click()
    tell(page, ended="stopped")
    assert page.evaluate("asked") == ["pause", "step", "play", "stop"]
    assert state(page)["phase"] == "whole"
    expect(page.get_by_role("status")).to_contain_text("Stopped at step 45: loss 2.")
    expect(page.get_by_role("status")).to_contain_text("of at most 0.930")
    button(page, "Play").click()
    page.wait_for_function("!document.querySelector('training-lab').state.isMoving")
    shows(page, 9)


def test_a_run_that_diverges_says_so(growing: Callable[..., Page]) -> None:
    page = growing()
    send(page, 0, 2)
    broken = written(FRAMES[2]) | {"loss": None, "maps": {"weights": 25 * " "}}
    tell(page, frames=[broken])
    tell(page, ended="done")
    expect(page.get_by_role("status")).to_contain_text("loss not a number")
    expect(page.locator("figcaption")).to_have_text("market → its weights are not numbers")
    assert "NaN" not in page.locator("polyline.own").first.get_attribute("points")


def test_the_next_run_of_a_cell_stands_beside_the_last_one(page: Page) -> None:
    """In one cell, of the site or of JupyterLab, the last whole run is remembered."""
    page.evaluate(
        """() => {
            const cell = document.createElement("div");
            cell.className = "jp-Cell";
            const lab = document.querySelector("training-lab");
            lab.replaceWith(cell);
            const html = lab.outerHTML;
            cell.innerHTML = html;
            cell.innerHTML = html.replace("rate 0.1", "rate 0.3");
        }"""
    )
    assert state(page)["names"] == ["rate 0.3", "rate 0.1"]
    assert state(page)["others"] == 40
    page.evaluate(
        """() => {
            const cell = document.querySelector(".jp-Cell");
            cell.innerHTML = cell.innerHTML + "";
        }"""
    )
    assert state(page)["names"] == ["run 3: rate 0.3", "run 2: rate 0.3"]


# ------------------------------------------------- every mode, quiet, in time


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width(figure_page: OpenFigure, two_runs, mode: str) -> None:
    page = figure_page(two_runs, mode=mode)
    page.get_by_text("The same as a table").click()
    page.get_by_role("table").nth(2).wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_and_width_while_it_grows(growing: Callable[..., Page], mode: str) -> None:
    page = growing(mode)
    assert violations(page) == []
    send(page, 0, 9)
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_on_paper(page: Page) -> None:
    print_out(page)
    expect(page.locator(".plot").first).to_be_visible()
    expect(page.locator("canvas").first).to_be_visible()
    expect(page.locator("training-lab > table")).to_be_visible()


def test_a_step_of_two_runs_takes_a_frame_at_most(figure_page: OpenFigure, two_runs) -> None:
    """Paint and lay out; most of the tries may be hindered by other work."""
    page = figure_page(two_runs)
    milliseconds = page.evaluate(
        """() => {
            const lab = document.querySelector("training-lab");
            return Array.from({length: 40}, (_, i) => {
                const start = performance.now();
                lab.scrub(i);
                lab.getBoundingClientRect();
                return performance.now() - start;
            });
        }"""
    )
    assert_in_a_frame(page, milliseconds)
