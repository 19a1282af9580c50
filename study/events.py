"""The events of a launch, and who receives them: runners and the launch publish, listeners show and keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from study.plan import Plan
from study.spec.expand import PlannedTrial
from trainables.work import Stack, WorkUnit


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Trials that will run: all of them at the start of a launch, and in a search those of the next round."""

    plan: Plan  # the study as the store has it now
    trials: Sequence[PlannedTrial]
    costs: Mapping[str, float]  # of each trial by its id, in units of the launch's cost model
    undecided: int = 0  # trials of configurations that searches have still to find


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A trial's end: its status, seconds, and validation metrics by column."""

    trial_id: str
    status: str
    seconds: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    found: bool = False  # found in the store: another launch ran it, or a worker that died afterwards


class Listener:
    """Receives the events of a launch, in its main thread. A subclass overrides the methods that it needs."""

    def expected(self, event: Expected) -> None:
        """Trials will run."""

    def started(self, unit: WorkUnit) -> None:
        """A worker begins with a trial."""

    def finished(self, event: Finished) -> None:
        """A trial has its record."""

    def tick(self) -> None:
        """Time passes: called now and then while trials run."""


class EventFanOut(Listener):
    """Publishes every event to some listeners, in their order."""

    def __init__(self, listeners: Sequence[Listener]) -> None:
        self._listeners = listeners

    def expected(self, event: Expected) -> None:
        for listener in self._listeners:
            listener.expected(event)

    def started(self, unit: WorkUnit) -> None:
        for listener in self._listeners:
            listener.started(unit)

    def finished(self, event: Finished) -> None:
        for listener in self._listeners:
            listener.finished(event)

    def tick(self) -> None:
        for listener in self._listeners:
            listener.tick()


#: Error classes of workers that left no exception: how they ended, as far as Ray knows.
WORKER_KILLED, OUT_OF_MEMORY, NODE_LOST = "WorkerKilledError", "OutOfMemoryError", "NodeLostError"


@dataclass(frozen=True, kw_only=True)
class LostStack:
    """What a worker was running when it died, and why; nothing when it died between two stacks."""

    running: Stack
    error_class: str
    message: str
    seconds: float | None = None  # that it had been running
