"""What may differ between processors is marked; the detector of it, on planted examples."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output

from .arithmetic import MARK, ROOT, cells_of_this_kind, unmarked_tests, wrongly_tagged

NOTEBOOKS = sorted((ROOT / "chapters").glob("[0-9]*.ipynb"))
# What tests/site and tests/live compare is computed in a browser, by other arithmetic.
TESTS = sorted([*(ROOT / "tests").glob("test_*.py"), *(ROOT / "tests/checks").glob("test_*.py")])


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_tests_that_compare_trained_numbers_are_marked(path):
    """Write `@pytest.mark.arithmetic` above them, and see that `make portable` passes."""
    assert unmarked_tests(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_cells_that_show_what_torch_computed_are_tagged(path):
    """Give them the tag `arithmetic`, and see that `make portable` passes."""
    assert list(wrongly_tagged(nbformat.read(path, as_version=4))) == []


# ---------------------------------------------------------------------- the detector

COMPARING = {
    "approx": "assert losses[-1] == pytest.approx(0.1)",
    "order": "assert losses[-1] < 0.1",
    "allclose": "np.testing.assert_allclose(losses, 0)",
}
TRAINING = {
    "a run": "losses = TrainingRun(model, data, recipe).advance(9)",
    "a function": "losses = train(CONFIG, 0.1, seed=0)[1]",
    "a module's": "losses = recall.train(CONFIG, seed=0)[1]",
    "minimise": "losses = minimise(loss, [w], 0.1, 25)",
    "by hand": "loss.backward()",
    "an experiment": "losses = experiment.run(job)",
    "an experiment, loaded here": 'losses = load("scaling").run(job)',
    "weights": 'losses = loss_of(recurrent.load(WEIGHTS / "a.safetensors"))',
}


def indented(*lines: str) -> str:
    return "".join(f"    {line}\n" for line in lines)


@pytest.mark.parametrize("comparison", COMPARING.values(), ids=COMPARING)
@pytest.mark.parametrize("training", TRAINING.values(), ids=TRAINING)
def test_a_planted_test_is_found(training, comparison):
    source = "def test_new():\n" + indented(training, comparison)
    assert unmarked_tests(source) == ["test_new"]
    assert unmarked_tests("@pytest.mark.arithmetic\n" + source) == []
    assert unmarked_tests("pytestmark = [pytest.mark.arithmetic]\n" + source) == []
    others = "@pytest.mark.slow\n@pytest.mark.parametrize('arithmetic', [1])\n"
    assert unmarked_tests(others + source) == ["test_new"]


def test_training_in_a_fixture_or_a_helper_is_found():
    training, comparison = TRAINING["a run"], COMPARING["order"]
    fixture = "@pytest.fixture\ndef losses():\n" + indented(training, "return losses")
    helper = "def check(losses):\n" + indented(comparison)
    for test in (
        "def test_new(losses):\n" + indented(comparison),
        helper + "def test_new(losses):\n" + indented("check(losses)"),
        helper
        + "def test_new():\n"
        + indented("losses = again()", "check(losses)")
        + "def again():\n"
        + indented(training, "return losses"),
    ):
        assert unmarked_tests(fixture + test) == ["test_new"]


@pytest.mark.parametrize(
    "body",
    [
        ("x = model.train()", "assert x > 1"),
        ("x = model.train(training)", "assert x > 1"),
        ("done = subprocess.run(command)", "assert done.returncode < 1"),
        ("losses = train(CONFIG, seed=0)", "assert losses == train(CONFIG, seed=0)"),
        ("with pytest.raises(ValueError):", "    train(CONFIG, 0)", "assert 2 > 1"),
        ("model = load(tmp_path / 'new.safetensors')", "assert model.size > 1"),
    ],
    ids=lambda body: body[0],
)
def test_what_compares_no_trained_number_is_let_pass(body):
    assert unmarked_tests("def test_new():\n" + indented(*body)) == []


def notebook_of(*sources: str, shows: bool = True):
    """Make a notebook with the cells a, b, c ..., each of which shows something."""
    outputs = [new_output("stream", text="0.123\n")] if shows else []
    return new_notebook(
        cells=[
            new_code_cell(source, id=name, outputs=outputs)
            for name, source in zip("abcdef", sources, strict=False)
        ]
    )


@pytest.mark.parametrize(
    ("sources", "found"),
    [
        (["from attention.tasks import recall", "model, losses = recall.train(c, 1, 0)"], {"b"}),
        (["import torch", "w = torch.ones(2)", "w.sum()"], {"b", "c"}),
        (["import torch\nw = torch.ones(2)", "loss = f(w)", "plt.plot(loss)"], {"b", "c"}),
        (["from attention import recurrent", "model = recurrent.load(path)", "model"], {"b", "c"}),
        (["import numpy as np", "w = np.ones(2)", "w.sum()"], set()),
        (["from attention import by_hand", "by_hand.softmax(x)"], set()),
    ],
)
def test_planted_cells_are_found(sources, found):
    notebook = notebook_of(*sources)
    assert cells_of_this_kind(notebook) - {"a"} == found
    assert cells_of_this_kind(notebook_of(*sources, shows=False)) == set()
    for fault in wrongly_tagged(notebook):
        assert f"has no tag `{MARK}`" in fault
    for cell in notebook.cells:
        if cell.id in cells_of_this_kind(notebook):
            cell.metadata["tags"] = [MARK]
    assert list(wrongly_tagged(notebook)) == []
    notebook = notebook_of("x = 1")
    notebook.cells[0].metadata["tags"] = [MARK]
    assert list(wrongly_tagged(notebook)) == [
        f"a: shows nothing that torch computed, and has the tag `{MARK}`"
    ]
