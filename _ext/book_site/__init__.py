"""What the book's site adds to Jupyter Book: five small things, one module each.

* `mathjax`: serve MathJax from the site itself;
* `repository`: the buttons that lead to the repository, Colab and Binder;
* `numbers`: number figures and formulas by chapter;
* `live`: run code in the page, touch figures;
* `finish`: repair each finished page where the theme falls short.
"""

from sphinx.application import Sphinx

from . import finish, live, mathjax, numbers, repository


def setup(app: Sphinx) -> dict[str, bool]:
    for part in (mathjax, repository, numbers, live, finish):
        part.setup(app)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
