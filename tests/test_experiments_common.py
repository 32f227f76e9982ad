"""What the experiments share, and that they share it."""

import ast
import csv
import importlib
import json
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

import common
from attention.pretrained import files
from attention.training import Batch, Recipe, TrainingRun, read_tensors
from shared import logs


def denormals_are_zero() -> bool:
    return sys.float_info.min / 2 == 0


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures("two_threads")
def test_threads_leave_torch_as_it_was():
    assert not denormals_are_zero()

    @common.threads(1, flush_denormals=True)
    def fail() -> None:
        assert torch.get_num_threads() == 1
        assert denormals_are_zero()
        with common.threads(1):
            assert denormals_are_zero()
        assert denormals_are_zero()
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert torch.get_num_threads() == 2
    assert not denormals_are_zero()


@pytest.mark.usefixtures("two_threads")
@pytest.mark.parametrize(
    ("script", "function", "job", "stopped_at"),
    [
        ("scaling", "measure", (16, "scaled", 0.01, 0), "train"),
        ("two_heads", "measure", ("one look-up", 1, 0.002, 0), "train"),
        ("two_heads", "example", ("one look-up", 1, 0.002, 0), "train"),
        ("reach", "measure", ("short delay", "rnn", 0), "TrainingRun"),
    ],
)
def test_experiments_leave_torch_as_it_was(monkeypatch, script, function, job, stopped_at):
    module = importlib.import_module(script)

    def stop(*_: object, **__: object) -> None:
        assert torch.get_num_threads() == 1
        assert denormals_are_zero()
        raise KeyboardInterrupt

    monkeypatch.setattr(module, stopped_at, stop)
    with pytest.raises(KeyboardInterrupt):
        getattr(module, function)(*job)
    assert torch.get_num_threads() == 2
    assert not denormals_are_zero()


# -------------------------------------------------------------------- jobs that are taken up

STOPS = (3, 7, 8)


class Numbers(nn.Module):
    """A model that is soon trained: one vector for each symbol, and dropout."""

    def __init__(self):
        super().__init__()
        self.logits = nn.Embedding(9, 9)
        self.dropout = nn.Dropout(0.5)

    def forward(self, source: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.logits(source))


def new_run(rate: float = 0.1) -> TrainingRun:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = Numbers()
    generator = torch.Generator().manual_seed(0)
    # As many batches as updates: after the last there is no next one.
    rows = torch.randint(3, 9, (STOPS[-1], 2, 4, 5), generator=generator)
    return TrainingRun(model, [Batch(source, target) for source, target in rows], Recipe(rate))


def measured(run: TrainingRun, keep: Path | None) -> list[dict]:
    def at_stop() -> dict:
        weights = run.model.logits.weight
        return {"updates": run.step, "sum": weights.sum().item(), "losses": len(run.log)}

    return list(common.stops(run, STOPS, at_stop, keep))


@pytest.fixture
def every_two(monkeypatch):
    monkeypatch.setattr(common, "SAVE_EVERY", 2)


@pytest.mark.arithmetic
@pytest.mark.usefixtures("every_two")
@pytest.mark.parametrize("killed_before", range(1, 9))
def test_an_interrupted_run_goes_on_and_gives_the_same(tmp_path, monkeypatch, killed_before):
    whole = new_run()
    expected = measured(whole, None)

    class Killed(TrainingRun):
        def _take_step(self, *arguments: object) -> None:
            if self.step + 1 == killed_before:
                raise KeyboardInterrupt
            super()._take_step(*arguments)

    first, second = new_run(), new_run()
    first.__class__ = Killed
    with pytest.raises(KeyboardInterrupt):
        measured(first, tmp_path / "job")
    steps = []
    take_step = TrainingRun._take_step
    monkeypatch.setattr(
        TrainingRun,
        "_take_step",
        lambda run, *arguments: (steps.append(run.step), take_step(run, *arguments)),
    )
    assert measured(second, tmp_path / "job") == expected
    assert torch.equal(second.model.logits.weight, whole.model.logits.weight)
    assert [entry[:3] for entry in second.log] == [entry[:3] for entry in whole.log]
    assert steps[0] >= killed_before - 1 - common.SAVE_EVERY  # it does not start afresh
    assert killed_before < 4 or steps[0] > 0


@pytest.mark.usefixtures("every_two")
@pytest.mark.parametrize("changed", ["commit", "processor", "torch", "recipe"])
def test_nobody_goes_on_with_what_would_not_give_the_same(tmp_path, monkeypatch, capsys, changed):
    measured(new_run(), tmp_path / "job")
    if changed != "recipe":
        head = common.head()
        monkeypatch.setattr(common, "head", lambda: head | {changed: "another"})
    again = new_run(rate=0.2 if changed == "recipe" else 0.1)
    expected = new_run(rate=0.2 if changed == "recipe" else 0.1)
    assert measured(again, tmp_path / "job") == measured(expected, None)
    assert "starts afresh" in capsys.readouterr().out


LOG = common.ROOT / "experiments" / "trial.csv"  # there is no such file
JOBS = [(arm, seed) for arm in ("b", "a, twice") for seed in (0, 1)]


def rows_by_hand(arm: str, seed: int, asked: common.Asked) -> list[dict]:
    with (asked.output / "done").open("a", encoding="utf-8") as file:
        file.write(f"{arm} {seed}\n")
    if (arm, seed) == JOBS[2] and not (asked.output / "whole").exists():
        raise KeyboardInterrupt
    return [{"arm": arm, "seed": seed, "step": step, "loss": 0.5 / step} for step in (1, 2)]


def asked_for(folder: Path, *flags: str) -> common.Asked:
    return common.arguments(
        str(LOG), "Try.", ("b", "a, twice"), (0, 1), ["--output", str(folder), *flags]
    )


@pytest.mark.arithmetic
@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_command_goes_on_with_the_jobs_that_are_not_done(tmp_path, processes):
    asked = asked_for(tmp_path, "--jobs", processes)
    with pytest.raises(KeyboardInterrupt):
        common.run(rows_by_hand, JOBS, asked, [LOG], ("arm", "seed"))
    filed = {f"{row['arm']} {row['seed']}" for row in logs.read_rows(tmp_path / "trial.csv")}
    assert filed <= {"b 0", "b 1", "a, twice 1"}
    assert filed
    (tmp_path / "whole").touch()
    done = (tmp_path / "done").read_text(encoding="utf-8").splitlines()
    results = common.run(rows_by_hand, JOBS, asked, [LOG], ("arm", "seed"))
    assert list(results) == JOBS
    now = (tmp_path / "done").read_text(encoding="utf-8").splitlines()[len(done) :]
    assert not filed & set(now)
    assert "a, twice 0" in now
    assert (tmp_path / "trial.csv").read_bytes() == (
        b"arm,seed,step,loss\nb,0,1,0.5\nb,0,2,0.25\nb,1,1,0.5\nb,1,2,0.25\n"
        b'"a, twice",0,1,0.5\n"a, twice",0,2,0.25\n"a, twice",1,1,0.5\n"a, twice",1,2,0.25\n'
    )
    (head,) = json.loads((tmp_path / "trial.head.json").read_text(encoding="utf-8"))
    assert head == logs.head() | {"runs": "all"}
    # All is done, so the next command is a new one.
    assert not [path for path in asked.kept.rglob("*") if path.is_file()]
    common.run(rows_by_hand, JOBS[:1], asked, [LOG], ("arm", "seed"), JOBS)
    assert (tmp_path / "done").read_text(encoding="utf-8").endswith("b 0\n")


def test_fresh_starts_afresh(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        common.run(rows_by_hand, JOBS, asked_for(tmp_path, "--jobs", "1"), [LOG], ("arm", "seed"))
    (tmp_path / "whole").touch()
    (tmp_path / "done").unlink()
    asked = asked_for(tmp_path, "--fresh", "--jobs", "1")
    common.run(rows_by_hand, JOBS, asked, [LOG], ("arm", "seed"))
    assert (tmp_path / "done").read_text(encoding="utf-8").splitlines()[0] == "b 0"


# ----------------------------------------------------------------------------------- the logs


def test_rows_are_replaced_by_key_and_stand_in_order(tmp_path):
    log = tmp_path / "log.csv"
    order = [("b", 0), ("b", 1), ("a", 0)]
    rows = [{"arm": "a", "seed": 0, "loss": "1"}, {"arm": "x", "seed": 0, "loss": "2"}]
    logs.file_rows(log, rows, ("arm", "seed"), order)
    wider = [{"arm": "b", "seed": seed, "extra": "5", "loss": "é"} for seed in (1, 0)]
    logs.file_rows(log, wider, ("arm", "seed"), order)
    logs.file_rows(log, [{"arm": "a", "seed": "0", "loss": "7"}], ("arm", "seed"), order)
    assert log.read_bytes().decode("utf-8") == (
        "arm,seed,extra,loss\nb,0,5,é\nb,1,5,é\na,0,,7\nx,0,,2\n"
    )
    assert list(tmp_path.iterdir()) == [log]


@pytest.mark.parametrize("name", sorted(path.name for path in logs.ROOT.glob("experiments/*.csv")))
def test_filing_leaves_a_committed_log_as_it_is(tmp_path, name):
    """As does each script, when it does again what has been done."""
    committed = logs.ROOT / "experiments" / name
    rows = logs.read_rows(committed)
    key = list(rows[0])[:2]
    order = list(dict.fromkeys(tuple(row[column] for column in key) for row in rows))
    again = tmp_path / name
    logs.file_rows(again, rows, key, order)
    found = again.read_bytes()
    in_order = sorted(rows, key=lambda row: order.index(tuple(row[column] for column in key)))
    if in_order == rows:
        assert found == committed.read_bytes()
    assert len(logs.read_rows(again)) == len(rows)


def test_the_head_says_not_recorded_of_older_rows(tmp_path):
    path, key, order = tmp_path / "log.head.json", ("arm", "seed"), [("b", 0), ("b", 1), ("a", 0)]
    old = [{"arm": "b", "seed": 0}, {"arm": "b", "seed": 1}]
    logs.file_rows(tmp_path / "log.csv", old, key, order)
    here = logs.head()

    def filed(made_on: dict, *runs: tuple) -> list:
        rows = [dict(zip(key, run, strict=True)) for run in runs]
        logs.file_head(path, made_on, rows, key, order)
        return json.loads(path.read_text(encoding="utf-8"))

    assert filed(here, ("b", 1)) == [
        logs.NOT_RECORDED | {"runs": ["b, 0"]},
        here | {"runs": ["b, 1"]},
    ]
    elsewhere = here | {"processor": "another"}
    filed(elsewhere, ("a", 0))
    filed(here, ("b", 0))
    assert filed(here, ("a", 0)) == [here | {"runs": "all"}]


def test_the_head_is_whole():
    head = logs.head()
    assert set(head) == set(logs.NOT_RECORDED)
    assert all(head.values())
    assert head["torch"] == torch.__version__


# -------------------------------------------------------------------------------- the scripts

# What each is asked for below; a list of flags and arms.
QUICK = {
    "bert_heads": [],
    "blind_scores": ["blind"],
    "bottleneck": ["dot"],
    "cost": ["writing"],
    "dates": ["additive"],
    "evidence": ["final"],
    "heads_of_a_model": [],
    "induction": ["one layer"],
    "ladder": ["2017, rate 0.003", "2017"],
    "longer": ["rotary"],
    "masking": ["causal"],
    "norm_placement": ["pre"],
    "pictures": ["minilm", "translator"],
    "positions": ["alibi"],
    "pronouns": ["baseline", "final"],
    "reach": ["rnn"],
    "real_models": ["minilm"],
    "real_text": ["fixed: rate 0.002, dropout 0.1", "fixed", "copy"],
    "recipes": ["to 0, rotary, rate 0.003", "to 0, rotary"],
    "recurrent_pronouns": ["fixed"],
    "scaling": ["scaled"],
    "scaling_curves": ["scaled"],
    "sinks": ["bare"],
    "speed_by_length": ["equal tokens"],
    "stream": ["coverage", "width 24: rate 0.002, dropout 0.0", "width 24"],
    "three_kinds": ["decoder, rate 0.003", "decoder", "encoder", "encoder-decoder", "unigram"],
    "throughput": ["short"],
    "training_choices": ["dropout"],
    "translation": ["small"],
    "two_heads": ["one look-up"],
}
FLAGS = ("--seeds", "--jobs", "--quick", "--resume", "--fresh", "--output", "--help")
SCRIPTS = sorted(common.ROOT.glob("experiments/*.py"))
PARTS = sorted(common.ROOT.glob("experiments/shared/*.py"))


def test_all_scripts_are_tried():
    assert sorted(QUICK) == [path.stem for path in SCRIPTS if path.stem != "common"]


def test_the_readme_names_all_scripts_logs_and_flags():
    text = (common.ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert sorted(rows) == sorted(f"{name}.py" for name in QUICK)
    named = [name for line in rows.values() for name in line.split("`")[3::2]]
    written = [path.name for path in (common.ROOT / "experiments").iterdir()]
    kept = [name for name in written if name.endswith((".csv", ".json")) and ".head." not in name]
    assert sorted(name for name in named if name.endswith((".csv", ".json"))) == sorted(kept)
    for flag in FLAGS:
        assert flag == "--help" or f"\n    {flag} " in text


@pytest.mark.parametrize("name", QUICK)
def test_scripts_have_the_same_flags(name, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(name).main(["--help"])
    said = capsys.readouterr().out
    found = {word.strip("[],") for word in said.split() if word.strip("[],").startswith("--")}
    assert found == set(FLAGS)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (["nobody"], "no such arm: nobody; there are: b; a, twice"),
        (["--jobs", "0"], "--jobs: expected 1 or more, got 0"),
        (["--resume", "--fresh"], "not allowed with"),
        (["--see", "1"], "unrecognized"),
    ],
)
def test_flags_that_cannot_be_meant_are_refused(tmp_path, capsys, flags, message):
    with pytest.raises(SystemExit):
        asked_for(tmp_path, *flags)
    assert message in capsys.readouterr().err


def test_what_measures_time_has_one_job_at_a_time(capsys):
    for flags, message in ((["--jobs", "2"], "expected 1, got 2"), (["--seeds", "1"], "random")):
        with pytest.raises(SystemExit):
            importlib.import_module("throughput").main(flags)
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("path", [*SCRIPTS, *PARTS], ids=lambda path: path.stem)
def test_no_script_imports_another(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }
    assert not imported & set(QUICK)
    assert "set_num_threads" not in path.read_text(encoding="utf-8") or path.stem == "common"


def files_of_the_book() -> dict[Path, int]:
    folders = (common.ROOT / "experiments", common.WEIGHTS)
    return {
        path: path.stat().st_mtime_ns
        for folder in folders
        for path in folder.rglob("*")
        if path.suffix not in (".pyc", "") and path.is_file()
    }


def require_debian():
    """Skip where the packages that a script reads cannot be downloaded."""
    real_text = importlib.import_module("real_text")
    try:
        real_text.messages.fetch(real_text.QUICK_PACKAGES)
    except RuntimeError as error:
        pytest.skip(str(error))


# Each for one way of keeping a log; all together take a minute and a half.
CHEAP = (
    "scaling",
    "scaling_curves",
    "two_heads",
    "positions",
    "norm_placement",
    "reach",
    "training_choices",
    "ladder",
    "three_kinds",
)


@pytest.mark.usefixtures("types_not_checked")
@pytest.mark.parametrize(
    "name",
    [name if name in CHEAP else pytest.param(name, marks=pytest.mark.slow) for name in QUICK],
)
def test_quick_writes_a_log_of_the_same_columns_elsewhere(name, tmp_path, monkeypatch):
    if name == "real_text":
        require_debian()
    if name in ("bert_heads", "real_models", "pictures") and not files.is_here("minilm"):
        pytest.skip("`make models` has not been run")
    before, threads = files_of_the_book(), torch.get_num_threads()
    monkeypatch.setattr(common.tempfile, "tempdir", str(tmp_path))
    importlib.import_module(name).main([*QUICK[name], "--quick", "--jobs", "1"])
    assert files_of_the_book() == before
    assert torch.get_num_threads() == threads
    (folder,) = tmp_path.glob("*-quick-*")  # torch may have made a folder of its own
    for log in sorted((common.ROOT / "experiments").glob("*.csv")):
        if (folder / log.name).exists():
            with (
                log.open(encoding="utf-8") as file,
                (folder / log.name).open(encoding="utf-8") as new,
            ):
                columns, found = (csv.DictReader(each).fieldnames for each in (file, new))
            # One arm may have fewer: one look-up has no second one.
            assert found == [column for column in columns if column in found]
            assert name == "two_heads" or found == columns
    assert (folder / f"{name}.csv").exists()
    heads = json.loads((folder / f"{name}.head.json").read_text(encoding="utf-8"))
    assert [head["threads"] for head in heads] == [1]
    for weights in folder.glob("*.safetensors"):
        read_tensors(weights)
    assert not [path for path in (folder / "unfinished").rglob("*") if path.is_file()]
