"""Passes on what Ray Tune's workers report, and finds what a dead worker left undone."""

from typing import Any

from ray import tune

from study.events import Finished, Listener, LostList
from trainables.records import RecordStore
from trainables.work import Pack


class Watcher(tune.Callback):
    """Listens to a launch of `lists`; `lost` holds the lists whose worker died before their end."""

    def __init__(self, lists: list[list[Pack]], store: RecordStore, listener: Listener) -> None:
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
        """A worker has put the records of a pack and goes on to the next one of its list."""
        index = trial.config["index"]
        self._done[index] += 1
        for finished in result["finished"]:
            self._listener.finished(Finished(**finished))
        self._announce(index)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker died, or could not put its record."""
        packs = self._lists[trial.config["index"]]
        recorded = self._store.read({unit.trial_id for pack in packs for unit in pack}).statuses()
        left = [tuple(unit for unit in pack if unit.trial_id not in recorded) for pack in packs]
        if any(left):
            self.lost.append(_lost_list(tuple(filter(None, left)), trial))

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Tune went round its loop, as it does every second or so."""
        self._listener.tick()

    def _announce(self, index: int) -> None:
        packs, done = self._lists[index], self._done[index]
        for unit in packs[done] if done < len(packs) else ():
            self._listener.started(unit)


def _lost_list(left: tuple[Pack, ...], trial: Any) -> LostList:
    error = trial.get_pickled_error() or trial.get_error()
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() or ["the worker died"]
    return LostList(packs=left, error_class=type(cause).__name__, message=lines[0])
