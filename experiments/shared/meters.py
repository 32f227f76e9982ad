"""Meters of one call: processor time, page faults, and how much memory it takes at the most.

Who asks the kernel for memory gets pages that have to be cleared first, one *page fault* for
each. The C library gives large blocks back to the kernel as soon as they are freed, and asks
for them anew in the next call. ``REUSED`` is an environment in which it keeps them. It reads
its environment when a process starts, so such calls are measured in a process of their own.
"""

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

EXPERIMENTS = Path(__file__).resolve().parent.parent
Call = Callable[[], object]

# What glibc reads (mallopt(3)): no block comes straight from the kernel, none goes back.
REUSED = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
AS_IT_COMES: dict[str, str] = {}


def in_new_process(
    module: str, function: str, *arguments: object, environment: Mapping[str, str] = AS_IT_COMES
) -> object:
    """Call a function of an experiment in a new process; return what it returns, by JSON.

    Parameters
    ----------
    module, function : str
        The script's name, and the function's.
    *arguments : what JSON can say
    environment : mapping
        Of the C library, such as ``REUSED``. What this process has of it is left out.
    """
    program = (
        "import importlib, json, sys; module, function, arguments = json.loads(sys.argv[1]); "
        "print(json.dumps(getattr(importlib.import_module(module), function)(*arguments)))"
    )
    command = [sys.executable, "-c", program, json.dumps([module, function, arguments])]
    here = os.pathsep.join([str(EXPERIMENTS), os.environ.get("PYTHONPATH", "")])
    ours = {name: text for name, text in os.environ.items() if name not in REUSED}
    done = subprocess.run(
        command,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        check=True,
        env={**ours, "OMP_NUM_THREADS": "1", "PYTHONPATH": here, **environment},
    )
    return json.loads(done.stdout)


def time_and_faults(call: Call, repeats: int) -> tuple[float, float]:
    """Call so many times; return the milliseconds of processor time and page faults of one."""
    faults, started = page_faults(), time.process_time()
    for _ in range(repeats):
        call()
    seconds = time.process_time() - started
    return 1000 * seconds / repeats, (page_faults() - faults) / repeats


def page_faults() -> int:
    """Count the pages that this process has been given so far, not from a disk."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt


def peak_growth(call: Call) -> int:
    """Make a call; return by how many bytes this process was larger at its largest.

    Linux says for each process how much of its memory is resident (VmRSS) and what
    the most was so far (VmHWM); writing a 5 sets the latter to the former. Python's
    ``getrusage`` would not do: it also counts the process that started this one.
    """
    # What has been freed may still belong to the process, and a call that gets it again
    # makes nothing grow. So it is given back first.
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = resident_bytes("VmRSS")
    call()
    return resident_bytes("VmHWM") - before


def resident_bytes(name: str) -> int:
    """Read a number of bytes from what Linux says of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith(name + ":"))
    return 1024 * int(line.split()[1])  # "VmRSS:  123 kB"
