"""What the built site was made from, as one number: whether it has to be built again.

Contents are compared and not times: a new checkout or a saved file that has not changed
costs no build.
"""

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

FILES = (
    "_config.yml",
    "_toc.yml",
    "package-lock.json",
    "requirements.lock",
    "requirements-browser.lock",
    "tools/site.py",
)
FOLDERS = ("chapters", "code", "experiments", "weights", "_ext", "_live", "_static")
# What Python and Jupyter keep beside the sources.
KEPT_BESIDE = {"__pycache__", ".ipynb_checkpoints", "attention_measured.egg-info"}
# The buttons of the pages follow from these.
SETTINGS = (
    *("BOOK_REPOSITORY", "BOOK_BRANCH", "BOOK_SITE"),
    *("GITHUB_REPOSITORY", "GITHUB_SERVER_URL", "GITHUB_REF_NAME"),
)


def fingerprint(root: Path) -> str:
    """Return a digest of all that the site of the book in ``root`` depends on."""
    digest = hashlib.sha256(sys.version.encode())
    for path in inputs(root):
        digest.update(path.relative_to(root).as_posix().encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    # Python for the page is fetched by hash, so its being there is all that can differ.
    digest.update(str((root / ".browser" / "compiled").exists()).encode())
    # So is the model that the page runs.
    models = Path(os.environ.get("ATTENTION_MODELS") or root / "models")
    digest.update(str(sorted(path.name for path in (models / "minilm").glob("*"))).encode())
    for name in SETTINGS:
        digest.update(f"{name}={os.environ.get(name)}".encode())
    return digest.hexdigest()


def inputs(root: Path) -> Iterator[Path]:
    """List the files that the site is made from, always in the same order."""
    yield from (root / name for name in FILES if (root / name).exists())
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.is_file() and not KEPT_BESIDE & set(path.parts):
                yield path
