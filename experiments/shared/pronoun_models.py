"""Where the transformers are that `translation.py` has trained."""

from collections.abc import Iterable
from pathlib import Path
from shlex import quote

from shared.logs import ROOT
from shared.translators import TRANSFORMERS

COMMITTED = ROOT / "weights" / "translator-transformer.safetensors"
ALL = [(arm, seed) for arm, seeds in TRANSFORMERS.items() for seed in seeds]


def kept_models(folder: Path, models: Iterable[tuple[str, int]] = ALL) -> dict[str, Path]:
    """List the files of models, by name; "final-0" is the committed one.

    Raises
    ------
    SystemExit
        If some are missing: which, and what makes them.
    """
    paths = {(arm, seed): folder / f"{arm}-{seed}.safetensors" for arm, seed in models}
    paths = {run: COMMITTED if run == ("final", 0) else path for run, path in paths.items()}
    missing = {run for run, path in paths.items() if not path.is_file()}
    commands = [
        f"    .venv/bin/python experiments/translation.py {quote(arm)} --seeds {seeds}"
        for arm in TRANSFORMERS
        if (seeds := " ".join(str(seed) for a, seed in sorted(missing) if a == arm))
    ]
    if missing:
        raise SystemExit("\n".join([f"{folder} lacks weights, which these make:", *commands]))
    return {f"{arm}-{seed}": path for (arm, seed), path in paths.items()}
