"""One way to stop: Ctrl-C and SIGTERM both raise `Stopped` in the main thread."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

#: A second signal within so many seconds is ignored: it must not cut short the stopping of workers.
_PATIENCE_SECONDS = 10.0


class Stopped(KeyboardInterrupt):
    """Somebody wants the run to end. `exit_code` is 128 plus the signal's number, as shells have it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.exit_code = 128 + number


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Until the end of the block, SIGINT and SIGTERM raise `Stopped`."""
    last = -_PATIENCE_SECONDS

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last > _PATIENCE_SECONDS:
            last = now
            raise Stopped(number)

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
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
