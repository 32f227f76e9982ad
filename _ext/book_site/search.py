"""An index of the sections of the book's pages, by which the search ranks them.

Sphinx's own index knows which page has a word, and not how often, nor in which section. This
one counts: `_static/search-sections.js` holds, for each stem of a word, the sections with it.
`_live/ranking.js` ranks them, and links a hit to its section. What a reader may type and the
text does not say ("KV cache", "FlashAttention") stands in `search_words.toml`, by section.
"""

import json
import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.search.en import SearchEnglish

FILE = "search-sections.js"
SYNONYMS = Path(__file__).with_name("search_words.toml")
WORD = re.compile(r"[^\W_]+(?:_[^\W_]+)*")
# What a word counts for in a heading, in the title of the page, and among the synonyms.
HEADING, TITLE, SYNONYM = 8, 4, 8
# Where a word is explained comes before where it is used.
WEIGHTS = {
    "glossary": 0.4,
    "index": 0.4,
    "teaching": 0.3,
    "cheat-sheet": 0.3,
    "bugs": 0.6,
    "questions": 0.3,
}
# Exercises, and the tables and lists at a chapter's end, name what is explained above.
AT_THE_END = ("Exercise", "What we measured", "Further reading")
END = 0.6
LONGEST = 25  # letters of a word; what is longer is data
NOT_FOUND = {"references", "package"}  # lists


@dataclass
class Section:
    """A section as the search knows it."""

    page: str
    anchor: str
    heading: str
    weight: float
    counts: Counter[str] = field(default_factory=Counter)


def setup(app: Sphinx) -> None:
    app.connect("env-updated", write_index)


def write_index(app: Sphinx, env: BuildEnvironment) -> None:
    """Write the index where the pages look for it."""
    if app.builder.format != "html":
        return
    folder = Path(app.outdir) / "_static"
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(index_of(list(sections(env))), ensure_ascii=False, separators=(",", ":"))
    (folder / FILE).write_text(f"window.SECTIONS = {text};\n", encoding="utf-8")


def index_of(found: list[Section]) -> dict[str, object]:
    """Turn the sections round: for each stem the numbers of its sections, and its counts there."""
    terms: dict[str, list[int]] = defaultdict(list)
    for number, section in enumerate(found):
        for stem, count in section.counts.items():
            terms[stem] += [number, count]
    return {
        "sections": [
            [one.page, one.anchor, one.heading, one.weight, one.counts.total()] for one in found
        ],
        "terms": dict(sorted(terms.items())),
    }


def sections(env: BuildEnvironment) -> Iterator[Section]:
    """Read the sections of all pages that stand in the folder of the chapters."""
    words = tomllib.loads(SYNONYMS.read_text(encoding="utf-8"))
    for page in sorted(env.found_docs):
        name = page.removeprefix("chapters/")
        if page == name or name in NOT_FOUND:
            continue
        synonyms = words.get(re.sub(r"^\d\d-", "", name), {})
        title = env.titles[page].astext()
        for node in env.get_doctree(page).findall(nodes.section):
            yield section_of(node, page, title, synonyms)


def section_of(node: nodes.section, page: str, title: str, synonyms: dict[str, str]) -> Section:
    """Count the words of a section, without those of the sections in it."""
    heading = node.next_node(nodes.title).astext()
    is_page = isinstance(node.parent, nodes.document)
    weight = WEIGHTS.get(page.partition("/")[2], 1.0)
    if heading.startswith(AT_THE_END):
        weight *= END
    section = Section(page, "" if is_page else node["ids"][0], heading, weight)
    section.counts.update(stems(" ".join(own_texts(node))))
    for times, text in (
        (HEADING, heading),
        (TITLE, title),
        (SYNONYM, synonyms.get("page" if is_page else heading, "")),
    ):
        for stem in stems(text):
            section.counts[stem] += times
    return section


def own_texts(node: nodes.Element) -> Iterator[str]:
    """Yield the texts of a section that are read: none of a section in it, no HTML."""
    for child in node.children:
        if isinstance(child, nodes.Text):
            yield child.astext()
        elif not isinstance(child, nodes.section | nodes.raw | nodes.comment):
            yield from own_texts(child)


ENGLISH = SearchEnglish({})


def stems(text: str) -> list[str]:
    """Cut a text into stems, as the search does with what is typed (ranking.js)."""
    found = WORD.findall(text.replace("√", " sqrt ").lower())
    return [
        ENGLISH.stem(word)
        for word in found
        if word not in ENGLISH.stopwords and not word.isdigit() and len(word) <= LONGEST
    ]
