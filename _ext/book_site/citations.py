"""Citations in words, for readers of a notebook whose program knows no bibliography.

On the site Sphinx writes them. `tools/jupyter_lab.py` writes them in JupyterLab, and `downloads.py`
in the notebooks that the site offers. Both take the words from `chapters/references.bib`.
"""

import re
from pathlib import Path

from pybtex.database import Person, parse_file
from pybtex.richtext import Text

CITATION = re.compile(r"\{cite:([pt])\}`([^`]+)`")


class Citations:
    """The entries of a bibliography, as a sentence names them."""

    def __init__(self, bibliography: Path):
        self.entries = parse_file(str(bibliography), bib_format="bibtex").entries

    def authors(self, key: str) -> str:
        """Name one author or two, and of more the first."""
        names = [family_name(person) for person in self.entries[key].persons["author"]]
        return f"{names[0]} et al." if len(names) > 2 else " and ".join(names)

    def year(self, key: str) -> str:
        """Return the year of an entry."""
        return self.entries[key].fields["year"]

    def title(self, key: str) -> str:
        """Return the title of an entry as plain text."""
        return plain(self.entries[key].fields["title"]).replace("$", "")

    def said(self, kind: str, keys: str) -> str:
        """Write what `{cite:p}` (in brackets) or `{cite:t}` (in the sentence) says on the site."""
        named = [key.strip() for key in keys.split(",")]
        if kind == "p":
            return "(" + "; ".join(f"{self.authors(k)}, {self.year(k)}" for k in named) + ")"
        return ", ".join(f"{self.authors(k)} ({self.year(k)})" for k in named)

    def in_words(self, text: str) -> str:
        """Write all citations of a text in words."""
        return CITATION.sub(lambda found: self.said(found[1], found[2]), text)

    def table(self) -> dict[str, list[str]]:
        """Return authors, year and title of every entry, for a script."""
        return {k: [self.authors(k), self.year(k), self.title(k)] for k in self.entries}


def family_name(person: Person) -> str:
    """Return the name by which a person is cited, such as `van den Oord`."""
    return plain(" ".join([*person.prelast_names, *person.last_names]))


def plain(latex: str) -> str:
    """Turn the spelling of BibTeX into plain text."""
    return str(Text.from_latex(latex))
