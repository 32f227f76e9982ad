"""Make one PDF of all pages: title, contents with page numbers, chapters, an outline.

Chromium prints one long page. Which place came to stand on which sheet is known only then, so
it prints twice: the second time the contents have their numbers.
"""

from datetime import UTC, datetime
from html import escape
from pathlib import Path

from playwright.sync_api import Browser
from pypdf import PdfReader, PdfWriter

from .formulas import written_out
from .pages import Page, anchor

STYLE = Path(__file__).with_name("paper.css")
FONTS = "node_modules/@fontsource"
FACES = [
    ("Source Serif 4", "source-serif-4", 400, "normal"),
    ("Source Serif 4", "source-serif-4", 400, "italic"),
    ("Source Serif 4", "source-serif-4", 600, "normal"),
    ("Source Serif 4", "source-serif-4", 600, "italic"),
    ("Source Code Pro", "source-code-pro", 400, "normal"),
    ("Source Code Pro", "source-code-pro", 400, "italic"),
]
# Which signs are in which file of a font.
RANGES = {
    "latin": "U+0000-00FF, U+0131, U+0152-0153, U+2000-206F, U+20AC, U+2122, U+2191-2193, U+2212",
    "latin-ext": "U+0100-0130, U+0132-0151, U+0154-02AF, U+1E00-1EFF, U+20A0-20AB, U+20AD-20C0",
    "greek": "U+0370-03FF",
}
PATIENCE = 300_000  # milliseconds


def write_pdf(
    browser: Browser,
    root: Path,
    pages: list[Page],
    folder: Path,
    target: Path,
    facts: dict[str, str],
) -> dict[str, int]:
    """Write the PDF; return on which sheet each page begins, and the number of all sheets."""
    written = written_out(pages, "#{place}", "svg")
    printed = [
        f'<article id="{anchor(page.name)}">{html}</article>'
        for page, html in zip(pages, written, strict=True)
    ]
    styles = font_faces(root) + STYLE.read_text(encoding="utf-8") + running_heads(pages)
    styles += (root / "_build/html/_static/pygments.css").read_text(encoding="utf-8")
    sheets: dict[str, int] = {}
    for _ in range(2):
        front = title_page(facts) + contents(pages, sheets)
        book = folder / "book.html"
        book.write_text(
            f'<!DOCTYPE html><html lang="en" data-theme="light"><head><meta charset="utf-8">'
            f"<title>{facts['title']}</title><style>{styles}</style></head>"
            f"<body>{front}{''.join(printed)}</body></html>",
            encoding="utf-8",
        )
        tab = browser.new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(book.as_uri())
        tab.evaluate("document.fonts.ready")
        tab.pdf(path=target, prefer_css_page_size=True, outline=True, tagged=True)
        tab.close()
        sheets = sheets_of(target)
    finish(target, facts)
    return sheets


def running_heads(pages: list[Page]) -> str:
    """Return the styles that write each page's title above its sheets."""
    rules = []
    for number, page in enumerate(pages):
        title = page.title.replace("\\", "").replace('"', "'")
        rules.append(f"#{anchor(page.name)} {{ page: sheet-{number}; }}")
        rules.append(f'@page sheet-{number} {{ @top-left {{ content: "{title}"; }} }}')
    return "\n".join(rules)


def font_faces(root: Path) -> str:
    """Return the styles that load the fonts of the document."""
    rules = []
    for family, name, weight, slope in FACES:
        for subset in ("latin-ext", "greek", "latin"):
            file = root / FONTS / name / "files" / f"{name}-{subset}-{weight}-{slope}.woff2"
            ranges = RANGES[subset]
            rules.append(
                f'@font-face {{ font-family: "{family}"; font-weight: {weight}; font-style: {slope};'
                f' src: url("{file.resolve().as_uri()}"); unicode-range: {ranges}; }}'
            )
    return "\n".join(rules)


def title_page(facts: dict[str, str]) -> str:
    """Return the first sheet."""
    where = facts["address"]
    site = f'<p>On the web, with live code: <a href="{where}">{where}</a></p>' if where else ""
    return (
        f'<header class="title-page"><p class="book-title">{escape(facts["title"])}</p>'
        f"<p>{escape(facts['promise'])}</p><footer>{site}<p>{escape(facts['note'])}</p>"
        f"<p>{escape(facts['licence'])}</p></footer></header>"
    )


def contents(pages: list[Page], sheets: dict[str, int]) -> str:
    """Return the contents: parts, pages and the sections of chapters, with their sheets."""
    lines, part = [], ""
    for page in pages:
        if page.part != part:
            part = page.part
            lines.append(f'<p class="part">{escape(part)}</p>')
        lines.append(entry(page.title, anchor(page.name), sheets, "page"))
        if page.number:
            for heading in page.content.select("h2"):
                place = heading.get("id") or heading.find_parent("section")["id"]
                lines.append(entry(heading.get_text(strip=True), place, sheets, "section"))
    return f'<nav class="contents"><h1>Contents</h1>{"".join(lines)}</nav>'


def entry(title: str, place: str, sheets: dict[str, int], level: str) -> str:
    sheet = sheets.get(place, "000")
    return (
        f'<p class="{level}"><a href="#{place}"><span>{escape(title)}</span>'
        f'<span class="sheet">{sheet}</span></a></p>'
    )


def sheets_of(pdf: Path) -> dict[str, int]:
    """Return the number of the sheet of each place that a link of the PDF leads to."""
    reader = PdfReader(pdf)
    numbers = {page.indirect_reference.idnum: n for n, page in enumerate(reader.pages, 1)}
    places = reader.named_destinations
    sheets = {
        name.lstrip("/"): numbers[place.page.idnum]
        for name, place in places.items()
        if place.page.idnum in numbers
    }
    return sheets | {"": len(reader.pages)}


def finish(pdf: Path, facts: dict[str, str]) -> None:
    """Write title and author into the PDF, and let it open with its outline."""
    writer = PdfWriter(clone_from=pdf)
    writer.page_mode = "/UseOutlines"
    now = datetime.now(UTC).strftime("D:%Y%m%d%H%M%SZ")
    writer.add_metadata(
        {"/Title": facts["title"], "/Author": facts["author"], "/CreationDate": now}
    )
    writer.write(pdf)
