"""Provenance: looked at once a stack, the same in a plan and in a worker, and blind to no byte."""

import dataclasses
import shutil
from collections.abc import Callable
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest

import trainables.provenance
from study.spec.expand import expand
from study.spec.load import load_spec
from tests.study.conftest import TINY
from tests.trainables.tiny_trial import tiny
from trainables.config import ProbeConfig, TrialConfig, TrialKeys, trial_keys
from trainables.datasets.datasets import DatasetInfo, describe_dataset, open_source
from trainables.machine import package_version
from trainables.provenance import provenance_of, provenances_of
from trainables.runtime import Runtime
from trainables.store.records import RecordStore, StoreError
from trainables.trial import run_trials
from trainables.work import LaunchContext, WorkUnit, run_stack

SUITE = ("probe10", "retrieval_corrupted")


def test_a_package_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> str:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", absent)
    package_version.cache_clear()
    try:
        (record,) = run_trials([tiny()], attempts=[0])
    finally:
        package_version.cache_clear()
    assert (record.status, record.package_version) == ("ok", None)


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """The data sets that provenance has described, one entry a look."""
    seen: list[object] = []

    def counted(config: object, root: Path | None) -> DatasetInfo:
        seen.append(config)
        return describe_dataset(config, root)

    monkeypatch.setattr(trainables.provenance, "describe_dataset", counted)
    return seen


@pytest.fixture
def corrupted(tmp_path: Path) -> TrialConfig:
    """A tiny trial that is probed with published corruptions of digits, all black."""
    folder = tmp_path / "corrupted"
    folder.mkdir()
    labels = open_source("digits", None).test_labels
    np.save(folder / "labels.npy", np.tile(labels, 5))
    np.save(folder / "fog.npy", np.zeros((5 * len(labels), 8, 8, 1), np.uint8))
    config = tiny()
    probe = ProbeConfig(suite=SUITE, draws=2, corruptions=f"npy:{folder}")
    return dataclasses.replace(config, task=dataclasses.replace(config.task, probe=probe))


def change_a_byte(config: TrialConfig) -> None:
    path = Path(config.task.probe.corruptions.removeprefix("npy:")) / "fog.npy"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def keys_of(config: TrialConfig) -> TrialKeys:
    return trial_keys(config, provenance_of(config, None))


def unit_of(config: TrialConfig) -> WorkUnit:
    return WorkUnit(trial_id=keys_of(config).trial_id, attempt=0, config=config, title="tiny")


def test_a_data_set_that_trials_share_is_looked_at_once(looks: list[object]) -> None:
    other = dataclasses.replace(tiny().task.data, train_limit=100)
    elsewhere = dataclasses.replace(tiny(), task=dataclasses.replace(tiny().task, data=other))
    configs = [tiny(seed=0), elsewhere, tiny(seed=1)]
    assert provenances_of(configs, None) == [provenance_of(config, None) for config in configs]
    assert looks[:2] == [tiny().task.data, other]
    assert len(looks) == 2 + 3


def test_a_pack_looks_at_its_data_once(tmp_path: Path, looks: list[object]) -> None:
    stack = tuple(unit_of(tiny(seed=seed)) for seed in (0, 1))
    looks.clear()
    context = LaunchContext(store=RecordStore(tmp_path), runtime=Runtime(artefacts=tmp_path))
    records = list(run_stack(stack, context))
    assert [record.trial_id for record in records] == [unit.trial_id for unit in stack]
    assert len(looks) == 1


def test_other_bytes_of_published_corruptions_are_another_trial_and_the_same_encoder(
    corrupted: TrialConfig,
) -> None:
    before = keys_of(corrupted)
    assert keys_of(corrupted) == before
    change_a_byte(corrupted)
    after = keys_of(corrupted)
    assert after.trial_id != before.trial_id
    assert after.probe_id != before.probe_id
    assert after.pretrain_id == before.pretrain_id


@pytest.mark.parametrize(
    "change",
    [
        lambda probe: dataclasses.replace(probe, suite=("probe10",)),
        lambda probe: dataclasses.replace(probe, corruptions="built_in"),
    ],
)
def test_corruptions_that_are_not_measured_are_not_read(
    corrupted: TrialConfig, change: Callable[[ProbeConfig], ProbeConfig]
) -> None:
    config = dataclasses.replace(
        corrupted, task=dataclasses.replace(corrupted.task, probe=change(corrupted.task.probe))
    )
    assert provenance_of(config, None).corruptions_fingerprint == ""


def test_a_plan_and_a_worker_agree(tmp_path: Path, corrupted: TrialConfig) -> None:
    suite = f'suite = ["probe10", "retrieval_corrupted"]\ncorruptions = "{corrupted.task.probe.corruptions}"'
    path = tmp_path / "study.toml"
    path.write_text(TINY.replace('suite = ["probe10"]', suite))
    for trial in expand(load_spec(str(path)).spec, None).trials[:2]:
        assert keys_of(trial.config) == trial.keys


def remove(config: TrialConfig) -> None:
    shutil.rmtree(config.task.probe.corruptions.removeprefix("npy:"))


@pytest.mark.parametrize("change", [change_a_byte, remove])
def test_a_worker_notices_that_data_changed(
    tmp_path: Path, corrupted: TrialConfig, change: Callable[[TrialConfig], None]
) -> None:
    unit = unit_of(corrupted)
    change(corrupted)
    with pytest.raises(StoreError, match="changed since the study was planned"):
        list(run_stack((unit,), LaunchContext(store=RecordStore(tmp_path), runtime=Runtime())))
    assert not list(tmp_path.glob("**/*.parquet"))
