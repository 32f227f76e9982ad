"""Where the built site is, and which pages it has."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "_build" / "html"
LOG = ROOT / "_build" / "site.log"


def staleness() -> str | None:
    """Say why the built site cannot be judged, or return None if it can."""
    if not (SITE / "index.html").exists() or not LOG.exists():
        return "The site is not built. Run `make book` first."
    files = [ROOT / "_config.yml", ROOT / "_toc.yml"]
    for folder in ("chapters", "code", "_ext", "_live", "_static"):
        files += (ROOT / folder).rglob("*.*")
    # Not what Python and Jupyter keep beside the sources.
    kept = ("__pycache__", ".ipynb_checkpoints", "attention_measured.egg-info")
    files = [path for path in files if not {*kept} & {*path.parts}]
    newest = max((path for path in files if path.is_file()), key=lambda path: path.stat().st_mtime)
    if newest.stat().st_mtime > LOG.stat().st_mtime:
        return f"{newest.relative_to(ROOT)} is newer than the built site. Run `make book` first."
    return None


def pages() -> list[str]:
    """List every built page, relative to the site's root, but the redirect to the first."""
    found = (path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return sorted(page for page in found if page != "index.html" and page[:8] != "_static/")
