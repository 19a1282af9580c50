"""Waiting for something that another thread or process does."""

import time
from collections.abc import Callable


def wait_until(condition: Callable[[], object], seconds: float = 60.0, every: float = 0.02) -> None:
    """Returns as soon as `condition()` is true; fails when it is not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"still not so after {seconds:.0f} s: {condition}"
        time.sleep(every)
