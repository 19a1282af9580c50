"""A finished study with failures, run once; every test has its own copy of the store."""

import shutil
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.study.conftest import TINY
from tests.study.running import invoke, run_missing
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord

#: 2 seeds x 2 batch sizes x (ntxent, 2 fragile ones): 12 trials, of which 2 crash and 2 diverge.
FRAGILE = TINY.replace("[0.1, 0.5]", "[0.1]").replace(
    "[losses.kcl]\nt = [2.0]",
    '[losses."tests.study.cli.fragile_loss:Fragile"]\nhow = ["raise", "nan"]\nlr = 0.1',
)


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A study file and the store that it ran in."""

    study: Path
    store: Path

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The latest record of every trial."""
        return RecordStore(self.store).read().table.to_pylist()

    def ids(self, status: str) -> list[str]:
        """Ids of the trials with this status."""
        return [row["trial_id"] for row in self.rows if row["status"] == status]

    def put_again(self, trial_id: str, **changes: Any) -> None:
        """A further attempt at a trial, as the one before but for `changes`; nothing has run it."""
        row = next(row for row in self.rows if row["trial_id"] == trial_id) | changes
        row |= {"attempt": row["attempt"] + 1, "hp_other": dict(row["hp_other"] or {}) or None}
        RecordStore(self.store).put(TrialRecord(**row))


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    """The finished study. No test changes it; tests use the copy `finished`."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(FRAGILE)
    finished = Finished(study=folder / "tiny.toml", store=folder / "store")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("FRAGILE", "1")
        run_missing(finished.study, finished.store)
    return finished


@pytest.fixture
def finished(original: Finished, tmp_path: Path) -> Finished:
    """A copy; the study file stays where it ran."""
    shutil.copytree(original.store, tmp_path / "store")
    return Finished(study=original.study, store=tmp_path / "store")


@pytest.fixture(scope="session")
def packed(original: Finished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the finished study. No test changes it."""
    out = tmp_path_factory.mktemp("bundle") / "supplement.zip"
    result = invoke("bundle", original.study, "--store", original.store, "--out", out)
    assert result.exit_code == 0, result.output
    assert "12 of 12 trials of tiny" in result.output.replace("\n", " ")
    return out


@pytest.fixture
def unpacked(packed: Path, tmp_path: Path) -> Path:
    """Its folder, somewhere else."""
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path)
    return tmp_path / "supplement"
