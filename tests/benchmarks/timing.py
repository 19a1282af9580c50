"""Times of alternatives side by side in one run."""

import time
from collections.abc import Callable, Sequence

import torch

Call = Callable[[], object]


def seconds_each(calls: Sequence[Call], *, budget: float = 0.6) -> list[float]:
    """Lower quartile of the seconds a call takes, each alternative timed in turn so that all meet the same machine.

    `budget` is the wall time to spend on all together, in seconds.
    """
    for call in calls:
        _timed(call)
    once = sum(_timed(call) for call in calls)
    rounds = max(5, int(budget / once))
    times = [[_timed(call) for call in calls] for _ in range(rounds)]
    return [sorted(column)[rounds // 4] for column in zip(*times, strict=True)]


def _timed(call: Call) -> float:
    _wait()
    start = time.perf_counter()
    call()
    _wait()
    return time.perf_counter() - start


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
