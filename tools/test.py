"""Run the checks of the book, one step after the other, and say how long each took.

    python tools/test.py          what `make test` runs: minutes
    python tools/test.py --all    what `make test-all` runs: also the slow tests, and what
                                  compares numbers under other arithmetics, without and
                                  with planted faults

A step that fails does not keep the next one from running: one run shows all that is red.
The site is built beside the lint, since each of them keeps one core busy.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In one call, so that no worker is idle while the others end; tests/schedule.py says what
# comes first and what stays together. Three workers, since the tests of the site wait for the
# browser and leave a core idle meanwhile.
PYTEST = ["-m", "pytest", "--nbval", "-n", "3", "--durations", "25"]
BUILD = ["tools/site.py", "build"]
LINT = ["tools/lint.py"]
QUICK = [*PYTEST, "-m", "not slow", "tests", "chapters"]
ALL = [*PYTEST, "tests", "chapters"]
PORTABLE = ["tools/portable.py"]
PLANTED = ["tools/planted.py"]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--all", action="store_true", help="the slow tests, too")
    arguments = parser.parse_args()
    steps = {"tests and notebooks": ALL if arguments.all else QUICK}
    if arguments.all:
        steps |= {"other arithmetics": PORTABLE, "planted faults": PLANTED}

    started = time.monotonic()
    lint = subprocess.Popen(
        [sys.executable, *LINT],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    results = {"site": run(BUILD, environment())}
    said, _ = lint.communicate()
    print(said, flush=True)
    results["lint"] = lint.returncode == 0, time.monotonic() - started
    for name, command in steps.items():
        results[name] = run(command, environment() if arguments.all else quick_environment())

    print()
    for name, (passed, seconds) in results.items():
        print(f"{name:20} {'passed' if passed else 'FAILED':8} {seconds:6.0f} s")
    total = time.monotonic() - started
    print(f"{'in all':20} {'':8} {total:6.0f} s = {total / 60:.1f} minutes")
    return 0 if all(passed for passed, _ in results.values()) else 1


def run(command: list[str], variables: dict[str, str]) -> tuple[bool, float]:
    """Run one step; tell whether it passed, and its seconds."""
    started = time.monotonic()
    done = subprocess.run([sys.executable, *command], cwd=ROOT, env=variables)
    return done.returncode == 0, time.monotonic() - started


def environment() -> dict[str, str]:
    """One thread unless told otherwise: more make the book's small arrays slower.

    And every process starts without what takes seconds and is not needed (`quick_start`).
    """
    path = [str(ROOT / "tools" / "quick_start"), os.environ.get("PYTHONPATH")]
    return {
        "OMP_NUM_THREADS": "1",
        **os.environ,
        "PYTHONIOENCODING": "utf-8",
        "PYTHONPATH": os.pathsep.join(filter(None, path)),
    }


def quick_environment() -> dict[str, str]:
    """Draw fewer cases for each property than a test does by itself."""
    return {"ATTENTION_TEST_CASES": "60"} | environment()


if __name__ == "__main__":
    sys.exit(main())
