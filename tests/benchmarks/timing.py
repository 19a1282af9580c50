"""Times of alternatives side by side in one run."""

import time
from collections.abc import Callable, Sequence

import torch

Call = Callable[[], object]

#: Seconds of a turn.
_TURN = 2e-3


def seconds_each(calls: Sequence[Call], *, budget: float = 0.6) -> list[float]:
    """Lower quartile of the seconds a call takes, each alternative timed in turn so that all meet the same machine.

    A turn is one call, or as many as fill `_TURN`: of a short call alone, most would be the cost of the other
    alternatives' code having displaced its own. `budget` is the wall time for all together, in seconds.
    """
    for call in calls:
        _timed(call, 1)
    repeats = [max(1, int(_TURN / _timed(call, 1))) for call in calls]
    turns = list(zip(calls, repeats, strict=True))
    once = sum(_timed(*turn) * turn[1] for turn in turns)
    rounds = max(5, int(budget / once))
    times = [[_timed(*turn) for turn in turns] for _ in range(rounds)]
    return [sorted(column)[rounds // 4] for column in zip(*times, strict=True)]


def _timed(call: Call, repeats: int) -> float:
    call()  # a turn after another alternative starts with cold caches
    _wait()
    start = time.perf_counter()
    for _ in range(repeats):
        call()
    _wait()
    return (time.perf_counter() - start) / repeats


def _wait() -> None:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
