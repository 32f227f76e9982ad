"""Watch a model learn: a training lab that grows while a cell trains (learning: She went)."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields, is_dataclass
from time import monotonic
from typing import SupportsIndex

from attention.gradients import Frame
from attention.widgets.training_lab import TrainingLab
from attention.widgets.training_run import Run, written

PAUSE = 1.0  # seconds from one picture to the next in JupyterLab


def watch(
    frames: Iterable[Frame],
    tokens: Sequence[str],
    label: object = "",
    queries: Sequence[str] | None = None,
    title: str = "Training",
    recorded: TrainingLab | None = None,
    start: SupportsIndex | str | None = None,
) -> "Watched":
    """Train, and show how it goes: what the last line of a cell gives.

    In the page and in JupyterLab the loss, the accuracy and the maps move while the model
    trains. The reader may stop it; what came until then stays. In a notebook that is
    executed with nobody looking on, the cell shows the whole run, or the recorded one.

    Parameters
    ----------
    frames : iterable of attention.gradients.Frame
        Usually a generator that trains, such as ``look_up.train(settings, every=5)``; no
        step is made before somebody looks.
    tokens : sequence of str
        The keys of the example, and its queries too unless those are given.
    label : str or dataclass
        What is special about this run. Of a dataclass of settings: those that differ from
        their defaults.
    queries : sequence of str, optional
    title : str
        What is trained.
    recorded : TrainingLab, optional
        What to show, in place of training, where nobody looks on: for a run that takes long.
    start : int or str, optional
        The query that is chosen at first, as for ``TrainingLab``.

    Returns
    -------
    watched : Watched
        A training lab. To ask for its ``frames`` before it was shown trains without showing.

    Raises
    ------
    ValueError
        As ``TrainingLab``, while it trains.

    Examples
    --------
    >>> watch(look_up.train(settings), settings.example_tokens(), label=settings)
    """
    return Watched(frames, Run(tokens, queries, label_of(label), start), title, recorded)


class Watched(TrainingLab):
    """A training lab whose frames come when somebody looks."""

    def __init__(
        self, frames: Iterable[Frame], run: Run, title: str, recorded: TrainingLab | None = None
    ):
        self._coming = iter(frames)
        self.run, self.title, self.recorded = run, title, recorded

    @property
    def runs(self) -> list[Run]:
        """The run as far as it came; if nobody has looked on, all of it, or the recorded one."""
        if not self.run.frames:
            if self.recorded:
                return self.recorded.runs
            for _ in self.train():
                pass
        return [self.run]

    def train(self) -> Iterator[Frame]:
        """Train, and yield each frame; whoever asks for them may stop when it likes."""
        for frame in self._coming:
            self.run.add(frame)
            yield frame

    def _repr_live_(self) -> tuple[str, Iterator[dict[str, object]]] | None:
        """Return the element before the first frame, and what it is to be told of each.

        The page shows the one and trains with the other, unless the run is there already.
        """
        if self.run.frames:
            return None
        return Part(self)._repr_html_(), map(written, self.train())

    def _ipython_display_(self) -> None:
        """Show the run in JupyterLab while it grows."""
        if self.run.frames or not somebody_looks_on():
            raise NotImplementedError  # IPython shows it as it shows any other thing
        from IPython.display import display

        shown = display(Part(self), display_id=True)
        last = monotonic()
        try:
            for _ in self.train():
                if monotonic() - last > PAUSE:
                    shown.update(Part(self))
                    last = monotonic()
        finally:  # also when the reader interrupts it
            shown.update(Part(self, goes_on=False))


class Part(TrainingLab):
    """What has come of a run so far."""

    def __init__(self, lab: Watched, goes_on: bool = True):
        self.title, self._runs, self.goes_on = lab.title, [lab.run], goes_on

    def data(self) -> dict[str, object]:
        """Return what the element shows, and whether more is to come."""
        return super().data() | ({"goes_on": True} if self.goes_on else {})


def label_of(settings: object) -> str:
    """Return a label as it is, and of a dataclass of settings what is not as by default."""
    if not is_dataclass(settings):
        return str(settings)
    changed = [
        f"{field.name} {getattr(settings, field.name)}"
        for field in fields(settings)
        if getattr(settings, field.name) != field.default
    ]
    return ", ".join(changed) or "as by default"


def somebody_looks_on() -> bool:
    """Tell whether a cell of an open notebook asked, and not a program that executes them all.

    JupyterLab and other editors say which cell they ask for; nbclient and nbval do not.
    """
    from IPython import get_ipython

    shell = get_ipython()
    asked = shell.get_parent() if hasattr(shell, "get_parent") else {}
    return "cellId" in asked.get("metadata", {})
