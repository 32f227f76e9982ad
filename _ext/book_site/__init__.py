"""What the book's site adds to Jupyter Book: small things, one module each.

* `mathjax`: serve MathJax from the site itself;
* `repository`: the buttons that lead to the repository, Colab and Binder;
* `numbers`: number figures and formulas by chapter;
* `source_pages`, `source_links`: a page for each file of code, and links from the chapters;
* `line_links`: links from a sentence to a line of code;
* `terms`: links from the first use of a term to the glossary;
* `first_page`: the chapters, ways, map and gallery of the first page;
* `live`: run code in the page, touch figures;
* `previews`: description and picture for shared links;
* `search`: an index of the sections, by which the search ranks them;
* `downloads`: notebooks to download that read well without the book;
* `reader`: predictions and progress, kept in the reader's browser;
* `figures`: a narrow picture of each figure, tables that become lists on a phone;
* `finish`: repair each finished page where the theme falls short.
"""

from sphinx.application import Sphinx

from . import (
    downloads,
    figures,
    finish,
    first_page,
    line_links,
    live,
    mathjax,
    numbers,
    previews,
    reader,
    repository,
    search,
    source_links,
    source_pages,
    terms,
)


def setup(app: Sphinx) -> dict[str, bool]:
    parts = (mathjax, repository, numbers, first_page, source_pages, source_links, line_links)
    for part in (*parts, terms, live, previews, reader, search, figures, downloads, finish):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
