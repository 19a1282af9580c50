"""The units of work of a launch, and the function that runs a stack of them and writes their records.

Every runner uses them.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace

from trainables.config import Provenance, TrialConfig, trial_keys
from trainables.early_stopping import EarlyStopping
from trainables.provenance import provenances_of
from trainables.runtime import Runtime, StackFailedError
from trainables.store.leases import LEASE_SECONDS
from trainables.store.records import RecordExistsError, RecordStore, StoreError
from trainables.store.schema import TrialRecord
from trainables.turns import Turn

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
    suspect: bool = False  # a worker died under it, so no other trial runs beside it

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
    at_once: int | None = 1  # trials that run on a GPU at a time; None: as many as its memory holds
    lease_seconds: float = LEASE_SECONDS  # the same in all launches of a store
    traced: bool = False  # whether training losses are written to files for trackers

    @property
    def concurrent(self) -> bool:
        """Whether a worker runs several trials on its GPU at the same time."""
        return self.at_once != 1


def run_stack(stack: Stack, context: LaunchContext) -> Iterator[TrialRecord]:
    """Run the trials of a stack and write each record. A record that another worker has written first is kept.

    A stack that fails in training runs again trial by trial, so that only the trial that causes the failure is
    recorded as crashed. Raises `StoreError` if a record cannot be written, or if data or code have changed since the
    trial was planned: its result would have the wrong id.
    """
    return (turn for turn in stack_turns(stack, context) if isinstance(turn, TrialRecord))


def stack_turns(
    stack: Stack, context: LaunchContext, *, counts: Callable[[TrialRecord], bool] = lambda record: True
) -> Iterator[Turn | TrialRecord]:
    """Like `run_stack`, but with a pause after each turn. A record that does not count is not written."""
    from trainables.loss_trace import LossTrace
    from trainables.training.trials import drop_checkpoint
    from trainables.trial import trial_turns

    origins = _check_identity(stack, context)
    configs, attempts = [unit.config for unit in stack], [unit.attempt for unit in stack]
    runtime = replace(context.runtime, early_stopping=stack[0].early_stopping)
    pretrain_ids: list[str] = []
    trace = LossTrace()
    turns = trial_turns(configs, trace, runtime=runtime, attempts=attempts, provenances=origins)
    try:
        with closing(turns):  # the caller gets what fails at the end, such as saving a checkpoint
            for turn in turns:
                if isinstance(turn, TrialRecord) and counts(turn):
                    if context.traced:
                        trace.write(len(pretrain_ids), turn, runtime.artefacts)
                    _put(turn, context.store)
                    pretrain_ids.append(turn.pretrain_id)
                yield turn
        if len(pretrain_ids) == len(stack):
            drop_checkpoint(pretrain_ids, runtime)
        return
    except StackFailedError as error:  # in training, which comes before the first record
        _log.warning("a stack of %d trials failed and runs one by one: %s", len(stack), error)
    for unit in stack:
        yield from stack_turns((unit,), context, counts=counts)


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
