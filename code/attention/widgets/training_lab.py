"""The training lab: a run to scrub through, where the model looks (learning: She went)."""

from collections.abc import Iterable, Sequence
from typing import SupportsIndex

from attention.gradients import Frame
from attention.report import require
from attention.widgets._base import Explorable
from attention.widgets.training_run import Run, spread

MOST_ROWS = 9  # of the table


class TrainingLab(Explorable):
    """Scrub through a training run: loss, accuracy, and where the model looks.

    The page shows the loss and the accuracy of all frames, with a line for the best possible
    accuracy, and the attention maps of one frame. The reader plays the run, steps through it
    or drags a slider, and chooses the query whose weights are written out.

    Parameters
    ----------
    frames : iterable of attention.gradients.Frame
        All have maps of the same names, and steps that increase.
    tokens : sequence of str
        The keys of the example that the maps are about; also its queries, unless those
        are given.
    queries : sequence of str, optional
        The tokens that look, if they are others.
    start : int or str, optional
        The query that is chosen at first, by position (from 0) or, where it occurs once, by
        its token. Default: the last.
    title : str
        What is trained.
    label : str
        What is special about this run; it is called so where two runs stand side by side.
    beside : TrainingLab, optional
        Another run to compare with.

    Raises
    ------
    ValueError
        If there is no frame or no token, a map has another shape or weights that are not
        from 0 to 1, the steps do not increase, or the maps of frames have different names.

    Examples
    --------
    >>> weights = np.array([[0.25, 0.75]])
    >>> frame = Frame(step=0, loss=0.7, accuracy=0.5, best=1.0, maps={"weights": weights})
    >>> TrainingLab([frame], ["tea", "cup"], queries=["went"])
    Training. The best possible accuracy is 1.000.
    step  loss   accuracy
    0     0.700  0.500
    """

    element = "training-lab"

    def __init__(
        self,
        frames: Iterable[Frame],
        tokens: Sequence[str],
        queries: Sequence[str] | None = None,
        title: str = "Training",
        label: str = "",
        beside: "TrainingLab | None" = None,
        start: SupportsIndex | str | None = None,
    ):
        run = Run(tokens, queries, label, start)
        for frame in frames:
            run.add(frame)
        require(len(run.frames) > 0, "frames", "at least one frame", "none")
        self.title = title
        self._runs = [run, *(beside.runs[:1] if beside else [])]

    @property
    def runs(self) -> list[Run]:
        """The run, and the one beside it if there is one."""
        return self._runs

    @property
    def frames(self) -> list[Frame]:
        """The frames of the run, in order."""
        return list(self.runs[0].frames)

    def data(self) -> dict[str, object]:
        """Return what the element shows: ``title`` and ``runs``."""
        return {"title": self.title, "runs": [run.written() for run in self.runs]}

    def table(self) -> tuple[str, Sequence[str], Sequence[Sequence[str]]]:
        """Return loss and accuracy at steps spread over the run."""
        runs = [run for run in self.runs if run.frames]
        best = dict.fromkeys(_number(run.frames[-1].best) for run in runs)
        known = f"The best possible accuracy is {' and '.join(best)}." if best else "No frame yet."
        caption = f"{self.title}. {known}"
        names = [""] if len(runs) < 2 else [f" ({run.label or 'beside'})" for run in runs]
        header = ["step", *(f"{what}{name}" for name in names for what in ("loss", "accuracy"))]
        found = [{frame.step: frame for frame in run.frames} for run in runs]
        steps = list(found[0]) if found else []
        shown = [steps[i] for i in spread(len(steps), MOST_ROWS)]
        rows = [
            [str(step), *(text for at in found for text in _pair(at.get(step)))] for step in shown
        ]
        return caption, header, rows


def _pair(frame: Frame | None) -> tuple[str, str]:
    return (_number(frame.loss), _number(frame.accuracy)) if frame else ("–", "–")


def _number(number: float) -> str:
    return f"{number:.3f}"
