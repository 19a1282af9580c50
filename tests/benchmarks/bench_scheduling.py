"""What it costs to hand trials to workers: `python -m tests.benchmarks.bench_scheduling [--sleep 5 --trials 120]`.

Trials that only sleep go through the launch's own runner on workers that are warm, against the least that their sleep
could take on as many workers; then trivial trials, with the memory that the driver gains. Leases are taken in a store
in a temporary directory and no records are written: what is measured is scheduling alone.
"""

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from study.events import Finished, Listener
from study.launch.runners.ray_session import start_ray
from study.launch.runners.ray_tune import RayTuneRunner
from study.launch.scheduling import LIST_SECONDS, split_work
from tests.trainables.tiny_trial import example
from trainables.ray_adapter import TrialWorker
from trainables.runtime import Runtime
from trainables.store.records import RecordStore
from trainables.work import LaunchContext, Stack, WorkUnit


class Sleeper(TrialWorker):
    """Sleeps where a list of trials would train: the seconds stand in the title of each."""

    def run_next(self, stack: Stack) -> list[dict[str, Any]]:
        """Sleep, and claim success."""
        time.sleep(sum(float(unit.title) for unit in stack))
        return [{"trial_id": unit.trial_id, "status": "ok", "seconds": 0.0, "values": {}} for unit in stack]


class Count(Listener):
    """A listener that counts."""

    def __init__(self) -> None:
        self.finished_trials = 0

    def finished(self, event: Finished) -> None:
        self.finished_trials += 1


def run_sleepers(
    runner: RayTuneRunner, context: LaunchContext, trials: int, seconds: float, workers: int
) -> float:
    """Wall seconds of a launch of sleeping trials."""
    stacks = [
        (
            (WorkUnit(trial_id=f"{index:010x}", attempt=0, config=example(), title=str(seconds)),),
            max(seconds, 1e-3),
        )
        for index in range(trials)
    ]
    lists = split_work(stacks, workers, longest=LIST_SECONDS)
    listener = Count()
    start = time.perf_counter()
    lost = runner(lists, context, listener)
    taken = time.perf_counter() - start
    assert not lost
    assert listener.finished_trials == trials
    return taken


def main() -> None:
    """Print all rows."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=120)
    parser.add_argument("--sleep", type=float, default=5.0)
    parser.add_argument("--trivial", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    runner = RayTuneRunner(workers=given.workers, cpus_per_trial=1, gpus_per_worker=0, trainable=Sleeper)
    with tempfile.TemporaryDirectory() as store:
        context = LaunchContext(store=RecordStore(Path(store)), runtime=Runtime())

        def run(trials: int, seconds: float) -> float:
            return run_sleepers(runner, context, trials, seconds, given.workers)

        _measure(run, given)
        runner.shutdown()


def _measure(run: Callable[[int, float], float], given: argparse.Namespace) -> None:
    start_ray(None, cpus=given.workers)
    first = run(2 * given.workers, 0.0)
    later = min(run(2 * given.workers, 0.0) for _ in range(3))
    print(f"a round of trivial trials: {first:.2f} s with the start of workers, then {later:.2f} s")
    least = given.trials * given.sleep / given.workers
    taken = run(given.trials, given.sleep)
    print(
        f"{given.trials} trials of {given.sleep:g} s: {taken:.1f} s, {100 * (taken / least - 1):.1f} % on top"
    )
    before = psutil.Process().memory_info().rss
    taken = run(given.trivial, 0.0)
    gained = (psutil.Process().memory_info().rss - before) / 2**20
    print(
        f"{given.trivial} trivial trials: {1000 * taken / given.trivial:.2f} ms each, driver memory "
        f"{1000 * gained / given.trivial:+.1f} MiB per 1,000 trials "
        f"(peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB)"
    )


if __name__ == "__main__":
    main()
