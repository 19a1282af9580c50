"""Searches of the tiny study: its ranges, a runner that trains nothing, and what Optuna was told."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import TrialState

from study.events import Listener, LostStack
from study.searches import journal_path
from tests.study.launch.launching import planned
from trainables.store.records import RecordStore
from trainables.store.schema import Status
from trainables.trial import failure_record
from trainables.work import LaunchContext, Stack

RANGES = (
    ("temperature = [0.1, 0.5]", "temperature = { log = [0.05, 1.0] }"),
    ("t = [2.0]", 'kernel = ["gaussian", "imq"]\nlr = 0.1'),
)


def search(**keys: Any) -> tuple[str, str]:
    lines = "\n".join(f"{key} = {value!r}" for key, value in ({"design": "optuna"} | keys).items())
    return "[axes]", f"[search]\n{lines}\n[axes]"


class Pretence:
    """A runner that trains nothing: accuracy falls with the batch size, and KCL's inverse multiquadric diverges."""

    def __init__(self, rounds: int = 1000) -> None:
        self.rounds, self.lists, self.ids = rounds, 0, []  # type: ignore[var-annotated]

    def __call__(
        self, lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
    ) -> list[LostStack]:
        for number, unit in enumerate(unit for stacks in lists for stack in stacks for unit in stack):
            if self.lists == self.rounds and number == 1:
                raise KeyboardInterrupt  # in the midst of a round
            record = failure_record(
                unit.config,
                attempt=unit.attempt,
                runtime=context.runtime,
                status=Status.DIVERGED,
                error_class="",
                error_message="",
            )
            if unit.config.loss.params.get("kernel") != "imq":
                value = 0.9 - unit.config.task.training.batch_size / 100 + unit.config.seed / 20
                record = dataclasses.replace(
                    record, status=Status.OK, val_probe10_accuracy=value, test_probe10_accuracy=0.123
                )
            context.store.put(record)
            self.ids.append(unit.trial_id)
        self.lists += 1
        return []


def points(study: Path, store: RecordStore) -> list[list[dict[str, Any]]]:
    return [[dict(point) for point in arm.points] for arm in planned(study, store).trial_set.arms]


def told(store: RecordStore) -> dict[str, list[optuna.trial.FrozenTrial]]:
    backend = optuna.storages.journal.JournalFileBackend(str(journal_path(store.path, "tiny")))
    storage = optuna.storages.JournalStorage(backend)
    studies = [
        optuna.load_study(study_name=name, storage=storage) for name in optuna.get_all_study_names(storage)
    ]
    return {study.study_name.split()[0]: study.trials for study in studies}


def told_states(store: RecordStore) -> set[TrialState]:
    return {trial.state for trials in told(store).values() for trial in trials}
