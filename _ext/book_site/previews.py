"""What a shared link shows of a page: a title, a sentence and a picture.

Each page gets its description and the tags of Open Graph and Twitter. The picture of a chapter
holds its title and its first figure; all other pages share one. A picture has to be named by
its whole address, so there is one only where the address of the site is known: BOOK_SITE, or
the Pages of the repository (`repository.py`).
"""

import os
import re
from base64 import b64decode
from collections.abc import Mapping
from html import escape
from io import BytesIO
from pathlib import Path
from textwrap import shorten, wrap
from typing import Any

import nbformat
from docutils import nodes
from matplotlib import font_manager
from PIL import Image, ImageDraw, ImageFont
from sphinx.application import Sphinx

from .facts import Chapter, chapters
from .repository import GITHUB, repository_from

FOLDER = "previews"  # in the site's _static
SIZE = (1200, 630)  # as those who show previews ask for
LONGEST = 200  # letters of a description
PAPER, INK, MUTED, ACCENT = "#fffefb", "#1b1e23", "#565b62", "#00449e"
NAME = "Attention, Measured"
PROMISE = "Touch attention, take it apart, build it yourself, and see every claim measured."


def setup(app: Sphinx) -> None:
    app.connect("html-page-context", add_tags)
    app.connect("build-finished", draw_all)


# ---------------------------------------------------------------------------- the tags


def address_from(environment: Mapping[str, str]) -> str | None:
    """Return the address of the site's root, with a slash at its end, if it is known."""
    if given := environment.get("BOOK_SITE"):
        return given.rstrip("/") + "/"
    repository = repository_from(environment)
    if repository is None or repository.server != GITHUB:
        return None
    owner, name = repository.name.split("/")
    root = f"https://{owner.lower()}.github.io/"
    return root if name.lower() == f"{owner.lower()}.github.io" else f"{root}{name}/"


def add_tags(
    app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: nodes.document | None
) -> None:
    """Write a page's tags into its head."""
    chapter = chapter_of(app, page)
    said = description(app, page, chapter, doctree)
    whole = context.get("title") or NAME
    title = NAME if page == app.config.root_doc else re.sub(r"<[^>]+>", "", whole)
    tags = {
        "description": said,
        "og:title": title,
        "og:description": said,
        "og:type": "article" if chapter else "website",
        "og:site_name": NAME,
        "twitter:card": "summary_large_image",
    }
    if address := address_from(os.environ):
        picture = chapter.page if chapter else "book"
        tags["og:url"] = f"{address}{page}.html"
        tags["og:image"] = f"{address}_static/{FOLDER}/{picture}.png"
        tags["og:image:width"], tags["og:image:height"] = map(str, SIZE)
        tags["og:image:alt"] = f"{NAME}: {title}"
    context["metatags"] = context.get("metatags", "") + "".join(
        f'\n<meta {"property" if name.startswith("og:") else "name"}="{name}" '
        f'content="{escape(text)}"/>'
        for name, text in tags.items()
        if text
    )


def chapter_of(app: Sphinx, page: str) -> Chapter | None:
    """Find the chapter that a page is."""
    found = chapters(Path(app.srcdir) / "chapters")
    return next((one for one in found if f"chapters/{one.page}" == page), None)


def description(
    app: Sphinx, page: str, chapter: Chapter | None, doctree: nodes.document | None
) -> str:
    """Say what a page is about: its question, or its first paragraph."""
    if chapter and chapter.question:
        return shorten(chapter.question, LONGEST, placeholder=" …")
    if page == app.config.root_doc or doctree is None:
        return PROMISE
    texts = [one for one in doctree.findall(nodes.paragraph) if len(one.astext()) > 40]
    # A formula would be shown as LaTeX.
    first = next((one for one in texts if not one.next_node(nodes.math)), None)
    text = first.astext() if first else f"{app.env.titles[page].astext()}. {PROMISE}"
    return shorten(text, LONGEST, placeholder=" …")


# -------------------------------------------------------------------------- the pictures


def draw_all(app: Sphinx, exception: Exception | None) -> None:
    """Draw a picture for each chapter of the book, and one for the other pages."""
    if exception or app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static" / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    source = Path(app.srcdir) / "chapters"
    shown = [one for one in chapters(source) if f"chapters/{one.page}" in app.env.found_docs]
    figures = {one.page: first_figure(source / f"{one.page}.ipynb") for one in shown}
    for one in shown:
        save(card(one.title, figures[one.page]), folder / f"{one.page}.png")
    picture = next(filter(None, figures.values()), None)
    save(card(PROMISE, picture, NAME), folder / "book.png")


def first_figure(notebook: Path) -> Image.Image | None:
    """Return the first picture that a notebook shows."""
    for cell in nbformat.read(notebook, as_version=4).cells:
        for output in cell.get("outputs", []):
            if picture := output.get("data", {}).get("image/png"):
                return on_paper(Image.open(BytesIO(b64decode(picture))))
    return None


def on_paper(picture: Image.Image) -> Image.Image:
    """Lay a picture that lets the ground show through on white."""
    whole = Image.new("RGBA", picture.size, "white")
    whole.alpha_composite(picture.convert("RGBA"))
    return whole.convert("RGB")


def card(text: str, figure: Image.Image | None, above: str = NAME) -> Image.Image:
    """Draw the name of the book, a text, and a figure below it."""
    picture = Image.new("RGB", SIZE, PAPER)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, 0, SIZE[0], 12), fill=ACCENT)
    pen.text((60, 40), above, MUTED, font=font("sans", 30))
    lines = wrap(text, 42)
    for i, line in enumerate(lines):
        pen.text((60, 92 + 62 * i), line, INK, font=font("serif", 50))
    top = 110 + 62 * len(lines)
    if figure:
        room = SIZE[0] - 120, SIZE[1] - top - 40
        figure = figure.copy()
        scale = min(room[0] / figure.width, room[1] / figure.height)
        size = round(figure.width * scale), round(figure.height * scale)
        picture.paste(figure.resize(size, Image.Resampling.LANCZOS), (60, top))
    return picture


def font(family: str, size: int) -> ImageFont.FreeTypeFont:
    """Find the fonts that come with matplotlib, so that the picture is the same everywhere."""
    name = {"serif": "DejaVu Serif", "sans": "DejaVu Sans"}[family]
    return ImageFont.truetype(font_manager.findfont(name), size)


def save(picture: Image.Image, path: Path) -> None:
    """Save it small: few colours are enough."""
    picture.quantize(64).save(path, optimize=True)
