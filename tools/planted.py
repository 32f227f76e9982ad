"""Plant faults in a copy of the package: under each arithmetic a marked test must see them.

    .venv/bin/python tools/planted.py       (`make planted`)

Checks that pass on every processor could be checks that pass always. Here each fault is one
that a reader or an editor might make: a softmax scale, the polarity of a mask, a position
that is off by one with a cache. Without a fault the same tests must pass.
"""

import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from portable import MARKER, ROOT, SETTINGS, environment

FOLDERS = ("_ext", "code", "experiments", "tests", "tools", "weights")
FILES = ("conftest.py", "pyproject.toml")

LAYERS, RECALL = "code/attention/layers.py", "code/attention/tasks/recall.py"
LOOKUPS = "code/attention/tasks/two_lookups.py"
CACHE = ("code/attention/transformer/models.py", "code/attention/transformer/stacks.py")
LOGGED = ("test_character_model.py", "-k", "are_the_logged_model")
CURVES = ("test_experiments.py", "-k", "curves")
LOOKED_UP = ("test_two_lookups.py", "-k", "made_again")
CACHED = ("test_kv_cache.py", "-k", "in_float32_the_logits")
NO_FAULT = "no fault"
# By name: files, what is replaced (a regular expression), by what, and the tests that see it.
FAULTS = {
    NO_FAULT: ((), "", "", (LOGGED, CURVES, LOOKED_UP, CACHED)),
    "scale of a score, in a layer": (
        (LAYERS,),
        r"/ math\.sqrt\(query\.shape\[-1\]\)",
        "/ query.shape[-1]",
        (LOGGED,),
    ),
    "scale of a score, training begun again": (
        (RECALL,),
        r"return self\.config\.scale \* query",
        "return 1.01 * self.config.scale * query",
        (CURVES,),
    ),
    "scale of a score, a run made again": (
        (LOOKUPS,),
        r"/ math\.sqrt\(query\.shape\[-1\]\)",
        "/ math.sqrt(query.shape[-1] + 1)",
        (LOOKED_UP,),
    ),
    "polarity of a mask": (
        (LAYERS,),
        r"masked_fill\(~mask, torch\.finfo",
        "masked_fill(mask, torch.finfo",
        (LOGGED,),
    ),
    "a position off by one, with a cache": (
        CACHE,
        r"return cache\[0\]\.length if cache",
        r"return max(cache[0].length - 1, 0) if cache",
        (CACHED,),
    ),
}


def plant(copy: Path, files: tuple[str, ...], pattern: str, replacement: str) -> None:
    """Damage the copy; at least one place must be there to be damaged."""
    places = 0
    for name in files:
        path = copy / name
        source, count = re.subn(pattern, replacement, path.read_text(encoding="utf-8"))
        path.write_text(source, encoding="utf-8")
        places += count
    if files and not places:
        sys.exit(f"{', '.join(files)}: nothing there looks like {pattern}")


def check(copy: Path, setting: str, tests: tuple[str, ...]) -> tuple[bool, str]:
    """Run the marked tests in the copy; tell whether they pass, and pytest's last line."""
    variables = environment(setting)
    path = variables["PYTHONPATH"].replace(str(ROOT / "code"), str(copy / "code"))
    file, *options = tests
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-m", MARKER, f"tests/{file}", *options],
        cwd=copy,
        env=variables | {"PYTHONPATH": path},
        capture_output=True,
        encoding="utf-8",
    )
    lines = done.stdout.strip().splitlines()
    if done.returncode not in (0, 1):  # 1: a test failed. Others: it could not be run.
        sys.exit(f"{setting}: pytest ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return done.returncode == 0, lines[-1] if lines else ""


def main() -> None:
    """Try each fault under each arithmetic; exit with 1 if a check saw too little or too much."""
    wrong = 0
    for fault, (files, pattern, replacement, tests) in FAULTS.items():
        with tempfile.TemporaryDirectory() as folder:
            copy = Path(folder)
            skip = shutil.ignore_patterns("__pycache__", "node_modules")
            for name in FOLDERS:
                shutil.copytree(ROOT / name, copy / name, ignore=skip)
            for name in FILES:
                shutil.copy(ROOT / name, copy / name)
            plant(copy, files, pattern, replacement)
            for setting, each in itertools.product(SETTINGS, tests):
                started = time.monotonic()
                passed, last = check(copy, setting, each)
                seconds = time.monotonic() - started
                as_wanted = passed == (fault == NO_FAULT)
                wrong += not as_wanted
                seen = "green" if passed else "red"
                note = "" if as_wanted else f"  <-- WRONG: {last}"
                line = f"{fault:38} {each[0]:24} {setting:14} {seen:5} {seconds:4.0f} s{note}"
                print(line, flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
