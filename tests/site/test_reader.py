"""Predictions that are kept, progress in the contents, the way back, and forgetting it all."""

import re
from collections.abc import Iterator

import pytest
from book_texts import stem
from built_site import SITE, parsed
from playwright.sync_api import Browser, BrowserContext, Page, expect
from test_site_browser import MODES, violations, visit

pytestmark = pytest.mark.browser

CHAPTER = f"chapters/{stem('queries-keys-values')}.html"
EXERCISE = "queries-keys-values-ex1-try"
KEPT = "() => Object.keys(localStorage).filter(key => /^(live|guess|read) /.test(key))"


@pytest.fixture(params=["desktop", "phone-dark"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    with browser.new_context(**MODES[request.param], reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(**MODES["desktop"], reduced_motion="reduce") as context:
        yield context


def opened(context: BrowserContext, url: str) -> Page:
    visited = visit(context, url)
    assert visited.errors == []
    return visited.page


# ------------------------------------------------------------------------- predictions


def test_prediction_comes_back_where_it_is_measured(context: BrowserContext, address: str) -> None:
    page = opened(context, address + CHAPTER)
    field = page.locator(".admonition.predict input.guess")
    recalled = page.locator(".cell.tag_guess-1-bold .recalled")
    expect(recalled).to_be_hidden()
    field.fill("3")
    field.press("Tab")
    expect(page.locator(".predict .guess-note")).to_contain_text("Kept in this browser")
    measured = page.locator(".cell.tag_guess-1-bold .cell_output strong").first.inner_text()
    assert re.match(r"\d+\.\d times", measured)
    said = f"You predicted: market will have 3 times the weight of to. Measured: {measured}."
    expect(recalled).to_have_text(said)
    assert violations(page, page.locator(".admonition.predict")) == []
    assert violations(page, page.locator(".cell.tag_guess-1-bold")) == []
    # Another visit, and another mind.
    page.reload()
    expect(field).to_have_value("3")
    expect(recalled).to_have_text(said)
    field.fill("")
    field.press("Tab")
    expect(recalled).to_be_hidden()
    assert page.evaluate(f"({KEPT})().filter(key => key.startsWith('guess'))") == []


def test_choices_of_one_and_of_several(desktop: BrowserContext, address: str) -> None:
    """The chapter's box asks with circles and boxes, as CONTRIBUTING.md shows."""
    page = desktop.new_page()
    asked = (
        "<p>Typically <em>far</em>: ○ about 1 ○ about <strong>8</strong> ○ about 64.</p>"
        "<ul><li>These still know it: ☐ sines ☐ learned rows.</li></ul>"
    )

    def with_choices(route: object) -> None:
        answer = route.fetch()
        body = re.sub(r"<p>[^<]*<em>market</em> will have\s.*?</p>", asked, answer.text())
        body = body.replace("tag_guess-1-bold", "tag_guess-1-bold tag_guess-2")
        route.fulfill(response=answer, body=body)

    page.route(f"**/{CHAPTER}", with_choices)
    page.goto(address + CHAPTER)
    box = page.locator(".admonition.predict")
    expect(box.get_by_role("radio")).to_have_count(3)
    expect(box.get_by_role("checkbox")).to_have_count(2)
    box.get_by_role("radio", name="about 8").check()
    page.keyboard.press("ArrowDown")
    expect(box.get_by_role("radio", name="about 64")).to_be_checked()
    box.get_by_role("checkbox", name="sines").check()
    box.get_by_role("checkbox", name="learned rows").check()
    assert violations(page, box) == []
    told = page.locator(".recalled").all_inner_texts()
    # One quotes a measurement in bold, the other stands above what was measured.
    assert told[0] == "You predicted: These still know it: sines, learned rows."
    assert told[1].startswith("You predicted: Typically far: about 64. Measured: ")
    page.reload()
    expect(box.get_by_role("checkbox", checked=True)).to_have_count(2)


def test_without_scripts_a_prediction_reads_well(browser: Browser, address: str) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(address + CHAPTER)
        expect(page.locator(".admonition.predict")).to_contain_text("market will have ____ times")
        expect(page.locator(".recalled")).to_have_count(0)


# ---------------------------------------------------------------------------- progress


def test_untouched_exercises_say_nothing(desktop: BrowserContext, address: str) -> None:
    page = opened(desktop, address + CHAPTER)
    cell = page.locator(f"[id='{EXERCISE}']")
    cell.scroll_into_view_if_needed()
    assert "Not started" in cell.text_content()
    assert "Not started" not in cell.inner_text()
    chapters = [path for path in (SITE / "chapters").glob("[0-9]*.html")]
    for path in chapters:
        stubs = [
            output
            for output in parsed(path).select(".cell:not([class*=tag_hide-cell]) .output")
            if "Not started yet" in output.get_text() and "✗" in output.get_text()
        ]
        assert len(stubs) >= 4
        assert all("untouched" in output["class"] for output in stubs), path.name


def test_contents_show_sections_and_exercises(context: BrowserContext, address: str) -> None:
    page = opened(context, address + CHAPTER)
    made = page.locator("#pst-primary-sidebar nav .progress-made")
    page.locator("#four-steps").evaluate("section => section.scrollIntoView()")
    expect(made).to_contain_text("of 10 sections")
    site = page.evaluate("location.pathname.replace(/chapters.*/, '')")
    page.evaluate(
        """([key, entry]) => { localStorage.setItem(key, entry); }""",
        [
            f"live {site}{stem('queries-keys-values')}.ipynb {EXERCISE}",
            '{"typed": "def f(): ...", "verdict": "✓ softmax_rows: right"}',
        ],
    )
    page.goto(f"{address}chapters/index.html")
    expect(made).to_contain_text("1 of 6 solved")
    back = page.locator(".go-on a")
    expect(back).to_have_text("3. Queries, keys and values")
    assert violations(page) == []
    back.click()
    page.wait_for_url(f"**/{CHAPTER}#*")


def test_a_chapter_is_read_when_all_its_sections_were_seen(
    desktop: BrowserContext, address: str
) -> None:
    page = opened(desktop, address + CHAPTER)
    made = page.locator("#pst-primary-sidebar nav .progress-made")
    page.evaluate(
        """async () => { for (const section of document.querySelectorAll("h2")) {
            section.scrollIntoView();
            await new Promise((later) => setTimeout(later, 1000));
        } }"""
    )
    expect(made).to_have_text("read")


def test_all_can_be_forgotten(context: BrowserContext, address: str) -> None:
    page = opened(context, address + CHAPTER)
    other = "guess /another-book/03-queries-keys-values 1"
    page.evaluate("key => localStorage.setItem(key, '[1]')", other)
    page.locator(".predict input.guess").fill("3")
    page.locator(".predict input.guess").press("Tab")
    page.goto(f"{address}chapters/index.html")
    expect(page.locator(".kept")).to_contain_text("1 prediction")
    place = page.locator("article .forget-all")
    place.get_by_role("button", name="Forget all").click()
    assert violations(page, place) == []
    page.keyboard.press("Escape")
    expect(place.get_by_role("button")).to_have_text(["Forget all"])
    page.keyboard.press("Enter")
    expect(place.get_by_role("button", name="Yes, forget")).to_be_focused()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    expect(page.locator(".kept")).to_have_text("Kept so far: nothing.")
    expect(place).to_be_hidden()
    # What other books on this origin keep stays.
    assert page.evaluate(KEPT) == [other]


def test_another_tab_follows(desktop: BrowserContext, address: str) -> None:
    page, other = opened(desktop, address + CHAPTER), opened(desktop, address + CHAPTER)
    page.locator(".predict input.guess").fill("12")
    page.locator(".predict input.guess").press("Tab")
    expect(other.locator(".recalled")).to_contain_text("12")
    expect(other.locator(".predict input.guess")).to_have_value("12")


def test_nothing_kept_where_storage_is_off(desktop: BrowserContext, address: str) -> None:
    desktop.add_init_script(
        """Object.defineProperty(window, "localStorage",
            { get() { throw new DOMException("off", "SecurityError"); } });"""
    )
    page = desktop.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(error.stack or str(error)))
    page.goto(address + CHAPTER)
    page.locator(".predict input.guess").fill("3")
    page.locator(".predict input.guess").press("Tab")
    expect(page.locator(".predict .guess-note")).to_contain_text("keeps nothing")
    assert [error for error in errors if "reader.js" in error] == []
