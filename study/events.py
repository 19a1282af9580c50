"""The events of a launch, and the listeners that receive them.

Runners and the launch publish events. Listeners display and store them.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.work import Stack, WorkUnit

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Trials that will run: at the start of a launch all of them, and in a search those of the next round."""

    plan: Plan  # the study compared with the current store
    trials: Sequence[PlannedTrial]
    costs: Mapping[str, float]  # the cost of each trial by its id, in units of the launch's cost model
    undecided: int = 0  # trials whose configurations the searches have not chosen yet


@dataclass(frozen=True, kw_only=True)
class Finished:
    """The end of a trial: its status, its seconds, and its validation metrics by column."""

    trial_id: str
    status: str
    seconds: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    found: bool = (
        False  # the record was found in the store: by another launch, or by a worker that died afterwards
    )


class Listener:
    """Receives the events of a launch, in its main thread. A subclass overrides the methods that it needs."""

    def expected(self, event: Expected) -> None:
        """Trials will run."""

    def started(self, unit: WorkUnit) -> None:
        """A worker starts a trial."""

    def finished(self, event: Finished) -> None:
        """A trial has its record."""

    def tick(self) -> None:
        """Called from time to time while trials run."""


class EventFanOut(Listener):
    """Publishes every event to some listeners, in their order.

    A listener that cannot write its file costs one warning: the records are safe, and the others get the event.
    """

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners
        self._failed: set[int] = set()  # places of the listeners that have failed

    def expected(self, event: Expected) -> None:
        self._publish(lambda listener: listener.expected(event))

    def started(self, unit: WorkUnit) -> None:
        self._publish(lambda listener: listener.started(unit))

    def finished(self, event: Finished) -> None:
        self._publish(lambda listener: listener.finished(event))

    def tick(self) -> None:
        self._publish(lambda listener: listener.tick())

    def _publish(self, call: Callable[[Listener], None]) -> None:
        for place, listener in enumerate(self._listeners):
            try:
                call(listener)
            except OSError as error:
                if place not in self._failed:
                    _log.warning("%s failed: %s", type(listener).__name__, error)
                self._failed.add(place)


#: Error classes for workers that died without an exception. Ray reports how they ended.
WORKER_KILLED, OUT_OF_MEMORY, NODE_LOST = "WorkerKilledError", "OutOfMemoryError", "NodeLostError"


@dataclass(frozen=True, kw_only=True)
class LostStack:
    """The trials that a worker was running when it died, and the reason. Empty if it died between two stacks."""

    running: Stack
    error_class: str
    message: str
    seconds: float | None = None  # since the worker's last result
