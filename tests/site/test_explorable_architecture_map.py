"""The picture of the transformer in a browser: by mouse, touch and keyboard, pre and post."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Locator, Page, expect
from test_site_browser import settle, violations

from attention.widgets import ArchitectureMap
from attention.widgets.architecture_map import BOXES, PLACEMENTS, Box

pytestmark = pytest.mark.browser

ELEMENT = "document.querySelector('architecture-map')"
START = "cross_attention"


def state(page: Page) -> dict:
    return page.evaluate(f"{ELEMENT}.state")


# The same 27 boxes are in both; all of them take long.
ONE_PLACEMENT = ["pre", pytest.param("post", marks=pytest.mark.slow)]


def boxes(norm: str = "pre") -> dict[str, Box]:
    return {box.name: box for box in ArchitectureMap(norm).boxes}


def node(page: Page, name: str) -> Locator:
    return page.locator(f".box[data-box='{name}']")


def radio(page: Page, norm: str) -> Locator:
    return page.get_by_role("radio", name=f"({norm})")


def centre(page: Page, name: str) -> tuple[float, float]:
    box = node(page, name).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def assert_selected(page: Page, box: Box) -> None:
    """Everything that is shown belongs to this box."""
    # In one question to the page, since it is asked of each box.
    selected, options, status, links = page.evaluate(
        f"""() => {{
            const figure = {ELEMENT}, root = figure.shadowRoot;
            const chosen = [...root.querySelectorAll("[role=option][aria-selected=true]")];
            return [figure.state.selected, chosen.map((option) => option.ariaLabel),
                root.querySelector("[role=status]").textContent,
                [...root.querySelectorAll(".panel a")].map(
                    (link) => [link.innerText, link.getAttribute("href")])];
        }}"""
    )
    assert selected == box.name
    assert options == [box.label]
    assert f"{box.label} {box.does} Shape: {box.shape}" in " ".join(status.split())
    assert links == [
        [f"Section: {box.section}", box.section_link],
        [f"Code: {box.code}", box.code_link],
    ]


# --------------------------------------------------------------- what is shown


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_boxes_stand_in_the_order_of_the_data(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm))
    assert state(page) == {"norm": norm, "selected": START, "boxes": list(boxes(norm))}
    options = page.get_by_role("listbox").get_by_role("option").all()
    labels = [option.get_attribute("aria-label") for option in options]
    assert labels == [box.label for box in boxes(norm).values()]
    expect(radio(page, norm)).to_be_checked()
    assert_selected(page, boxes(norm)[START])


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_every_box_is_drawn_and_says_its_name(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm))
    for name, box in boxes(norm).items():
        expect(node(page, name)).to_be_visible()
        drawn = "".join(node(page, name).locator("text").all_text_contents())
        assert drawn.lower() in box.label.lower()


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_data_run_downwards(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm))
    for stack, first in (("encoder", "source_tokens"), ("decoder", "target_tokens")):
        # The stream runs beside all the rest; what a stack holds stands below its name.
        parts = [name for name in boxes(norm) if name.startswith(stack) and "stream" not in name]
        heights = [centre(page, name)[1] for name in (first, *parts)]
        assert np.all(np.diff(heights) > -0.5)
    # What leaves the encoder goes straight to where it is read.
    memory, cross = (centre(page, name) for name in ("memory", "cross_attention"))
    assert memory[1] == pytest.approx(cross[1], abs=0.5)


def test_norms_are_beside_the_stream_or_on_it(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    norms = {name: stack for stack, n in (("encoder", 2), ("decoder", 3)) for i in range(n)
             for name in [f"{stack}_norm_{i + 1}"]}  # fmt: skip
    sums = {name: name.replace("norm", "sum") for name in norms}
    for name in norms:
        (x, y), (stream, added) = centre(page, name), centre(page, sums[name])
        assert abs(x - stream) > 50
        assert y < added
    radio(page, "post").check()
    settle(page)
    for name in norms:
        (x, y), (stream, added) = centre(page, name), centre(page, sums[name])
        assert x == pytest.approx(stream, abs=0.5)
        assert y > added
    expect(node(page, "encoder_final_norm")).to_have_count(0)
    expect(node(page, "decoder_final_norm")).to_have_count(0)


def test_the_switch_says_what_it_does(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    status = page.get_by_role("status")
    expect(status).not_to_contain_text("norm")
    for norm in ("post", "pre"):
        radio(page, norm).check()
        expect(status).to_contain_text(PLACEMENTS[norm])
        assert state(page) == {"norm": norm, "selected": START, "boxes": list(boxes(norm))}
        assert_selected(page, boxes(norm)[START])
    node(page, "memory").click()
    expect(status).not_to_contain_text(PLACEMENTS["pre"])


@pytest.mark.parametrize(("stack", "last"), [("encoder", 2), ("decoder", 3)])
def test_the_selection_stays_in_the_picture(figure_page: OpenFigure, stack: str, last: int) -> None:
    page = figure_page(ArchitectureMap())
    node(page, f"{stack}_final_norm").click()
    radio(page, "post").check()
    assert_selected(page, boxes("post")[f"{stack}_norm_{last}"])
    radio(page, "pre").check()
    assert_selected(page, boxes("pre")[f"{stack}_norm_{last}"])


def test_the_table_is_the_one_without_a_script(figure_page: OpenFigure) -> None:
    for norm in PLACEMENTS:
        page = figure_page(ArchitectureMap(norm))
        page.get_by_text("The same as a table").click()
        page.locator("details table").wait_for()
        tables = f"[...{ELEMENT}.querySelectorAll('table'), {ELEMENT}.tableBox.firstChild]"
        cells = (
            "[...t.querySelectorAll('caption, th, td, a')].map("
            "c => [c.localName, c.textContent, c.getAttribute('href')])"
        )
        without, with_script = page.evaluate(f"{tables}.map(t => {cells})")
        assert without == with_script
        assert len([1 for tag, *_ in without if tag == "a"]) == 2 * len(boxes(norm))
    radio(page, "pre").check()  # the open table follows
    expect(page.get_by_role("cell", name=boxes()["encoder_final_norm"].does)).to_have_count(2)


# ------------------------------------------------------- mouse, touch, keyboard


@pytest.mark.parametrize("norm", ONE_PLACEMENT)
def test_mouse_selects_every_box(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm))
    for name, box in boxes(norm).items():
        node(page, name).click()
        assert_selected(page, box)


def test_frames_and_streams_can_be_pressed_too(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    picture = page.locator("svg")
    scale = picture.bounding_box()["width"] / 360
    for name, x, y in [
        ("encoder_stream", 32, 108),
        ("encoder_layer", 150, 355),
        ("decoder", 200, 560),
        ("source_positions", 32, 95),
        ("target_positions", 328, 163),
    ]:
        picture.click(position={"x": x * scale, "y": y * scale})
        assert_selected(page, boxes()[name])
    picture.click(position={"x": 350 * scale, "y": 20 * scale})  # nothing there
    assert_selected(page, boxes()["target_positions"])


@pytest.mark.parametrize("norm", ONE_PLACEMENT)
def test_touch_selects_every_box(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm), mode="phone")
    for name, box in boxes(norm).items():
        tap(node(page, name))
        assert_selected(page, box)


@pytest.mark.parametrize("norm", ONE_PLACEMENT)
def test_keys_walk_through_every_box(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm))
    node(page, START).focus()
    page.keyboard.press("Home")
    order = list(boxes(norm).values())
    for i, box in enumerate(order):
        assert_selected(page, box)
        expect(node(page, box.name)).to_be_focused()
        page.keyboard.press(("ArrowDown", "ArrowRight")[i % 2])
    assert_selected(page, order[-1])  # nothing comes after the last
    for i, box in enumerate(reversed(order)):
        assert_selected(page, box)
        page.keyboard.press(("ArrowUp", "ArrowLeft")[i % 2])
    assert_selected(page, order[0])
    page.keyboard.press("End")
    assert_selected(page, order[-1])
    for key in ("Enter", " ", "x", "Alt+ArrowUp"):
        page.keyboard.press(key)
        assert_selected(page, order[-1])


def test_five_stops_for_the_tab_key(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    page.keyboard.press("Tab")
    expect(radio(page, "pre")).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert state(page)["norm"] == "post"
    page.keyboard.press("Tab")
    expect(node(page, START)).to_be_focused()
    for name in ("Section:", "Code:"):
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name=name)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{ELEMENT}.shadowRoot.activeElement.localName") == "summary"


def test_focus_can_be_seen(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    for _ in range(5):
        page.keyboard.press("Tab")
        outline = page.evaluate(f"getComputedStyle({ELEMENT}.shadowRoot.activeElement).outline")
        assert "3px" in outline
        assert "none" not in outline


@pytest.mark.parametrize("box", [box for box in BOXES if box.name in ("memory", "logits")],
                         ids=lambda box: box.name)  # fmt: skip
def test_links_lead_to_places_of_the_page(figure_page: OpenFigure, box: Box) -> None:
    page = figure_page(ArchitectureMap())
    page.evaluate(
        """places => places.forEach(place => document.body.insertAdjacentHTML("beforeend",
             `<h2 id="${place.slice(1)}" style="margin-top: 100vh">A place</h2>`))""",
        [box.section_link, box.code_link],
    )
    for tabs, link in ((1, box.section_link), (2, box.code_link)):
        node(page, box.name).click()
        for _ in range(tabs):
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_function("link => location.hash === link", arg=link)
        expect(page.locator(link)).to_be_in_viewport()


# ------------------------------------------------------------ fit for everybody


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_finds_nothing_and_nothing_is_cut_off(figure_page: OpenFigure, mode: str) -> None:
    page = figure_page(ArchitectureMap(), mode=mode)
    page.get_by_text("The same as a table").click()
    page.locator("details table").wait_for()
    for norm in PLACEMENTS:
        radio(page, norm).check()
        settle(page)  # the norms move
        for name in ("cross_attention", "encoder_norm_1", "encoder_stream", "decoder_sum_1"):
            node(page, name).click()
            assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("mode", ["desktop", "phone"])
@pytest.mark.parametrize("norm", PLACEMENTS)
def test_text_is_large_enough_and_fits_its_box(
    figure_page: OpenFigure, norm: str, mode: str
) -> None:
    page = figure_page(ArchitectureMap(norm), mode=mode)
    scale = page.locator("svg").bounding_box()["width"] / 360
    sizes = page.evaluate(
        f"""[...{ELEMENT}.shadowRoot.querySelectorAll("svg text")].map(
             text => parseFloat(getComputedStyle(text).fontSize))"""
    )
    assert min(sizes) * scale > 10.9
    room = page.evaluate(
        f"""[...{ELEMENT}.shadowRoot.querySelectorAll(".box:has(text)")].map(box => {{
              const place = box.querySelector("rect").getBoundingClientRect();
              const texts = [...box.querySelectorAll("text")].map(t => t.getBoundingClientRect());
              return Math.min(...texts.flatMap(t => [t.left - place.left, place.right - t.right,
                t.top - place.top, place.bottom - t.bottom])); }})"""
    )
    assert min(room) >= 1


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm), mode="phone")
    targets = page.locator(".box rect, .panel a, label").all()
    for target in targets:
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 24


@pytest.mark.parametrize("norm", PLACEMENTS)
def test_boxes_do_not_lie_on_each_other(figure_page: OpenFigure, norm: str) -> None:
    page = figure_page(ArchitectureMap(norm), mode="phone")
    places = [
        node(page, name).locator("circle, rect:not(.room)").first.bounding_box()
        for name in boxes(norm)
    ]
    for i, a in enumerate(places):
        for b in places[:i]:
            across = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
            down = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
            assert min(across, down) <= 0


@pytest.mark.parametrize("mode", ["desktop", "phone"])
def test_the_words_are_on_the_screen_and_not_on_the_box(figure_page: OpenFigure, mode: str) -> None:
    page = figure_page(ArchitectureMap(), mode=mode)
    page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p style=\"height: 100vh\">')")
    node(page, "source_tokens").click()
    for _ in boxes():
        box = page.locator(".box:focus").bounding_box()
        panel = page.locator(".panel").bounding_box()
        beside = box["x"] + box["width"] <= panel["x"]
        assert beside or box["y"] + box["height"] <= panel["y"]
        expect(page.locator(".box:focus")).to_be_in_viewport(ratio=0.9)
        expect(page.locator(".panel")).to_be_in_viewport(ratio=0.9)
        page.keyboard.press("ArrowDown")


def test_norms_jump_if_motion_is_not_wanted(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    # Both at once: a movement is over in a third of a second.
    moving = f"""{ELEMENT}.place("post");
        {ELEMENT}.nodes.get("decoder_norm_2").getAnimations().length"""
    for motion, expected in (("reduce", 0), ("no-preference", 1)):
        page.emulate_media(reduced_motion=motion)
        assert page.evaluate(moving) == expected


@pytest.mark.parametrize("mode", ["desktop-dark", "phone"])
def test_on_paper(figure_page: OpenFigure, mode: str) -> None:
    page = figure_page(ArchitectureMap(), mode=mode)
    node(page, "memory").click()
    print_out(page)
    expect(page.locator("svg")).to_be_visible()
    expect(page.locator("architecture-map > table")).to_be_hidden()
    assert page.evaluate(f"getComputedStyle({ELEMENT}).backgroundColor") == "rgb(255, 255, 255)"
    figure = page.locator("svg").bounding_box()
    panel = page.locator(".panel").bounding_box()
    assert panel["y"] >= figure["y"] + figure["height"] or panel["x"] > figure["x"] + 300


def test_a_selection_repaints_in_place_and_in_time(figure_page: OpenFigure) -> None:
    page = figure_page(ArchitectureMap())
    same, times = page.evaluate(
        f"""() => {{
          const figure = {ELEMENT};
          const nodes = [...figure.shadowRoot.querySelectorAll(".box")];
          const times = figure.state.boxes.map((name) => {{
            const start = performance.now();
            figure.select(name);
            figure.getBoundingClientRect();
            return performance.now() - start;
          }});
          const now = [...figure.shadowRoot.querySelectorAll(".box")];
          return [nodes.every((node, i) => node === now[i]), times];
        }}"""
    )
    assert same
    assert_in_a_frame(page, times)
