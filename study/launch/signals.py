"""Signal handling of launches: Ctrl-C, SIGTERM and the end of the allowed time raise `KeyboardInterrupt`."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from study.errors import TIME_IS_UP

#: A second signal within so many seconds is ignored, so that it does not interrupt the shutdown of the workers.
_PATIENCE_SECONDS = 10.0


class Stop:
    """The last signal. It is read after a `KeyboardInterrupt`, since libraries may replace the original exception."""

    def __init__(self) -> None:
        self._number = int(signal.SIGINT)
        self._raised_at = -_PATIENCE_SECONDS

    @property
    def is_timed(self) -> bool:
        """Whether the allowed time ended."""
        return self._number == signal.SIGALRM

    @property
    def exit_code(self) -> int:
        """128 plus the signal's number, as in shells; `TIME_IS_UP` if the allowed time ended."""
        return TIME_IS_UP if self.is_timed else 128 + self._number

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """The signal handler."""
        now = time.monotonic()
        if now - self._raised_at > _PATIENCE_SECONDS:
            self._number, self._raised_at = number, now
            raise KeyboardInterrupt


@contextmanager
def raise_on_signals(until: float | None = None) -> Iterator[Stop]:
    """Within the block, SIGINT, SIGTERM and the time `until` raise `KeyboardInterrupt` in the main thread.

    `until` is in seconds of `time.monotonic`; None for no limit.
    """
    stop = Stop()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    previous = {number: signal.signal(number, stop) for number in numbers}
    if until is not None:  # for a time in the past, the timer fires at once; 0 would disable it
        signal.setitimer(signal.ITIMER_REAL, max(0.05, until - time.monotonic()))
    try:
        yield stop
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def keep_handlers() -> Iterator[None]:
    """Restore the signal handlers that a library replaces within the block."""
    kept = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in kept.items():
            signal.signal(number, handler)
