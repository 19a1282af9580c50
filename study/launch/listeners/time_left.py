"""The time that a launch still needs: one estimate, which the terminal and the page of `study watch` show."""

import time

from study.console import format_seconds
from study.events import Expected, Finished, Listener
from trainables.work import WorkUnit

#: The fraction of a launch's work after which its measured times have the same weight as the expected times.
_TRUST = 0.1

#: Ends of trials within so many seconds of the first are of the same stack.
_SAME_STACK = 0.2

#: Seconds to which a text is rounded, by the shortest time for which it holds.
_STEPS = ((3600.0, 600.0), (600.0, 60.0), (60.0, 10.0), (0.0, 5.0))


def time_left_text(seconds: float) -> str:
    """The time left in words, rounded, so that it does not change every second."""
    step = next(step for least, step in _STEPS if seconds >= least)
    rounded = format_seconds(max(1, round(seconds / step)) * step)
    return f"about {rounded.removesuffix(' 0 s').removesuffix(' 0 min')}"


class TimeLeft(Listener):
    """Estimates the seconds until the last trial of a launch ends, from costs and from what its trials took.

    `pace` is the expected seconds of a worker per unit of cost; None if unknown. As trials of this launch finish,
    their measured seconds get more and more weight.
    """

    def __init__(self, *, workers: int = 1, pace: float | None = None) -> None:
        self._workers, self._expected_pace = workers, pace
        self._cost: dict[str, float] = {}
        self._unknown = 0  # trials that no search has decided yet
        self._running: dict[str, None] = {}
        self._done_cost, self._own_cost, self._others_cost, self._own_seconds = 0.0, 0.0, 0.0, 0.0
        self._first_start, self._first_end, self._first_seconds = 0.0, 0.0, 0.0

    def expected(self, event: Expected) -> None:
        """Add the cost of further trials."""
        self._cost = {
            **self._cost,
            **event.costs,
        }  # a new dictionary, since other threads ask for the estimate
        self._unknown = event.undecided

    def started(self, unit: WorkUnit) -> None:
        """Count `unit` as running."""
        self._first_start = self._first_start or time.monotonic()
        self._running[unit.trial_id] = None

    def finished(self, event: Finished) -> None:
        """Count the cost and the seconds of a trial that has its record."""
        self._running.pop(event.trial_id, None)
        cost = self._cost.get(event.trial_id, 0.0)
        self._done_cost += cost
        if event.found:
            self._others_cost += cost
        elif event.seconds is not None:  # a trial whose worker died has no seconds
            self._own_cost += cost
            self._own_seconds += event.seconds
            self._first_end = self._first_end or time.monotonic()
            if time.monotonic() - self._first_end < _SAME_STACK:
                self._first_seconds += event.seconds

    def seconds(self) -> float | None:
        """Seconds until the last trial ends; None before anything is known."""
        # Undecided trials are assumed to cost as much as the known trials on average.
        known = len(self._cost)
        total = sum(self._cost.values()) * (known + self._unknown) / max(1, known)
        pace = self._pace(total)
        if pace is None:
            return None
        work = pace * (total - self._done_cost)
        return max(0.0, (work - self._begun(pace)) / (self._workers * self._help()))

    def _pace(self, total: float) -> float | None:
        """Seconds of a worker per unit of cost; None if unknown.

        The expected pace has the weight of `_TRUST * total` units of finished work.
        """
        if self._expected_pace is None:
            return self._own_seconds / self._own_cost if self._own_cost else None
        known = _TRUST * total
        return (self._own_seconds + self._expected_pace * known) / (self._own_cost + known) if total else None

    def _begun(self, pace: float) -> float:
        """Worker seconds already spent on unfinished trials. They matter since all trials of a stack end together."""
        if not self._first_start:
            return 0.0
        # A worker imports torch before its first stack, which is no part of any trial's time.
        imports = (
            max(0.0, self._first_end - self._first_start - self._first_seconds) if self._first_end else 0.0
        )
        spent = self._workers * (time.monotonic() - self._first_start - imports) - self._own_seconds
        running = pace * sum(self._cost.get(trial_id, 0.0) for trial_id in list(self._running))
        return max(0.0, min(spent, running))

    def _help(self) -> float:
        """The speed-up factor that results from other launches running trials of the same study."""
        return 1 + self._others_cost / self._own_cost if self._own_cost else 1.0
