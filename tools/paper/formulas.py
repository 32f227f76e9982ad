"""Put typeset formulas into pages of the document."""

import sys
from copy import copy
from pathlib import Path
from typing import Literal

sys.path.append(str(Path(__file__).resolve().parents[2] / "_ext"))
from book_site.formulas import formula_in, typeset  # noqa: E402

from .pages import Page, write_links  # noqa: E402

MARK = "FORMULA-{}-HERE"


def written_out(pages: list[Page], links: str, form: Literal["mathml", "svg"]) -> list[str]:
    """Return the markup of each page, its formulas typeset and its links like ``links``.

    ``links`` is a pattern with `page` and `place`.
    """
    contents = [copy(page.content) for page in pages]
    found = []
    for content in contents:
        write_links(content, links)
        for note in content.select(".math noscript"):
            note.decompose()
        for element in content.select(".math"):
            formula = formula_in(element)
            for text in element.find_all(string=True, recursive=False):
                text.extract()
            element.append(MARK.format(len(found)))
            found.append(formula)
    markup = typeset(found, form)
    whole = "\0".join(content.decode_contents() for content in contents)
    for number, formula in enumerate(found):
        whole = whole.replace(MARK.format(number), markup[formula], 1)
    return whole.split("\0")
