"""The mask lab in a browser: by mouse, touch and keyboard, its numbers beside NumPy's."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Locator, Page, expect
from test_site_browser import settle, violations

from attention import by_hand
from attention.widgets import MaskLab

pytestmark = pytest.mark.browser

TOKENS = ["She", "went", "to", "the", "market", "pad", "pad"]
LENGTH = len(TOKENS)
REAL = by_hand.padding_mask(np.array([5]), LENGTH)[0, 0]  # (keys,)
SCORES = np.random.default_rng(7).normal(size=(LENGTH, LENGTH))  # (queries, keys)
CAUSAL = by_hand.causal_mask(LENGTH)  # (queries, keys)
RULES = ("zero weight (this book)", "the score −inf", "the score −1e9")


@pytest.fixture
def lab() -> MaskLab:
    return MaskLab(SCORES, TOKENS, padding=REAL)


def window(width: int) -> np.ndarray:
    position = np.arange(LENGTH)
    back = position[:, None] - position[None]
    return (back >= 0) & (back < width)


def weights_of(rule: str, mask: np.ndarray) -> np.ndarray:
    """Compute in NumPy what the figure computes in the page."""
    if rule == RULES[0]:
        return by_hand.softmax(np.where(mask, SCORES, -np.inf))
    filled = np.where(mask, SCORES, -np.inf if rule == RULES[1] else -1e9)
    with np.errstate(invalid="ignore"):
        exponentials = np.exp(filled - filled.max(-1, keepdims=True))
        return exponentials / exponentials.sum(-1, keepdims=True)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('mask-lab').state")


def check(page: Page, mask: np.ndarray, rule: str = RULES[0]) -> None:
    """Assert that the page shows this mask and NumPy's weights under it."""
    shown = state(page)
    np.testing.assert_array_equal(np.array(shown["mask"]), mask)
    np.testing.assert_allclose(np.array(shown["weights"]), weights_of(rule, mask), atol=1e-6)


def button(page: Page, name: str) -> Locator:
    return page.get_by_role("button", name=name, exact=True)


def cell(page: Page, query: int, key: int) -> Locator:
    return page.locator(f'[data-query="{query}"][data-key="{key}"]')


def focused(page: Page) -> str | None:
    return page.evaluate(
        "document.querySelector('mask-lab').shadowRoot.activeElement?.ariaLabel ?? null"
    )


# -------------------------------------------------------------- what is shown


def test_it_starts_with_something_to_see(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    check(page, CAUSAL & REAL)
    expect(button(page, "causal and padding")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("status")).to_have_text(
        "Mask: causal and padding. Every query may see something, so the three rules agree."
    )
    expect(page.get_by_role("grid", name="Attention weights under a mask")).to_be_visible()
    weight = weights_of(RULES[0], CAUSAL & REAL)[2, 1]
    expect(cell(page, 2, 1)).to_have_text(f"{weight:.2f}")
    expect(cell(page, 2, 1)).to_have_accessible_name(
        f"query to, key went: may attend, weight {weight:.2f}"
    )
    expect(cell(page, 5, 6)).to_have_text("×")
    expect(cell(page, 5, 6)).to_have_accessible_name(
        "query pad 1, key pad 2: may not attend, weight 0.00"
    )


def test_masks_have_names(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    masks = {
        "everything": np.ones_like(CAUSAL),
        "causal": CAUSAL,
        "padding": np.broadcast_to(REAL, CAUSAL.shape),
        "causal and padding": CAUSAL & REAL,
        "window": window(2),
        "window and padding": window(2) & REAL,
    }
    for name, mask in masks.items():
        button(page, name).click()
        check(page, mask)
        assert state(page)["masks"] == [name]
        expect(page.locator('button[aria-pressed="true"]')).to_have_text([name])


def test_window_has_a_width(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    for width in (1, 2, 3, 4):
        page.get_by_label("width").select_option(str(width))
        check(page, window(width))
    button(page, "window and padding").click()
    page.get_by_label("width").select_option("1")
    check(page, window(1) & REAL)
    expect(page.get_by_role("status")).to_have_text(
        "Mask: window and padding, 1 wide. “pad 1” and “pad 2” may see nothing: "
        "the weights are 0, so nothing is gathered."
    )


def test_without_padding_none_is_offered(figure_page: OpenFigure) -> None:
    page = figure_page(MaskLab(SCORES, TOKENS))
    check(page, CAUSAL)
    assert page.locator("button[aria-pressed]").all_inner_texts() == [
        "everything",
        "causal",
        "window",
    ]


@pytest.mark.parametrize(
    ("rule", "cells", "words"),
    [
        (RULES[0], "×", "“the” may see nothing: the weights are 0, so nothing is gathered."),
        (
            RULES[1],
            "NaN",
            "“the” may see nothing: −inf minus −inf is NaN, and so is every weight in such a row.",
        ),
        (
            RULES[2],
            "0.14",
            "“the” may see nothing, and yet each of the 7 keys has the weight 0.14. "
            "What is forbidden leaks in, and nothing warns you.",
        ),
    ],
)
def test_a_row_with_nothing_to_see(
    figure_page: OpenFigure, lab: MaskLab, rule: str, cells: str, words: str
) -> None:
    page = figure_page(lab)
    button(page, "nothing for “the”").click()
    expect(page.get_by_role("status")).to_have_text(
        "“the” may see nothing: the weights are 0, so nothing is gathered."
    )
    page.get_by_label(rule).check()
    mask = CAUSAL & REAL
    mask[3] = False
    check(page, mask, rule)
    expect(page.locator('[data-query="3"]')).to_have_text([cells] * LENGTH)
    expect(page.get_by_role("status")).to_contain_text(words)


def test_table_says_the_same(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    page.get_by_text("The same as a table").click()
    table = page.locator("details table")
    second = weights_of(RULES[0], CAUSAL)[1]
    expect(table.locator("tbody tr").nth(1).locator("th, td")).to_have_text(
        ["went", f"{second[0]:.2f}", f"{second[1]:.2f}", *"×××××", "1.00", "She, went"]
    )
    cell(page, 0, 0).click()
    page.get_by_label(RULES[2]).check()
    expect(table.locator("caption")).to_have_text(
        "Mask: made by hand. A forbidden key (×) gets the score −1e9."
    )
    expect(table.locator("tbody tr").first.locator("th, td")).to_have_text(
        ["She", *["× 0.14"] * LENGTH, "1.00", "nothing"]
    )


# ------------------------------------------------------------ how it is worked


def test_mouse_allows_and_forbids(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    mask = CAUSAL & REAL
    steps = [
        ((2, 4), "“to” may attend to “market” now. 4 keys share the weight: this one has {:.2f}."),
        ((2, 0), "“to” may not attend to “She” now. 3 keys share the weight."),
        ((1, 1), "“went” may not attend to “went” now. The one key left has all the weight."),
    ]
    for (query, key), words in steps:
        cell(page, query, key).click()
        mask[query, key] = not mask[query, key]
        check(page, mask)
        weight = weights_of(RULES[0], mask)[query, key]
        expect(page.get_by_role("status")).to_have_text(words.format(weight))
    assert state(page)["masks"] == []
    # The row that was touched last is the one that can be emptied.
    button(page, "nothing for “went”").click()
    mask[1] = False
    check(page, mask)


def test_finger_allows_and_forbids(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab, "phone")
    mask = CAUSAL & REAL
    tap(cell(page, 4, 6))
    mask[4, 6] = True
    check(page, mask)
    tap(button(page, "nothing for “market”"))
    tap(page.get_by_label(RULES[1]))
    mask[4] = False
    check(page, mask, RULES[1])


def test_keyboard_does_all(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    page.keyboard.press("Tab")
    assert focused(page).startswith("query the, key She:")
    moves = [
        ("ArrowRight", "query the, key went:"),
        ("ArrowUp", "query to, key went:"),
        ("End", "query to, key pad 2:"),
        ("ArrowRight", "query to, key pad 2:"),  # there is nothing further
        ("Home", "query to, key She:"),
        ("Control+End", "query pad 2, key pad 2:"),
        ("ArrowDown", "query pad 2, key pad 2:"),
        ("Control+Home", "query She, key She:"),
        ("ArrowLeft", "query She, key She:"),
        ("ArrowDown", "query went, key She:"),
    ]
    for key, name in moves:
        page.keyboard.press(key)
        assert focused(page).startswith(name), key
    mask = CAUSAL & REAL
    check(page, mask)
    settle(page)
    outline = cell(page, 1, 0).evaluate("cell => getComputedStyle(cell).outlineWidth")
    assert outline == "3px"

    page.keyboard.press("Space")
    mask[1, 0] = False
    check(page, mask)
    assert focused(page) == "query went, key She: may not attend, weight 0.00"
    page.keyboard.press("Enter")
    mask[1, 0] = True
    check(page, mask)

    # The whole grid is one stop; the way back leads to the cell that was left.
    page.keyboard.press("Tab")
    expect(button(page, "everything")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    assert focused(page).startswith("query went, key She:")


def test_keyboard_chooses_mask_and_rule(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    button(page, "window and padding").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowUp")
    check(page, window(1) & REAL)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    check(page, window(1) & REAL, RULES[1])


# --------------------------------------------------------------- for everyone


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_finds_no_violation(figure_page: OpenFigure, lab: MaskLab, mode: str) -> None:
    page = figure_page(lab, mode)
    page.emulate_media(reduced_motion="reduce")
    page.get_by_text("The same as a table").click()
    page.locator("details table").wait_for()
    assert violations(page) == []
    button(page, "nothing for “the”").click()
    for rule in RULES:
        page.get_by_label(rule).check()
        assert violations(page) == []


@pytest.mark.parametrize("mode", PAIRS)
def test_it_fits_the_page(figure_page: OpenFigure, lab: MaskLab, mode: str) -> None:
    page = figure_page(lab, mode)
    page.get_by_text("The same as a table").click()
    page.locator("details table").wait_for()
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not wide
    grid = page.locator(".scroll").first
    assert grid.evaluate("box => box.scrollWidth <= box.clientWidth")
    for target in page.locator("td[tabindex], button, select, label:has([type=radio])").all():
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 32


def test_on_paper(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    button(page, "causal").click()
    print_out(page)
    # The drawing is a table itself, of the mask as it is now.
    expect(cell(page, 6, 6)).to_be_visible()
    expect(cell(page, 6, 6)).not_to_have_text("×")
    expect(page.locator("mask-lab > table")).to_be_hidden()


def test_nothing_moves_for_those_who_ask(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    duration = "cell => getComputedStyle(cell).transitionDuration"
    assert cell(page, 0, 0).evaluate(duration) != "0s"
    page.emulate_media(reduced_motion="reduce")
    assert cell(page, 0, 0).evaluate(duration) == "0s"


def test_a_click_repaints_within_a_frame(figure_page: OpenFigure, lab: MaskLab) -> None:
    page = figure_page(lab)
    milliseconds = page.evaluate(
        """() => {
          const root = document.querySelector("mask-lab").shadowRoot;
          const cell = root.querySelector("[role=gridcell]");
          return [...Array(21)].map(() => {
            const before = performance.now();
            cell.click();
            cell.getBoundingClientRect();  // style and layout are part of it
            return performance.now() - before;
          });
        }"""
    )
    assert_in_a_frame(page, milliseconds)
