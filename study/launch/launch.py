"""The rounds of a launch: each round hands the missing trials to a runner, until every trial has a record.

When a worker dies, its finished trials keep their records. The trials of its list that were still waiting run in the
next round. The trials that were running (one, or a stack) run again, each alone. If a worker dies again under one
of them, this trial is recorded as crashed.

Launches that share a store share the work: their workers take leases on trials. A launch waits for trials that other
launches run, and takes a trial over when its lease expires. Launches exchange no other information than leases and
records.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace

from study.console import say
from study.cost.model import CostModel
from study.errors import LaunchError
from study.events import NODE_LOST, OUT_OF_MEMORY, Expected, Finished, Listener, LostStack
from study.launch.remaining import Remaining
from study.launch.scheduling import cut_lists, form_stacks, work_unit
from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.device_faults import DeviceLostError
from trainables.early_stopping import EarlyStopping
from trainables.store.records import RecordExistsError, RecordStore, StoreError
from trainables.store.schema import Status, TrialRecord
from trainables.work import LaunchContext, Stack, WorkUnit

Runner = Callable[[Sequence[Sequence[Stack]], LaunchContext, Listener], list[LostStack]]

#: A trial is recorded as crashed after so many deaths of its worker. If the whole node was lost, the second number
#: applies: a lost node is rarely the trial's fault.
_DEATHS, _NODES = 2, 5

#: So many rounds in a row without a record or a death end the launch. One such round is normal: another launch may
#: take all leases at that moment and then release them.
_IDLE_ROUNDS = 3

#: Seconds between two checks for the trials that other launches run.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Launch:
    """Runs trials of a plan: those without a record, or `trials` if given, each as its next attempt."""

    plan: Plan
    store: RecordStore
    context: LaunchContext
    workers: int
    runner: Runner
    costs: CostModel
    listeners: Sequence[Listener]  # in the order in which they receive events
    trials: Sequence[PlannedTrial] | None = None
    awaited: frozenset[str] | None = None  # ids of trials to wait for while others run them; None: all
    undecided: int = 0  # number of trials that later rounds of a search will add
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run until every trial has a record. Trials that other launches run and that are not `awaited` are left out.

        After a `KeyboardInterrupt`, every finished trial has its record. Raises `LaunchError` if the store cannot be
        read or written, or if trials repeatedly end without a record.
        """
        trials = self.plan.missing if self.trials is None else self.trials
        costs = self._expect(trials)
        remaining = Remaining(self.plan, trials, self.store, self.listeners)
        remaining.expected(Expected(plan=self.plan, trials=trials, costs=costs, undecided=self.undecided))
        idle, waited = 0, False
        with _store_errors(remaining):
            while attempts := self._look(remaining):
                if free := self._free(remaining):
                    before = len(remaining.trials)
                    lost = self.runner(self._lists(free, attempts, costs), self.context, remaining)
                    remaining.look()
                    died = [each for each in lost if self._on_stack_lost(each, remaining)]
                    idle = 0 if died or len(remaining.trials) < before else idle + 1
                elif self.awaited is None or any(trial_id in remaining for trial_id in self.awaited):
                    self._pause(remaining, silent=waited)
                    waited = True
                else:
                    return
                if idle == _IDLE_ROUNDS:
                    raise LaunchError(
                        f"{len(free)} trials ended without a record, {free[0].keys.trial_id} among them; run again"
                    )

    def _expect(self, trials: Sequence[PlannedTrial]) -> dict[str, float]:
        """The cost of every trial by its id, for the stacks that the launch will form."""
        return self.costs.unit_costs(self._stacks([work_unit(trial, self.context) for trial in trials]))

    def _stacks(self, units: Sequence[WorkUnit]) -> list[Stack]:
        limit = self.plan.trial_set.task.stack_limit
        return form_stacks(units, self.workers, limit=limit, stacked=self.context.stacked)

    def _look(self, remaining: Remaining) -> dict[str, int]:
        """The number of the next attempt at every remaining trial.

        The attempts are read before the records. If another launch records a trial between the two reads, that record
        has the attempt number under which this launch hands the trial out, so the worker notices it.
        """
        attempts = self.store.next_attempts()
        remaining.look()
        return {trial.keys.trial_id: attempts.get(trial.keys.trial_id, 0) for trial in remaining.trials}

    def _free(self, remaining: Remaining) -> list[PlannedTrial]:
        trials = remaining.trials
        taken = self.store.taken([trial.keys.trial_id for trial in trials], self.context.lease_seconds)
        return [trial for trial in trials if trial.keys.trial_id not in taken]

    def _pause(self, remaining: Remaining, *, silent: bool) -> None:
        if not silent:
            say(f"waiting for {len(remaining.trials)} trials that another launch runs")
        time.sleep(_LOOK_SECONDS)
        remaining.tick()

    def _lists(
        self, trials: list[PlannedTrial], attempts: dict[str, int], costs: dict[str, float]
    ) -> list[list[Stack]]:
        """Lists of stacks for the workers. A trial that was running when a worker died is last, in its own list."""
        rules = _stopping_rules(self.plan, self.store)
        units = [
            work_unit(
                trial,
                self.context,
                attempt=attempts[trial.keys.trial_id],
                early_stopping=rules.get(trial.keys.trial_id),
            )
            for trial in trials
        ]
        suspects = [replace(unit, suspect=True) for unit in units if self._deaths[unit.trial_id]]
        others = [unit for unit in units if not self._deaths[unit.trial_id]]
        lists = cut_lists(self._stacks(others), costs, self.costs, self.workers)
        return lists + [[(unit,)] for unit in suspects]

    def _on_stack_lost(self, lost: LostStack, remaining: Remaining) -> bool:
        """Count a worker's death for each trial that it was running. Return whether there was any such trial."""
        running = [unit for unit in lost.running if unit.trial_id in remaining]
        self._deaths.update(unit.trial_id for unit in running)
        if len(lost.running) == len(running) == 1:
            most = _NODES if lost.error_class == NODE_LOST else _DEATHS
            if _hung(lost, self.context) or self._deaths[running[0].trial_id] >= most:
                self._give_up(lost, remaining)
        return bool(running)

    def _give_up(self, lost: LostStack, listener: Listener) -> None:
        """Record the one trial that was running as crashed."""
        (unit,) = lost.running
        record = _death_record(lost, self.context)
        if record.trial_id != unit.trial_id:
            raise LaunchError(f"{unit.title}: data or source code changed while the study ran; run it again")
        try:
            with self.store.writing():
                self.store.put(record)
        except RecordExistsError:
            return  # another worker has written a record
        listener.finished(Finished(trial_id=record.trial_id, status=record.status))


@contextmanager
def _store_errors(remaining: Remaining) -> Iterator[None]:
    """Raise a `StoreError` of the block as `LaunchError` with the same message. The usual cause is a full disk.

    A `DeviceLostError` of this process is raised as `LaunchError` too. In a worker process, it ends only that worker.
    """
    try:
        yield
    except DeviceLostError as error:
        raise LaunchError(
            f"the GPU failed ({error}); finished trials are kept; run the same command again"
        ) from error
    except StoreError as error:
        with suppress(StoreError):
            remaining.look()  # some trials of the stack may already have their records
        raise LaunchError(str(error)) from error


def _stopping_rules(plan: Plan, store: RecordStore) -> Mapping[str, EarlyStopping]:
    if plan.spec.search.early_stopping is None:
        return {}
    from study.searches import stopping_rules  # Optuna's import takes most of a second

    return stopping_rules(plan.spec, plan.trial_set, store.location)


def _death_record(lost: LostStack, context: LaunchContext) -> TrialRecord:
    """The record of the one trial that was running when its worker died."""
    from trainables.trial import failure_record  # imports torch, so only when it is needed

    message = lost.message
    if _hung(lost, context):
        limit = context.runtime.time_limit
        message = f"it hung: its worker was ended after {lost.seconds:.0f} s; the limit is {limit:g} s"
    (unit,) = lost.running
    return failure_record(
        unit.config,
        attempt=unit.attempt,
        runtime=context.runtime,
        status=_death_status(lost, context),
        error_class=lost.error_class,
        error_message=message,
    )


def _hung(lost: LostStack, context: LaunchContext) -> bool:
    """Whether the worker ended itself because its trials exceeded their time limit."""
    limit = context.runtime.time_limit
    return limit is not None and lost.seconds is not None and lost.seconds > limit * len(lost.running)


def _death_status(lost: LostStack, context: LaunchContext) -> Status:
    if _hung(lost, context):
        return Status.TIMEOUT
    return Status.OOM if lost.error_class == OUT_OF_MEMORY else Status.CRASHED
