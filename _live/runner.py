"""Run the cells of a page and say what came out, as a notebook would.

The worker (`worker.js`) loads this module into the Python of the page. It keeps to
the standard library, so that it starts fast and can be tested in any Python;
NumPy and matplotlib are used only where a cell has brought them in.

An output is a dictionary, sent away as JSON in the moment it is there:

- ``{"kind": "stream", "name": "stdout" or "stderr", "text"}``
- ``{"kind": "display" or "result", "data": {mime type: text}, "metadata"}``
- ``{"kind": "error", "name", "message", "traceback"}``
- ``{"kind": "live", "data"}``: a figure that grows while the cell runs; then
  ``{"kind": "frames", "frames": [...]}`` for it, several times, and at its end a result
  with ``"watched": true``, which need not be shown
"""

import ast
import builtins
import importlib
import io
import json
import linecache
import os
import re
import sys
import tokenize
import traceback
import types
import warnings
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from inspect import signature
from itertools import accumulate
from pathlib import Path
from time import monotonic

Output = dict[str, object]
Frame = dict[str, object]
Emit = Callable[[str], object]

# ------------------------------------------------------------------- a session


class Session:
    """The Python of one page: its cells share one namespace.

    Parameters
    ----------
    emit : function of a string
        Gets every output as JSON.
    """

    def __init__(self, emit: Emit):
        self.main = types.ModuleType("__main__")
        self.outputs = Outputs(emit)
        self.streams = Stream("stdout", self.outputs), Stream("stderr", self.outputs)
        self.cells: dict[str, str] = {}  # by the file name in the traceback
        self.bound = ""  # the names that the last cell gave another meaning, with blanks
        self.succeeded = False  # did the last cell go to its end?
        self.is_narrow = False  # are figures drawn for a phone?
        self._going: Iterator[None] = iter(())  # the course of a cell that is watched
        self.is_stopped = False

    def run(self, cell: str, source: str) -> bool:
        """Run one cell, with nobody looking on; tell whether it went to its end."""
        for _ in self._course(cell, source, is_watched=False):
            pass
        return self.succeeded

    def begin(self, cell: str, source: str) -> bool:
        """Run one cell; tell whether it is one to be watched, which goes on by `go_on`.

        That is so if its last value grows, frame by frame, as the result of `watch` does.
        Between two frames the worker can listen to what the reader wants.
        """
        self.is_stopped = False
        self._going = self._course(cell, source, is_watched=True)
        return self._goes_on()

    def go_on(self, seconds: float) -> bool:
        """Let a watched cell go on for so long, and one frame at least; tell whether it can."""
        until = monotonic() + seconds
        goes_on = self._goes_on()
        while goes_on and monotonic() < until:
            goes_on = self._goes_on()
        self.outputs.send_frames()
        return goes_on

    def _goes_on(self) -> bool:
        try:
            next(self._going)
        except StopIteration:
            return False
        return True

    def stop(self) -> None:
        """End a watched cell; what came until now stays."""
        self.is_stopped = True
        for _ in self._going:
            pass

    def _course(self, cell: str, source: str, is_watched: bool) -> Iterator[None]:
        """Run a cell; pause after each frame of what is watched."""
        self.outputs.begin()
        before = dict(vars(self.main))
        with self._outputs_of_the_cell():
            try:
                yield from self._execute(self._file_name(cell, source), source, is_watched)
                self.succeeded = True
            except GeneratorExit:
                raise
            # Also SystemExit and KeyboardInterrupt: no cell ends Python.
            except BaseException as error:
                self._report(error)
                self.succeeded = False
            try:
                self.show_figures()
            except Exception as error:
                self._report(error)
                self.succeeded = False
        self.outputs.flush()
        self.bound = " ".join(differing(before, vars(self.main)))

    def display(self, *things: object) -> None:
        """Show things in the output of the running cell, each in its richest form."""
        for thing in things:
            self._show("display", thing)

    def show_figures(self) -> None:
        """Show the figures that are open, and close them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        try:
            for number in pyplot.get_fignums():
                self._show("display", pyplot.figure(number))
        finally:
            pyplot.close("all")

    def _execute(self, file_name: str, source: str, is_watched: bool) -> Iterator[None]:
        tree = ast.parse(source, file_name)
        last = tree.body[-1] if tree.body else None
        shown = isinstance(last, ast.Expr) and not ends_in_semicolon(source)
        if shown:
            tree.body.pop()
        names = vars(self.main)
        exec(compile(tree, file_name, "exec", dont_inherit=True), names)
        if not shown:
            return
        expression = compile(ast.Expression(last.value), file_name, "eval", dont_inherit=True)
        value = eval(expression, names)
        if value is None:
            return
        names["_"] = value
        live = repr_live(value) if is_watched else None
        if live is None:
            self._show("result", value)
        else:
            yield from self._watch(value, *live)

    def _watch(self, thing: object, html: str, frames: Iterator[Frame]) -> Iterator[None]:
        """Show a thing that grows: first the empty figure, then each frame that comes."""
        self.outputs.put({"kind": "live", "data": {"text/plain": "", "text/html": html}})
        yield
        for frame in frames:
            self.outputs.frames.append(frame)
            yield
            if self.is_stopped:
                break
        data = {"text/plain": pretty(thing)}
        self.outputs.put({"kind": "result", "data": data, "metadata": {}, "watched": True})

    def _show(self, kind: str, thing: object) -> None:
        # A script meant for JupyterLab: the page brings its own.
        if isinstance(thing, Javascript):
            return
        # A figure that would not be shown need not be drawn either: that takes time.
        if kind == "result" or self.outputs.has_room():
            phone = sys.modules.get("attention.phone")  # there if the cells use the book's style
            if self.is_narrow and phone and is_figure(thing) and thing.axes:
                phone.lay_out(thing)
            data, metadata = mime_bundle(thing)
            self.outputs.put({"kind": kind, "data": data, "metadata": metadata})
        if is_figure(thing) and (pyplot := sys.modules.get("matplotlib.pyplot")):
            pyplot.close(thing)

    def _report(self, error: BaseException) -> None:
        self.outputs.put(explain(error, self.cells))

    def _file_name(self, cell: str, source: str) -> str:
        """Keep the source where tracebacks and `inspect.getsource` look for it.

        Every run has a name of its own, since a function made by an earlier run keeps
        the lines of that run.
        """
        name = f"<{cell} {len(self.cells) + 1}>"
        self.cells[name] = cell
        lines = [f"{line}\n" for line in source.splitlines()]
        linecache.cache[name] = (len(source), None, lines, name)
        return name

    @contextmanager
    def _outputs_of_the_cell(self) -> Iterator[None]:
        stdout, stderr = self.streams
        show_warning = warnings.showwarning
        seen = set()

        def show_once(message: object, category: type, *place: object) -> None:
            text = f"{category.__name__}: {message}\n"
            if text not in seen:
                seen.add(text)
                stderr.write(text)

        # Entering and leaving makes Python forget which warnings it has given, so
        # that a cell that is run again warns again.
        with warnings.catch_warnings():
            pass
        warnings.showwarning = show_once
        try:
            with redirect_stdout(stdout), redirect_stderr(stderr):
                yield
        finally:
            warnings.showwarning = show_warning


def differing(before: dict[str, object], after: dict[str, object]) -> list[str]:
    """Return the names that are not the same thing as before, those of Python left out."""
    nothing = object()
    return [
        name
        for name in before | after
        if before.get(name, nothing) is not after.get(name, nothing) and name[0] != "_"
    ]


def ends_in_semicolon(source: str) -> bool:
    """Tell whether a cell asks, as in a notebook, not to show its last value."""
    comments = (tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.ENDMARKER)
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    last = [token.string for token in tokens if token.type not in comments][-1:]
    return last == [";"]


# --------------------------------------------------------------------- outputs

# More than anyone reads, less than what makes a page slow.
MOST_CHARACTERS = 200_000
# What a box on the page costs, however little is in it, in characters: a display, a
# picture, or text for the other stream.
BOX = 2_000
CUT = (
    f"\n… cut: a cell shows at most {MOST_CHARACTERS:,} characters, "
    f"or about {MOST_CHARACTERS // BOX} displays.\n"
)
# The first lines of a cell are sent one by one, so that they can be seen if the
# cell never ends. Then lines are sent together, as often as an eye can follow.
FIRST_LINES = 100
PAUSE = 0.05  # seconds


class Outputs:
    """What a cell gives out, in order; small writes are put together."""

    def __init__(self, emit: Emit):
        self.emit = emit
        self.begin()

    def begin(self) -> None:
        """Start with the next cell."""
        self.left = MOST_CHARACTERS
        self.is_cut = False
        self.lines = 0
        self.sent = monotonic()
        self.stream = ""
        self.written: list[str] = []
        self.frames: list[Frame] = []  # of a thing that is watched, not yet sent

    def write(self, stream: str, text: str) -> None:
        """Take text for stdout or stderr."""
        if stream != self.stream:
            self.flush()
            self.left -= BOX if self.stream else 0
            self.stream = stream
        if not self.has_room():
            return
        self.written.append(text[: self.left])
        self.left -= len(text)
        if not self.has_room():
            return
        if "\n" in text:
            self.lines += 1
            if self.lines <= FIRST_LINES or monotonic() - self.sent > PAUSE:
                self.flush()

    def has_room(self) -> bool:
        """Tell whether more can be shown; say so in the output, once, if it cannot."""
        if self.left < 0 and not self.is_cut:
            self.is_cut = True
            if self.written:
                self.written.append(CUT)
            else:
                self.stream = "stdout"
                self.written.append(CUT.lstrip())
            self.flush()  # now: the cell may never end
        return self.left >= 0

    def flush(self) -> None:
        """Send what has been written."""
        self.send_frames()
        text = "".join(self.written)
        self.written.clear()
        self.sent = monotonic()
        if text:
            self._send({"kind": "stream", "name": self.stream, "text": text})

    def send_frames(self) -> None:
        """Send the frames of what is watched, all that have come since the last time."""
        if self.frames:
            self._send({"kind": "frames", "frames": self.frames})
            self.frames = []

    def put(self, output: Output) -> None:
        """Send an output that is not a stream."""
        self.flush()
        if data := output.get("data"):
            self.left -= cost(data)
            data["text/plain"] = cut(data["text/plain"], MOST_CHARACTERS)
        self._send(output)

    def _send(self, output: Output) -> None:
        self.emit(json.dumps(output))


def cost(data: dict[str, str]) -> int:
    """Return how much of a cell's room a display takes. Pictures hold no text."""
    texts = (text for mime, text in data.items() if not mime.startswith("image/"))
    return BOX + sum(map(len, texts))


def cut(text: str, room: int) -> str:
    """Shorten a text, and say so, if there is not enough room for it."""
    return text if len(text) <= room else text[:room] + CUT


class Stream(io.TextIOBase):
    """`sys.stdout` or `sys.stderr` of a cell."""

    encoding = "utf-8"

    def __init__(self, name: str, outputs: Outputs):
        self.name = name
        self.outputs = outputs

    def writable(self) -> bool:
        """Tell that this stream takes text."""
        return True

    def write(self, text: str) -> int:
        """Take text, as `print` gives it."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.outputs.write(self.name, text)
        return len(text)

    def flush(self) -> None:
        """Send what has been written."""
        self.outputs.flush()


# ------------------------------------------------------------ what a thing shows

REPRESENTATIONS = {
    "text/html": "_repr_html_",
    "text/markdown": "_repr_markdown_",
    "image/svg+xml": "_repr_svg_",
    "image/png": "_repr_png_",
}


def mime_bundle(thing: object) -> tuple[dict[str, str], dict[str, object]]:
    """Return the forms a thing can be shown in, by mime type, and their metadata."""
    data, metadata = {"text/plain": pretty(thing)}, {}
    if is_figure(thing):
        forms = {"image/png": picture(thing)}
    elif isinstance(thing, type):  # its methods are for its instances
        forms = {}
    elif callable(method := getattr(thing, "_repr_mimebundle_", None)):
        made = method(include=None, exclude=None)
        forms, metadata = made if isinstance(made, tuple) else (made, {})
    else:
        methods = {mime: getattr(thing, name, None) for mime, name in REPRESENTATIONS.items()}
        forms = {mime: method() for mime, method in methods.items() if callable(method)}
    for mime, form in (forms or {}).items():
        content, details = form if isinstance(form, tuple) else (form, None)
        if content is not None:
            data[mime] = as_text(content)
        if details:
            metadata = {**metadata, mime: details}
    return data, metadata


def repr_live(thing: object) -> tuple[str, Iterator[Frame]] | None:
    """Return what a thing is before its first frame, as HTML, and its frames, if it grows."""
    method = getattr(thing, "_repr_live_", None)
    return method() if callable(method) and not isinstance(thing, type) else None


def as_text(content: object) -> str:
    """Write bytes, such as those of a picture, as text."""
    return b64encode(content).decode() if isinstance(content, bytes) else str(content)


def is_figure(thing: object) -> bool:
    """Tell whether a thing is a figure of matplotlib."""
    figures = sys.modules.get("matplotlib.figure")
    return figures is not None and isinstance(thing, figures.Figure)


def picture(figure: object) -> tuple[bytes, dict[str, int]] | None:
    """Draw a figure at twice its density, as the book's style asks for."""
    if not figure.axes and not figure.lines:
        return None
    file = io.BytesIO()
    figure.savefig(
        file,
        format="png",
        dpi=2 * figure.dpi,
        bbox_inches="tight",
        facecolor=figure.get_facecolor(),
        edgecolor=figure.get_edgecolor(),
    )
    png = file.getvalue()
    # A PNG says how wide and high it is right after its first 16 bytes.
    width, height = int.from_bytes(png[16:20]), int.from_bytes(png[20:24])
    return png, {"width": width // 2, "height": height // 2}


# ------------------------------------------------------- plain text, as in Jupyter

WIDTH = 79
MOST_ITEMS = 1000
BRACKETS = {
    list.__repr__: ("[", "]"),
    tuple.__repr__: ("(", ")"),
    dict.__repr__: ("{", "}"),
    set.__repr__: ("{", "}"),
    frozenset.__repr__: ("frozenset({", "})"),
}


class Group(list):
    """Things between brackets: on one line if they fit, otherwise one on each line.

    Each item is a list of texts and groups, to be written one after the other.
    """

    def __init__(self, start: str, items: Iterable[list], end: str):
        super().__init__(items)
        self.start, self.end = start, end

    def on_one_line(self) -> str:
        """Write the group without a break."""
        items = ("".join(map(on_one_line, item)) for item in self)
        return self.start + ", ".join(items) + self.end


def pretty(thing: object) -> str:
    """Write a thing as a notebook does: `repr`, with long lists and dicts broken up."""
    return laid_out(parsed(thing), 0, 0, 0)


def parsed(thing: object, inside: tuple[int, ...] = ()) -> str | Group:
    """Return the text of a thing, or its parts when it may be broken up."""
    if isinstance(thing, type) and type(thing).__repr__ is type.__repr__:
        return thing.__qualname__ if thing.__module__ == "builtins" else full_name(thing)
    if isinstance(thing, types.FunctionType | types.BuiltinFunctionType):
        return f"<function {full_name(thing)}{signature_of(thing)}>"
    if type(thing).__repr__ is object.__repr__:
        return f"<{full_name(type(thing))} at {id(thing):#x}>"
    if type(thing).__repr__ not in BRACKETS:
        return "\n".join(repr(thing).splitlines())
    start, end = BRACKETS[type(thing).__repr__]
    if id(thing) in inside:
        return f"{start}...{end}"
    if not thing and isinstance(thing, set | frozenset):
        return f"{type(thing).__name__}()"
    inside = (*inside, id(thing))
    if isinstance(thing, dict):
        items = [[key, value] for key, value in limited(thing.items())]
        items = [[parsed(key, inside), ": ", parsed(value, inside)] for key, value in items]
    else:
        items = [[parsed(item, inside)] for item in limited(in_order(thing))]
    if len(thing) > MOST_ITEMS:
        items.append(["..."])
    if isinstance(thing, tuple) and len(thing) == 1:
        end = ",)"
    return Group(start, items, end)


def laid_out(part: str | Group, indent: int, column: int, after: int) -> str:
    """Write a part.

    Parameters
    ----------
    part : str or Group
    indent : int
        Where its further lines start.
    column : int
        Where its first line starts.
    after : int
        How many characters follow on its last line, in any case.
    """
    line = on_one_line(part)
    if isinstance(part, str):
        return line.replace("\n", "\n" + " " * indent)
    if "\n" not in line and column + len(line) + after <= WIDTH:
        return line
    indent += len(part.start)
    column += len(part.start)
    written = []
    for number, item in enumerate(part, start=1):
        follows = 1 if number < len(part) else len(part.end) + after
        text = ""
        for piece in item:
            last = piece is item[-1]
            text += laid_out(piece, indent, column + len(text), follows if last else 0)
        written.append(text)
        column = indent
    return part.start + (",\n" + " " * indent).join(written) + part.end


def on_one_line(part: str | Group) -> str:
    """Write a part without a break of ours."""
    return part if isinstance(part, str) else part.on_one_line()


def limited(items: Iterable) -> Iterator:
    """Give no more items than are shown."""
    return (item for item, _ in zip(items, range(MOST_ITEMS), strict=False))


def in_order(items: Iterable) -> Iterable:
    """Sort a set that is not too large, if it can be sorted."""
    if not isinstance(items, set | frozenset) or len(items) >= MOST_ITEMS:
        return items
    try:
        return sorted(items)
    except Exception:
        return sorted(items, key=str)


def full_name(thing: object) -> str:
    """Return the name of a class or function, with its module."""
    module = thing.__module__
    return thing.__qualname__ if module in (None, "builtins") else f"{module}.{thing.__qualname__}"


def signature_of(function: Callable) -> str:
    """Return the parameters of a function, if it tells them."""
    try:
        return str(signature(function))
    except ValueError:
        return ""


# ---------------------------------------------------------------------- errors

# The lines of a group's errors begin with bars.
FRAME = re.compile(r'^([\s|]*)File "(<[^"\n]*>)", line (\d+)(, in <module>)?', re.MULTILINE)
NO_EXIT = "The cell ends here. Python in the page goes on: there is nothing to exit from."
NO_INPUT = "input() cannot ask in the page. Write the value into the cell instead."
NO_MAGIC = "Lines that begin with % or ! are for Jupyter; the page runs Python only."
NO_QUESTION = "A question mark asks Jupyter for help; in the page, write help({name})."
NO_AWAIT = "A cell of the page cannot await; download the notebook to run this."
NO_LOOP = "The page cannot run an event loop; download the notebook to run this."
QUESTION = re.compile(r"\?{0,2}([\w.]+)\?{0,2}")


def explain(error: BaseException, cells: dict[str, str]) -> Output:
    """Write an error as Python does, with the reader's own lines alone.

    Parameters
    ----------
    error : BaseException
    cells : dict
        The cells by the file name that a traceback gives them.
    """
    if isinstance(error, SystemExit):
        error = SystemExit(NO_EXIT).with_traceback(error.__traceback__)
    if isinstance(error, SyntaxError) and error.text is None and error.filename in cells:
        error.text = linecache.getline(error.filename, error.lineno)
    report = traceback.TracebackException.from_exception(error)
    trim(report, cells)
    name, hint = type_name(error), hint_for(error)
    # After the place of a syntax error comes what is wrong, in one line or more.
    last = list(report.format_exception_only())
    while last and not last[0].startswith(name):
        last.pop(0)
    said = "".join(last)
    message = "\n".join(filter(None, (said.removeprefix(name).lstrip(":").strip(), hint)))
    text = "".join(report.format()).rstrip()
    if text.endswith(said.rstrip()):  # a group of errors ends in the errors of the group
        text = text.removesuffix(said.rstrip()) + (f"{name}: {message}" if message else name)
    text = FRAME.sub(lambda match: in_cell(match, cells), text)
    return {"kind": "error", "name": name, "message": message, "traceback": text}


def trim(report: traceback.TracebackException, cells: dict[str, str]) -> bool:
    """Drop the frames of libraries, here and in the errors that led to this one.

    Returns
    -------
    kept : bool
        Whether a line of the reader is left.
    """
    frames = [frame for frame in report.stack if frame.filename in cells]
    # What is wrong with the syntax of a cell is not in a frame.
    of_cell = getattr(report, "filename", None) in cells
    report.stack = None if of_cell else traceback.StackSummary.from_list(frames)
    if report.__cause__ and not trim(report.__cause__, cells):
        report.__cause__ = None
    if report.__context__ and not trim(report.__context__, cells):
        report.__context__ = None
    for inner in getattr(report, "exceptions", None) or ():
        trim(inner, cells)
    return bool(frames) or of_cell


def in_cell(match: re.Match, cells: dict[str, str]) -> str:
    """Say "Cell" where Python says "File"."""
    indent, file_name, line, _ = match.groups()
    if file_name not in cells:
        return match.group()
    return f'{indent}Cell "{cells[file_name]}", line {line}'


def type_name(error: BaseException) -> str:
    """Name the type of an error as a traceback does."""
    kind = type(error)
    if kind.__module__ in ("__main__", "builtins"):
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def hint_for(error: BaseException) -> str:
    """Say what is different in the page, where that is the reason of an error."""
    if isinstance(error, ModuleNotFoundError) and error.name:
        package = error.name.partition(".")[0]
        if not is_there(package):
            return f"{package} is not available in the page; download the notebook to run this."
    if isinstance(error, SyntaxError):
        line = (error.text or "").strip()
        question = QUESTION.fullmatch(line)
        if line.startswith(("%", "!")):
            return NO_MAGIC
        if question and "?" in line:
            return NO_QUESTION.format(name=question[1])
        if error.msg == "'await' outside function":
            return NO_AWAIT
    # What asyncio.run comes to in a browser.
    if isinstance(error, RuntimeError) and "stack switch" in str(error):
        return NO_LOOP
    return ""


def is_there(package: str) -> bool:
    """Tell whether a package can be imported."""
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):
        return False


# ------------------------------------------------------- what a cell will import

OURS = "attention"  # the book's package


def needs(source: str, packages: Iterable[str]) -> list[str]:
    """Tell which packages a cell is going to import, itself or through our modules.

    Parameters
    ----------
    source : str
        The cell.
    packages : iterable of str
        The packages that are loaded only when they are needed.

    Returns
    -------
    needed : list of str
        In the order of `packages`.
    """
    wanted, looked_at = [source], set()
    names = set()
    while wanted:
        for module in imported(wanted.pop()) - looked_at:
            looked_at.add(module)
            names.add(module.partition(".")[0])
            wanted.append(source_of(module))
    return [package for package in packages if package in names]


@cache  # the same modules come up with every cell
def imported(source: str) -> frozenset[str]:
    """Return the modules a source names: in its imports, or with dots, as `a.b`."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return frozenset()  # running it will tell
    modules = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            modules |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            modules.add(f"{node.value.id}.{node.attr}")
    # Importing a.b.c imports a and a.b as well.
    paths = (accumulate(module.split("."), "{}.{}".format) for module in modules)
    return frozenset(module for path in paths for module in path)


@cache
def source_of(module: str) -> str:
    """Return the source of a module of our package, or nothing."""
    package, *inside = module.split(".")
    if package != OURS or not is_there(package):
        return ""
    place = Path(find_spec(package).origin).parent.joinpath(*inside)
    files = (place / "__init__.py", place.with_suffix(".py"))
    return next((file.read_text(encoding="utf-8") for file in files if file.is_file()), "")


# ------------------------------------------------------ Python as it is in the page

BACKEND = "figures_of_the_page"
# A browser's stack is smaller than Python takes it to be; if it overflows, this
# Python is lost. Calls that go through C (`sorted`, `repr`) need most of it.
DEEPEST_CALL = 300


class Javascript:
    """A script; the page runs none that comes out of a cell."""

    def __init__(self, data: str):
        self.data = data


class Html:
    """Text to be shown as HTML."""

    def __init__(self, data: str):
        self.data = data

    def _repr_html_(self) -> str:
        return self.data


class Markdown:
    """Text to be shown as Markdown."""

    def __init__(self, data: str):
        self.data = data

    def _repr_markdown_(self) -> str:
        return self.data


def start(emit: Emit) -> Session:
    """Make this Python the Python of a page, and return its session."""
    session = Session(emit)
    sys.modules["__main__"] = session.main
    sys.meta_path.append(FigureBackend(session))
    os.environ["MPLBACKEND"] = f"module://{BACKEND}"
    provide_ipython(session)
    sys.setrecursionlimit(DEEPEST_CALL)
    builtins.input = refuse_input
    builtins.exit = builtins.quit = sys.exit
    return session


def refuse_input(prompt: object = "") -> str:
    """Stand in for `input`: nobody can answer in the page."""
    raise RuntimeError(NO_INPUT)


class FigureBackend:
    """A backend of matplotlib: Agg, which needs no screen, and a `show` for the page.

    It is put together when matplotlib asks for it; matplotlib is not there before.
    """

    def __init__(self, session: Session):
        self.session = session

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Be found under one name."""
        return ModuleSpec(name, self) if name == BACKEND else None

    def create_module(self, spec: ModuleSpec) -> None:
        """Leave the making of the module to Python."""

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill the module."""
        agg = importlib.import_module("matplotlib.backends.backend_agg")
        module.FigureCanvas = agg.FigureCanvas
        module.show = lambda *given, **options: self.session.show_figures()


def provide_ipython(session: Session) -> None:
    """Stand in for the part of IPython that notebooks call by name."""
    display = module(
        "IPython.display",
        display=session.display,
        HTML=Html,
        Javascript=Javascript,
        Markdown=Markdown,
    )
    # matplotlib looks at both of these.
    module("IPython", display=display, get_ipython=lambda: None, version_info=(9, 0))
    builtins.display = session.display


def module(name: str, **contents: object) -> types.ModuleType:
    """Make a module that can be imported by its name."""
    made = types.ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    vars(made).update(contents)
    sys.modules[name] = made
    return made
