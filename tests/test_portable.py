"""`make portable` computes as it says, and complains where it does not."""

import os
import subprocess
import sys

import nbformat
import portable
import pytest
from book_texts import stem
from portable import AS_IT_IS, AVX2, OLD, ROOT, SETTINGS, TWO_THREADS

PRINTED = """\
MKL_VERBOSE oneMKL 2024.0 Update 2 Product build 20240605 for Intel(R) 64 architecture, Lnx lp64
MKL_VERBOSE SGEMM(N,N,300,300,300,0x7f) 3.24ms CNR:COMPATIBLE Dyn:1 FastMM:1 TID:0  NThr:1
onednn_verbose,v1,info,cpu,isa:Intel SSE4.1
onednn_verbose,v1,primitive,exec,cpu,convolution,jit:sse41
"""


def found(**others: object) -> dict:
    """What an obedient old processor says."""
    libraries = {"torch": "DEFAULT", "MKL": "COMPATIBLE", "oneDNN": "SSE4.1"}
    return libraries | {"OpenBLAS": "Nehalem", "threads": "1", "digests": {"sum": "a"}} | others


def test_what_mkl_and_onednn_print_is_read():
    assert portable.verbose_facts(PRINTED) == {"MKL": "COMPATIBLE", "oneDNN": "SSE4.1"}
    assert portable.verbose_facts("nothing\n") == {"MKL": "none", "oneDNN": "none"}


NATIVE = found(torch="AVX512", MKL="OFF", oneDNN="AVX2", OpenBLAS="Zen", digests={"sum": "b"})


@pytest.mark.parametrize(
    ("setting", "facts", "complaint"),
    [
        (OLD, {}, None),
        (OLD, {"MKL": "none"}, None),  # not there, so there is nothing to hold back
        (OLD, {"torch": "AVX2"}, "torch computes with AVX2, expected DEFAULT"),
        (OLD, {"MKL": "OFF"}, "MKL computes with OFF, expected COMPATIBLE"),
        (OLD, {"OpenBLAS": "Zen"}, "OpenBLAS computes with Zen, expected Nehalem"),
        (OLD, {"digests": {"sum": "b"}}, "computes bit for bit what the machine computes as it is"),
        (TWO_THREADS, {"threads": "1"}, "threads computes with 1, expected 2"),
        (AS_IT_IS, {"threads": "2"}, "threads computes with 2, expected 1"),
    ],
)
def test_a_setting_that_is_not_obeyed_is_a_complaint(setting, facts, complaint):
    expected = [] if complaint is None else [f"{setting}: {complaint}"]
    assert portable.complaints(setting, found(**facts), NATIVE) == expected


def test_a_machine_of_this_kind_may_compute_as_it_does_anyway():
    same = found(torch="AVX2", MKL="AUTO", oneDNN="AVX2", OpenBLAS="Haswell")
    assert portable.complaints(AVX2, same, same) == []


def test_settings_do_not_leak_into_each_other(monkeypatch):
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "default")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    variables = portable.environment(AS_IT_IS)
    assert "ATEN_CPU_CAPABILITY" not in variables
    assert variables["OMP_NUM_THREADS"] == "1"
    assert portable.environment(AVX2)["ATEN_CPU_CAPABILITY"] == "avx2"


def said_under(setting: str, program: str) -> str:
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=portable.environment(setting), stdout=subprocess.PIPE)
    return done.stdout.decode().strip()


@pytest.mark.parametrize("setting", [AS_IT_IS, TWO_THREADS])
def test_who_asks_for_one_thread_gets_two_where_two_are_tested(setting):
    program = "import torch; torch.set_num_threads(1); print(torch.get_num_threads())"
    assert said_under(setting, program) == ("2" if setting == TWO_THREADS else "1")


def test_the_package_tested_is_this_one():
    program = "import attention; print(attention.__file__)"
    for setting in SETTINGS:
        folder = os.path.dirname(said_under(setting, program))
        assert os.path.samefile(folder, ROOT / "code" / "attention")


def test_a_notebook_with_a_tagged_cell_is_run_whole():
    names = (stem("queries-keys-values"), stem("position"))  # without and with
    paths = [f"chapters/{name}.ipynb" for name in names]
    options = ["-q", "--nbval", "--collect-only", "-p", "no:cacheprovider", "-m", portable.MARKER]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, *paths],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    )
    chosen = [line for line in done.stdout.splitlines() if "::" in line]
    notebook = nbformat.read(ROOT / paths[1], as_version=4)
    assert len(chosen) == sum(cell.cell_type == "code" for cell in notebook.cells)
    assert all(line.startswith(paths[1]) for line in chosen)
