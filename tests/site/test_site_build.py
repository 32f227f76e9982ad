"""Building a small book: buttons with and without a repository, stale pages, warnings."""

import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import nbformat
import pytest
from book_site.repository import Repository, buttons, repository_from
from bs4 import BeautifulSoup
from built_site import ROOT, pages, staleness
from sphinx.errors import ConfigError

from attention.pretrained import files

# ----------------------------------------------------------------- the setting


def addresses(repository: Repository | None, source: str | None) -> list[str]:
    groups = buttons(repository, source)
    return [button["url"] for group in groups for button in group["buttons"]]


def test_no_setting_no_button() -> None:
    assert repository_from({}) is None
    assert repository_from({"BOOK_REPOSITORY": "", "GITHUB_REF_NAME": "main"}) is None
    assert buttons(None, "chapters/01-one.ipynb") == []


def test_github_fills_the_setting() -> None:
    environment = {
        "GITHUB_REPOSITORY": "a/fork",
        "GITHUB_SERVER_URL": "https://git.example.org",
        "GITHUB_REF_NAME": "draft",
    }
    assert repository_from(environment) == Repository("a/fork", "https://git.example.org", "draft")
    own = {**environment, "BOOK_REPOSITORY": "the/book", "BOOK_BRANCH": "main"}
    assert repository_from(own) == Repository("the/book", "https://git.example.org", "main")


@pytest.mark.parametrize("name", ["book", "https://github.com/a/b", "a/b/c", "a b/c"])
def test_malformed_setting_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"BOOK_REPOSITORY: expected 'owner/name', got"):
        repository_from({"BOOK_REPOSITORY": name})


def test_notebook_has_all_buttons() -> None:
    assert addresses(Repository("o/n"), "chapters/01-one.ipynb") == [
        "https://colab.research.google.com/github/o/n/blob/launch/chapters/01-one.ipynb",
        "https://mybinder.org/v2/gh/o/n/main?urlpath=lab/tree/chapters/01-one.ipynb",
        "https://github.com/o/n",
        "https://github.com/o/n/edit/main/chapters/01-one.ipynb",
        "https://github.com/o/n/issues/new?template=page.yml"
        "&title=chapters%2F01-one.ipynb%3A+&page=chapters%2F01-one.ipynb",
    ]


def test_only_what_can_work_is_offered() -> None:
    prose = addresses(Repository("o/n"), "chapters/index.md")
    assert len(prose) == 3
    assert not any("colab" in url or "mybinder" in url for url in prose)
    assert addresses(Repository("o/n"), None) == ["https://github.com/o/n"]
    elsewhere = Repository("o/n", server="https://git.example.org")
    assert len(addresses(elsewhere, "chapters/01-one.ipynb")) == 3


def test_form_that_the_button_fills_has_these_fields() -> None:
    form = (ROOT / ".github" / "ISSUE_TEMPLATE" / "page.yml").read_text(encoding="utf-8")
    assert "id: page" in form


# -------------------------------------------------------------- the build itself


def test_site_is_built_from_these_sources() -> None:
    """The tests of the pages are skipped unless this one passes."""
    assert staleness() is None
    assert len(pages()) >= 5


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """Write a book of two pages, with this book's settings and tools."""
    for name in ("_config.yml", "_ext", "_live", "_static", "code", "tools"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    chapters = tmp_path / "chapters"
    chapters.mkdir()
    (chapters / "index.md").write_text("# Small book\n\n$x$\n", encoding="utf-8")
    (chapters / "references.bib").write_text("", encoding="utf-8")
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    cells = [nbformat.v4.new_markdown_cell("# One"), nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=kernel), chapters / "01.ipynb")
    list_pages(tmp_path, ["chapters/01"])
    return tmp_path


def list_pages(book: Path, files: list[str]) -> None:
    lines = ["format: jb-book", "root: chapters/index", "chapters:"]
    (book / "_toc.yml").write_text(
        "\n".join([*lines, *(f"  - file: {file}" for file in files)]), encoding="utf-8"
    )


def build(book: Path, **setting: str) -> subprocess.CompletedProcess[str]:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("BOOK_", "GITHUB_"))
    }
    command = [sys.executable, book / "tools" / "site.py", "build"]
    return subprocess.run(
        command, cwd=book, env=clean | setting, capture_output=True, encoding="utf-8"
    )


def links_out(book: Path, page: str) -> list[str]:
    html = (book / "_build" / "html" / page).read_text(encoding="utf-8")
    links = BeautifulSoup(html, "html.parser").select("a[href^=http]")
    return [link["href"] for link in links]


@pytest.mark.slow
def test_buttons_follow_the_setting_and_pages_the_contents(book: Path) -> None:
    done = build(book, BOOK_REPOSITORY="o/n")
    assert done.returncode == 0, done.stdout
    assert "_build/html/index.html" in done.stdout
    expected = addresses(Repository("o/n"), "chapters/01.ipynb")
    assert links_out(book, "chapters/01.html") == expected
    assert links_out(book, "search.html") == ["https://github.com/o/n"]

    # Again without the setting, and with a page gone from the contents.
    (book / "chapters" / "02.md").write_text("# Two\n", encoding="utf-8")
    list_pages(book, ["chapters/02"])
    (book / "chapters" / "01.ipynb").unlink()
    assert build(book).returncode == 0
    assert links_out(book, "chapters/02.html") == []
    assert links_out(book, "search.html") == []
    assert not (book / "_build" / "html" / "chapters" / "01.html").exists()


def test_without_files_for_the_browsers_python_there_is_no_live_code(book: Path) -> None:
    done = build(book)
    assert done.returncode == 0
    assert "Left out: the files for the browser's Python" in done.stdout
    page = (book / "_build" / "html" / "chapters" / "01.html").read_text(encoding="utf-8")
    assert "page.mjs" not in page
    assert "data-live" not in page
    assert "no live code" in (book / "_build" / "site.log").read_text(encoding="utf-8")


def with_all_heads(book: Path) -> None:
    """Put the cell that shows all heads of a BERT into the small book."""
    if not (ROOT / ".browser" / "compiled").exists():
        pytest.skip("no files for the browser's Python")
    (book / ".browser").symlink_to(ROOT / ".browser")
    shutil.copytree(ROOT / "_live", book / "_live", dirs_exist_ok=True)
    for name in ("pyproject.toml", "README.md", "LICENSE"):  # of the wheel
        shutil.copy(ROOT / name, book / name)
    (chapter,) = (ROOT / "chapters").glob("*-family.ipynb")
    cells = nbformat.read(chapter, as_version=4).cells
    small = nbformat.read(book / "chapters" / "01.ipynb", as_version=4)
    small.cells += [cell for cell in cells if cell.id == "family-heads"]
    nbformat.write(small, book / "chapters" / "01.ipynb")


def test_without_the_model_the_page_has_the_notebooks_sentences(book: Path) -> None:
    with_all_heads(book)
    done = build(book, ATTENTION_MODELS=str(book / "nowhere"))
    assert done.returncode == 0, done.stdout
    assert "Left out: MiniLM for sentences of the reader's own." in done.stdout
    assert "`make models`" in done.stdout
    page = (book / "_build" / "html" / "chapters" / "01.html").read_text(encoding="utf-8")
    assert "<bert-heads data-figure" in page
    assert "data-small-weights" not in page
    assert not list((book / "_build" / "html").rglob("minilm*"))


@pytest.mark.slow
def test_with_the_model_the_site_has_its_small_weights(book: Path) -> None:
    if not files.is_here("minilm"):
        pytest.skip("minilm: `make models` has not been run")
    with_all_heads(book)
    done = build(book, ATTENTION_MODELS=str(files.folder()))
    assert done.returncode == 0, done.stdout
    assert "Left out" not in done.stdout
    page = (book / "_build" / "html" / "chapters" / "01.html").read_text(encoding="utf-8")
    html = BeautifulSoup(page, "html.parser").html
    address, _, version = html["data-small-weights"].partition("?v=")
    weights = book / "_build" / "html" / "chapters" / address
    assert weights.stat().st_size <= 25_000_000
    assert sha256(weights.read_bytes()).hexdigest().startswith(version)


def test_warning_fails_the_build_every_time(book: Path) -> None:
    with (book / "chapters" / "index.md").open("a", encoding="utf-8") as page:
        page.write("\nSee [nowhere](nowhere.md).\n")
    for _ in range(2):
        done = build(book)
        assert done.returncode == 1
        assert "WARNING" in done.stdout
        assert "nowhere.md" in done.stdout
    assert "nowhere.md" in (book / "_build" / "site.log").read_text(encoding="utf-8")
