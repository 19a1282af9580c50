"""The trials of a launch that have no record yet. A launch publishes its events through this class."""

from collections.abc import Sequence

from study.events import EventFanOut, Finished, Listener
from study.plan import Plan, searches_of
from study.spec.expand import PlannedTrial
from trainables.store.attempts import latest_attempts, read_records
from trainables.store.records import RecordStore


class Remaining(EventFanOut):
    """Publishes each trial's end once, whether a worker of this launch reports it or its record is in the store.

    A trial counts as recorded when the store has a later attempt at it than `plan`.
    """

    def __init__(
        self, plan: Plan, trials: Sequence[PlannedTrial], store: RecordStore, listeners: Sequence[Listener]
    ) -> None:
        super().__init__(listeners)
        self._store = store
        self._searches = searches_of(plan.spec, plan.trial_set)
        self._before = latest_attempts(plan.records.table)
        self._left = {trial.keys.trial_id: trial for trial in trials}

    @property
    def trials(self) -> list[PlannedTrial]:
        """The trials that had no record at the last look."""
        return list(self._left.values())

    def __contains__(self, trial_id: str) -> bool:
        return trial_id in self._left

    def look(self) -> None:
        """Look for records of these trials in the store."""
        table = read_records(self._store, set(self._left), self._searches).table
        values = [name for name in table.column_names if name.startswith("val_")]
        for row in table.select(["trial_id", "attempt", "status", "seconds_total", *values]).to_pylist():
            if row["attempt"] > self._before.get(row["trial_id"], -1):
                self.finished(
                    Finished(
                        trial_id=row["trial_id"],
                        status=row["status"],
                        seconds=row["seconds_total"],
                        values={name: row[name] for name in values if row[name] is not None},
                        found=True,
                    )
                )

    def finished(self, event: Finished) -> None:
        """Publish the end of a remaining trial. Further reports of the same trial are ignored."""
        if self._left.pop(event.trial_id, None):
            super().finished(event)
