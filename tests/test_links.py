"""What `make linkcheck` makes of Sphinx's answers."""

import json
from pathlib import Path

import links
import pytest

# As Sphinx 7 writes them into output.json.
WORKING = {"filename": "a.md", "lineno": 3, "status": "working", "uri": "https://a.org", "info": ""}
MOVED = WORKING | {"status": "redirected", "info": "https://b.org"}
GONE = WORKING | {"status": "broken", "lineno": 7, "info": "404 Client Error"}
SILENT = WORKING | {"status": "timeout", "info": "read timed out"}
INSIDE = WORKING | {"status": "local", "uri": "notation.md"}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(links, "FOLDER", tmp_path)
    return tmp_path


def answer(monkeypatch: pytest.MonkeyPatch, *answers: dict) -> None:
    """Let Sphinx give these answers."""

    def linkcheck() -> str:
        if answers:
            folder = links.FOLDER / "_build" / "html"
            folder.mkdir(parents=True)
            text = "".join(json.dumps(link) + "\n" for link in answers)
            (folder / "output.json").write_text(text, encoding="utf-8")
        return "what Sphinx said"

    monkeypatch.setattr(links, "linkcheck", linkcheck)


def test_links_that_answer_pass(folder, monkeypatch, capsys):
    answer(monkeypatch, WORKING, MOVED, INSIDE)
    assert links.main() == 0
    assert capsys.readouterr().out.endswith("2 links to other sites, 0 broken.\n")


@pytest.mark.parametrize("link", [GONE, SILENT])
def test_a_link_that_does_not_answer_fails_with_its_place(folder, monkeypatch, capsys, link):
    answer(monkeypatch, WORKING, link)
    assert links.main() == 1
    printed = capsys.readouterr().out
    assert f"a.md:{link['lineno']}: https://a.org\n    {link['info']}\n" in printed
    assert printed.endswith("2 links to other sites, 1 broken.\n")


def test_a_build_that_asked_nothing_fails(folder, monkeypatch, capsys):
    answer(monkeypatch)
    assert links.main() == 1
    assert "what Sphinx said" in capsys.readouterr().out
    answer(monkeypatch, INSIDE)
    assert links.main() == 1
