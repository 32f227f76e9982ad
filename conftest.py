"""The order of the tests, the checks of types, and the figures of executed notebooks.

nbval compares all text outputs but passes over images. The last hook below looks
at the images of every cell that nbval has just run.
"""

import os

import jaxtyping
import pytest
from tests import checked_types
from tests.figure_comparison import FORMS, difference, images
from tests.schedule import Schedule, turn_of

# The kernels that nbval starts inherit this: one thread, the same sums in the
# same order.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Before the package is imported: the hook of jaxtyping asks for this by its name.
jaxtyping.jaxtyped = checked_types.jaxtyped


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the notebooks of `make portable`, and put what takes long first.

    A cell with the tag `arithmetic` needs what the cells before it made, so its notebook is
    run whole. The order inside a file stays as it is.
    """
    cells = [item for item in items if type(item).__name__ == "IPyNbCell"]
    for notebook in {cell.parent for cell in cells}:
        notebook.skip_compare += FORMS  # compared below
    tagged = {cell.path for cell in cells if "arithmetic" in cell.cell.metadata.get("tags", [])}
    for cell in cells:
        if cell.path in tagged:
            cell.add_marker(pytest.mark.arithmetic)
    items.sort(key=lambda item: turn_of(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Schedule:
    """Keep together what shares a kernel or a page, whatever ``--dist`` says."""
    return Schedule(config, log)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what tests found out, as they recorded it under the name "found"."""
    for outcome in ("passed", "failed"):
        for report in terminalreporter.stats.get(outcome, []):
            for name, value in report.user_properties:
                if name == "found":
                    terminalreporter.write_line(value)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_call(item: pytest.Item):
    """Fail a notebook cell whose new figures are not the stored ones."""
    outcome = yield
    if type(item).__name__ != "IPyNbCell" or outcome.excinfo or not item.options["check"]:
        return
    stored, new = images(item.cell.outputs), images(item.test_outputs or [])
    if len(stored) != len(new):
        item.raise_cell_error(f"{len(stored)} stored images, {len(new)} new ones")
    for number, (before, after) in enumerate(zip(stored, new, strict=True)):
        if problem := difference(before, after):
            item.raise_cell_error(f"image {number}: {problem}")
