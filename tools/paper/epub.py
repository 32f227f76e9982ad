"""Make one EPUB 3 of all pages: an archive of XHTML, with formulas in MathML."""

import re
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from .formulas import written_out
from .pages import Page, anchor

STYLE = Path(__file__).with_name("epub.css")
# What the archive says of itself to a reading device.
CONTAINER = """<?xml version="1.0" encoding="UTF-8"?>
<container version="1.0" xmlns="urn:oasis:names:tc:opendocument:xmlns:container">
<rootfiles><rootfile full-path="book/package.opf" media-type="application/oebps-package+xml"/>
</rootfiles></container>"""
XHTML = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml" xmlns:epub="http://www.idpf.org/2007/ops" lang="en"
 xml:lang="en"><head><title>{title}</title>
<link rel="stylesheet" type="text/css" href="book.css"/></head><body>{body}</body></html>"""
KINDS = {".png": "image/png", ".css": "text/css", ".xhtml": "application/xhtml+xml"}


def write_epub(
    pages: list[Page], pygments: str, cover: Path, target: Path, facts: dict[str, str]
) -> None:
    """Write the EPUB; ``pygments`` is the style of code, ``cover`` a picture of the title."""
    images: dict[Path, str] = {cover: "images/cover.png"}
    bodies = written_out(pages, "{page}.xhtml#{place}", "mathml")
    files: dict[str, bytes] = {}
    for page, body in zip(pages, bodies, strict=True):
        for source in re.findall(r'<img[^>]* src="([^"]+)"', body):
            path = Path(source)
            images.setdefault(path, f"images/{path.name}")
            body = body.replace(source, images[path])
        body = f'<section id="{anchor(page.name)}">{valid(body)}</section>'
        text = XHTML.format(title=escape(page.title), body=body)
        files[f"{page.name}.xhtml"] = text.encode()
    colours = re.sub(r'html\[data-theme="dark"\][^\n]*\n', "", pygments)
    colours = colours.replace('html[data-theme="light"] ', "")
    files["book.css"] = (STYLE.read_text(encoding="utf-8") + colours).encode()
    files["title.xhtml"] = title_page(facts).encode()
    files["contents.xhtml"] = contents(pages).encode()
    files |= {name: path.read_bytes() for path, name in images.items()}
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        # First and not compressed: so a device knows what it has.
        archive.writestr("mimetype", "application/epub+zip", ZIP_STORED)
        archive.writestr("META-INF/container.xml", CONTAINER)
        archive.writestr("book/package.opf", package(pages, files, facts))
        for name, content in files.items():
            archive.writestr(f"book/{name}", content)


def valid(body: str) -> str:
    """Repair what HTML allows and XHTML or the standard of EPUB does not."""
    body = re.sub(r' (?:align|valign|rules|frame|border)="[^"]*"', "", body)
    return re.sub(r"<(/?)tt\b", r"<\1code", body)


def title_page(facts: dict[str, str]) -> str:
    where = facts["address"]
    site = f'<p>On the web, with live code: <a href="{where}">{where}</a></p>' if where else ""
    lines = "".join(f"<p>{escape(facts[name])}</p>" for name in ("promise", "note", "licence"))
    return XHTML.format(
        title=escape(facts["title"]),
        body=f'<section><img class="cover" src="images/cover.png" alt="{facts["title"]}"/>'
        f"{lines}{site}</section>",
    )


def contents(pages: list[Page]) -> str:
    """Return the contents, which devices also show in their menu."""
    items = []
    for page in pages:
        sections = [
            f'<li><a href="{page.name}.xhtml#{place}">{escape(heading.get_text(strip=True))}</a></li>'
            for heading in page.content.select("h2" if page.number else "none")
            if (place := heading.find_parent("section")["id"])
        ]
        below = f"<ol>{''.join(sections)}</ol>" if sections else ""
        items.append(f'<li><a href="{page.name}.xhtml">{escape(page.title)}</a>{below}</li>')
    return XHTML.format(
        title="Contents",
        body=f'<nav epub:type="toc" id="toc"><h1>Contents</h1><ol>{"".join(items)}</ol></nav>',
    )


def package(pages: list[Page], files: dict[str, bytes], facts: dict[str, str]) -> str:
    """Return the list of all files, and the order in which they are read."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    listed = []
    for name, content in files.items():
        properties = [
            word
            for word, holds in {
                "nav": name == "contents.xhtml",
                "cover-image": name == "images/cover.png",
                "mathml": b"<math " in content and name.endswith(".xhtml"),
                "svg": b"<svg " in content and name.endswith(".xhtml"),
            }.items()
            if holds
        ]
        said = f' properties="{" ".join(properties)}"' if properties else ""
        kind = KINDS[Path(name).suffix]
        listed.append(f'<item id="{identity(name)}" href="{name}" media-type="{kind}"{said}/>')
    order = ["title.xhtml", "contents.xhtml", *(f"{page.name}.xhtml" for page in pages)]
    spine = "".join(f'<itemref idref="{identity(name)}"/>' for name in order)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<package xmlns="http://www.idpf.org/2007/opf" version="3.0" unique-identifier="id" xml:lang="en">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
<dc:identifier id="id">urn:uuid:{uuid5(NAMESPACE_URL, facts["title"])}</dc:identifier>
<dc:title>{escape(facts["title"])}</dc:title><dc:language>en</dc:language>
<dc:creator>{escape(facts["author"])}</dc:creator><dc:rights>{escape(facts["licence"])}</dc:rights>
<meta property="dcterms:modified">{now}</meta></metadata>
<manifest>{"".join(listed)}</manifest><spine>{spine}</spine></package>"""


def identity(name: str) -> str:
    return "f-" + re.sub(r"[^\w.-]", "-", name)
