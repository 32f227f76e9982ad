"""Plant faults in a copy of the package: under each arithmetic a marked test must see them.

    .venv/bin/python tools/planted.py       (`make planted`)

Checks that pass on every processor could be checks that pass always. Here each fault is one
that a reader or an editor might make: a softmax scale, the polarity of a mask, a position
that is off by one with a cache. Without a fault the same tests must pass.
"""

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

LAYERS, RECALL = "code/attention/layers.py", "code/attention/recall.py"
LOOKUPS = "code/attention/two_lookups.py"
CACHE = ("code/attention/kv_cache.py", "code/attention/transformer.py")
# Name, files, what is replaced (a regular expression), by what, and the tests that see it.
FAULTS = {
    "no fault": ((), "", "", ("test_kv_cache.py", "test_character_model.py", "test_recall.py")),
    "scale of a score, in a layer": (
        (LAYERS,),
        r"/ math\.sqrt\(query\.shape\[-1\]\)",
        "/ query.shape[-1]",
        ("test_character_model.py",),
    ),
    "scale of a score, in a run that is made again": (
        (RECALL,),
        r"return self\.config\.scale \* query",
        "return 1.01 * self.config.scale * query",
        ("test_experiments.py", "-k", "curves"),
    ),
    "scale of a score, in a log that is made again": (
        (LOOKUPS,),
        r"/ math\.sqrt\(query\.shape\[-1\]\)",
        "/ math.sqrt(query.shape[-1] + 1)",
        ("test_two_lookups.py", "-k", "made_again"),
    ),
    "polarity of a mask": (
        (LAYERS,),
        r"masked_fill\(~mask, torch\.finfo",
        "masked_fill(mask, torch.finfo",
        ("test_character_model.py",),
    ),
    "a position off by one, with a cache": (
        CACHE,
        r"offset = (cache\[0\]\.length|kept_length\(cache\))",
        r"offset = max(\1 - 1, 0)",
        ("test_kv_cache.py",),
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
    file, *options = (f"tests/{name}" if name.endswith(".py") else name for name in tests)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-n", "0", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [*command, "-m", MARKER, file, *options],
        cwd=copy,
        env=variables | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
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
            for setting in SETTINGS:
                started = time.monotonic()
                passed, last = check(copy, setting, tests)
                seconds = time.monotonic() - started
                as_wanted = passed == (fault == "no fault")
                wrong += not as_wanted
                seen = "green" if passed else "red"
                note = "" if as_wanted else f"  <-- WRONG: {last}"
                print(f"{fault:46} {setting:14} {seen:5} {seconds:4.0f} s{note}", flush=True)
    sys.exit(bool(wrong))


if __name__ == "__main__":
    os.chdir(ROOT)
    main()
