"""How experiments keep their logs: whole files, rows in their places, and a head.

The head says what the numbers depend on besides the seeds: processor, versions, commit. A
CSV file has no place for it that all its readers would pass over, so it stands beside the
log, in ``NAME.head.json``.
"""

import csv
import json
import os
import platform
import re
import subprocess
from collections.abc import Sequence
from datetime import date
from functools import cache
from pathlib import Path

import numpy as np
import torch

ROOT = Path(__file__).resolve().parent.parent.parent
Job = tuple
Row = dict[str, object]


def write(path: Path, text: str) -> None:
    """Write a file that appears under its name when it is complete."""
    unfinished = path.with_name(f"{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8", newline="")
    os.replace(unfinished, path)


def read_rows(path: Path) -> list[dict[str, str]]:
    """Read the rows of a log; there are none if there is no such file."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _key(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    return tuple(str(row[name]) for name in names)


def file_rows(path: Path, rows: list[Row], key: Sequence[str], order: Sequence[Job]) -> None:
    """Put rows into a CSV file in the place of the old ones of the same keys.

    Parameters
    ----------
    path : Path
    rows : list of dict
    key : names of columns
        A row belongs to the job whose parts stand in these columns.
    order : sequence of tuples
        All keys in the order of the file; rows of other keys come after them.
    """
    new = {_key(row, key) for row in rows}
    rows = [row for row in read_rows(path) if _key(row, key) not in new] + rows
    place = {tuple(map(str, one)): number for number, one in enumerate(order)}
    rows = sorted(rows, key=lambda row: place.get(_key(row, key), len(place)))
    # Some rows may lack columns. The longest has the order that was meant.
    widest = max(rows, key=len)
    columns = list(dict.fromkeys(name for row in (widest, *rows) for name in row))
    unfinished = path.with_name(f"{path.name}.unfinished")
    with unfinished.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(unfinished, path)


# ---------------------------------------------------------------------- the head of a log


def head() -> dict[str, object]:
    """Say what numbers computed now depend on, besides the seeds."""
    return {
        "processor": _processor(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "python": platform.python_version(),
        "threads": torch.get_num_threads(),
        "commit": _commit(),
        "date": date.today().isoformat(),
    }


NOT_RECORDED = dict.fromkeys(
    ("processor", "torch", "numpy", "python", "threads", "commit", "date"), "not recorded"
)


@cache
def _processor() -> str:
    """Name the processor; platform alone says no more than "x86_64" on Linux."""
    info = Path("/proc/cpuinfo")
    text = info.read_text(encoding="utf-8") if info.exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return model[1] if model else platform.processor() or platform.machine() or "unknown"


@cache
def _commit() -> str:
    """Name the commit; "+changes" if the package or a script has been changed since."""

    def git(*words: str) -> str:
        command = ["git", "-C", str(ROOT), *words]
        return subprocess.run(
            command, capture_output=True, encoding="utf-8", check=True
        ).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", "code", "experiments/*.py")
        return git("rev-parse", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def file_head(
    path: Path,
    made_on: dict[str, object],
    rows: list[Row],
    key: Sequence[str],
    order: Sequence[Job],
) -> None:
    """Note in the file beside a log what its new rows depend on.

    It is a list of heads, each with the keys of its rows as "runs", or "all". Of rows that
    were filed before there was such a file, it says "not recorded".
    """
    every = list(dict.fromkeys(", ".join(map(str, one)) for one in order))
    new = {", ".join(_key(row, key)) for row in rows}
    if path.exists():
        heads = json.loads(path.read_text(encoding="utf-8"))
    else:
        log = path.with_name(path.name.replace(".head.json", ".csv"))
        old = list(dict.fromkeys(", ".join(_key(row, key)) for row in read_rows(log)))
        heads = [NOT_RECORDED | {"runs": old}]
    found: list[tuple[dict, list[str]]] = []
    for one in heads:
        runs = every if one["runs"] == "all" else one["runs"]
        found.append((_without_runs(one), [run for run in runs if run not in new]))
    for one, runs in found:
        if one == made_on:
            runs.extend(sorted(new))
            break
    else:
        found.append((made_on, sorted(new)))
    place = {run: number for number, run in enumerate(every)}
    heads = []
    for one, runs in found:
        if runs:
            runs.sort(key=lambda run: place.get(run, len(place)))
            heads.append(one | {"runs": "all" if runs == every else runs})
    write(path, json.dumps(heads, indent=1, ensure_ascii=False) + "\n")


def _without_runs(one: dict) -> dict:
    return {name: value for name, value in one.items() if name != "runs"}
