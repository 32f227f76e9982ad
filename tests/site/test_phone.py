"""What a phone shows of the pages: nothing is cut off without a sign, and figures can be read."""

from collections.abc import Iterator
from pathlib import Path

import measure_phone
import nbformat
import pytest
from book_site import figures
from bs4 import BeautifulSoup
from built_site import pages, source_pages
from playwright.sync_api import Browser, Page

from attention import drawings

LEAST = 9  # pixels: the smallest text of a figure
DESKTOP = {"width": 1280, "height": 800}
# A chapter with a formula that has to be broken, wide tables, figures of two panels and more.
QUICK = "08-"


def chapters() -> list[object]:
    """All pages of text; those but one are left to `make test-all`."""
    text = [page for page in pages() if page not in source_pages()]
    return [
        page if f"/{QUICK}" in page else pytest.param(page, marks=pytest.mark.slow) for page in text
    ]


@pytest.fixture(scope="module")
def on_a_phone(browser: Browser) -> Iterator[object]:
    context = browser.new_context(viewport=measure_phone.PHONE, reduced_motion="reduce")
    yield context
    context.close()


def opened(context: object, url: str) -> Page:
    page = context.new_page()
    page.goto(url, wait_until="load")
    page.evaluate("() => window.MathJax?.startup?.promise.then(() => true)")
    return page


@pytest.fixture
def phone(on_a_phone: object, address: str) -> Iterator[Page]:
    page = opened(on_a_phone, f"{address}{quick_page()}")
    measure_phone.things(page)  # opens what is folded
    yield page
    page.close()


@pytest.fixture
def desktop(browser: Browser, address: str) -> Iterator[Page]:
    with browser.new_context(viewport=DESKTOP, reduced_motion="reduce") as context:
        page = opened(context, f"{address}{quick_page()}")
        measure_phone.things(page)
        yield page


def quick_page() -> str:
    return next(page for page in pages() if f"/{QUICK}" in page)


@pytest.mark.browser
@pytest.mark.parametrize("name", chapters())
def test_nothing_is_cut_off_without_a_sign(on_a_phone: object, address: str, name: str) -> None:
    page = opened(on_a_phone, address + name)
    found = measure_phone.things(page)
    page.close()
    assert [thing for thing in found if thing.silent] == []
    # Formulas and figures are whole.
    whole = ("display formula", "figure")
    assert [thing for thing in found if thing.wide and thing.kind in whole] == []
    drawn = [thing for thing in found if (thing.image or "").endswith(".png")]
    sizes = {thing.image: measure_phone.smallest_text(thing, address) for thing in drawn}
    assert {image: size for image, size in sizes.items() if not size >= LEAST} == {}


@pytest.mark.browser
def test_what_is_cut_off_is_found(phone: Page) -> None:
    """The measure sees a formula, a figure, a table and code that are cut off."""
    assert not any(thing.silent for thing in measure_phone.things(phone))
    phone.add_style_tag(
        content="""
        .scrolls { mask-image: none !important; }
        .scrolls::after { content: none !important; }
        article img { width: 50rem !important; max-width: none !important; }
        article figure { overflow: hidden; }
        article div.math mjx-math { display: inline-block !important; width: 50rem; }
        article table.table { display: table !important; min-width: 60rem; }"""
    )
    silent = {thing.kind for thing in measure_phone.things(phone) if thing.silent}
    assert silent >= {"display formula", "figure", "table", "code"}


# ---------------------------------------------------------------------- formulas

FORMULAS = """() => [...document.querySelectorAll("div.math")].map((block) => {
    const box = block.querySelector("mjx-container");
    const rows = [...block.querySelectorAll(".formula-part")];
    const size = (element) => parseFloat(getComputedStyle(element).fontSize);
    return { fits: box.scrollWidth <= box.clientWidth + 1,
        broken: block.classList.contains("broken"),
        shrink: size(block) / size(block.parentElement),
        lines: new Set(rows.map((row) => Math.round(row.getBoundingClientRect().bottom / 12))).size,
    };
})"""


@pytest.mark.browser
def test_a_formula_that_is_too_wide_is_broken_or_smaller(phone: Page) -> None:
    formulas = phone.evaluate(FORMULAS)
    assert formulas
    assert all(formula["fits"] for formula in formulas)
    assert all(0.7 <= formula["shrink"] <= 1 for formula in formulas)
    broken = [formula for formula in formulas if formula["broken"]]
    assert broken
    assert all(formula["lines"] > 1 for formula in broken)


@pytest.mark.browser
def test_a_formula_is_whole_again_where_there_is_room(phone: Page, desktop: Page) -> None:
    shown = [(f["broken"], f["shrink"]) for f in desktop.evaluate(FORMULAS)]
    # The widest is wider than a desktop's column, by a little.
    assert all(not broken and shrink > 0.95 for broken, shrink in shown)
    phone.set_viewport_size(DESKTOP)
    measure_phone.things(phone)
    assert [(f["broken"], f["shrink"]) for f in phone.evaluate(FORMULAS)] == shown
    phone.set_viewport_size(measure_phone.PHONE)


# ------------------------------------------------------------------ edges, code


@pytest.mark.browser
@pytest.mark.parametrize("box", ["pre.scrolls", ".pst-scrollable-table-container.scrolls"])
def test_an_edge_fades_until_all_has_been_seen(phone: Page, box: str) -> None:
    # Tables are made wide enough; the page looks again when something is unfolded.
    phone.add_style_tag(content="table.table:not(.reads-as-list) { min-width: 60rem; }")
    phone.evaluate("document.querySelector('details').dispatchEvent(new Event('toggle'))")
    first = phone.locator(f"{box}:visible").first
    edges = """box => { const { maskImage } = getComputedStyle(box);
        const stops = maskImage.match(/rgba?\\([^)]*\\)/g);
        return [stops.at(0), stops.at(-1)].map((stop) => stop === "rgba(0, 0, 0, 0)"); }"""
    assert first.evaluate(edges) == [False, True]
    first.evaluate("box => { box.scrollLeft = box.scrollWidth; }")
    phone.wait_for_function("box => box.dataset.more === 'left'", arg=first.element_handle())
    assert first.evaluate(edges) == [True, False]


@pytest.mark.browser
def test_in_the_dark_a_comment_is_quieter_than_code(browser: Browser, address: str) -> None:
    with browser.new_context(color_scheme="dark", viewport=measure_phone.PHONE) as context:
        page = opened(context, f"{address}{quick_page()}")
        lightness = """selector => {
            const { color } = getComputedStyle(document.querySelector(selector));
            return Math.max(...color.match(/\\d+/g).slice(0, 3).map(Number)); }"""
        comment = page.evaluate(lightness, ".cell_input .c1")
        assert comment < page.evaluate(lightness, ".cell_input .n")


# ----------------------------------------------------------------------- figures


@pytest.mark.browser
def test_a_phone_gets_its_own_picture(phone: Page, desktop: Page) -> None:
    shown = "() => [...document.querySelectorAll('article figure img')].map((i) => i.currentSrc)"
    narrow, wide = phone.evaluate(shown), desktop.evaluate(shown)
    assert narrow
    assert all(address.endswith("-narrow.png") for address in narrow)
    assert not any(address.endswith("-narrow.png") for address in wide)


@pytest.mark.browser
def test_figures_have_the_ground_of_the_page(browser: Browser, address: str) -> None:
    filters = {}
    for theme in ("light", "dark"):
        with browser.new_context(color_scheme=theme, viewport=DESKTOP) as context:
            page = opened(context, f"{address}{quick_page()}")
            image = page.locator("article figure img").first
            style = image.evaluate(
                "i => [getComputedStyle(i).backgroundColor, getComputedStyle(i).filter]"
            )
            assert style[0] == "rgba(0, 0, 0, 0)"
            filters[theme] = style[1]
    assert filters["light"] == "none"
    assert filters["dark"].startswith("invert(0.93)")


def test_the_site_and_the_package_agree() -> None:
    assert figures.NARROW == drawings.NARROW
    assert measure_phone.SMALLEST_TEXT == drawings.SMALLEST_TEXT


def test_each_figure_is_offered_narrow_with_its_size(site: Path) -> None:
    page = BeautifulSoup((site / quick_page()).read_text(encoding="utf-8"), "html.parser")
    found = page.select("figure picture > source")
    assert len(found) == len(page.select("figure img")) > 0
    for source in found:
        path = (site / quick_page()).parent / source["srcset"]
        width, height = figures.size_of(path)
        assert (int(source["width"]), int(source["height"])) == (width, height)
        assert width <= figures.FITS_A_PHONE


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    bundle = {"image/png": "d2lkZQ==", figures.NARROW: "bmFycm93"}
    output = nbformat.v4.new_output("display_data", data=bundle)
    other = nbformat.v4.new_output("stream", text="no figure")
    cell = nbformat.v4.new_code_cell(outputs=[output, other])
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# x"), cell])


def test_narrow_pictures_are_found_by_the_wide_ones(notebook: nbformat.NotebookNode) -> None:
    assert figures.narrow_figures(notebook) == {b"wide": b"narrow"}


def test_myst_nb_does_not_get_the_narrow_pictures(notebook: nbformat.NotebookNode) -> None:
    source = [nbformat.writes(notebook)]
    figures.leave_narrow_figures_out(None, "a-chapter", source)
    shown, text = nbformat.reads(source[0], as_version=4).cells[1].outputs
    assert shown.data == {"image/png": "d2lkZQ=="}
    assert text.text == "no figure"


# ------------------------------------------------------------------------ tables

SENTENCES = ("a claim of some length, as they stand there", "what was measured, with a number")


def table(*rows: tuple[str, ...]) -> BeautifulSoup:
    cells = ["".join(f"<td><p>{cell}</p></td>" for cell in row) for row in rows]
    lines = "".join(f"<tr>{cell}</tr>" for cell in cells[1:])
    head = cells[0].replace("td>", "th>")
    html = f"<article><table class='table'><thead><tr>{head}</tr></thead><tbody>{lines}</tbody>"
    return BeautifulSoup(f"{html}</table></article>", "html.parser")


def test_a_table_of_sentences_is_labelled() -> None:
    page = table(("claim", "measured", ""), (*SENTENCES, 60 * "w"), ("short", "", "x"))
    figures.label_tables_of_sentences(page, Path())
    assert page.table["class"] == ["table", "reads-as-list"]
    labels = [cell.get("data-label") for cell in page.select("tbody td")]
    assert labels == ["claim", "measured", None, "claim", None, None]
    assert [row["role"] for row in page.select("tr")] == ["row"] * 3


@pytest.mark.parametrize(
    "rows",
    [
        [("d_k", "loss", "steps"), ("16", "0.5", "200")],
        [("only", "two columns"), SENTENCES],
        [('<span class="math">x</span>', "b", "c"), (*SENTENCES, 60 * "w")],
    ],
    ids=["numbers", "two columns", "a formula as header"],
)
def test_another_table_stays_a_table(rows) -> None:
    page = table(*rows)
    figures.label_tables_of_sentences(page, Path())
    assert page.table["class"] == ["table"]


def test_printed_sentences_wrap_and_columns_do_not() -> None:
    html = "<div class='cell_output'><pre>{}</pre></div>"
    kinds = {"✗ entropy: Not started yet.\n  A hint.": True, "scaled    0.16\nunscaled  0.9": False}
    for text, wraps in kinds.items():
        page = BeautifulSoup(html.format(text), "html.parser")
        figures.let_printed_sentences_wrap(page, Path())
        assert ("wraps" in page.pre.get("class", [])) is wraps
