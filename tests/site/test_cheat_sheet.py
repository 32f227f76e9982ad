"""The cheat sheet prints on one sheet of A4, and on one of Letter."""

import re

import pytest
from book_site.facts import chapters
from built_site import ROOT, SITE, parsed
from playwright.sync_api import Browser
from test_site_browser import visit

PAGE = "chapters/cheat-sheet.html"


@pytest.mark.browser
@pytest.mark.parametrize("paper", ["A4", "Letter"])
def test_prints_on_one_sheet(browser: Browser, address: str, paper: str) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = visit(context, address + PAGE).page
        printed = page.pdf(format=paper)
        assert [int(count) for count in re.findall(rb"/Count (\d+)", printed)] == [1]
        page.emulate_media(media="print")
        size = page.locator("#cheat-sheet li").first.evaluate(
            "li => parseFloat(getComputedStyle(li).fontSize)"
        )
        assert size >= 11.5  # pixels: nine points


@pytest.mark.usefixtures("site")
def test_leads_to_every_chapter() -> None:
    links = {link.get("href") for link in parsed(SITE / PAGE).select("article a")}
    for one in chapters(ROOT / "chapters"):
        assert f"{one.page}.html" in links
