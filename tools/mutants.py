"""Mutation test: count the small faults in a module that its tests notice.

cosmic-ray changes the module in one place at a time (`<` to `<=`, `+` to `-`,
`1` to `2`, `not` added ...). Each such mutant should make a test fail; one that
does not has survived, and is printed as a diff.

    python tools/mutants.py by_hand             test every mutant of attention.by_hand,
                                                with all the files of this package
    python tools/mutants.py by_hand --report    print the last result again
    python tools/mutants.py layers --sample 100 test so many, drawn by lot
    python tools/mutants.py "checks._*"         the modules of a package that a pattern names

The exit code is 1 if fewer than 95 % of the mutants are killed. The tests are
`tests/test_<module>*.py` (those of its users, for a module in `TESTED_BY`), run on
copies under `_build/mutants/`; no file of the working tree changes. Needs `fork`, so
not Windows. Not counted: mutants of type annotations, those with which the module cannot
even be imported, and those that compute the same as the original: they are listed in
`equivalent_mutants.toml` with the reason.
"""

import argparse
import ast
import difflib
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import tomllib
import traceback
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
WORK = ROOT / "_build" / "mutants"
TOOL = "cosmic-ray==8.7.0"
COPIED = ["code", "tests", "weights", "chapters", "_ext", "experiments", "tools", "pyproject.toml"]
LINKED = ["node_modules", ".browser"]  # for tests that run Python as a page does
LEAST_KILLED = 0.95
EQUIVALENT = Path(__file__).with_name("equivalent_mutants.toml")
# What is tested elsewhere, too, or only there: a fault in a check is seen where it is used.
TESTED_BY = {
    "_arrays": ("by_hand", "tiled"),
    "checks._*": ("checks_",),
    "transformer": ("transformer", "grouped_queries"),
}
# A mutant that computes for longer is stuck in a loop: killed. Processor time, since a busy
# machine would pass for a loop; one that waits for ever uses none, so there is a clock, too.
PROCESSOR_SECONDS, SECONDS = 180, 1800

# Loaded once, before the tests fork off.
HEAVY = ["numpy", "torch", "pytest", "beartype", "jaxtyping", "hypothesis.extra.numpy"]

# Exit codes of pytest. Failed collection means that the module cannot be imported.
SURVIVED, KILLED, BROKEN = 0, 1, 2


class Mutant(NamedTuple):
    """A file of the module, from the root on, and what stands in it instead."""

    file: Path
    source: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("module", help="a module or package of code/attention: by_hand, layers")
    parser.add_argument("--report", action="store_true", help="print the last result again")
    parser.add_argument("--sample", type=int, help="test so many, the same ones each time")
    parser.add_argument("--jobs", type=int, default=2, help="mutants tested at a time (2)")
    arguments = parser.parse_args()

    result_file = WORK / f"{plain(arguments.module)}.json"
    if not arguments.report:
        result = test_mutants(arguments.module, arguments.jobs, arguments.sample)
        result_file.write_text(json.dumps(result, indent=1), encoding="utf-8")
    elif not result_file.exists():
        sys.exit(f"No result yet: run `python tools/mutants.py {arguments.module}` first.")
    sys.exit(report(json.loads(result_file.read_text(encoding="utf-8"))))


def report(result: dict) -> int:
    """Print survivors and score; return the exit code."""
    for survivor in result["survivors"]:
        print(survivor, end="\n\n")
    score = result["killed"] / result["total"]
    print(
        f"attention.{result['module']}: {result['killed']} of {result['total']} mutants killed, "
        f"{score:.1%} (at least {LEAST_KILLED:.0%} wanted); {result['broken']} more could not be "
        f"imported, and {result['equivalent']} compute the same"
    )
    return 0 if score >= LEAST_KILLED else 1


# ------------------------------------------------------------------- mutants


def install_tool() -> None:
    """Put cosmic-ray into a folder of its own, behind the packages of the environment."""
    target = WORK / TOOL
    if not target.exists():
        print(f"Installing {TOOL} ...", flush=True)
        half_done = target.with_suffix(".part")
        pip = [sys.executable, "-m", "pip", "install", "-qq", "--disable-pip-version-check"]
        subprocess.run(
            [*pip, "--upgrade", "--no-warn-conflicts", "--target", half_done, TOOL], check=True
        )
        half_done.rename(target)
    sys.path.append(str(target))


def mutants_of(source: str) -> Iterator[str]:
    """Yield the source with one small fault in it, once for each fault there can be."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    annotated = annotations(source)
    nodes = list(ast_nodes(get_ast(source)))
    for operator_class in map(get_operator, operator_names()):
        if operator_class.arguments():
            continue  # needs variable names to be chosen for it
        operator = operator_class()
        spans = (span for node in nodes for span in operator.mutation_positions(node))
        for occurrence, (start, _) in enumerate(spans):
            if not any(first <= start < last for first, last in annotated):
                yield mutate_code(source, operator, occurrence)


def annotations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    """Return where the type annotations start and end, as (line, column)."""
    spans = []
    for node in ast.walk(ast.parse(source)):
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if hint is not None:
                start, end = (hint.lineno, hint.col_offset), (hint.end_lineno, hint.end_col_offset)
                spans.append((start, end))
    return spans


# --------------------------------------------------------------------- tests


def test_mutants(module: str, jobs: int, sample: int | None) -> dict:
    """Run the tests on each mutant, or on a sample, and count how many they kill."""
    originals = {file: (ROOT / file).read_text(encoding="utf-8") for file in files_of(module)}
    folder = WORK / plain(module)
    copies = [make_copy(folder / str(n)) for n in range(jobs)]
    install_tool()
    mutants = [
        Mutant(file, changed)
        for file, source in originals.items()
        for changed in mutants_of(source)
    ]
    if sample is not None:
        mutants = random.Random(0).sample(mutants, min(sample, len(mutants)))
    prepare_process()

    # The unchanged module must pass, and one that is plainly wrong must not:
    # otherwise the tests fail anyhow, or do not test the copy at all.
    file, source, name = first_definition(originals)
    right, wrong = Mutant(file, source), Mutant(file, f"{source}\n\ndel {name}\n")
    outcomes = run_tests([right, wrong], module, copies)
    if outcomes[0] != SURVIVED:
        sys.exit(f"The tests fail on the unchanged module: see {copies[0] / 'log'}.")
    if outcomes[1] == SURVIVED:
        sys.exit("The tests pass without a part of the module: they test something else.")

    print(f"{len(mutants)} mutants of attention.{module}, {jobs} at a time", flush=True)
    outcomes = run_tests(mutants, module, copies)
    alive = [m for m, outcome in zip(mutants, outcomes, strict=True) if outcome == SURVIVED]
    same = equivalents()
    survivors = [m for m in alive if changed_line(originals[m.file], m) not in same[m.file]]
    shutil.rmtree(folder)
    killed = outcomes.count(KILLED)
    return {
        "module": module,
        "total": killed + len(survivors),
        "killed": killed,
        "broken": outcomes.count(BROKEN),
        "equivalent": len(alive) - len(survivors),
        "survivors": [diff(originals[mutant.file], mutant) for mutant in survivors],
    }


def plain(module: str) -> str:
    """Name a file or folder after a module; a pattern's star is not for file names."""
    return module.replace("*", "all")


def files_of(module: str) -> list[Path]:
    """List the source files of a module, of a package with all in it, or of a pattern."""
    package, name = ROOT / "code" / "attention", module.replace(".", "/")
    files = sorted((package / name).rglob("*.py")) or sorted(package.glob(f"{name}.py"))
    if not files:
        sys.exit(f"No module attention.{module}.")
    return [file.relative_to(ROOT) for file in files]


def make_copy(folder: Path) -> Path:
    """Copy what the tests need, so that a mutant never touches the working tree."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name in COPIED:
        original = ROOT / name
        if original.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(original, folder / name, ignore=ignored)
        elif original.exists():
            shutil.copy(original, folder / name)
    for name in LINKED:
        (folder / name).symlink_to(ROOT / name)
    return folder


def prepare_process() -> None:
    """Load once what every run of the tests needs; the runs fork from this process."""
    os.environ |= {"OMP_NUM_THREADS": "1", "ATTENTION_TEST_CASES": "30"}
    # The mutants are written within the same second: cached bytecode would hide them.
    sys.dont_write_bytecode = True
    for name in HEAVY:
        importlib.import_module(name)
    for plugin in entry_points(group="pytest11"):
        plugin.load()


def first_definition(originals: dict[Path, str]) -> tuple[Path, str, str]:
    """Find what others use: the first public function or class, or the first of a private one."""
    found = [
        (file, source, node.name)
        for file, source in originals.items()
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    return next((each for each in found if not each[2].startswith("_")), found[0])


def run_tests(mutants: list[Mutant], module: str, copies: list[Path]) -> list[int]:
    """Test each mutant in a process of its own, one process for each copy at a time."""
    outcomes = [BROKEN] * len(mutants)
    free = list(copies)
    running: dict[int, tuple[int, Path]] = {}
    started = time.monotonic()
    waiting = list(enumerate(mutants))[::-1]
    while waiting or running:
        while waiting and free:
            number, mutant = waiting.pop()
            copy = free.pop()
            (copy / mutant.file).write_text(mutant.source, encoding="utf-8")
            process = os.fork()
            if process == 0:
                test_in_this_process(copy, module)
            running[process] = number, copy
        process, status = os.wait()
        number, copy = running.pop(process)
        free.append(copy)
        outcomes[number] = outcome_of(status, copy)
        shutil.copy(ROOT / mutants[number].file, copy / mutants[number].file)
        done = len(mutants) - len(waiting) - len(running)
        if done % 25 == 0:
            alive, seconds = outcomes.count(SURVIVED), time.monotonic() - started
            print(f"  {done} tested, {alive} survived, {seconds:.0f} s", flush=True)
    return outcomes


def test_in_this_process(copy: Path, module: str) -> None:
    """Run the tests of the copy and end the process with pytest's exit code."""
    import hypothesis
    import pytest

    class StopAtFirstFailure:
        """Skip the search for the smallest failing case: that it fails is enough."""

        def pytest_configure(self):
            phases = [hypothesis.Phase.explicit, hypothesis.Phase.generate]
            book = hypothesis.settings.get_profile("book")
            hypothesis.settings.register_profile("mutants", book, phases=phases)
            hypothesis.settings.load_profile("mutants")

    code = pytest.ExitCode.INTERNAL_ERROR
    try:
        with (copy / "log").open("w", encoding="utf-8") as log:
            os.dup2(log.fileno(), 1)
            os.dup2(log.fileno(), 2)
            signal.setitimer(signal.ITIMER_PROF, PROCESSOR_SECONDS)
            signal.alarm(SECONDS)
            os.chdir(copy)
            # As `python -m pytest` does; tests import `tests.conftest` from there.
            sys.path[:0] = [str(copy / "code"), str(copy)]
            # The error tests take no time, so they go first.
            names = TESTED_BY.get(module, (module,))
            files = [file for name in names for file in (copy / "tests").rglob(f"test_{name}*.py")]
            tests = sorted(map(str, files), reverse=True)
            options = ["-x", "-q", "-p", "no:cacheprovider", "--tb=line", f"--rootdir={copy}"]
            code = pytest.main([*options, *tests], plugins=[StopAtFirstFailure()])
    except BaseException:
        traceback.print_exc()
    sys.stdout.flush()
    os._exit(code)


def outcome_of(status: int, copy: Path) -> int:
    """Read how a test process ended."""
    if os.WIFSIGNALED(status):
        return KILLED  # the alarm, or a crash
    code = os.WEXITSTATUS(status)
    if code not in (SURVIVED, KILLED, BROKEN):
        sys.exit(f"pytest could not run, exit code {code}: see {copy / 'log'}.")
    return code


def equivalents() -> dict[Path, set[str]]:
    """Read, for each file, the lines of mutants that compute the same."""
    found = defaultdict(set)
    for entry in tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"]:
        found[Path(entry["file"])] |= set(entry["mutants"])
    return found


def changed_line(source: str, mutant: Mutant) -> str:
    """Give what a mutant has in place of lines of the source, without the indents."""
    lines = difflib.ndiff(source.splitlines(), mutant.source.splitlines())
    return "\n".join(line[2:].strip() for line in lines if line.startswith("+ "))


def diff(source: str, mutant: Mutant) -> str:
    lines = difflib.unified_diff(
        source.splitlines(),
        mutant.source.splitlines(),
        str(mutant.file),
        "mutant",
        lineterm="",
        n=1,
    )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
