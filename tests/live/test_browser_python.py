"""Fetching the files of the browser's Python: nothing that is not what the lock says."""

import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path

import browser_python
import environment
import pytest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Put a lock of three packages, and an empty folder, in place of the book's."""
    packages = {
        name: {"depends": depends, "file_name": f"{name}.whl", "sha256": digest(name)}
        for name, depends in {"numpy": [], "matplotlib": ["numpy", "six"], "six": []}.items()
    }
    lock = tmp_path / "pyodide-lock.json"
    lock.write_text(
        json.dumps({"packages": packages | {"scipy": packages["numpy"]}}), encoding="utf-8"
    )
    monkeypatch.setattr(browser_python, "PYODIDE_LOCK", lock)
    monkeypatch.setattr(browser_python, "FOLDER", tmp_path / "browser")
    (tmp_path / "browser").mkdir()
    return tmp_path / "browser"


def digest(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def carrier(path, **members: str):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(f"some/folder/{name}.whl", content)
    return path


def test_what_is_needed_and_no_more(folder):
    assert set(browser_python.wheels_of_pyodide()) == {"matplotlib.whl", "numpy.whl", "six.whl"}


def test_only_files_with_the_right_hash_are_taken(folder, tmp_path):
    package = carrier(tmp_path / "c.whl", numpy="numpy", six="another six", scipy="numpy")
    browser_python.take(package, browser_python.wheels_of_pyodide())
    assert [path.name for path in folder.iterdir()] == ["numpy.whl"]
    assert not browser_python.have_all_files()


def test_a_damaged_file_is_seen(folder):
    for name in ("numpy", "matplotlib", "six"):
        (folder / f"{name}.whl").write_text(name, encoding="utf-8")
    for name in browser_python.PURE:
        (folder / f"{name}-1.0-py3-none-any.whl").write_text("", encoding="utf-8")
    assert browser_python.have_all_files()
    (folder / "six.whl").write_text("si", encoding="utf-8")
    assert not browser_python.have_all_files()


def test_without_a_network_nothing_is_complete(folder):
    asked = []
    done = browser_python.fetch(
        pip=lambda *arguments: asked.append(arguments) or 1,
        node=lambda *arguments: pytest.fail("nothing to compile"),
        locked=lambda name: f"{name}==1.0",
    )
    assert not done
    assert len(asked) == 1 + len(browser_python.PURE)


def test_pure_packages_are_asked_for_by_their_hashes(folder):
    asked = {}

    def pip(*arguments: str) -> int:
        if "--require-hashes" in arguments:
            text = Path(arguments[-1]).read_text(encoding="utf-8")
            asked[text] = arguments[-2]
        return 1

    browser_python.fetch(pip, node=lambda *arguments: 0, locked=environment.locked)
    assert len(asked) == len(browser_python.PURE)
    for text, option in asked.items():
        assert re.fullmatch(r"[a-z-]+==[\d.]+( +--hash=sha256:[0-9a-f]{64})+", text)
        assert option == "--requirement"


def test_a_release_on_disk_serves_instead(folder, tmp_path, monkeypatch):
    release = tmp_path / "release"
    release.mkdir()
    for name in ("numpy", "matplotlib", "six"):
        (release / f"{name}.whl").write_text(name, encoding="utf-8")
    monkeypatch.setenv("BOOK_PYODIDE", str(release))
    asked = []
    browser_python.fetch(
        pip=lambda *arguments: asked.append(arguments) or 1,
        node=lambda *arguments: 0,
        locked=lambda name: f"{name}==1.0",
    )
    assert len(asked) == len(browser_python.PURE)
    assert not any(
        browser_python.damaged(folder / name, digest)
        for name, digest in browser_python.wheels_of_pyodide().items()
    )
