"""Processor time of alternatives in turn, which other work on the machine does not count into."""

import statistics
import time
from collections.abc import Callable, Sequence

Call = Callable[[], object]


def processor_seconds(calls: Sequence[Call], *, rounds: int, warm_up: int = 1) -> list[float]:
    """Median processor seconds of a call of each alternative, all timed in turn `rounds` times."""
    for _ in range(warm_up):
        for call in calls:
            call()
    times = [[_processor_time(call) for call in calls] for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def repeated(call: Call, count: int) -> Call:
    """`count` calls as one, so that a turn is long beside the clock's grain and the caches' change of hands."""

    def run() -> None:
        for _ in range(count):
            call()

    return run


def _processor_time(call: Call) -> float:
    started = time.process_time()
    call()
    return time.process_time() - started
