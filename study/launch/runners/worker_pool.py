"""The worker pool of a launch: a run of Ray Tune in its own thread, whose workers take lists from a work queue.

`RayTuneRunner` keeps the pool from one call to the next. A search runs a few trials in each round. A new run of Tune
for each round would start a process and import torch again for every worker, which takes seconds (measured by
`python -m tests.benchmarks.bench_scheduling`).
"""

import itertools
import queue
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import ray
from ray import tune
from ray.exceptions import RayActorError, RayError

from study.console import say
from study.errors import LaunchError
from study.events import NODE_LOST, OUT_OF_MEMORY, WORKER_KILLED, Finished, Listener, LostStack
from study.launch.runners.tune_events import Event, Released, Stopped, TuneEnded, WorkerLost, WorkerResult
from trainables.store.records import StoreError
from trainables.work import Stack, WorkUnit

_TICK_SECONDS = 0.5

#: A launch ends after so many workers in a row have died without a list, for example because they cannot start.
_IDLE_DEATHS = 6

_END_SECONDS = 30.0

_FOR_MEMORY = (OUT_OF_MEMORY, "Ray ended the worker, since its machine was running out of memory")

#: Error class and message of a worker's death, by words in Ray's message.
_DEATHS = {
    "(oom)": _FOR_MEMORY,
    "running low on memory": _FOR_MEMORY,
    "node has died": (NODE_LOST, "the node that the worker ran on was lost"),
}

#: Error class and message if Ray's message only says that the process ended.
_KILLED = (
    WORKER_KILLED,
    "the worker's process was killed from outside, as by the system for lack of memory, or crashed in native code",
)


class WorkerPool:
    """A run of Tune over `tuner`, whose workers take lists from `work_queue`; `events` brings their results."""

    def __init__(
        self, tuner: tune.Tuner, work_queue: Any, events: "queue.SimpleQueue[Event]", stop: threading.Event
    ) -> None:
        self._tuner, self._work_queue, self._events, self._stop = tuner, work_queue, events, stop
        self._numbers = itertools.count()
        self._units: dict[str, WorkUnit] = {}
        self._left: set[int] = set()  # lists that have not ended
        # By worker: the trials that run, and the time of its last result.
        self._running: dict[int, tuple[Stack, float]] = {}
        self._idle_deaths = 0
        self._thread = threading.Thread(target=self._fit, daemon=True)
        self._thread.start()

    @property
    def is_over(self) -> bool:
        """Whether Tune has ended, so that a new pool is needed."""
        return not self._thread.is_alive()

    def run(self, lists: Sequence[Sequence[Stack]], listener: Listener) -> list[LostStack]:
        """Run the trials of the lists whose leases are free, and return the stacks that ran on workers that died.

        Raises `StoreError` as soon as a worker reports that it cannot write to the store.
        """
        lost: list[LostStack] = []
        numbered = {next(self._numbers): stacks for stacks in lists}
        self._left = set(numbered)
        self._units = {unit.trial_id: unit for stacks in lists for stack in stacks for unit in stack}
        ray.get(self._work_queue.put.remote({n: [ray.put(list(stacks))] for n, stacks in numbered.items()}))
        while self._left:
            with suppress(queue.Empty):
                event = self._events.get(timeout=_TICK_SECONDS)
                match event:
                    case WorkerResult():
                        self._on_result(event.worker, event.result, listener)
                    case WorkerLost():
                        lost += self._on_worker_lost(event.worker, event.error)
                    case TuneEnded():
                        lost += self._on_tune_ended(event.error)
            listener.tick()
        return lost

    def end(self) -> None:
        """End Tune, even if its workers are busy."""
        self._stop.set()
        self._thread.join(_END_SECONDS)
        ray.kill(self._work_queue)

    def _fit(self) -> None:
        try:
            self._tuner.fit()
            self._events.put(TuneEnded(error=None))
        except (Stopped, Released):
            pass
        except BaseException as error:
            self._events.put(TuneEnded(error=error))

    def _on_result(self, worker: int, result: dict[str, Any], listener: Listener) -> None:
        self._idle_deaths = 0
        if refused := result.get("refused"):
            raise StoreError(refused)
        for line in result["notes"]:
            say(line)
        for finished in result["finished"]:
            listener.finished(Finished(**finished))
        self._left.difference_update(result["ended"])
        before, _ = self._running.pop(worker, ((), 0.0))
        if result["running"]:
            running = tuple(self._units[trial_id] for trial_id in result["running"])
            self._running[worker] = running, time.monotonic()
            known = {unit.trial_id for unit in before}
            for unit in running:
                if unit.trial_id not in known:
                    listener.started(unit)

    def _on_worker_lost(self, worker: int, error: BaseException | None) -> list[LostStack]:
        error_class, message = describe_death(error)
        taken = ray.get(self._work_queue.taken_by.remote(worker))
        held = self._left & set(taken)
        self._left -= held
        if not held:
            self._idle_deaths += 1
            if self._idle_deaths == _IDLE_DEATHS:
                raise LaunchError(f"workers die before they begin ({error_class}: {message})")
            return []
        stack, since = self._running.pop(worker, ((), time.monotonic()))
        seconds = time.monotonic() - since
        return [LostStack(running=stack, error_class=error_class, message=message, seconds=seconds)]

    def _on_tune_ended(self, error: BaseException | None) -> list[LostStack]:
        """Return all running stacks as lost. Tune ends itself, for example, when Ray ends a worker to free memory."""
        cause = error.__cause__ if error else None
        if error and not isinstance(cause, RayError):
            raise error
        self._left.clear()
        error_class, message = describe_death(cause)
        now = time.monotonic()
        return [
            LostStack(running=stack, error_class=error_class, message=message, seconds=now - since)
            for stack, since in self._running.values()
        ]


def describe_death(error: BaseException | None) -> tuple[str, str]:
    """Error class and message for the record of a trial whose worker died, from its exception or Ray's message."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, BaseException):  # raised in the worker
        error = cause
    said = str(error).strip()
    if isinstance(error, RayActorError) or error is None:
        return next((death for words, death in _DEATHS.items() if words in said.lower()), _KILLED)
    return type(error).__name__, said.splitlines()[0] if said else "the worker died"
