"""Live code when something goes wrong, or when a reader does what nobody planned.

Most of these need a Python of their own in the page, which costs many seconds. One of each
kind (verdicts, outputs, start, plans) runs in `make test`; the others are `slow`.
"""

# ruff: noqa: F811 (fixtures of another test file are parameters here)

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from test_live_page import (
    ANSWERS,
    EXERCISE,
    FIRST,
    _site_has_live_code,  # noqa: F401 (a fixture)
    cell,
    finished,
    open_chapter,  # noqa: F401 (a fixture)
    press,
    run,
    running,
    stop,
    used_page,  # noqa: F401 (a fixture)
    used_visit,  # noqa: F401 (a fixture)
    write,
)
from test_site_browser import violations

pytestmark = pytest.mark.browser

RIGHT = ANSWERS["right"] + "checks.softmax_rows(softmax_rows)"
ENDLESS = "while True:\n    pass"
SET_UP, ALONE, NEEDS_SET_UP = (
    "queries-keys-values-setup",
    "queries-keys-values-dict",
    "queries-keys-values-given",
)


@pytest.fixture
def open_faulty(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Open a page whose requests for some files fail once; the console may say so."""
    context = browser.new_context(reduced_motion="reduce")

    def open_it(files: str) -> Page:
        page = context.new_page()
        page.route(files, lambda route: route.abort(), times=1)
        page.goto(f"{address}chapters/{FIRST}.html")
        return page

    yield open_it
    context.close()


def status(place: Locator) -> Locator:
    return place.locator(".live-status")


def note(place: Locator) -> Locator:
    return place.locator(".live-note")


def heard(place: Locator) -> Callable[[], list[str]]:
    """Write down from now on what a cell says beside its buttons; some of it is soon gone.

    What is returned gives, when it is called, all that was said until then.
    """
    status(place).evaluate(
        """status => {
            status.heard = [];
            new MutationObserver(() => status.heard.push(status.textContent))
                .observe(status, { childList: true, characterData: true, subtree: true });
        }"""
    )
    return lambda: status(place).evaluate("status => status.heard")


@contextmanager
def held(page: Page, files: str) -> Iterator[None]:
    """Let files arrive only after the block: what waits for them waits that long."""
    waiting = []
    page.route(files, lambda route: waiting.append(route))
    yield
    page.route(files, lambda route: route.continue_())  # from now on this one is asked
    for route in waiting:
        route.continue_()


# ------------------------------------------------- what is shown belongs to the text


def test_a_verdict_belongs_to_the_text_that_was_checked(used_page) -> None:
    page = used_page
    place = cell(page, EXERCISE)
    solved = place.locator(".live-solved")
    run(place, RIGHT)
    expect(solved).to_be_visible()
    place.locator(".cm-content").focus()
    page.keyboard.press("ControlOrMeta+End")
    page.keyboard.type("x")
    expect(solved).to_be_hidden()
    expect(note(place)).to_have_text("from another version of this code")
    assert violations(page, inside=place) == []
    page.keyboard.press("Backspace")
    expect(solved).to_be_visible()
    expect(note(place)).to_contain_text("run in your browser")
    page.keyboard.type("x")
    page.reload()
    expect(place.locator(".live-own pre")).to_contain_text("softmax_rows)x")
    expect(solved).to_be_hidden()
    assert "✓" not in place.inner_text()


@pytest.mark.slow
def test_a_verdict_is_not_given_to_text_typed_while_it_was_sought(open_chapter) -> None:
    page = open_chapter().page
    place = cell(page, EXERCISE)
    write(place, f"import einops\n{RIGHT}")
    with held(page, "**/einops-*.whl*"):
        press(place)
        expect(place).to_have_attribute("data-state", "running")
        place.locator(".cm-content").focus()
        page.keyboard.press("ControlOrMeta+End")
        page.keyboard.type(" ")
    finished(place)
    assert "✓" in place.locator(".live-output").inner_text()
    expect(place.locator(".live-solved")).to_be_hidden()
    expect(note(place)).to_have_text("from another version of this code")


@pytest.mark.slow
def test_output_of_an_earlier_run_says_so_when_the_last_one_broke(used_page) -> None:
    place = cell(used_page, ALONE)
    run(place, "print('first')")
    write(place, ENDLESS)
    press(place)
    running(place)
    stop(place)
    expect(place.locator(".live-output")).to_have_text("first")
    expect(note(place)).to_have_text("from an earlier run")
    assert violations(used_page) == []
    run(place, "print('second')")
    expect(place.locator(".live-output")).to_have_text("second")
    expect(note(place)).to_contain_text("run in your browser")


# --------------------------------------------------------------------- endless loops


@pytest.mark.slow
@pytest.mark.parametrize(
    "source",
    [
        "while True:\n    display(1)",
        "from IPython.display import HTML\nwhile True:\n    display(HTML('<b>1</b>'))",
        "import sys\nwhile True:\n    print(1)\n    print(2, file=sys.stderr)",
        "while True:\n    print(1)",
        "import matplotlib.pyplot as plt\nwhile True:\n"
        "    plt.figure(figsize=(1, 1)).text(0, 0, 1)\n    plt.plot([1])\n    plt.show()",
    ],
    ids=["display", "html", "two streams", "print", "figures"],
)
def test_an_endless_loop_of_outputs_is_cut_and_stopped(used_page, source) -> None:
    place = cell(used_page, ALONE)
    write(place, source)
    press(place)
    output = place.locator(".live-output")
    expect(output).to_contain_text("… cut: a cell shows at most")
    used_page.wait_for_timeout(300)  # nothing more comes, however long one waits
    assert output.evaluate("box => box.childElementCount") <= 102
    assert output.evaluate("box => box.innerText.match(/cut:/g).length") == 1
    stop(place)
    assert "2" in run(place, "1 + 1")


# --------------------------------------------------------------------- the start


@pytest.mark.slow
def test_the_start_says_how_much_is_fetched_and_asks_for_one_build(open_chapter) -> None:
    visited = open_chapter()
    page = visited.page
    megabytes = page.locator("script[data-megabytes]").get_attribute("data-megabytes")
    place = cell(page, ALONE)
    said = heard(place)
    assert finished_after_press(place) == "done"
    assert said()[0].startswith(f"Starting Python: {megabytes} MB, once per visit")
    # Packed files carry the version of the build.
    version = page.locator("script[data-megabytes]").get_attribute("src").partition("?")[2]
    packed = [url for url in visited.requests if url.split("?")[0].endswith((".whl", ".zip"))]
    packed += [url for url in visited.requests if "pyodide-lock.json" in url]
    assert len(packed) >= 5
    assert [url for url in packed if not url.endswith(f"?{version}")] == []


def finished_after_press(place: Locator) -> str:
    press(place)
    return finished(place)


def test_why_python_did_not_start_is_said_where_run_was_pressed(open_faulty) -> None:
    page = open_faulty("**/numpy-*.whl*")
    place = cell(page, NEEDS_SET_UP)
    press(place)
    for one in (cell(page, SET_UP), place):
        expect(status(one)).to_contain_text("Python could not start. numpy-")
        expect(status(one)).to_contain_text("Press Run to try again.")
    assert finished_after_press(place) == "done"


@pytest.mark.slow
def test_why_a_waiting_cell_was_stopped_is_said_there(open_chapter) -> None:
    page = open_chapter().page
    place = cell(page, NEEDS_SET_UP)
    with held(page, "**/numpy-*.whl*"):
        press(place)
        expect(status(place)).to_contain_text("Starting Python")
        place.locator(".live-run").click()
        expect(status(place)).to_contain_text("Stopped. Python starts afresh at the next Run")
    assert finished_after_press(place) == "done"


@pytest.mark.slow
def test_a_cell_whose_library_does_not_come_has_not_run(open_faulty) -> None:
    page = open_faulty("**/matplotlib-*.whl*")
    place = cell(page, ALONE)
    text = run(place, "import matplotlib\nprint('here')")
    assert "Not loaded: matplotlib-" in text
    assert "run in your browser" not in place.inner_text().lower()
    assert place.get_attribute("data-run-ms") is None
    assert "here" in run(place)


@pytest.mark.slow
def test_loading_is_no_longer_said_when_the_cell_runs(open_chapter) -> None:
    page = open_chapter().page
    place = cell(page, ALONE)
    said = heard(place)
    # The cell runs for seconds, and says so twice a second.
    write(place, "import matplotlib, time\ntime.sleep(3)")
    assert finished_after_press(place) == "done"
    texts = [text for text in said() if text]
    assert "Loading matplotlib …" in texts
    loading = [i for i, text in enumerate(texts) if "Loading" in text]
    *of_the_run, of_the_end = texts[loading[-1] + 1 :]
    assert of_the_run[:1] == ["Running"]
    assert all(text.startswith("Running") for text in of_the_run)
    assert of_the_end.startswith("Run in your browser, ")


# ----------------------------------------------------------- pressed once too often


@pytest.mark.slow
def test_pressing_twice_does_not_stop_python(used_page) -> None:
    place = cell(used_page, ALONE)
    other = cell(used_page, SET_UP)
    run(other, "x = 171")
    write(place, "import time\ntime.sleep(1)\nprint(x / 4)")
    place.locator(".live-run").dblclick()
    assert finished(place) == "done"
    place.locator(".cm-content").focus()
    used_page.keyboard.press("Shift+Enter")
    used_page.keyboard.press("Shift+Enter")
    assert finished(place) == "done"
    place.locator(".live-run").focus()
    used_page.keyboard.down("Enter")
    used_page.keyboard.down("Enter")  # it is held down: this is a repetition
    used_page.keyboard.up("Enter")
    assert finished(place) == "done"
    expect(place.locator(".live-output")).to_have_text("42.75")


@pytest.mark.slow
def test_a_second_press_closes_the_question(used_page) -> None:
    page = used_page
    place = cell(page, "queries-keys-values-step2-code")
    button = place.locator(".live-run")
    press(place)
    expect(button).to_have_attribute("aria-expanded", "true")
    assert violations(page) == []
    button.click()
    expect(place.locator(".live-offer")).to_have_count(0)
    assert button.get_attribute("aria-expanded") is None
    expect(page.locator(".live-voice")).to_have_text("Closed. Nothing was run.")
    button.dblclick()
    expect(place.locator(".live-offer")).to_be_visible()


# ------------------------------------------------------------------ plans and resets


@pytest.mark.slow
def test_a_cell_does_not_run_when_one_it_needs_fails_in_another_plan(open_chapter) -> None:
    page = open_chapter().page
    first = cell(page, NEEDS_SET_UP)
    place = page.locator(f"[data-live=yes][data-needs~={NEEDS_SET_UP}]").first
    write(first, "import einops\n1 / 0")
    with held(page, "**/einops-*.whl*"):
        press(first)
        expect(first).to_have_attribute("data-state", "running")
        press(place)
        offer = place.locator(".live-offer").get_by_role("button")
        if offer.count():
            offer.first.click()
        expect(place).to_have_attribute("data-state", "queued")
    assert finished(first) == "error"
    number = first.get_attribute("data-number")
    expect(status(place)).to_have_text(f"Cell {number} did not finish, so this cell did not run.")
    expect(place).to_have_attribute("data-state", "idle")


@pytest.mark.slow
def test_reset_all_stops_python_and_resets_every_text(used_page) -> None:
    place, other = cell(used_page, ALONE), cell(used_page, EXERCISE)
    write(other, "# my answer")
    write(place, ENDLESS)
    press(place)
    running(place)
    used_page.get_by_role("button", name="Reset all cells").click()
    voice = used_page.locator(".live-voice")
    expect(voice).to_have_text(
        "Python was stopped. All cells show the printed code. "
        "Undo reset is under each cell that had your text."
    )
    for one in (place, other):
        expect(one).to_have_attribute("data-state", "idle")
        expect(one.locator(".live-yours")).to_be_hidden()
        one.get_by_role("button", name="Undo reset").click()
        expect(one.locator(".live-yours")).to_be_visible()
    assert "2" in run(place, "1 + 1")


# ------------------------------------------------------------------------- two tabs


@pytest.mark.slow
def test_a_second_tab_keeps_what_the_first_one_wrote(open_chapter) -> None:
    here = open_chapter().page
    there = here.context.new_page()
    there.goto(here.url)
    place = cell(there, EXERCISE)
    # An editor that is open has its own text, here the printed one.
    place.locator(".live-edit").click()
    place.locator(".cm-content").wait_for()
    write(cell(here, EXERCISE), "# mine")
    assert finished_after_press(place) in ("done", "error")
    there.reload()
    expect(place.locator(".live-own pre")).to_have_text("# mine")
    # Without an editor, the text is followed.
    write(cell(here, EXERCISE), "# mine, longer")
    expect(place.locator(".live-own pre")).to_have_text("# mine, longer")
    cell(here, EXERCISE).locator(".live-reset").click()
    expect(place.locator(".live-own pre")).to_be_hidden()


# ---------------------------------------------------------------------- the messages


@pytest.mark.slow
def test_a_group_of_errors_reads_like_pythons(used_page) -> None:
    place = cell(used_page, ALONE)
    text = run(place, "raise ExceptionGroup('two', [ValueError(1), TypeError(2)])")
    assert text.count("ExceptionGroup: two (2 sub-exceptions)") == 1
    assert f"Cell {place.get_attribute('data-number')}, line 1" in text
    assert "File" not in text
    expect(place.locator(".traceback strong")).to_have_text(
        "ExceptionGroup: two (2 sub-exceptions)"
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("await f()", "cannot await"),
        (
            "import asyncio\nasync def f():\n    await asyncio.sleep(0)\nasyncio.run(f())",
            "cannot run an event loop",
        ),
        ("len?", "help(len)"),
    ],
    ids=["await", "asyncio.run", "?"],
)
def test_what_works_in_jupyter_only_gets_a_hint(used_page, source, hint) -> None:
    text = run(cell(used_page, ALONE), source)
    assert hint in text
    assert "download the notebook" in text or "len" in text


@pytest.mark.slow
def test_help_answers(used_page) -> None:
    assert "number of items" in run(cell(used_page, ALONE), "help(len)")


@pytest.mark.slow
def test_python_that_ends_itself_leaves_a_page_that_works(open_faulty) -> None:
    page = open_faulty("**/nothing-fails")
    place = cell(page, ALONE)
    run(place, "print('first')")
    run(place, "import os\nos._exit(1)")
    expect(status(place)).to_contain_text(
        "Python had to end. Program terminated with exit(1). Press"
    )
    expect(note(place)).to_have_text("from an earlier run")
    assert "2" in run(place, "1 + 1")
