"""Delays signals until a training step has ended, so that a saved state is always that of a whole step."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@contextmanager
def signals_wait() -> Iterator[None]:
    """Signals that arrive within the block are handled at its end. Only the main thread receives signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    # A handler in C, such as that of Ray, could not be restored.
    before = {kind: handler for kind in _SIGNALS if callable(handler := signal.getsignal(kind))}
    try:
        for kind in before:
            signal.signal(kind, remember)
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
        for number in arrived:
            signal.raise_signal(number)
