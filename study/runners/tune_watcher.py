"""Passes on what Ray Tune's workers report, and finds what a dead worker left undone."""

from typing import Any

from ray import tune

from study.events import Finished, Listener, LostList
from trainables.records import RecordStore
from trainables.work import WorkUnit


class Watcher(tune.Callback):
    """Listens to a launch of `lists`; `lost` holds the lists whose worker died before their end."""

    def __init__(self, lists: list[list[WorkUnit]], store: RecordStore, listener: Listener) -> None:
        self.lost: list[LostList] = []
        self._lists, self._store, self._listener = lists, store, listener
        self._done = [0] * len(lists)

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks for a restore that never happens."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker takes a list."""
        self._announce(trial.config["index"])

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A worker has put a record and goes on to the next unit of its list."""
        index = trial.config["index"]
        self._done[index] += 1
        self._listener.finished(
            Finished(
                trial_id=result["finished_trial"],
                status=result["finished_status"],
                seconds=result["finished_seconds"],
                values=result["finished_values"],
            )
        )
        self._announce(index)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker died, or could not put its record."""
        units = self._lists[trial.config["index"]]
        recorded = self._store.read({unit.trial_id for unit in units}).statuses()
        left = tuple(unit for unit in units if unit.trial_id not in recorded)
        if left:
            self.lost.append(_lost_list(left, trial))

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Tune went round its loop, as it does every second or so."""
        self._listener.tick()

    def _announce(self, index: int) -> None:
        units, done = self._lists[index], self._done[index]
        if done < len(units):
            self._listener.started(units[done])


def _lost_list(left: tuple[WorkUnit, ...], trial: Any) -> LostList:
    error = trial.get_pickled_error() or trial.get_error()
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() or ["the worker died"]
    return LostList(units=left, error_class=type(cause).__name__, message=lines[0])
