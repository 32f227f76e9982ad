"""The search: the right chapter first for these questions, and readable snippets.

Sphinx's own ranking knows neither how often a page has a word nor in which section. It had the
right chapter first for 9 of these 24.
"""

import tomllib
from collections.abc import Iterator

import pytest
from book_site.search import SYNONYMS
from book_texts import stem
from built_site import SITE, parsed
from playwright.sync_api import Browser, Page, expect
from test_site_browser import PHONE, violations, visit

pytestmark = pytest.mark.browser

QUESTIONS = {
    "why divide by sqrt": "scaling",
    "what is a causal mask": "masking",
    "kv cache": "cost",
    "beam search": "translation",
    "vanishing gradients": "bottleneck",
    "fixed vector bottleneck": "bottleneck",
    "alignment error rate": "alignment",
    "query key value": "queries-keys-values",
    "self-attention and cross-attention": "queries-keys-values",
    "is attention an explanation": "queries-keys-values",
    "induction head": "learning",
    "derivative of the softmax": "learning",
    "softmax temperature": "scaling",
    "padding mask": "masking",
    "multi-head attention": "multi-head",
    "rotary position embedding": "position",
    "residual connection": "transformer",
    "how many parameters": "transformer",
    "label smoothing": "translation",
    "does it look back at the cat": "translation",
    "FlashAttention": "cost",
    "RMSNorm": "family",
    "byte pair encoding": "family",
    "teacher forcing": "bottleneck",
    "activation patching": "evidence",
}
PAGE_OF = "([q]) => Search._performSearch(...Search._parseQuery(q)).map(r => r[0] + r[2]).reverse()"


@pytest.fixture(scope="module")
def search(browser: Browser, address: str) -> Iterator[Page]:
    """Open the page of the search once, with its indexes."""
    with browser.new_context(viewport=PHONE, reduced_motion="reduce") as context:
        page = visit(context, f"{address}search.html?q=softmax").page
        page.wait_for_function("Search.hasIndex() && window.SECTIONS")
        yield page


@pytest.mark.parametrize("question", QUESTIONS)
def test_right_chapter_comes_first(search: Page, question: str) -> None:
    found = search.evaluate(PAGE_OF, [question])
    assert found[0].partition("#")[0] == f"chapters/{stem(QUESTIONS[question])}", found[:4]


def test_sections_of_the_index_are_anchors(search: Page) -> None:
    """A hit leads to its section."""
    known = search.evaluate("window.SECTIONS.sections.map(([page, anchor]) => [page, anchor])")
    assert len(known) > 200
    for page, anchor in known:
        if anchor:
            assert parsed(SITE / f"{page}.html").find(id=anchor), f"{page}#{anchor}"


def test_words_of_the_synonyms_have_their_sections() -> None:
    """A heading that was renamed would take its synonyms with it."""
    for word, places in tomllib.loads(SYNONYMS.read_text(encoding="utf-8")).items():
        page = parsed(SITE / "chapters" / f"{stem(word)}.html")
        headings = {heading.get_text().strip("#\n ") for heading in page.select("h2, h3")}
        assert places.keys() - {"page"} <= headings, word


def test_glossary_comes_second(search: Page) -> None:
    found = search.evaluate(PAGE_OF, ["label smoothing"])
    assert found[1] == "chapters/glossary#term-label-smoothing"


def test_unknown_words_find_nothing(search: Page) -> None:
    assert search.evaluate(PAGE_OF, ["xylophone qqqq"]) == []


def test_snippets_show_no_latex(browser: Browser, address: str) -> None:
    with browser.new_context(viewport=PHONE, reduced_motion="reduce") as context:
        visited = visit(context, f"{address}search.html?q=why+divide+by+sqrt")
        page = visited.page
        page.wait_for_load_state("networkidle")
        snippets = page.locator("#search-results p.context")
        expect(snippets.first).to_be_visible()
        texts = snippets.all_inner_texts()
        assert len(texts) > 3
        assert [text for text in texts if "\\" in text or "$" in text] == []
        assert any("√" in text for text in texts)
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert visited.errors == []


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\(\sqrt{d_k}\)", "√d_k"),
        (r"\(\frac{a}{b}\)", "(a) / (b)"),
        (r"\[\operatorname{softmax}\!\left(Q K^\top\right) V\]", "softmax (Q K^ᵀ) V"),
        (r"\(-\infty\)", "-∞"),
    ],
)
def test_formula_as_text(search: Page, latex: str, text: str) -> None:
    html = f'<article><p><span class="math">{latex}</span></p></article>'.replace("\\", "\\\\")
    shown = search.evaluate(f"() => Search.htmlToText('{html}', '')")
    assert shown == text
