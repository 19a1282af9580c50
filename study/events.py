"""What a runner tells while it works. Whoever listens may show it; nothing depends on it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from trainables.work import Pack, WorkUnit


@dataclass(frozen=True, kw_only=True)
class Finished:
    """A trial's end: its status, seconds, and validation metrics by column."""

    trial_id: str
    status: str
    seconds: float | None = None
    values: Mapping[str, float] = field(default_factory=dict)


class Listener(Protocol):
    """Receives a runner's events."""

    def started(self, unit: WorkUnit) -> None: ...

    def finished(self, event: Finished) -> None: ...

    def tick(self) -> None:
        """Called now and then while trials run."""


@dataclass(frozen=True, kw_only=True)
class LostList:
    """A list whose worker died: what has no record, pack by pack, the first of which was running, and why."""

    packs: tuple[Pack, ...]
    error_class: str
    message: str
    seconds: float | None = None  # that the first pack had been running
