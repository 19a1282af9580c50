"""One way to stop: Ctrl-C, SIGTERM and a time that is up raise `KeyboardInterrupt` in the main thread."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from study.errors import TIME_IS_UP

#: A second signal within so many seconds is ignored: it must not cut short the stopping of workers.
_PATIENCE_SECONDS = 10.0


class Stop:
    """Which signal came last. Asked for after a `KeyboardInterrupt`, since libraries raise that one anew."""

    def __init__(self) -> None:
        self._number = int(signal.SIGINT)
        self._raised_at = -_PATIENCE_SECONDS

    @property
    def is_timed(self) -> bool:
        """Whether the time was up."""
        return self._number == signal.SIGALRM

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as shells have it; `TIME_IS_UP` where nobody sent one."""
        return TIME_IS_UP if self.is_timed else 128 + self._number

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        now = time.monotonic()
        if now - self._raised_at > _PATIENCE_SECONDS:
            self._number, self._raised_at = number, now
            raise KeyboardInterrupt


@contextmanager
def raise_on_signals(until: float | None = None) -> Iterator[Stop]:
    """Until the end of the block, SIGINT and SIGTERM raise `KeyboardInterrupt`, and so does the clock.

    `until` is in seconds of `time.monotonic`.
    """
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    previous = {number: signal.signal(number, stop) for number in numbers}
    if until is not None:  # one that is past rings at once; 0 would ring never
        signal.setitimer(signal.ITIMER_REAL, max(0.05, until - time.monotonic()))
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def keep_handlers() -> Iterator[None]:
    """Puts the handlers back that some library replaces within the block."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
