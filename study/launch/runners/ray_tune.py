"""A runner that runs lists of trials in the workers of Ray Tune. Tune executes only and stores no results.

One Tune trial is one worker. It takes lists from the work queue until the queue is empty, and Tune starts a new
worker when one dies. Default loggers and experiment snapshots are off. A run of Tune is never restored: the next
launch finds the missing trials from the record store, and runs them.
"""

import os
import shutil
import threading
import uuid
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING

from study.console import say
from study.errors import LaunchError, writing
from study.events import Listener, LostStack
from study.launch.runners.ray_session import start_ray, stop_ray
from trainables.own_code import own_folders
from trainables.suggestion import first_line
from trainables.work import LaunchContext, Stack

if TYPE_CHECKING:
    from study.launch.runners.worker_pool import WorkerPool
    from trainables.ray_adapter import TrialWorker


class RayTuneRunner:
    """A runner: called like `run_inline`. The first call starts Ray, or connects to the cluster at `address`.

    Workers continue from one call to the next, until `shutdown`.
    """

    def __init__(
        self,
        *,
        workers: int,
        cpus_per_trial: int,
        gpus_per_worker: float,
        address: str | None = None,
        trainable: "type[TrialWorker] | None" = None,
    ) -> None:
        self._workers, self._address, self._trainable = workers, address, trainable
        self._cpus, self._gpus = cpus_per_trial, gpus_per_worker
        self._pool: WorkerPool | None = None
        self._pool_end = ExitStack()

    def __call__(
        self, lists: Sequence[Sequence[Stack]], context: LaunchContext, listener: Listener
    ) -> list[LostStack]:
        """Run the trials of the lists whose leases are free, and return the stacks that ran on workers that died.

        A pool of workers keeps the context with which it was started, so all calls must pass the same `context`.
        """
        if self._pool is None:
            noun = "worker" if self._workers == 1 else "workers"
            say(f"starting Ray and {self._workers} {noun}, which takes 10 to 20 s ...")
        start_ray(self._address, cpus=self._workers * self._cpus)
        from ray.exceptions import RayError

        try:
            return self._pool_for(context).run(lists, listener)
        # A process of Ray itself has ended. The death of a worker is an event of the pool.
        except RayError as error:
            raise LaunchError(
                f"Ray failed ({first_line(error)}); check the memory and the disk of its temporary folder; finished "
                "trials are kept; run the same command again"
            ) from error

    def release_workers(self) -> None:
        """End the workers, if there are any."""
        self._pool_end.close()
        self._pool = None

    def shutdown(self) -> None:
        """End the workers and Ray, if they were started."""
        self.release_workers()
        stop_ray()

    def _pool_for(self, context: LaunchContext) -> "WorkerPool":
        if self._pool is None or self._pool.is_over:
            self.release_workers()
            self._pool = self._start(context)
        return self._pool

    def _start(self, context: LaunchContext) -> "WorkerPool":
        from study.launch.runners.work_queue import start_work_queue

        work_queue = start_work_queue()  # its process starts while Tune is imported
        from ray import tune

        from study.launch.runners.tune_events import Event, Watcher
        from study.launch.runners.worker_pool import WorkerPool
        from trainables.ray_adapter import TrialWorker

        directory = self._pool_end.enter_context(_launch_directory(context.store.path))
        events: SimpleQueue[Event] = SimpleQueue()
        stop = threading.Event()
        trainable = tune.with_resources(
            tune.with_parameters(
                self._trainable or TrialWorker,
                work_queue=work_queue,
                context=context,
                own_folders=own_folders(),
                directory=os.getcwd() if self._address is None else None,
            ),
            {"cpu": self._cpus, "gpu": self._gpus},
        )
        tuner = tune.Tuner(
            trainable,
            param_space={"worker": tune.grid_search(list(range(self._workers)))},
            run_config=tune.RunConfig(
                name=directory.name,
                storage_path=str(directory.parent),
                verbose=0,
                callbacks=[Watcher(events, stop)],
                failure_config=tune.FailureConfig(max_failures=-1),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
            ),
        )
        pool = WorkerPool(tuner, work_queue, events, stop)
        self._pool_end.callback(pool.end)
        return pool


@contextmanager
def _launch_directory(store: Path) -> Iterator[Path]:
    """A uniquely named folder for Tune's files. It is removed at the end of the block."""
    directory = store / "tune" / uuid.uuid4().hex
    with writing("store", store, "choose another with --store"):
        with suppress(FileNotFoundError):  # another launch may remove the parent at this moment
            directory.mkdir(parents=True)
        directory.mkdir(parents=True, exist_ok=True)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        with suppress(OSError):  # the parent still contains the directory of another launch
            directory.parent.rmdir()
