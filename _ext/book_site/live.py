"""Put the live code and the explorable figures into the built site.

* every code cell says whether it runs in the page, and what it needs (cells.py);
* `_static/live` gets the page's scripts (from `_live`), bundled, the weights of the
  models that run in a page, and this very package as a wheel; `_static/pyodide`
  gets Python and NumPy for the browser.

A reader who runs nothing loads page.mjs, live.css and the scripts of the figures on the
page, no others.
Where the files for the browser were not to be had (tools/browser_python.py),
the site is built without the live code.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from gzip import compress
from hashlib import sha256
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup, Tag
from sphinx.application import Sphinx
from sphinx.util import logging

from .cells import APART, Cell, cells, runs_in_page
from .small_models import give_weights

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = ROOT / "_live"
PACKAGE = ROOT / "code" / "attention"
FROM_PACKAGES = ROOT / ".browser" / "compiled"  # filled by tools/browser_python.py
NODE_MODULES = ROOT / "node_modules"
PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm")
PYTHON_LIBRARY = "python_stdlib.zip"
PYODIDE_LOCK = "pyodide-lock.json"
# matplotlib lists them, but draws without them; the worker does not load them either.
NOT_NEEDED = ("fonttools", "pytz")
# What is loaded into Python before the first cell, in this order.
WHEELS = ("wadler_lindig", "jaxtyping", "attention_measured")
ON_IMPORT = ("einops",)
BUNDLES = ("page", "editor", "markdown", "worker")
PROLOGUE = "// Licences of what is bundled here: licences.txt"

logger = logging.getLogger(__name__)


def setup(app: Sphinx) -> None:
    # Before finish.py repairs the pages.
    app.connect("build-finished", bring_to_life, priority=800)


def bring_to_life(app: Sphinx, exception: Exception | None) -> None:
    """Write the files that live pages fetch, and mark the cells of every page."""
    if exception or app.builder.format != "html":
        return
    site = Path(app.outdir)
    folder = site / "_static" / "live"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    bundle_explorables(folder)
    can_run = FROM_PACKAGES.exists()
    if can_run:
        bundle_scripts(folder)
        copy_python(site / "_static" / "pyodide")
        write_manifest(folder)
    else:
        logger.info("Left out: the files for the browser's Python, so the pages have no live code.")
    version = digest(folder)
    for notebook in sorted((ROOT / "chapters").glob("*.ipynb")):
        path = site / "chapters" / f"{notebook.stem}.html"
        if path.exists():
            page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
            code = place_cells(page, notebook)
            if can_run:
                mark_cells(code, notebook)
                size = {"data-notebook": notebook.name, "data-megabytes": megabytes(folder)}
                add_script(page, f"page.mjs?v={version}", size)
                add_style(page, f"live.css?v={version}")
            add_figures(page, folder, version)
            if can_run:
                give_weights(page, folder / "weights")
            path.write_text(str(page), encoding="utf-8")
    for source in sorted((ROOT / "chapters").glob("*.md")):
        path = site / "chapters" / f"{source.stem}.html"
        if path.exists() and "data-figure=" in (html := path.read_text(encoding="utf-8")):
            page = BeautifulSoup(html, "html.parser")
            add_figures(page, folder, version)
            path.write_text(str(page), encoding="utf-8")


def add_figures(page: BeautifulSoup, folder: Path, version: str) -> None:
    """Give a page the scripts of its explorable figures, and the models that they fetch."""
    for element in figures_of(page):
        add_script(page, f"{element}.mjs?v={version}")
    copy_weights(page, folder / "weights")


# ------------------------------------------------------------------------- pages


def place_cells(page: BeautifulSoup, notebook: Path) -> list[Tag]:
    """Find the notebook's code cells on the page, and give each its id as an anchor."""
    content = nbformat.read(notebook, as_version=4)
    code = [cell for cell in content.cells if cell.cell_type == "code"]
    places = page.select("article div.cell")
    if len(places) != len(code):
        raise ValueError(f"{notebook.name}: {len(code)} code cells, {len(places)} on the page")
    for place, cell in zip(places, code, strict=True):
        shown = place.select_one(".cell_input pre").get_text()
        if shown.strip() != cell.source.strip():
            raise ValueError(f"{notebook.name}: {cell.id} is not the cell on the page")
        place["id"] = cell.id
    return places


def mark_cells(places: list[Tag], notebook: Path) -> None:
    """Tell each cell of the page whether it is live, and what it needs."""
    described = cells(nbformat.read(notebook, as_version=4), PACKAGE)
    for place, cell in zip(places, described, strict=True):
        mark(place, cell)


def mark(place: Tag, cell: Cell) -> None:
    place["data-cell"] = cell.id
    place["data-live"] = "yes" if cell.live else "torch"
    place["data-needs"] = " ".join(cell.needs)
    place["data-makes"] = " ".join(cell.makes)
    place["data-changes"] = " ".join(cell.changes)
    place["data-reads"] = json.dumps(cell.reads)
    if cell.exercise:
        place["data-exercise"] = "yes"


def figures_of(page: BeautifulSoup) -> list[str]:
    """Return the names of the explorable figures on a page, each once."""
    return sorted({figure.name for figure in page.select("[data-figure]")})


def add_script(page: BeautifulSoup, name: str, data: dict[str, str] | None = None) -> None:
    attributes = {"type": "module", "src": f"../_static/live/{name}", **(data or {})}
    page.head.append(page.new_tag("script", attrs=attributes))


def add_style(page: BeautifulSoup, name: str) -> None:
    page.head.append(page.new_tag("link", rel="stylesheet", href=f"../_static/live/{name}"))


def digest(folder: Path) -> str:
    """Return a version of all that live pages fetch, so that no browser mixes two builds."""
    found = sha256()
    python = folder.parent / "pyodide"
    for path in sorted([*folder.rglob("*.*"), *python.glob("*.*")]):
        # Our own wheel carries the time of its making.
        ours = path.name.startswith("attention_measured")
        found.update(path.name.encode() if ours else path.read_bytes())
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()[:8]


def megabytes(folder: Path) -> str:
    """Return how much the first press of Run fetches, compressed, as a reader is told it."""
    files = [*folder.glob("*.whl"), *(folder.parent / "pyodide").glob("numpy-*.whl")]
    files += [folder.parent / "pyodide" / name for name in (*PYODIDE, PYTHON_LIBRARY)]
    return str(round(sum(len(compress(path.read_bytes(), 6)) for path in files) / 1e6))


def copy_weights(page: BeautifulSoup, folder: Path) -> None:
    """Copy the models that figures of the page fetch; their addresses hold a version."""
    for figure in page.select("live-translator[data-figure]"):
        file = json.loads(figure["data-figure"])["file"]
        weights = ROOT / "weights" / file["name"]
        if sha256(weights.read_bytes()).hexdigest()[:8] != file["version"]:
            raise ValueError(f"{weights.name}: the notebook was run with other weights")
        folder.mkdir(exist_ok=True)
        shutil.copyfile(weights, folder / weights.name)


# ----------------------------------------------------------------------- scripts


def bundle_explorables(folder: Path) -> None:
    """Make a script of each figure, and one of what they share, which it imports."""
    widgets = PACKAGE / "widgets"
    figures = sorted(path.name for path in widgets.glob("*.js") if '\ndefine("' in source_of(path))
    names = ["--out-extension:.js=.mjs", "--chunk-names=shared-[hash]", f"--outdir={folder}"]
    bundle(*figures, "--splitting", "--format=esm", *names, cwd=widgets)


def source_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def bundle_scripts(folder: Path) -> None:
    for name in BUNDLES:
        # Pyodide is fetched from its own folder when Python starts.
        outside = "--external:*/pyodide.mjs"
        bundle(f"{name}.js", "--format=esm", outside, f"--outfile={folder / name}.mjs", cwd=SCRIPTS)
    for name in ("runner.py", "live.css"):
        shutil.copy(SCRIPTS / name, folder)
    (folder / "licences.txt").write_text(licences(), encoding="utf-8")


def bundle(*options: str, cwd: Path) -> None:
    """Let esbuild make small files of scripts and what they import."""
    esbuild = shutil.which("esbuild", path=str(NODE_MODULES / ".bin"))
    if esbuild is None:
        raise ValueError("esbuild is not installed: run `make setup`, or `npm ci`.")
    common = ["--bundle", "--minify", "--log-level=warning", "--legal-comments=none"]
    target = ["--target=es2022", f"--banner:js={PROLOGUE}"]
    subprocess.run([esbuild, *common, *target, *options], cwd=cwd, check=True)


def licences() -> str:
    """Collect the licences of what the bundles hold."""
    packages = ("@codemirror", "@lezer", "@marijn", "crelt", "marked", "style-mod", "w3c-keyname")
    files = [
        file
        for package in packages
        for file in sorted((NODE_MODULES / package).rglob("LICENSE*"))
        if "node_modules" not in file.relative_to(NODE_MODULES).parts
    ]
    return "\n\n".join(
        f"{file.parent.relative_to(NODE_MODULES)}\n\n{file.read_text(encoding='utf-8')}"
        for file in files
    )


# ------------------------------------------------------------------------ Python


def copy_python(folder: Path) -> None:
    """Copy Pyodide, and the wheels that its lock names."""
    folder.mkdir(parents=True, exist_ok=True)
    package = NODE_MODULES / "pyodide"
    for name in PYODIDE:
        shutil.copy(package / name, folder)
    shutil.copy(FROM_PACKAGES / PYTHON_LIBRARY, folder)
    lock = json.loads((package / PYODIDE_LOCK).read_text(encoding="utf-8"))
    # Of the 300 packages in the lock, only those that the site has.
    lock["packages"] = {
        name: package
        for name, package in lock["packages"].items()
        if (FROM_PACKAGES / package["file_name"]).exists() and name not in NOT_NEEDED
    }
    for package in lock["packages"].values():
        shutil.copy(FROM_PACKAGES / package["file_name"], folder)
    (folder / PYODIDE_LOCK).write_text(json.dumps(lock), encoding="utf-8")


def write_manifest(folder: Path) -> None:
    """Copy the other wheels and the logs of experiments, and write down their names."""
    build_wheel(folder)
    for name in (*WHEELS[:-1], *ON_IMPORT):
        shutil.copy(wheel(FROM_PACKAGES, name), folder)
    logs = [ROOT / "experiments" / name for name in sorted(opened_by_notebooks())]
    (folder / "experiments").mkdir()
    for log in logs:
        shutil.copy(log, folder / "experiments")
    manifest = {
        "wheels": [wheel(folder, name).name for name in WHEELS],
        "on_import": {name: [wheel(folder, name).name] for name in ON_IMPORT},
        "experiments": [log.name for log in logs],
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")


def build_wheel(folder: Path) -> None:
    """Build the wheel of our own package from a copy: setuptools leaves files behind."""
    with tempfile.TemporaryDirectory() as copy:
        for name in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / name, copy)
        shutil.copytree(ROOT / "code", Path(copy) / "code", ignore=left_out)
        options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
        command = [sys.executable, "-m", "pip", "wheel", *options, "--wheel-dir", folder, copy]
        subprocess.run(command, check=True, capture_output=True)


def left_out(folder: str, names: list[str]) -> list[str]:
    """Name what a page need not load, of what is in a folder of our package.

    Modules and packages that import what is not there, the figures' scripts, which the
    page has, and what Python and setuptools keep beside the sources.
    """
    places = {PACKAGE: "attention"} | {PACKAGE / one: f"attention.{one}" for one in APART}
    before = places.get(Path(folder))
    modules = {name: f"{before}.{name.removesuffix('.py')}" for name in names if before}
    unfit = {
        name
        for name, module in modules.items()
        if name not in APART and name != "__init__.py" and not runs_in_page(module, PACKAGE)
    }
    beside = (".egg-info", ".js", "__pycache__")
    return [name for name in names if name in unfit or name.endswith(beside)]


def wheel(folder: Path, name: str) -> Path:
    found = sorted(folder.glob(f"{name}-*.whl"))
    if len(found) != 1:
        raise ValueError(f"{folder.name}: expected one wheel of {name}, got {len(found)}")
    return found[0]


def opened_by_notebooks() -> set[str]:
    """Return the files of experiments/ that cells open as `book_path("experiments/NAME")`."""
    return {
        name
        for notebook in (ROOT / "chapters").glob("*.ipynb")
        for cell in nbformat.read(notebook, as_version=4).cells
        if cell.cell_type == "code"
        for name in re.findall(r'book_path\("experiments/([\w.]+)"\)', cell.source)
    }
