"""A page for each file of the package and of the experiments, and the list of these pages.

A page shows the file as it stands, coloured by Sphinx's own highlighter. Each line has an
anchor (`#L12`), and so has each definition (`#softmax`). Above the code stands which sections
of which chapters explain it: the first lines of the module, and of some functions, say so.
There the headings are written out, and are links; so are the names that are imported.

The pages are made where the book has the page that lists them.
"""

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from functools import cache
from html import escape
from itertools import pairwise
from pathlib import Path
from typing import Any

from bs4 import BeautifulSoup
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from .imports import link_names
from .listings import names_printed
from .modules import EVERYWHERE, STOPS, Module, Modules, Place, places
from .places import (
    chapters_of,
    link,
    place_link,
    place_node,
    section_at,
    sections_that_name,
    source_address,
)

LIST = "chapters/package"  # the page with the directive `module-list`
SPANS = re.compile(r'<span id="L-(\d+)">')
MARKUP = re.compile(r"``(.+?)``|\*([^*]+)\*")
MOST = 6  # sections that a script's page names

Page = tuple[str, dict[str, Any], str]


def setup(app: Sphinx) -> None:
    app.add_directive("module-list", ModuleList)
    app.connect("html-collect-pages", pages)


def modules_of(env: BuildEnvironment) -> Modules | None:
    """Return the modules that have a page, or None in a book without such pages."""
    return all_modules(str(env.srcdir)) if LIST in env.found_docs else None


@cache
def all_modules(root: str) -> Modules:
    return Modules(Path(root))


# ----------------------------------------------------------------------------- list


class ModuleList(SphinxDirective):
    """All modules, a section for each folder: name, first line, and where it is explained."""

    def run(self) -> list[nodes.Node]:
        """Make the sections, in the order of the folders."""
        rooms: dict[str, list[Module]] = defaultdict(list)
        for module in all_modules(str(self.env.srcdir)).by_name.values():
            rooms[room_of(module)].append(module)
        return [self.section(room, modules) for room, modules in rooms.items()]

    def section(self, room: str, modules: list[Module]) -> nodes.section:
        """Make the section of one folder."""
        section = nodes.section(names=[nodes.fully_normalize_name(room)])
        section += nodes.title("", "", nodes.literal(text=room))
        self.state.document.note_implicit_target(section, section)
        section += nodes.definition_list("", *map(self.entry, modules), classes=["modules"])
        return section

    def entry(self, module: Module) -> nodes.definition_list_item:
        """Describe one module."""
        said = nodes.paragraph("", "", *inline(module.summary))
        if module.places:
            # They become links when all chapters are read: source_links.py
            for number, place in enumerate(module.places):
                said += [nodes.Text(", " if number else " "), place_node(place)]
        return nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal(text=module.title, book_module=module.name)),
            nodes.definition("", said),
        )


def room_of(module: Module) -> str:
    """Name the folder that a module stands in, as its modules are named."""
    folder = module.path.rpartition("/")[0]
    inside = folder.removeprefix("code/")
    return inside if inside == folder else inside.replace("/", ".")


def inline(text: str) -> list[nodes.Node]:
    """Make nodes of a first line: ``code`` and *emphasis*."""
    found: list[nodes.Node] = []
    end = 0
    for match in MARKUP.finditer(text):
        found.append(nodes.Text(text[end : match.start()]))
        code, stressed = match.groups()
        found.append(nodes.literal(text=code) if code else nodes.emphasis(text=stressed))
        end = match.end()
    return [*found, nodes.Text(text[end:])]


# ---------------------------------------------------------------------------- pages


def pages(app: Sphinx) -> Iterator[Page]:
    """Hand Sphinx what the page of each module holds."""
    modules = modules_of(app.env)
    if modules is None:
        return
    chapters = chapters_of(app.env)
    told = sections_that_name(chapters, modules)
    printed = names_printed(chapters.values(), modules)
    for module in modules.by_name.values():
        above = {
            "title": app.env.titles[LIST].astext(),
            "link": app.builder.get_relative_uri(module.page, LIST),
        }
        context = {
            "title": module.title,
            "parents": [above],
            "body": body(app, modules, module, told[module.path]),
            "toc": contents(module, {name for path, name in printed if path == module.path}),
            "display_toc": True,
            "book_source": module.path,
        }
        yield module.page, context, "page.html"


def body(app: Sphinx, modules: Modules, module: Module, told: dict[str, Place]) -> str:
    """Write the page: what it holds, where it is explained, and the code."""
    head = nodes.container(classes=["source-head"])
    head += nodes.paragraph("", "", *inline(module.summary))
    head += explained(app, modules, module, told)
    label = f"Source of {module.title}"
    code = coloured(app, modules, module).replace(
        "<pre>", f'<pre class="source" tabindex="0" role="region" aria-label="{label}">', 1
    )
    return f"""<h1><code>{escape(module.title)}</code></h1>
{app.builder.render_partial(head)["fragment"]}
<div class="highlight-python notranslate">{code}</div>
"""


def explained(
    app: Sphinx, modules: Modules, module: Module, told: dict[str, Place]
) -> list[nodes.paragraph]:
    """Say which sections explain a file; of a script, which name it or its log."""
    found_at = module.all_places
    links = [
        place_link(app, module.page, place, before) for before, place in pairwise([None, *found_at])
    ]
    if module.bracket == EVERYWHERE:
        links, begin = [], "All chapters use it."
    elif found_at:
        begin = "Explained in "
    elif told:
        begin = "Reported in "
        links = [place_link(app, module.page, place) for place in list(told.values())[:MOST]]
    else:
        begin = "Used by "
        links = [
            link(app, module.page, user.page, "", user.title)
            for user in modules.by_name.values()
            if user is not module and uses(user, module)
        ]
    links = list(filter(None, links))
    found = []
    if links or module.bracket == EVERYWHERE:
        told_by = nodes.paragraph("", begin, classes=["explained"])
        for number, one in enumerate(links):
            told_by += [nodes.Text(", ")] * (number > 0) + [one]
        if links and not links[-1].astext().endswith(STOPS):
            told_by += nodes.Text(".")
        found.append(told_by)
    back = nodes.paragraph("", "", nodes.literal(text=module.path), nodes.Text(" in "))
    back += link(app, module.page, LIST, "", app.env.titles[LIST].astext())
    return [*found, back]


def uses(user: Module, module: Module) -> bool:
    """Tell whether a module imports another one, or something of it."""
    taken = {*user.imports.values(), *user.stars}
    names = {module.name, module.name.removeprefix("experiments.")}
    return any(name == one or one.startswith(f"{name}.") for name in names for one in taken)


def coloured(app: Sphinx, modules: Modules, module: Module) -> str:
    """Colour the code, with links in it, and an anchor for each line and each definition."""
    html = app.builder.highlighter.highlight_block(module.text, "python", linespans="L")
    html = with_imports(html, module, addresses(app, modules, module.page))
    for bracket in module.brackets:
        sections = "; ".join(section(app, module.page, place) for place in places(bracket))
        written = escape(bracket).replace("&#x27;", "&#39;")  # as Pygments writes it
        html = html.replace(f"({written})", f"({sections})")
    opening: dict[int, str] = defaultdict(str)
    closing: dict[int, str] = defaultdict(str)
    # What stands in another definition begins after it and ends before it.
    for name, lines in sorted(
        module.definitions.items(), key=lambda item: (item[1].first, -item[1].last)
    ):
        opening[lines.first] += f'<span class="definition" id="{name}">'
        closing[lines.last + 1] += "</span>"

    def line(match: re.Match[str]) -> str:
        number = int(match[1])
        return f'{closing.pop(number, "")}{opening[number]}<span class="line" id="L{number}">'

    html = SPANS.sub(line, html)
    return html.replace("</pre>", f"{''.join(closing.values())}</pre>")


def with_imports(html: str, module: Module, address_of: Callable[[str], str | None]) -> str:
    """Make links of the names that a file imports from the package."""
    imports = [
        statement
        for statement in ast.parse(module.text).body
        if isinstance(statement, ast.ImportFrom)
    ]
    if not imports:
        return html
    # The lines from the first import to the last: to parse the whole page would take long.
    first, last = imports[0].lineno, imports[-1].end_lineno
    starts = [match.start() for match in SPANS.finditer(html)]
    start, end = starts[first - 1], (*starts, html.index("</pre>"))[last]
    # In a `pre`, where blanks count.
    code = BeautifulSoup(f"<pre>{html[start:end]}</pre>", "html.parser").pre
    link_names(code, address_of)
    return f"{html[:start]}{code.decode_contents()}{html[end:]}"


def addresses(app: Sphinx, modules: Modules, page: str) -> Callable[[str], str | None]:
    """Make a function that says where a name of the package is defined, as seen from a page."""

    def address_of(name: str) -> str | None:
        target = modules.find(name)
        return source_address(app, page, target) if target else None

    return address_of


def section(app: Sphinx, page: str, place: Place) -> str:
    """Write a chapter's word and the whole heading, with a link."""
    found = section_at(app.env, place)
    if found is None:
        return escape(f"{place.word}: {place.heading}")
    address = app.builder.get_relative_uri(page, found.chapter) + found.anchor
    said = f"{place.word}: {found.heading}" if found.heading else place.word
    return f'<a class="to-section" href="{address}">{escape(said)}</a>'


def contents(module: Module, printed: set[str]) -> str:
    """List functions and classes, for the page's own table of contents.

    Of the private ones those are listed that a chapter prints.
    """
    listed = [
        name
        for name, lines in module.definitions.items()
        if lines.can_be_called and "." not in name and (name[0] != "_" or name in printed)
    ]
    entries = "".join(
        f'<li><a class="reference internal" href="#{name}">{name}</a></li>' for name in listed
    )
    inside = f"<ul>{entries}</ul>" if entries else ""
    return f'<ul><li><a class="reference internal" href="#">{module.title}</a>{inside}</li></ul>'
