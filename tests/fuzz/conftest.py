"""A small finished study, its records and its bundle: what the mutators start from."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.study.conftest import TINY
from tests.study.running import invoke, run_missing


@dataclass(frozen=True, kw_only=True)
class Origin:
    """A finished study; no test changes it."""

    study: Path
    store: Path
    bundle: Path

    @property
    def records(self) -> list[Path]:
        """Its record files, one for each trial."""
        return sorted((self.store / "records").glob("*.parquet"))


@pytest.fixture(scope="session")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Origin:
    """The study, run once."""
    folder = tmp_path_factory.mktemp("origin")
    study, store, bundle = folder / "small.toml", folder / "store", folder / "small.zip"
    study.write_text(TINY)
    assert run_missing(study, store).plan.records.table.num_rows == 12
    assert invoke("bundle", study, "--store", store, "--out", bundle).exit_code == 0
    return Origin(study=study, store=store, bundle=bundle)


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a case, with a folder of its own for temporary files."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.chdir(tmp_path)
    return tmp_path
