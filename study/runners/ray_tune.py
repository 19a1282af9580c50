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
from typing import TYPE_CHECKING, Any

from study.errors import StudyError
from study.events import Listener, LostList
from study.signals import keep_handlers
from trainables.records import RecordStore
from trainables.work import Pack, Workshop

if TYPE_CHECKING:
    from trainables.ray_adapter import TrialList

#: Read by Ray when it is imported or when workers start; set here, before either.
_ENVIRONMENT = {
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

#: On a cluster `uv run` gives every node the locked environment; here it would build a second one (9 s).
_ON_ONE_MACHINE = {"RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0"}


class RayTuneRunner:
    """Callable like `run_inline`; Ray starts with the first call, or is joined at `address`, until `shutdown`."""

    def __init__(
        self,
        *,
        workers: int,
        cpus_per_trial: int,
        gpus_per_trial: float,
        address: str | None = None,
        trainable: "type[TrialList] | None" = None,
    ) -> None:
        self._workers, self._address, self._trainable = workers, address, trainable
        self._cpus, self._gpus = cpus_per_trial, gpus_per_trial

    def __call__(
        self, lists: Sequence[Sequence[Pack]], workshop: Workshop, listener: Listener
    ) -> list[LostList]:
        """Run the lists and return those whose worker died before its end."""
        start_ray(self._address, cpus=self._workers * self._cpus)
        with _launch_directory(workshop.store) as directory:
            return self._fit([list(packs) for packs in lists], workshop, listener, directory)

    def shutdown(self) -> None:
        """End Ray and its workers; without effect when it never started."""
        import ray

        ray.shutdown()

    def _fit(
        self, lists: list[list[Pack]], workshop: Workshop, listener: Listener, directory: Path
    ) -> list[LostList]:
        from ray import tune
        from ray.exceptions import RayError

        from study.runners.tune_watcher import Watcher
        from trainables.ray_adapter import TrialList

        watcher = Watcher(lists, RecordStore(workshop.store), listener)
        trainable = tune.with_resources(
            tune.with_parameters(self._trainable or TrialList, lists=lists, workshop=workshop),
            {"cpu": self._cpus, "gpu": self._gpus},
        )
        tuner = tune.Tuner(
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
        )
        try:
            tuner.fit()
        except RuntimeError as error:  # what Tune makes of a worker that Ray ended for want of memory
            if not isinstance(error.__cause__, RayError):
                raise
            watcher.lose_running(error.__cause__)
        return watcher.lost


def start_ray(address: str | None, *, cpus: int) -> None:
    """Connect to the cluster at `address`, or start Ray on this machine with `cpus` processors; once a process.

    Raises `StudyError` when there is no cluster at the address.
    """
    for name, value in (_ENVIRONMENT if address else _ENVIRONMENT | _ON_ONE_MACHINE).items():
        os.environ.setdefault(name, value)
    import ray

    if not ray.is_initialized():
        with keep_handlers():  # Ray's own for SIGTERM ends the process at once
            try:
                ray.init(
                    **(_cluster(address) if address else _one_machine(cpus)), logging_level=logging.ERROR
                )
            except (ConnectionError, RuntimeError) as error:
                raise StudyError(f"--address: no Ray cluster at {address} ({_first_line(error)})") from error
    logging.getLogger("ray").setLevel(logging.ERROR)


def _one_machine(cpus: int) -> dict[str, Any]:
    # "local": never some cluster that happens to run on this machine.
    return {"address": "local", "num_cpus": cpus, "include_dashboard": False, "log_to_driver": False}


def _cluster(address: str) -> dict[str, Any]:
    # Workers have the environment of their node and not of this process.
    return {"address": address, "log_to_driver": False, "runtime_env": {"env_vars": _ENVIRONMENT}}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


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
