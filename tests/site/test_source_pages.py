"""The pages of code: one for each file, and the links from the chapters to them and back."""

import posixpath
import re
from html import unescape
from pathlib import Path

import built_site
import nbformat
import pytest
from book_site.imports import imported
from book_site.listings import Listings
from book_site.modules import Module, Modules, Place, places, read
from book_site.places import begins
from bs4 import BeautifulSoup
from built_site import CODE, ROOT, SITE, pages, source_pages
from playwright.sync_api import Browser, expect

ALL = Modules(ROOT)

# ------------------------------------------------------------- where a name is defined


def some_modules(**texts: str) -> Modules:
    """Make modules of a package `attention`; a name that ends in `__` is a package's own file."""
    modules = Modules(Path("nowhere"))
    for name, text in texts.items():
        dotted = ".".join(["attention", *filter(None, name.removesuffix("__").split("__"))])
        file = dotted.replace(".", "/") + ("/__init__.py" if name.endswith("__") else ".py")
        modules.by_name[dotted] = read(dotted, f"code/{file}", text)
    return modules


@pytest.mark.parametrize(
    "hands_on",
    [
        "from attention.training.loop import Recipe",
        "from .loop import Recipe",
        "from attention.training.loop import *",
        "from attention.training import loop\n\nRecipe = loop.Recipe",
    ],
)
def test_a_name_is_followed_to_the_file_that_defines_it(hands_on: str) -> None:
    modules = some_modules(
        training__=hands_on,
        training__loop="class Recipe:\n    def new(self): ...\n",
        other="from attention.training import Recipe as Plan\n",
    )
    found = modules.find("attention.training.Recipe")
    if "loop.Recipe" in hands_on:  # a name that the package makes itself
        assert (found.module.name, found.anchor) == ("attention.training", "#Recipe")
        return
    assert (found.module.page, found.anchor) == ("code/attention/training/loop", "#Recipe")
    assert modules.find("attention.other.Plan") == found
    assert modules.find("attention.training.Recipe.new").name == "Recipe.new"
    assert modules.find("attention.training.Recipe.size").name == "Recipe"  # not a method
    assert modules.find("attention.training").module.page == "code/attention/training/index"


def test_a_function_with_the_name_of_its_file_is_the_function() -> None:
    modules = some_modules(
        checks__="from attention.checks.masking import causal_mask\nfrom . import _calling\n",
        checks__masking__="from attention.checks.masking.causal_mask import causal_mask\n",
        checks__masking__causal_mask="def causal_mask(answer): ...\n",
        checks___calling="def call(): ...\n",
    )
    found = modules.find("attention.checks.causal_mask")
    assert found.module.path == "code/attention/checks/masking/causal_mask.py"
    assert found.name == "causal_mask"
    assert modules.find("attention.checks._calling").name == ""
    assert modules.find("attention.checks.masking").name == ""


def test_what_is_not_there_is_not_found() -> None:
    modules = some_modules(a="from attention.b import x\n", b="from attention.a import x\n")
    assert modules.find("attention.a.x") is None  # two modules that point at each other
    assert modules.find("attention.a.y") is None
    assert modules.find("numpy.ndarray") is None


@pytest.mark.parametrize(
    ("text", "page"),
    [
        ("attention.plot", "code/attention/plot"),
        ("code/attention/plot.py", "code/attention/plot"),
        ("experiments/cost.py", "experiments/cost"),
        ("experiments/cost.py --quick", "experiments/cost"),
        ("plot.use_book_style()", "code/attention/plot"),
        ("plot.use_book_style", "code/attention/plot"),
        ("plot", None),
        ("attention weights", None),
        ("F.scaled_dot_product_attention", None),
        ("self_attention.W_Q", None),
    ],
)
def test_what_inline_code_names(text: str, page: str | None) -> None:
    target = ALL.mentioned(text)
    assert (target and target.module.page) == page


LAYERS = '''
class Norm:
    """Subtract and divide."""

    def forward(self, x):
        """Do it."""
        check(x)
        return x - x.mean()


def twice(x):
    return 2 * x
'''


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("class Norm:\n    def forward(self, x):\n        return x - x.mean()\n", ["Norm"]),
        ("def forward(self, x):\n    check(x)\n    return x - x.mean()\n", ["Norm.forward"]),
        ("check(x)\nreturn x - x.mean()\n", ["Norm.forward"]),  # the body alone
        (
            "def twice(x):\n    return 2 * x\n\n\ndef forward(self, x):\n    check(x)\n",
            ["twice", "Norm.forward"],
        ),
        ("def twice(x):\n    return 3 * x\n", []),
        ("def twice(\n    x: Float[Array, '...'],\n) -> Array:\n    return 2 * x\n", ["twice"]),
        ("return 2 * x\n", []),  # a single line may be anything
        ("0.5\n0.25\n", []),
    ],
)
def test_a_listing_is_recognised(text: str, names: list[str]) -> None:
    assert [target.name for target in Listings(some_modules(layers=LAYERS)).printed(text)] == names


def test_the_names_that_a_cell_imports() -> None:
    source = "import numpy as np\nfrom attention import plot\n"
    source += "from attention.corpus import (\n    END,\n)"
    found = {source[start:end]: name for (start, end), name in imported(source)}
    assert found == {
        "plot": "attention.plot",
        "attention.corpus": "attention.corpus",
        "END": "attention.corpus.END",
    }
    assert imported("what a cell prints, from attention import nothing") == []


def test_the_bracket_of_a_first_line() -> None:
    assert places("scaling: Two controls") == [Place("scaling", "Two controls")]
    assert places("multi-head: A: b; scaling") == [Place("multi-head", "A: b"), Place("scaling")]
    assert places("multi-head, scaling") == [Place("multi-head"), Place("scaling")]
    for nowhere in ("all chapters", "the package's own", "used by checks", "In NumPy"):
        assert places(nowhere) == []
    module = Module("attention.a", "code/attention/a.py", '"""Softmax (scaling: Two).\n\nMore."""')
    assert (module.summary, module.places) == ("Softmax.", [Place("scaling", "Two")])
    module = Module("attention.a", "code/attention/a.py", '"""Softmax (NumPy)."""')
    assert (module.summary, module.places) == ("Softmax (NumPy).", [])
    module = Module("attention.a", "code/attention/a.py", '"""Which one? (scaling: Two)."""')
    assert module.summary == "Which one?"


def test_a_function_can_name_a_section_of_its_own() -> None:
    module = read(
        "attention.a",
        "code/attention/a.py",
        '''"""Positions (position: Turn)."""


def turn(x):
    """Turn (RoPE)."""


def slopes(heads):
    """Say how much each head minds (position: A price).

    Shape (heads,).
    """


class Learned:
    """A row for each (scores)."""

    def forward(self):
        """Look it up (position: A price)."""
''',
    )
    bracket = "position: A price"
    assert module.told == {"slopes": bracket, "Learned.forward": bracket}
    assert module.brackets == ["position: Turn", bracket]
    assert module.all_places == [Place("position", "Turn"), Place("position", "A price")]


def test_a_line_is_found_by_its_text() -> None:
    module = Module("attention.a", "code/attention/a.py", "x = 1\ny = x / 2\nz = x\n")
    assert module.line_with("x / 2") == 2
    for text, count in (("x / 3", 0), ("= x", 2)):
        with pytest.raises(ValueError, match=rf"a\.py: expected one line with .*, got {count}"):
            module.line_with(text)


# ---------------------------------------------------------------------- the built pages


def parsed(page: str) -> BeautifulSoup:
    return built_site.parsed(SITE / f"{page}.html")


HEADING = re.compile("^h[1-6]$")
# What stands in a bracket that names sections.
SECTIONS = re.compile(r'\(<a class="to-section" .*?</a>\)')


def code_of(page: str) -> str:
    return CODE.search((SITE / f"{page}.html").read_text(encoding="utf-8"))[0]


@pytest.fixture(params=ALL.by_path)
def module(site: Path, request: pytest.FixtureRequest) -> Module:
    return ALL.by_path[request.param]


def test_page_shows_the_file(module: Module) -> None:
    """But for the names of sections, which the page has in full."""
    html = code_of(module.page)
    shown, text = SECTIONS.sub("()", html), module.text
    for bracket in module.brackets:
        text = text.replace(f"({bracket})", "()")
    assert unescape(re.sub(r"<[^>]*>", "", shown)).strip("\n") == text.strip("\n")
    opening = html.partition(">")[0]
    assert 'tabindex="0"' in opening
    assert 'role="region"' in opening
    assert f'aria-label="Source of {module.title}"' in opening


def test_each_line_and_each_definition_has_an_anchor(module: Module) -> None:
    lines, waiting, begun = 0, [], {}
    for tag, name in re.findall(
        r'<span class="(line|definition)" id="([^"]+)"', code_of(module.page)
    ):
        if tag == "line":
            lines += 1
            assert name == f"L{lines}"
            begun |= dict.fromkeys(waiting, lines)
            waiting = []
        else:
            waiting.append(name)
    assert lines == len(module.text.strip("\n").split("\n"))
    assert begun == {name: where.first for name, where in module.definitions.items()}


def test_a_definition_ends_with_its_last_line(site: Path) -> None:
    module = ALL.find("attention.report.table").module
    code = BeautifulSoup(code_of(module.page), "html.parser")
    for name, where in module.definitions.items():
        shown = code.find(id=name).find_all(class_="line")
        assert (shown[0]["id"], shown[-1]["id"]) == (f"L{where.first}", f"L{where.last}")


def test_no_two_elements_have_one_anchor(module: Module) -> None:
    anchors = [element["id"] for element in parsed(module.page).select("[id]")]
    _, lines, _ = CODE.search((SITE / f"{module.page}.html").read_text(encoding="utf-8")).groups()
    anchors += re.findall(r' id="([^"]+)"', lines)
    assert len(anchors) == len(set(anchors))


def test_page_leads_to_the_list_and_to_what_explains_it(module: Module) -> None:
    head = parsed(module.page).select_one(".source-head")
    ways = [link["href"] for link in head.select("a")]
    assert any(way.endswith("chapters/package.html") for way in ways)
    if module.all_places:
        explained = [link["href"] for link in head.select(".explained a")]
        assert len(explained) == len(module.all_places)
        for place, way in zip(module.all_places, explained, strict=True):
            assert re.search(rf"chapters/\d+-{place.word}\.html", way)
            assert ("#" in way) == bool(place.heading)
        assert not re.search(r"[.?!]\.", head.get_text())


def test_sections_are_named_in_full_where_the_code_names_them(site: Path) -> None:
    seen = 0
    for module in ALL.by_path.values():
        shown = BeautifulSoup("".join(SECTIONS.findall(code_of(module.page))), "html.parser")
        brackets = [module.bracket, *module.told.values()]
        named = [place for bracket in brackets for place in places(bracket)]
        links = shown.select("a.to-section")
        for place, link in zip(named, links, strict=True):
            page, _, anchor = link["href"].partition(".html#")
            heading = parsed(f"chapters/{page.rpartition('/')[2]}").find(id=anchor).find(HEADING)
            title = heading.get_text().removesuffix(heading.find(class_="headerlink").get_text())
            assert link.get_text() == f"{place.word}: {title}"
            assert begins(title, place.heading)
            seen += 1
    assert seen > 100


def test_imports_are_links_to_what_is_imported(module: Module) -> None:
    found = filter(None, (ALL.find(name) for _, name in imported(module.text)))
    links = re.findall(r'<a class="to-source" href="([^"]+)">', code_of(module.page))
    here = posixpath.dirname(module.page)
    assert links == [
        f"{posixpath.relpath(target.module.page, here)}.html{target.anchor}"
        for target in found
        if target.module is not module  # a package that takes a module of its own
    ]


def test_imports_of_a_package_lead_to_its_modules(site: Path) -> None:
    code = code_of("code/attention/by_hand/index")
    for name in ("attention", "heads", "masks", "positions", "weights"):
        assert f'href="{name}.html">attention.by_hand.{name}</a>' in code


def test_contents_of_a_page_have_what_a_chapter_prints(site: Path) -> None:
    listed = [
        link["href"] for link in parsed("code/attention/layers").select("#pst-page-toc-nav a")
    ]
    assert "#_attention_weights" in listed
    assert "#MultiHeadAttention" in listed
    assert "#_mask_and_bias" not in listed  # private, and in no chapter


def test_list_leads_to_each_page(site: Path) -> None:
    links = parsed("chapters/package").select("dl.modules dt a")
    expected = {f"../{one.page}.html" for one in ALL.by_path.values()}
    assert {link["href"] for link in links} == expected
    assert len(links) == len(expected)
    contents = parsed("chapters/index").select(".bd-sidebar-primary a")
    assert "The package, module by module" in [link.get_text(strip=True) for link in contents]


def test_titles_are_unique(site: Path) -> None:
    html = [(SITE / page).read_text(encoding="utf-8") for page in pages()]
    titles = [re.search(r"<title>([^<]+)</title>", text)[1] for text in html]
    assert len(titles) == len(set(titles))


def test_search_index_has_no_code(site: Path) -> None:
    """The list of modules is found, by their names; their lines would bury the chapters."""
    names = re.search(
        r'"?docnames"?:\s*\[([^]]*)\]', (SITE / "searchindex.js").read_text(encoding="utf-8")
    )
    found = re.findall(r'"([^"]+)"', names[1])
    assert found.count("chapters/package") == 1
    assert not [name for name in found if not name.startswith("chapters/")]


def notebooks() -> list[Path]:
    return sorted((ROOT / "chapters").glob("*.ipynb"))


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_what_a_chapter_prints_of_the_package_says_where_it_stands(
    site: Path, notebook: Path
) -> None:
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and re.search(r"getsource\(|print\(listing\(", cell.source):
            place = parsed(f"chapters/{notebook.stem}").find(id=cell.id)
            assert place.select(".listing-place a[href*='code/attention/']"), cell.source
            assert place.select(".cell_output .highlight-python pre span.k"), cell.source


@pytest.mark.parametrize("notebook", notebooks(), ids=lambda path: path.stem)
def test_each_exercise_leads_to_its_checker(site: Path, notebook: Path) -> None:
    links = parsed(f"chapters/{notebook.stem}").select("p.checker a")
    asked = []
    for cell in nbformat.read(notebook, as_version=4).cells:
        if cell.cell_type == "code" and "hide-cell" not in cell.metadata.get("tags", []):
            asked += re.findall(r"^checks\.(\w+)\(", cell.source, re.MULTILINE)
    assert asked
    expected = [ALL.find(f"attention.checks.{name}") for name in asked]
    assert all(target.module.path.startswith("code/attention/checks/") for target in expected)
    assert [link["href"] for link in links] == [
        f"../{target.module.page}.html{target.anchor}" for target in expected
    ]


def test_every_mention_in_inline_code_is_a_link(site: Path) -> None:
    seen = 0
    for path in sorted((SITE / "chapters").glob("*.html")):
        for code in parsed(f"chapters/{path.stem}").select("article p code.literal"):
            if ALL.mentioned(code.get_text()):
                assert code.find_parent("a"), f"{path.stem}: {code.get_text()}"
                seen += 1
    assert seen > 100


# ------------------------------------------------------------------ tried as a reader


def chapter(word: str) -> str:
    return next((ROOT / "chapters").glob(f"*-{word}.ipynb")).stem


def test_a_sentence_leads_to_the_very_line(site: Path) -> None:
    """The link's title is a text of the line, and the line is where the link leads."""
    seen = 0
    for path in sorted((SITE / "chapters").glob("*.html")):
        for link in parsed(f"chapters/{path.stem}").select("a.to-source[title]"):
            page, _, line = link["href"].removeprefix("../").partition(".html#L")
            lines = next(one for one in ALL.by_path.values() if one.page == page).text.split("\n")
            assert link["title"] in lines[int(line) - 1]
            seen += 1
    assert seen >= 4


@pytest.mark.parametrize(
    ("page", "says", "does"),
    [
        (chapter("queries-keys-values"), "Step 2: scale. Divide by the square root", "np.sqrt"),
        (chapter("scaling"), "The question. Between the scores and the softmax", "math.sqrt"),
        (chapter("multi-head"), "The first product says who looks at whom", "math.sqrt"),
        ("glossary", "The factor on the scores before the softmax", "np.sqrt"),
    ],
)
def test_one_click_from_the_square_root_to_its_line(
    site: Path, page: str, says: str, does: str
) -> None:
    paragraphs = parsed(f"chapters/{page}").select("article p")
    (said,) = (one for one in paragraphs if one.get_text().startswith(says))
    address, _, anchor = said.select_one("a.to-source[title]")["href"].partition("#")
    code = code_of(address.removeprefix("../").removesuffix(".html"))
    line = BeautifulSoup(code, "html.parser").find(id=anchor).get_text()
    assert does in line
    assert "/" in line.partition(does)[0]  # it divides


def test_one_click_from_the_positions_to_what_explains_each(site: Path) -> None:
    page = parsed("code/attention/positions")
    said = page.select_one(".explained").get_text()
    assert said == (
        "Explained in 8. Where am I?: Hands of a clock, A learned row for each position, "
        "Turn the queries and keys, A price on distance."
    )
    code = BeautifulSoup(code_of("code/attention/positions"), "html.parser")
    way = code.find(id="alibi_bias").select_one("a.to-section")["href"]
    assert way.endswith(f"{chapter('position')}.html#a-price-on-distance")


@pytest.mark.browser
def test_the_line_that_a_sentence_leads_to_is_in_sight(browser: Browser, address: str) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 800}) as context:
        reader = context.new_page()
        reader.goto(f"{address}chapters/{chapter('queries-keys-values')}.html")
        reader.get_by_role("link", name="Divide by the square root of").click()
        reader.wait_for_url("**/code/attention/by_hand/attention.html#L*")
        line = reader.locator(".line:target", has_text="1 / np.sqrt(d_k)")
        expect(line).to_be_in_viewport()


def test_browser_tests_look_at_some_of_the_pages_of_code(site: Path) -> None:
    assert set(source_pages()) == {f"{module.page}.html" for module in ALL.by_path.values()}
