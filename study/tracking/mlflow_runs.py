"""The tracker MLflow: one experiment per study, on a server or in a database file."""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any

from study.tracking.tracked_run import TrackedRun
from trainables.store.schema import Status

#: Largest number of metrics that MLflow accepts at a time.
_BATCH = 1000

#: MLflow's status of a run by the trial's status; all others are `FAILED`.
_STATUSES = {Status.OK: "FINISHED", Status.DIVERGED: "FINISHED", Status.PRUNED: "KILLED"}

#: Set before MLflow is imported, unless the user has set them. With these values, a server that does not answer fails
#: within half a minute.
_ENVIRONMENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}


class MlflowRuns:
    """Writes runs with MLflow's client, which has no global state in this process."""

    def __init__(self, where: str, study: str, store: Path) -> None:
        for name, value in _ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        from mlflow.tracking import MlflowClient

        logging.getLogger("mlflow").setLevel(logging.WARNING)  # otherwise it logs every table that it creates
        folder = mlflow_folder(where, store)
        uri = f"sqlite:///{folder / 'mlflow.db'}" if folder else where
        with _alone(folder):
            self._client = MlflowClient(tracking_uri=uri)
            self._experiment = self._find_experiment(study, str(folder / "artifacts") if folder else None)

    def write(self, run: TrackedRun) -> None:
        """Create a run with its settings and metrics, and end it. Start and end are the times of the trial."""
        from mlflow.entities import Param

        created = self._client.create_run(
            self._experiment, start_time=_milliseconds(run.started), run_name=run.title, tags=dict(run.tags)
        )
        run_id = created.info.run_id
        params = [Param(name, str(value)) for name, value in run.settings.items()]
        self._client.log_batch(run_id, params=params)
        metrics = _metrics(run)
        while batch := list(islice(metrics, _BATCH)):
            self._client.log_batch(run_id, metrics=batch)
        status = _STATUSES.get(run.status, "FAILED")
        self._client.set_terminated(run_id, status=status, end_time=_milliseconds(run.ended))

    def _find_experiment(self, study: str, artifacts: str | None) -> str:
        from mlflow.exceptions import MlflowException

        if known := self._client.get_experiment_by_name(study):
            return str(known.experiment_id)
        try:
            return str(self._client.create_experiment(study, artifact_location=artifacts))
        except MlflowException:  # another launch has created it in the meantime
            if known := self._client.get_experiment_by_name(study):
                return str(known.experiment_id)
            raise


def mlflow_folder(where: str, store: Path) -> Path | None:
    """The folder for a database file, inside the store if it is relative; None for a URI.

    MLflow no longer supports its own format for folders, files without a database.
    """
    if "://" in where or where.startswith("databricks"):
        return None
    return store / Path(where).expanduser()


@contextmanager
def _alone(folder: Path | None) -> Iterator[None]:
    """Hold a lock on the folder during the block. Two launches must not create a database at the same time."""
    if folder is None:
        yield
        return
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "opening.lock").open("w") as file:
        with suppress(OSError):  # some file systems have no locks
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _metrics(run: TrackedRun) -> Iterator[Any]:
    from mlflow.entities import Metric

    when = _milliseconds(run.ended)
    for step, point in run.curve.items():
        yield from (Metric(name, value, when, step) for name, value in point.items())
    yield from (Metric(name, value, when, 0) for name, value in run.metrics.items())


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
