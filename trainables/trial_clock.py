"""The clock by which trials measure their seconds.

It is wall time, unless several trials run on a GPU at the same time. Then each of them counts an equal share of the
wall time, as the trials of a stack do. So the seconds of all trials of a worker add up to its wall time.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_read: Callable[[], float] = time.perf_counter


def trial_seconds() -> float:
    """Seconds since an arbitrary start. Only differences have a meaning."""
    return _read()


class SharedClock:
    """The clock of trials that share the time: in a second, each of n trials counts 1 / n seconds."""

    def __init__(self) -> None:
        self._seconds, self._trials, self._since = 0.0, 1.0, time.perf_counter()

    def __call__(self) -> float:
        """Seconds of one trial so far."""
        return self._seconds + (time.perf_counter() - self._since) / self._trials

    def share(self, trials: int) -> None:
        """From now on, `trials` trials share the time (0 counts as 1)."""
        self._set(max(1, trials))

    def pause(self) -> None:
        """Stand still until the next `share`."""
        self._set(math.inf)

    def _set(self, trials: float) -> None:
        now = time.perf_counter()
        self._seconds += (now - self._since) / self._trials
        self._trials, self._since = trials, now

    @contextmanager
    def used(self) -> Iterator[None]:
        """Within the block, `trial_seconds` reads this clock."""
        global _read
        before, _read = _read, self
        try:
            yield
        finally:
            _read = before
