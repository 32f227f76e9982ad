"""What the site keeps for a reader, in the reader's own browser: predictions and progress.

All pages get one plain script, `_static/reader.js`, made from `_live/reader.js`. It knows the
chapters of the book, with their sections and exercises, from here.
"""

import json
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

from .facts import chapters
from .live import bundle

SCRIPT = "reader.js"
# Sections in which nothing is read: what is solved there counts by itself.
NOT_COUNTED = ("Exercises", "Further reading")


def setup(app: Sphinx) -> None:
    app.connect("env-updated", write_script)
    app.add_js_file(SCRIPT, loading_method="defer")


def write_script(app: Sphinx, env: BuildEnvironment) -> None:
    """Bundle the script before the pages are written, so that its address holds a version."""
    if app.builder.format != "html":
        return
    book = json.dumps(contents(env), ensure_ascii=False, separators=(",", ":"))
    target = Path(app.outdir) / "_static" / SCRIPT
    target.parent.mkdir(parents=True, exist_ok=True)
    options = ["--format=iife", f"--define:BOOK={book}", f"--outfile={target}"]
    bundle(SCRIPT, *options, cwd=Path(app.srcdir) / "_live")


def contents(env: BuildEnvironment) -> list[dict[str, object]]:
    """List the chapters that the book has, with what a reader can see and solve in each."""
    return [
        {
            "page": chapter.page,
            "notebook": f"{chapter.page}.ipynb",
            "title": chapter.title,
            "sections": sections(env, f"chapters/{chapter.page}"),
            "exercises": [exercise.cell for exercise in chapter.exercises],
        }
        for chapter in chapters(Path(env.srcdir) / "chapters")
        if f"chapters/{chapter.page}" in env.found_docs
    ]


def sections(env: BuildEnvironment, page: str) -> list[str]:
    """Return the anchors of a chapter's sections that are read."""
    title = next(env.tocs[page].findall(nodes.list_item))
    # A section of the first rank is an entry of the list below the title.
    inner = next((part for part in title if isinstance(part, nodes.bullet_list)), [])
    entries = [next(item.findall(nodes.reference)) for item in inner]
    return [
        entry["anchorname"].removeprefix("#")
        for entry in entries
        if entry.astext() not in NOT_COUNTED
    ]
