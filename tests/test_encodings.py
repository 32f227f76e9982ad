"""Every text file is opened as UTF-8, and says so: on Windows the default is another one."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from book_texts import stem

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("_ext", "_live", "code", "experiments", "tests", "tools")
STARTS_A_PROGRAM = {"run", "Popen", "check_output"}
IN_BYTES = ("Image.open", "tarfile.open", "gzip.open", "zipfile.ZipFile(")  # unless told otherwise


def sources() -> Iterator[tuple[str, str]]:
    """Yield the name and the text of every Python file, and of every cell of the chapters."""
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield str(path.relative_to(ROOT)), path.read_text(encoding="utf-8")
    for path in sorted((ROOT / "chapters").glob("*.ipynb")):
        for cell in nbformat.read(path, as_version=4).cells:
            if cell.cell_type == "code":
                yield cell.id, cell.source


def unnamed_encodings(source: str) -> Iterator[ast.Call]:
    """Yield the calls that read or write text and leave the encoding to the machine."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and uses_text(call):
            if "encoding" not in {keyword.arg for keyword in call.keywords}:
                yield call


def uses_text(call: ast.Call) -> bool:
    """Tell whether a call opens a file as text, or talks to a program in text."""
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    is_method = isinstance(call.func, ast.Attribute)
    name = call.func.attr if is_method else getattr(call.func, "id", "")
    if name in ("read_text", "write_text"):
        return True
    if name in STARTS_A_PROGRAM:
        return "text" in named
    if name != "open" or ast.unparse(call.func).startswith(IN_BYTES):
        return False
    # `open(path, "rb")`, `path.open("rb")`
    positions = call.args[0 if is_method else 1 :]
    mode = named.get("mode", positions[0] if positions else ast.Constant("r"))
    return not (isinstance(mode, ast.Constant) and "b" in mode.value)


def test_every_text_file_is_opened_with_an_encoding():
    found = [
        f"{name}, line {call.lineno}: {ast.unparse(call)[:70]}"
        for name, source in sources()
        for call in unnamed_encodings(source)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("seen", "source"),
    [
        (True, "open('a')"),
        (True, "open('a', 'w', newline='')"),
        (True, "path.open()"),
        (True, "path.open('w')"),
        (True, "path.read_text()"),
        (True, "path.write_text('a')"),
        (True, "subprocess.run(['a'], text=True)"),
        (False, "open('a', encoding='utf-8')"),
        (False, "open('a', 'rb')"),
        (False, "path.open(mode='wb')"),
        (False, "path.read_bytes()"),
        (False, "path.write_text('a', encoding='utf-8')"),
        (False, "subprocess.run(['a'], encoding='utf-8')"),
        (False, "subprocess.run(['a'])"),
        (False, "Image.open('a.png')"),
    ],
)
def test_what_needs_an_encoding(seen, source):
    assert bool([*unnamed_encodings(source)]) == seen


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_verdict_can_be_printed_whatever_the_output_can_write(encoding):
    program = "from attention import checks; print(checks.softmax_rows(lambda scores: scores))"
    done = printed(encoding, "-c", program)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(b"x softmax_rows")


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_a_notebook_can_be_shown_whatever_the_output_can_write(encoding):
    chapter = ROOT / "chapters" / f"{stem('scaling')}.ipynb"
    done = printed(encoding, ROOT / "tools" / "notebooks.py", "show", chapter)
    assert done.returncode == 0, done.stderr
    assert b"--- code scaling-setup" in done.stdout


def printed(encoding: str, *arguments: str | Path) -> subprocess.CompletedProcess:
    """Run Python with an output of another encoding than the book's."""
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    return subprocess.run([sys.executable, *arguments], capture_output=True, env=environment)
