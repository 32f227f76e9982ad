"""In which order the tests are handed to the workers, and which of them stay together.

A worker that draws sentences, starts Python in a page or runs a notebook for minutes must
not begin when the other has nothing left to do. So what takes long comes first, and what
can be cut is cut: by default a file stays together, since its tests share what they have
set up; the files below are cut into their tests, or into their pages.
"""

import re

import pytest
from xdist.scheduler.loadscope import LoadScopeScheduling

# Long ones first; all other files come after these, in the order of their names.
LONG_FIRST = (
    "tests/site/test_live_page.py",
    "tests/site/test_training_in_the_page.py",
    "tests/site/test_live_faults.py",
    "tests/test_experiments_translation.py",
    "tests/test_experiments",
    "chapters/",
    "tests/site/test_site_build.py",
    "tests/site/test_site_browser.py",
    "tests/site/",
    "tests/book/test_alarms.py",
    "tests/live/",
    "tests/test_kv_cache.py",
    "tests/test_transformer.py",
    "tests/test_layers.py",
    "tests/test_corpus.py",
)
# Files that stay with another one: both need the same 60,000 sentences, which take long to draw,
# or the same page, in which Python has started, or all pages of the site, parsed.
TOGETHER = {
    "tests/test_experiments.py": "tests/test_experiments_translation.py",
    "tests/site/test_training_in_the_page.py": "tests/site/test_live_page.py",
    "tests/site/test_live_faults.py": "tests/site/test_live_page.py",
    "tests/site/test_source_pages.py": "tests/site/test_site_html.py",
}
# Files that can be cut. What comes of a match is the group: its tests stay together.
CUT = {
    # By chapter, if its cells run in a page of their own. All other tests share one page.
    "tests/site/test_live_page.py": re.compile(r"^(test_every_live_cell(?!.*-keys-values).*)?"),
    # By page and mode: a page is opened once.
    "tests/site/test_site_browser.py": re.compile(r"(?<=\[).*(?=\])"),
    "tests/book/test_alarms.py": re.compile(r".*"),
    "tests/site/test_site_build.py": re.compile(r".*"),
}


class Schedule(LoadScopeScheduling):
    """Hand out groups in the order in which they were collected (pytest-xdist)."""

    def __init__(self, config: pytest.Config, log: object = None):
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(nodeid: str) -> str:
    """Name the group of a test: its file, or the part of it that must not be cut.

    nbval names a cell ``chapters/NOTEBOOK::ipynb::Cell 3``.
    """
    file, _, test = nodeid.partition("::")
    file = TOGETHER.get(file, file)
    found = CUT[file].search(test) if file in CUT else None
    return f"{file}::{found.group()}" if found else file


def turn_of(nodeid: str) -> int:
    """Tell when a test has its turn: the lower, the earlier."""
    for turn, start in enumerate(LONG_FIRST):
        if nodeid.startswith(start):
            return turn
    return len(LONG_FIRST)
