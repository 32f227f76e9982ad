"""Measure what it is like to train a model in the page.

    python tools/measure_training.py            each run five times, some minutes; needs Chromium
    python tools/measure_training.py --runs 1

For a look-up and for an induction head: the seconds from pressing Train to the end of the run,
the longest task of the page's main thread meanwhile (from the browser's own trace: by the
clock, and the processor's time for it, which other work on the machine changes less), and how
many messages the worker sends in a second. Times are of this machine; let it be idle. The site
must have been built.
"""

import argparse
import json
import os
import shutil
import statistics
from functools import partial
from http.server import ThreadingHTTPServer
from threading import Thread

from measure_page import FIRST, SITE, QuietHandler
from playwright.sync_api import Browser, sync_playwright

CELL = "queries-keys-values-dict"
SOURCE = """from attention.tasks.{0} import {1}, train
from attention.widgets import watch
settings = {1}()
watch(train(settings), settings.example_tokens())"""
RUNS = {
    "look-up": SOURCE.format("look_up", "LookUp"),
    "induction": SOURCE.format("induction", "Induction"),
}
# Counts what the worker says.
LISTEN = """
const Plain = Worker;
window.heard = [];
window.Worker = class extends Plain {
  constructor(...given) {
    super(...given);
    this.addEventListener("message", () => heard.push(performance.now()));
  }
};"""
TRAIN = """async (name) => {
  const cell = document.querySelector(`[data-cell="${name}"]`);
  window.heard.length = 0;
  const started = performance.now();
  cell.querySelector(".live-run").click();
  while (!["done", "error"].includes(cell.dataset.state))
    await new Promise((later) => setTimeout(later, 5));
  if (cell.dataset.state === "error") throw new Error(cell.innerText);
  const seconds = (performance.now() - started) / 1000;
  const { frames, loss, accuracy } = cell.querySelector(".live-output training-lab").state;
  return { seconds, messages: heard.length, frames, loss, accuracy };
}"""
TRACED = ["toplevel", "disabled-by-default-devtools.timeline", "devtools.timeline"]


def measure(browser: Browser, address: str, name: str, source: str, runs: int) -> None:
    """Train with a Python that has just started, and then several times with the same one."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.add_init_script(LISTEN)
    page.goto(address + FIRST, wait_until="networkidle")
    cell = page.locator(f"[data-cell='{CELL}']")
    cell.locator(".live-edit").click()
    cell.locator(".cm-content").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(source)
    first = page.evaluate(TRAIN, CELL)
    print(f"{name}: {first['seconds']:.1f} s with the start of Python", flush=True)
    found, longest = [], []
    for _ in range(runs):
        browser.start_tracing(page=page, categories=TRACED)
        found.append(page.evaluate(TRAIN, CELL))
        longest.append(longest_task(json.loads(browser.stop_tracing())["traceEvents"]))
    page.close()
    seconds = [one["seconds"] for one in found]
    rate = max(one["messages"] / one["seconds"] for one in found)
    last = found[-1]
    print(
        f"{name}: median {statistics.median(seconds):.1f} s from Train to its end, "
        f"{min(seconds):.1f} to {max(seconds):.1f} s in {runs} runs; {last['frames']} frames, "
        f"accuracy {last['accuracy']:.3f}; at most {rate:.1f} messages a second; longest task "
        f"of the main thread {max(one for one, _ in longest):.1f} ms by the clock (by run: "
        + ", ".join(f"{one:.1f}" for one, _ in longest)
        + f"), {max(own for _, own in longest):.1f} ms of processor time",
        flush=True,
    )


def longest_task(events: list[dict]) -> tuple[float, float]:
    """Return the milliseconds of the main thread's longest task, and of the one that works most."""
    named = [event for event in events if event.get("name") == "thread_name"]
    main = {(e["pid"], e["tid"]) for e in named if e["args"]["name"] == "CrRendererMain"}
    tasks = [
        event
        for event in events
        if event.get("name") == "ThreadControllerImpl::RunTask"
        and (event["pid"], event["tid"]) in main
        and "dur" in event
    ]
    if not tasks:
        raise ValueError("The trace holds no task of a main thread.")
    return tuple(max(event.get(kind, 0) for event in tasks) / 1000 for kind in ("dur", "tdur"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="how often each model is trained")
    parser.add_argument("--only", choices=RUNS, help="one of them")
    arguments = parser.parse_args()
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        for name, source in RUNS.items():
            if arguments.only in (None, name):
                measure(browser, address, name, source, arguments.runs)
        browser.close()


if __name__ == "__main__":
    main()
