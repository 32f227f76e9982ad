"""The package as a whole: what importing it loads, and what its modules may import."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import jaxtyping
import numpy as np
import pytest
from tests.conftest import load_without_shape_checks

import attention
from attention import by_hand

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "code" / "attention"
RUN_IN_THE_BROWSER = [
    *("by_hand", "checks", "gradients", "report", "tiled", "widgets"),
    *("tasks/induction", "tasks/look_up"),
    *("pretrained/byte_pairs", "pretrained/unigram", "pretrained/wordpiece"),
]


def loaded_by(statement):
    """Return the top-level modules that a fresh Python has loaded after `statement`."""
    program = f"{statement}; import sys, json; print(json.dumps(sorted(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    ).stdout
    return {name.split(".")[0] for name in json.loads(printed)}


def sources(module):
    """Return the files of `attention.module`, which may be a file or a folder."""
    file = PACKAGE / f"{module}.py"
    return [file] if file.exists() else sorted((PACKAGE / module).rglob("*.py"))


def imported_by(source):
    """Return the top-level names that a file imports, wherever in it the imports stand."""
    names = set()
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add("attention" if node.level else node.module.split(".")[0])
    return names


# -------------------------------------------------- `code` is not ours to take


def test_code_is_not_a_package():
    # An __init__.py here would hide the standard library's `code`, which pdb needs.
    assert not (ROOT / "code" / "__init__.py").exists()


def test_the_standard_library_keeps_its_module_code():
    program = "import attention, code; print(code.InteractiveConsole.__name__, code.__file__)"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True, cwd=ROOT
    ).stdout
    assert printed.startswith("InteractiveConsole ")
    assert str(ROOT / "code") not in printed


# ------------------------------------------------------------ importing is lazy


def test_importing_attention_loads_no_library():
    before, after = loaded_by("pass"), loaded_by("import attention")
    assert after - before <= {"attention"} | sys.stdlib_module_names


def test_importing_by_hand_loads_numpy_and_jaxtyping_alone():
    # What jaxtyping needs for itself is its own affair; torch and the like are not.
    theirs = loaded_by("import numpy, jaxtyping")
    after = loaded_by("import attention.by_hand")
    assert {"numpy", "jaxtyping"} <= after
    assert after - theirs <= {"attention"} | sys.stdlib_module_names
    assert not after & {"torch", "matplotlib", "scipy", "jax", "tensorflow", "pandas"}


@pytest.mark.parametrize("module", RUN_IN_THE_BROWSER)
def test_what_runs_in_the_browser_imports_numpy_and_jaxtyping_alone(module):
    files = sources(module)
    assert files, f"attention.{module} has no source file"
    for file in files:
        # IPython is asked for only when a notebook shows something; the page has a stand-in.
        libraries = {"attention", "numpy", "jaxtyping", "IPython"}
        assert imported_by(file) <= libraries | sys.stdlib_module_names


def test_by_hand_imports_of_the_package_only_what_checks_arguments():
    lines = [
        line
        for path in sources("by_hand")
        for line in path.read_text(encoding="utf-8").splitlines()
        if line.startswith(("from attention", "import attention"))
    ]
    inside = {line.split()[1] for line in lines}
    ours = {name for name in inside if name.startswith("attention.by_hand.")}
    assert inside - ours == {"attention._arguments", "attention._arrays"}


# ---------------------------------------------------------- what the package has


def test_every_module_that_is_offered_exists_and_no_other():
    offered = set(attention.__all__)
    files = {path.stem for path in PACKAGE.glob("*.py")} | {
        path.parent.name for path in PACKAGE.glob("*/__init__.py")
    }
    assert offered == {name for name in files if not name.startswith("_")}
    assert offered <= set(dir(attention))


def test_a_module_is_imported_when_it_is_first_named():
    program = "import attention; print(attention.by_hand.causal_mask(2).tolist())"
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, encoding="utf-8", check=True
    ).stdout
    assert printed == "[[True, False], [True, True]]\n"


def test_an_unknown_name_is_answered_with_the_names_there_are():
    with pytest.raises(AttributeError, match="has no attribute 'by_hands'") as error:
        attention.by_hands  # noqa: B018
    assert str(error.value).endswith(f"its modules are: {', '.join(attention.__all__)}")


# --------------------------------------------- a second copy, as a reader meets it


def test_a_copy_without_shape_checks_leaves_everybodys_in_its_place():
    copy = load_without_shape_checks("by_hand")
    assert attention.by_hand is by_hand is sys.modules["attention.by_hand"]
    assert sys.modules["attention.by_hand.weights"].softmax is by_hand.softmax
    assert copy.softmax is not by_hand.softmax
    # Inside the copy, too, no shapes are enforced.
    assert copy.attention.softmax is copy.softmax
    with pytest.raises(ValueError, match=r"^scores: expected a floating-point NumPy array"):
        copy.softmax([1.0])
    with pytest.raises(jaxtyping.TypeCheckError):
        by_hand.softmax([1.0])
    assert np.array_equal(copy.softmax(np.ones(2)), by_hand.softmax(np.ones(2)))
