"""The live code in a real browser: Python starts, cells run, exercises are checked.

The Python is Pyodide, from the site itself; `test_every_live_cell` runs all cells
of each chapter and compares what they print with the committed notebooks.

A fresh Python in the page costs many seconds. What asks the same of another figure, mode or
chapter, or measures time, is `slow`: `make test-all` runs it.
"""

import json
import re
import statistics
from collections.abc import Callable, Iterator
from pathlib import Path

import measure_page
import nbformat
import numpy as np
import pytest
from book_site import cells
from book_texts import stem
from bs4 import BeautifulSoup
from built_site import ROOT, SITE
from playwright.sync_api import Browser, Locator, Page, expect
from test_site_browser import MODES, Visit, violations, visit
from tests.notebook_outputs import committed, texts

from attention import by_hand, checks
from attention.widgets._base import ELEMENTS, SHARED

pytestmark = pytest.mark.browser

CHAPTERS = {
    path.stem: nbformat.read(path, as_version=4)
    for path in sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
}
FIRST = stem("queries-keys-values")
EXERCISE = "queries-keys-values-ex1-try"


@pytest.fixture(scope="module", autouse=True)
def _site_has_live_code(site: Path) -> None:
    """Without the files for the browser's Python there is nothing to test."""
    if not (site / "_static" / "live" / "page.mjs").exists():
        pytest.fail("The site was built without live code: see what `make setup` says.")


@pytest.fixture
def open_chapter(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """Open a chapter in a fresh browser profile; console errors fail the test in the end."""
    contexts, visits = [], []

    def open_it(chapter: str = FIRST, mode: str = "desktop") -> Visit:
        touch = mode.startswith("phone")
        contexts.append(
            browser.new_context(**MODES[mode], has_touch=touch, reduced_motion="reduce")
        )
        visits.append(visit(contexts[-1], f"{address}chapters/{chapter}.html"))
        return visits[-1]

    yield open_it
    for visited in visits:
        assert visited.errors == []
        outside = [
            url for url in visited.requests if not url.startswith((address, "blob:", "data:"))
        ]
        assert outside == []
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def used_visit(browser: Browser, address: str) -> Iterator[Visit]:
    """Open the first of these chapters once for all tests that need no Python of their own."""
    context = browser.new_context(**MODES["desktop"], reduced_motion="reduce")
    yield visit(context, f"{address}chapters/{FIRST}.html")
    context.close()


@pytest.fixture
def used_page(used_visit: Visit, address: str) -> Iterator[Page]:
    """Give the page that other tests have used: its cells are as printed, Python goes on.

    To start Python takes longer than most of the tests. What the start itself does, and
    what it is like to come to a page for the first time, needs `open_chapter`.
    """
    page = used_visit.page
    yield page
    # Not by clicks of a mouse: a question or a folded cell may be in the way.
    page.evaluate("document.querySelectorAll('.live-stop').forEach(button => button.click())")
    page.wait_for_function(
        "!document.querySelector('[data-state=running], [data-state=queued]')", polling=50
    )
    page.evaluate(
        """document.querySelectorAll('.live-cell').forEach(cell => {
            if (cell.querySelector('.live-offer')) cell.querySelector('.live-run').click();
            const reset = cell.querySelector('.live-reset');
            if (!reset.hidden && reset.textContent === 'Reset') reset.click();
        })"""
    )
    errors, requests = [*used_visit.errors], [*used_visit.requests]
    used_visit.errors.clear()
    assert errors == []
    assert [url for url in requests if not url.startswith((address, "blob:", "data:"))] == []


def cell(page: Page, name: str) -> Locator:
    return page.locator(f"[data-cell='{name}']")


def press(place: Locator) -> None:
    """Press Run or Check, in a folded cell too."""
    place.evaluate("cell => cell.querySelectorAll('details').forEach(d => d.open = true)")
    place.locator(".live-run").click()


def finished(place: Locator, states: str = "done|error|stopped") -> str:
    """Wait until a cell has run and return how it ended."""
    place.page.wait_for_function(
        "([cell, states]) => states.split('|').includes(cell.dataset.state)",
        arg=[place.element_handle(), states],
    )
    return place.get_attribute("data-state")


def running(place: Locator) -> None:
    """Wait until Python is there and the cell, which has to be an endless one, runs."""
    expect(place.locator(".live-status")).to_contain_text("Running")


def stop(place: Locator) -> None:
    """Press Stop; the answer comes in less than a second."""
    # By the page's own clock: how busy the test is does not matter.
    place.evaluate(
        """cell => {
            const press = ({ timeStamp }) => { cell.pressed = timeStamp; };
            cell.addEventListener("click", press, { capture: true, once: true });
            const answer = () => { cell.answered = performance.now(); };
            new MutationObserver(answer).observe(cell, { attributeFilter: ["data-state"] });
        }"""
    )
    place.locator(".live-run").click()
    assert finished(place) == "stopped"
    milliseconds = place.evaluate("cell => cell.answered - cell.pressed")
    print(f"stopped after {milliseconds:.0f} ms")
    assert milliseconds < 1000


def write(place: Locator, source: str) -> None:
    """Put a text into a cell's editor, as if typed over what is there."""
    place.evaluate("cell => cell.querySelectorAll('details').forEach(d => d.open = true)")
    if place.locator(".live-edit").is_visible():
        place.locator(".live-edit").click()
    editor = place.locator(".cm-content")
    editor.focus()
    place.page.keyboard.press("ControlOrMeta+a")
    place.page.keyboard.insert_text(source)


def run(place: Locator, source: str | None = None) -> str:
    """Run a cell, with another text if one is given, and return all that it shows."""
    if source is not None:
        write(place, source)
    press(place)
    finished(place)
    return place.locator(".cell_output").inner_text()


# --------------------------------------------------------------- run, change, stop


def test_earlier_cells_are_offered(used_page) -> None:
    # The first test in this page: no cell has run.
    page = used_page
    assert cell(page, "queries-keys-values-given").get_attribute("data-state") == "idle"
    place = cell(page, "queries-keys-values-step2-code")
    press(place)
    offer = place.locator(".live-offer")
    expect(offer).to_be_visible()
    assert violations(page) == []
    expect(offer.get_by_role("button", name="Run all above")).to_be_visible()
    offer.get_by_role("button").first.click()
    assert finished(place) == "done"
    assert cell(page, "queries-keys-values-given").get_attribute("data-state") == "done"
    assert cell(page, "queries-keys-values-soft-dict").get_attribute("data-state") == "idle"


def test_a_name_that_got_another_meaning_is_made_again(used_page) -> None:
    page = used_page
    place, other = (
        cell(page, "queries-keys-values-step4-code"),
        cell(page, "queries-keys-values-dict"),
    )
    press(place)
    place.locator(".live-offer").get_by_role("button").first.click()
    assert finished(place) == "done"
    printed = place.locator(".live-output").inner_text()
    run(other, "weights_went = 0 * weights_went")
    press(place)
    offer = place.locator(".live-offer")
    expect(offer).to_contain_text("uses results of a cell above. They have changed since it ran.")
    offer.get_by_role("button", name="Run only this one").click()
    assert finished(place, "done") == "done"
    assert place.locator(".live-output").inner_text() != printed
    press(place)
    offer.get_by_role("button", name="Run it first").click()
    expect(place.locator(".live-output")).to_have_text(printed)
    press(place)  # no question any more
    expect(offer).to_have_count(0)
    assert finished(place) == "done"


# tests/live/ runs the cells of the chapters in the page's own way, without a browser; so one
# chapter is enough here, in the page that other tests use.
IN_THE_BROWSER = (FIRST,)


@pytest.mark.parametrize(
    "chapter",
    [
        name if name in IN_THE_BROWSER else pytest.param(name, marks=pytest.mark.slow)
        for name in CHAPTERS
    ],
)
def test_every_live_cell_prints_what_the_page_shows(
    chapter, open_chapter, request, record_property
) -> None:
    page = request.getfixturevalue("used_page") if chapter == FIRST else open_chapter(chapter).page
    notebook = CHAPTERS[chapter]
    code = [one for one in notebook.cells if one.cell_type == "code"]
    live = [one for one in code if cell(page, one.id).get_attribute("data-live") == "yes"]
    differ = {}
    for one in live:
        place = cell(page, one.id)
        press(place)
        finished(place)
        printed = texts(place.evaluate("cell => cell.liveOutputs"))
        if printed != committed(one):
            differ[one.id] = (printed, committed(one))
    same = len(live) - len(differ)
    record_property(
        "found",
        f"{chapter}: {same} of {len(live)} live cells print what the page shows; "
        f"{len(live)} of {len(code)} code cells are live",
    )
    assert differ == {}


def test_a_changed_cell_shows_the_new_number(used_page) -> None:
    place = cell(used_page, "queries-keys-values-dict")
    assert "42.75" not in place.inner_text()
    assert "42.75" in run(place, "print(171 / 4)")
    # The names are shared down the page.
    assert "8.0" in run(
        cell(used_page, "queries-keys-values-given"), "import numpy as np\nnp.eye(8).sum()"
    )
    assert "(8, 8)" in run(place, "np.eye(8).shape")


def test_an_endless_loop_says_how_to_end_it_and_is_stopped(used_page) -> None:
    place = cell(used_page, "queries-keys-values-dict")
    write(place, "x = 1\nwhile True:\n    pass")
    press(place)
    running(place)
    # The clock of the page goes on by 20 seconds.
    used_page.evaluate(
        "() => { const now = performance.now.bind(performance); "
        "performance.now = () => now() + 20_000; window.rightClock = now; }"
    )
    expect(place.locator(".live-status")).to_contain_text(
        "If you think it will never end, press Stop."
    )
    used_page.evaluate("() => { performance.now = window.rightClock; }")
    stop(place)
    assert violations(used_page) == []
    # Python starts afresh: the name is gone, the page works.
    assert "NameError" in run(place, "x")
    assert "2" in run(place, "1 + 1")


@pytest.mark.parametrize(
    ("source", "shown", "hidden"),
    [
        ("x = 1\nprint(x\n", ["SyntaxError", "'(' was never closed", "line 2"], "runner"),
        (
            "def f(n):\n    return 1 / n\n\nf(0)",
            ["ZeroDivisionError", "line 4", "line 2"],
            "runner",
        ),
        (
            "import numpy as np\nfrom attention import by_hand\n"
            "by_hand.scaled_dot_product_attention(np.ones((2, 3)), np.ones((2, 4)), np.eye(2))",
            ["ValueError", "key", "line 3"],
            "site-packages",
        ),
        ("import torch", ["ModuleNotFoundError", "not available in the page"], "runner"),
    ],
    ids=["syntax", "own function", "the package", "torch"],
)
def test_errors_read_like_pythons(used_page, source, shown, hidden) -> None:
    place = cell(used_page, "queries-keys-values-dict")
    text = run(place, source)
    assert place.get_attribute("data-state") == "error"
    for part in shown:
        assert part in text
    assert hidden not in text
    assert violations(used_page, inside=place) == []


@pytest.mark.slow
def test_files_of_the_site_are_found_by_cells(open_chapter) -> None:
    page = open_chapter(stem("masking")).page
    text = run(cell(page, "masking-causal"), 'print(open("../experiments/masking.csv").readline())')
    with open(ROOT / "experiments" / "masking.csv", encoding="utf-8") as file:
        assert file.readline().strip() in text


# --------------------------------------------------------------------- exercises

ANSWERS = {
    "right": """
import numpy as np
def softmax_rows(scores):
    shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)
""",
    "columns": """
import numpy as np
def softmax_rows(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=0)
""",
    "overflow": """
import numpy as np
def softmax_rows(scores):
    return np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
""",
    "linear": """
def softmax_rows(scores):
    return scores / scores.sum(axis=1, keepdims=True)
""",
}


def verdict_here(source: str) -> str:
    """Ask the checker in this Python what it says of an answer."""
    names: dict[str, object] = {}
    with np.errstate(all="ignore"):
        exec(source, names)
        return repr(checks.softmax_rows(names["softmax_rows"]))


def test_answers_get_their_diagnosis(used_page) -> None:
    place = cell(used_page, EXERCISE)
    verdicts = set()
    for name, answer in ANSWERS.items():
        run(place, answer + "checks.softmax_rows(softmax_rows)")
        (shown,) = [one for one in place.evaluate("c => c.liveOutputs") if "data" in one]
        assert shown["data"]["text/plain"] == verdict_here(answer)
        assert shown["data"]["text/plain"].startswith("✓") == (name == "right")
        assert place.locator(".live-solved").is_visible() == (name == "right")
        verdicts.add(shown["data"]["text/plain"])
    assert len(verdicts) == len(ANSWERS)
    assert violations(used_page, inside=place) == []


def test_an_answer_that_never_ends_gets_a_verdict(used_page) -> None:
    place = cell(used_page, EXERCISE)
    answer = "def softmax_rows(scores):\n    while True:\n        pass\n\n"
    assert "had not finished after" in run(place, f"{answer}checks.softmax_rows(softmax_rows)")
    assert place.get_attribute("data-state") == "done"
    assert "2" in run(cell(used_page, "queries-keys-values-dict"), "1 + 1")  # Python is still there


def test_what_was_typed_survives_a_reload_and_can_be_reset(open_chapter) -> None:
    page = open_chapter().page
    place = cell(page, EXERCISE)
    printed = place.locator("pre").first.inner_text()
    write(place, "# my own answer\n1 + 1")
    page.reload()
    expect(place.locator(".live-own pre")).to_have_text("# my own answer\n1 + 1")
    assert "my own answer" not in cell(page, "queries-keys-values-ex2-try").inner_text()
    place.locator(".live-reset").click()
    expect(place.locator(".live-own pre")).to_be_hidden()
    page.reload()
    assert place.locator("pre").first.inner_text() == printed
    assert "my own answer" not in place.inner_text()


def test_all_of_it_from_the_keyboard(used_page) -> None:
    place = cell(used_page, "queries-keys-values-dict")
    place.locator(".live-edit").focus()
    used_page.keyboard.press("Enter")
    place.locator(".cm-content").wait_for()
    used_page.keyboard.press("ControlOrMeta+a")
    used_page.keyboard.type("1/8")  # the site's search has "/" as its key
    used_page.keyboard.press("Shift+Enter")
    finished(place)
    assert "0.125" in place.inner_text()
    assert (
        used_page.evaluate("document.activeElement.closest('[data-cell]').dataset.cell")
        == "queries-keys-values-dict"
    )
    used_page.keyboard.press("Escape")
    used_page.keyboard.press("Tab")
    assert used_page.evaluate("document.activeElement.classList.contains('live-run')")
    assert used_page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["phone", "desktop"])
def test_a_page_in_use_is_accessible(mode, open_chapter) -> None:
    page = open_chapter(FIRST, mode).page
    run(cell(page, "queries-keys-values-dict"), "print('a long line ' * 40)\n1 / 0")
    run(cell(page, EXERCISE), ANSWERS["right"] + "checks.softmax_rows(softmax_rows)")
    write(
        cell(page, "queries-keys-values-given"),
        "x = 'text'  # a comment\nfor i in range(3):\n    print(i)",
    )
    place = cell(page, "queries-keys-values-hull-figure")
    press(place)
    expect(place.locator(".live-offer")).to_be_visible()
    for theme in ("light", "dark"):
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(
            "theme => document.documentElement.dataset.theme === theme", arg=theme
        )
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


# ------------------------------------------------------------ figures, weights, costs


@pytest.mark.slow
def test_figures_are_drawn_in_the_page(open_chapter) -> None:
    page = open_chapter().page
    place = cell(page, "queries-keys-values-hull-figure")
    press(place)
    place.locator(".live-offer").get_by_role("button").first.click()
    assert finished(place) == "done"
    picture = place.locator(".live-output img")
    expect(picture).to_be_visible()
    assert picture.evaluate("img => img.naturalWidth") > 400
    assert len(picture.get_attribute("alt")) > 20


def test_a_cell_that_needs_torch_says_so(open_chapter) -> None:
    page = open_chapter(stem("masking")).page
    place = cell(page, "masking-full-torch")
    assert "Needs PyTorch" in place.inner_text()
    link = place.get_by_role("link", name="download the notebook")
    answer = page.request.get(link.evaluate("a => a.href"))
    assert answer.ok
    assert json.loads(answer.text())["cells"]


@pytest.mark.slow
def test_attention_in_the_page_is_fast(used_page) -> None:
    place = cell(used_page, "queries-keys-values-dict")
    rng = np.random.default_rng(0)
    q, k, v = rng.normal(size=(3, 64, 64))
    expected, _ = by_hand.scaled_dot_product_attention(q, k, v)
    source = """
import numpy as np
from attention import by_hand
q, k, v = np.random.default_rng(0).normal(size=(3, 64, 64))
print(by_hand.scaled_dot_product_attention(q, k, v)[0].sum())
"""
    times = []
    for _ in range(10):
        text = run(place, source)
        times.append(float(place.get_attribute("data-run-ms")))
    assert abs(float(text.split()[0]) - expected.sum()) < 1e-9
    # The quicker ones: the others waited for whatever else this machine is doing.
    quick = np.quantile(times, 0.25)
    print(f"attention of 64 by 64: {quick:.1f} ms")
    assert quick <= 50


@pytest.mark.slow
@pytest.mark.parametrize("figure", measure_page.FIGURES)
def test_a_figure_follows_the_pointer(figure, browser: Browser, address: str) -> None:
    """The work between a move and the next picture, from the browser's own trace.

    Other work on the machine can spoil a try, so there are three.
    """
    medians = []
    for _ in range(3):
        work = measure_page.repaint_times(browser, address, figure)
        print(f"{figure}: {len(work)} moves,", *np.quantile(work or [99], [0, 0.5, 1]), "ms")
        if len(work) > 10:
            medians.append(statistics.median(work))
        if min(medians, default=99) <= 16:
            break
    assert min(medians, default=99) <= 16


@pytest.mark.slow
def test_reading_alone_costs_little(open_chapter) -> None:
    """At most 60 KB more, compressed, than a page without live code and explorable figures."""
    for chapter in CHAPTERS:
        visited = open_chapter(chapter)
        fetched = {url.partition("?")[0].rpartition("/_static/")[2] for url in visited.requests}
        ours = sorted(name for name in fetched if name.startswith(("live/", "pyodide/")))
        path = SITE / "chapters" / f"{chapter}.html"
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        expected = {f"live/{name}" for name in measure_page.loaded_for_reading(page)}
        assert set(ours) == expected
        assert not {"live/worker.mjs", "live/editor.mjs", "live/runner.py"} & expected
        assert measure_page.more_than_before(path) <= 60_000


def test_explorable_figures_are_small() -> None:
    live = SITE / "_static" / "live"
    for name in ELEMENTS[len(SHARED) :]:
        script = live / name.replace(".js", ".mjs")
        # This one computes a transformer, and cuts its edges.
        most = 15_000 if name == "live-translator.js" else 9_000
        assert measure_page.compressed(script.read_bytes()) <= most
    # What all of them import comes once, and so does what two of them import.
    shared = list(live.glob("shared-*.mjs"))
    assert 1 <= len(shared) <= 4
    for script in shared:
        assert measure_page.compressed(script.read_bytes()) <= 4_000


def test_wheel_is_the_package_on_disk_but_for_what_cannot_run_in_a_page() -> None:
    import zipfile

    def needs_more_than_a_page_has(path: Path) -> bool:
        text = path.read_text(encoding="utf-8")
        return bool(re.search(r"^ *(import|from) (torch|safetensors|babel)\b", text, re.MULTILINE))

    (wheel,) = (SITE / "_static" / "live").glob("attention_measured-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        built = {
            name: archive.read(name) for name in archive.namelist() if name.startswith("attention/")
        }
    folder = ROOT / "code"
    on_disk = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in (folder / "attention").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }

    def room(name: str) -> str:
        """Name what is there as a whole or not at all: a file or folder, each task and model."""
        return "/".join(name.split("/")[: 3 if name.split("/")[1] in cells.APART else 2])

    unfit = {
        room(path.relative_to(folder).as_posix())
        for path in (folder / "attention").rglob("*.py")
        if needs_more_than_a_page_has(path)
    }
    # And what imports such a room, or what imports that.
    for _ in range(9):
        modules = [one.removesuffix(".py").replace("/", ".") for one in unfit]
        patterns = [
            rf"^ *(import|from) {one}\b|^ *from {before} import .*\b{last}\b"
            for one in modules
            for before, _, last in [one.rpartition(".")]
        ]
        wanted = re.compile("|".join(patterns), re.MULTILINE)
        unfit |= {
            room(name)
            for name, text in on_disk.items()
            if name.endswith(".py") and wanted.search(text.decode())
        }
    left_out = {name for name in on_disk if room(name) in unfit}
    assert {"attention/layers.py", "attention/tasks/recall.py"} <= left_out
    assert {"attention/pretrained/bert.py", "attention/pretrained/small_minilm.py"} <= left_out
    assert not {"attention/tasks/__init__.py", "attention/tasks/look_up.py"} & left_out
    assert not {"attention/pretrained/__init__.py", "attention/pretrained/numpy_bert.py"} & left_out
    # The figures' scripts are part of the page already.
    left_out |= {name for name in on_disk if name.endswith(".js")}
    assert built == {name: text for name, text in on_disk.items() if name not in left_out}
