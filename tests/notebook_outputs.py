"""What a cell printed in the page, and what the notebook has: the texts to compare."""

from nbformat import NotebookNode


def texts(outputs: list[dict]) -> list[str]:
    """Reduce outputs of the page's Python to text: what is printed, then what is shown."""
    printed = "".join(one["text"] for one in outputs if one["kind"] == "stream")
    shown = [_text(one["data"]) for one in outputs if one["kind"] in ("display", "result")]
    errors = [one["traceback"] for one in outputs if one["kind"] == "error"]
    return [printed, *shown, *errors]


def committed(cell: NotebookNode) -> list[str]:
    """Return the same of a cell of a notebook."""
    printed = "".join(output.text for output in cell.outputs if output.output_type == "stream")
    return [printed, *(_text(output.data) for output in cell.outputs if "data" in output)]


def _text(data: dict[str, str]) -> str:
    return data.get("text/markdown") or data["text/plain"]
