"""Serve MathJax from the site itself: a reader's browser asks no other host.

The files come from the npm package that package-lock.json pins. Of its 20 MB
the site takes the one script that typesets, its fonts and the licence.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.config import Config
from sphinx.errors import ExtensionError

SCRIPT = "tex-mml-chtml.js"
FONTS = "output/chtml/fonts/woff-v2"  # where the script looks for them
FOLDER = "mathjax"  # inside the built site's _static


def setup(app: Sphinx) -> None:
    app.connect("config-inited", use_own_copy)
    app.connect("build-finished", copy_files)


def use_own_copy(app: Sphinx, config: Config) -> None:
    config.mathjax_path = f"{FOLDER}/{SCRIPT}"
    # MathJax's right-click menu offers parts that we do not ship.
    config.mathjax3_config = {"options": {"enableMenu": False}}


def copy_files(app: Sphinx, exception: Exception | None) -> None:
    if exception or app.builder.format != "html":
        return
    package = Path(app.srcdir) / "node_modules" / "mathjax"
    if not package.exists():
        raise ExtensionError("MathJax is not installed: run `make setup`, or `npm ci`.")
    target = Path(app.outdir) / "_static" / FOLDER
    shutil.copytree(package / "es5" / FONTS, target / FONTS, dirs_exist_ok=True)
    shutil.copy(package / "es5" / SCRIPT, target)
    shutil.copy(package / "LICENSE", target)
