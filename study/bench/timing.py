"""Wall time of repeated calls, such as steps of a training."""

import statistics
import time
from collections.abc import Callable

import torch

#: Calls before the first that counts: kernels are chosen, compiled and captured then.
_WARM_UP = 3

#: Calls from one look at the clock to the next. On an accelerator a look waits for all work that is queued.
_CALLS_A_LOOK = {"cpu": 1, "cuda": 20}

#: Where no number of calls is asked for: seconds that they fill, and the fewest and most calls.
_ENOUGH_SECONDS, _FEWEST, _MOST = 3.0, 3, 1000


def seconds_a_call(call: Callable[[], object], device: torch.device, calls: int | None = None) -> float:
    """Median seconds of a call, after a warm-up, over `calls` calls or as many as fill three seconds."""
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
    """Return when the device has done all that it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _enough(seconds: list[float], a_look: int, calls: int | None) -> bool:
    done = len(seconds) * a_look
    if calls is not None:
        return done >= calls
    return done >= _MOST or (len(seconds) >= _FEWEST and sum(seconds) * a_look > _ENOUGH_SECONDS)
