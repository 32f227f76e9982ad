"""Put typeset formulas into a page of the document."""

import sys
from pathlib import Path
from typing import Literal

from bs4 import Tag

sys.path.append(str(Path(__file__).resolve().parents[2] / "_ext"))
from book_site.formulas import formula_in, typeset  # noqa: E402

MARK = "FORMULA-{}-HERE"


def set_formulas(content: Tag, form: Literal["mathml", "svg"]) -> str:
    """Return the markup of a page's content with its formulas typeset; changes ``content``."""
    for note in content.select(".math noscript"):
        note.decompose()
    elements = content.select(".math")
    formulas = [formula_in(element) for element in elements]
    markup = typeset(formulas, form)
    for number, element in enumerate(elements):
        for text in element.find_all(string=True, recursive=False):
            text.extract()
        element.append(MARK.format(number))
    html = content.decode_contents()
    for number, formula in enumerate(formulas):
        html = html.replace(MARK.format(number), markup[formula], 1)
    return html
