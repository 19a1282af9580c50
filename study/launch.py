"""From a plan to records: hand the missing trials to a runner, again and again until none is missing.

A worker that dies takes the rest of its list with it, never a finished trial. What is left runs again: the trial
that was running when the worker died runs alone, and when its worker dies again it is recorded as crashed.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from study.errors import StudyError
from study.estimate import relative_cost, seconds_by_trial
from study.events import Finished, Listener, LostList
from study.expand import PlannedTrial
from study.plan import Plan
from study.split import split_work
from trainables.records import RecordExistsError, RecordStore
from trainables.schema import Status, TrialRecord
from trainables.work import Workshop, WorkUnit

Runner = Callable[[Sequence[Sequence[WorkUnit]], Workshop, Listener], list[LostList]]

#: Expected seconds of the longest list: start-up is long paid, and little is left to wait for at the end.
_LIST_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True)
class Launch:
    """One run of the missing trials of a plan."""

    plan: Plan
    store: RecordStore
    workshop: Workshop
    workers: int
    runner: Runner
    listener: Listener

    def run(self) -> None:
        """Run until every trial of the plan has a record. `KeyboardInterrupt` leaves every finished one."""
        lists = self._first_lists()
        while lists:
            lost = self.runner(lists, self.workshop, self.listener)
            for each in lost:
                if each.listed == 1:
                    self._record_death(each)
            lists = _lists_again([each for each in lost if each.listed > 1])

    def _first_lists(self) -> list[list[WorkUnit]]:
        missing = self.plan.missing
        costs = launch_costs(self.plan, missing)
        known = seconds_by_trial(self.plan, missing) is not None
        units = [(self._unit(trial), cost) for trial, cost in zip(missing, costs, strict=True)]
        return split_work(units, self.workers, longest=_LIST_SECONDS if known else float("inf"))

    def _unit(self, trial: PlannedTrial) -> WorkUnit:
        return WorkUnit(
            trial_id=trial.keys.trial_id,
            attempt=self.store.next_attempt(trial.keys.trial_id),
            config=trial.config,
            title=trial.title,
        )

    def _record_death(self, lost: LostList) -> None:
        record = death_record(lost, self.workshop)
        try:
            self.store.put(record)
        except RecordExistsError:
            return  # the worker had put its record before it died
        except OSError as error:
            raise StudyError(f"store: cannot write to {self.store.path} ({error.strerror})") from error
        self.listener.finished(Finished(trial_id=record.trial_id, status=record.status))


def launch_costs(plan: Plan, trials: Sequence[PlannedTrial]) -> list[float]:
    """Expected cost of each trial: seconds where the store knows some, relative work otherwise."""
    images = plan.expansion.data.n_pretraining
    return seconds_by_trial(plan, trials) or [relative_cost(trial, images) for trial in trials]


def _lists_again(lost: Sequence[LostList]) -> list[list[WorkUnit]]:
    """What was running runs alone; what waited behind it runs as a list once more."""
    alone = [[each.units[0]] for each in lost]
    waiting = [list(each.units[1:]) for each in lost if len(each.units) > 1]
    return waiting + alone


def death_record(lost: LostList, workshop: Workshop) -> TrialRecord:
    """The record of a trial whose worker died under it."""
    from trainables.trial import failure_record  # imports torch: only now, and rarely

    return failure_record(
        lost.units[0].config,
        attempt=lost.units[0].attempt,
        runtime=workshop.runtime,
        status=Status.OOM if lost.error_class == "OutOfMemoryError" else Status.CRASHED,
        error_class=lost.error_class,
        error_message=lost.message,
    )
