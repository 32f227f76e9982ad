"""Open the chapters in JupyterLab, with citations in words and captions below the figures.

python tools/jupyter_lab.py [options of `jupyter lab`]

jupyterlab-myst renders boxes, formulas and their numbers. It knows neither the bibliography nor
the captions, which stand in a cell's metadata. A small extension shows them (`jupyter_lab.js`). It
is written anew into `_build/lab` at each start, with the citations of `references.bib`, and
changes no notebook.
"""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "_ext"))

from book_site.citations import Citations  # noqa: E402

NAME = "attention-measured"
SCRIPT = Path(__file__).with_suffix(".js")


def write_extension(folder: Path) -> Path:
    """Write the extension as JupyterLab wants it, and return the folder to look in."""
    target = folder / NAME
    (target / "static").mkdir(parents=True, exist_ok=True)
    build = {"load": "static/remoteEntry.js", "extension": "./extension"}
    package = {"name": NAME, "version": "1.0.0", "jupyterlab": {"extension": True, "_build": build}}
    (target / "package.json").write_text(json.dumps(package, indent=1), encoding="utf-8")
    cited = Citations(ROOT / "chapters" / "references.bib").table()
    text = SCRIPT.read_text(encoding="utf-8").replace(
        "const CITED = {};", f"const CITED = {json.dumps(cited, ensure_ascii=False)};"
    )
    (target / "static" / "remoteEntry.js").write_text(text, encoding="utf-8")
    return folder


def main() -> None:
    extensions = write_extension(ROOT / "_build" / "lab")
    command = [sys.executable, "-m", "jupyter", "lab", str(ROOT / "chapters")]
    option = f"--LabApp.extra_labextensions_path={extensions}"
    sys.exit(subprocess.run([*command, option, *sys.argv[1:]]).returncode)


if __name__ == "__main__":
    main()
