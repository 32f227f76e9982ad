"""A cell that is watched while it trains: it runs a little at a time, and can be steered."""

import json
import subprocess
from pathlib import Path

import pytest
from tests.live.runs_in_node import LIVE, NODE, runs_of
from tests.live.test_cells import described
from tests.live.test_runner import Page, stdout, text

GROWS = """
class Grows:
    def __init__(self, frames):
        self.frames, self.seen = frames, []
    def train(self):
        for frame in self.frames:
            self.seen.append(frame)
            yield {"step": frame}
    def _repr_live_(self):
        return None if self.seen else ("<grows-here></grows-here>", self.train())
    def _repr_html_(self):
        return f"<p>{list(self.seen or self.frames)}</p>"
    def __repr__(self):
        return f"{len(self.seen)} frames"
"""
LIVE_OUTPUT = {
    "kind": "live",
    "data": {"text/plain": "", "text/html": "<grows-here></grows-here>"},
}


@pytest.fixture
def page() -> Page:
    made = Page()
    made.run(GROWS)
    made.sent.clear()
    return made


def frames(*steps: int) -> dict:
    return {"kind": "frames", "frames": [{"step": step} for step in steps]}


def result(said: str) -> dict:
    return {"kind": "result", "data": {"text/plain": said}, "metadata": {}, "watched": True}


# ---------------------------------------------------------------- a little at a time


def test_the_figure_is_there_before_the_first_frame(page):
    assert page.session.begin("a-cell", "Grows([0, 5, 10])")
    assert page.sent == [LIVE_OUTPUT]


def test_one_frame_at_a_time(page):
    session = page.session
    session.begin("a-cell", "Grows([0, 5])")
    page.sent.clear()
    assert session.go_on(0)
    assert page.sent == [frames(0)]
    assert session.go_on(0)
    assert not session.go_on(0)
    assert page.sent == [frames(0), frames(5), result("2 frames")]
    assert session.succeeded


def test_frames_of_one_turn_are_sent_together(page):
    session = page.session
    session.begin("a-cell", "Grows(range(1000))")
    page.sent.clear()
    assert not session.go_on(60)
    assert page.sent == [frames(*range(1000)), result("1000 frames")]


def test_a_turn_ends_in_time(page):
    session = page.session
    session.begin("a-cell", "import itertools\nGrows(itertools.count())")
    page.sent.clear()
    for _ in range(3):
        assert session.go_on(0.01)
    assert len(page.sent) == 3
    session.stop()


def test_a_stopped_run_keeps_its_frames_and_its_names(page):
    session = page.session
    session.begin("a-cell", "run = Grows([0, 5, 10, 15])\nrun")
    session.go_on(0)
    page.sent.clear()
    session.stop()
    assert session.succeeded
    assert session.bound == "run"
    assert page.sent == [result("1 frames")]
    assert page.run("run.seen") == [text("[0]")]


def test_what_is_printed_stands_where_it_was_printed(page):
    session = page.session
    source = """
def talking():
    yield 0
    print("half way")
    yield 5
print("before")
Grows(talking())
"""
    assert session.begin("a-cell", source)
    assert not session.go_on(60)
    kinds = [stdout("before\n"), LIVE_OUTPUT, frames(0), stdout("half way\n"), frames(5)]
    assert page.sent == [*kinds, result("2 frames")]


def test_an_error_in_training_comes_after_the_frames(page):
    session = page.session
    source = "def broken():\n    yield 0\n    yield 1 / 0\nGrows(broken())"
    session.begin("a-cell", source)
    page.sent.clear()
    assert not session.go_on(60)
    assert not session.succeeded
    assert page.sent[0] == frames(0)
    (error,) = page.sent[1:]
    assert error["name"] == "ZeroDivisionError"
    assert "line 3" in error["traceback"]


# ------------------------------------------------------------------ all other cells


@pytest.mark.parametrize("source", ["1 + 1", "x = 1", "", "Grows([0]);", "run = Grows([0])"])
def test_other_cells_end_at_once(page, source):
    assert not page.session.begin("a-cell", source)
    assert page.session.succeeded
    assert "live" not in [output["kind"] for output in page.sent]


def test_to_show_a_run_again_trains_nothing(page):
    assert page.session.begin("a-cell", "run = Grows([0, 5])\nrun")
    page.session.stop()
    assert not page.session.begin("a-cell", "run")
    (shown,) = page.sent[-1:]
    assert shown["data"]["text/html"] == "<p>[0]</p>"
    assert "watched" not in shown


def test_with_nobody_looking_on_the_result_is_shown_as_any_other(page):
    outputs = page.run("Grows([0, 5])")
    assert outputs[0]["data"]["text/html"] == "<p>[0, 5]</p>"
    assert [output["kind"] for output in outputs] == ["result"]


def test_an_error_before_the_last_line(page):
    assert not page.session.begin("a-cell", "1 / 0\nGrows([0])")
    assert not page.session.succeeded
    assert [output["kind"] for output in page.sent] == ["error"]


# ------------------------------------------------------------- the page's side, in node

PYTHON = """
const posted = [], ended = [];
globalThis.Worker = class {
  constructor() { globalThis.worker = this; }
  postMessage(message) { posted.push(message.what ?? message.type); }
  terminate() { ended.push("ended"); }
};
const { Python } = await import(PATH);
const python = new Python("worker.mjs", () => {});
const say = (message) => worker.onmessage({ data: message });
const later = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
const outcome = ({ ok, stopped }) => ({ ok, stopped });
const how = (promise) => promise.then(outcome, (error) => error.constructor.name);
"""


def in_node(script: str) -> object:
    path = json.dumps((Path(LIVE) / "python.js").as_uri())
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", f"const PATH = {path};\n{PYTHON}\n{script}"],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_watched_run_is_asked_to_stop_and_python_goes_on():
    assert in_node("""
        const run = how(python.run("a", "watch()", () => {}));
        python.steer("pause"); // not yet: nobody would hear it
        say({ type: "watched", run: 1 });
        python.steer("pause");
        python.stop();
        say({ type: "done", run: 1, ok: true, stopped: true });
        await later(700);
        console.log(JSON.stringify({ run: await run, posted, ended }));
    """) == {"run": {"ok": True, "stopped": True}, "posted": ["run", "pause", "stop"], "ended": []}


@pytest.mark.parametrize("then", ["await later(700);", "python.stop();"])
def test_a_watched_run_that_does_not_answer_is_ended(then):
    assert in_node(f"""
        const run = how(python.run("a", "watch()", () => {{}}));
        say({{ type: "watched", run: 1 }});
        python.stop();
        {then}
        console.log(JSON.stringify({{ run: await run, ended }}));
    """) == {"run": "Stopped", "ended": ["ended"]}


def test_any_other_run_is_ended_at_once():
    assert in_node("""
        const run = how(python.run("a", "while True: pass", () => {}));
        python.stop();
        console.log(JSON.stringify({ run: await run, posted, ended }));
    """) == {"run": "Stopped", "posted": ["run"], "ended": ["ended"]}


def test_what_waits_behind_a_stopped_run_does_not_run_but_what_it_made_is_there():
    cells = list(described("x = 1", "y = x", "x + y").values())
    presses = [("c", [], False), ("c", [], False)]
    # The first press runs all three, and is stopped at b; the second needs no more than b.
    assert runs_of(cells, presses, stopped=("b",)) == [["a", "b"], ["c"]]
