"""In JupyterLab a figure comes alive by the script that `enable()` puts into an output."""

from collections.abc import Iterator

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter
from playwright.sync_api import Browser, Page, expect

from attention.widgets import AttentionExplorer, enable
from attention.widgets._base import ELEMENTS, SHARED

pytestmark = pytest.mark.browser

WEIGHTS = np.array([[0.25, 0.75], [0.5, 0.5]])
FIGURE = AttentionExplorer(WEIGHTS, ["cold", "tea"], start="cold")
ADDRESS = "http://127.0.0.1:8888/lab"  # answered by the test; nothing listens there
NAMES = [name.removesuffix(".js") for name in ELEMENTS[len(SHARED) :]]
# JupyterLab's own way to run an output of the type application/javascript.
EVALUATE = """(code) => {
  function evalInContext(code, element, document, window) { return eval(code); }
  evalInContext(code, document.body, document, window);
}"""


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the JavaScript that a notebook gets from `enable()`."""
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    enable()
    data, _ = DisplayFormatter().format(*outputs)
    return data["application/javascript"]


@pytest.fixture
def notebook(browser: Browser) -> Iterator[Page]:
    """Open a page that shows the output of a cell, and no script."""
    body = f"<!DOCTYPE html><title>A notebook</title><main>{FIGURE._repr_html_()}</main>"
    errors, requests = [], []
    with browser.new_context() as context:
        page = context.new_page()
        page.route("**/lab", lambda route: route.fulfill(body=body, content_type="text/html"))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: line.type == "error" and errors.append(line.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(ADDRESS)
        yield page
    assert errors == []
    assert [url for url in requests if not url.startswith("blob:")] == [ADDRESS]


def test_without_the_script_there_is_the_table(notebook: Page):
    table = notebook.get_by_role("table")
    expect(table).to_be_visible()
    expect(table.get_by_role("row", name="cold 0.250")).to_have_text("cold0.2500.750")
    expect(notebook.get_by_role("listbox")).to_have_count(0)


def test_the_script_brings_the_figure_to_life(notebook: Page, script: str):
    notebook.evaluate(EVALUATE, script)
    expect(notebook.get_by_role("option")).to_have_count(4)
    expect(notebook.get_by_role("table")).to_be_hidden()
    notebook.get_by_role("listbox", name="Queries").get_by_role("option").nth(1).click()
    state = notebook.evaluate("document.querySelector('attention-explorer').state")
    assert (state["side"], state["index"]) == ("query", 1)
    np.testing.assert_allclose(state["weights"], WEIGHTS[1], atol=1e-6)


def test_the_script_knows_all_figures(notebook: Page, script: str):
    notebook.evaluate(EVALUATE, script)
    for name in NAMES:
        notebook.wait_for_function("name => customElements.get(name) !== undefined", arg=name)


def test_the_script_may_run_twice_and_before_a_figure(notebook: Page, script: str):
    notebook.evaluate("document.querySelector('attention-explorer').remove()")
    notebook.evaluate(EVALUATE, script)
    notebook.evaluate(EVALUATE, script)
    notebook.wait_for_function("customElements.get('attention-explorer') !== undefined")
    notebook.evaluate("html => { document.body.innerHTML = html; }", FIGURE._repr_html_())
    expect(notebook.get_by_role("option")).to_have_count(4)


def test_the_arrow_keys_are_left_to_the_figure(notebook: Page, script: str):
    # JupyterLab walks from cell to cell by them, but not inside what has this attribute.
    notebook.evaluate(EVALUATE, script)
    expect(notebook.locator("attention-explorer[data-lm-suppress-shortcuts]")).to_have_count(1)
