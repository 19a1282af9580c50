"""The rounds of a launch: hand the missing trials to a runner, again and again until none is missing.

A worker that dies takes the rest of its list with it, never a finished trial. What waited runs again; the trials
that were running when the worker died, one or a stack, run once more, each alone, and one is recorded as crashed
when that worker dies too.

Launches that share a store share the work, by the leases that their workers take. A launch waits for what others run,
and takes it over when its lease expires. Launches know of one another by leases and records alone.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from study.console import CONSOLE
from study.cost.model import CostModel
from study.errors import LaunchError
from study.events import NODE_LOST, OUT_OF_MEMORY, Expected, Finished, Listener, LostStack
from study.launch.remaining import Remaining
from study.launch.scheduling import cut_lists, form_stacks, work_unit
from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.early_stopping import EarlyStopping
from trainables.store.records import RecordExistsError, RecordStore, StoreError
from trainables.store.schema import Status, TrialRecord
from trainables.work import LaunchContext, Stack, WorkUnit

Runner = Callable[[Sequence[Sequence[Stack]], LaunchContext, Listener], list[LostStack]]

#: Workers that may die under a trial before it is recorded as crashed; more of them with their whole node, since
#: nodes go for reasons of their own.
_DEATHS, _NODES = 2, 5

#: Rounds that may bring nothing at all, as when another launch takes everything in that moment and gives it back.
_IDLE_ROUNDS = 3

#: From one look at what other launches run to the next.
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One run of trials of a plan: of those that are missing, or of `trials`, each as its next attempt."""

    plan: Plan
    store: RecordStore
    context: LaunchContext
    workers: int
    runner: Runner
    costs: CostModel
    listeners: Sequence[Listener]  # in the order in which they receive events
    trials: Sequence[PlannedTrial] | None = None
    awaited: frozenset[str] | None = None  # trials to wait for when other launches run them; None for all
    undecided: int = 0  # trials that will come in later rounds of a search
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run until every trial has a record, or is run by another launch and not `awaited`.

        `KeyboardInterrupt` leaves every finished one. Raises `LaunchError` when the store refuses, or when trials
        end without a record again and again.
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
        """The cost of every trial as it will be stacked, by its id."""
        return self.costs.unit_costs(self._stacks([work_unit(trial, self.context) for trial in trials]))

    def _stacks(self, units: Sequence[WorkUnit]) -> list[Stack]:
        limit = self.plan.trial_set.task.stack_limit
        return form_stacks(units, self.workers, limit=limit, stacked=self.context.stacked)

    def _look(self, remaining: Remaining) -> dict[str, int]:
        """The number of the next attempt at every remaining trial.

        Asked for before records are looked for: a trial that is recorded in between is still recorded as the
        attempt that it is handed out as, and its worker sees that.
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
            CONSOLE.print(
                f"waiting for {len(remaining.trials)} trials that another launch runs", soft_wrap=True
            )
        time.sleep(_LOOK_SECONDS)
        remaining.tick()

    def _lists(
        self, trials: list[PlannedTrial], attempts: dict[str, int], costs: dict[str, float]
    ) -> list[list[Stack]]:
        """Lists for workers. Trials that a worker may have died of run alone, after the others."""
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
        suspects = [unit for unit in units if self._deaths[unit.trial_id]]
        others = [unit for unit in units if not self._deaths[unit.trial_id]]
        lists = cut_lists(self._stacks(others), costs, self.costs, self.workers)
        return lists + [[(unit,)] for unit in suspects]

    def _on_stack_lost(self, lost: LostStack, remaining: Remaining) -> bool:
        """Count a death against the trials that a worker may have died of. Whether there were some."""
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
            return  # another worker has put one
        listener.finished(Finished(trial_id=record.trial_id, status=record.status))


@contextmanager
def _store_errors(remaining: Remaining) -> Iterator[None]:
    """A store that refuses, for a full disk mostly, ends the launch: raises `LaunchError` with its line."""
    try:
        yield
    except StoreError as error:
        with suppress(StoreError):
            remaining.look()  # of a stack, some may have their records
        raise LaunchError(str(error)) from error


def _stopping_rules(plan: Plan, store: RecordStore) -> Mapping[str, EarlyStopping]:
    if plan.spec.search.early_stopping is None:
        return {}
    from study.searches import stopping_rules  # Optuna's import takes most of a second

    return stopping_rules(plan.spec, plan.trial_set, store.location)


def _death_record(lost: LostStack, context: LaunchContext) -> TrialRecord:
    """The record of the one trial that was running when its worker died."""
    from trainables.trial import failure_record  # imports torch: only now, and rarely

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
    """Whether the worker ended itself since its trials took longer than they may."""
    limit = context.runtime.time_limit
    return limit is not None and lost.seconds is not None and lost.seconds > limit * len(lost.running)


def _death_status(lost: LostStack, context: LaunchContext) -> Status:
    if _hung(lost, context):
        return Status.TIMEOUT
    return Status.OOM if lost.error_class == OUT_OF_MEMORY else Status.CRASHED
