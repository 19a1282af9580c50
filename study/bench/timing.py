"""Measures the wall time of repeated calls, such as training steps."""

import statistics
import time
from collections.abc import Callable

import torch

#: Calls before the first timed call. They choose, compile and capture kernels.
_WARM_UP = 3

#: Calls between two readings of the clock. On an accelerator, a reading waits for all queued work.
_CALLS_A_LOOK = {"cpu": 1, "cuda": 20}

#: Defaults without a given number of calls: the seconds to fill, and the fewest and most calls.
_ENOUGH_SECONDS, _FEWEST, _MOST = 3.0, 3, 1000


def seconds_a_call(call: Callable[[], object], device: torch.device, calls: int | None = None) -> float:
    """Median seconds of a call after a warm-up, over `calls` calls; by default as many as fill three seconds."""
    for _ in range(_WARM_UP):
        call()
    wait_for(device)
    seconds: list[float] = []
    a_look = min(_CALLS_A_LOOK[device.type], calls or _MOST)
    while not _enough(seconds, a_look, calls):
        started = time.perf_counter()
        for _ in range(a_look):
            call()
        wait_for(device)
        seconds.append((time.perf_counter() - started) / a_look)
    return statistics.median(seconds)


def wait_for(device: torch.device) -> None:
    """Return when the device has finished all queued work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _enough(seconds: list[float], a_look: int, calls: int | None) -> bool:
    done = len(seconds) * a_look
    if calls is not None:
        return done >= calls
    return done >= _MOST or (len(seconds) >= _FEWEST and sum(seconds) * a_look > _ENOUGH_SECONDS)
