"""What `make linkcheck` makes of Sphinx's answers."""

import importlib.util
import json
from pathlib import Path
from subprocess import CompletedProcess
from types import ModuleType

import pytest

TOOL = Path(__file__).resolve().parent.parent / "tools" / "site.py"

# As Sphinx 7 writes them into output.json.
WORKING = {"filename": "a.md", "lineno": 3, "status": "working", "uri": "https://a.org", "info": ""}
MOVED = WORKING | {"status": "redirected", "info": "https://b.org"}
GONE = WORKING | {"status": "broken", "lineno": 7, "info": "404 Client Error"}
SILENT = WORKING | {"status": "timeout", "info": "read timed out"}
INSIDE = WORKING | {"status": "local", "uri": "notation.md"}


@pytest.fixture
def tool(tmp_path, monkeypatch) -> ModuleType:
    """Load tools/site.py, whose name is one of Python's own modules', with another folder."""
    spec = importlib.util.spec_from_file_location("site_tool", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    monkeypatch.setattr(tool, "LINKS", tmp_path / "links")
    return tool


def answers(tool: ModuleType, *links: dict) -> None:
    """Let Sphinx give these answers."""

    def jupyter_book(*options: str) -> CompletedProcess[str]:
        assert options[:3] == ("--all", "--builder", "linkcheck")
        if links:
            folder = tool.LINKS / "_build" / "html"
            folder.mkdir(parents=True)
            text = "".join(json.dumps(link) + "\n" for link in links)
            (folder / "output.json").write_text(text, encoding="utf-8")
        return CompletedProcess([], 1 if GONE in links else 0, "what Sphinx said")

    tool.jupyter_book = jupyter_book


def test_links_that_answer_pass(tool, capsys):
    answers(tool, WORKING, MOVED, INSIDE)
    assert tool.links() == 0
    assert capsys.readouterr().out.endswith("2 links to other sites, 0 broken.\n")


@pytest.mark.parametrize("link", [GONE, SILENT])
def test_a_link_that_does_not_answer_fails_with_its_place(tool, capsys, link):
    answers(tool, WORKING, link)
    assert tool.links() == 1
    printed = capsys.readouterr().out
    assert f"a.md:{link['lineno']}: https://a.org\n    {link['info']}\n" in printed
    assert printed.endswith("2 links to other sites, 1 broken.\n")


def test_a_build_that_asked_nothing_fails(tool, capsys):
    answers(tool)
    assert tool.links() == 1
    assert "what Sphinx said" in capsys.readouterr().out
    answers(tool, INSIDE)
    assert tool.links() == 1
