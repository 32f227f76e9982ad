"""What the explorable figures share: their text, their table, and how they come alive."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from IPython.core.formatters import DisplayFormatter

from attention import widgets
from attention.widgets import Explorable, enable
from attention.widgets._base import ELEMENTS, SCRIPTS, SHARED, rounded

NASTY = """<script>alert("1 & 2")</script> it's '</figure-under-test>"""


class Figure(Explorable):
    """A figure that says what it is told to."""

    element = "figure-under-test"

    def __init__(self, text="tea", number=1 / 3, caption="A caption"):
        self.text, self.number, self.caption = text, number, caption

    def data(self):
        return {"text": self.text, "numbers": [self.number, [1]]}

    def table(self):
        return self.caption, ["token", "weight"], [[self.text, "0.33"], ["milk", "0.67"]]


class Reader(HTMLParser):
    """Collect the elements and texts of a page."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.texts, self.figure = [], [], None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.figure = dict(attributes).get("data-figure", self.figure)

    def handle_data(self, data):
        self.texts.append(data)


# ----------------------------------------------------------------------- text


def test_text_is_the_table():
    lines = repr(Figure()).splitlines()
    assert lines == ["A caption", "token  weight", "tea    0.33", "milk   0.67"]


def test_a_long_caption_is_broken_into_lines():
    caption = "A caption that goes on and on, " * 5
    *said, header, _, _ = repr(Figure(caption=caption)).splitlines()
    assert " ".join(said) == caption.strip()
    assert max(map(len, said)) <= 79
    assert header.startswith("token")


# ----------------------------------------------------------------------- HTML


def test_html_carries_the_data_and_the_table():
    page = Reader(Figure()._repr_html_())
    assert page.tags[:3] == ["figure-under-test", "table", "caption"]
    assert page.tags.count("tr") == 3
    texts = [text for text in page.texts if text.strip()]
    assert texts == ["A caption", "token", "weight", "tea", "0.33", "milk", "0.67"]
    assert json.loads(page.figure) == {"text": "tea", "numbers": [0.333333333, [1]]}


def test_whatever_a_token_is_it_stays_text():
    page = Reader(Figure(text=NASTY, caption=NASTY)._repr_html_())
    assert "script" not in page.tags
    assert page.tags.count("figure-under-test") == 1
    assert page.texts.count(NASTY) == 2
    assert json.loads(page.figure)["text"] == NASTY


def test_html_is_the_same_each_time():
    assert Figure()._repr_html_() == Figure()._repr_html_()


def test_a_number_that_json_cannot_hold_is_refused():
    with pytest.raises(ValueError, match="not JSON compliant"):
        Figure(number=float("nan"))._repr_html_()


def test_rounding():
    data = {"a": [1 / 3, (2 / 3, 1)], "b": "1.23456789012", "c": None, "d": True}
    expected = {"a": [0.333333333, [0.666666667, 1]], "b": "1.23456789012", "c": None, "d": True}
    assert rounded(data) == expected
    exact = np.random.default_rng(0).normal(size=100)
    np.testing.assert_allclose(rounded(exact.tolist()), exact, rtol=0, atol=1e-9)


def test_base_class_leaves_the_rest_to_its_subclasses():
    with pytest.raises(NotImplementedError):
        Explorable().data()
    with pytest.raises(NotImplementedError):
        Explorable().table()


# --------------------------------------------------------------- coming alive


def test_every_script_is_listed_and_no_other():
    assert set(ELEMENTS) == {path.name for path in SCRIPTS.glob("*.js")}
    assert ELEMENTS[: len(SHARED)] == SHARED


def test_every_figure_has_its_script():
    figures = [getattr(widgets, name) for name in widgets.__all__]
    figures = [f for f in figures if isinstance(f, type) and issubclass(f, Explorable)]
    elements = [f.element for f in figures if f is not Explorable]
    assert sorted(f"{element}.js" for element in elements) == sorted(ELEMENTS[len(SHARED) :])


@pytest.mark.parametrize("name", ELEMENTS[1:])
def test_scripts_import_shared_ones_that_come_before_them(name):
    # Else `enable` could not load them from its blobs.
    source = (SCRIPTS / name).read_text(encoding="utf-8")
    imported = re.findall(r'\b(?:from|import)\s*"([^"]*)"', source)
    assert "./base.js" not in imported[1:]  # it comes first, if words or numbers need it at all
    before = ELEMENTS[: ELEMENTS.index(name)]
    inside = {"attention-explorer.js"} if name == "bert-heads.js" else set()  # a figure in it
    assert {file.removeprefix("./") for file in imported} <= (set(SHARED) | inside) & set(before)
    assert not re.search(r"\bimport\s*[(']", source)


def test_enable_puts_all_scripts_into_one_output(monkeypatch):
    outputs = []
    monkeypatch.setattr("IPython.display.display", outputs.append)
    enable()
    (output,) = outputs
    data, _ = DisplayFormatter().format(output)
    assert set(data) == {"application/javascript", "text/plain"}
    script = data["application/javascript"]
    (sources,) = re.findall(r"^const sources = (.*);$", script, flags=re.MULTILINE)
    assert json.loads(sources) == {
        name: (SCRIPTS / name).read_text(encoding="utf-8") for name in ELEMENTS
    }
    # Beside the name of a language there is a link, to the page of a model.
    named = ("http://www.w3.org/2000/svg", "https://${source}")
    assert "http" not in re.sub("|".join(map(re.escape, named)), "", script)


def test_without_its_scripts_as_in_a_page_enable_does_nothing(monkeypatch, tmp_path):
    shown = []
    monkeypatch.setattr("IPython.display.display", shown.append)
    monkeypatch.setattr("attention.widgets._base.SCRIPTS", tmp_path)
    enable()
    assert shown == []
