"""What a worker is handed and does, whoever started it: run a trial, put its record."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainables.config import TrialConfig
from trainables.records import RecordExistsError, RecordStore
from trainables.runtime import Runtime
from trainables.schema import TrialRecord


@dataclass(frozen=True, kw_only=True)
class WorkUnit:
    """One attempt at one trial, ready to run."""

    trial_id: str
    attempt: int
    config: TrialConfig
    title: str  # for people


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What all units of a launch share."""

    store: Path  # absolute: workers may run in another directory
    runtime: Runtime


def run_unit(unit: WorkUnit, workshop: Workshop) -> TrialRecord:
    """Run a unit and put its record; one that another worker put meanwhile stands."""
    from trainables.trial import run_trial

    record = run_trial(unit.config, runtime=workshop.runtime, attempt=unit.attempt)
    with suppress(RecordExistsError):
        RecordStore(workshop.store).put(record)
    return record
