"""What a worker is handed and does, whoever started it: run a trial, put its record."""

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainables.config import TrialConfig, trial_keys
from trainables.provenance import provenance_of
from trainables.records import RecordExistsError, RecordStore, StoreError
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
    """Run a unit and put its record; one that another worker put meanwhile stands.

    Raises `StoreError` when the record cannot be written, or when data or code are no longer those that the unit
    was planned with: its result would stand under the wrong id.
    """
    from trainables.trial import run_trial

    now = trial_keys(unit.config, provenance_of(unit.config, workshop.runtime.data_root)).trial_id
    if now != unit.trial_id:
        raise StoreError(f"{unit.title}: data or source code changed since the study was planned")
    record = run_trial(unit.config, runtime=workshop.runtime, attempt=unit.attempt)
    _put(record, workshop.store)
    return record


def validation_values(record: TrialRecord) -> dict[str, float]:
    """The validation metrics that the trial has, by column: what progress may show while a study runs."""
    return {
        name: value for name, value in vars(record).items() if name.startswith("val_") and value is not None
    }


def _put(record: TrialRecord, store: Path) -> None:
    try:
        with suppress(RecordExistsError):
            RecordStore(store).put(record)
    except OSError as error:
        raise StoreError(f"store: cannot write to {store} ({error.strerror})") from error
