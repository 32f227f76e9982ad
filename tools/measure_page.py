"""Measure what the live pages cost: bytes, waiting time, and time to repaint.

    python tools/measure_page.py            everything, a few minutes; needs Chromium
    python tools/measure_page.py --runs 3   fewer repetitions

Sizes are after gzip, as most servers send the files. Times are of this machine;
let it be idle. The site must have been built.
"""

import argparse
import gzip
import json
import os
import re
import shutil
import statistics
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

from book_texts import stem
from bs4 import BeautifulSoup
from playwright.sync_api import Browser, Locator, Page, Request, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "_build" / "html"
LIVE = SITE / "_static" / "live"
IMPORT = re.compile(r'\b(?:from|import) ?"\./([\w.-]+)"')  # as esbuild writes it
FIRST = f"chapters/{stem('queries-keys-values')}.html"
FIRST_NUMPY_CELL = (
    "queries-keys-values-soft-dict"  # needs the set-up cell, which the page runs before it
)
ATTENTION = """import numpy as np
from attention import by_hand
q, k, v = np.random.default_rng(0).normal(size=(3, 64, 64))
by_hand.scaled_dot_product_attention(q, k, v)[0].sum()"""
TRACED = ["devtools.timeline", "disabled-by-default-devtools.timeline", "toplevel"]
FIGURES = {
    "attention-explorer": f"chapters/{stem('queries-keys-values')}.html",
    "attention-explorer (8 heads)": f"chapters/{stem('multi-head')}.html",
    "attention-lab": f"chapters/{stem('queries-keys-values')}.html",
    "scaling-lab": f"chapters/{stem('scaling')}.html",
    "mask-lab": f"chapters/{stem('masking')}.html",
    "head-splitter": f"chapters/{stem('multi-head')}.html",
    "architecture-map": f"chapters/{stem('transformer')}.html",
    "position-lab": f"chapters/{stem('position')}.html",
    "live-translator": f"chapters/{stem('translation')}.html",
    "bert-heads": f"chapters/{stem('family')}.html",
}


class QuietHandler(SimpleHTTPRequestHandler):
    """Serve the site as a plain file server does."""

    def log_message(self, *arguments: object) -> None:
        """Print nothing for each request."""


def compressed(content: bytes) -> int:
    return len(gzip.compress(content, 6))


def weights() -> None:
    """Print how large each script is, and what a reader who runs nothing loads."""
    for path in sorted(LIVE.glob("*.mjs")):
        print(f"{path.name:34} {compressed(path.read_bytes()) / 1000:7.1f} KB")
    for path in sorted((SITE / "chapters").glob("[0-9]*.html")):
        print(f"{path.name:34} {more_than_before(path) / 1000:7.1f} KB more than without them")


def more_than_before(path: Path) -> int:
    """Return the bytes that live code and explorable figures add to a page that is only read."""
    html = path.read_bytes()
    page = BeautifulSoup(html, "html.parser")
    scripts = sum(compressed((LIVE / name).read_bytes()) for name in loaded_for_reading(page))
    for figure in page.select("[data-figure]"):
        figure.decompose()
    for cell in page.select("[data-cell]"):
        for name in ("data-cell", "data-live", "data-needs", "data-exercise"):
            del cell[name]
    return scripts + compressed(html) - compressed(str(page).encode())


def loaded_for_reading(page: BeautifulSoup) -> set[str]:
    """Return the files of _static/live that a page loads before the reader does anything."""
    addresses = [tag["src"] for tag in page.select("script[src]")]
    addresses += [tag["href"] for tag in page.select("link[rel=stylesheet]")]
    paths = [address.partition("?")[0] for address in addresses]
    names = {path.rpartition("/")[2] for path in paths if "_static/live/" in path}
    for name in list(names):
        names.update(IMPORT.findall((LIVE / name).read_text(encoding="utf-8")))
    return names


def start(browser: Browser, address: str, runs: int) -> None:
    """Print the time from pressing Run to the first NumPy result, cold and warm."""
    cold, warm, fetched = [], [], set()
    for _ in range(runs):
        context = browser.new_context()
        page = context.new_page()
        page.goto(address + FIRST, wait_until="networkidle")
        note = partial(note_address, fetched)
        context.on("request", note)
        cold.append(first_result(page))
        context.remove_listener("request", note)
        page.reload(wait_until="networkidle")
        warm.append(first_result(page))
        context.close()
    for name, times in (("cold", cold), ("warm", warm)):
        print(
            f"first NumPy result, {name}: median {statistics.median(times):.2f} s, "
            f"{min(times):.2f} to {max(times):.2f} s in {runs} runs"
        )
    files = [SITE / url.removeprefix(address) for url in fetched if "/_static/" in url]
    sizes = {path.name: compressed(path.read_bytes()) for path in files if path.is_file()}
    print(f"fetched for it: {sum(sizes.values()) / 1e6:.2f} MB in {len(sizes)} files")
    for name, size in sorted(sizes.items(), key=lambda item: -item[1])[:6]:
        print(f"    {name:60} {size / 1e6:6.2f} MB")


def note_address(fetched: set[str], request: Request) -> None:
    fetched.add(request.url.partition("?")[0])


def first_result(page: Page) -> float:
    return page.evaluate(
        """async (name) => {
            const cell = document.querySelector(`[data-cell="${name}"]`);
            const started = performance.now();
            cell.querySelector(".live-run").click();
            while (!["done", "error"].includes(cell.dataset.state))
                await new Promise((later) => setTimeout(later, 5));
            if (cell.dataset.state === "error") throw new Error(cell.innerText);
            return (performance.now() - started) / 1000;
        }""",
        FIRST_NUMPY_CELL,
    )


def attention(browser: Browser, address: str, runs: int) -> None:
    """Print how long a cell with an attention of 64 by 64 takes."""
    page = browser.new_page()
    page.goto(address + FIRST)
    first_result(page)
    cell = page.locator("[data-cell='queries-keys-values-dict']")
    cell.locator(".live-edit").click()
    cell.locator(".cm-content").focus()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.insert_text(ATTENTION)
    page.evaluate(
        """() => { const cell = document.querySelector("[data-cell='queries-keys-values-dict']");
            window.again = async () => {
                const started = performance.now();
                cell.querySelector(".live-run").click();
                do await new Promise((later) => setTimeout(later, 1));
                while (cell.dataset.state !== "done");
                return [Number(cell.dataset.runMs), performance.now() - started];
            }; }"""
    )
    page.evaluate("again()")
    times = [page.evaluate("again()") for _ in range(max(runs, 10))]
    inside, outside = zip(*times, strict=True)
    print(
        f"64 by 64 attention: median {statistics.median(inside):.1f} ms in Python, "
        f"{statistics.median(outside):.1f} ms from press to shown, worst {max(outside):.0f} ms"
    )
    page.close()


def repaints(browser: Browser, address: str) -> None:
    """Print how long each figure takes to follow the pointer."""
    for name in FIGURES:
        work = sorted(repaint_times(browser, address, name))
        print(
            f"{name:30} {len(work)} moves: median {statistics.median(work):.1f} ms, "
            f"95 in 100 below {work[int(0.95 * len(work))]:.1f} ms, worst {work[-1]:.1f} ms"
        )


def repaint_times(browser: Browser, address: str, name: str) -> list[float]:
    """Move the pointer over a figure; return the milliseconds of work for each new picture."""
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(address + FIGURES[name], wait_until="networkidle")
    figures = page.locator(name.partition(" ")[0])
    figure = figures.last if "heads" in name else figures.first
    figure.scroll_into_view_if_needed()
    box = figure.bounding_box()
    browser.start_tracing(page=page, categories=TRACED)
    if name in ("attention-lab", "scaling-lab", "position-lab"):  # these are dragged
        slide(page, figure)
    else:
        for step in range(60):
            page.mouse.move(
                box["x"] + box["width"] * (0.05 + 0.9 * (step % 12) / 12),
                box["y"] + min(box["height"], 700) * (0.1 + 0.8 * step / 60),
            )
            page.wait_for_timeout(40)
    trace = json.loads(browser.stop_tracing())
    page.close()
    return work_after_moves(trace["traceEvents"])


def slide(page: Page, figure: Locator) -> None:
    """Drag the lab's first slider from end to end."""
    handle = figure.locator("input[type=range]").first.bounding_box()
    middle = handle["y"] + handle["height"] / 2
    page.mouse.move(handle["x"] + 2, middle)
    page.mouse.down()
    for step in range(60):
        page.mouse.move(handle["x"] + handle["width"] * step / 60, middle)
        page.wait_for_timeout(40)
    page.mouse.up()


def work_after_moves(events: list[dict]) -> list[float]:
    """Return, for each pointer move, the main thread's milliseconds until the next picture.

    A picture is done when the main thread hands it over ("Commit").
    """
    moves = sorted((event for event in events if is_move(event)), key=lambda event: event["ts"])
    thread = moves[0]["pid"], moves[0]["tid"]
    whole = [
        event
        for event in events
        if event.get("ph") == "X" and (event["pid"], event["tid"]) == thread
    ]
    tasks = [event for event in whole if event["name"] == "ThreadControllerImpl::RunTask"]
    pictures = sorted(event["ts"] + event["dur"] for event in whole if event["name"] == "Commit")
    starts = [move["ts"] for move in moves]
    # Several events of one move come together.
    starts = [ts for ts, before in zip(starts, [0, *starts], strict=False) if ts - before > 20_000]
    work = []
    for start, following in pairwise(starts):
        picture = next((ts for ts in pictures if start < ts < following), None)
        if picture is None:
            continue  # nothing changed
        parts = [task for task in tasks if start - 2000 <= task["ts"] < picture]
        work.append(sum(min(task["dur"], picture - task["ts"]) for task in parts) / 1000)
    return work


def is_move(event: dict) -> bool:
    kind = event.get("args", {}).get("data", {})
    return event["name"] == "EventDispatch" and kind.get("type") in ("pointermove", "mousemove")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=10, help="starts of Python, cold and warm")
    arguments = parser.parse_args()
    names = ("chromium", "chromium-browser", "google-chrome")
    executable = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    weights()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=str(SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox"])
        print(f"load of the machine: {os.getloadavg()[0]:.1f}")
        repaints(browser, address)
        attention(browser, address, arguments.runs)
        start(browser, address, arguments.runs)
        browser.close()


if __name__ == "__main__":
    main()
