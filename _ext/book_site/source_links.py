"""Links from the chapters to the source pages.

* inline code that names a module, a function of it or a script is a link;
* a cell that prints a part of the package says where it stands, and is coloured as code;
* an exercise says where its checker stands;
* names that a cell imports from the package are links.

The notebooks know nothing of this: names are followed in the files (`modules.py`).
"""

import re
from collections.abc import Iterator
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform

from .imports import link_names
from .listings import listings
from .modules import Modules, Target
from .places import place_link, target_link
from .source_pages import addresses, modules_of

CHECKER = re.compile(r"^(?!\s*#).*\bchecks\.(\w+)\(", re.MULTILINE)
CODE = re.compile(r"<pre>.*?</pre>", re.DOTALL)
# A link in a link is none, and one in a heading would stand in the contents too.
NO_LINK_IN = (nodes.reference, nodes.title, nodes.caption)


def setup(app: Sphinx) -> None:
    app.add_post_transform(LinkSources)
    app.connect("html-page-context", link_imports)


class LinkSources(SphinxPostTransform):
    """Add the links that can be made of a chapter's nodes."""

    default_priority = 150  # after an output's form is chosen, before cells are folded
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the page's nodes, once for each kind of link."""
        modules = modules_of(self.env)
        if modules is None:
            return
        self.name_listings(modules)
        self.name_checkers(modules)
        self.link_places()
        self.link_code(modules)

    def name_listings(self, modules: Modules) -> None:
        """Colour what a cell prints of the package, and say above it where it stands."""
        for output in list(self.cells("cell_code_output")):
            for printed in list(output.findall(nodes.literal_block)):
                found = listings(modules).printed(printed.astext())
                if not found:
                    continue
                printed["language"] = "python"
                printed["force"] = True  # a part of a function need not be whole
                printed["classes"].append("listing")
                said = nodes.paragraph("", "In the package: ", classes=["listing-place"])
                for number, target in enumerate(found):
                    said += [nodes.Text(", ")] * (number > 0)
                    name = nodes.literal(text=target.title)
                    said += target_link(self.app, self.env.docname, target, name)
                printed.parent.insert(printed.parent.index(printed), said)

    def name_checkers(self, modules: Modules) -> None:
        """Say below each exercise where its checker stands."""
        seen = set()
        for cell in list(self.cells("cell_code")):
            for name in CHECKER.findall(cell.children[0].astext()):
                target = modules.find(f"attention.checks.{name}")
                if target is None or target in seen or cell.get("hide_mode"):
                    continue
                seen.add(target)
                said = nodes.paragraph("", "How it is checked: ", classes=["checker"])
                said += nodes.literal(text=f"attention.checks.{name}")
                said += nodes.Text(". The file also holds an answer.")
                cell.parent.insert(cell.parent.index(cell) + 1, said)

    def cells(self, element: str) -> Iterator[nodes.container]:
        """Yield the code cells, or their outputs."""
        for node in self.document.findall(nodes.container):
            if node.get("nb_element") == element:
                yield node

    def link_places(self) -> None:
        """Make links of the places that the list of modules names."""
        for node in list(self.document.findall(nodes.inline)):
            if place := node.get("book_place"):
                found = place_link(self.app, self.env.docname, place)
                node.replace_self(found or nodes.Text(node.astext()))

    def link_code(self, modules: Modules) -> None:
        """Make links of inline code that names something."""
        for literal in list(self.document.findall(nodes.literal)):
            module = literal.get("book_module")  # in the list of modules
            listed = modules.by_name.get(module)
            target = Target(listed) if listed else modules.mentioned(literal.astext())
            if target and not any(isinstance(node, NO_LINK_IN) for node in above(literal)):
                page = self.env.docname
                literal.replace_self(target_link(self.app, page, target, literal.deepcopy()))


def above(node: nodes.Node) -> Iterator[nodes.Node]:
    while node.parent is not None:
        node = node.parent
        yield node


# -------------------------------------------------------------------------- imports


def link_imports(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Make links of the names that a chapter's cells import from the package."""
    modules = modules_of(app.env)
    if modules is None or doctree is None:
        return

    def linked(match: re.Match[str]) -> str:
        if "import" not in match[0] or "attention" not in match[0]:
            return match[0]
        code = BeautifulSoup(match[0], "html.parser").pre
        link_names(code, addresses(app, modules, page))
        return str(code)

    context["body"] = CODE.sub(linked, context["body"])
