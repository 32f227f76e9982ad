"""The first page: something to touch, ways in, the map, the gallery; and shared links."""

from collections.abc import Iterator

import pytest
from book_site.facts import chapters
from book_site.previews import FOLDER, SIZE, address_from
from built_site import ROOT, SITE, pages, parsed
from PIL import Image
from playwright.sync_api import Browser, Page, expect
from test_site_browser import MODES, Visit, visit

CHAPTERS = chapters(ROOT / "chapters")
INDEX = "chapters/index.html"


@pytest.fixture(scope="module", params=["desktop", "phone-dark"])
def first(browser: Browser, address: str, request: pytest.FixtureRequest) -> Iterator[Visit]:
    mode = MODES[request.param]
    with browser.new_context(**mode, reduced_motion="reduce") as context:
        visited = visit(context, address + INDEX)
        yield visited
        assert visited.errors == []
        assert [url for url in visited.requests if not url.startswith((address, "data:"))] == []


# ----------------------------------------------------------------------------- the page


@pytest.mark.usefixtures("site")
def test_first_page_names_every_chapter_with_its_time() -> None:
    page = parsed(SITE / INDEX)
    listed = [line.get_text(" ", strip=True) for line in page.select(".book-chapters dt")]
    assert listed == [f"{one.title} {one.minutes} minutes" for one in CHAPTERS]
    links = [link["href"] for link in page.select(".book-chapters dt a")]
    assert links == [f"{one.page}.html" for one in CHAPTERS]
    assert all(line.get_text(strip=True).endswith("?") for line in page.select(".book-chapters dd"))


@pytest.mark.usefixtures("site")
def test_the_hour_is_one() -> None:
    page = parsed(SITE / INDEX)
    total = page.select_one(".book-way").select("p")[-1].get_text()
    minutes = int(total.split()[0])
    ways = [link["href"] for link in page.select(".book-way a")]
    assert minutes == sum(one.minutes for one in CHAPTERS if f"{one.page}.html" in ways)
    assert 54 <= minutes <= 66  # an hour, give or take a tenth


@pytest.mark.usefixtures("site")
def test_gallery_has_every_kind_of_figure() -> None:
    page = parsed(SITE / INDEX)
    shown = {link["href"] for link in page.select(".book-gallery a")}
    texts = [text.get_text() for text in page.select(".book-gallery p")]
    kinds = {figure.element for one in CHAPTERS for figure in one.figures}
    assert len(page.select(".book-gallery li")) == len(kinds)
    for one in CHAPTERS:
        for kind in {figure.element for figure in one.figures}:
            first = next(figure for figure in one.figures if figure.element == kind)
            assert f"{one.page}.html#{first.cell}" in shown
    # A line of the first page describes each: none has the name of its element alone.
    assert all(len(text.split()) > 5 for text in texts)


@pytest.mark.usefixtures("site")
def test_map_says_in_words_what_it_shows() -> None:
    for drawing in parsed(SITE / INDEX).select("svg.book-map"):
        assert [link["href"] for link in drawing.select("a")] == [
            f"{one.page}.html" for one in CHAPTERS
        ]
        said = drawing["aria-label"]
        assert all(f"{one.number} needs" in said for one in CHAPTERS if one.needs)


@pytest.mark.browser
def test_map_is_readable(first: Visit) -> None:
    """One of the two is shown; its words stay in their boxes, large enough to read."""
    shown = [map_ for map_ in first.page.locator("svg.book-map").all() if map_.is_visible()]
    assert len(shown) == 1
    wrong = shown[0].evaluate(
        """map => [...map.querySelectorAll("a")].filter(link => {
            const box = link.querySelector(".paper").getBoundingClientRect();
            const text = link.querySelector("text").getBoundingClientRect();
            return text.left < box.left || text.right > box.right + 1
                || text.top < box.top || text.bottom > box.bottom;
        }).map(link => link.textContent)"""
    )
    assert wrong == []
    sizes = shown[0].evaluate(
        """map => [...map.querySelectorAll("text")].map(text => parseFloat(
            getComputedStyle(text).fontSize) * map.getBoundingClientRect().width
            / map.viewBox.baseVal.width)"""
    )
    assert min(sizes) >= 11
    link = shown[0].locator("a").nth(4)
    link.focus()
    first.page.keyboard.press("Enter")
    first.page.wait_for_url(f"**/{CHAPTERS[4].page}.html")
    first.page.go_back(wait_until="load")
    first.ready()


@pytest.mark.browser
def test_first_link_is_the_start(first: Visit) -> None:
    start = first.page.locator("article a:not(.headerlink)").first
    assert start.inner_text() == f"Start with chapter {CHAPTERS[0].number}"
    assert start.get_attribute("href") == f"{CHAPTERS[0].page}.html"
    box = start.bounding_box()
    assert box["height"] >= 40
    assert box["y"] + box["height"] < 600


@pytest.mark.browser
def test_translator_on_the_first_page_translates(first: Visit) -> None:
    page = first.page
    figure = page.locator("live-translator")
    expect(figure.locator(".french")).to_contain_text("le chat a dormi")
    field = figure.locator("input")
    field.fill("the cat slept in the box because it was empty")
    field.press("Enter")
    expect(figure.locator(".french")).to_contain_text("elle était vide")


@pytest.mark.browser
def test_first_page_is_light(browser: Browser, address: str) -> None:
    """What it adds to any page of the site: less than the picture it had not."""
    with browser.new_context(**MODES["desktop"], reduced_motion="reduce") as context:
        page: Page = context.new_page()
        got: dict[str, int] = {}
        page.on("response", lambda answer: got.setdefault(answer.url, len(answer.body())))
        page.goto(address + INDEX, wait_until="networkidle")
        own = {
            url: size
            for url, size in got.items()
            if "/_static/live/" in url or url.endswith((INDEX, "reader.js", "reader.css"))
        }
    assert any(url.endswith("reader.js") or "reader.js?" in url for url in got)
    assert not [url for url in got if url.endswith(".safetensors") or "pyodide" in url]
    assert sum(own.values()) < 200_000, own


# ------------------------------------------------------------------------- shared links


@pytest.mark.usefixtures("site")
def test_every_page_describes_itself() -> None:
    seen = {}
    for name in pages():
        head = parsed(SITE / name).head
        (tag,) = head.select("meta[name=description]")
        said = tag["content"]
        assert 30 <= len(said) <= 205, f"{name}: {said}"
        assert "\\" not in said, said
        assert head.select_one("meta[property='og:description']")["content"] == said
        assert head.select_one("meta[property='og:title']")["content"]
        assert head.select_one("meta[name='twitter:card']")
        if name.startswith("chapters/"):
            assert seen.setdefault(said, name) == name, f"{name} and {seen[said]} say the same"


@pytest.mark.usefixtures("site")
def test_every_chapter_has_a_picture_for_links() -> None:
    folder = SITE / "_static" / FOLDER
    wanted = {f"{one.page}.png" for one in CHAPTERS} | {"book.png"}
    assert {path.name for path in folder.iterdir()} == wanted
    for path in folder.iterdir():
        with Image.open(path) as picture:
            assert picture.size == SIZE
            assert len(picture.convert("RGB").getcolors(1 << 24)) > 20
        assert path.stat().st_size < 150_000


@pytest.mark.parametrize(
    ("environment", "address"),
    [
        ({}, None),
        ({"BOOK_SITE": "https://book.example.org/a"}, "https://book.example.org/a/"),
        ({"BOOK_REPOSITORY": "Ada/book"}, "https://ada.github.io/book/"),
        ({"BOOK_REPOSITORY": "ada/ada.github.io"}, "https://ada.github.io/"),
        (
            {"BOOK_REPOSITORY": "ada/book", "BOOK_SITE": "https://b.example.org/"},
            "https://b.example.org/",
        ),
        ({"BOOK_REPOSITORY": "a/b", "GITHUB_SERVER_URL": "https://git.example.org"}, None),
    ],
)
def test_address_of_the_site(environment: dict[str, str], address: str | None) -> None:
    assert address_from(environment) == address
