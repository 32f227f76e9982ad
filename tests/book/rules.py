"""What a notebook of the book has to look like: one function for each rule.

Each takes a notebook and yields its faults, as sentences that name the cell.
`test_notebooks.py` asks that there be none, and shows on broken copies that
each rule can fail.
"""

import re
from collections.abc import Iterable, Iterator

import nbformat
from book_site.cells import Names, names_of
from book_site.figures import NARROW
from nbformat import NotebookNode

# What nbval does not compare. Every use needs a reason beside it, in a comment.
IGNORE_TAGS = {"nbval-ignore-output", "nbval-skip", "nbval-raises-exception", "raises-exception"}
REASON = re.compile(r"^# not compared: \S.{15,}", re.MULTILINE)
KNOWN_TAGS = IGNORE_TAGS | {"arithmetic", "hide-cell", "hide-input"}
GUESS_TAG = re.compile(r"guess-[1-9](-bold)?")
QUESTION = re.compile(r"`_{2,}`|[○☐]")  # a blank, or circles or boxes to choose from
PARAGRAPH = re.compile(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)")  # what parts them, and list items
BOLD = re.compile(r"\*\*[^*]+\*\*")
LONGEST_LINE = 79  # what fits the text column on a desktop


def code_cells(notebook: NotebookNode) -> list[NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def outputs(notebook: NotebookNode) -> Iterator[tuple[NotebookNode, NotebookNode]]:
    for cell in code_cells(notebook):
        for output in cell.outputs:
            yield cell, output


def tags(cell: NotebookNode) -> set[str]:
    return set(cell.metadata.get("tags", []))


def output_text(output: NotebookNode) -> str:
    """Return all the text of an output, image data left out."""
    data = {k: v for k, v in output.get("data", {}).items() if not k.startswith("image/")}
    return "\n".join([output.get("text", ""), *map(str, data.values())])


def format_is_current(notebook: NotebookNode) -> Iterator[str]:
    """A valid notebook of format 4.5 or newer, which has cell ids."""
    if (notebook.nbformat, notebook.nbformat_minor) < (4, 5):
        yield f"format {notebook.nbformat}.{notebook.nbformat_minor}, expected at least 4.5"
    try:
        nbformat.validate(notebook)
    except nbformat.ValidationError as error:
        yield f"not valid: {error.message}"


def metadata_is_normalised(notebook: NotebookNode) -> Iterator[str]:
    """Metadata that carries nothing of the machine that ran it."""
    expected = {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    if notebook.metadata != expected:
        yield "metadata is not what `make notebooks` writes"
    for cell, output in outputs(notebook):
        if set(output.get("metadata", {})) - {"image/png", "needs_background"}:
            yield f"{cell.id}: an output carries metadata beside a figure's size and ground"


def executed_once_in_order(notebook: NotebookNode) -> Iterator[str]:
    """Execution counts 1, 2, 3 ...: one fresh run, and nothing left out.

    nbval passes over a cell that was never executed, so this rule matters.
    """
    counts = [cell.execution_count for cell in code_cells(notebook)]
    if counts != list(range(1, len(counts) + 1)):
        yield f"execution counts are {counts}, expected 1 to {len(counts)}: run `make notebooks`"
    for cell, output in outputs(notebook):
        if output.output_type == "execute_result" and output.execution_count != (
            cell.execution_count
        ):
            yield f"{cell.id}: its output is of another run"


def no_trailing_semicolon(notebook: NotebookNode) -> Iterator[str]:
    """No cell that ends in `;`: nbval runs it without the output being hidden."""
    for cell in code_cells(notebook):
        if cell.source.rstrip().endswith(";"):
            yield f"{cell.id}: ends in a semicolon"


def lines_fit(notebook: NotebookNode) -> Iterator[str]:
    """No code or output line that needs scrolling on a desktop."""
    for cell in code_cells(notebook):
        for line in cell.source.splitlines():
            if len(line) > LONGEST_LINE:
                yield f"{cell.id}: a line of {len(line)} characters: {line[:40]}..."
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        # Markdown is set as text, and an explorable figure makes itself fit.
        plain = "" if "text/markdown" in data else data.get("text/plain", "")
        for line in (output.get("text", "") + plain).splitlines():
            if len(line) > LONGEST_LINE:
                yield f"{cell.id}: an output line of {len(line)} characters: {line[:40]}..."


def output_is_clean(notebook: NotebookNode) -> Iterator[str]:
    """No warnings, errors, addresses or paths of one machine in the outputs."""
    for cell, output in outputs(notebook):
        if output.get("name") == "stderr":
            yield f"{cell.id}: writes to stderr: {output.text[:60]!r}"
        if output.output_type == "error" and not tags(cell) & IGNORE_TAGS:
            yield f"{cell.id}: ends in {output.ename}"
        if found := re.search(r"0x[0-9a-f]{6,}|(?<![\w.])/([\w.-]+/){2,}", output_text(output)):
            yield f"{cell.id}: prints {found.group()!r}"
        if found := re.search(r"(src|href)=.https?://", output_text(output)):
            yield f"{cell.id}: its HTML loads from elsewhere"


def figures_have_alt_text(notebook: NotebookNode) -> Iterator[str]:
    """A description, a caption and a name for each figure, and no number in the description."""
    for cell, output in outputs(notebook):
        if "image/png" not in output.get("data", {}):
            continue
        metadata = cell.metadata.get("mystnb", {})
        alt = metadata.get("image", {}).get("alt", "")
        if len(alt) < 60:
            yield f"{cell.id}: its alt text is {alt!r}; say what is seen"
        if re.search(r"\d\.\d|%", alt):
            yield f"{cell.id}: a measured number is typed into its alt text"
        figure = metadata.get("figure", {})
        if not figure.get("caption") or not figure.get("name"):
            yield f"{cell.id}: its figure has no caption or no name"
        if cell.metadata.get("label") != figure.get("name"):
            yield f"{cell.id}: label and figure name differ"


def figures_are_drawn_for_a_phone(notebook: NotebookNode) -> Iterator[str]:
    """Each figure has a narrow picture, too: the cell uses the book's style."""
    for cell, output in outputs(notebook):
        data = output.get("data", {})
        if "image/png" in data and NARROW not in data:
            yield f"{cell.id}: its figure has no picture for a phone: run `make notebooks`"


def ignored_cells_give_a_reason(notebook: NotebookNode) -> Iterator[str]:
    """Fewer than 3 % of the cells escape the comparison, each with its reason.

    One set-up cell, the first, may do so besides.
    """
    cells = code_cells(notebook)
    ignored = [cell for cell in cells if tags(cell) & IGNORE_TAGS]
    for cell in ignored:
        if not REASON.search(cell.source):
            yield f"{cell.id}: not compared, and no line '# not compared: <why>'"
    counted = [cell for cell in ignored if cell is not cells[0]]
    if len(counted) >= 0.03 * len(cells) and counted:
        yield f"{len(counted)} of {len(cells)} cells are not compared; the limit is 3 %"


def tags_are_known(notebook: NotebookNode) -> Iterator[str]:
    """No tag that nothing acts on, such as a misspelt one."""
    for cell in notebook.cells:
        for tag in tags(cell) - KNOWN_TAGS:
            if not GUESS_TAG.fullmatch(tag):
                yield f"{cell.id}: unknown tag {tag!r}"


def terms_are_plain(notebook: NotebookNode) -> Iterator[str]:
    """No role around a term: the site links its first use, and JupyterLab would show the role."""
    for cell in notebook.cells:
        if "{term}" in cell.source or "{{term}}" in cell.source:
            yield f"{cell.id}: write the term alone, without {{term}}"


def guesses_come_back(notebook: NotebookNode) -> Iterator[str]:
    """*Predict* asks what takes an answer, and each such question is met again where measured.

    The first is met at the code cell with the tag `guess-1`, and so on. With the tag
    `guess-1-bold` the cell prints in bold what is quoted.
    """
    boxes = [cell for cell in notebook.cells if ":class: predict" in cell.source]
    parts = [part for cell in boxes for part in PARAGRAPH.split(cell.source)]
    asked = sum(QUESTION.search(part) is not None for part in parts)
    wanted = [f"guess-{number}" for number in range(1, asked + 1)]
    found = [tag for cell in notebook.cells for tag in tags(cell) if GUESS_TAG.fullmatch(tag)]
    met = sorted(tag.removesuffix("-bold") for tag in found)
    if boxes and not asked:
        yield "*Predict* has no blank, and no circles or boxes: no answer can be kept"
    if met != wanted:
        yield f"*Predict* asks for {wanted or 'nothing'}, and cells are tagged {met or 'for none'}"
    for cell in notebook.cells:
        here = [tag for tag in tags(cell) if GUESS_TAG.fullmatch(tag)]
        if here and cell.cell_type != "code":
            yield f"{cell.id}: has the tag {here[0]}, and measures nothing"
        bold = sum(len(BOLD.findall(output_text(out))) for out in cell.get("outputs", []))
        quoted = sum(tag.endswith("-bold") for tag in here)
        if bold < quoted:
            yield f"{cell.id}: {quoted} guesses quote what it prints in bold, which is {bold} texts"


def skeleton_is_complete(notebook: NotebookNode) -> Iterator[str]:
    """Every chapter has the same parts, in the same order."""
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = [
        "**The question.**",
        "**What you need.**",
        ":class: predict",
        ":class: bug",
        "## Exercises",
        "## What we measured",
        "## Further reading",
    ]
    places = [text.find(part) for part in parts]
    for part, place in zip(parts, places, strict=True):
        if place < 0:
            yield f"no {part!r}"
    if places != sorted(places):
        yield f"its parts are not in the order {parts}"


def exercises_are_complete(notebook: NotebookNode) -> Iterator[str]:
    """Four to six exercises, each with difficulty, minutes, hint, checker and solution."""
    cells = notebook.cells
    starts = [i for i, cell in enumerate(cells) if cell.source.startswith("### Exercise ")]
    if not 4 <= len(starts) <= 6:
        yield f"{len(starts)} exercises, expected 4 to 6"
    for i in starts:
        task, attempt, solution = cells[i : i + 3]
        name = task.source.splitlines()[0].removeprefix("### ")
        if not re.search(r"\*Difficulty [123] of 3, about \d+ minutes\*", task.source):
            yield f"{name}: no difficulty and minutes"
        if "<summary>Hint</summary>" not in task.source:
            yield f"{name}: no hint"
        attempt_says = "".join(output_text(output) for output in attempt.get("outputs", []))
        solution_says = "".join(output_text(output) for output in solution.get("outputs", []))
        if "checks." not in attempt.source or "Not started" not in attempt_says:
            yield f"{name}: the cell for the answer does not call its checker, unfinished"
        if "hide-cell" not in tags(solution):
            yield f"{name}: the solution is not folded"
        if "checks." not in solution.source or "✓" not in solution_says:
            yield f"{name}: the solution does not pass its checker"


def names_keep_their_meaning(notebook: NotebookNode) -> Iterator[str]:
    """A name that a cell takes from another one is made once, and then left as it is.

    Otherwise a cell that is run again, after the ones below it, prints something else.
    A name that every cell makes for itself, such as `fig`, may be used again and again.
    """
    cells = {cell.id: names_of(cell.source) for cell in code_cells(notebook)}
    imported = {name for names in cells.values() for name in names.imported}
    generators = {name for names in cells.values() for name in names.generators}
    shared = names_taken(cells.values()) - imported
    makers: dict[str, str] = {}
    for cell, names in cells.items():
        for name in sorted(names.made & shared):
            if name in makers:
                yield f"{cell}: gives `{name}`, made in {makers[name]}, another meaning"
            makers.setdefault(name, cell)
        for name in sorted(names.changed - imported):
            yield f"{cell}: changes `{name}`, made in {makers[name]}"
        for name in sorted(names.read & generators):
            yield f"{cell}: draws from `{name}` of {makers[name]}; it needs a generator of its own"


def names_taken(cells: Iterable[Names]) -> set[str]:
    """Return the names that some cell takes from another, also through functions."""
    taken, waiting = set(), {name for names in cells for name in names.read}
    while waiting:
        taken |= waiting
        called = (names.inner[name] for names in cells for name in waiting & {*names.inner})
        waiting = set().union(*called) - taken
    return taken


RULES = [
    format_is_current,
    metadata_is_normalised,
    executed_once_in_order,
    no_trailing_semicolon,
    lines_fit,
    output_is_clean,
    figures_have_alt_text,
    figures_are_drawn_for_a_phone,
    ignored_cells_give_a_reason,
    tags_are_known,
    terms_are_plain,
    guesses_come_back,
    skeleton_is_complete,
    exercises_are_complete,
    names_keep_their_meaning,
]
