"""Watching a run: who sees it grow, and what stays when nobody looks on."""

import json
from dataclasses import dataclass
from html import unescape

import pytest
from IPython.core.interactiveshell import InteractiveShell
from tests.fake_training import train

from attention.widgets import TrainingLab, watch, watching

TOKENS = ["She", "went", "to"]


def counted(frames: int = 6):
    """Give a run, and a list that says how many frames have been asked for."""
    asked = []

    def run():
        for one in train(3, frames=frames):
            asked.append(one.step)
            yield one

    return run(), asked


def figure_in(html: str) -> dict:
    return json.loads(unescape(html.partition('data-figure="')[2].partition('">')[0]))


def test_no_step_is_made_before_somebody_looks():
    frames, asked = counted()
    run = watch(frames, TOKENS)
    assert asked == []
    assert [frame.step for frame in run.frames] == asked == [0, 5, 10, 15, 20, 25]
    assert len(run.frames) == 6  # and not once more


def test_with_nobody_looking_on_it_is_the_lab_of_the_whole_run():
    run = watch(train(3), TOKENS, label="rate 0.1", title="A fake")
    lab = TrainingLab(train(3), TOKENS, label="rate 0.1", title="A fake")
    assert run._repr_html_() == lab._repr_html_()
    assert repr(run) == repr(lab)


def test_a_recorded_run_stands_in_where_nobody_looks_on():
    frames, asked = counted()
    recorded = TrainingLab(train(3, seed=1), TOKENS)
    run = watch(frames, TOKENS, recorded=recorded)
    assert run._repr_html_() == recorded._repr_html_()
    assert repr(run) == repr(recorded)
    assert run.frames == recorded.frames
    assert asked == []


def test_the_page_is_given_an_empty_lab_and_then_each_frame():
    frames, asked = counted()
    run = watch(frames, TOKENS, recorded=TrainingLab(train(3), TOKENS))
    html, messages = run._repr_live_()
    figure = figure_in(html)
    assert figure["runs"][0]["step"] == []
    assert figure["goes_on"] is True
    assert asked == []
    sent = list(messages)
    whole = TrainingLab(train(3, frames=6), TOKENS).data()["runs"][0]
    for name in ("step", "loss", "accuracy"):
        assert [message[name] for message in sent] == whole[name]
    for name, text in whole["maps"].items():
        assert "".join(message["maps"][name] for message in sent) == text
    assert run._repr_live_() is None  # to show it again trains nothing


def test_a_run_that_is_stopped_keeps_what_came():
    frames, _ = counted()
    run = watch(frames, TOKENS)
    _, messages = run._repr_live_()
    next(messages), next(messages)
    assert [frame.step for frame in run.frames] == [0, 5]
    assert figure_in(run._repr_html_())["runs"][0]["step"] == [0, 5]


def test_a_bad_frame_is_refused_when_it_comes():
    run = watch(train(3), ["only", "two"])
    with pytest.raises(ValueError, match="expected the shape"):
        _ = run.frames


@dataclass
class Settings:
    rate: float = 0.1
    seed: int = 0
    scale: bool = True


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("my run", "my run"),
        (Settings(), "as by default"),
        (Settings(rate=0.3), "rate 0.3"),
        (Settings(scale=False, seed=2), "seed 2, scale False"),
    ],
)
def test_a_run_is_called_by_what_was_changed(label, text):
    assert watch(train(3), TOKENS, label=label).run.label == text


# ------------------------------------------------------------------- in JupyterLab


class Handle:
    """What `display(..., display_id=True)` returns, and what it was given."""

    def __init__(self, thing):
        self.shown = [thing._repr_html_()]

    def update(self, thing):
        self.shown.append(thing._repr_html_())


@pytest.fixture
def handles(monkeypatch):
    made = []

    def display(thing, display_id):
        made.append(Handle(thing))
        return made[-1]

    monkeypatch.setattr("IPython.display.display", display)
    monkeypatch.setattr(watching, "somebody_looks_on", lambda: True)
    return made


def test_in_jupyterlab_it_grows_and_ends_as_the_lab(handles, monkeypatch):
    monkeypatch.setattr(watching, "PAUSE", -1)
    watch(train(3, frames=4), TOKENS)._ipython_display_()
    (handle,) = handles
    steps = [len(figure_in(html)["runs"][0]["step"]) for html in handle.shown]
    assert steps == [0, 1, 2, 3, 4, 4]
    assert ["goes_on" in figure_in(html) for html in handle.shown] == 5 * [True] + [False]
    assert handle.shown[-1] == TrainingLab(train(3, frames=4), TOKENS)._repr_html_()


def test_in_jupyterlab_pictures_come_no_faster_than_one_can_follow(handles):
    watch(train(3, frames=40), TOKENS)._ipython_display_()
    assert len(handles[0].shown) == 2


def test_in_jupyterlab_an_interrupted_run_stays(handles):
    def interrupted():
        yield from train(3, frames=4)
        raise KeyboardInterrupt

    run = watch(interrupted(), TOKENS)
    with pytest.raises(KeyboardInterrupt):
        run._ipython_display_()
    assert len(figure_in(handles[0].shown[-1])["runs"][0]["step"]) == 4
    assert "goes_on" not in handles[0].shown[-1]


@pytest.mark.parametrize("asked", [{}, {"metadata": {}}, {"metadata": {"cellId": "a"}}])
def test_an_editor_says_for_which_cell_it_asks(asked, monkeypatch):
    class Shell:
        def get_parent(self):
            return asked

    monkeypatch.setattr("IPython.get_ipython", Shell)
    assert watching.somebody_looks_on() == bool(asked.get("metadata"))


def test_executed_by_a_program_it_is_shown_as_any_result():
    data, _ = InteractiveShell.instance().display_formatter.format(watch(train(3), TOKENS))
    assert data["text/html"] == TrainingLab(train(3), TOKENS)._repr_html_()
    assert data["text/plain"].startswith("Training. The best possible accuracy is 0.930.")
