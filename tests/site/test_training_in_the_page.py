"""A model trains in the page: its frames are shown, and the reader steers it.

One Python in the page serves all of it, and other tests, since to start one takes longest.
"""

# ruff: noqa: F811 (fixtures of another test file are parameters here)

import json

import numpy as np
import pytest
from playwright.sync_api import Locator, Page, expect
from test_live_page import (
    _site_has_live_code,  # noqa: F401 (a fixture)
    cell,
    finished,
    press,
    run,
    used_page,  # noqa: F401 (a fixture)
    used_visit,  # noqa: F401 (a fixture)
    write,
)
from test_site_browser import violations

from attention.tasks import induction, look_up
from attention.widgets import watch

pytestmark = pytest.mark.browser

CELL, OTHER = "queries-keys-values-dict", "queries-keys-values-given"
TRAIN = """
from attention.tasks.{task} import {kind}, train
from attention.widgets import watch
settings = {kind}({changed})
run = watch(train(settings, every={every}), settings.example_tokens(), label=settings)
run
"""
LOSSES = "print([frame.loss for frame in run.frames])"


def lab(place: Locator) -> Locator:
    return place.locator(".live-output training-lab")


def state(place: Locator) -> dict:
    return lab(place).evaluate("lab => lab.state")


def wait_for(page: Page, condition: str) -> None:
    """Wait until the lab, once it is there, is in a state."""
    page.wait_for_function(
        f"""() => {{
            const lab = document.querySelector(".live-output training-lab:defined");
            return lab?.state && ((state) => {condition})(lab.state);
        }}"""
    )


def losses(page: Page) -> list[float]:
    return json.loads(run(cell(page, OTHER), LOSSES).split("\n")[0])


@pytest.mark.arithmetic
def test_a_model_trains_in_the_page(used_page) -> None:
    page = used_page
    place = cell(page, CELL)

    # The look-up, to its end: the same losses as here, and nothing else in the output.
    write(place, TRAIN.format(task="look_up", kind="LookUp", changed="steps=60", every=1))
    assert place.locator(".live-run").inner_text() == "Train"
    press(place)
    assert finished(place) == "done"
    ours = look_up.LookUp(steps=60)
    frames = [*look_up.train(ours, every=1)]
    expected = [frame.loss for frame in frames]
    np.testing.assert_allclose(losses(page)[:51], expected[:51], rtol=0, atol=1e-6)
    shown = state(place)
    assert (shown["frames"], shown["index"], shown["phase"]) == (61, 60, "whole")
    assert shown["names"] == ["steps 60"]
    (output,) = [one for one in place.evaluate("c => c.liveOutputs") if one["kind"] == "result"]
    tokens = ours.example_tokens()
    assert output["data"]["text/plain"] == repr(watch(iter(frames), tokens))
    assert place.locator(".cell_output table:visible").count() == 0

    # The induction task: paused, stepped, looked back through, let go on, and stopped.
    write(place, TRAIN.format(task="induction", kind="Induction", changed="", every=1))
    lab(place).get_by_role("button", name="Train").click()
    wait_for(page, "state.frames > 1 && state.maps['layer 1']")
    assert state(place)["names"] == ["as by default", "steps 60"]
    lab(place).get_by_role("button", name="Pause").click()
    page.wait_for_function("() => new Promise((done) => setTimeout(() => done(true), 1500))")
    before = state(place)["frames"]
    lab(place).get_by_role("slider").fill("0")
    assert state(place)["step"] == 0
    lab(place).get_by_role("slider").fill(str(before - 1))
    lab(place).get_by_role("button", name="Step").click()
    wait_for(page, f"state.frames === {before + 1} && state.step === {before}")
    lab(place).get_by_role("button", name="Go on").click()
    wait_for(page, f"state.frames > {before + 1}")
    assert violations(page, inside=place) == []
    lab(place).get_by_role("button", name="Stop").click()
    assert finished(place) == "stopped"
    expect(place.locator(".live-note")).to_contain_text("stopped, run in your browser")
    expect(lab(place).get_by_role("button", name="Train")).to_be_visible()
    # Python is still there, with what came until then.
    got = losses(page)
    assert len(got) == state(place)["frames"]
    kind = induction.Induction()
    ours = [one.loss for one, _ in zip(induction.train(kind, every=1), got, strict=False)]
    np.testing.assert_allclose(got[:51], ours[:51], rtol=0, atol=1e-6)
    assert violations(page, inside=place) == []

    # Reset shows what is printed.
    place.locator(".live-reset").click()
    expect(lab(place)).to_have_count(0)
    assert place.locator(".live-run").inner_text() == "Run"
