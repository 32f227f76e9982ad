"""Links from the chapters to the glossary: the first use of each of its terms on a page.

The notebooks know nothing of this, so they read well in JupyterLab. A term is found by its name,
also in the plural and at the beginning of a sentence, and the longest name comes first: in
*attention weight* nothing else is a term. Headings, code, links, captions, what a cell prints and
the questions of *Predict* have no such links.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.transforms.post_transforms import SphinxPostTransform

from .numbers import chapter_of

GLOSSARY = "chapters/glossary"
NO_TERM_IN = (
    nodes.reference,
    nodes.title,
    nodes.caption,
    nodes.literal,
    nodes.literal_block,
    nodes.math,
    nodes.math_block,
    nodes.raw,
    nodes.table,
)
LONGEST_TITLE = 220
# Words that also mean something else. Each is linked only in those chapters whose first use of it
# means what the glossary says.
ONLY_IN: dict[str, str] = {
    "cell": "bottleneck",  # elsewhere it is one of the page
    "state": "bottleneck alignment cost",
    "update": "alignment translation family",  # the first chapter has a gate of this name, too
    "summary": "cost",
    "memory": "",  # most often the computer's
    "context": "alignment",
    # Later also a result, or a verb.
    "score": "alignment queries-keys-values learning scaling masking multi-head position "
    "transformer cost",
    "scale": "queries-keys-values learning scaling position cost",
    "slope": "position",
    "window": "masking position cost family",
    "target": "bottleneck masking translation",  # elsewhere the target sentence
    "candidate": "translation",
    "kernel": "queries-keys-values",  # later a program of the graphics card
    "rank": "multi-head transformer",
    "gate": "bottleneck",
    "edge": "translation evidence",
    "projection": "queries-keys-values multi-head transformer cost family",
    "confidence": "masking translation",
    "leak": "masking multi-head",
    "loss": "bottleneck alignment learning scaling masking multi-head transformer translation cost "
    "family evidence",
    "patching": "evidence",
    "possible link": "alignment",
}


@dataclass(frozen=True)
class Term:
    """An entry of the glossary: its name, its place there and what it says."""

    name: str
    anchor: str
    meaning: str


def pattern_of(name: str) -> str:
    """Write a term as an expression that also finds its plural, and other joints of its words."""
    words = re.split(r"[\s–-]+", name)
    *front, last = map(re.escape, words)
    changes = re.search(r"[^aeiou]y$", last)  # queries, but keys
    plural = f"{last[:-1]}(?:y|ies)" if changes else f"{last}(?:e?s)?"
    found = r"[\s–-]+".join([*front, plural])
    if any(letter.isupper() for letter in name):  # RoPE and BLEU are written as they are
        return found
    return f"[{found[0].upper()}{found[0]}]{found[1:]}" if found[0].isalpha() else found


class Finder:
    """Find the first use of each term in the texts of a page, one text after the other."""

    def __init__(self, terms: Collection[Term], linked: Collection[str] = ()):
        self.by_group = dict(enumerate(sorted(terms, key=lambda term: -len(term.name))))
        self.seen = set(linked)  # anchors
        groups = (
            f"(?P<t{number}>{pattern_of(term.name)})" for number, term in self.by_group.items()
        )
        self.pattern = re.compile(rf"(?<![\w–-])(?:{'|'.join(groups)})(?![\w–-])")

    def pieces(self, text: str) -> Iterator[tuple[str, Term | None]]:
        """Cut a text where a term is used for the first time."""
        done = 0
        for match in self.pattern.finditer(text) if self.by_group else ():
            term = self.by_group[int(match.lastgroup[1:])]
            if term.anchor in self.seen:
                continue
            self.seen.add(term.anchor)
            yield text[done : match.start()], None
            yield match[0], term
            done = match.end()
        yield text[done:], None


def terms_of(env: BuildEnvironment) -> list[Term]:
    """Read the entries of the glossary."""
    if GLOSSARY not in env.all_docs:
        return []
    return list(entries(env.get_doctree(GLOSSARY)))


def entries(page: nodes.document) -> Iterator[Term]:
    """Yield the terms of a glossary; an entry may have several, with a comma between."""
    for item in page.findall(nodes.definition_list_item):
        meaning = item.next_node(nodes.definition)
        has_formula = next(meaning.findall(nodes.math), None) is not None
        said = "" if has_formula else " ".join(meaning.astext().split())
        if len(said) > LONGEST_TITLE:
            said = said[: said.rfind(". ", 0, LONGEST_TITLE) + 1]
        for term in item.findall(nodes.term):
            for name in term.astext().split(", "):
                yield Term(name, term["ids"][0], said)


def meant_in(chapter: str, terms: Collection[Term]) -> list[Term]:
    """Leave out the terms that mean something else in a chapter."""
    return [term for term in terms if chapter in ONLY_IN.get(term.name, chapter).split()]


class LinkTerms(SphinxPostTransform):
    """Link the first use of each term of the glossary, in every chapter."""

    default_priority = 160  # after links to code are made
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the texts of a chapter in their order."""
        if chapter_of(self.env.docname) is None:
            return
        chapter = self.env.docname.partition("-")[2]  # its word, without the number
        finder = Finder(meant_in(chapter, terms_of(self.env)))
        address = self.app.builder.get_relative_uri(self.env.docname, GLOSSARY)
        link_first_uses(self.document, finder, address)


def link_first_uses(page: nodes.document, finder: Finder, address: str) -> None:
    """Put links to the glossary into the texts of a page."""
    for text in [text for text in page.findall(nodes.Text) if may_have_links(text)]:
        cut = list(finder.pieces(text.astext()))
        if len(cut) == 1:
            continue
        new: list[nodes.Node] = []
        for said, term in cut:
            if term:
                to = f"{address}#{term.anchor}"
                link = nodes.reference("", said, internal=True, refuri=to, classes=["to-term"])
                if term.meaning:
                    link["reftitle"] = term.meaning
                new.append(link)
            elif said:
                new.append(nodes.Text(said))
        text.parent.replace(text, new)


def may_have_links(text: nodes.Text) -> bool:
    """Tell whether a text is running prose."""
    node, in_paragraph = text.parent, False
    while node is not None:
        if isinstance(node, (*NO_TERM_IN, addnodes.pending_xref)):
            return False
        if node.get("nb_element") or "predict" in node.get("classes", ()):
            return False
        in_paragraph = in_paragraph or isinstance(node, nodes.paragraph)
        node = node.parent
    return in_paragraph


def setup(app: Sphinx) -> None:
    app.add_post_transform(LinkTerms)
