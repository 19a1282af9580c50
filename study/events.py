"""What a runner tells while it works. Whoever listens may show it; nothing depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from trainables.work import Stack, WorkUnit


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A trial's end: its status, seconds, and validation metrics by column."""

    trial_id: str
    status: str
    seconds: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)
    found: bool = (
        False  # its record was found in the store: another launch ran it, or a worker that died then
    )


class Listener(Protocol):
    """Receives a runner's events."""

    def started(self, unit: WorkUnit) -> None: ...

    def finished(self, event: Finished) -> None: ...

    def tick(self) -> None:
        """Called now and then while trials run."""


class Unheard:
    """A listener to whom nothing matters."""

    def started(self, unit: WorkUnit) -> None:
        """Of no interest."""

    def finished(self, event: Finished) -> None:
        """Of no interest."""

    def tick(self) -> None:
        """Of no interest."""


#: Error classes of workers that left no exception: how they ended, as far as Ray knows.
WORKER_KILLED, OUT_OF_MEMORY, NODE_LOST = "WorkerKilledError", "OutOfMemoryError", "NodeLostError"


@dataclass(frozen=True, kw_only=True)
class LostStack:
    """What a worker was running when it died, and why; nothing when it died between two stacks."""

    running: Stack
    error_class: str
    message: str
    seconds: float | None = None  # that it had been running
