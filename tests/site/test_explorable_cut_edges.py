"""Cutting edges in a browser: what comes of a press is what `interventions.knock_out` computes."""

import statistics
from collections.abc import Callable
from functools import cache
from itertools import product

import numpy as np
import pytest
import torch
from built_site import ROOT
from figure_harness import MACHINE, PAIRS, USUAL, OpenFigure, print_out, tap
from playwright.sync_api import Locator, Page, expect
from test_site_browser import violations

from attention import corpus, generate, interventions, transformer
from attention.training import make_batch, pad
from attention.widgets import Cut, CutEdges, LiveTranslator

pytestmark = pytest.mark.browser

WEIGHTS = ROOT / "weights" / "translator-transformer.safetensors"
ENGLISH, FRENCH = corpus.english_vocabulary(), corpus.french_vocabulary()
PRONOUNS = ("il", "elle")
SICK, EMPTY = (
    corpus.translate(f"The cat slept in the box because it was {word}.")
    for word in ("sick", "empty")
)
OTHERS = [
    corpus.translate("The boy bought the apple because it was red."),
    corpus.translate("The girl's dog did not sleep."),
]
IT, END = SICK.pronouns[0].index, len(SICK.english)
# What *it* may not look at, in which layers and heads: the rows of the chapter's tables.
ROWS = {
    "cat": ([1], None, None),
    "box": ([5], None, None),
    "adjective": ([9], None, None),
    "slept": ([2], None, None),
    "was": ([8], None, None),
    "because": ([6], None, None),
    "both nouns": ([1, 5], None, None),
    "cat, layer 0": ([1], [0], None),
    "cat, layer 1": ([1], [1], None),
    "cat, head 0.1": ([1], [0], [1]),
    "cat, head 0.2": ([1], [0], [2]),
    "cat, head 0.3": ([1], [0], [3]),
    "adjective, layer 0": ([9], [0], None),
    "adjective, layer 1": ([9], [1], None),
    "adjective, head 1.2": ([9], [1], [2]),
    "all others": ([0, 2, 3, 4, 6, 8, 10], None, None),
}
# And those of them that are in the list "Try this".
STEPS = ["cat, layer 0", "cat, layer 1", "adjective, layer 1", "both nouns", "all others"]

NewFigure = Callable[..., Page]
Weights = dict[str, np.ndarray]


@cache
def model() -> torch.nn.Module:
    return transformer.load(WEIGHTS).double().eval()


def run(
    pair: corpus.Pair, keys: list[int], layers: list[int] | None, heads: list[int] | None
) -> tuple[list[float], Weights]:
    """Give the pronouns' probabilities as the chapter has them, and the weights of the heads."""
    batch = make_batch([(ENGLISH.encode(pair.english), FRENCH.encode(pair.french))])
    edges = torch.zeros(END + 1, END + 1, dtype=torch.bool)
    edges[pair.pronouns[0].index, keys] = True
    with (
        torch.no_grad(),
        interventions.knock_out(model(), "encoder", edges, layers, heads),
        interventions.record_weights(model()) as found,
    ):
        logits = model()(batch.source, batch.target)
    p = logits[0, pair.pronouns[0].target].softmax(-1)
    weights = {
        where: np.stack([found[where, layer][0].numpy() for layer in range(2)])
        for where in ("encoder", "cross")
    }
    return p[FRENCH.encode(PRONOUNS)].tolist(), weights


@cache
def odds(row: str) -> np.ndarray:
    """Compute (sentences, pronouns) for a row of the tables, or for "nothing"."""
    cut = ROWS.get(row, ([], None, None))
    return np.array([run(pair, *cut)[0] for pair in (SICK, EMPTY)])


@cache
def figure() -> LiveTranslator:
    tokens, weights = generate.greedy(
        model(), pad([ENGLISH.encode(SICK.english)]), return_weights=True
    )
    assert FRENCH.decode(tokens[0].tolist())[:-1] == SICK.french
    cuts = [Cut(f"try *{row}*", f"note on {row}", IT, *ROWS[row]) for row in STEPS]
    return LiveTranslator(
        WEIGHTS,
        ENGLISH.tokens,
        FRENCH.tokens,
        [(pair.english, pair.french) for pair in (SICK, EMPTY, *OTHERS)],
        weights[0].numpy(),
        head=(1, 0),
        word="il",
        experiment=CutEdges(
            cuts, run(SICK, [], None, None)[1]["encoder"], odds("nothing").tolist()
        ),
    )


@pytest.fixture
def new_figure(figure_page: OpenFigure) -> NewFigure:
    def open_figure(mode: str = "desktop") -> Page:
        page = figure_page(figure(), mode=mode)
        page.fetched = []

        def answer(route) -> None:
            page.fetched.append(route.request.url)
            route.fulfill(body=WEIGHTS.read_bytes(), content_type="application/octet-stream")

        page.route("**/weights/*", answer)
        return page

    return open_figure


def state(page: Page) -> dict:
    """Wait until all that was asked for is computed, and say what is shown."""
    page.wait_for_function("!document.querySelector('live-translator').state.cut.busy")
    return page.evaluate("document.querySelector('live-translator').state.cut")


def cell(page: Page, row: int, column: int) -> Locator:
    return (
        page.get_by_role("grid").get_by_role("row").nth(row + 1).get_by_role("gridcell").nth(column)
    )


def step(page: Page, row: str) -> Locator:
    return page.get_by_role("button", name=f"try {row}", exact=True)


def reset(page: Page) -> None:
    page.get_by_role("button", name="Reset").click()


def choose(page: Page, **values: str) -> None:
    """Choose a map ("where", "layer", "head") and the scope of a press."""
    for name, value in values.items():
        page.locator(f"select[name={name}]").select_option(value)


def numbers(page: Page) -> list[str]:
    return page.locator(".odds .bar span:last-child").all_inner_texts()


def check(page: Page, row: str) -> None:
    """Assert that the bars show a row of the chapter's tables."""
    found = state(page)["odds"]
    np.testing.assert_allclose(found, odds(row), rtol=0, atol=1e-4)
    assert numbers(page) == [f"{p:.2f}" for p in odds(row).ravel()]


def cut_by_hand(page: Page, row: str) -> None:
    keys, layers, heads = ROWS[row]
    choose(page, layer=str(layers[0] if layers else 0), head=str(heads[0]) if heads else "")
    choose(page, scope="head" if heads else "layer" if layers else "all")
    for key in keys:
        cell(page, IT, key).click()


# ----------------------------------------------------------------- before any action


def test_it_starts_with_the_notebooks_numbers(new_figure: NewFigure):
    page = new_figure()
    check(page, "nothing")
    shown = state(page)
    assert (shown["where"], shown["layer"], shown["head"]) == ("encoder", 0, None)
    _, weights = run(SICK, [], None, None)
    np.testing.assert_allclose(shown["matrix"], weights["encoder"][0].mean(0), atol=1e-6)
    choose(page, where="cross", layer="1", head="2")
    np.testing.assert_allclose(state(page)["matrix"], weights["cross"][1, 2], atol=1e-6)
    expect(page.get_by_text("Nothing is forbidden.")).to_be_visible()
    expect(page.locator(".writes")).to_have_text(
        f"With nothing cut it writes: {corpus.as_text(SICK.french)}"
    )
    assert page.fetched == []


# ------------------------------------------------------- the rows of the chapter's tables


@pytest.mark.arithmetic
def test_each_published_row_by_hand(new_figure: NewFigure):
    page = new_figure()
    for row in ROWS:
        cut_by_hand(page, row)
        check(page, row)
        reset(page)
        check(page, "nothing")
    assert len(page.fetched) == 1


@pytest.mark.arithmetic
def test_the_list_to_try(new_figure: NewFigure):
    page = new_figure()
    for row in STEPS:
        step(page, row).click()
        check(page, row)
        expect(step(page, row)).to_have_attribute("aria-pressed", "true")
        expect(page.locator(".steps [aria-pressed=true]")).to_have_count(1)
        expect(page.get_by_text(f"note on {row}")).to_be_visible()
        expect(page.locator(".steps p:visible")).to_have_count(1)
    step(page, "cat, layer 0").click()
    # The head that looks hardest at what is cut is shown, and what became of the pronouns.
    shown = state(page)
    assert (shown["layer"], shown["head"]) == (0, 1)
    assert page.locator(".verdict").all_inner_texts() == ["now elle", "still elle"]
    expect(page.get_by_role("status")).to_contain_text("“it” may not look at “cat” (uncut 0.98).")
    expect(page.get_by_role("status")).to_contain_text("sick: now elle; empty: still elle.")
    expect(page.locator(".writes strong")).to_have_text("elle")
    _, uncut = run(SICK, [], None, None)
    weight = uncut["encoder"][0, :, IT, 1].sum()
    expect(page.get_by_text(f"these 4 edges had {weight:.2f} of the attention")).to_be_visible()
    reset(page)
    expect(page.locator(".steps [aria-pressed=true]")).to_have_count(0)


@pytest.mark.arithmetic
def test_the_map_shows_the_weights_with_the_cuts(new_figure: NewFigure):
    page = new_figure()
    step(page, "cat, layer 0").click()
    _, weights = run(SICK, *ROWS["cat, layer 0"])
    for where, layer, head in product(("encoder", "cross"), (0, 1), (None, 3)):
        choose(page, where=where, layer=str(layer), head="" if head is None else str(head))
        expected = weights[where][layer]
        expected = expected.mean(0) if head is None else expected[head]
        np.testing.assert_allclose(state(page)["matrix"], expected, rtol=0, atol=1e-6)
    shown = page.get_by_role("gridcell").evaluate_all(
        "all => all.map(cell => parseFloat(cell.style.getPropertyValue('--weight')))"
    )
    np.testing.assert_allclose(np.array(shown) / 100, expected.ravel(), rtol=0, atol=1.1e-3)


@pytest.mark.arithmetic
def test_cross_attention_and_a_word_that_sees_nothing(new_figure: NewFigure):
    page = new_figure()
    choose(page, where="cross", scope="all")
    at = SICK.pronouns[0].target
    edges = torch.zeros(len(SICK.french) + 1, END + 1, dtype=torch.bool)
    for key in range(END + 1):
        cell(page, at, key).click()
        edges[at, key] = True
    batch = make_batch([(ENGLISH.encode(SICK.english), FRENCH.encode(SICK.french))])
    with torch.no_grad(), interventions.knock_out(model(), "cross", edges):
        p = model()(batch.source, batch.target)[0, at].softmax(-1)
    np.testing.assert_allclose(
        state(page)["odds"][0], p[FRENCH.encode(PRONOUNS)], rtol=0, atol=1e-4
    )
    assert sum(state(page)["matrix"][at]) == 0
    expect(page.get_by_text("The step of “il” may not look at “the (1)”, “cat”")).to_be_visible()


# ------------------------------------------------------------ what a press does


def test_marks_and_scopes(new_figure: NewFigure):
    page = new_figure()
    here = cell(page, IT, 1)
    choose(page, head="1", scope="head")
    here.click()
    expect(here).to_have_class("cut")
    expect(here).to_have_attribute("aria-label", "it to cat, 0.00, forbidden")
    assert len(state(page)["cuts"]) == 1
    choose(page, head="2")
    expect(here).to_have_class("elsewhere")
    choose(page, head="")
    expect(here).to_have_class("some")
    expect(page.locator("select[name=scope]")).to_have_value("layer")  # a mean has no head
    here.click()  # the rest of the layer
    expect(here).to_have_class("cut")
    assert len(state(page)["cuts"]) == 4
    choose(page, scope="all")
    here.click()
    assert len(state(page)["cuts"]) == 8
    expect(page.locator(".cuts li")).to_have_text("“it” may not look at “cat”: all layers")
    here.click()  # gives all back
    expect(here).to_have_class("")
    check(page, "nothing")
    # The sign does not depend on colours.
    here.click()
    sign = here.evaluate("cell => getComputedStyle(cell, '::after').content")
    assert "×" in sign


def test_keys(new_figure: NewFigure):
    page = new_figure()
    page.set_viewport_size({"width": 1280, "height": 1600})
    cell(page, 0, 0).focus()
    for key in (*["ArrowDown"] * (IT + 1), "ArrowUp", "ArrowRight"):
        page.keyboard.press(key)
    expect(cell(page, IT, 1)).to_be_focused()
    expect(page.get_by_role("status")).to_contain_text("“it” looks at “cat” with 0.4")
    page.keyboard.press("Enter")
    check(page, "cat")
    expect(cell(page, IT, 1)).to_be_focused()
    page.keyboard.press(" ")
    check(page, "nothing")
    page.keyboard.press("End")
    expect(cell(page, IT, END)).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Home")
    expect(cell(page, IT, 0)).to_be_focused()
    assert (
        page.get_by_role("gridcell").evaluate_all(
            "all => all.filter(cell => cell.tabIndex === 0).length"
        )
        == 1
    )
    assert page.evaluate("scrollY") == 0


def test_tap(new_figure: NewFigure):
    page = new_figure(mode="phone")
    tap(cell(page, IT, 1))
    check(page, "cat")
    tap(cell(page, IT, 1))
    check(page, "nothing")
    tap(step(page, "adjective, layer 1"))
    check(page, "adjective, layer 1")


def test_pointing_tells_the_weight_and_adds_no_element(new_figure: NewFigure):
    page = new_figure()
    page.get_by_text("The same as a table").click()
    page.get_by_role("table").first.wait_for()
    choose(page, head="1")
    page.evaluate(
        """() => {
          window.added = 0;
          const { shadowRoot, statusLine } = document.querySelector("live-translator");
          new MutationObserver((changes) => {
            for (const { addedNodes, target } of changes)
              if (target !== statusLine) window.added += addedNodes.length;
          }).observe(shadowRoot, { childList: true, subtree: true });
        }"""
    )
    cell(page, IT, 1).hover()
    expect(page.get_by_role("status")).to_contain_text(
        "Encoder self-attention, layer 0, head 1: “it” looks at “cat” with 0.98."
    )
    assert page.evaluate("window.added") == 0


# --------------------------------------------------------- the mirror, other sentences


@pytest.mark.arithmetic
def test_the_mirror_keeps_the_cuts(new_figure: NewFigure):
    page = new_figure()
    step(page, "adjective, layer 1").click()
    page.get_by_role("radio", name="empty").check()
    page.wait_for_function("document.querySelector('live-translator').state.cut.chosen === 1")
    check(page, "adjective, layer 1")
    expect(page.get_by_role("radio", name="empty")).to_be_focused()
    expect(page.locator(".french").first).to_have_text(corpus.as_text(EMPTY.french))
    expect(page.locator(".writes strong")).to_have_text("il")
    _, weights = run(EMPTY, *ROWS["adjective, layer 1"])
    shown = state(page)
    np.testing.assert_allclose(
        shown["matrix"], weights["encoder"][shown["layer"], shown["head"]], rtol=0, atol=1e-6
    )
    step(page, "cat, layer 0").click()
    check(page, "cat, layer 0")
    assert state(page)["chosen"] == 1
    page.keyboard.press("Tab")
    page.get_by_role("radio", name="empty").focus()
    page.keyboard.press("ArrowUp")
    page.wait_for_function("document.querySelector('live-translator').state.cut.chosen === 0")
    check(page, "cat, layer 0")


def ask_for(page: Page, text: str) -> None:
    page.get_by_label("An English sentence").fill(text)
    page.get_by_role("button", name="Translate").click()


def ask(page: Page, text: str) -> None:
    ask_for(page, text)
    page.wait_for_function(
        "text => document.querySelector('live-translator').state.english.join(' ') === text",
        arg=" ".join(corpus.tokenize(text)),
    )


def test_another_sentence_has_no_cuts(new_figure: NewFigure):
    page = new_figure()
    step(page, "cat, layer 0").click()
    state(page)
    ask(page, corpus.as_text(OTHERS[0].english))
    shown = state(page)
    assert shown["cuts"] == []
    p, weights = run_other(OTHERS[0])
    np.testing.assert_allclose(shown["odds"], [p], rtol=0, atol=1e-4)
    np.testing.assert_allclose(shown["matrix"], weights, rtol=0, atol=1e-6)
    expect(page.get_by_role("radio")).to_have_count(0)
    cell(page, 0, 0).click()
    assert len(state(page)["cuts"]) == 8
    ask(page, corpus.as_text(OTHERS[1].english))  # no pronoun in French
    expect(page.get_by_text("Its translation has neither “il” nor “elle”.")).to_be_visible()
    cell(page, 0, 0).click()
    assert state(page)["odds"] == [None]
    step(page, "both nouns").click()  # is of the first sentence
    check(page, "both nouns")
    expect(page.get_by_label("An English sentence")).to_have_value(corpus.as_text(SICK.english))


def run_other(pair: corpus.Pair) -> tuple[list[float], np.ndarray]:
    batch = make_batch([(ENGLISH.encode(pair.english), FRENCH.encode(pair.french))])
    with torch.no_grad(), interventions.record_weights(model()) as found:
        logits = model()(batch.source, batch.target)
    p = logits[0, pair.pronouns[0].target].softmax(-1)[FRENCH.encode(PRONOUNS)]
    return p.tolist(), found["encoder", 0][0, 1].numpy()


def test_forty_words(new_figure: NewFigure):
    page = new_figure(mode="phone")
    ask(page, " ".join([*corpus.as_text(SICK.english).split() * 4][:40]))
    assert np.array(state(page)["matrix"]).shape == (41, 41)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_other_view(new_figure: NewFigure):
    page = new_figure()
    page.get_by_role("button", name="Look at the cross-attention").click()
    expect(page.get_by_role("grid")).to_be_hidden()
    options = page.get_by_role("listbox", name="French words").get_by_role("option")
    options.nth(1).hover()
    expect(page.get_by_role("status")).to_contain_text("“chat” looks at: cat")
    ask(page, corpus.as_text(EMPTY.english))
    expect(page.locator(".pair .french")).to_have_text(corpus.as_text(EMPTY.french))
    page.get_by_role("button", name="Cut an edge").click()
    expect(page.get_by_role("grid")).to_be_visible()
    assert state(page)["chosen"] == 1
    check(page, "nothing")


# ---------------------------------------------------------------------- the weights


def test_without_the_weights_nothing_is_cut(new_figure: NewFigure):
    page = new_figure()
    page.evaluate(
        """() => {
          window.original = window.fetch;
          window.fetch = async () => new Response("", { status: 404 });
        }"""
    )
    cell(page, IT, 1).click()
    expect(page.locator("#message")).to_contain_text("could not be loaded")
    assert state(page)["cuts"] == []
    expect(cell(page, IT, 1)).to_have_class("")
    check(page, "nothing")
    page.evaluate("() => { window.fetch = window.original; }")
    cell(page, IT, 1).click()
    check(page, "cat")
    expect(page.locator("#message")).to_be_empty()


def test_while_the_weights_come(new_figure: NewFigure):
    page = new_figure()
    page.evaluate(
        """() => {
          const { fetch } = window;
          const wait = new Promise((resolve) => { window.finish = resolve; });
          window.fetch = async (address) => { await wait; return fetch(address); };
        }"""
    )
    cell(page, IT, 1).click()
    expect(cell(page, IT, 1)).to_have_class("cut")  # at once
    expect(page.locator("#message")).to_contain_text("Fetching the model's weights")
    cell(page, IT, 5).click()
    ask_for(page, "a zyzzyva")  # is not translated, and nothing else is waited for
    page.evaluate("window.finish()")
    check(page, "nothing")
    assert state(page)["cuts"] == []
    for key in (1, 5):
        cell(page, IT, key).click()
    check(page, "both nouns")


# ------------------------------------------------- speed, table, paper, every mode


@pytest.mark.slow  # A time: it needs a machine that does nothing else.
def test_a_change_takes_30_milliseconds(new_figure: NewFigure):
    page = new_figure()
    cell(page, IT, 1).click()
    check(page, "cat")
    taken = page.evaluate(
        """async () => {
          const figure = document.querySelector("live-translator");
          const find = (selector) => [...figure.shadowRoot.querySelectorAll(selector)];
          const press = async (target) => {
            await new Promise(requestAnimationFrame);
            const start = performance.now();
            target.click();
            for (let i = 0; i < 20; i++) await null; // what the press has promised
            find(".odds")[0].getBoundingClientRect(); // lay it out
            return performance.now() - start;
          };
          const cells = find("[role=gridcell]"), steps = find(".steps button");
          const taken = [];
          for (let i = 0; i < 30; i++) taken.push(await press(cells[(i * 37) % cells.length]));
          for (let i = 0; i < 10; i++) taken.push(await press(steps[i % steps.length]));
          return taken;
        }"""
    )
    slow = max(1, page.evaluate(MACHINE) / USUAL)
    median, quick = statistics.median(taken), np.quantile(taken, 0.25)
    print(f"{len(taken)} changes: median {median:.1f} ms, a quarter below {quick:.1f} ms")
    # The quicker ones: the others waited for whatever else this machine is doing.
    assert quick <= 30 * slow


def test_table(new_figure: NewFigure):
    page = new_figure()
    step(page, "both nouns").click()
    check(page, "both nouns")
    page.get_by_text("The same as a table").click()
    tables = page.locator("details table:visible")
    expect(tables).to_have_count(3)
    cells = tables.nth(0).locator("td")
    expected = [f"{p:.4f}" for p in odds("both nouns").ravel()]
    found = cells.all_inner_texts()
    assert [text for text in found if text[0].isdigit()] == expected
    assert [text for text in found if not text[0].isdigit()] == ["still il", "still elle"]
    expect(tables.nth(1).locator("tbody")).to_have_text("“it”“cat”, “box”all layers")
    expect(tables.nth(2).locator("caption")).to_contain_text("Encoder self-attention, layer 0")
    weights = np.array(tables.nth(2).locator("td").all_inner_texts(), float).reshape(END + 1, -1)
    np.testing.assert_allclose(weights, state(page)["matrix"], atol=5.1e-4)
    reset(page)
    expect(tables.nth(1).locator("tbody")).to_have_text("none")


def test_all_is_reached_by_tab_and_seen(new_figure: NewFigure):
    page = new_figure()
    page.get_by_role("button", name="Cut an edge").focus()
    reached = []
    # The other view, the list, the sentence, four choices, Reset, a cell, the table.
    for _ in range(1 + len(STEPS) + 8):
        page.keyboard.press("Tab")
        name, style, width = page.evaluate(
            """() => {
              const { activeElement } = document.activeElement.shadowRoot;
              const { outlineStyle, outlineWidth } = getComputedStyle(activeElement);
              const name = activeElement.getAttribute("role") ?? activeElement.localName;
              return [name, outlineStyle, parseFloat(outlineWidth)];
            }"""
        )
        reached.append(name)
        assert (style, width >= 2) == ("solid", True)
    rest = ["input", *["select"] * 4, "button", "gridcell", "summary"]
    assert reached == ["button", *["button"] * len(STEPS), *rest]


@pytest.mark.parametrize("mode", PAIRS)
def test_nothing_is_hard_to_use(new_figure: NewFigure, mode: str):
    page = new_figure(mode=mode)
    assert violations(page) == []
    step(page, "both nouns").click()
    check(page, "both nouns")
    page.get_by_text("The same as a table").click()
    assert violations(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    sizes = page.locator(
        "[role=gridcell]:visible, button:visible, select:visible, summary:visible, .odds label"
    ).evaluate_all("all => all.map(e => Math.min(e.offsetWidth, e.offsetHeight))")
    assert min(sizes) >= 24


@pytest.mark.parametrize("mode", PAIRS)
def test_on_paper(new_figure: NewFigure, mode: str):
    page = new_figure(mode=mode)
    step(page, "cat, layer 0").click()
    check(page, "cat, layer 0")
    print_out(page)
    expect(page.locator(".cut-map")).to_be_visible()
    expect(page.locator(".odds")).to_be_visible()
    expect(page.locator(".odds label")).to_have_text(["sick", "empty"])
    expect(page.get_by_text("“it” may not look at “cat”: layer 0")).to_be_visible()
    expect(page.get_by_text("Try this")).to_be_hidden()
    assert violations(page) == []
