"""Ask whether the book's links to other sites still lead somewhere; needs the internet.

    .venv/bin/python tools/links.py

Sphinx's `linkcheck` asks, with the settings in _config.yml. It builds in a folder of its
own, so that the site stays as it was built.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "_build" / "links"


def main() -> int:
    """Ask every address outside the site; return 1 if one does not answer."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    print("Asking the addresses that the book links to ...", flush=True)
    said = linkcheck()
    found = FOLDER / "_build" / "html" / "output.json"
    if not found.exists():
        print(said)
        return 1
    links = map(json.loads, found.read_text(encoding="utf-8").splitlines())
    outside = [link for link in links if link["uri"].startswith("http")]
    broken = [link for link in outside if link["status"] in {"broken", "timeout"}]
    for link in broken:
        print(f"{link['filename']}:{link['lineno']}: {link['uri']}\n    {link['info']}")
    print(f"{len(outside)} links to other sites, {len(broken)} broken.")
    return 1 if broken or not outside else 0


def linkcheck() -> str:
    """Let Sphinx write what it finds into the folder; return what it says."""
    command = [Path(sys.executable).with_name("jupyter-book"), "build", ROOT, "--all"]
    return subprocess.run(
        [*command, "--builder", "linkcheck", "--path-output", FOLDER],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
    ).stdout


if __name__ == "__main__":
    sys.exit(main())
