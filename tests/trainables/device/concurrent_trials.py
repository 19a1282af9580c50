"""Small trials of different losses, seeds and batch sizes, and the functions that run them at the same time."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.trainables.tiny_trial import tiny
from trainables.concurrent import ConcurrentGroup
from trainables.config import EncoderConfig, ProbeConfig, TrialConfig, trial_keys
from trainables.provenance import provenance_of
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord
from trainables.work import LaunchContext, WorkUnit

#: Columns of times, memory, and of how and where a trial ran.
RUN_FACTS = {
    "started_at", "seconds_total", "seconds_pretrain", "seconds_evaluate", "peak_memory_bytes", "device",
    "device_name", "execution_mode",
}  # fmt: skip


def sized(config: TrialConfig, batch_size: int, **training: Any) -> TrialConfig:
    """The same trial with other settings of training, and a single quick probe."""
    changed = dataclasses.replace(config.task.training, batch_size=batch_size, **training)
    task = dataclasses.replace(config.task, training=changed, probe=ProbeConfig(suite=("knn",)))
    return dataclasses.replace(config, task=task)


_DROPPING = EncoderConfig(name="tests.trainables.device.dropping:Dropping", projection_dim=8)

#: Different losses, seeds, batch sizes, numbers of steps and optimisers.
CONFIGS = (
    sized(tiny("ntxent", 0, temperature=0.2), 16, steps=6),
    sized(tiny("dhel", 1, temperature=0.5), 32, steps=3),
    sized(tiny("kcl", 2, t=2.0), 8, steps=4, lr=0.01, optimizer="adam", decayed="all", schedule_by="epoch"),
)

#: The same with dropout in the network.
DROPPING = tuple(
    dataclasses.replace(each, task=dataclasses.replace(each.task, encoder=_DROPPING)) for each in CONFIGS
)


def unit(config: TrialConfig) -> WorkUnit:
    trial_id = trial_keys(config, provenance_of(config, None)).trial_id
    return WorkUnit(trial_id=trial_id, attempt=0, config=config, title=config.loss.name)


def group_of(store: Path, *, at_once: int | None = 3, **runtime: Any) -> ConcurrentGroup:
    """A group on the device `cuda`, unless `runtime` names another."""
    settings = Runtime(**({"device": "cuda", "artefacts": store} | runtime))
    return ConcurrentGroup(LaunchContext(store=RecordStore(store), runtime=settings, at_once=at_once))


def run(group: ConcurrentGroup, units: Sequence[WorkUnit]) -> list[TrialRecord]:
    """Run all units, and return their records in the order of their ends."""
    waiting, records = list(units), []
    while waiting or group.running:
        while waiting and group.has_room(waiting[0]):
            group.start(waiting.pop(0))
        records += group.turn()
    return records


def results(record: TrialRecord) -> dict[str, Any]:
    """The columns that do not depend on how and where a trial ran."""
    return {name: value for name, value in vars(record).items() if name not in RUN_FACTS}
