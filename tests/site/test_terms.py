"""Links to the glossary: which words get them, on pages made by hand and on the built ones."""

import re
from pathlib import Path

import pytest
from book_site.numbers import chapter_of
from book_site.terms import ONLY_IN, Finder, Term, entries, link_first_uses, meant_in, pattern_of
from built_site import ROOT, SITE, pages, parsed
from docutils import nodes
from docutils.utils import new_document

GLOSSARY = (ROOT / "chapters" / "glossary.md").read_text(encoding="utf-8")
NAMES = {name for line in re.findall(r"^(\S.*)\n  \S", GLOSSARY, re.M) for name in line.split(", ")}


def named(*names: str) -> list[Term]:
    return [Term(name, f"term-{name}", f"What {name} means.") for name in names]


@pytest.mark.parametrize(
    ("name", "found", "not_found"),
    [
        ("query", ["query", "Query", "queries"], ["querying", "subquery"]),
        ("loss", ["loss", "losses", "Losses"], ["lossless"]),
        ("key", ["keys", "key"], ["keyboard", "key-value", "turkey"]),
        ("self-attention", ["self-attention", "Self-attention", "self attention"], ["self"]),
        ("held-out", ["held out", "held-out"], ["held"]),
        ("encoder–decoder", ["encoder-decoder", "encoder–decoder"], ["encoder", "decoder"]),
        ("RoPE", ["RoPE"], ["rope", "Rope"]),
        ("nat", ["nat", "nats"], ["NAT", "nature", "nats-based"]),
        ("IBM Model 1", ["IBM Model 1"], ["IBM Model 10", "IBM model 1"]),
    ],
)
def test_plural_and_first_letter_and_joint_of_words(
    name: str, found: list[str], not_found: list[str]
) -> None:
    for text in found:
        assert list(Finder(named(name)).pieces(f"a {text}."))[1][0] == text
    for text in not_found:
        assert len(list(Finder(named(name)).pieces(f"a {text}."))) == 1


def test_every_name_of_the_glossary_finds_itself() -> None:
    assert len(NAMES) > 100
    for name in NAMES:
        assert re.fullmatch(pattern_of(name), name)


def test_longest_name_comes_first_and_each_is_linked_once() -> None:
    finder = Finder(named("attention", "attention weight", "weight"))
    text = "An attention weight. A weight of attention, weights, attention weights."
    linked = [(said, term.name) for said, term in finder.pieces(text) if term]
    assert linked == [
        ("attention weight", "attention weight"),
        ("weight", "weight"),
        ("attention", "attention"),
    ]
    assert "".join(said for said, _ in Finder(finder.by_group.values()).pieces(text)) == text
    assert len(list(finder.pieces(text))) == 1


def paragraph(*parts: nodes.Node) -> nodes.paragraph:
    return nodes.paragraph("", "", *parts)


def test_only_running_prose_has_links() -> None:
    page, use = new_document("page"), "A query."
    page += nodes.title("", use)
    page += nodes.literal_block(text=use)
    page += paragraph(nodes.reference("", use, refuri="elsewhere"))
    page += paragraph(nodes.literal(text="query"), nodes.math(text="query"))
    page += nodes.figure("", nodes.caption("", use))
    page += nodes.container("", paragraph(nodes.Text(use)), nb_element="cell_code_output")
    page += nodes.admonition("", paragraph(nodes.Text(use)), classes=["predict"])
    before = page.pformat()
    link_first_uses(page, Finder(named("query")), "glossary.html")
    assert page.pformat() == before
    page += paragraph(nodes.strong("", use), nodes.Text(" Queries."))
    link_first_uses(page, Finder(named("query")), "glossary.html")
    (link,) = page.findall(
        lambda node: "to-term" in getattr(node, "attributes", {}).get("classes", ())
    )
    assert link["refuri"] == "glossary.html#term-query"
    assert link["reftitle"] == "What query means."
    assert page.children[-1].astext() == "A query. Queries."


def test_entries_are_read_off_the_glossary() -> None:
    page = new_document("glossary")
    for name, *meaning in (
        ("pre-norm, post-norm", nodes.Text("Where the norm  stands.")),
        ("scale", nodes.Text("The factor "), nodes.math(text="c")),
        ("long", nodes.Text("One sentence. " + "And so on " * 30)),
    ):
        page += nodes.definition_list_item(
            "",
            nodes.term("", name, ids=[f"term-{name[:5]}"]),
            nodes.definition("", paragraph(*meaning)),
        )
    assert list(entries(page)) == [
        Term("pre-norm", "term-pre-n", "Where the norm stands."),
        Term("post-norm", "term-pre-n", "Where the norm stands."),
        Term("scale", "term-scale", ""),  # a title cannot show a formula
        Term("long", "term-long", "One sentence."),
    ]


def test_words_with_two_meanings_are_linked_in_their_chapters_alone() -> None:
    assert set(ONLY_IN) <= NAMES
    words = {path.stem.partition("-")[2] for path in (ROOT / "chapters").glob("*-*.ipynb")}
    assert {word for some in ONLY_IN.values() for word in some.split()} <= words
    names = [term.name for term in meant_in("cost", named("summary", "memory", "kernel", "head"))]
    assert names == ["summary", "head"]


@pytest.mark.usefixtures("site")
def test_built_chapters_link_first_uses_and_other_pages_do_not() -> None:
    for page in pages():
        article = parsed(SITE / page).select_one("article")
        links = article.select("a.to-term") if article else []
        if chapter_of(Path(page).with_suffix("").as_posix()) is None:
            assert links == []
            continue
        assert 10 < len(links) < 60
        assert len({link["href"] for link in links}) == len(links)
        for link in links:
            assert not link.find_parent(["h1", "h2", "h3", "pre", "code", "figcaption", "a"])
            assert not link.select("a")
