"""The training lab without a browser: what it hands to the page, its table, what it refuses."""

import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from tests.conftest import load_without_shape_checks
from tests.fake_training import train
from tests.live.runs_in_node import NODE

from attention import plot
from attention.gradients import Frame
from attention.widgets import TrainingLab
from attention.widgets._base import SCRIPTS
from attention.widgets.training_run import LEVELS, MOST_WEIGHTS, spread, thinned, written_weights

ROOT = Path(__file__).resolve().parents[1]
TOKENS = ["She", "went", "to"]


def in_node(script: str, given: object = None) -> object:
    """Run JavaScript that may use what the element's scripts export."""
    names = "cover, weightColour", "base.js", "read, lastUpTo, roundUp, Run", "training-lab.js"
    imports = "".join(
        f"import {{ {name} }} from {json.dumps((SCRIPTS / file).as_uri())};\n"
        for name, file in zip(names[::2], names[1::2], strict=True)
    )
    done = subprocess.run(
        [
            NODE,
            "--input-type=module",
            "--eval",
            f"{imports}const given = {json.dumps(given)};\n"
            f"console.log(JSON.stringify((() => {{ {script} }})()));",
        ],
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def frame(step=0, loss=1.0, accuracy=0.5, best=1.0, **maps):
    return Frame(step, loss, accuracy, best, maps)


@pytest.fixture(scope="module")
def lab():
    return TrainingLab(train(3, frames=20), TOKENS, title="A fake", label="rate 0.1")


# ------------------------------------------------------------- what the page gets


@pytest.mark.arithmetic
def test_the_page_gets_the_run(lab):
    figure = json.loads(json.dumps(lab.data()))
    (run,) = figure["runs"]
    assert (figure["title"], run["label"]) == ("A fake", "rate 0.1")
    assert run["queries"] == run["keys"] == TOKENS
    frames = list(train(3, frames=20))
    assert run["step"] == [frame.step for frame in frames]
    np.testing.assert_allclose(run["loss"], [frame.loss for frame in frames], rtol=1e-3)
    np.testing.assert_allclose(run["accuracy"], [frame.accuracy for frame in frames], atol=1e-4)
    assert run["best"] == 0.93
    assert {name: len(text) for name, text in run["maps"].items()} == {
        "layer 0": 20 * 9,
        "layer 1": 20 * 9,
    }


def test_weights_are_read_in_the_page_as_they_are_written_here():
    weights = np.random.default_rng(0).random((7, 30))
    weights[0, :3] = 0, 1, np.nan
    hundredths = in_node("return [...read(given)]", written_weights(weights))
    expected = np.round(100 * weights).ravel()
    expected[2] = 255
    np.testing.assert_array_equal(hundredths, expected)


def test_every_hundredth_has_a_character_that_needs_no_escaping():
    assert len(set(LEVELS)) == len(LEVELS) == 101
    assert not set(LEVELS) & set("\"&'<>\\ ")
    assert json.loads(json.dumps("".join(LEVELS))) == "".join(LEVELS)


def test_the_page_reads_the_maps_of_each_frame(lab):
    script = "const run = new Run(given.runs[0]); return [...run.maps.get('layer 1')[given.frame]]"
    for i, one in enumerate(lab.frames):
        if i % 6 == 0:
            got = in_node(script, lab.data() | {"frame": i})
            np.testing.assert_array_equal(got, np.round(100 * one.maps["layer 1"]).ravel())


def test_colours_are_those_of_the_printed_maps():
    covers = in_node("return given.map(cover)", np.linspace(0, 1, 256).tolist())
    np.testing.assert_allclose(covers, plot.WEIGHTS(np.arange(256))[:, 3])
    # The colour that covers is that of the site's links.
    sheet = (ROOT / "_static/book.css").read_text(encoding="utf-8")
    assert f"--pst-color-link: {plot.INK.lower()};" in sheet
    assert (
        in_node("return weightColour(1)")
        == "color-mix(in srgb, var(--accent) 100.0%, var(--paper))"
    )


@pytest.mark.parametrize(
    ("number", "above"), [(2.7, 3), (1, 1), (1.01, 1.5), (0.034, 0.04), (7.2, 10), (10.2, 15)]
)
def test_an_axis_ends_at_a_round_number(number, above):
    assert in_node("return roundUp(given)", number) == pytest.approx(above)


def test_the_frame_at_a_step_is_the_last_that_has_come():
    steps = [0, 5, 10, 40]
    found = in_node(
        "return given[1].map((step) => lastUpTo(given[0], step))", [steps, list(range(50))]
    )
    expected = [max(np.searchsorted(steps, step, side="right") - 1, 0) for step in range(50)]
    assert found == expected


def test_a_query_of_which_there_are_two_is_told_apart():
    weights = np.array([[0.2, 0.3, 0.5], [0, 0, 0], [np.nan] * 3])
    figure = TrainingLab([frame(layer=weights)], ["a", "b", "a"]).data()
    script = (
        "const run = new Run(given.runs[0]); return [0, 1, 2].map((q) => run.looks('layer', 0, q))"
    )
    looks = in_node(script, figure)
    assert looks == ["a (3) 0.50, b 0.30, a (1) 0.20", "nothing", "its weights are not numbers"]


def test_two_runs_stand_side_by_side(lab):
    other = TrainingLab(train(3, frames=9, maps=("layer 0",)), TOKENS, label="one layer")
    both = TrainingLab(lab.frames, TOKENS, label="two layers", beside=other)
    assert [run["label"] for run in both.data()["runs"]] == ["two layers", "one layer"]
    assert both.frames == lab.frames
    _, header, rows = both.table()
    assert header == [
        "step",
        *("loss (two layers)", "accuracy (two layers)"),
        *("loss (one layer)", "accuracy (one layer)"),
    ]
    assert rows[0][3:] == ["2.698", "0.061"]
    assert rows[-1][3:] == ["–", "–"]  # it ended before


# ------------------------------------------------------------- what a page may hold


@pytest.mark.arithmetic
def test_of_a_long_run_the_page_gets_fewer_frames():
    weights = np.full((50, 50), 0.02)
    frames = [frame(step, layer=weights) for step in range(300)]
    kept = thinned(frames)
    assert len(kept) == MOST_WEIGHTS // 2500
    assert (kept[0], kept[-1]) == (frames[0], frames[-1])
    gaps = {later.step - earlier.step for earlier, later in pairwise(kept)}
    assert gaps <= {7, 8}
    lab = TrainingLab(frames, [str(i) for i in range(50)])
    assert len(lab.frames) == 300
    assert len(lab.data()["runs"][0]["step"]) == len(kept)


def test_numbers_spread_from_the_first_to_the_last():
    assert spread(5, 9) == [0, 1, 2, 3, 4]
    assert spread(21, 6) == [0, 4, 8, 12, 16, 20]


@pytest.mark.arithmetic
def test_a_short_run_is_a_few_kilobytes():
    lab = TrainingLab(
        train(5, frames=80, maps=("weights",)), ["She", "went", "to", "the", "market"]
    )
    assert len(lab._repr_html_()) < 7_000


# ----------------------------------------------------------------------- its text


def test_text_is_the_course_of_the_run(lab):
    first, header, *rows = repr(lab).splitlines()
    assert first == "A fake. The best possible accuracy is 0.930."
    assert header.split() == ["step", "loss", "accuracy"]
    assert rows[0].split() == ["0", "2.698", "0.061"]
    assert rows[-1].split() == ["95", "0.302", "0.859"]
    assert len(rows) == 9


def test_a_run_that_diverged_can_be_shown():
    broken = frame(5, loss=float("nan"), accuracy=0.0, layer=np.full((3, 3), np.nan))
    lab = TrainingLab([frame(layer=np.eye(3)), broken], TOKENS)
    (run,) = lab.data()["runs"]
    assert run["loss"] == [1.0, None]
    assert "nan" in repr(lab)
    assert lab._repr_html_().startswith("<training-lab data-figure=")


# ------------------------------------------------------------------ what it refuses


@pytest.mark.parametrize(
    ("frames", "tokens", "message"),
    [
        ([], TOKENS, "frames: expected at least one frame, got 'none'"),
        ([frame(layer=np.eye(3))], [], "tokens: expected a sequence of texts, got []"),
        ([frame(layer=np.eye(3))], "abc", "tokens: expected a sequence of texts, got 'abc'"),
        (
            [frame(layer=np.eye(3))],
            [1, 2, 3],
            "tokens: expected a sequence of texts, got [1, 2, 3]",
        ),
        ([frame(layer=np.eye(2))], TOKENS, "maps['layer']: expected the shape (3, 3), got (2, 2)"),
        ([frame(layer=2 * np.eye(3))], TOKENS, "maps['layer']: expected weights from 0 to 1, got "),
        ([frame(layer=-np.eye(3))], TOKENS, "maps['layer']: expected weights from 0 to 1, got "),
        (
            [frame(5, layer=np.eye(3)), frame(5, layer=np.eye(3))],
            TOKENS,
            "frames: expected a step after 5, got 5",
        ),
        (
            [frame(layer=np.eye(3)), frame(5, other=np.eye(3))],
            TOKENS,
            "frames: expected the maps ['layer'], got ['other']",
        ),
    ],
)
def test_bad_input_is_refused(frames, tokens, message):
    plain = load_without_shape_checks("widgets/training_lab", "widgets/training_run")
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        plain.TrainingLab(frames, tokens)


@pytest.mark.parametrize(("start", "chosen"), [(None, 2), ("b", 1), (0, 0)])
def test_a_query_may_be_chosen_at_first(start, chosen):
    lab = TrainingLab([frame(layer=np.eye(3))], ["a", "b", "c"], start=start)
    assert lab.data()["runs"][0]["start"] == chosen
    with pytest.raises(ValueError, match="start: expected a label that occurs once"):
        TrainingLab([frame(layer=np.eye(3))], ["a", "b", "c"], start="d")


def test_queries_may_be_other_tokens_than_the_keys():
    lab = TrainingLab([frame(layer=np.full((1, 3), 1 / 3))], TOKENS, queries=["who"])
    assert lab.data()["runs"][0]["queries"] == ["who"]
    with pytest.raises(ValueError, match=re.escape("maps['layer']: expected the shape (1, 3)")):
        TrainingLab([frame(layer=np.eye(3))], TOKENS, queries=["who"])
