"""Numbers of figures and formulas, on a page made by hand."""

from types import SimpleNamespace

import pytest
from book_site.numbers import chapter_of, give_names, number_by_chapter, write_numbers
from docutils import nodes
from docutils.utils import new_document

HTML = '<mask-lab data-figure="{}"></mask-lab>'


@pytest.mark.parametrize(
    ("page", "number"),
    [
        ("chapters/03-queries-keys-values", 3),
        ("chapters/12-models", 12),
        ("chapters/index", None),
        ("chapters/01", None),
        ("2017-paper", None),
    ],
)
def test_chapter_is_read_off_the_pages_name(page: str, number: int | None) -> None:
    assert chapter_of(page) == number


def page_of(name: str) -> tuple[nodes.document, SimpleNamespace]:
    """Make a page with two formulas, a picture, a figure to explore and a table."""
    page = new_document(name)
    page += nodes.math_block("", "a", ids=["equation-a"], number=1)
    page += nodes.math_block("", "b", number=None)
    page += nodes.figure("", nodes.image(), nodes.caption("", "A picture."), ids=["fig-one"])
    page += nodes.figure("", nodes.image(), ids=["without-caption"])
    for html in (HTML, "<table></table>"):
        page += nodes.container("", nodes.raw("", html, format="html"), nb_element="cell_code")
    env = SimpleNamespace(
        docname=name, all_docs={name: 0}, toc_fignumbers={}, get_doctree=lambda name: page
    )
    return page, SimpleNamespace(env=env)


def test_what_has_no_name_is_numbered_too() -> None:
    page, app = page_of("chapters/03-attention")
    give_names(app, page)
    number_by_chapter(app, app.env)
    write_numbers(app, page, app.env.docname)
    assert app.env.toc_fignumbers == {
        "chapters/03-attention": {
            "figure": {"fig-one": (3, 1), "explorable-1": (3, 2)},
            "displaymath": {"equation-a": (3, 1), "formula-1": (3, 2)},
        }
    }
    (line,) = page.findall(nodes.paragraph)
    assert line.astext() == "Figure 3.2"
    # Sphinx writes a formula's number only if it has one.
    assert all(formula["number"] for formula in page.findall(nodes.math_block))


def test_page_that_is_no_chapter_is_left_as_it_is() -> None:
    page, app = page_of("chapters/notation")
    before = page.pformat()
    give_names(app, page)
    number_by_chapter(app, app.env)
    write_numbers(app, page, app.env.docname)
    assert page.pformat() == before
    assert app.env.toc_fignumbers["chapters/notation"]["figure"] == {"fig-one": (1,)}
