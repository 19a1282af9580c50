"""From a plan to records: hand the missing trials to a runner, again and again until none is missing.

A worker that dies takes the rest of its list with it, never a finished trial. What waited runs again; the trials
that were running when the worker died, one or a stack, run once more, each alone, and one is recorded as crashed
when that worker dies too.

Launches that share a store share the work, by the leases that their workers take. What others run is waited for, and
taken over when its lease expires. Nothing is told between launches but by leases and records.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from study.console import CONSOLE
from study.cost.estimate import relative_cost, seconds_by_trial
from study.errors import LaunchError
from study.events import NODE_LOST, Finished, Listener, LostStack
from study.launch.lost_workers import death_record, hung
from study.launch.remaining import Remaining
from study.launch.scheduling import split_work
from study.launch.stacks import form_stacks
from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.early_stopping import EarlyStopping
from trainables.store.artefacts import kept_path
from trainables.store.records import RecordExistsError, RecordStore, StoreError
from trainables.work import LaunchContext, Stack, WorkUnit

Runner = Callable[[Sequence[Sequence[Stack]], LaunchContext, Listener], list[LostStack]]

#: Expected seconds of the longest list: start-up is long paid, and little is left to wait for at the end.
_LIST_SECONDS = 30.0

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
    listener: Listener
    trials: Sequence[PlannedTrial] | None = None
    awaited: frozenset[str] | None = None  # trials to wait for when other launches run them; None for all
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run until every trial has a record, or is run by another launch and not `awaited`.

        `KeyboardInterrupt` leaves every finished one. Raises `LaunchError` when the store refuses, or when trials
        end without a record again and again.
        """
        trials = self.plan.missing if self.trials is None else self.trials
        costs = dict(zip((t.keys.trial_id for t in trials), launch_costs(self.plan, trials), strict=True))
        remaining = Remaining(self.plan, trials, self.store, self.listener)
        try:
            self._run(remaining, costs)
        except StoreError as error:  # a full disk, mostly: what is finished is kept
            with suppress(StoreError):
                remaining.look()  # of a stack, some may have their records
            raise LaunchError(str(error)) from error

    def _run(self, remaining: Remaining, costs: dict[str, float]) -> None:
        idle, waited = 0, False
        while attempts := self._look(remaining):
            if free := self._free(remaining):
                lists = self._lists(free, attempts, costs)
                idle = 0 if self._round(lists, remaining) else idle + 1
            elif self.awaited is None or any(trial_id in remaining for trial_id in self.awaited):
                self._pause(remaining, silent=waited)
                waited = True
            else:
                return
            if idle == _IDLE_ROUNDS:
                raise LaunchError(
                    f"{len(free)} trials ended without a record, {free[0].keys.trial_id} among them; run again"
                )

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

    def _round(self, lists: list[list[Stack]], remaining: Remaining) -> bool:
        """Hand lists to the runner once. Whether anything came of it: a record, or a worker's death."""
        before = len(remaining.trials)
        lost = self.runner(lists, self.context, remaining)
        remaining.look()
        deaths = [each for each in lost if self._blame(each, remaining)]
        return bool(deaths) or len(remaining.trials) < before

    def _lists(
        self, trials: list[PlannedTrial], attempts: dict[str, int], costs: dict[str, float]
    ) -> list[list[Stack]]:
        rules = _stopping_rules(self.plan, self.store)
        units = [self._unit(trial, attempts, rules) for trial in trials]
        suspects = [unit for unit in units if self._deaths[unit.trial_id]]
        others = [unit for unit in units if not self._deaths[unit.trial_id]]
        return self._split(others, costs) + [[(unit,)] for unit in suspects]

    def _split(self, units: list[WorkUnit], costs: dict[str, float]) -> list[list[Stack]]:
        known = costs_are_seconds(self.plan)
        stacks = form_stacks(
            units, self.workers, pixels=self.plan.trial_set.task.pixels, stacked=self.context.stacked
        )
        priced = [(stack, sum(costs[unit.trial_id] for unit in stack)) for stack in stacks]
        return split_work(priced, self.workers, longest=_LIST_SECONDS if known else float("inf"))

    def _unit(
        self, trial: PlannedTrial, attempts: dict[str, int], rules: Mapping[str, EarlyStopping]
    ) -> WorkUnit:
        key, artefacts = trial.keys.trial_id, self.context.runtime.artefacts
        kept = artefacts is not None and kept_path(artefacts, trial.keys.pretrain_id).exists()
        return WorkUnit(
            trial_id=key,
            attempt=attempts[key],
            config=trial.config,
            title=trial.title,
            alone=kept or key in rules,
            early_stopping=rules.get(key),
        )

    def _blame(self, lost: LostStack, remaining: Remaining) -> bool:
        """Count a death against the trials that a worker may have died of. Whether there were some."""
        running = [unit for unit in lost.running if unit.trial_id in remaining]
        self._deaths.update(unit.trial_id for unit in running)
        if len(lost.running) == len(running) == 1:
            most = _NODES if lost.error_class == NODE_LOST else _DEATHS
            if hung(lost, self.context) or self._deaths[running[0].trial_id] >= most:
                self._give_up(lost, remaining)
        return bool(running)

    def _give_up(self, lost: LostStack, listener: Listener) -> None:
        """Record the one trial that was running as crashed."""
        (unit,) = lost.running
        record = death_record(lost, self.context)
        if record.trial_id != unit.trial_id:
            raise LaunchError(f"{unit.title}: data or source code changed while the study ran; run it again")
        try:
            with self.store.writing():
                self.store.put(record)
        except RecordExistsError:
            return  # another worker has put one
        listener.finished(Finished(trial_id=record.trial_id, status=record.status))


def costs_are_seconds(plan: Plan) -> bool:
    """Whether the store knows some, which count but under early stopping.

    There the order of trials decides who stops, and would depend on what differs from run to run.
    """
    return plan.spec.search.early_stopping is None and seconds_by_trial(plan, []) is not None


def launch_costs(plan: Plan, trials: Sequence[PlannedTrial]) -> list[float]:
    """Expected cost of each trial: seconds where they are known, relative work otherwise."""
    images = plan.trial_set.task.images
    known = seconds_by_trial(plan, trials) if costs_are_seconds(plan) else None
    return known or [relative_cost(trial, images) for trial in trials]


def _stopping_rules(plan: Plan, store: RecordStore) -> Mapping[str, EarlyStopping]:
    if plan.spec.search.early_stopping is None:
        return {}
    from study.launch.search.stopping import stopping_rules  # Optuna's import takes most of a second

    return stopping_rules(plan, store.location)
