"""From a plan to records: hand the missing trials to a runner, again and again until none is missing.

A worker that dies takes the rest of its list with it, never a finished trial. What waited runs again; the trials
that were running when the worker died, one or a stack, run once more, each alone, and one is recorded as crashed
when that worker dies too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from study.attempts import latest_attempts
from study.errors import LaunchError
from study.estimate import relative_cost, seconds_by_trial
from study.events import Finished, Listener, LostList
from study.expand import PlannedTrial
from study.packs import form_packs
from study.plan import Plan
from study.split import split_work
from trainables.artefacts import kept_path
from trainables.records import RecordExistsError, RecordStore, StoreError
from trainables.schema import Status, TrialRecord
from trainables.work import Pack, Workshop, WorkUnit

Runner = Callable[[Sequence[Sequence[Pack]], Workshop, Listener], list[LostList]]

#: Expected seconds of the longest list: start-up is long paid, and little is left to wait for at the end.
_LIST_SECONDS = 30.0

#: Workers that may die under a trial before it is recorded as crashed.
_DEATHS = 2


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One run of trials of a plan: of those that are missing, or of `trials`, each as its next attempt."""

    plan: Plan
    store: RecordStore
    workshop: Workshop
    workers: int
    runner: Runner
    listener: Listener
    trials: Sequence[PlannedTrial] | None = None
    _deaths: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        """Run until every trial has a record of its attempt.

        `KeyboardInterrupt` leaves every finished one. Raises `LaunchError` when records cannot be written, or
        when trials are still missing in the end.
        """
        trials = self.plan.missing if self.trials is None else self.trials
        costs = dict(zip((t.keys.trial_id for t in trials), launch_costs(self.plan, trials), strict=True))
        attempts = self.store.next_attempts()
        units = [self._unit(trial, attempts) for trial in trials]
        lists = self._split(units, costs)
        while lists:
            try:
                lost = self.runner(lists, self.workshop, self.listener)
            except StoreError as error:  # a full disk, mostly: what is finished is kept
                raise LaunchError(str(error)) from error
            alone = [unit for each in lost for unit in self._suspects(each)]
            waiting = [unit for unit in self._unrecorded(units) if unit not in alone] if lost else []
            lists = self._split(waiting, costs) + [[(unit,)] for unit in alone]
        if left := self._unrecorded(units):
            raise LaunchError(
                f"{len(left)} trials ended without a record, {left[0].trial_id} among them; run again"
            )

    def _split(self, units: list[WorkUnit], costs: dict[str, float]) -> list[list[Pack]]:
        known = seconds_by_trial(self.plan, []) is not None
        packs = form_packs(
            units, self.workers, pixels=self.plan.expansion.data.size**2, stacked=self.workshop.stacked
        )
        priced = [(pack, sum(costs[unit.trial_id] for unit in pack)) for pack in packs]
        return split_work(priced, self.workers, longest=_LIST_SECONDS if known else float("inf"))

    def _unit(self, trial: PlannedTrial, attempts: dict[str, int]) -> WorkUnit:
        key, artefacts = trial.keys.trial_id, self.workshop.runtime.artefacts
        kept = artefacts is not None and kept_path(artefacts, trial.keys.pretrain_id).exists()
        return WorkUnit(
            trial_id=key, attempt=attempts.get(key, 0), config=trial.config, title=trial.title, alone=kept
        )

    def _suspects(self, lost: LostList) -> Pack:
        """The trials that a worker may have died of and that run again, each alone."""
        running = lost.packs[0]
        self._deaths.update(unit.trial_id for unit in running)
        final = _hung(lost, self.workshop) or self._deaths[running[0].trial_id] >= _DEATHS
        if len(running) > 1 or not final:
            return running
        self._give_up(lost)
        return ()

    def _give_up(self, lost: LostList) -> None:
        """Record the one trial that was running as crashed."""
        (unit,) = lost.packs[0]
        record = death_record(lost, self.workshop)
        if record.trial_id != unit.trial_id:
            raise LaunchError(f"{unit.title}: data or source code changed while the study ran; run it again")
        try:
            self.store.put(record)
        except RecordExistsError:
            return  # the worker had put its record before it died
        except OSError as error:
            raise LaunchError(f"store: cannot write to {self.store.path} ({error.strerror})") from error
        self.listener.finished(Finished(trial_id=record.trial_id, status=record.status))

    def _unrecorded(self, units: list[WorkUnit]) -> list[WorkUnit]:
        """Units without a record of their attempt; an earlier one does not count."""
        latest = latest_attempts(self.store.read({unit.trial_id for unit in units}).table)
        return [unit for unit in units if latest.get(unit.trial_id, -1) < unit.attempt]


def launch_costs(plan: Plan, trials: Sequence[PlannedTrial]) -> list[float]:
    """Expected cost of each trial: seconds where the store knows some, relative work otherwise."""
    images = plan.expansion.data.n_pretraining
    return seconds_by_trial(plan, trials) or [relative_cost(trial, images) for trial in trials]


def death_record(lost: LostList, workshop: Workshop) -> TrialRecord:
    """The record of a trial whose worker died under it."""
    from trainables.trial import failure_record  # imports torch: only now, and rarely

    message = lost.message
    if _hung(lost, workshop):
        limit = workshop.runtime.time_limit
        message = f"it hung: its worker was ended after {lost.seconds:.0f} s; the limit is {limit:g} s"
    unit = lost.packs[0][0]
    return failure_record(
        unit.config,
        attempt=unit.attempt,
        runtime=workshop.runtime,
        status=_death_status(lost, workshop),
        error_class=lost.error_class,
        error_message=message,
    )


def _death_status(lost: LostList, workshop: Workshop) -> Status:
    if _hung(lost, workshop):
        return Status.TIMEOUT
    said = f"{lost.error_class}: {lost.message}".lower()
    return Status.OOM if "outofmemory" in said or "(oom)" in said else Status.CRASHED


def _hung(lost: LostList, workshop: Workshop) -> bool:
    """Whether the worker ended itself since its trials took longer than they may."""
    limit = workshop.runtime.time_limit
    return limit is not None and lost.seconds is not None and lost.seconds > limit * len(lost.packs[0])
