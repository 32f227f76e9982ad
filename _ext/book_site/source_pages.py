"""A page for each file of the package and of the experiments, and the list of these pages.

A page shows the file as it stands, coloured by Sphinx's own highlighter. Each line has an
anchor (`#L12`), and so has each definition (`#softmax`). Above the code stands which section
of which chapter explains it: the module's first line says so.

The pages are made where the book has the page that lists them.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.docutils import SphinxDirective

from .modules import EVERYWHERE, Module, Modules, Place, Target

LIST = "chapters/package"  # the page with the directive `module-list`
SPANS = re.compile(r'<span id="L-(\d+)">')
MARKUP = re.compile(r"``(.+?)``|\*(\w+)\*")
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
            # Resolved when all chapters are read: source_links.py
            said += [nodes.Text(" "), *(place_node(place) for place in module.places)]
        return nodes.definition_list_item(
            "",
            nodes.term("", "", nodes.literal(text=module.title)),
            nodes.definition("", said),
        )


def room_of(module: Module) -> str:
    """Name the folder that a module stands in."""
    folder = module.path.rpartition("/")[0]
    return folder.removeprefix("code/").replace("/", ".")


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


# --------------------------------------------------------------------------- places


def place_node(place: Place) -> nodes.inline:
    """Make what becomes a link to a chapter, once all chapters are read."""
    return nodes.inline(text=place.heading or place.word, book_place=place)


def place_link(app: Sphinx, page: str, place: Place) -> nodes.reference | None:
    """Link to a section of a chapter, or return None if there is none."""
    env = app.env
    chapter = chapter_of(env, place.word)
    if chapter is None:
        return None
    title, anchor = env.titles[chapter].astext(), ""
    if place.heading:
        for entry in env.tocs[chapter].findall(nodes.reference):
            if begins(entry.astext(), place.heading):
                title, anchor = f"{title}: {entry.astext()}", entry["anchorname"]
                break
        else:
            return None
    return link(app, page, chapter, anchor, title)


def chapter_of(env: BuildEnvironment, word: str) -> str | None:
    """Find the chapter with this word: its file's name without the number."""
    found = (name for name in env.found_docs if re.fullmatch(rf"chapters/\d+-{word}", name))
    return next(found, None)


def begins(heading: str, start: str) -> bool:
    """Compare a heading with the beginning of one, without case and signs of Markdown."""
    plain = [re.sub(r"[`*$]", "", text).casefold() for text in (heading, start)]
    return plain[0].startswith(plain[1])


def link(app: Sphinx, page: str, to: str, anchor: str, text: str) -> nodes.reference:
    address = app.builder.get_relative_uri(page, to) + anchor
    return nodes.reference("", text, internal=True, refuri=address)


# ---------------------------------------------------------------------------- pages


def pages(app: Sphinx) -> Iterator[Page]:
    """Hand Sphinx what the page of each module holds."""
    modules = modules_of(app.env)
    if modules is None:
        return
    told = sections_that_name(app.env, modules)
    for module in modules.by_name.values():
        above = {
            "title": app.env.titles[LIST].astext(),
            "link": app.builder.get_relative_uri(module.page, LIST),
        }
        context = {
            "title": module.title,
            "parents": [above],
            "body": body(app, modules, module, told[module.path]),
            "toc": contents(module),
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
    code = coloured(app, module).replace(
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
    links = [place_link(app, module.page, place) for place in module.places]
    if module.bracket == EVERYWHERE:
        links, begin = [], "All chapters use it."
    elif module.places:
        begin = "Explained in "
    elif told:
        begin = "Told in "
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
        if links:
            told_by += nodes.Text(".")
        found.append(told_by)
    back = nodes.paragraph("", "", nodes.literal(text=module.path), nodes.Text(", one of "))
    back += [link(app, module.page, LIST, "", "all modules"), nodes.Text(".")]
    return [*found, back]


def uses(user: Module, module: Module) -> bool:
    """Tell whether a module imports another one, or something of it."""
    taken = {*user.imports.values(), *user.stars}
    names = {module.name, module.name.removeprefix("experiments.")}
    return any(name == one or one.startswith(f"{name}.") for name in names for one in taken)


def coloured(app: Sphinx, module: Module) -> str:
    """Colour the code, with an anchor for each line and around each definition."""
    html = app.builder.highlighter.highlight_block(module.text, "python", linespans="L")
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


def contents(module: Module) -> str:
    """List the public functions and classes, for the page's own table of contents."""
    public = [
        name
        for name in module.definitions
        if "." not in name and not name.startswith("_") and not name.isupper()
    ]
    entries = "".join(
        f'<li><a class="reference internal" href="#{name}">{name}</a></li>' for name in public
    )
    inside = f"<ul>{entries}</ul>" if entries else ""
    return f'<ul><li><a class="reference internal" href="#">{module.title}</a>{inside}</li></ul>'


# ------------------------------------------------------------- scripts in the chapters


def sections_that_name(env: BuildEnvironment, modules: Modules) -> dict[str, dict[str, Place]]:
    """For each script, find the sections that name it, or read a log that it wrote."""
    told: dict[str, dict[str, Place]] = defaultdict(dict)
    scripts = {path for path in modules.by_path if path.startswith("experiments/")}
    for page in sorted(env.found_docs):
        word = re.fullmatch(r"chapters/\d+-(.+)", page)
        if not word:
            continue
        for node in env.get_doctree(page).findall(is_code):
            for path in named_in(node.astext(), scripts):
                heading = heading_above(node)
                told[path].setdefault(f"{word[1]} {heading}", Place(word[1], heading))
    return told


def is_code(node: nodes.Node) -> bool:
    return isinstance(node, nodes.literal | nodes.literal_block)


def named_in(text: str, scripts: set[str]) -> set[str]:
    """Find the scripts that a text names, or whose logs: `cost.csv` or `cost_log.csv`."""
    found = set()
    for name in re.findall(r"experiments/[\w/]+(?=\.(?:py|csv|json))", text):
        wrote = [path for path in scripts if name.startswith(path.removesuffix(".py"))]
        found.add(max(wrote, key=len, default=""))
    return found - {""}


def heading_above(node: nodes.Node) -> str:
    """Return the heading of the section that a node stands in, or "" below the title."""
    while node.parent is not None:
        node = node.parent
        if isinstance(node, nodes.section):
            is_chapter = isinstance(node.parent, nodes.document)
            return "" if is_chapter else node.next_node(nodes.title).astext()
    return ""


def target_link(app: Sphinx, page: str, target: Target, inside: nodes.Node) -> nodes.reference:
    """Make a link to a definition's place around a node."""
    address = app.builder.get_relative_uri(page, target.module.page) + target.anchor
    return nodes.reference("", "", inside, internal=True, refuri=address, classes=["to-source"])
