"""One way to stop: Ctrl-C and SIGTERM both raise `KeyboardInterrupt` in the main thread."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def raise_on_signals() -> Iterator[None]:
    """Until the end of the block, SIGINT and SIGTERM raise `KeyboardInterrupt`, once.

    Once: a second Ctrl-C while workers are being stopped must not cut that short and leave them behind.
    """
    raised = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal raised
        if not raised:
            raised = True
            raise KeyboardInterrupt

    previous = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
