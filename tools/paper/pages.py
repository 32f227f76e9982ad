"""Take the text of each page out of the built site, and make it fit for paper.

What a reader would press is gone: figures to explore become pictures (`figures.py`), folds are
opened or left out, and solutions stand at the end of their chapter. Links between pages lead to
places in the document; links to pages that it has not lead to the published site, or nowhere.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit

import yaml
from bs4 import BeautifulSoup, Tag

FIRST = "index"
# A list of links to the site's pages of code is of no use elsewhere.
LEFT_OUT = {"package"}
# What the first page has for paper; the rest of it is about the site.
ON_THE_FIRST_PAGE = ("what-this-book-is", "four-questions-about-one-line", "the-map", "one-hour")
ONLY_ON_SCREEN = (
    ".headerlink, .untouched, script, button, .start, .go-on, .kept, .paper-links, svg.narrow, .live-bar, "
    ".cell[id*='-setup'], .tag_hide-input > details, picture > source"
)
# Marks of the highlighter that no colour depends on.
UNCOLOURED = re.compile(r'<span class="(?:p|n|nn|w|o|bp|si)">([^<]*)</span>|<span></span>')
CAMEL = {name.lower(): name for name in ("viewBox", "markerWidth", "markerHeight", "refX", "refY")}


@dataclass
class Page:
    """A page of the document."""

    name: str  # of its file on the site
    part: str  # under which heading of the contents it stands
    title: str
    content: Tag

    @property
    def number(self) -> str:
        """The number of the chapter, if it is one."""
        found = re.match(r"(\d\d)-", self.name)
        return str(int(found[1])) if found else ""


def read_pages(root: Path, site: Path, address: str | None) -> list[Page]:
    """Return all pages in the order of the contents, their links not yet written out.

    ``address`` is where the site is published, if that is known.
    """
    contents = yaml.safe_load((root / "_toc.yml").read_text(encoding="utf-8"))
    places = [(contents["root"], "")]
    for part in contents["parts"]:
        places += [(chapter["file"], part["caption"]) for chapter in part["chapters"]]
    pages = []
    for place, part in places:
        name = place.removeprefix("chapters/")
        if name not in LEFT_OUT:
            html = (site / f"{place}.html").read_text(encoding="utf-8")
            html = UNCOLOURED.sub(r"\1", html)
            article = BeautifulSoup(html, "lxml").select_one("article")
            for image in article.select("img[src]"):
                image["src"] = str((site / "chapters" / image["src"]).resolve())
            pages.append(prepare(article, name, part, address))
    resolve_links(pages)
    return pages


def prepare(article: Tag, name: str, part: str, address: str | None) -> Page:
    """Make a page of the document of a page of the site."""
    if name == FIRST:
        keep_for_paper(article)
    for element in article.select(ONLY_ON_SCREEN):
        element.decompose()
    for cell in article.select(".cell"):
        if not cell.get_text(strip=True) and not cell.select("img, svg, [data-figure]"):
            cell.decompose()
    open_folds(article)
    gather_solutions(article)
    simplify(article)
    point_outside(article, address)
    for element in article.select("[id]"):
        element["id"] = anchor(name, element["id"])
    heading = article.select_one("h1")
    return Page(name, part, heading.get_text(strip=True), article)


def keep_for_paper(article: Tag) -> None:
    """Leave on the first page what is not about the site itself."""
    whole = article.section
    for part in whole.find_all(True, recursive=False):
        if part.name != "h1" and part.get("id") not in ON_THE_FIRST_PAGE:
            part.decompose()
    whole.h1.string = "About this book"


def open_folds(article: Tag) -> None:
    """Show what is folded: a hint gets its name in front."""
    for fold in article.select("details"):
        title = fold.summary.extract().get_text(" ", strip=True)
        fold.name = "div"
        solution = fold.find_parent(class_="tag_hide-cell")
        fold["class"] = ["opened"]
        if not solution:
            name = BeautifulSoup("<p class='fold-title'></p>", "lxml").p
            name.string = title
            fold.insert(0, name)


def gather_solutions(article: Tag) -> None:
    """Put the solutions at the end of the chapter, each with a link from its exercise."""
    cells = article.select(".tag_hide-cell")
    if not cells:
        return
    builder = BeautifulSoup("", "lxml")
    end = builder.new_tag("section", id="solutions")
    heading = builder.new_tag("h2")
    heading.string = "Solutions"
    end.append(heading)
    last = None
    for cell in cells:
        exercise = cell.find_parent("section")
        if exercise is not last:
            place = f"solution-{exercise['id']}"
            link = builder.new_tag("a", href=f"#{place}")
            link.string = "A solution"
            line = builder.new_tag("p", attrs={"class": "to-solution"})
            line.append(link)
            exercise.append(line)
            title = builder.new_tag("h3", id=place)
            back = builder.new_tag("a", href=f"#{exercise['id']}")
            back.string = exercise.find(["h2", "h3"]).get_text(strip=True)
            title.append(back)
            end.append(title)
        last = exercise
        end.append(cell.extract())
    article.section.append(end)


def simplify(article: Tag) -> None:
    """Drop marks that nothing on paper depends on."""
    for link in article.select("pre a, a.image-reference"):
        link.unwrap()
    for picture in article.select("picture"):
        picture.unwrap()
    for element in article.find_all(True):
        for name in [name for name in element.attrs if name.startswith("data-")]:
            if name != "data-figure":
                del element[name]
    for picture in article.select("svg"):
        picture["xmlns"] = "http://www.w3.org/2000/svg"
    for element in article.select("svg, svg *"):
        for name in set(element.attrs) & set(CAMEL):
            element[CAMEL[name]] = element.attrs.pop(name)


def point_outside(article: Tag, address: str | None) -> None:
    """Write `page.html#place` for links inside the book, whole addresses for all others."""
    for link in article.select("a[href]"):
        parts = urlsplit(link["href"])
        if parts.scheme or link["href"].startswith("#"):
            continue
        place = normpath(f"chapters/{parts.path}")
        if re.fullmatch(r"chapters/[^/]+\.html", place):
            continue
        if address is None:
            link.unwrap()
        else:
            link["href"] = address + place + (f"#{parts.fragment}" if parts.fragment else "")


def anchor(page: str, place: str = "") -> str:
    """Name a place of a page so that no other page has the name."""
    return f"at-{page}--{place}" if place else f"at-{page}"


def resolve_links(pages: list[Page]) -> None:
    """Let links inside the book say page and place: `paper:page#place`.

    A link to a place that is not in the document leads to the beginning of its page.
    """
    places = {page.name: {e["id"] for e in page.content.select("[id]")} for page in pages}
    for page in pages:
        for link in page.content.select("a[href]"):
            parts = urlsplit(link["href"])
            if parts.scheme:
                continue
            target = Path(parts.path).stem or page.name
            if target not in places:
                link.unwrap()
                continue
            place = anchor(target, parts.fragment)
            if place not in places[target]:
                place = anchor(target)
            link["href"] = f"paper:{target}#{place}"


def write_links(content: Tag, address: str) -> None:
    """Write links inside the book out; ``address`` is a pattern with `page` and `place`."""
    for link in content.select("a[href^='paper:']"):
        page, _, place = link["href"].removeprefix("paper:").partition("#")
        link["href"] = address.format(page=page, place=place)
