"""The list of mutants that compute the same as the original."""

import tomllib

import pytest
from mutants import EQUIVALENT, ROOT, Mutant, changed_line

LISTED = tomllib.loads(EQUIVALENT.read_text(encoding="utf-8"))["equivalent"]


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: entry["mutants"][0][:40])
def test_each_has_a_reason_and_is_no_line_of_the_file(entry):
    source = (ROOT / entry["file"]).read_text(encoding="utf-8")
    assert entry["reason"].endswith(".")
    assert not {line.strip() for line in source.splitlines()} & set(entry["mutants"])


def test_a_mutant_is_told_by_its_line():
    source = "def f(x):\n    y = x + 1\n    return y\n"
    for changed, line in [
        (source.replace("+", "-"), "y = x - 1"),
        (source.replace("    y = x + 1\n", ""), ""),
        (source, ""),
    ]:
        assert changed_line(source, Mutant(ROOT, changed)) == line
