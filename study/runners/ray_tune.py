"""Runs lists of trials through Ray Tune: an executor here, never a result store.

One `grid_search` over the indices of the lists, actors reused, default loggers and experiment snapshots off. Tune
is never restored: what is missing after a launch is found in the record store and handed to a new one.
"""

import logging
import os
import shutil
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from study.errors import StudyError
from study.events import Listener, LostList
from study.signals import keep_handlers
from trainables.records import RecordStore
from trainables.work import Pack, Workshop

#: Read by Ray when it is imported or when workers start; set here, before either.
_ENVIRONMENT = {
    "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",  # on one machine it would build a second environment (9 s)
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_CHDIR_TO_TRIAL_DIR": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "RAY_AIR_NEW_OUTPUT": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # five files a trial otherwise
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Ctrl-C is ours: Tune would swallow it and return normally
    "TUNE_GLOBAL_CHECKPOINT_S": "86400",
    "TUNE_WARN_EXCESSIVE_EXPERIMENT_CHECKPOINT_SYNC_THRESHOLD_S": "0",
    "TUNE_MAX_PENDING_TRIALS_PG": "16",
}


class RayTuneRunner:
    """Callable like `run_inline`; Ray starts with the first call and ends with `shutdown`."""

    def __init__(self, *, workers: int, cpus_per_trial: int, gpus_per_trial: float) -> None:
        self._workers = workers
        self._cpus, self._gpus = cpus_per_trial, gpus_per_trial

    def __call__(
        self, lists: Sequence[Sequence[Pack]], workshop: Workshop, listener: Listener
    ) -> list[LostList]:
        """Run the lists and return those whose worker died before its end."""
        self._start_ray()
        with _launch_directory(workshop.store) as directory:
            return self._fit([list(packs) for packs in lists], workshop, listener, directory)

    def shutdown(self) -> None:
        """End Ray and its workers; without effect when it never started."""
        import ray

        ray.shutdown()

    def _start_ray(self) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        import ray

        if not ray.is_initialized():
            with keep_handlers():  # Ray's own for SIGTERM ends the process at once
                ray.init(
                    address="local",  # never some cluster that happens to run on this machine
                    num_cpus=self._workers * self._cpus,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level=logging.ERROR,
                )
        logging.getLogger("ray").setLevel(logging.ERROR)

    def _fit(
        self, lists: list[list[Pack]], workshop: Workshop, listener: Listener, directory: Path
    ) -> list[LostList]:
        from ray import tune

        from study.runners.tune_watcher import Watcher
        from trainables.ray_adapter import TrialList

        watcher = Watcher(lists, RecordStore(workshop.store), listener)
        trainable = tune.with_resources(
            tune.with_parameters(TrialList, lists=lists, workshop=workshop),
            {"cpu": self._cpus, "gpu": self._gpus},
        )
        tune.Tuner(
            trainable,
            param_space={"index": tune.grid_search(list(range(len(lists))))},
            tune_config=tune.TuneConfig(reuse_actors=True, max_concurrent_trials=self._workers),
            run_config=tune.RunConfig(
                name=directory.name,
                storage_path=str(directory.parent),
                verbose=0,
                callbacks=[watcher],
                failure_config=tune.FailureConfig(max_failures=0),
                checkpoint_config=tune.CheckpointConfig(checkpoint_at_end=False, checkpoint_frequency=0),
            ),
        ).fit()
        return watcher.lost


@contextmanager
def _launch_directory(store: Path) -> Iterator[Path]:
    """A uniquely named place for Tune's files, which nobody needs afterwards."""
    directory = store / "tune" / uuid.uuid4().hex
    try:
        directory.mkdir(parents=True)
    except OSError as error:
        raise StudyError(f"store: cannot write to {store} ({error.strerror})") from error
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        with suppress(OSError):  # another launch still has its directory there
            directory.parent.rmdir()
