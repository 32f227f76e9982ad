"""Number figures and formulas by chapter: Figure 3.1, formula (3.1).

The chapter's number is that of its file. Sphinx would take it from a numbered table of
contents, which numbers sections and the back matter too. A figure that can be explored has no
caption, so its number stands in a line below it.
"""

import re

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.environment import BuildEnvironment

CHAPTER = re.compile(r"(?:.*/)?(\d\d)-[^/]+")
EXPLORABLE = re.compile(r"<[a-z]+-[a-z-]+ data-figure=")
FIGURE = "Figure %s"
NUMBER_ALONE = "figure-number"


def chapter_of(page: str) -> int | None:
    """Return the number of the chapter that a page is, from its name."""
    found = CHAPTER.fullmatch(page)
    return int(found[1]) if found else None


def set_format(app: Sphinx, config: Config) -> None:
    config.numfig = True
    config.numfig_format = {**config.numfig_format, "figure": FIGURE}


def give_names(app: Sphinx, page: nodes.document) -> None:
    """Give a name to what is to have a number and has none: a formula, a figure to explore."""
    if chapter_of(app.env.docname) is None:
        return
    unnamed = [node for node in page.findall(nodes.math_block) if not node["ids"]]
    for number, formula in enumerate(unnamed, 1):
        formula["ids"], formula["number"] = [f"formula-{number}"], number
    explorable = [cell for cell in page.findall(nodes.container) if can_be_explored(cell)]
    for number, cell in enumerate(explorable, 1):
        cell += nodes.paragraph("", ids=[f"explorable-{number}"], classes=[NUMBER_ALONE])


def can_be_explored(cell: nodes.container) -> bool:
    return cell.get("nb_element") == "cell_code" and any(
        EXPLORABLE.search(raw.astext()) for raw in cell.findall(nodes.raw)
    )


def number_by_chapter(app: Sphinx, env: BuildEnvironment) -> list[str]:
    """Count figures and formulas on each page, and put the chapter's number in front."""
    for page in env.all_docs:
        chapter = chapter_of(page)
        names: dict[str, list[str]] = {"figure": [], "displaymath": []}
        for node in env.get_doctree(page).findall():
            if kind := kind_of(node):
                names[kind].append(node["ids"][0])
        env.toc_fignumbers[page] = {
            kind: {
                name: (n,) if chapter is None else (chapter, n) for n, name in enumerate(all_, 1)
            }
            for kind, all_ in names.items()
        }
    return []


def kind_of(node: nodes.Node) -> str | None:
    """Tell what a node is numbered as, if it is."""
    if not isinstance(node, nodes.Element) or not node["ids"]:
        return None
    if isinstance(node, nodes.math_block):
        return "displaymath"
    captioned = isinstance(node, nodes.figure) and any(
        isinstance(part, nodes.caption) for part in node
    )
    return "figure" if captioned or NUMBER_ALONE in node["classes"] else None


def write_numbers(app: Sphinx, page: nodes.document, name: str) -> None:
    """Write the numbers of figures without a caption; Sphinx writes all others."""
    numbers = app.env.toc_fignumbers.get(name, {}).get("figure", {})
    for line in page.findall(nodes.paragraph):
        if NUMBER_ALONE in line["classes"]:
            line += nodes.Text(FIGURE % ".".join(map(str, numbers[line["ids"][0]])))


def setup(app: Sphinx) -> None:
    app.connect("config-inited", set_format)
    app.connect("doctree-read", give_names)
    # After Sphinx has counted them through the whole book.
    app.connect("env-get-updated", number_by_chapter, priority=900)
    app.connect("doctree-resolved", write_numbers)
