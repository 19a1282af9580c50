"""A launch reads the whole store once before it starts, and computes the costs of its trials once."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from study.cost.model import CostModel, study_costs
from study.launch import start
from study.launch.start import Workers, launch_trials, prepare_store
from study.loaded import LoadedStudy, load_study
from tests.study.conftest import WriteStudy
from trainables.store.records import RecordSet, RecordStore, open_store
from trainables.work import Stack


@dataclass(frozen=True)
class CountingStore(RecordStore):
    """A store that counts how often it is read, and how much of it."""

    reads: list[set[str] | None] = field(default_factory=list)  # the trials of each read, None for all

    def read(self, only: set[str] | None = None) -> RecordSet:
        self.reads.append(only)
        return super().read(only)

    def read_all(self) -> RecordSet:
        self.reads.append(None)
        return super().read_all()


@dataclass(frozen=True, kw_only=True)
class CountingModel(CostModel):
    """A cost model that counts the trials whose cost it computes."""

    priced: list[str] = field(default_factory=list)

    def unit_costs(self, stacks: Iterable[Stack]) -> dict[str, float]:
        costs = super().unit_costs(stacks)
        self.priced.extend(costs)
        return costs


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> list[set[str] | None]:
    """What studies that are loaded from here on read from their stores."""
    reads: list[set[str] | None] = []

    def counting(location: str) -> CountingStore:
        return CountingStore(open_store(location).path, reads=reads)

    monkeypatch.setattr("study.loaded.open_store", counting)
    return reads


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> list[CountingModel]:
    """The cost models of launches from here on."""
    found: list[CountingModel] = []

    def counting(loaded: LoadedStudy) -> CostModel:
        found.append(CountingModel(**vars(study_costs(loaded))))
        return found[-1]

    monkeypatch.setattr(start, "study_costs", counting)
    return found


def test_a_launch_reads_the_store_and_computes_costs_once(
    write_study: WriteStudy, tmp_path: Path, store: list[set[str] | None], models: list[CountingModel]
) -> None:
    """In a store that holds half of its records: further reads are for the trials that are still missing."""
    study, place = write_study(), str(tmp_path / "store")
    first = load_study(str(study), place, None)
    prepare_store(str(study), first)
    workers = Workers(count=1, runner="inline")
    launch_trials(first, first.plan.missing[:6], workers)
    store.clear()
    models.clear()

    loaded = load_study(str(study), place, None)
    prepare_store(str(study), loaded)
    assert store == [None]
    missing = {trial.keys.trial_id for trial in loaded.plan.missing}
    assert len(missing) == 6
    launch_trials(loaded, loaded.plan.missing, workers)
    assert store.count(None) == 1
    assert all(only is not None and only <= missing for only in store[1:])
    (model,) = models
    assert sorted(model.priced) == sorted(missing)
    assert model.seconds_per_unit == 1
