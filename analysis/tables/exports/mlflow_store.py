"""Reads the local stores of MLflow: a SQLite database, or a folder of files. It does not import MLflow.

Metrics are the last ones reported, as in MLflow's own frame: those of the highest step, and of these the latest.
"""

import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.exports.database import connected
from analysis.tables.exports.source import Source
from analysis.tables.sizes import check_size
from trainables.reading import read_bytes, read_text
from trainables.suggestion import first_line

#: Tables that every database of MLflow has.
TABLES = {"experiments", "runs", "latest_metrics", "params"}

#: Tables that are read.
READ = TABLES | {"tags"}

#: A database in a folder, under its usual name.
DATABASE = "mlflow.db"

#: Statuses by their numbers in files.
_STATUSES = {1: "RUNNING", 2: "SCHEDULED", 3: "FINISHED", 4: "FAILED", 5: "KILLED"}

_META = "meta.yaml"
#: The most bytes of such a file. YAML is read slowly.
_META_BYTES = 100_000
#: The most lists and tables within each other.
_DEEPEST = 8
#: The latest time in milliseconds since 1970 that a frame can hold, in the year 2262.
_LATEST = 9_223_372_036_854
#: A key that experiments have there, and runs do not.
_OF_EXPERIMENTS = b"artifact_location:"


def database_runs(source: Source) -> pd.DataFrame:
    """The active runs of one experiment in a database, in the layout of `mlflow.search_runs`."""
    with connected(source.path) as database:
        experiments = dict(
            database.execute(
                "SELECT DISTINCT experiments.name, experiments.experiment_id FROM experiments JOIN runs "
                "ON runs.experiment_id = experiments.experiment_id "
                "WHERE runs.lifecycle_stage = 'active' AND experiments.lifecycle_stage = 'active'"
            )
        )
        _check_texts(source.path, "the name of an experiment", experiments)
        number = experiments[source.chosen(list(experiments), "experiment")]
        fixed = ("run_id", "experiment_id", "status", "artifact_uri", "start_time", "end_time")
        told = database.execute(
            "SELECT run_uuid, experiment_id, status, artifact_uri, start_time, end_time FROM runs "
            "WHERE experiment_id = ? AND lifecycle_stage = 'active'",
            (number,),
        )
        runs: dict[str, dict[str, Any]] = {row[0]: dict(zip(fixed, row, strict=True)) for row in told}
        _check_texts(source.path, "the id of a run", runs)
        for run, row in runs.items():
            _check_times(row, f"{source.path}: run {run!r:.40}")
            _check_texts(source.path, f"the status of run {run!r:.40}", [row["status"] or ""])
        metrics = "SELECT run_uuid, key, CASE WHEN is_nan THEN NULL ELSE value END FROM latest_metrics"
        for prefix, query in (
            ("metrics.", metrics),
            ("params.", "SELECT run_uuid, key, value FROM params"),
            ("tags.", "SELECT run_uuid, key, value FROM tags"),
        ):
            for run, key, value in database.execute(query):
                if run not in runs:
                    continue
                _check_texts(source.path, f"the name of a value of run {run!r:.40}", [key])
                place = f"{source.path}: run {run!r:.40}: {prefix + key!r:.60}"
                runs[run][f"{prefix}{key}"] = (
                    _number(value, place) if prefix == "metrics." else _text(value, place)
                )
    return _frame(list(runs.values()), source.path)


def _check_texts(path: Path, what: str, values: Iterable[Any]) -> None:
    """Raise `ValueError` for a value that is no text. SQLite keeps any kind of value in any column."""
    for value in values:
        if not isinstance(value, str):
            raise ValueError(f"{path}: {what} is {value!r:.40}, must be a text")


def _text(value: Any, place: str) -> str | None:
    """A parameter or tag. Raises `ValueError` for bytes; a number, which has the same meaning, becomes a text."""
    if isinstance(value, bytes):
        raise ValueError(f"{place} is {value!r:.40}, must be a text")
    return None if value is None else str(value)


def _check_times(run: dict[str, Any], place: str) -> None:
    """Raise `ValueError` for a start or end that is no time of a frame; None is one that is not known."""
    for name in ("start_time", "end_time"):
        value = run[name]
        if value is not None and (not isinstance(value, int) or abs(value) > _LATEST):
            raise ValueError(
                f"{place}: {name} is {value!r:.40}, must be milliseconds since 1970 up to {_LATEST}"
            )


def is_file_store(folder: Path) -> bool:
    """Whether a folder is a store of files, or the folder of one experiment in it."""
    found = [folder / _META, *folder.glob(f"*/{_META}")]
    return any(path.exists() and _OF_EXPERIMENTS in read_bytes(path, _META_BYTES, folder) for path in found)


def folder_runs(source: Source) -> pd.DataFrame:
    """The active runs of one experiment in a folder, in the layout of `mlflow.search_runs`."""
    alone = (source.path / _META).is_file()
    folders = [source.path] if alone else sorted(path.parent for path in source.path.glob(f"*/{_META}"))
    experiments: dict[str, list[dict[str, Any]]] = {}
    for folder in folders:
        meta = _meta(folder, source.path)
        if meta.get("lifecycle_stage", "active") == "active" and (runs := list(_runs(folder, source.path))):
            experiments[str(meta.get("name", folder.name))] = runs
    return _frame(experiments[source.chosen(list(experiments), "experiment")], source.path)


def _runs(experiment: Path, root: Path) -> Iterator[dict[str, Any]]:
    """The runs of an experiment. No file outside the folder `root` is read."""
    for path in sorted(experiment.glob(f"*/{_META}")):
        run, meta = path.parent, _meta(path.parent, root)
        if not {"run_id", "status"} <= set(meta) or meta.get("lifecycle_stage") == "deleted":
            continue
        _check_times({"start_time": None, "end_time": None, **meta}, str(path))
        yield {
            "run_id": str(meta["run_id"]),
            "experiment_id": str(meta.get("experiment_id", experiment.name)),
            "status": _STATUSES.get(meta["status"], str(meta["status"])),
            "artifact_uri": meta.get("artifact_uri"),
            "start_time": meta.get("start_time"),
            "end_time": meta.get("end_time"),
            **{
                f"metrics.{key}": _last_value(read_text(file, within=root))
                for key, file in _entries(run / "metrics")
            },
            **{
                f"{kind}.{key}": read_text(file, within=root)
                for kind in ("params", "tags")
                for key, file in _entries(run / kind)
            },
        }


def _entries(folder: Path) -> Iterator[tuple[str, Path]]:
    """Every file below a folder, by its key: names with slashes are folders."""
    for path in sorted(folder.rglob("*")):
        if not path.is_dir():
            yield path.relative_to(folder).as_posix(), path


def _last_value(text: str) -> float:
    """The last value of a metric, from lines `timestamp value [step ...]`. A line that a kill cut off is left out."""
    points = []
    for line in text.splitlines():
        parts = line.split(" ")
        try:
            points.append((int(parts[2]) if len(parts) > 2 else 0, int(parts[0]), float(parts[1])))
        except (ValueError, IndexError):
            continue
    return max(points)[2] if points else math.nan


def _meta(folder: Path, root: Path) -> dict[str, Any]:
    """The plain values of a description. Lists, tables and references, which can grow without end, are not read."""
    import yaml

    path = folder / _META
    try:
        text = read_text(path, _META_BYTES, root)
        _check_plain(text)
        told = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = getattr(error, "strerror", None) or first_line(error)
        raise ValueError(f"{path}: cannot be read ({reason})") from error
    if not isinstance(told, dict):
        raise ValueError(f"{path}: the file is damaged (no keys in it)")
    return {key: value for key, value in told.items() if not isinstance(value, (dict, list, set))}


def _check_plain(text: str) -> None:
    """Raise `ValueError` for a text with references, or with lists and tables that nest: MLflow writes none."""
    import yaml

    depth = 0
    for event in yaml.parse(text, yaml.SafeLoader):
        if isinstance(event, yaml.AliasEvent):
            raise ValueError("it has references, which MLflow does not write")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > _DEEPEST:
            raise ValueError(f"more than {_DEEPEST} lists and tables are nested")


def _number(value: Any, place: str) -> float:
    """A metric: infinity where MLflow stored the largest number for it. Raises `ValueError` for what is no number."""
    if value is None:
        return math.nan
    if not isinstance(value, (int, float)):
        raise ValueError(f"{place} is {value!r:.40}, must be a number")
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else float(value)


def _frame(runs: list[dict[str, Any]], path: Path) -> pd.DataFrame:
    try:
        check_size(len(runs), len({name for run in runs for name in run}))
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error
    rows = pd.DataFrame(runs)
    rows["experiment_id"] = rows["experiment_id"].astype(str)
    rows = rows.sort_values(["start_time", "run_id"], ignore_index=True)
    for name in ("start_time", "end_time"):
        rows[name] = pd.to_datetime(rows[name], unit="ms", utc=True)
    return rows
