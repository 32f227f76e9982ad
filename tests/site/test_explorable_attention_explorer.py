"""The attention explorer in a browser: by mouse, touch and keyboard, its numbers beside NumPy's."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, print_out, tap
from playwright.sync_api import Locator, Page, expect
from test_site_browser import violations

from attention import by_hand
from attention.widgets import AttentionExplorer

pytestmark = pytest.mark.browser

WORDS = ["She", "went", "to", "the", "market"]
FRENCH = ["Elle", "alla", "au", "marché"]
WEIGHTS = by_hand.softmax(
    np.array([[0, 3, 0, 0, 0], [2, 0, 1, 0, 3], [0, 0, 0, 0, 2], [0.0] * 5, [0, 2, 0, 0, 1]])
)
TEXT = "\nTo be, or not to be, that is the questi"
CAUSAL = by_hand.causal_mask(len(TEXT))
SCORES = 2 * np.random.default_rng(0).normal(size=(3, len(TEXT), len(TEXT)))
HEADS = by_hand.softmax(np.where(CAUSAL, SCORES, -np.inf))
NAMES = ["block 1, head 1", "block 1, head 2", "block 2, head 1"]


@pytest.fixture
def sentence() -> AttentionExplorer:
    return AttentionExplorer(WEIGHTS, WORDS, start="went")


@pytest.fixture
def model() -> AttentionExplorer:
    return AttentionExplorer(HEADS, TEXT, names=NAMES)


def state(page: Page) -> dict:
    return page.evaluate("document.querySelector('attention-explorer').state")


def check(page: Page, side: str | None, index: int | None, weights: np.ndarray) -> None:
    """Assert that this token is shown, with NumPy's weights."""
    shown = state(page)
    assert (shown["side"], shown["index"]) == (side, index)
    np.testing.assert_allclose(np.array(shown["weights"]), weights, rtol=0, atol=1e-6)


def options(page: Page, side: str) -> Locator:
    return page.get_by_role("listbox", name=side).get_by_role("option")


def token(page: Page, side: str, index: int) -> Locator:
    return options(page, side).nth(index)


def numbers(page: Page, side: str) -> list[str]:
    return page.locator(f"[aria-label^='{side}'] .number").all_inner_texts()


def status(page: Page) -> Locator:
    return page.get_by_role("status")


def strong_lines(page: Page) -> list[float]:
    """Return the widths of the lines that stand out."""
    return page.locator(".few path").evaluate_all(
        "all => all.map(p => p.getAttribute('d') ? +p.getAttribute('stroke-width') : 0)"
    )


def focused(page: Page) -> str:
    return page.evaluate(
        "document.activeElement.shadowRoot.activeElement.querySelector('.token').textContent"
    )


# ----------------------------------------------------------- before any action


def test_it_starts_with_the_given_query(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    check(page, "query", 1, WEIGHTS[1])
    assert numbers(page, "Keys") == [f"{w:.2f}" for w in WEIGHTS[1]]
    assert numbers(page, "Queries") == [""] * 5
    expect(status(page)).to_have_text(
        "Query went looks at: market 0.62, She 0.23, to 0.08, went 0.03, the 0.03."
    )
    assert token(page, "Queries", 1).get_attribute("aria-selected") == "true"
    widths = np.array(strong_lines(page))
    np.testing.assert_allclose(widths / widths.sum(), WEIGHTS[1], atol=2e-3)


def test_more_than_one_left_are_taken_together(figure_page: OpenFigure):
    weights = np.array([[0.3, 0.25, 0.2, 0.15, 0.06, 0.04]])
    page = figure_page(AttentionExplorer(weights, ["you"], list("abcdef"), start=0))
    expect(status(page)).to_have_text(
        "Query you looks at: a 0.30, b 0.25, c 0.20, d 0.15; all others 0.10."
    )


def test_it_starts_with_all_lines(figure_page: OpenFigure):
    page = figure_page(AttentionExplorer(WEIGHTS[:4], FRENCH, WORDS))
    check(page, None, None, WEIGHTS[:4])
    mean = WEIGHTS[:4].max(-1).mean()
    expect(status(page)).to_contain_text(
        f"All weights at once. On average, the largest weight of a query is {mean:.2f}."
    )
    assert strong_lines(page) == [0] * 5
    widths = page.locator(".all path").evaluate_all(
        "all => all.map(p => +p.getAttribute('stroke-width'))"
    )
    assert len(widths) == 20
    np.testing.assert_allclose(np.array(widths) / 15, WEIGHTS[:4].ravel(), atol=1e-3)


def test_the_plain_table_is_behind_the_figure(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    expect(page.locator("attention-explorer > table")).to_be_hidden()


# ----------------------------------------------------------------------- mouse


def test_mouse_over_a_query_and_over_a_key(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    token(page, "Queries", 4).hover()
    check(page, "query", 4, WEIGHTS[4])
    expect(status(page)).to_contain_text("Query market looks at: went 0.56")
    token(page, "Keys", 4).hover()
    check(page, "key", 4, WEIGHTS[:, 4])
    assert numbers(page, "Queries") == [f"{w:.2f}" for w in WEIGHTS[:, 4]]
    expect(status(page)).to_contain_text(f"Together {WEIGHTS[:, 4].sum():.2f}.")
    page.get_by_role("heading").hover()  # the chosen query is shown again
    check(page, "query", 1, WEIGHTS[1])


def test_a_click_chooses_and_lets_go(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    token(page, "Queries", 2).click()
    page.get_by_role("heading").hover()
    check(page, "query", 2, WEIGHTS[2])
    token(page, "Queries", 2).click()
    page.get_by_role("heading").hover()
    check(page, None, None, WEIGHTS)
    token(page, "Keys", 0).click()
    page.get_by_role("button", name="All lines").click()
    check(page, None, None, WEIGHTS)


def test_a_pointer_move_adds_and_removes_no_element(
    figure_page: OpenFigure, model: AttentionExplorer
):
    page = figure_page(model)
    page.get_by_text("The same as a table").click()
    page.get_by_role("table").wait_for()
    page.evaluate(
        """() => {
          window.added = 0;
          const root = document.querySelector("attention-explorer").shadowRoot;
          new MutationObserver((changes) => {
            // The words below the drawing are the exception.
            const counts = (node) => node.nodeType === 1 && !node.matches(".status *");
            for (const { addedNodes } of changes)
              window.added += [...addedNodes].filter(counts).length;
          }).observe(root, { childList: true, subtree: true });
        }"""
    )
    for index in (3, 20, 39):
        token(page, "Queries", index).hover()
        token(page, "Keys", index).hover()
    check(page, "key", 39, HEADS[0][:, 39])
    assert page.evaluate("window.added") == 0


# ----------------------------------------------------------------------- touch


def test_tap(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence, mode="phone")
    tap(token(page, "Queries", 0))
    check(page, "query", 0, WEIGHTS[0])
    tap(token(page, "Keys", 4))
    check(page, "key", 4, WEIGHTS[:, 4])
    tap(token(page, "Keys", 4))
    check(page, None, None, WEIGHTS)
    tap(token(page, "Keys", 1))
    tap(page.get_by_role("button", name="All lines"))
    check(page, None, None, WEIGHTS)


@pytest.mark.parametrize("mode", ["phone", "phone-dark"])
def test_targets_are_large_enough(figure_page: OpenFigure, model: AttentionExplorer, mode: str):
    page = figure_page(model, mode=mode)
    sizes = page.locator("[role=option], button, select, summary").evaluate_all(
        "all => all.map(e => Math.min(e.offsetWidth, e.offsetHeight))"
    )
    assert len(sizes) == 80 + 3 + 1 + 1
    assert min(sizes) >= 24


# -------------------------------------------------------------------- keyboard


def test_arrow_keys_walk(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    press = page.keyboard.press
    press("Tab")  # All lines
    press("Tab")
    assert focused(page) == "went"
    check(page, "query", 1, WEIGHTS[1])
    for key, side, index in (
        ("ArrowDown", "query", 2),
        ("ArrowRight", "key", 2),
        ("ArrowUp", "key", 1),
        ("ArrowLeft", "query", 1),
        ("ArrowLeft", "query", 1),
        ("End", "query", 4),
        ("ArrowDown", "query", 4),
        ("Home", "query", 0),
        ("ArrowUp", "query", 0),
    ):
        press(key)
        check(page, side, index, WEIGHTS[index] if side == "query" else WEIGHTS[:, index])
        assert focused(page) == WORDS[index]
    assert options(page, "Queries").nth(0).get_attribute("aria-selected") == "true"
    press("Escape")
    check(page, None, None, WEIGHTS)
    press("Enter")
    check(page, "query", 0, WEIGHTS[0])
    press(" ")
    check(page, None, None, WEIGHTS)
    press("Tab")  # to the keys: one looks, and chooses nothing
    check(page, "key", 1, WEIGHTS[:, 1])
    press("Shift+Tab")
    check(page, "query", 0, WEIGHTS[0])
    press("Shift+Tab")
    check(page, None, None, WEIGHTS)


def test_tabbing_through_chooses_nothing(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    said = status(page).inner_text()
    for stop in ("All lines", "went", "She"):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement.shadowRoot.activeElement.textContent"
        ).startswith(stop)
    check(page, "key", 0, WEIGHTS[:, 0])  # shown while the focus is on it
    expect(status(page)).to_contain_text("Key She is looked at by: ")
    chosen = page.get_by_role("option", selected=True)
    assert chosen.locator(".token").all_inner_texts() == ["went"]
    page.keyboard.press("Tab")
    check(page, "query", 1, WEIGHTS[1])
    expect(status(page)).to_have_text(said)
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    check(page, "key", 0, WEIGHTS[:, 0])


def test_focus_can_be_seen(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    # The select, two steps, all lines, the queries, the keys, the table.
    for _ in range(7):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => {
              const style = getComputedStyle(document.activeElement.shadowRoot.activeElement);
              return [style.outlineStyle, parseFloat(style.outlineWidth)];
            }"""
        )
        assert shown[0] == "solid"
        assert shown[1] >= 2


def test_the_button_is_pressed_by_the_keyboard(
    figure_page: OpenFigure, sentence: AttentionExplorer
):
    page = figure_page(sentence)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")  # no key of a button
    check(page, "query", 1, WEIGHTS[1])
    page.keyboard.press("Enter")
    check(page, None, None, WEIGHTS)


def test_right_goes_to_the_last_key_where_there_are_fewer(figure_page: OpenFigure):
    page = figure_page(AttentionExplorer(np.full((5, 2), 0.5), WORDS, ["yes", "no"], start=4))
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    check(page, "key", 1, np.full(5, 0.5))
    assert focused(page) == "no"


def test_keys_do_not_scroll_the_page(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    token(page, "Queries", 0).focus()
    for _ in range(3):
        page.keyboard.press("ArrowDown")
    assert page.evaluate("window.scrollY") == 0


# ------------------------------------------------------------------ many heads


def test_another_head(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    check(page, None, None, HEADS[0])
    page.get_by_label("Weights of").select_option("block 2, head 1")
    check(page, None, None, HEADS[2])
    token(page, "Queries", 20).click()
    check(page, "query", 20, HEADS[2, 20])
    page.get_by_role("button", name="Next map").click()
    expect(page.get_by_label("Weights of")).to_have_value("block 1, head 1")
    check(page, "query", 20, HEADS[0, 20])
    expect(status(page)).to_contain_text("block 1, head 1. Query “,” (21) looks at: ")
    page.get_by_role("button", name="Previous map").click()
    check(page, "query", 20, HEADS[2, 20])


def test_the_first_head_can_be_given(figure_page: OpenFigure):
    page = figure_page(AttentionExplorer(HEADS, TEXT, names=NAMES, start=7, start_map=NAMES[1]))
    check(page, "query", 7, HEADS[1, 7])
    expect(page.get_by_label("Weights of")).to_have_value(NAMES[1])


def test_what_is_hidden_is_0_and_what_is_small_is_not(
    figure_page: OpenFigure, model: AttentionExplorer
):
    page = figure_page(model)
    token(page, "Queries", 30).click()
    shown = numbers(page, "Keys")
    assert shown[31:] == ["0"] * 9
    assert shown[:31] == [f"{w:.2f}" for w in HEADS[0, 30, :31]]


def test_a_blank_is_seen_and_heard(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    assert token(page, "Queries", 3).locator(".token").inner_text() == "␣"
    expect(options(page, "Queries").get_by_text("blank (4)", exact=True)).to_have_count(1)
    token(page, "Keys", 3).click()
    expect(status(page)).to_contain_text("Key blank (4) is looked at by: ")


def test_decimals_are_rounded_as_in_python(figure_page: OpenFigure, sentence: AttentionExplorer):
    page = figure_page(sentence)
    given = [*np.arange(-16, 17) / 16, 0.045, 0.115, 0.335, 1.005, 2.5, -0.001, 1e-9, 123.4375]
    for digits in (0, 1, 2, 3):
        written = page.evaluate(
            """async ([numbers, digits]) => {
              const { decimals } = await import("/widgets/base.js");
              return numbers.map((number) => decimals(number, digits));
            }""",
            [[float(x) for x in given], digits],
        )
        python = [f"{x:z.{digits}f}".replace("-", "−") for x in given]
        assert written == python


# ------------------------------------------------------------- nothing to see


def test_a_query_that_may_see_nothing(figure_page: OpenFigure):
    weights = np.array([[0.5, 0.5, 0], [0, 0, 0], [0.25, 0.75, 0]])
    page = figure_page(AttentionExplorer(weights, ["a", "pad", "b"]))
    assert numbers(page, "Queries") == ["", "nothing", ""]
    expect(status(page)).to_contain_text(f"is {np.mean([0.5, 0.75]):.2f}")
    token(page, "Queries", 1).click()
    check(page, "query", 1, np.zeros(3))
    expect(status(page)).to_have_text("Query pad looks at nothing: all its weights are 0.")
    assert numbers(page, "Keys") == ["0", "0", "0"]
    token(page, "Keys", 2).click()
    expect(status(page)).to_have_text("Key b is looked at by no query: all its weights are 0.")


def test_nobody_may_see_anything(figure_page: OpenFigure):
    page = figure_page(AttentionExplorer(np.zeros((2, 2)), ["a", "b"]))
    expect(status(page)).to_have_text("No query looks at anything: all weights are 0.")


# ----------------------------------------------------------------- as a table


def test_table_is_the_whole_matrix_of_the_head(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    page.get_by_text("The same as a table").click()
    table = page.get_by_role("table")
    table.wait_for()

    def cells() -> np.ndarray:
        rows = table.locator("tbody tr").evaluate_all(
            "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => +cell.innerText))"
        )
        return np.array(rows)

    np.testing.assert_allclose(cells(), HEADS[0], atol=5.1e-4)
    page.get_by_role("button", name="Next map").click()
    np.testing.assert_allclose(cells(), HEADS[1], atol=5.1e-4)
    expect(table.locator("caption")).to_contain_text("block 1, head 2")


# -------------------------------------------------------------------- on paper


def test_on_paper(figure_page: OpenFigure, model: AttentionExplorer):
    page = figure_page(model)
    place = "document.querySelector('attention-explorer').shadowRoot.querySelector('.list.key')"
    left = f"{place}.getBoundingClientRect().left"
    before = page.evaluate(left)
    print_out(page)
    expect(page.get_by_role("listbox", name="Keys")).to_be_visible()
    assert page.evaluate(left) == before  # what is left out leaves its place
    table = page.locator("attention-explorer > table")
    expect(table).to_be_visible()
    expect(table.locator("tbody tr")).to_have_count(len(TEXT))


@pytest.mark.parametrize("mode", PAIRS)
def test_paper_is_light(figure_page: OpenFigure, sentence: AttentionExplorer, mode: str):
    page = figure_page(sentence, mode=mode)
    print_out(page)
    assert violations(page) == []
    paper, text = page.locator("attention-explorer").evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert (paper, text) == ("rgb(255, 255, 255)", "rgb(34, 37, 42)")


# -------------------------------------------------------- several, every mode


class Several:
    """Several explorers on one page."""

    element = "attention-explorer"

    def __init__(self, *figures: AttentionExplorer):
        self.figures = figures

    def _repr_html_(self) -> str:
        return "".join(figure._repr_html_() for figure in self.figures)


def test_several_on_a_page_do_not_disturb_one_another(
    figure_page: OpenFigure, sentence: AttentionExplorer
):
    other = AttentionExplorer(WEIGHTS[:4], FRENCH, WORDS)
    page = figure_page(Several(sentence, other))
    first, second = page.locator("attention-explorer").all()
    second.get_by_role("option").nth(2).click()
    assert second.evaluate("e => e.state.index") == 2
    assert first.evaluate("e => [e.state.side, e.state.index]") == ["query", 1]
    assert violations(page) == []


@pytest.mark.parametrize("mode", PAIRS)
@pytest.mark.parametrize("name", ["sentence", "model"])
def test_every_mode(figure_page: OpenFigure, request: pytest.FixtureRequest, name: str, mode: str):
    page = figure_page(request.getfixturevalue(name), mode=mode)
    assert violations(page) == []
    token(page, "Keys", 1).click()
    page.get_by_text("The same as a table").click()
    page.get_by_role("table").wait_for()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert contrast_on_bars(page) >= 4.5


def contrast_on_bars(page: Page) -> float:
    """Return the lowest contrast of a text on a bar, which axe leaves undecided."""
    colours = page.evaluate(
        """() => {
          const root = document.querySelector("attention-explorer").shadowRoot;
          const canvas = document.createElement("canvas").getContext("2d");
          const rgb = (colour) => {
            canvas.fillStyle = colour;
            canvas.fillRect(0, 0, 1, 1);
            return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
          };
          const option = root.querySelector("[role=option]");
          const bar = getComputedStyle(option).backgroundImage.match(/(color|rgb)[^)]*\\)/)[0];
          const texts = [".token", ".number"].map((part) => root.querySelector(part));
          return [bar, ...texts.map((text) => getComputedStyle(text).color)].map(rgb);
        }"""
    )
    bar, *texts = (luminance(np.array(colour)) for colour in colours)
    return min((max(bar, text) + 0.05) / (min(bar, text) + 0.05) for text in texts)


def luminance(rgb: np.ndarray) -> float:
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])
