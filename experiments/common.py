"""What all experiments share: their flags, their jobs, and how their logs are kept.

A *job* is a tuple that names one thing to train or measure: arm and seed, say. A script
lists its jobs and has a function that does one and returns its rows. ``run`` does several
jobs at a time and files the rows of each as soon as it is done. What is not finished lies
in ``_build/experiments/``; the same command, started again, goes on from there and gives
the same numbers as if it had not been interrupted.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from attention.training import TrainingRun
from shared.logs import Job, Row, file_head, file_rows, head, write

ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "weights"
KEPT = ROOT / "_build" / "experiments"
SAVE_EVERY = 500  # steps of training between two checkpoints

# ------------------------------------------------------------------------- what is asked


@dataclass(frozen=True)
class Asked:
    """What a script is asked for, by its flags or by whoever calls its functions.

    Attributes
    ----------
    arms, seeds : tuple
        What to run.
    jobs : int
        How many at a time, each in a process.
    quick : bool
        A few steps on little data: to see that everything runs.
    fresh : bool
        Do not go on from what an interrupted command left.
    output : Path, optional
        The folder to write to; None: each file goes where the committed one is.
    kept : Path, optional
        Where unfinished jobs lie; None: nothing is kept.
    threads : int
        That torch computes on.
    """

    arms: tuple[str, ...] = ()
    seeds: tuple[int, ...] = ()
    jobs: int = 1
    quick: bool = False
    fresh: bool = False
    output: Path | None = None
    kept: Path | None = None
    threads: int = 1

    def path(self, committed: Path) -> Path:
        """Say where to write a file that belongs in the place of the committed one."""
        return self.output / committed.name if self.output else committed

    def keep(self, *job: object) -> Path | None:
        """Name the files of a job that is not finished; None: nothing is to be kept."""
        name = re.sub(r"[^\w.-]+", "_", "-".join(map(str, job)))
        return self.kept and self.kept / name


PLAIN = Asked()  # as a test or a notebook calls a function


def arguments(
    script: str,
    doc: str,
    arms: Iterable[str],
    seeds: Iterable[int] = (),
    argv: Sequence[str] | None = None,
    timing_threads: int | None = None,
) -> Asked:
    """Read the flags, which are the same for all scripts.

    Parameters
    ----------
    script : str
        The script's ``__file__``.
    doc : str
        Its docstring; the first sentence is shown with ``--help``.
    arms : names
        What can be chosen; none: there is nothing to choose.
    seeds : integers
        What is run unless others are asked for; none: nothing is random.
    argv : sequence of str, optional
        Default: the command line.
    timing_threads : int, optional
        For a script that measures time, which has one job at a time: on how many threads
        (on one with ``--quick``).
    """
    arms, seeds = tuple(arms), tuple(seeds)
    parser = argparse.ArgumentParser(
        prog=Path(script).name, description=doc.split("\n")[0], allow_abbrev=False
    )
    if arms:
        help = f"default: all of: {'; '.join(arms)}"
        parser.add_argument("arms", nargs="*", metavar="ARM", help=help.replace("%", "%%"))
    parser.add_argument("--seeds", type=int, nargs="+", help=f"default: {[*seeds] or 'none'}")
    parser.add_argument(
        "--jobs", type=int, help=f"at a time; default: {1 if timing_threads else 2}"
    )
    parser.add_argument("--quick", action="store_true", help="a few steps, into another folder")
    again = parser.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="go on if interrupted (the default)")
    again.add_argument("--fresh", action="store_true", help="start afresh even if interrupted")
    parser.add_argument("--output", type=Path, help="folder for logs, weights, and unfinished jobs")
    given = parser.parse_args(argv)
    chosen = tuple(getattr(given, "arms", ())) or arms
    if unknown := set(chosen) - set(arms):
        parser.error(f"no such arm: {', '.join(sorted(unknown))}; there are: {'; '.join(arms)}")
    if given.seeds and not seeds:
        parser.error("--seeds: nothing here is random")
    jobs = (1 if timing_threads else 2) if given.jobs is None else given.jobs
    if jobs < 1 or (timing_threads and jobs > 1):
        parser.error(f"--jobs: expected 1{'' if timing_threads else ' or more'}, got {jobs}")
    output, name = given.output, Path(script).stem
    if given.quick and output is None:
        output = Path(tempfile.mkdtemp(prefix=f"{name}-quick-"))
    if output is not None:
        output.mkdir(parents=True, exist_ok=True)
        print(f"writing to {output}", flush=True)
    return Asked(
        arms=chosen,
        seeds=tuple(given.seeds or (seeds[:1] if given.quick else seeds)),
        jobs=jobs,
        quick=given.quick,
        fresh=given.fresh,
        output=output,
        kept=(output / "unfinished" if output else KEPT) / name,
        threads=1 if given.quick else timing_threads or 1,
    )


# --------------------------------------------------------------------------------- torch


@contextmanager
def threads(count: int, flush_denormals: bool = False) -> Iterator[None]:
    """Compute on so many threads while the ``with`` block or the decorated function lasts.

    Afterwards torch is set as before: who imports an experiment and calls it, a test or
    a notebook, goes on as if it had not.

    Parameters
    ----------
    count : int
    flush_denormals : bool
        Take numbers too small for full precision (*denormal* ones) as zero. A processor
        is up to a hundred times slower with them, and they change no result of ours.
    """
    before = torch.get_num_threads()
    flushed = sys.float_info.min / 2 == 0  # torch says how to set it, and not how it is set
    torch.set_num_threads(count)
    torch.set_flush_denormal(flush_denormals or flushed)
    try:
        yield
    finally:
        torch.set_flush_denormal(flushed)
        torch.set_num_threads(before)


# ------------------------------------------------------------- jobs, and going on with them


def run(
    measure: Callable[..., object],
    jobs: Sequence[Job],
    asked: Asked,
    logs: Sequence[Path] = (),
    key: Sequence[str] = (),
    order: Sequence[Job] | None = None,
    tables: Callable[[object], Sequence[list[Row]]] = lambda result: [result],
    forget_jobs: bool = True,
) -> dict[Job, object]:
    """Do jobs, several at a time, and file the rows of each as it is done.

    Parameters
    ----------
    measure : callable
        Called with the parts of a job and ``asked``; what it returns is kept as JSON.
    jobs : sequence of tuples
    asked : Asked
    logs : sequence of Path
        The CSV files, as committed; none: nothing is filed.
    key, order
        As in ``file_rows``; without an order the jobs are it.
    tables : callable
        From what ``measure`` returned to the rows for each log; default: it is the rows of
        the only one.
    forget_jobs : bool
        False if the command has more to do, and must not do these again if it is then
        interrupted. It has to call ``forget`` in the end.

    Returns
    -------
    results : dict
        What ``measure`` returned for each job.
    """
    if asked.fresh:
        forget(measure, jobs, asked)
    started, results = time.monotonic(), {}
    do = partial(_do, measure, asked)
    for job, (result, made_on) in _as_they_come(do, jobs, asked.jobs):
        results[job] = result
        if logs:
            filed = tables(result)
            beside = asked.path(logs[0]).with_suffix(".head.json")
            file_head(beside, made_on, filed[0], key, order or jobs)
            for log, rows in zip(logs, filed, strict=True):
                file_rows(asked.path(log), rows, key, order or jobs)
        minutes = (time.monotonic() - started) / 60
        print(f"{len(results)} of {len(jobs)}:", *job, f"({minutes:.1f} minutes)", flush=True)
    if forget_jobs:
        forget(measure, jobs, asked)
    return {job: results[job] for job in jobs}


def _do(measure: Callable, asked: Asked, job: Job) -> tuple[object, dict]:
    """Do a job unless an interrupted command has; return its result and its head."""
    keep = asked.keep(*job)
    path = keep and keep.with_name(f"{keep.name}.{measure.__name__}.json")
    with threads(asked.threads):
        if done := path and _read(path):
            return done["result"], done["head"]
        result, made_on = measure(*job, asked), head()
    if path:
        _write(path, {"head": made_on, "result": result})
    return result, made_on


def _as_they_come(do: Callable, jobs: Sequence[Job], processes: int) -> Iterator[tuple]:
    if processes == 1:
        yield from ((job, do(job)) for job in jobs)
        return
    with ProcessPoolExecutor(processes) as pool:
        running = {pool.submit(do, job): job for job in jobs}
        try:
            for one in as_completed(running):
                yield running[one], one.result()
        except BaseException:  # not to wait for all others before it is told
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def stops(
    run: TrainingRun, updates: Sequence[int], measure: Callable[[], object], keep: Path | None
) -> Iterator[object]:
    """Train up to each number of updates and give what is measured there.

    If the files ``keep`` are of the same run, interrupted, it goes on from them.

    Parameters
    ----------
    run : TrainingRun
        Not yet trained.
    updates : sequence of increasing numbers
        Where to stop.
    measure : callable
        Called without arguments at each stop; what it returns is kept as JSON.
    keep : Path or None
        See ``Asked.keep``.
    """
    measured = _take_up(run, keep)
    for stop in updates:
        while run.step < stop:
            run.advance(min(SAVE_EVERY, stop - run.step))
            if keep and run.step < updates[-1]:  # after the last there may be no next batch
                run.save(keep.with_name(f"{keep.name}.safetensors"))
        if str(stop) not in measured:
            measured[str(stop)] = measure()
            _keep_measured(measured, keep)
        yield measured[str(stop)]


def _take_up(run: TrainingRun, keep: Path | None) -> dict[str, object]:
    """Bring a run to where an interrupted one was; return what has been measured, by updates."""
    checkpoint = keep and keep.with_name(f"{keep.name}.safetensors")
    measured = {}
    if kept := keep and checkpoint.is_file() and _read(keep.with_name(f"{keep.name}.json")):
        try:
            run.resume(checkpoint)
            measured = kept["measured"]
            print(f"{keep.name}: goes on after {run.step} updates", flush=True)
        except ValueError as error:
            print(f"{keep.name}: starts afresh, since {error}", flush=True)
    _keep_measured(measured, keep)
    return measured


def _keep_measured(measured: dict[str, object], keep: Path | None) -> None:
    if keep:
        _write(keep.with_name(f"{keep.name}.json"), {"head": head(), "measured": measured})


def _read(path: Path) -> dict | None:
    """Read what was kept, unless another processor, version or commit would go on with it."""
    if not path.is_file():
        return None
    kept = json.loads(path.read_text(encoding="utf-8"))
    same = all(kept["head"][name] == value for name, value in head().items() if name != "date")
    if not same:
        print(f"{path.name}: starts afresh: another processor, version or commit", flush=True)
    return kept if same else None


def _write(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write(path, json.dumps(content))


def forget(measure: Callable[..., object], jobs: Sequence[Job], asked: Asked) -> None:
    """Remove what is kept of some jobs."""
    for job in jobs:
        if keep := asked.keep(*job):
            for end in (".safetensors", ".json", f".{measure.__name__}.json"):
                keep.with_name(f"{keep.name}{end}").unlink(missing_ok=True)
