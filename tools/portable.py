"""Run what compares trained or float32 numbers under several arithmetics, on one machine.

    .venv/bin/python tools/portable.py                      all settings (`make portable`)
    .venv/bin/python tools/portable.py "old processor"      this one
    .venv/bin/python tools/portable.py -- -k scaling        what follows -- goes to pytest

Another processor has wider or narrower vector instructions, and another number of threads
cuts a sum in other places. Either way float32 and float64 sums are rounded differently, and
training that goes on for long makes a large difference out of a small one. Libraries can be
told to compute as they would on an older processor, so one machine can stand for several.

Each setting runs the tests marked `arithmetic` and every notebook that has a cell with this
tag. It first asks the libraries what they do, and a setting that is not obeyed is a failure.
"""

import argparse
import ctypes
import json
import os
import re
import subprocess
import sys
import time
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = "arithmetic"
AS_IT_IS, AVX2, OLD, TWO_THREADS = "as it is", "AVX2", "old processor", "two threads"
SETTINGS: dict[str, dict[str, str]] = {
    AS_IT_IS: {},
    AVX2: {
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "MKL_CBWR": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "OPENBLAS_CORETYPE": "Haswell",
    },
    OLD: {
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
        "ONEDNN_MAX_CPU_ISA": "SSE41",
        "OPENBLAS_CORETYPE": "Nehalem",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3",
    },
    # The notebooks ask torch for one thread: sitecustomize.py has the last word.
    TWO_THREADS: {
        "OMP_NUM_THREADS": "2",
        "OPENBLAS_NUM_THREADS": "2",
        "PYTHONPATH": str(ROOT / "tools" / "two_threads"),
    },
}
# What a setting asks of the libraries, as `facts` reports it.
WANTED: dict[str, dict[str, str]] = {
    AS_IT_IS: {"threads": "1"},
    AVX2: {"torch": "AVX2", "MKL": "AVX2 AUTO", "oneDNN": "AVX2", "OpenBLAS": "Haswell"},
    OLD: {"torch": "DEFAULT", "MKL": "COMPATIBLE", "oneDNN": "SSE4.1", "OpenBLAS": "Nehalem"},
    TWO_THREADS: {"threads": "2"},
}
# Those whose sums differ from this machine's own, whatever machine it is. (A machine with no
# more than AVX2 is held to AVX2 by nature.)
DIFFERENT = {OLD, TWO_THREADS}


def environment(setting: str) -> dict[str, str]:
    """Return the variables under which a setting's processes run."""
    kept = {name: value for name, value in os.environ.items() if name not in every_variable()}
    given = SETTINGS[setting]
    # This checkout's package and the setting's own folder, before what the caller has.
    path = [given.get("PYTHONPATH"), str(ROOT / "code"), os.environ.get("PYTHONPATH")]
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return kept | one_thread | given | {"PYTHONPATH": os.pathsep.join(filter(None, path))}


def every_variable() -> set[str]:
    return {name for variables in SETTINGS.values() for name in variables}


# ------------------------------------------------------------- what the libraries do


def facts(setting: str) -> dict[str, str]:
    """Ask a new process what torch, MKL, oneDNN and OpenBLAS compute with under a setting."""
    run = subprocess.run(
        [sys.executable, __file__, "--facts"],
        # The last two make MKL and oneDNN say at each call what they use.
        env=environment(setting) | {"MKL_VERBOSE": "1", "ONEDNN_VERBOSE": "1"},
        capture_output=True,
        encoding="utf-8",
    )
    if run.returncode:
        sys.exit(f"{setting}: the libraries do not start.\n{run.stderr}")
    found = json.loads(run.stdout.splitlines()[-1])
    return found | verbose_facts(run.stdout)


def verbose_facts(printed: str) -> dict[str, str]:
    """Read off what MKL and oneDNN print about themselves."""
    mkl = re.search(r"^MKL_VERBOSE .*CNR:(\w+)", printed, re.MULTILINE)
    onednn = re.search(r"^onednn_verbose.*,cpu,isa:Intel ([^,\n]+)", printed, re.MULTILINE)
    return {
        "MKL": mkl.group(1) if mkl else "none",
        "oneDNN": onednn.group(1) if onednn else "none",
    }


def print_facts() -> None:
    """Print, as JSON, what this process computes with, and digests of some results."""
    import numpy as np
    import torch

    draw = torch.Generator().manual_seed(0)
    a, b = (torch.rand(300, 300, generator=draw) for _ in range(2))
    long = torch.rand(300_000, generator=draw)
    with torch.no_grad():
        # torch asks oneDNN for a convolution only now and then; this asks it in any case.
        convolved = torch.mkldnn_convolution(a[None], b[:, :, None], None, [0], [1], [1], 1)
    results = {
        "torch, product": a @ b,
        "torch, small product": a[:5, :32] @ b[:32, :7],
        "torch, float64 product": a.double() @ b.double(),
        "torch, sum": long.sum(),
        "torch, softmax": (9 * a).softmax(-1),
        "torch, convolution": convolved,
        "NumPy, product": a.numpy() @ b.numpy(),
        "NumPy, float64 product": a.double().numpy() @ b.double().numpy(),
        "NumPy, exp": np.exp(a.numpy()),
    }
    found = {
        "torch": torch.backends.cpu.get_cpu_capability(),
        "threads": str(torch.get_num_threads()),
        "OpenBLAS": openblas_core(),
        "digests": {
            name: sha256(np.ascontiguousarray(result).tobytes()).hexdigest()[:8]
            for name, result in results.items()
        },
    }
    print(json.dumps(found))


def openblas_core() -> str:
    """Ask NumPy's own OpenBLAS for which processor it computes."""
    import numpy as np

    folder = Path(np.__file__).parent.with_suffix(".libs")
    for path in sorted(folder.glob("libscipy_openblas*")):
        name = ctypes.CDLL(str(path)).scipy_openblas_get_corename64_
        name.restype = ctypes.c_char_p
        return name().decode()
    return "none"


def complaints(setting: str, found: dict, native: dict) -> list[str]:
    """Say where a setting is not obeyed.

    Parameters
    ----------
    setting : str
    found, native : dict
        What `facts` returns under the setting, and as the machine is.
    """
    wrong = [
        f"{setting}: {name} computes with {found[name]}, expected {wanted}"
        for name, wanted in WANTED[setting].items()
        # A library that is not there, as MKL on ARM, can differ in nothing.
        if found[name] != "none" and found[name] not in wanted.split(" ")
    ]
    if setting in DIFFERENT and found["digests"] == native["digests"]:
        wrong.append(f"{setting}: computes bit for bit what the machine computes as it is")
    return wrong


def describe(setting: str, found: dict, native: dict) -> str:
    """Describe a setting in a line: the libraries, and how many results differ."""
    digests = found["digests"]
    changed = [name for name, digest in digests.items() if digest != native["digests"][name]]
    libraries = ", ".join(
        f"{name} {found[name]}" for name in ("torch", "MKL", "oneDNN", "OpenBLAS")
    )
    differ = f"{len(changed)} of {len(digests)} sample results differ"
    return f"{setting}: {libraries}, threads {found['threads']}; {differ}"


# -------------------------------------------------------------------------- the runs


def run(setting: str, options: list[str]) -> tuple[str, float]:
    """Run the marked tests and notebooks; return pytest's last line and the seconds."""
    started = time.monotonic()
    # Two workers with two threads each would wait for one another on two cores.
    workers = "1" if setting == TWO_THREADS else "2"
    command = [sys.executable, "-m", "pytest", "--nbval", "-m", MARKER, "-q", "-n", workers]
    command += ["--dist", "loadfile", "-p", "no:cacheprovider", "tests", "chapters", *options]
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment(setting), stdout=subprocess.PIPE, encoding="utf-8"
    )
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        last = line.strip("= \n") or last
    seconds = time.monotonic() - started
    return ("passed" if process.wait() == 0 else "FAILED") + f": {last}", seconds


def main() -> None:
    """Run the settings that were asked for; exit with 1 unless all went well."""
    arguments = sys.argv[1:]
    options: list[str] = []
    if "--" in arguments:
        options = arguments[arguments.index("--") + 1 :]
        arguments = arguments[: arguments.index("--")]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("settings", nargs="*", help=f"of {', '.join(SETTINGS)}; default: all")
    parser.add_argument("--facts", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.facts:
        print_facts()
        return
    if unknown := set(given.settings) - SETTINGS.keys():
        parser.error(f"settings: expected some of {', '.join(SETTINGS)}, got {sorted(unknown)}")
    settings = given.settings or list(SETTINGS)

    native = facts(AS_IT_IS)
    failures: list[str] = []
    for setting in settings:
        found = facts(setting)
        print(describe(setting, found, native), flush=True)
        failures += complaints(setting, found, native)
    rows = []
    for setting in settings:
        print(f"\n--- {setting}", flush=True)
        outcome, seconds = run(setting, options)
        rows.append((setting, outcome, seconds))
        if not outcome.startswith("passed"):
            failures.append(f"{setting}: {outcome}")
    print()
    for setting, outcome, seconds in rows:
        print(f"{setting:14} {seconds:6.0f} s  {outcome}")
    for failure in failures:
        print(failure)
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
