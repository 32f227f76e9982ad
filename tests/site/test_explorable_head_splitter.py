"""The head splitter in a browser: by mouse, touch and keyboard, its numbers beside NumPy's."""

import numpy as np
import pytest
from figure_harness import PAIRS, OpenFigure, assert_in_a_frame, print_out, tap
from playwright.sync_api import Locator, Page, expect
from test_site_browser import violations

from attention import by_hand
from attention.widgets import HeadSplitter

pytestmark = pytest.mark.browser

LENGTH, D_MODEL = 5, 8
rng = np.random.default_rng(0)
X = rng.normal(size=(LENGTH, D_MODEL))
W_Q, W_K, W_V, W_O = rng.normal(size=(4, D_MODEL, D_MODEL))
CAUSAL = by_hand.causal_mask(LENGTH)
ELEMENT = "document.querySelector('head-splitter')"
WAYS = ("right", "reshape in", "reshape in and out")


def splitter(**options: object) -> HeadSplitter:
    return HeadSplitter(X @ W_Q, X @ W_K, X @ W_V, W_O, **{"heads": 2, "start": (2, 5), **options})


def state(page: Page) -> dict:
    return page.evaluate(f"{ELEMENT}.state")


def cell(page: Page, position: int, component: int) -> Locator:
    return page.locator("td[aria-selected]").nth(position * D_MODEL + component)


def chosen(page: Page) -> tuple[int, int]:
    now = state(page)
    expect(page.get_by_role("gridcell", selected=True)).to_have_count(1)
    return now["position"], now["component"]


def lit(page: Page, name: str) -> list[list[int]]:
    """Return where cells are lit in the tables whose name begins so: (table, row, column)."""
    return page.evaluate(
        """name => [...document.querySelector("head-splitter").shadowRoot
            .querySelectorAll(`.matrix[aria-label^="${name}"]`)].flatMap((table, n) =>
          [...table.tBodies[0].rows].flatMap((row, i) =>
            [...row.querySelectorAll("td")].flatMap((cell, j) =>
              cell.classList.contains("lit") ? [[n, i, j]] : [])))""",
        name,
    )


def close(shown: object, expected: np.ndarray) -> None:
    np.testing.assert_allclose(np.array(shown), expected, rtol=0, atol=1e-6)


# --------------------------------------------------------------- equal to NumPy


@pytest.mark.parametrize("mask", [None, CAUSAL], ids=["no mask", "causal"])
@pytest.mark.parametrize("heads", [1, 2, 4, 8])
def test_every_stage_is_that_of_by_hand(
    figure_page: OpenFigure, heads: int, mask: np.ndarray | None
) -> None:
    page = figure_page(splitter(mask=mask))
    page.get_by_role("radio", name=str(heads)).check()
    now = state(page)
    output, weights = by_hand.multi_head_attention(X, X, W_Q, W_K, W_V, W_O, heads, mask)
    values = by_hand.split_heads(X @ W_V, heads)  # (heads, length, d_k)
    close(now["split"], values)
    close(now["weights"], weights)
    close(now["outputs"], weights @ values)
    close(now["merged"], by_hand.merge_heads(weights @ values))
    close(now["output"], output)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("place", [(0, 0), (2, 5), (4, 2)])
def test_the_share_is_what_is_missing_without_the_number(
    figure_page: OpenFigure, way: str, place: tuple[int, int]
) -> None:
    page = figure_page(splitter(mask=CAUSAL))
    page.get_by_role("combobox").select_option(way)
    cell(page, *place).click()
    value = X @ W_V
    without = value.copy()
    without[place] = 0
    close(state(page)["output"], attend(value, way))
    close(state(page)["share"], attend(value, way) - attend(without, way))


def attend(value: np.ndarray, way: str, heads: int = 2) -> np.ndarray:
    """The chapter's `attend`, with the right way to split and its two wrong ones."""
    in_memory = (heads, LENGTH, D_MODEL // heads)
    split = [
        by_hand.split_heads(x, heads) if way == "right" else x.reshape(in_memory)
        for x in (X @ W_Q, X @ W_K, value)
    ]
    output, _ = by_hand.scaled_dot_product_attention(*split, CAUSAL)
    if way == "reshape in and out":
        return output.reshape(LENGTH, D_MODEL) @ W_O
    return by_hand.merge_heads(output) @ W_O


@pytest.mark.parametrize("way", WAYS)
def test_the_functions_alone_split_and_merge(figure_page: OpenFigure, way: str) -> None:
    numbers = np.arange(12).reshape(3, 4)
    page = figure_page(splitter())
    halves, whole = page.evaluate(
        """async ([numbers, way]) => {
          const { merge, split } = await import("/widgets/head-splitter.js");
          return [split(numbers, 2, way), merge(split(numbers, 2), way)];
        }""",
        [numbers.tolist(), way],
    )
    # What the chapter prints for the right and the wrong way.
    expected = [[0, 1], [4, 5], [8, 9]] if way == "right" else [[0, 1], [2, 3], [4, 5]]
    assert halves[0] == expected
    out = by_hand.split_heads(numbers.astype(float), 2)
    same = out.reshape(3, 4) if way == "reshape in and out" else numbers
    np.testing.assert_array_equal(whole, same)


# --------------------------------------------------------------- what is shown


def test_the_start_shows_a_whole_path(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    assert chosen(page) == (2, 5)
    assert lit(page, "Values") == [[0, 2, 5]]
    assert lit(page, "Split") == [[1, 2, 1]]
    assert lit(page, "Weights of") == [[0, i, 2] for i in range(LENGTH)]
    assert lit(page, "Weights times") == [[1, i, 1] for i in range(LENGTH)]
    assert lit(page, "Merged") == [
        *([0, i, 5] for i in range(LENGTH)),  # merged
        *([1, i, j] for i in range(LENGTH) for j in range(D_MODEL)),  # merged times W_O
    ]
    assert lit(page, "W_O") == [[0, 5, j] for j in range(D_MODEL)]
    _, weights = by_hand.multi_head_attention(X, X, W_Q, W_K, W_V, W_O, 2)
    expect(page.get_by_role("status")).to_have_text(
        f"V[2, 5] = {(X @ W_V)[2, 5]:.2f}".replace("-", "−")
        + " is component 1 of head 1. Head 1 gives it the weights "
        + ", ".join(f"{weight:.2f}" for weight in weights[1, :, 2])
        + ". After the merge it is in column 5 of positions 0–4; "
        "row 5 of WO spreads it over all 8 components."
    )


def test_under_a_mask_only_later_positions_get_it(figure_page: OpenFigure) -> None:
    page = figure_page(splitter(mask=CAUSAL, start=(3, 0)))
    assert [i for n, i, j in lit(page, "Merged") if n == 0] == [3, 4]
    expect(page.get_by_role("status")).to_contain_text("in column 0 of positions 3 and 4;")


def test_a_number_hidden_from_all_goes_nowhere(figure_page: OpenFigure) -> None:
    page = figure_page(splitter(mask=np.zeros((LENGTH, LENGTH), bool)))
    expect(page.get_by_role("status")).to_contain_text("it goes nowhere")
    close(state(page)["output"], np.zeros((LENGTH, D_MODEL)))


def test_the_bug_puts_the_number_elsewhere(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    page.get_by_role("combobox").select_option("reshape in")
    # 2 * 8 + 5 = 21 numbers come before it; head 1 begins with number 20.
    assert lit(page, "Split") == [[1, 0, 1]]
    expect(page.get_by_role("status")).to_contain_text(
        "of head 1, position 2. The reshape puts it into head 1, row 0."
    )
    page.get_by_role("combobox").select_option("reshape in and out")
    assert {i for n, i, j in lit(page, "Merged") if n == 1} == {2, 3, 4}
    expect(page.get_by_role("status")).to_contain_text(
        "in columns 1 and 5 of positions 2–4; rows 1 and 5 of WO spread it"
    )


def test_the_table_is_the_one_without_a_script(figure_page: OpenFigure) -> None:
    figure = splitter()
    page = figure_page(figure)
    page.get_by_text("The same as a table").click()
    page.locator("details table").wait_for()  # the browser tells of the opening a little later
    tables = f"[...{ELEMENT}.querySelectorAll('table'), {ELEMENT}.tableBox.firstChild]"
    texts = f"{tables}.map(t => [...t.querySelectorAll('caption, th, td')].map(c => c.textContent))"
    without, with_script = page.evaluate(texts)
    assert without == with_script
    cell(page, 0, 0).click()
    page.get_by_role("radio", name="8").check()
    expect(page.get_by_role("cell", name="[0, 0, 0]", exact=True)).to_be_visible()


def test_tokens_name_the_positions(figure_page: OpenFigure) -> None:
    page = figure_page(splitter(tokens=["She", "saw", "the", "man", "with"]))
    expect(page.get_by_role("grid").get_by_role("rowheader", name="2 the")).to_be_visible()


# ------------------------------------------------------- mouse, touch, keyboard


def test_mouse_clicks_and_drags(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    cell(page, 4, 0).click()
    assert chosen(page) == (4, 0)
    cell(page, 1, 1).hover()
    assert chosen(page) == (4, 0)  # passing over the figure changes nothing
    page.mouse.down()
    cell(page, 1, 6).hover()
    page.mouse.up()
    assert chosen(page) == (1, 6)


def test_touch_taps(figure_page: OpenFigure) -> None:
    page = figure_page(splitter(), mode="phone")
    tap(cell(page, 0, 7))
    assert chosen(page) == (0, 7)
    tap(page.get_by_role("radio", name="4"))
    assert state(page)["heads"] == 4
    assert state(page)["place"] == [3, 0, 1]


def test_keys_choose_numbers(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    cell(page, 2, 5).focus()
    for key, expected in [
        ("ArrowRight", (2, 6)),
        ("ArrowDown", (3, 6)),
        ("ArrowLeft", (3, 5)),
        ("ArrowUp", (2, 5)),
        ("End", (2, 7)),
        ("ArrowRight", (2, 7)),  # there is no further component
        ("Control+Home", (0, 0)),
        ("ArrowUp", (0, 0)),
        ("ArrowLeft", (0, 0)),
        ("Control+End", (4, 7)),
        ("Home", (4, 0)),
    ]:
        page.keyboard.press(key)
        assert chosen(page) == expected, key
        expect(cell(page, *expected)).to_be_focused()


def test_three_stops_for_the_tab_key_and_all_by_keyboard(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="2")).to_be_focused()
    page.keyboard.press("ArrowRight")
    assert state(page)["heads"] == 4
    page.keyboard.press("Tab")
    expect(page.get_by_role("combobox")).to_be_focused()
    page.keyboard.press("ArrowDown")
    assert state(page)["way"] == "reshape in"
    page.keyboard.press("Tab")
    expect(cell(page, 2, 5)).to_be_focused()
    page.keyboard.press("Tab")
    assert page.evaluate(f"{ELEMENT}.shadowRoot.activeElement.localName") == "summary"


def test_focus_can_be_seen(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    page.keyboard.press("Tab")
    for _ in range(3):
        page.keyboard.press("Tab")
        outline = page.evaluate(f"getComputedStyle({ELEMENT}.shadowRoot.activeElement).outline")
        assert "3px" in outline
        assert "none" not in outline


# ------------------------------------------------------------ fit for everybody


@pytest.mark.parametrize("mode", PAIRS)
def test_axe_finds_nothing_and_nothing_is_cut_off(figure_page: OpenFigure, mode: str) -> None:
    page = figure_page(splitter(tokens=["She", "saw", "the", "man", "with"]), mode=mode)
    page.get_by_text("The same as a table").click()
    page.locator("details table").wait_for()
    for heads, way in [(2, "right"), (8, "right"), (4, "reshape in"), (2, "reshape in and out")]:
        page.get_by_role("radio", name=str(heads)).check()
        page.get_by_role("combobox").select_option(way)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert page.evaluate(
            f"""[...{ELEMENT}.shadowRoot.querySelectorAll(".matrix")].every(table =>
              table.getBoundingClientRect().right <= {ELEMENT}.getBoundingClientRect().right)"""
        )


@pytest.mark.parametrize("mode", PAIRS)
def test_numbers_do_not_touch(figure_page: OpenFigure, mode: str) -> None:
    # Small enough that no number has two digits before the point.
    page = figure_page(HeadSplitter(X @ W_Q, X @ W_K, X @ W_V / 4, W_O, heads=2), mode=mode)
    assert np.abs([state(page)[name] for name in ("merged", "output")]).max() < 9.99
    for heads in ("1", "2", "8"):
        page.get_by_role("radio", name=heads).check()
        room = page.evaluate(
            f"""[...{ELEMENT}.shadowRoot.querySelectorAll(
              ".matrix tbody td")].map(cell => {{
                const text = document.createRange();
                text.selectNodeContents(cell);
                return cell.getBoundingClientRect().width - text.getBoundingClientRect().width;
            }})"""
        )
        assert min(room) >= 4  # a frame of 1.5 px and a little air on both sides


def test_on_paper(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    page.get_by_role("radio", name="4").check()
    print_out(page)
    # The drawing consists of tables, of what is chosen now.
    expect(page.locator(".matrix:visible")).to_have_count(4 + 2 * 4 + 2)
    expect(page.locator("head-splitter > table")).to_be_hidden()


def test_targets_are_large_enough_for_a_finger(figure_page: OpenFigure) -> None:
    page = figure_page(splitter(), mode="phone")
    for target in [
        *page.locator("td[aria-selected]").all(),
        *page.locator("label:has(input)").all(),
        page.get_by_role("combobox"),
    ]:
        box = target.bounding_box()
        assert min(box["width"], box["height"]) >= 24


def test_a_move_repaints_in_place_and_in_time(figure_page: OpenFigure) -> None:
    page = figure_page(splitter())
    # Style and layout are forced, so that they are part of the time.
    same, times = page.evaluate(
        f"""() => {{
          const figure = {ELEMENT};
          const nodes = [...figure.shadowRoot.querySelectorAll("td")];
          const times = [];
          for (let i = 0; i < 40; i++) {{
            const start = performance.now();
            figure.choose([i % {LENGTH}, i % {D_MODEL}]);
            figure.getBoundingClientRect();
            times.push(performance.now() - start);
          }}
          const now = [...figure.shadowRoot.querySelectorAll("td")];
          return [nodes.every((node, i) => node === now[i]), times];
        }}"""
    )
    assert same
    assert_in_a_frame(page, times)
