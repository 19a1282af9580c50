"""Passes on what Ray Tune's workers report, and finds what a dead worker left undone."""

import time
from typing import Any

from ray import tune

from study.attempts import latest_attempts
from study.events import Finished, Listener, LostList
from trainables.records import RecordStore
from trainables.work import Pack


class Watcher(tune.Callback):
    """Listens to a launch of `lists`; `lost` holds the lists whose worker died before their end."""

    def __init__(self, lists: list[list[Pack]], store: RecordStore, listener: Listener) -> None:
        self.lost: list[LostList] = []
        self._lists, self._store, self._listener = lists, store, listener
        self._done = [0] * len(lists)
        self._since = [0.0] * len(lists)
        self._running: set[int] = set()

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks for a restore that never happens."""
        return {}

    def on_trial_start(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker takes a list."""
        self._running.add(trial.config["index"])
        self._announce(trial.config["index"])

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A worker has put the records of some packs and goes on with its list."""
        index = trial.config["index"]
        self._done[index] += result["packs"]
        for finished in result["finished"]:
            self._listener.finished(Finished(**finished))
        self._announce(index)

    def on_trial_error(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker died, or could not put its record."""
        self._lose(trial.config["index"], trial.get_pickled_error() or trial.get_error())

    def on_trial_complete(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A list is done."""
        self._running.discard(trial.config["index"])

    def lose_running(self, error: BaseException) -> None:
        """Tune itself gave up, as it does when Ray ends a worker for want of memory: all that was running is lost."""
        for index in sorted(self._running):
            self._lose(index, error)

    def _lose(self, index: int, error: Any) -> None:
        self._running.discard(index)
        packs = self._lists[index]
        recorded = latest_attempts(self._store.read({unit.trial_id for pack in packs for unit in pack}).table)
        left = [
            tuple(unit for unit in pack if recorded.get(unit.trial_id, -1) < unit.attempt) for pack in packs
        ]
        if any(left):
            seconds = time.monotonic() - self._since[index]
            self.lost.append(_lost_list(tuple(filter(None, left)), error, seconds))

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Tune went round its loop, as it does every second or so."""
        self._listener.tick()

    def _announce(self, index: int) -> None:
        packs, done = self._lists[index], self._done[index]
        self._since[index] = time.monotonic()
        for unit in packs[done] if done < len(packs) else ():
            self._listener.started(unit)


def _lost_list(left: tuple[Pack, ...], error: Any, seconds: float) -> LostList:
    cause = getattr(error, "cause", None) or error
    lines = str(cause).strip().splitlines() or ["the worker died"]
    return LostList(packs=left, error_class=type(cause).__name__, message=lines[0], seconds=seconds)
