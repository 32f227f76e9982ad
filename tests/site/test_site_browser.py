"""Every built page as a browser shows it: desktop and phone, light and dark."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from built_site import ROOT, SITE, pages, parsed, source_pages
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

pytestmark = pytest.mark.browser

DESKTOP = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
MODES = {
    "desktop": {"viewport": DESKTOP, "color_scheme": "light"},
    "desktop-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone": {"viewport": PHONE, "color_scheme": "light"},
    "phone-dark": {"viewport": PHONE, "color_scheme": "dark"},
}
AXE = (ROOT / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@dataclass
class Visit:
    """A page that has been opened, and what the browser said on the way."""

    page: Page
    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def ready(self) -> None:
        """Wait until the formulas are typeset, the fonts are there, and wide boxes are marked."""
        self.page.evaluate("() => window.MathJax?.startup?.promise")
        self.page.evaluate("() => document.fonts.ready.then(() => true)")
        # The page's own script measures the boxes when the next picture is made.
        self.page.evaluate(
            "new Promise(done => requestAnimationFrame(() => "
            "requestAnimationFrame(() => done(true))))"
        )


def visit(context: BrowserContext, url: str) -> Visit:
    """Open a page and write down errors and requests."""
    visit = Visit(context.new_page())
    page = visit.page
    page.on("pageerror", lambda error: visit.errors.append(str(error)))
    page.on(
        "console",
        lambda line: line.type in ("error", "warning") and visit.errors.append(line.text),
    )
    page.on(
        "response",
        lambda answer: (
            answer.status >= 400 and visit.errors.append(f"{answer.status} {answer.url}")
        ),
    )
    page.on("request", lambda request: visit.requests.append(request.url))
    page.goto(url, wait_until="load")
    visit.ready()
    return visit


# ------------------------------------------------------ every page, every mode

# The style sheets have no rule that asks for a width and a theme. So pages are looked at by
# turns on a light and wide and on a dark and narrow screen; `make test-all` looks at each page
# on all four.
QUICK = ("desktop", "phone-dark")


@pytest.fixture(
    scope="module",
    params=[
        mode if mode in QUICK else pytest.param(mode, marks=pytest.mark.slow) for mode in MODES
    ],
)
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    context = browser.new_context(**MODES[request.param], reduced_motion="reduce")
    yield context
    context.close()


def pages_to_open() -> list[object]:
    """All pages; of those that show a file of code, which are alike, the longest and one more."""
    code = source_pages()
    longest = max(code, key=lambda page: (SITE / page).stat().st_size, default="")
    rest = {*code[:-1]} - {longest}
    return [
        pytest.param(page, marks=pytest.mark.slow) if page in rest else page for page in pages()
    ]


@pytest.fixture(scope="module", params=pages_to_open())
def opened(
    context: BrowserContext, address: str, request: pytest.FixtureRequest
) -> Iterator[Visit]:
    visited = visit(context, address + request.param)
    yield visited
    visited.page.close()


def test_console_is_silent(opened: Visit) -> None:
    assert opened.errors == []


def test_nothing_comes_from_another_origin(opened: Visit, address: str) -> None:
    outside = [url for url in opened.requests if not url.startswith((address, "data:", "blob:"))]
    assert outside == []


def test_page_does_not_scroll_sideways(opened: Visit) -> None:
    width, wide = opened.page.evaluate(
        """() => [window.innerWidth, [...document.querySelectorAll('article *')]
            .filter(e => e.getBoundingClientRect().right > window.innerWidth + 1
                && !e.closest('.scrolls, pre, mjx-assistive-mml'))
            .map(e => e.outerHTML.slice(0, 120))]"""
    )
    assert opened.page.evaluate("document.documentElement.scrollWidth") <= width, wide
    assert wide == []


def test_images_are_whole_and_described(opened: Visit) -> None:
    faults = opened.page.evaluate(
        """() => [...document.images]
            .filter(i => !(i.complete && i.naturalWidth > 0 && i.alt.trim()))
            .map(i => i.outerHTML)"""
    )
    assert faults == []


def test_figures_are_shown_whole(opened: Visit) -> None:
    cut = opened.page.evaluate(
        """() => [...document.querySelectorAll('a.image-reference')]
            .filter(a => a.scrollWidth > a.clientWidth + 1 && a.clientWidth > 0)
            .map(a => a.outerHTML)"""
    )
    assert cut == []


def test_formulas_are_typeset(opened: Visit) -> None:
    faults = opened.page.evaluate(
        """() => [...document.querySelectorAll('.math')]
            .filter(e => !e.querySelector('mjx-container') || e.querySelector('mjx-merror'))
            .map(e => e.textContent)"""
    )
    assert faults == []


def test_axe_finds_no_violation(opened: Visit) -> None:
    # Last of the page's tests: it opens what is folded, to look inside.
    # The page's own script answers to the opening, of which the browser tells a little later.
    opened.page.evaluate(
        """() => Promise.all([...document.querySelectorAll("details:not([open])")].map(
            (fold) => new Promise((done) => {
                fold.addEventListener("toggle", () => done(true), { once: true });
                fold.open = true;
            })))"""
    )
    assert violations(opened.page) == []


def settle(page: Page) -> None:
    """Wait until nothing moves and no colour fades any more, inside the figures too."""
    page.evaluate(
        """async () => {
            const inside = [...document.querySelectorAll("*")].map((e) => e.shadowRoot);
            const roots = [document, ...inside.filter(Boolean)];
            const moving = () => roots.flatMap((root) => root.getAnimations())
                .filter(({ playState, effect }) =>
                    playState === "running" && effect.getComputedTiming().endTime < Infinity);
            for (let all = moving(); all.length > 0; all = moving())
                await Promise.allSettled(all.map(({ finished }) => finished));
        }"""
    )


# Printed code has thousands of coloured words, and axe takes milliseconds for each. So it gets
# copies of the blocks, in which words that look alike, with all that they stand in, are blank,
# but for the longest of them (of one letter axe says nothing) and the first word of each block.
# What has more than a class, such as a name to link to, stays.
ONE_OF_EACH_LOOK = """() => {
    const kinds = new Map(), known = new Map([[null, 0]]);
    const kind = (element) => {
        if (!known.has(element)) {
            const style = getComputedStyle(element);
            const look = [kind(element.parentElement), style.color, style.backgroundColor,
                style.backgroundImage, style.opacity, style.fontSize, style.fontWeight,
                style.textShadow, style.filter, style.mixBlendMode, style.position].join("|");
            if (!kinds.has(look)) kinds.set(look, kinds.size + 1);
            known.set(element, kinds.get(look));
        }
        return known.get(element);
    };
    const spans = (block) => [...block.querySelectorAll("span[class]")];
    const words = (block) => spans(block).filter((span) =>
        span.attributes.length === 1 && !span.childElementCount && span.textContent.trim());
    const blocks = [...document.querySelectorAll(".highlight pre")];
    const stay = new Set(blocks.map((block) => words(block)[0]));
    const left = new Map();
    const length = (word) => word.textContent.length;
    for (const word of blocks.flatMap(words).sort((a, b) => length(b) - length(a))) {
        const [look, times] = [kind(word), left.get(kind(word)) ?? 0];
        if (times < 3) stay.add(word);
        left.set(look, times + 1);
    }
    // In a document of their own: here each change would move all the ranges that axe has left.
    const elsewhere = document.implementation.createHTMLDocument();
    window.copies = blocks.map((block) => {
        const copy = elsewhere.importNode(block, true), copied = spans(copy);
        const away = new Set(words(block).filter((word) => !stay.has(word)));
        spans(block).forEach((span, i) => {
            if (away.has(span)) copied[i].replaceWith(span.textContent.replace(/\\S/g, " "));
        });
        copy.normalize();
        return [block, copy];
    });
    for (const [block, copy] of window.copies) block.replaceWith(copy);
}"""
AS_IT_WAS = "() => { for (const [block, copy] of window.copies) copy.replaceWith(block); }"


def violations(page: Page, inside: Locator | None = None) -> list[str]:
    """Let axe-core look at the page, or a part, once it is at rest, with all its rules."""
    settle(page)
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE)
    page.evaluate(ONE_OF_EACH_LOOK)
    part = inside or page.locator("html")
    result = part.evaluate("part => axe.run(part, {resultTypes: ['violations']})")
    page.evaluate(AS_IT_WAS)
    return [
        f"{found['id']} ({found['impact']}): {node['html'][:200]}"
        for found in result["violations"]
        for node in found["nodes"]
    ]


def test_axe_sees_each_look_of_code(desktop: BrowserContext, address: str) -> None:
    page = visit(desktop, f"{address}{source_pages()[0]}").page
    code = page.locator("pre").first
    before = code.inner_html()
    assert violations(page) == []
    assert code.inner_html() == before
    # One word in the midst of others of its kind has another colour, by a style sheet.
    faint = code.evaluate(
        """code => {
            const words = [...code.querySelectorAll("span.n:not([id])")].filter(
                (word) => word.textContent.length > 3);
            const word = words[words.length >> 1];
            word.classList.add("faint");
            return word.textContent;
        }"""
    )
    page.add_style_tag(content=".highlight pre .faint { color: #eee !important; }")
    (found,) = violations(page)
    assert found.startswith("color-contrast")
    assert faint in found


# -------------------------------------------------------- what can be operated


@pytest.fixture
def desktop(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport=DESKTOP, reduced_motion="reduce") as context:
        yield context


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    with browser.new_context(viewport=PHONE, reduced_motion="reduce", has_touch=True) as context:
        yield context


@pytest.fixture
def chapter() -> str:
    """Name a page that was made from a notebook."""
    return next(page for page in pages() if (ROOT / page).with_suffix(".ipynb").exists())


def test_root_leads_to_the_first_page(desktop: BrowserContext, address: str) -> None:
    page = desktop.new_page()
    page.goto(address)
    page.wait_for_url("**/chapters/index.html")


def test_solution_folds_from_the_keyboard(
    desktop: BrowserContext, address: str, chapter: str
) -> None:
    page = visit(desktop, address + chapter).page
    fold = page.locator(".tag_hide-cell details").first
    summary, code = fold.locator("summary"), fold.locator("pre").first
    assert not code.is_visible()
    assert summary.inner_text().strip() == "Show a solution"
    summary.focus()
    page.keyboard.press("Enter")
    expect(code).to_be_visible()
    assert summary.inner_text().strip() == "Hide a solution"
    page.keyboard.press("Enter")
    expect(code).to_be_hidden()


def test_focus_can_be_seen(desktop: BrowserContext, address: str, chapter: str) -> None:
    page = visit(desktop, address + chapter).page
    for _ in range(12):
        page.keyboard.press("Tab")
        shown = page.evaluate(
            """() => { const style = getComputedStyle(document.activeElement);
                return [style.outlineStyle, parseFloat(style.outlineWidth)]; }"""
        )
        assert shown[0] != "none", page.evaluate("document.activeElement.outerHTML")
        assert shown[1] >= 2


def test_search_finds_a_word(desktop: BrowserContext, address: str, chapter: str) -> None:
    visited = visit(desktop, address + chapter)
    page = visited.page
    page.locator(".search-button-field").click()
    assert violations(page) == []
    page.keyboard.type("softmax")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=softmax*")
    hit = page.locator("#search-results li a").first
    hit.wait_for()
    # The page fetches what it shows of each hit; leaving it earlier would look like an error.
    page.wait_for_load_state("networkidle")
    hit.click()
    page.wait_for_url("**/chapters/*.html*")
    assert visited.errors == []


def test_theme_switch_is_remembered(desktop: BrowserContext, address: str, chapter: str) -> None:
    page = visit(desktop, address + chapter).page
    seen = set()
    for _ in range(3):
        page.locator(".theme-switch-button").first.click()
        seen.add(page.evaluate("document.documentElement.dataset.mode"))
    assert seen == {"auto", "light", "dark"}
    while page.evaluate("document.documentElement.dataset.mode") != "dark":
        page.locator(".theme-switch-button").first.click()
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_drawers_open_on_a_phone(phone: BrowserContext, address: str, chapter: str) -> None:
    page = visit(phone, address + chapter).page
    for side, link in (("primary", "Glossary"), ("secondary", "Exercises")):
        inside = page.locator(f"#pst-{side}-sidebar-modal").get_by_text(link, exact=True).first
        assert not inside.is_visible()
        page.locator(f".{side}-toggle").first.click()
        inside.wait_for(state="visible")
        assert violations(page) == []
        page.keyboard.press("Escape")
        inside.wait_for(state="hidden")


def test_wide_boxes_scroll_from_the_keyboard(
    phone: BrowserContext, address: str, chapter: str
) -> None:
    page = visit(phone, address + chapter).page
    box = page.locator(".scrolls:visible").first  # those in a fold take no focus
    box.focus()
    page.keyboard.press("ArrowRight")
    # Chromium scrolls smoothly.
    page.wait_for_function("box => box.scrollLeft > 0", arg=box.element_handle())


def test_from_a_file_the_page_says_what_works(desktop: BrowserContext, address: str) -> None:
    chapter = next(
        page
        for page in pages()
        if parsed(SITE / page).select_one("[data-figure] > table")
        and parsed(SITE / page).select_one("article .math")
    )
    page = desktop.new_page()
    page.goto((SITE / chapter).as_uri())
    expect(page.locator(".opened-from-a-file")).to_contain_text("make serve")
    expect(page.locator("mjx-container").first).to_be_visible()
    # A table stands where a figure cannot be touched.
    expect(page.locator("[data-figure] > table").first).to_be_visible()
    served = visit(desktop, address + chapter).page
    expect(served.locator(".opened-from-a-file")).to_have_count(0)


def test_paper_is_light(browser: Browser, address: str, chapter: str) -> None:
    with browser.new_context(color_scheme="dark") as context:
        page = visit(context, address + chapter).page
        colour = "getComputedStyle(document.body).backgroundColor"
        on_screen = page.evaluate(colour)
        page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
        assert page.evaluate("document.documentElement.dataset.theme") == "light"
        assert page.evaluate(colour) != on_screen
        page.evaluate("window.dispatchEvent(new Event('afterprint'))")
        assert page.evaluate(colour) == on_screen


def test_print_leaves_out_the_controls(desktop: BrowserContext, address: str, chapter: str) -> None:
    page = visit(desktop, address + chapter).page
    page.emulate_media(media="print")
    for control in ("#pst-primary-sidebar", ".bd-header-article", ".prev-next-footer"):
        assert not page.locator(control).is_visible()
    assert page.locator("article img").first.is_visible()
