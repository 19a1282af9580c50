"""The events of Ray Tune's workers, and the Tune callback that puts them into the queue of the worker pool."""

import pickle
import threading
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from ray import tune


@dataclass(frozen=True, kw_only=True)
class WorkerResult:
    """The result of a worker's step; see `TrialWorker.step`."""

    worker: int
    result: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class WorkerLost:
    """A worker ended, because of an exception or because its process ended. Tune starts another in its place."""

    worker: int
    error: BaseException | None


@dataclass(frozen=True, kw_only=True)
class TuneEnded:
    """Tune itself ended."""

    error: BaseException | None


Event = WorkerResult | WorkerLost | TuneEnded


class Stopped(BaseException):
    """Ends Tune at once. After an `Exception` instead, Tune would wait for the busy workers."""


class Released(Exception):
    """Ends Tune while no worker is busy. Tune then gives the placement groups of its workers back to the cluster.

    Otherwise the next run of Tune would wait for them forever.
    """


class Watcher(tune.Callback):
    """Puts events into `events`; ends Tune once `stop` is set."""

    def __init__(self, events: SimpleQueue[Event], stop: threading.Event) -> None:
        self._events, self._stop = events, stop
        self._idle: set[int] = set()  # workers whose last report says that they wait for a list
        self._busy: set[int] = set()  # workers that run trials

    def __getstate__(self) -> dict[str, Any]:
        """Empty, since Tune pickles its callbacks for a restore that never happens."""
        return {}

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Publish a worker's result: it has written records, has taken a list, or waits for one (published once)."""
        worker, waits = trial.config["worker"], result["waits"]
        if not (waits and worker in self._idle):
            self._events.put(WorkerResult(worker=worker, result=result))
        (self._idle.add if waits else self._idle.discard)(worker)
        (self._busy.add if result["running"] else self._busy.discard)(worker)

    def on_trial_recover(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """Publish the death of a worker. A worker that could not write a record reports a result instead."""
        self._idle.discard(trial.config["worker"])
        self._busy.discard(trial.config["worker"])
        self._events.put(WorkerLost(worker=trial.config["worker"], error=_error_of(trial)))

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """End Tune if `stop` is set. Tune calls this in each round of its loop, at least ten times a second."""
        if self._stop.is_set():
            raise Stopped if self._busy else Released


def _error_of(trial: Any) -> BaseException | None:
    """The exception that ended a worker. Tune's own accessors read its storage, which does not have the error yet."""
    try:
        error = pickle.loads(Path(trial.pickled_error_file).read_bytes())
    except (OSError, TypeError, pickle.UnpicklingError, AttributeError, ImportError):
        return None
    return error if isinstance(error, BaseException) else None
