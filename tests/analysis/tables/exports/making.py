"""Exports of other tools, made by their own libraries, of the study in `trials`.

Each function of `EXPORTS` writes one export to a folder and returns what to open. `outcomes` says which trials do not
end well. Two tables of Weights & Biases are imitated, since they come from its site: `wandb_site_csv` after a table
that was exported there, `wandb_api_csv` after the program in its documentation.
"""

import json
import shutil
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from analysis.tables.exports.wandb_log import fields, records
from tests.analysis.tables.exports.trials import EARLY, NO_FAILURE, TRIALS, Outcomes, accuracy, save
from tests.fresh_wandb import fresh_wandb

_REPOSITORY = Path(__file__).resolve().parents[4]


@contextmanager
def _quiet() -> Iterator[None]:
    """Without warnings, which are the libraries' own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


# Optuna. The seed is an attribute of the trial, as in studies that repeat a configuration.


def _optuna_study(storage: Any, name: str, outcomes: Outcomes) -> Any:
    import optuna
    from optuna.trial import TrialState

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    ends = {"pruned": TrialState.PRUNED, "crashed": TrialState.FAIL, "silent": TrialState.FAIL}
    with _quiet():
        study = optuna.create_study(storage=storage, study_name=name, direction="maximize")
        study.set_metric_names(["acc"])
        for number, told in enumerate(TRIALS):
            study.enqueue_trial({key: told[key] for key in ("loss", "batch_size", "tau")})
            trial = study.ask()
            trial.suggest_categorical("loss", ["a", "b"])
            trial.suggest_int("batch_size", 1, 1024)
            trial.suggest_float("tau", 0.01, 1.0, log=True)
            trial.set_user_attr("seed", told["seed"])
            outcome = outcomes.get(number, "ok")
            if outcome == "ok":
                study.tell(trial, accuracy(told))
                continue
            if outcome != "silent":
                trial.report(EARLY, step=0)
            if outcome != "running":
                study.tell(trial, state=ends[outcome])
    return study


def optuna_database(folder: Path, outcomes: Outcomes = NO_FAILURE, *, name: str = "first") -> str:
    """A study in a database. Calls with other names add studies to it."""
    from optuna import copy_study

    url = f"sqlite:///{folder / 'optuna.db'}"
    study = _optuna_study(None, name, outcomes)
    with _quiet():  # a copy takes one transaction a trial
        copy_study(from_study_name=name, from_storage=study._storage, to_storage=url)
    return url


def optuna_journal(folder: Path, outcomes: Outcomes = NO_FAILURE, *, name: str = "first") -> str:
    """A study in a journal file. Calls with other names add studies to it."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    path = folder / "journal.log"
    _optuna_study(JournalStorage(JournalFileBackend(str(path))), name, outcomes)
    return str(path)


def optuna_csv(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return save(_optuna_study(None, "first", outcomes).trials_dataframe(), folder, "optuna.csv")


def optuna_parquet(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return save(_optuna_study(None, "first", outcomes).trials_dataframe(), folder, "optuna.parquet")


# Ray Tune. One program makes all three exports; none of its trials can be `running`.


#: Seconds for 24 trials, which take half a minute of processor time; more where other processes use the machine.
RAY_SECONDS = 500


def _ray(folder: Path, outcomes: Outcomes, made: str) -> str:
    if not (folder / "ray.parquet").exists():  # what the program writes last
        shutil.rmtree(folder / "experiment", ignore_errors=True)
        command = [sys.executable, "-m", "tests.analysis.tables.exports.making_ray"]
        run = subprocess.run(
            [*command, str(folder), json.dumps(dict(outcomes))],
            cwd=_REPOSITORY, capture_output=True, text=True, timeout=RAY_SECONDS, check=False,
        )  # fmt: skip
        assert run.returncode == 0, run.stderr[-3000:]
    return str(folder / made)


def ray_folder(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return _ray(folder, outcomes, "experiment")


def ray_csv(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return _ray(folder, outcomes, "ray.csv")


def ray_parquet(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return _ray(folder, outcomes, "ray.parquet")


# MLflow, whose parameters are texts. It has no word for trials that crashed before a report.

_MLFLOW_ENDS = {"ok": "FINISHED", "crashed": "FAILED", "silent": "FAILED", "pruned": "KILLED"}
_START = 1_700_000_000_000  # milliseconds


def _log_to_mlflow(uri: str, name: str, outcomes: Outcomes, artifacts: Path) -> None:
    mlflow = pytest.importorskip("mlflow", reason="the extra 'tracking-mlflow' is not installed")
    with pytest.MonkeyPatch.context() as patch, _quiet():
        patch.setenv("MLFLOW_DISABLE_TELEMETRY", "true")
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        from mlflow.entities import Metric, Param, RunTag

        client = mlflow.MlflowClient(tracking_uri=uri)
        experiment = client.create_experiment(name, artifact_location=str(artifacts))
        for number, told in enumerate(TRIALS):
            run = client.create_run(experiment, start_time=_START + number).info.run_id
            outcome = outcomes.get(number, "ok")
            early = [] if outcome == "silent" else [EARLY]
            values = [*early, accuracy(told)] if outcome == "ok" else early
            client.log_batch(
                run,
                params=[Param(key, str(value)) for key, value in told.items()],
                metrics=[
                    Metric(key, v, _START, step)
                    for step, v in enumerate(values)
                    for key in ("acc", "val/top1")
                ],
                tags=[RunTag("loss", "a tag")],
            )
            if outcome != "running":
                client.set_terminated(run, status=_MLFLOW_ENDS[outcome])


def _mlflow_frame(folder: Path, outcomes: Outcomes) -> pd.DataFrame:
    return mlflow_search(Path(mlflow_folder(folder, outcomes)).as_uri())


def mlflow_search(uri: str) -> pd.DataFrame:
    """MLflow's own frame of the experiment `first`, earliest run first."""
    mlflow = pytest.importorskip("mlflow")
    with pytest.MonkeyPatch.context() as patch, _quiet():
        patch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
        patch.setenv("MLFLOW_TRACKING_URI", uri)
        rows = mlflow.search_runs(experiment_names=["first"], order_by=["start_time ASC"])
    assert isinstance(rows, pd.DataFrame)
    return rows


def mlflow_database(folder: Path, outcomes: Outcomes = NO_FAILURE, *, name: str = "first") -> str:
    """An experiment in a database. Calls with other names add experiments to it."""
    url = f"sqlite:///{folder / 'mlflow.db'}"
    _log_to_mlflow(url, name, outcomes, folder)
    return url


def mlflow_folder(folder: Path, outcomes: Outcomes = NO_FAILURE, *, name: str = "first") -> str:
    """An experiment in a folder of files. Calls with other names add experiments to it."""
    path = folder / "mlruns"
    path.mkdir(exist_ok=True)
    _log_to_mlflow(path.as_uri(), name, outcomes, folder)
    return str(path)


def mlflow_csv(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return save(_mlflow_frame(folder, outcomes), folder, "mlflow.csv")


def mlflow_parquet(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    return save(_mlflow_frame(folder, outcomes), folder, "mlflow.parquet")


# Weights & Biases. Offline runs cannot be `running` or `pruned`; the state is that of the process.


def wandb_folder(folder: Path, outcomes: Outcomes = NO_FAILURE, *, project: str = "first") -> str:
    """Offline runs, each with three steps. Calls with other projects add runs."""
    wandb = fresh_wandb()
    with pytest.MonkeyPatch.context() as patch, _quiet():
        patch.setenv("WANDB_ERROR_REPORTING", "false")
        settings = wandb.Settings(console="off", silent=True, disable_git=True, x_disable_stats=True)
        for number, told in enumerate(TRIALS):
            outcome = outcomes.get(number, "ok")
            for _ in range(5):  # on a busy machine, wandb may write a log without the record of the run
                run = wandb.init(
                    project=project, mode="offline", dir=folder, name=f"run {number}", tags=["x", "y"],
                    config={key: told[key] for key in ("loss", "seed", "tau")}
                    | {"train": {"batch_size": told["batch_size"], "layers": [1, 2]}},
                    reinit="create_new", settings=settings,
                )  # fmt: skip
                for step in range(0 if outcome == "silent" else 3):
                    value = accuracy(told) if step == 2 and outcome == "ok" else EARLY
                    run.log({"acc": value, "loss": 1.0 / (step + 1)})
                run.finish(exit_code=0 if outcome == "ok" else 1)
                if _is_whole(folder, run.id):
                    break
                for lost in (folder / "wandb").glob(f"offline-run-*-{run.id}"):
                    shutil.rmtree(lost)
    return str(folder / "wandb")


def _is_whole(folder: Path, run: str) -> bool:
    """Whether the log of a run has the records of its start and of its end, or gets them within 10 seconds."""
    for _ in range(100):
        for log in (folder / "wandb").glob(f"offline-run-*/run-{run}.wandb"):
            if {17, 18} <= {number for record in records(log) for number, _ in fields(record)}:
                return True
        time.sleep(0.1)
    return False


_WANDB_STATES = {
    "ok": "finished",
    "crashed": "crashed",
    "silent": "failed",
    "pruned": "killed",
    "running": "running",
}


def wandb_site_csv(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    """Imitated: a table of runs as the site exports it. Settings and results have no prefix."""
    rows = []
    for number, told in enumerate(TRIALS):
        outcome = outcomes.get(number, "ok")
        acc = accuracy(told) if outcome == "ok" else EARLY
        rows.append(
            {
                "Name": f"run {number}", "State": _WANDB_STATES[outcome], "Notes": "-", "User": "someone", "Tags": "",
                "Created": f"2026-01-01T00:00:{number:02}.000Z", "Runtime": str(60 + number), "Sweep": "",
                **dict(sorted(told.items())), "acc": "" if outcome == "silent" else acc, "best_epoch": number % 2,
            }
        )  # fmt: skip
    path = folder / "wandb_export.csv"
    pd.DataFrame(rows).astype(str).to_csv(path, index=False, quoting=1)
    return str(path)


def wandb_api_csv(folder: Path, outcomes: Outcomes = NO_FAILURE) -> str:
    """Imitated: the frame that the documentation makes of a project, with columns of dicts, and the state."""
    rows = []
    for number, told in enumerate(TRIALS):
        outcome = outcomes.get(number, "ok")
        acc = accuracy(told) if outcome == "ok" else EARLY
        summary = {"_step": 2, "loss": float("nan")} | ({} if outcome == "silent" else {"acc": acc})
        rows.append(
            {"summary": summary, "config": told, "name": f"run {number}", "state": _WANDB_STATES[outcome]}
        )
    return save(pd.DataFrame(rows), folder, "project.csv")


#: Every export by its name. Functions of tools that are not installed skip the test.
EXPORTS: dict[str, Callable[..., str]] = {
    function.__name__: function
    for function in (
        optuna_database, optuna_journal, optuna_csv, optuna_parquet,
        ray_folder, ray_csv, ray_parquet,
        mlflow_database, mlflow_folder, mlflow_csv, mlflow_parquet,
        wandb_folder, wandb_site_csv, wandb_api_csv,
    )
}  # fmt: skip
