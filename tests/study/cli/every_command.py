"""A small use of every command, for tests that let parts of the machine fail under each of them."""

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from study.launch.manifest import launches_folder, new_manifest, write_manifest
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import load_study
from trainables.store.records import RecordStore
from trainables.store.schema import Status, TrialRecord

#: Four trials of a few milliseconds each, with a claim.
STUDY = """
name = "balls"
task = "sphere"
seeds = [0, 1]

[sphere]
n_pairs = 8
dim = 16

[training]
steps = 4
lr = 1.0

[keep]
curve_points = 2
embeddings = true

[axes]
batch_size = [2, 4]

[losses.infonce]
temperature = [0.5]

[[claims]]
name = "gap"
claim = "The gap is positive."
paper = "Cho et al. 2024"
rows = { batch_size = 2 }
column = "optimum_gap"
at_least = 0.0
"""

TABLE = "\n".join(
    ["loss,seed,batch_size,temperature,val_accuracy,test_accuracy"]
    + [
        f"{loss},{seed},{batch},{temperature},{0.5 + 0.01 * seed + 0.001 * batch},{0.4 + temperature / 10}"
        for loss in ("a", "b")
        for seed in (0, 1)
        for batch in (8, 16)
        for temperature in (0.1, 0.5)
    ]
)

_META = ("--metric", "test_accuracy", "--selects", "val_accuracy")


@dataclass(frozen=True)
class Use:
    """The words of a command, and what prepares the folder in which it runs."""

    words: Sequence[str]
    prepare: Sequence[Callable[[Path, Path], object]] = ()
    code: int = 0


def whole_store(folder: Path) -> None:
    """A store `ready` in which all trials have records."""
    (folder / "balls.toml").write_text(STUDY)
    loaded = load_study(str(folder / "balls.toml"), str(folder / "ready"), None)
    prepare_store(str(folder / "balls.toml"), loaded)
    assert launch_trials(loaded, loaded.plan.missing, Workers(count=1, runner="inline")) is None


def finished(folder: Path, ready: Path) -> None:
    shutil.copytree(ready, folder / "s", dirs_exist_ok=True)


def half(folder: Path, ready: Path) -> None:
    """Half of the trials have records, each in a file of its own."""
    table = RecordStore(ready).read().table.to_pylist()
    for row in table[:2]:
        RecordStore(folder / "s").put(_record(row))


def crashed(folder: Path, ready: Path) -> None:
    """The first trial has another attempt, which crashed."""
    row = RecordStore(ready).read().table.to_pylist()[0]
    failure = {"status": Status.CRASHED, "error_class": "ValueError", "error_message": "it failed"}
    RecordStore(folder / "s").put(replace(_record(row), attempt=row["attempt"] + 1, **failure))


def loose(folder: Path, ready: Path) -> None:
    """Every record has a file of its own in another store."""
    for row in RecordStore(ready).read().table.to_pylist():
        RecordStore(folder / "loose").put(_record(row))


def table(folder: Path, ready: Path) -> None:
    (folder / "table.csv").write_text(TABLE)
    (folder / "second.csv").write_text(TABLE.replace("\na,", "\nc,"))


def leftover(folder: Path, ready: Path) -> None:
    for name in (".tmp-" + 32 * "0" + "-x", "records/.tmp-" + 32 * "1" + "-y"):
        (folder / "s" / name).write_bytes(b"x")
        os.utime(folder / "s" / name, (0, 0))


def launch(folder: Path, ready: Path) -> None:
    """This process counts as a launch of the study that runs."""
    manifest = new_manifest(study="balls", study_file=STUDY, runner="inline", workers=1, planned=4)
    write_manifest(launches_folder(folder / "s", "balls"), manifest)


def _record(row: dict[str, object]) -> TrialRecord:
    other = {name: dict(value) for name, value in row.items() if isinstance(value, list)}
    return TrialRecord(**(row | other))  # type: ignore[arg-type]


def first_id(ready: Path) -> str:
    return str(RecordStore(ready).read().table["trial_id"][0])


_IN = ("balls.toml", "--store", "s")

#: One use of each command, or more where it has parts that read or write other files.
USES = {
    "plan": Use(("plan", *_IN), [half]),
    "run": Use(("run", *_IN, "--runner", "inline")),
    "run, rest": Use(("run", *_IN, "--runner", "inline"), [half]),
    "retry": Use(("retry", *_IN, "--status", "crashed", "--runner", "inline"), [finished, crashed]),
    "trial": Use(("trial", *_IN, "--put"), [half]),
    "verify": Use(("verify", *_IN, "--sample", "1"), [finished]),
    "bench": Use(("bench", "quickstart", "--steps", "1", "--batch-size", "8")),
    "status": Use(("status", *_IN), [finished]),
    "status --watch": Use(("status", *_IN, "--watch"), [finished]),
    "watch": Use(("watch", *_IN), [finished]),
    "failures": Use(("failures", *_IN), [finished, crashed]),
    "show": Use(("show", "TRIAL", "--store", "s"), [finished]),
    "report": Use(("report", *_IN), [finished]),
    "recommend": Use(("recommend", *_IN), [finished]),
    "report --from": Use(("report", "--from", "table.csv", "--out", "out", *_META), [table]),
    "compare": Use(("compare", "table.csv", "second.csv", "--out", "out", *_META), [table]),
    "claims": Use(("claims", *_IN), [finished]),
    "cancel": Use(("cancel", *_IN, "--wait", "0"), [finished, launch], 1),
    "import": Use(("import", "table.csv", "--out", "imported", *_META), [table]),
    "merge": Use(("merge", "loose", "--into", "s"), [half, loose]),
    "gc": Use(("gc", "--store", "s", "--encoders", "--curves"), [finished, leftover]),
    "bundle": Use(("bundle", *_IN, "--out", "balls.zip"), [finished]),
    "init": Use(("init", "new.toml")),
    "extend": Use(("extend", *_IN, "--seeds", "2"), [half]),
    "extend --out": Use(("extend", *_IN, "--seeds", "2", "--out", "more.toml"), [half]),
    "list": Use(("list",)),
    "data": Use(("data", "digits")),
    "demo": Use(("demo", "--out", "demo", "--seeds", "1")),
}


def prepare(name: str, folder: Path, ready: Path) -> list[str]:
    """Prepare `folder` for a use, and return its words. `ready` is the store of `whole_store`."""
    folder.mkdir(parents=True)
    (folder / "balls.toml").write_text(STUDY)
    for step in USES[name].prepare:
        step(folder, ready)
    return [first_id(ready) if word == "TRIAL" else word for word in USES[name].words]
