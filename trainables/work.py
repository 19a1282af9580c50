"""The units of work of a launch, and the function that runs a stack of them and writes their records.

Every runner uses them.
"""

import logging
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from trainables.config import Provenance, TrialConfig, trial_keys
from trainables.early_stopping import EarlyStopping
from trainables.provenance import provenances_of
from trainables.runtime import Runtime, StackFailedError
from trainables.store.leases import LEASE_SECONDS
from trainables.store.records import RecordExistsError, RecordStore, StoreError
from trainables.store.schema import TrialRecord

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WorkUnit:
    """One attempt at one trial, ready to run."""

    trial_id: str
    attempt: int
    config: TrialConfig
    title: str  # the trial's name in output for the user
    kept: bool = False  # its encoder was kept by an earlier trial, so it is only evaluated
    early_stopping: EarlyStopping | None = None

    @property
    def alone(self) -> bool:
        """Whether the trial must not train in a stack: it may stop early, or is only evaluated."""
        return self.kept or self.early_stopping is not None


#: Trials that train as one network, in this order.
Stack = tuple[WorkUnit, ...]


@dataclass(frozen=True, kw_only=True)
class LaunchContext:
    """The settings that all units of a launch share."""

    store: RecordStore  # its path is absolute, since workers may run in another directory
    runtime: Runtime
    stacked: bool = True  # whether small trials may train as one network
    lease_seconds: float = LEASE_SECONDS  # the same in all launches of a store
    traced: bool = False  # whether training losses are written to files for trackers


def run_stack(stack: Stack, context: LaunchContext) -> Iterator[TrialRecord]:
    """Run the trials of a stack and write each record. A record that another worker has written first is kept.

    A stack that fails in training runs again trial by trial, so that only the trial that causes the failure is
    recorded as crashed. Raises `StoreError` if a record cannot be written, or if data or code have changed since the
    trial was planned: its result would have the wrong id.
    """
    from trainables.loss_trace import LossTrace
    from trainables.training.trials import drop_checkpoint
    from trainables.trial import run_trials

    origins = _check_identity(stack, context)
    configs, attempts = [unit.config for unit in stack], [unit.attempt for unit in stack]
    runtime = replace(context.runtime, early_stopping=stack[0].early_stopping)
    pretrain_ids, trace = [], LossTrace()
    try:
        records = run_trials(configs, trace, runtime=runtime, attempts=attempts, provenances=origins)
        for member, record in enumerate(records):
            if context.traced:
                trace.write(member, record, runtime.artefacts)
            _put(record, context.store)
            pretrain_ids.append(record.pretrain_id)
            yield record
        drop_checkpoint(pretrain_ids, runtime)
        return
    except StackFailedError as error:  # in training, which comes before the first record
        _log.warning("a stack of %d trials failed and runs one by one: %s", len(stack), error)
    for unit in stack:
        yield from run_stack((unit,), context)


def _check_identity(stack: Stack, context: LaunchContext) -> list[Provenance]:
    """The current provenance of every unit. Raises `StoreError` if it does not give the planned trial ids."""
    try:
        origins = provenances_of([unit.config for unit in stack], context.runtime.data_root)
    except ValueError as error:  # removed, or damaged
        raise StoreError(
            f"data or source code changed since the study was planned ({error}); run it again"
        ) from error
    for unit, origin in zip(stack, origins, strict=True):
        if trial_keys(unit.config, origin).trial_id != unit.trial_id:
            raise StoreError(
                f"{unit.title}: data or source code changed since the study was planned; run it again"
            )
    return origins


def validation_values(record: TrialRecord) -> dict[str, float]:
    """The validation metrics of a trial by column. The progress display of a running study shows no other metrics."""
    return {
        name: value for name, value in vars(record).items() if name.startswith("val_") and value is not None
    }


def _put(record: TrialRecord, store: RecordStore) -> None:
    with suppress(RecordExistsError), store.writing():
        store.put(record)
