"""What a worker is handed and does, whoever started it: run a trial, put its record."""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from trainables.config import TrialConfig, trial_keys
from trainables.provenance import provenance_of
from trainables.records import RecordExistsError, RecordStore, StoreError
from trainables.runtime import Runtime, StackFailedError
from trainables.schema import TrialRecord

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkUnit:
    """One attempt at one trial, ready to run."""

    trial_id: str
    attempt: int
    config: TrialConfig
    title: str  # for people
    alone: bool = False  # not to be trained in one stack with others


#: Trials that are trained as one network, in this order.
Pack = tuple[WorkUnit, ...]


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """What all units of a launch share."""

    store: Path  # absolute: workers may run in another directory
    runtime: Runtime
    stacked: bool = True  # whether small trials may be trained as one network


def run_pack(pack: Pack, workshop: Workshop) -> Iterator[TrialRecord]:
    """Run the trials of a pack and put each record; one that another worker put meanwhile stands.

    A stack that fails in training runs again trial by trial, so that only the trial at fault is recorded as
    crashed. Raises `StoreError` when a record cannot be written, or when data or code are no longer those that a
    trial was planned with: its result would stand under the wrong id.
    """
    for unit in pack:
        _check_identity(unit, workshop)
    try:
        yield from _run_stack(pack, workshop)
        return
    except StackFailedError as error:
        _log.warning("a stack of %d trials failed and runs one by one: %s", len(pack), error)
    for unit in pack:
        yield from _run_stack((unit,), workshop)


def _run_stack(pack: Pack, workshop: Workshop) -> Iterator[TrialRecord]:
    from trainables.training.trials import drop_checkpoint
    from trainables.trial import run_trials

    configs = [unit.config for unit in pack]
    for record in run_trials(configs, runtime=workshop.runtime, attempts=[unit.attempt for unit in pack]):
        _put(record, workshop.store)
        yield record
    drop_checkpoint(configs, workshop.runtime)


def _check_identity(unit: WorkUnit, workshop: Workshop) -> None:
    now = trial_keys(unit.config, provenance_of(unit.config, workshop.runtime.data_root)).trial_id
    if now != unit.trial_id:
        raise StoreError(f"{unit.title}: data or source code changed since the study was planned")


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
