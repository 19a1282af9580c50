"""A listener that notes when each stage of a run ends, for one line at its end."""

import time

from study.console import format_seconds
from study.events import Expected, Finished, Listener
from trainables.work import WorkUnit


class StageTimes(Listener):
    """The ends of a run's stages, in seconds since `began` of `time.monotonic`; None for one that did not happen."""

    def __init__(self, began: float) -> None:
        self._began = began
        self.planned: float | None = None
        self.workers_ready: float | None = None
        self.first_result: float | None = None
        self.last_result: float | None = None

    def expected(self, event: Expected) -> None:
        """The plan is made, and the launch begins. A search announces further trials later."""
        self.planned = self.planned or self._now()

    def started(self, unit: WorkUnit) -> None:
        """The first worker starts its first trial."""
        self.workers_ready = self.workers_ready or self._now()

    def finished(self, event: Finished) -> None:
        """A trial has its record, if this launch ran it."""
        if not event.found:
            self.last_result = self._now()
            self.first_result = self.first_result or self.last_result

    def line(self) -> str:
        """The stages in one line, at the end of the report; "" if this launch ran no trial."""
        ends = (self.planned, self.workers_ready, self.first_result, self.last_result)
        planned, ready, first, last = (end or 0.0 for end in ends)
        if None in ends:
            return ""
        now = self._now()
        return (
            f"Time: {format_seconds(now)} (plan {format_seconds(planned)}, start of workers "
            f"{format_seconds(ready - planned)}, trials {format_seconds(last - ready)}, report "
            f"{format_seconds(now - last)}); the first result came after {format_seconds(first)}."
        )

    def _now(self) -> float:
        return time.monotonic() - self._began
