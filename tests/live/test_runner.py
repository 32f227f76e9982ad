"""The Python that runs the cells of a page, in the Python of these tests.

What only Pyodide can show is tested in a browser. Tests that need a Python as the
page has it (its own figures, its own IPython) start a new interpreter.
"""

import importlib.util
import json
import subprocess
import sys
import textwrap
import warnings
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.lib.pretty import pretty as as_ipython

RUNNER = Path(__file__).resolve().parents[2] / "_live" / "runner.py"


def load_runner():
    spec = importlib.util.spec_from_file_location("live_runner", RUNNER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


runner = load_runner()

Outputs = list[dict]


class Page:
    """A page with a session of its own."""

    def __init__(self):
        self.sent: Outputs = []
        self.session = runner.Session(lambda text: self.sent.append(json.loads(text)))
        self.ok = True

    def run(self, source: str, cell: str = "a-cell") -> Outputs:
        """Run a cell and give its outputs, neighbouring texts joined."""
        self.sent.clear()
        self.ok = self.session.run(cell, textwrap.dedent(source))
        return joined(self.sent)


def joined(outputs: Outputs) -> Outputs:
    together: Outputs = []
    for output in outputs:
        last = together[-1] if together else {}
        if output["kind"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        else:
            together.append(dict(output))
    return together


@pytest.fixture
def page() -> Page:
    return Page()


@pytest.fixture(scope="session")
def fresh() -> Callable[..., list[Outputs]]:
    """Run cells in an interpreter that is prepared as the page prepares its own."""
    start = f"""
        import json, sys
        sys.path.insert(0, {str(RUNNER.parent)!r})
        import runner
        sent = []
        session = runner.start(lambda text: sent.append(json.loads(text)))
        for cell in json.loads(sys.argv[1]):
            session.run("a-cell", cell)
            print(json.dumps(sent))
            sent.clear()
    """

    def run(*cells: str) -> list[Outputs]:
        sources = json.dumps([textwrap.dedent(cell) for cell in cells])
        made = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(start), sources],
            capture_output=True,
            encoding="utf-8",
            check=True,
        )
        return [joined(json.loads(line)) for line in made.stdout.splitlines()]

    return run


def text(data: object) -> dict:
    return {"kind": "result", "data": {"text/plain": data}, "metadata": {}}


def stdout(written: str) -> dict:
    return {"kind": "stream", "name": "stdout", "text": written}


def the_error(outputs: Outputs) -> str:
    """Return the traceback of the only error."""
    (error,) = (output for output in outputs if output["kind"] == "error")
    last = f"{error['name']}: {error['message']}" if error["message"] else error["name"]
    assert error["traceback"].endswith(last)
    return error["traceback"]


# ----------------------------------------------------------------- one namespace


def test_cells_share_their_names(page):
    page.run("a = 1")
    assert page.run("a + 1") == [text("2")]


def test_the_last_expression_is_shown_and_kept(page):
    assert page.run("1\n2") == [text("2")]
    assert page.run("_ * 3") == [text("6")]


@pytest.mark.parametrize("source", ["", "# nothing", "None", "x = 1", "1;", "(1); # quiet"])
def test_nothing_to_show(page, source):
    assert page.run(source) == []
    assert page.ok


def test_a_semicolon_in_a_comment_or_a_string_is_not_the_end(page):
    assert page.run("1  # a;") == [text("1")]
    assert page.run("'a;'") == [text("'a;'")]


def test_functions_keep_the_source_of_their_run(page):
    page.run("import inspect\ndef f():\n    return 1\nold = f")
    page.run("def f():\n    return 2")
    outputs = page.run("print(inspect.getsource(old), inspect.getsource(f))")
    assert outputs == [stdout("def f():\n    return 1\n def f():\n    return 2\n\n")]


def test_classes_belong_to_main(page):
    assert page.run("class A: pass\nA") == [text("__main__.A")]


# ----------------------------------------------------------------------- streams


def test_outputs_come_in_order(page):
    outputs = page.run("import sys\nprint(1)\nprint(2, file=sys.stderr)\nprint(3)\n4")
    assert [output.get("text", "result") for output in outputs] == ["1\n", "2\n", "3\n", "result"]


def test_many_prints_are_sent_together(page):
    page.run("for i in range(10_000): print(i)")
    assert "".join(output["text"] for output in page.sent).split() == list(map(str, range(10_000)))
    assert len(page.sent) < 2 * runner.FIRST_LINES


def test_the_first_lines_are_sent_at_once(page):
    seen = []
    page.session.main.look = lambda: seen.append(len(page.sent))
    page.run("print('a')\nlook()\nprint('b')\nlook()")
    assert seen == [1, 2]


def test_an_unfinished_line_is_sent_when_it_is_flushed(page):
    seen = []
    page.session.main.look = lambda: seen.append(len(page.sent))
    page.run("print('a', end='')\nlook()\nprint('b', end='', flush=True)\nlook()")
    assert seen == [0, 1]


def test_too_much_text_is_cut(page):
    written, result = page.run("""
        import sys
        for _ in range(99):
            print("x" * 4999)
        print("not shown", file=sys.stderr)
        1
    """)
    assert written["text"].endswith(runner.CUT)
    assert len(written["text"]) == runner.MOST_CHARACTERS + len(runner.CUT)
    assert result == text("1")
    assert page.run("print(1)") == [stdout("1\n")]


def test_a_long_result_is_cut(page):
    (output,) = page.run("'x' * 300_000")
    assert output["data"]["text/plain"].endswith(runner.CUT)


def test_too_many_displays_are_left_out(page):
    page.session.main.display = page.session.display
    *shown, said, last = page.run("for _ in range(300): display('x' * 998)\n1")
    assert len(shown) == runner.MOST_CHARACTERS // (runner.BOX + 1000) + 1
    assert said == stdout(runner.CUT.lstrip())
    assert last == text("1")


def test_small_displays_are_left_out_too(page):
    page.session.main.display = page.session.display
    *shown, said = page.run("for _ in range(9999): display(1)")
    assert len(shown) == runner.MOST_CHARACTERS // runner.BOX
    assert said == stdout(runner.CUT.lstrip())
    assert len(page.run("for _ in range(9): display(1)")) == 9


def test_text_is_cut_after_many_displays(page):
    page.session.main.display = page.session.display
    *_, said = page.run("for _ in range(200): display(1)\nprint('not shown')")
    assert said == stdout(runner.CUT.lstrip())


def test_it_is_said_at_once_that_text_is_cut(page):
    seen = []
    page.session.main.look = lambda: seen.append(page.sent[-1]["text"])
    page.run("print('x' * 300_000)\nlook()")
    assert seen[0].endswith(runner.CUT)


def test_every_form_but_pictures_counts(page):
    page.session.main.display = page.session.display
    outputs = page.run("""
        class Rich:
            def _repr_html_(self): return "x" * 48_000
            def _repr_png_(self): return b"x" * 10_000_000
        for _ in range(9): display(Rich())
    """)
    assert [output["kind"] for output in outputs] == ["display"] * 4 + ["stream"]


def test_changing_between_streams_has_an_end(page):
    outputs = page.run("""
        import sys
        for _ in range(999):
            print(1)
            print(2, file=sys.stderr)
    """)
    assert len(outputs) <= runner.MOST_CHARACTERS // runner.BOX + 1
    assert outputs[-1]["text"] == runner.CUT.lstrip()


def test_the_streams_of_this_python_are_given_back(page, capsys):
    page.run("print(1)\n1/0")
    print("mine")
    assert capsys.readouterr().out == "mine\n"


def test_a_stream_takes_text_only(page):
    assert "not bytes" in the_error(page.run("import sys\nsys.stdout.write(b'x')"))


# ---------------------------------------------------------------------- warnings


def test_a_warning_is_given_once_and_names_no_file(page):
    source = """
        import warnings
        for _ in range(3):
            warnings.warn("take care")
    """
    warned = {"kind": "stream", "name": "stderr", "text": "UserWarning: take care\n"}
    assert page.run(source) == [warned]
    assert page.run(source) == [warned]  # and again when the cell is run again


def test_numpy_warns_each_time_a_cell_is_run(page):
    page.run("import numpy as np")
    for _ in range(2):
        (output,) = page.run("x = np.exp(np.array([1000.0]))")
        assert output["text"] == "RuntimeWarning: overflow encountered in exp\n"


def test_a_reader_may_silence_warnings(page):
    with warnings.catch_warnings():
        page.run("import warnings\nwarnings.filterwarnings('ignore')")
        assert page.run("warnings.warn('take care')") == []


# ---------------------------------------------------- plain text as in a notebook

plain_things = st.recursive(
    st.integers() | st.floats() | st.text(max_size=30) | st.booleans() | st.none(),
    lambda inner: (
        st.lists(inner, max_size=12)
        | st.lists(inner, max_size=12).map(tuple)
        | st.dictionaries(st.text(max_size=12), inner, max_size=12)
        | st.sets(st.integers() | st.text(max_size=12), max_size=12)
        | st.frozensets(st.integers(), max_size=12)
    ),
    max_leaves=60,
)


@given(plain_things)
def test_text_is_that_of_ipython(thing):
    assert runner.pretty(thing) == as_ipython(thing)


def a_function(x: int = 1, *rest) -> int:
    """Be printed."""


class Thing:
    """Be printed too."""


class Lines:
    """Be printed on several lines, the last one empty."""

    def __repr__(self):
        return "one\n  two\n"


class Special(dict):
    """A dictionary by another name."""


ITSELF: list = [1]
ITSELF.append(ITSELF)


@pytest.mark.parametrize(
    "thing",
    [
        np.arange(12.0).reshape(3, 4),
        [np.eye(3), np.zeros(2)],
        {"a": np.eye(2), "b": [np.eye(2)]},
        (np.float64(1), np.True_),
        list(range(1000)),
        list(range(1001)),
        dict.fromkeys(range(1001)),
        set(range(1001)),
        {1, "a"},
        {3: {2, 1}},
        ("x" * 76,),
        ("x" * 75, 1),
        [["x" * 70, "y"], "z"],
        [1, [2, ["x" * 71]]],
        Special(a=1),
        Special(a="x" * 70, b="y" * 20),
        int,
        Thing,
        np.ndarray,
        Thing(),
        [Thing, Thing()],
        Lines(),
        [Lines(), 1],
        a_function,
        len,
        print,
        np.linalg.norm,
        np.exp,
        range(3),
        slice(1, 2),
        ITSELF,
        "several\nlines",
        b"bytes",
        Path("a/b"),
    ],
    ids=lambda thing: str(type(thing).__name__),
)
def test_text_of_other_things_is_that_of_ipython(thing):
    assert runner.pretty(thing) == as_ipython(thing)


# --------------------------------------------------------------------- rich forms


def test_every_form_is_sent(page):
    (output,) = page.run("""
        class Rich:
            def __repr__(self): return "plain"
            def _repr_html_(self): return "<b>html</b>"
            def _repr_markdown_(self): return "**markdown**"
            def _repr_svg_(self): return "<svg/>"
            def _repr_png_(self): return b"png", {"width": 3}
            def _repr_latex_(self): return "$x$"
        Rich()
    """)
    assert output["data"] == {
        "text/plain": "plain",
        "text/html": "<b>html</b>",
        "text/markdown": "**markdown**",
        "image/svg+xml": "<svg/>",
        "image/png": "cG5n",
    }
    assert output["metadata"] == {"image/png": {"width": 3}}


def test_a_bundle_goes_first(page):
    (output,) = page.run("""
        class Bundle:
            def __repr__(self): return "mine"
            def _repr_mimebundle_(self, include, exclude):
                return {"text/html": "<b>bundle</b>"}, {"text/html": {"isolated": True}}
            def _repr_html_(self): return "not me"
        Bundle()
    """)
    assert output["data"] == {"text/plain": "mine", "text/html": "<b>bundle</b>"}
    assert output["metadata"] == {"text/html": {"isolated": True}}


def test_a_form_may_be_missing(page):
    (output,) = page.run("""
        class Poor:
            def __repr__(self): return "poor"
            def _repr_html_(self): return None
        Poor()
    """)
    assert output["data"] == {"text/plain": "poor"}


def test_a_class_is_shown_as_its_name(page):
    (output,) = page.run("class A:\n    def _repr_html_(self): return self.x\nA")
    assert output["data"] == {"text/plain": "__main__.A"}


def test_a_repr_that_fails_is_an_error_of_the_cell(page):
    outputs = page.run("class A:\n    def __repr__(self):\n        return 1/0\nA()")
    assert not page.ok
    assert 'line 3, in __repr__\n    return 1/0\n' in the_error(outputs)  # fmt: skip


def test_measured_sentences_are_markdown(page):
    (output,) = page.run("from attention.report import sentence\nsentence('**3** times')")
    assert output["data"] == {"text/plain": "**3** times", "text/markdown": "**3** times"}


# ------------------------------------------------------------------------- errors


def test_an_error_shows_the_readers_lines_with_carets(page):
    page.run("def f(x):\n    return 1 + x / 0", "queries-keys-values-f")
    outputs = page.run("print('before')\nf(2)\nprint('not reached')", "queries-keys-values-g")
    assert not page.ok
    assert outputs[0] == stdout("before\n")
    assert outputs[1]["name"] == "ZeroDivisionError"
    assert outputs[1]["message"] == "division by zero"
    assert the_error(outputs) == (
        "Traceback (most recent call last):\n"
        '  Cell "queries-keys-values-g", line 2\n'
        "    f(2)\n"
        + ("" if sys.version_info < (3, 13) else "    ~^^^\n")
        + '  Cell "queries-keys-values-f", line 2, in f\n'
        "    return 1 + x / 0\n"
        "               ~~^~~\n"
        "ZeroDivisionError: division by zero"
    )


def test_the_frames_of_libraries_are_left_out(page):
    page.run("import numpy as np")
    assert the_error(page.run("np.linalg.inv(np.zeros((2, 3)))")).splitlines()[1:] == [
        '  Cell "a-cell", line 1',
        "    np.linalg.inv(np.zeros((2, 3)))",
        *([] if sys.version_info < (3, 13) else ["    ~~~~~~~~~~~~~^^^^^^^^^^^^^^^^^^"]),
        "numpy.linalg.LinAlgError: Last 2 dimensions of the array must be square",
    ]


@pytest.mark.skipif(sys.version_info < (3, 12), reason="this Python makes no suggestions")
def test_a_name_that_is_almost_right(page):
    error = the_error(page.run("scores = 1\nscore"))
    assert error.endswith("NameError: name 'score' is not defined. Did you mean: 'scores'?")


@pytest.mark.parametrize(
    ("source", "place", "caret", "said"),
    [
        ("x = 1\ny = (1 +\nz = 2", "y = (1 +", "^", "SyntaxError: '(' was never closed"),
        ("if True\n    x", "if True", "^", "SyntaxError: expected ':'"),
        ("def f():\nx", "x", "^", "IndentationError: expected an indented block after function"),
        ("x = 1\nreturn x", "return x", "^^^^^^^^", "SyntaxError: 'return' outside function"),
    ],
)
def test_what_is_wrong_with_the_syntax(page, source, place, caret, said):
    outputs = page.run(source, "queries-keys-values-typed")
    cell, line, carets, last = the_error(outputs).splitlines()
    assert cell.startswith('  Cell "queries-keys-values-typed", line ')
    assert (line, carets.strip()) == (f"    {place}", caret)
    assert last.startswith(said)
    assert page.run("1") == [text("1")]


def test_nothing_runs_when_the_syntax_is_wrong(page):
    assert page.run("print(1)\n)")[0]["kind"] == "error"


@pytest.mark.parametrize("source", ["%matplotlib inline", "x = 1\n!pip install torch"])
def test_jupyter_commands(page, source):
    assert the_error(page.run(source)).endswith(runner.NO_MAGIC)


@pytest.mark.parametrize("source", ["len?", "x = 1\nlen??", "?len"])
def test_a_request_for_help(page, source):
    assert the_error(page.run(source)).endswith(runner.NO_QUESTION.format(name="len"))


@pytest.mark.parametrize("source", ["x = 1 ?", "1 +", "a b"])
def test_another_syntax_error_gets_no_hint(page, source):
    (output,) = page.run(source)
    assert "\n" not in output["message"]


def test_waiting_is_for_a_notebook(page):
    page.run("import asyncio")
    assert the_error(page.run("await asyncio.sleep(0)")).endswith(runner.NO_AWAIT)
    # What Pyodide says of asyncio.run.
    error = the_error(page.run("raise RuntimeError('Cannot stack switch here')"))
    assert error.endswith(runner.NO_LOOP)


def test_errors_that_led_to_an_error(page):
    error = the_error(page.run("""
        try:
            {}["key"]
        except KeyError as missing:
            raise ValueError("nothing there") from missing
    """))  # fmt: skip
    first, second = error.split("\nThe above exception was the direct cause")
    assert first.endswith("KeyError: 'key'\n")
    assert 'Cell "a-cell", line 5' in second


def test_errors_within_a_library_that_led_to_an_error_are_left_out(page):
    error = the_error(page.run("import json\njson.loads('[')"))
    assert error.count("Traceback") == 1
    assert error.endswith("json.decoder.JSONDecodeError: Expecting value: line 1 column 2 (char 1)")


def test_endless_recursion(page):
    error = the_error(page.run("def f(x):\n    return f(x)\nf(1)"))
    assert len(error.splitlines()) < 20
    assert "more times]" in error
    assert "RecursionError: maximum recursion depth exceeded" in error
    assert page.run("1") == [text("1")]


def test_several_lines_and_notes_are_kept(page):
    outputs = page.run("e = ValueError('one\\ntwo')\ne.add_note('three')\nraise e")
    assert outputs[0]["message"] == "one\ntwo\nthree"
    the_error(outputs)


def test_an_error_without_a_message(page):
    assert the_error(page.run("class Mine(Exception): pass\nraise Mine")).endswith("\nMine")


def test_a_group_of_errors(page):
    (output,) = page.run("raise ExceptionGroup('two', [ValueError(1), TypeError(2)])")
    assert output["message"] == "two (2 sub-exceptions)"
    assert "TypeError: 2" in output["traceback"]
    assert "/" not in output["traceback"]
    assert '  |   Cell "a-cell", line 1' in output["traceback"]
    assert "File" not in output["traceback"]
    assert output["traceback"].count("two (2 sub-exceptions)") == 1


@pytest.mark.parametrize("source", ["import sys\nsys.exit(3)", "raise SystemExit", "exit()"])
def test_exit_ends_the_cell_alone(page, source):
    assert the_error(page.run(source)).endswith(f"SystemExit: {runner.NO_EXIT}")
    assert page.run("1") == [text("1")]


def test_a_library_that_the_page_does_not_have(page):
    error = the_error(page.run("import not_a_library.part"))
    assert error.endswith(
        "ModuleNotFoundError: No module named 'not_a_library'\n"
        "not_a_library is not available in the page; download the notebook to run this."
    )


def test_a_missing_part_of_a_library_that_is_there(page):
    error = the_error(page.run("import json.nothing"))
    assert error.endswith("No module named 'json.nothing'")


def test_an_error_while_compiling_names_no_path(page):
    for source in ("exec('1 +')", "compile('x', 'a', 'b')", "int('x')", "open('nothing')"):
        assert "/" not in the_error(page.run(source)).replace("No such file or directory", "")


# ----------------------------------------------------------------- what is needed

PACKAGES = ("matplotlib", "einops")


@pytest.mark.parametrize(
    ("source", "needed"),
    [
        ("import numpy as np", []),
        ("import matplotlib.pyplot as plt", ["matplotlib"]),
        ("from matplotlib import pyplot", ["matplotlib"]),
        ("def f():\n    from einops import rearrange", ["einops"]),
        ("from attention import plot", ["matplotlib"]),
        ("from attention.plot import matrix", ["matplotlib"]),
        ("import attention.plot", ["matplotlib"]),
        ("import attention\nattention.plot.use_book_style()", ["matplotlib"]),
        ("from attention import by_hand, checks, report", []),
        ("from attention import nothing", []),
        ("import attention", []),
        ("import einops, matplotlib", ["matplotlib", "einops"]),
        ("not python", []),
        ("plt.show()", []),
    ],
)
def test_what_a_cell_needs(source, needed):
    assert runner.needs(source, PACKAGES) == needed


# ------------------------------------------------------------- Python in the page


def test_figures_are_shown_at_twice_their_density(fresh):
    setup, outputs, after = fresh(
        "import matplotlib.pyplot as plt\nfrom attention import plot\nplot.use_book_style()",
        """
        fig, ax = plt.subplots(figsize=(3, 2))
        ax.plot([1, 2])
        print("before")
        plt.show()
        print("after")
        plt.figure().subplots(1, 2)
        """,
        "plt.get_fignums()",
    )
    assert setup == []
    assert [output["kind"] for output in outputs] == [
        "stream",
        "display",
        "stream",
        "result",  # the array of the two axes
        "display",
    ]
    shown = outputs[1]
    assert shown["data"]["text/plain"] == "<Figure size 300x200 with 1 Axes>"
    png = b64decode(shown["data"]["image/png"])
    size = shown["metadata"]["image/png"]
    assert int.from_bytes(png[16:20]) // 2 == size["width"]
    assert 250 < size["width"] < 330
    assert after == [text("[]")]


def test_on_a_phone_a_figure_is_drawn_for_it(fresh):
    """Only that: a second picture would take as long again."""
    setup, outputs = fresh(
        """
        import sys, matplotlib.pyplot as plt
        from attention import plot
        plot.use_book_style()
        backend = next(f for f in sys.meta_path if type(f).__name__ == "FigureBackend")
        backend.session.is_narrow = True  # as worker.js does
        """,
        "fig, axes = plt.subplots(1, 2, figsize=(7.2, 2.8))\nplt.show()",
    )
    assert setup == []
    assert set(outputs[0]["data"]) == {"text/plain", "image/png"}
    size = outputs[0]["metadata"]["image/png"]
    assert size["width"] <= 358
    assert size["height"] > 350  # below each other


def test_a_figure_as_a_result_is_shown_once(fresh):
    _, outputs = fresh("import matplotlib.pyplot as plt", "fig, ax = plt.subplots()\nfig")
    assert [output["kind"] for output in outputs] == ["result"]
    assert set(outputs[0]["data"]) == {"text/plain", "image/png"}


def test_figures_of_an_endless_loop_are_no_longer_drawn(fresh):
    (outputs,) = fresh("""
        import matplotlib.figure as figures, matplotlib.pyplot as plt
        drawn = []
        figures.Figure.savefig = lambda figure, file, **options: (
            drawn.append(1), file.write(bytes(24)))
        for _ in range(150):
            plt.plot([1])
            plt.show()
        len(drawn), len(plt.get_fignums())
    """)
    assert [output["kind"] for output in outputs] == ["display"] * 99 + ["stream", "result"]
    assert outputs[-1] == text("(99, 0)")


def test_an_empty_figure_has_no_picture(fresh):
    (outputs,) = fresh("import matplotlib.pyplot as plt\nplt.figure();")
    assert outputs[0]["data"] == {"text/plain": "<Figure size 640x480 with 0 Axes>"}


def test_figures_that_are_open_when_a_cell_fails_are_shown_and_closed(fresh):
    outputs, after = fresh(
        "import matplotlib.pyplot as plt\nplt.plot([1])\n1/0", "plt.get_fignums()"
    )
    assert [output["kind"] for output in outputs] == ["error", "display"]
    assert after == [text("[]")]


def test_a_figure_that_cannot_be_drawn_is_an_error_of_the_cell(fresh):
    outputs, after = fresh("import matplotlib.pyplot as plt\nplt.title('$\\\\frac$');", "1")
    assert "Expected \\frac{num}{den}" in the_error(outputs)
    assert after == [text("1")]


def test_the_explorable_figures_come_alive_without_a_script(fresh):
    assert fresh("from attention import widgets\nwidgets.enable()") == [[]]


def test_display_as_in_a_notebook(fresh):
    outputs, again = fresh(
        "from IPython.display import HTML, Markdown, display\ndisplay(HTML('<b>'), 1)",
        "display('x')\nMarkdown('**m**')",
    )
    assert [output["data"] for output in outputs] == [
        {"text/plain": outputs[0]["data"]["text/plain"], "text/html": "<b>"},
        {"text/plain": "1"},
    ]
    assert [output["kind"] for output in again] == ["display", "result"]
    assert again[1]["data"]["text/markdown"] == "**m**"


def test_nobody_answers_input(fresh):
    (outputs,) = fresh("name = input('Your name? ')")
    assert the_error(outputs).splitlines()[1:] == [
        '  Cell "a-cell", line 1',
        "    name = input('Your name? ')",
        "           ^^^^^^^^^^^^^^^^^^^^",
        f"RuntimeError: {runner.NO_INPUT}",
    ]


def test_exit_is_there_without_site(fresh):
    (outputs, after) = fresh("quit()", "1")
    assert the_error(outputs).endswith(runner.NO_EXIT)
    assert after == [text("1")]


def test_main_is_the_page(fresh):
    (outputs,) = fresh("import pickle\nclass A: pass\ntype(pickle.loads(pickle.dumps(A())))")
    assert outputs == [text("__main__.A")]
