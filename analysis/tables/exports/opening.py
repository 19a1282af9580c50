"""Opens storages and folders of other tools."""

from pathlib import Path

import pandas as pd

from analysis.tables.exports import mlflow_store, optuna_storage, ray_folder, wandb_runs
from analysis.tables.exports.database import check_tables, is_database, table_names
from analysis.tables.exports.frames import completed
from analysis.tables.exports.source import Source, parse_source
from trainables.reading import TABLE_BYTES, check_regular
from trainables.suggestion import first_names

#: Names of databases; a file of such a name that is none is damaged.
_DATABASES = (".db", ".sqlite", ".sqlite3")


def open_export(source: str | Path) -> pd.DataFrame | None:
    """The trials of a storage or folder of another tool, one row each, in the layout of that tool's own frame.

    None if the source is none. These are read: Optuna's and MLflow's SQLite databases (`sqlite:///PATH` or the path),
    Optuna's journal files, MLflow's folders of files, folders of Ray Tune experiments, and folders or logs of runs of
    Weights & Biases. `PATH?study=NAME` chooses one of several studies (`experiment`, `project`). Where a trial has
    several reports, the last one counts.

    Raises `ValueError` with one line for a source of such a tool that cannot be read.
    """
    place = parse_source(source)
    if place is None:
        return None
    try:
        rows = _folder(place) if place.path.is_dir() else _file(place)
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(
            f"{getattr(error, 'filename', None) or place.path}: cannot be read ({reason})"
        ) from error
    return rows if rows is None else completed(rows)


def _file(place: Source) -> pd.DataFrame | None:
    path = place.path
    if not path.is_file():
        if place.is_url or place.key:
            raise ValueError(f"{path}: no such file")
        return None
    check_regular(path, TABLE_BYTES)
    if is_database(path):
        return _database(place)
    if place.is_url or path.suffix.lower() in _DATABASES:
        raise ValueError(f"{path}: no SQLite database, or a damaged one")
    if path.suffix == ".wandb":
        return wandb_runs.runs(place)
    return optuna_storage.journal_trials(place) if optuna_storage.is_journal(path) else None


def _database(place: Source) -> pd.DataFrame:
    names = table_names(place.path)
    if names >= optuna_storage.TABLES:
        check_tables(place.path, optuna_storage.READ)
        return optuna_storage.database_trials(place)
    if names >= mlflow_store.TABLES:
        check_tables(place.path, mlflow_store.READ)
        return mlflow_store.database_runs(place)
    raise ValueError(f"{place.path}: a SQLite database, but neither of Optuna nor of MLflow")


def _folder(place: Source) -> pd.DataFrame | None:
    path = place.path
    if ray_folder.is_experiment(path):
        _check_no_choice(place)
        return ray_folder.experiment_trials(place)
    if (path / mlflow_store.DATABASE).exists():
        check_regular(path / mlflow_store.DATABASE, TABLE_BYTES, path)
        return _database(
            Source(path=path / mlflow_store.DATABASE, is_url=False, key=place.key, name=place.name)
        )
    if mlflow_store.is_file_store(path):
        return mlflow_store.folder_runs(place)
    if wandb_runs.logs_in(path):
        return wandb_runs.runs(place)
    if experiments := ray_folder.experiments_in(path):
        _check_no_choice(place)
        return _only_experiment(path, experiments)
    return None


def _check_no_choice(place: Source) -> None:
    if place.key:
        raise ValueError(
            f"{place.path}: a folder of Ray Tune has no ?{place.key}=; name the folder of an experiment"
        )


def _only_experiment(path: Path, experiments: list[Path]) -> pd.DataFrame:
    if len(experiments) > 1:
        names = first_names([each.name for each in experiments])
        raise ValueError(
            f"{path}: it holds {len(experiments)} experiments of Ray Tune ({names}); name one, as in {experiments[0]}"
        )
    return ray_folder.experiment_trials(Source(path=experiments[0], is_url=False))
