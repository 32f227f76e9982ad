"""The notebooks obey the rules, and each rule can fail."""

import copy
import re
from collections import Counter
from collections.abc import Callable

import nbformat
import pytest
from book_site.figures import NARROW
from nbformat import NotebookNode

from . import rules
from .conftest import NOTEBOOKS


@pytest.mark.parametrize("rule", rules.RULES, ids=lambda rule: rule.__name__)
def test_notebook(notebook: NotebookNode, rule: Callable):
    """`make lint` names the faults; CONTRIBUTING.md says what the rules mean."""
    assert list(rule(notebook)) == []


def test_there_are_notebooks():
    assert len(NOTEBOOKS) >= 2


def test_cell_ids_are_unique_in_the_book():
    """A later version of the book's engine reads all notebooks into one name space."""
    ids = Counter(cell.id for path in NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells)
    assert [name for name, times in ids.items() if times > 1] == []


# ---------------------------------------------------- the rules themselves


def first(notebook: NotebookNode, condition: Callable) -> NotebookNode:
    return next(cell for cell in notebook.cells if condition(cell))


def code(cell: NotebookNode) -> bool:
    return cell.cell_type == "code"


def has_figure(cell: NotebookNode) -> bool:
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def has_result(cell: NotebookNode) -> bool:
    return any(output.output_type == "execute_result" for output in cell.get("outputs", []))


def clear_outputs(nb):
    for cell in rules.code_cells(nb):
        cell.outputs, cell.execution_count = [], None


def clear_one_cell(nb):
    cell = rules.code_cells(nb)[1]
    cell.outputs, cell.execution_count = [], None


def another_runs_output(nb):
    first(nb, has_result).outputs[-1].execution_count += 1


def add_timing(nb):
    nb.metadata["language_info"]["version"] = "3.11.7"


def add_semicolon(nb):
    rules.code_cells(nb)[1].source += ";"


def add_long_line(nb):
    rules.code_cells(nb)[1].source += "\n#" + 80 * "-"


def add_warning(nb):
    stream = nbformat.v4.new_output("stream", name="stderr", text="Warning: deprecated")
    rules.code_cells(nb)[1].outputs.append(stream)


def add_address(nb):
    stream = nbformat.v4.new_output("stream", name="stdout", text="<object at 0x7f3a2b1c9d00>")
    rules.code_cells(nb)[1].outputs.append(stream)


def add_path(nb):
    stream = nbformat.v4.new_output("stream", name="stdout", text="saved to /home/ada/book/x.png")
    rules.code_cells(nb)[1].outputs.append(stream)


def drop_alt(nb):
    del first(nb, has_figure).metadata["mystnb"]["image"]


def number_in_alt(nb):
    first(nb, has_figure).metadata["mystnb"]["image"]["alt"] += " The largest weight is 0.62."


def drop_the_phone(nb):
    for output in first(nb, has_figure).outputs:
        output.get("data", {}).pop(NARROW, None)


def drop_caption(nb):
    del first(nb, has_figure).metadata["mystnb"]["figure"]["caption"]


def ignore_without_reason(nb):
    rules.code_cells(nb)[1].metadata["tags"] = ["nbval-ignore-output"]


def ignore_too_many(nb):
    for cell in rules.code_cells(nb)[1:4]:
        cell.metadata["tags"] = ["nbval-ignore-output"]
        cell.source = "# not compared: prints how long the run took\n" + cell.source


def misspell_tag(nb):
    nb.cells[0].metadata["tags"] = ["hide-cel"]


def give_a_term_its_role(nb):
    nb.cells[0].source += "\n\nThis is a {term}`mask`."


def ask_twice(nb):
    """Let *Predict* ask two questions that no cell answers."""
    for cell in nb.cells:
        kept = [tag for tag in rules.tags(cell) if not tag.startswith("guess-")]
        cell.metadata["tags"] = kept
    box = first(nb, lambda cell: ":class: predict" in cell.source)
    sound = re.sub("`_+`|[○☐]", "", box.source)
    box.source = sound.replace("\n:::", "\n\nIt is `____`, or\n\n○ small\n○ large\n:::")


def ask_for_no_answer(nb):
    ask_twice(nb)
    box = first(nb, lambda cell: ":class: predict" in cell.source)
    box.source = re.sub("`_+`|[○☐]", "", box.source)


def ask_once_more(nb):
    box = first(nb, lambda cell: ":class: predict" in cell.source)
    box.source = box.source.replace("\n:::", "\n\nIt is `____`.\n:::")


def answer_in_prose(nb):
    ask_twice(nb)
    nb.cells[0].metadata["tags"] = ["guess-1", "guess-2"]


def answer_two_with_one_number(nb):
    ask_twice(nb)
    cell = rules.code_cells(nb)[-1]
    cell.metadata["tags"] = ["guess-1-bold", "guess-2-bold"]
    cell.outputs = [nbformat.v4.new_output("display_data", {"text/markdown": "It is **one**."})]


def drop_prediction(nb):
    for cell in nb.cells:
        cell.source = cell.source.replace(":class: predict", ":class: note")


def unfold_solution(nb):
    for cell in nb.cells:
        cell.metadata.pop("tags", None)


def drop_hint(nb):
    cell = first(nb, lambda c: c.source.startswith("### Exercise"))
    cell.source = cell.source.replace("<summary>Hint</summary>", "")


def fail_solution(nb):
    first(nb, lambda c: "hide-cell" in rules.tags(c)).outputs = []


def add_cells(nb, *sources):
    nb.cells += [
        nbformat.v4.new_code_cell(source, id=f"new-{i}") for i, source in enumerate(sources)
    ]


def make_a_name_again(nb):
    add_cells(nb, "w = [1]", "w[0]", "w = [2]")


def make_a_name_again_that_a_function_reads(nb):
    add_cells(nb, "w = [1]\n\ndef first():\n    return w[0]", "first()", "w = [2]")


def loop_over_a_name_again(nb):
    add_cells(nb, "w = 1", "w", "for w in range(3):\n    print(w)")


def change_a_list_of_another_cell(nb):
    add_cells(nb, "w = [1]", "w.append(2)")


def draw_from_another_cells_generator(nb):
    add_cells(nb, "random = np.random.default_rng(0)", "random.normal()")


BREAKS = [
    (clear_outputs, rules.executed_once_in_order),
    (clear_one_cell, rules.executed_once_in_order),
    (another_runs_output, rules.executed_once_in_order),
    (add_timing, rules.metadata_is_normalised),
    (add_semicolon, rules.no_trailing_semicolon),
    (add_long_line, rules.lines_fit),
    (add_warning, rules.output_is_clean),
    (add_address, rules.output_is_clean),
    (add_path, rules.output_is_clean),
    (drop_alt, rules.figures_have_alt_text),
    (number_in_alt, rules.figures_have_alt_text),
    (drop_caption, rules.figures_have_alt_text),
    (drop_the_phone, rules.figures_are_drawn_for_a_phone),
    (ignore_without_reason, rules.ignored_cells_give_a_reason),
    (ignore_too_many, rules.ignored_cells_give_a_reason),
    (misspell_tag, rules.tags_are_known),
    (give_a_term_its_role, rules.terms_are_plain),
    (ask_for_no_answer, rules.guesses_come_back),
    (ask_once_more, rules.guesses_come_back),
    (answer_in_prose, rules.guesses_come_back),
    (answer_two_with_one_number, rules.guesses_come_back),
    (drop_prediction, rules.skeleton_is_complete),
    (unfold_solution, rules.exercises_are_complete),
    (drop_hint, rules.exercises_are_complete),
    (fail_solution, rules.exercises_are_complete),
    (make_a_name_again, rules.names_keep_their_meaning),
    (make_a_name_again_that_a_function_reads, rules.names_keep_their_meaning),
    (loop_over_a_name_again, rules.names_keep_their_meaning),
    (change_a_list_of_another_cell, rules.names_keep_their_meaning),
    (draw_from_another_cells_generator, rules.names_keep_their_meaning),
]


@pytest.mark.parametrize(("damage", "rule"), BREAKS, ids=lambda f: f.__name__)
def test_rule_sees_the_damage(damage: Callable, rule: Callable):
    sound = nbformat.read(NOTEBOOKS[0], as_version=4)
    broken = copy.deepcopy(sound)
    damage(broken)
    assert list(rule(sound)) == []
    assert list(rule(broken)) != []


@pytest.mark.parametrize(
    "sources",
    [
        ("w = 1\nw", "w = 2\nw"),  # nobody else reads it
        ("for w in range(3):\n    w", "for w in range(4):\n    w"),
        ("import json", "json.dumps(1)", "import json"),
        ("def f(w):\n    return w", "w = f(1)", "w"),  # of the function alone
        ("[w for w in range(3)]", "w = 1", "w"),
        ("def f():\n    return w\n\nw = 1\nf()", "w = 2\nw"),  # f serves its own cell alone
        ("class A:\n    def f(self):\n        pass", "def f():\n    pass", "f()"),
    ],
)
def test_names_that_do_no_harm(sources: tuple[str, ...]):
    notebook = nbformat.v4.new_notebook()
    add_cells(notebook, *sources)
    assert list(rules.names_keep_their_meaning(notebook)) == []
