"""The events of Ray Tune's workers: a callback puts them into the queue of the worker pool."""

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
    """A worker ended, by an exception of its own or with its process. Tune starts another in its place."""

    worker: int
    error: BaseException | None


@dataclass(frozen=True, kw_only=True)
class TuneEnded:
    """Tune itself ended."""

    error: BaseException | None


Event = WorkerResult | WorkerLost | TuneEnded


class Stopped(BaseException):
    """Ends Tune at once: what it would do after an `Exception` waits for workers that are busy."""


class Released(Exception):
    """Ends Tune while no worker is busy. Tune then gives the placement groups of its workers back to the cluster.

    The next run of Tune would wait for them for ever.
    """


class Watcher(tune.Callback):
    """Puts events into `events`; ends Tune once `stop` is set."""

    def __init__(self, events: SimpleQueue[Event], stop: threading.Event) -> None:
        self._events, self._stop = events, stop
        self._idle: set[int] = set()  # workers that have reported so since they began or had a list
        self._busy: set[int] = set()  # workers that have a list

    def __getstate__(self) -> dict[str, Any]:
        """Nothing: Tune pickles its callbacks for a restore that never happens."""
        return {}

    def on_trial_result(
        self, iteration: int, trials: Any, trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """A worker has put the records of some stacks, has taken a list, or waits for one, which is reported once."""
        worker, waits = trial.config["worker"], result["list"] is None
        if not (waits and worker in self._idle):
            self._events.put(WorkerResult(worker=worker, result=result))
        (self._idle.add if waits else self._idle.discard)(worker)
        (self._busy.discard if result["ended"] or waits else self._busy.add)(worker)

    def on_trial_recover(self, iteration: int, trials: Any, trial: Any, **info: Any) -> None:
        """A worker died. One that could not put its record has a result instead."""
        self._idle.discard(trial.config["worker"])
        self._busy.discard(trial.config["worker"])
        self._events.put(WorkerLost(worker=trial.config["worker"], error=_error_of(trial)))

    def on_step_end(self, iteration: int, trials: Any, **info: Any) -> None:
        """Tune went round its loop, as it does ten times a second or more."""
        if self._stop.is_set():
            raise Stopped if self._busy else Released


def _error_of(trial: Any) -> BaseException | None:
    """Tune's own accessors look in its storage, where the error does not lie yet."""
    try:
        error = pickle.loads(Path(trial.pickled_error_file).read_bytes())
    except (OSError, TypeError, pickle.UnpicklingError, AttributeError, ImportError):
        return None
    return error if isinstance(error, BaseException) else None
