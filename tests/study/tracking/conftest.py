"""A small study with records in a store, and a tracker that remembers what it was told."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from study.loaded import LoadedStudy, load_study
from study.tracking.tracked_run import TrackedRun
from study.tracking.trackers import Destination, TrackerKind
from tests.study.conftest import TINY
from tests.study.running import run_missing

#: Two seeds of one configuration, and one that diverges.
PAIR = TINY.replace("[8, 16]", "[8]").replace("[0.1, 0.5]", "[0.1]").replace("[losses.kcl]\nt = [2.0]\n", "")


@dataclass
class Remembering:
    """A tracker as a list; `fails` raises what it returns, for each run."""

    runs: list[TrackedRun] = field(default_factory=list)
    fails: Callable[[TrackedRun], Exception | None] = lambda run: None

    def write(self, run: TrackedRun) -> None:
        if error := self.fails(run):
            raise error
        self.runs.append(run)

    @property
    def titles(self) -> list[str]:
        return sorted(run.title for run in self.runs)

    def destination(self, key: str = "remembering") -> Destination:
        kind = TrackerKind(name="Remembering", module="json", extra="none", open=lambda *_: self)
        return Destination(kind=kind, where="here", key=key)


def opened_at(folder: Path, text: str = PAIR) -> LoadedStudy:
    study = folder / "tiny.toml"
    study.write_text(text)
    return load_study(str(study), str(folder / "store"), None)


def run_inline_study(folder: Path, text: str = PAIR) -> LoadedStudy:
    """Run it without trackers, but with losses written as for them."""
    (folder / "tiny.toml").write_text(text)
    return run_missing(folder / "tiny.toml", folder / "store")


@pytest.fixture
def finished(tmp_path: Path) -> LoadedStudy:
    """A study whose trials all have their records."""
    return run_inline_study(tmp_path)


def put_again(loaded: LoadedStudy, **changes: object) -> str:
    """A second attempt at the first trial of a study, equal to the first but for `changes`. Its title."""
    from trainables.store.schema import TrialRecord

    trial = loaded.plan.trials[0]
    (row,) = loaded.store.read({trial.keys.trial_id}).table.to_pylist()
    row["hp_other"] = dict(row["hp_other"]) if row["hp_other"] else None
    loaded.store.put(replace(TrialRecord(**row), attempt=1, **changes))
    return trial.title
