"""The buttons that lead out of a page: repository, edit, report, Colab, Binder.

One setting says where the repository is: the environment variable
BOOK_REPOSITORY ("owner/name"). GitHub's own GITHUB_REPOSITORY serves where it
is unset, so a fork's site points to the fork. With neither, a page has no such
button.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from sphinx.application import Sphinx
from sphinx.errors import ConfigError

Button = dict[str, Any]  # as sphinx-book-theme's templates take them

# Colab opens a notebook without the rest of its repository. tools/launch.py
# writes this branch, where each notebook begins by fetching the book.
COLAB_BRANCH = "launch"
GITHUB = "https://github.com"


@dataclass(frozen=True)
class Repository:
    """Where the book's sources live."""

    name: str  # "owner/name"
    server: str = GITHUB
    branch: str = "main"

    @property
    def url(self) -> str:
        """The page of the repository."""
        return f"{self.server}/{self.name}"


def repository_from(environment: Mapping[str, str]) -> Repository | None:
    """Read the one setting, or return None where it is unset."""
    name = environment.get("BOOK_REPOSITORY") or environment.get("GITHUB_REPOSITORY")
    if not name:
        return None
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", name):
        raise ConfigError(f"BOOK_REPOSITORY: expected 'owner/name', got {name!r}")
    return Repository(
        name,
        server=environment.get("GITHUB_SERVER_URL") or GITHUB,
        branch=environment.get("BOOK_BRANCH") or environment.get("GITHUB_REF_NAME") or "main",
    )


def buttons(repository: Repository | None, source: str | None) -> list[Button]:
    """List the groups of buttons for the page made from the file `source`.

    A page that no file stands behind (the search page, say) has `source` None.
    """
    if repository is None:
        return []
    groups = [_group("Repository", "fab fa-github", _source_buttons(repository, source))]
    # Colab and Binder know notebooks on github.com only.
    if source and source.endswith(".ipynb") and repository.server == GITHUB:
        groups.insert(0, _group("Run this page", "fas fa-rocket", _launch(repository, source)))
    return groups


def _source_buttons(repository: Repository, source: str | None) -> list[Button]:
    links = [_link("Repository", "fab fa-github", repository.url)]
    if source:
        edit = f"{repository.url}/edit/{repository.branch}/{source}"
        links.append(_link("Edit this page", "fas fa-pencil-alt", edit))
        # The names of the form's fields: .github/ISSUE_TEMPLATE/page.yml
        form = urlencode({"template": "page.yml", "title": f"{source}: ", "page": source})
        report = f"{repository.url}/issues/new?{form}"
        links.append(_link("Report a mistake", "fas fa-lightbulb", report))
    return links


def _launch(repository: Repository, source: str) -> list[Button]:
    colab = "https://colab.research.google.com/github"
    binder = f"https://mybinder.org/v2/gh/{repository.name}/{repository.branch}"
    return [
        _link(
            "Colab",
            "_static/images/logo_colab.png",
            f"{colab}/{repository.name}/blob/{COLAB_BRANCH}/{source}",
        ),
        _link("Binder", "_static/images/logo_binder.svg", f"{binder}?urlpath=lab/tree/{source}"),
    ]


def _link(text: str, icon: str, url: str) -> Button:
    return {"type": "link", "text": text, "icon": icon, "url": url}


def _group(name: str, icon: str, links: list[Button]) -> Button:
    return {"type": "group", "tooltip": name, "icon": icon, "buttons": links}


def add_buttons(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object
) -> None:
    # A page that is made of a file of code (source_pages.py) says so itself.
    made_from = context.get("book_source")
    source = str(app.env.doc2path(page, base=False)) if doctree else made_from
    context["header_buttons"].extend(buttons(repository_from(os.environ), source))


def setup(app: Sphinx) -> None:
    # After the theme has made its list of buttons (priority 501).
    app.connect("html-page-context", add_buttons, priority=600)
