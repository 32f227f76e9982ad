"""Build the site, or serve it on this machine.

python tools/site.py build              build _build/html, if anything it is made from has
                                        changed; any warning is an error
python tools/site.py build --afresh     build it in any case
python tools/site.py serve --port 8000  show what was built
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from site_inputs import fingerprint

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "_build"
SITE = BUILD / "html"
LOG = BUILD / "site.log"
STAMP = BUILD / "site-made-from"
COLOURS = re.compile(r"\x1b\[[\d;]*m")
# Lines of the log that say what is wrong. Sphinx writes "WARNING:" and "ERROR:"
# after the place, an extension that fails begins with "Extension error".
TROUBLE = re.compile(r"(WARNING|ERROR|CRITICAL|SEVERE): |Error:|error:|error \(")
LEFT_OUT = "Left out: "  # so begin lines about what was not there to be put in


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    verbs = parser.add_subparsers(dest="verb", required=True)
    build_parser = verbs.add_parser("build", help="build the site from the committed outputs")
    build_parser.add_argument("--afresh", action="store_true", help="also if nothing has changed")
    serve_parser = verbs.add_parser("serve", help="serve the built site")
    serve_parser.add_argument("--port", type=int, default=8000)
    arguments = parser.parse_args()
    if arguments.verb == "serve":
        return serve(arguments.port)
    made_from = fingerprint(ROOT)
    if arguments.afresh or not is_current(made_from):
        return build(made_from)
    print(f"The site in {os.path.relpath(SITE)} is up to date.")
    return 0


def is_current(made_from: str) -> bool:
    """Tell whether the site has been built, without a warning, from what is there now."""
    built = (SITE / "index.html").exists() and LOG.exists() and STAMP.exists()
    return built and STAMP.read_text(encoding="utf-8") == made_from


def build(made_from: str) -> int:
    """Build every page afresh and return Jupyter Book's exit code.

    Afresh, since a page taken from the last build would not repeat its
    warnings, and a page that left `_toc.yml` would stay on the site.
    """
    STAMP.unlink(missing_ok=True)
    for folder in (SITE, BUILD / ".doctrees", BUILD / "jupyter_execute"):
        shutil.rmtree(folder, ignore_errors=True)
    BUILD.mkdir(exist_ok=True)
    print("Building the site ...", flush=True)
    jupyter_book = Path(sys.executable).with_name("jupyter-book")
    options = ["--all", "-W", "-n", "--keep-going"]
    done = subprocess.run(
        [jupyter_book, "build", ROOT, *options],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    log = COLOURS.sub("", done.stdout)
    LOG.write_text(log, encoding="utf-8")
    if done.returncode == 0:
        STAMP.write_text(made_from, encoding="utf-8")
        for line in log.splitlines():
            if line.startswith(LEFT_OUT):
                print(line)
        place = os.path.relpath(SITE)
        print(f"The site is in {place}. To read it: make serve, or open {place}/index.html")
    else:
        lines = [line for line in log.splitlines() if TROUBLE.search(line)]
        print("\n".join(lines or log.splitlines()[-20:]))
        print(f"The site was not built without warnings. The whole log: {os.path.relpath(LOG)}")
    return done.returncode


def serve(port: int) -> int:
    """Serve the built site to this machine alone until Ctrl-C."""
    if not (SITE / "index.html").exists():
        print("The site is not built yet. Run `make book` first.")
        return 1
    handler = partial(SimpleHTTPRequestHandler, directory=SITE)
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        print(f"Port {port} cannot be used ({error.strerror}). Choose another with --port.")
        return 1
    print(f"The book: http://127.0.0.1:{server.server_port}/  (Ctrl-C stops)", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()
    return 0


if __name__ == "__main__":
    sys.exit(main())
