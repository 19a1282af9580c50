"""Reads the folder of a Ray Tune experiment without Ray: a row for every trial, with its last report.

Statuses are in `experiment_state-*.json`, parameters and reports in a folder for each trial. Unlike
`ResultGrid.get_dataframe()`, the rows include trials that reported nothing, and there is a column `status`.
"""

import io
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.exports.nested import flattened
from analysis.tables.exports.source import Source
from trainables.reading import TABLE_BYTES, parse_json, read_bytes, read_text

#: The most trials that are read from a folder, at about a millisecond each, and bytes of the reports of one.
_MOST_TRIALS, _LOG_BYTES = 100_000, 256_000_000

_STATES = "experiment_state-*.json"
_PARAMS, _RESULTS, _TABLE = "params.json", "result.json", "progress.csv"

#: Ray's words for a trial that ended by itself or was stopped, and for one with an exception.
_ENDED, _FAILED = "TERMINATED", "ERROR"

#: Our words for a trial that a scheduler or stopper ended, and for one with fewer reports than others, which may have
#: crashed. Ray's word for both is TERMINATED.
_STOPPED, _UNFINISHED = "STOPPED", "UNFINISHED"

_Tree = dict[str, Any]


def is_experiment(folder: Path) -> bool:
    """Whether a folder is that of an experiment: with a state, or with folders of trials."""
    return any(folder.glob(_STATES)) or any(folder.glob(f"*/{_PARAMS}"))


def experiments_in(folder: Path) -> list[Path]:
    """All folders of experiments that are directly in a folder, such as `~/ray_results`."""
    return sorted({path.parent for path in folder.glob(f"*/{_STATES}")})


def experiment_trials(source: Source) -> pd.DataFrame:
    """One row for each trial, in the layout of `ResultGrid.get_dataframe()` with a column `status`.

    Trials that ended with an exception or without a report have status `ERROR`. Trials that a scheduler or stopper
    ended before others have status `STOPPED`.
    """
    states = _states(source.path)
    folders = {path.parent.name: path.parent for path in source.path.glob(f"*/{_PARAMS}")}
    trials = [(folders.pop(str(state.get("relative_logdir")), None), state) for state in states]
    trials += [(folder, {}) for folder in folders.values()]
    if len(trials) > _MOST_TRIALS:
        raise ValueError(
            f"{source.path}: {len(trials):,} trials; at most {_MOST_TRIALS:,} are read from a folder; save the frame "
            "of the experiment as a table (`ResultGrid.get_dataframe().to_parquet(FILE)`)"
        )
    if not trials:
        raise ValueError(f"{source.path}: the experiment has no trials")
    rows = sorted(
        ((_row(folder, state), _criterion(state)) for folder, state in trials),
        key=lambda pair: str(pair[0]["logdir"]),
    )
    table = pd.DataFrame([row for row, _ in rows])
    has_met = pd.Series([_meets(row, criterion) for row, criterion in rows])
    return table.assign(status=_with_stops(table, table["status"]).where(~has_met, table["status"]))


def frame_statuses(rows: pd.DataFrame) -> pd.Series:
    """Statuses for a frame of `ResultGrid.get_dataframe()`, which has none.

    `STOPPED` as in `_with_stops`. `UNFINISHED` are the few trials that have fewer reports than the most usual number,
    unless a parameter decides on that number: they may have crashed after a report, which the frame does not tell.
    """
    ended = pd.Series(_ENDED, index=rows.index)
    if not {"done", "training_iteration"} <= set(rows.columns):
        return ended
    status, iterations = _with_stops(rows, ended), _iterations(rows)
    by_itself = iterations[status == _ENDED]
    is_short = by_itself < by_itself.max()
    if is_short.mean() < 0.5 and not _has_deciding_parameter(rows.loc[by_itself.index], by_itself):
        status[by_itself.index[is_short]] = _UNFINISHED
    return status


def _has_deciding_parameter(rows: pd.DataFrame, iterations: pd.Series) -> bool:
    """Whether a parameter that repeats its values always has the same number of reports for a value."""
    values = [rows[name].astype(str) for name in rows if str(name).startswith("config/")]
    return any(
        1 < value.nunique() <= len(rows) / 2 and (iterations.groupby(value).nunique() == 1).all()
        for value in values
    )


def _with_stops(rows: pd.DataFrame, status: pd.Series) -> pd.Series:
    """The statuses, with `STOPPED` for trials that a scheduler or stopper ended.

    The last report of such a trial has `done` and fewer iterations than the longest trial. A function that returns by
    itself leaves `done` false in its last report.
    """
    if not {"done", "training_iteration"} <= set(rows.columns):
        return status
    iterations = _iterations(rows)
    done = rows["done"].astype(str).str.lower() == "true"
    return status.mask(done & (status == _ENDED) & (iterations < iterations.max()), _STOPPED)


def _iterations(rows: pd.DataFrame) -> pd.Series:
    return pd.to_numeric(rows["training_iteration"], errors="coerce")


def _states(folder: Path) -> list[_Tree]:
    """What the states say of each trial. Those of later launches override earlier ones."""
    states: dict[str, _Tree] = {}
    for path in sorted(folder.glob(_STATES)):
        try:
            told = parse_json(read_text(path, TABLE_BYTES, folder)).get("trial_data", [])
            for trial, runtime in told:
                state = parse_json(trial) | parse_json(runtime)
                states[state["trial_id"]] = state
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: the state of the experiment is damaged ({error})") from error
    return list(states.values())


def _row(folder: Path | None, state: _Tree) -> _Tree:
    params = _params(folder) if folder else state.get("config", {})
    report = (_last_report(folder) if folder else {}) or _last_of_state(state)
    identity = {"trial_id": state["trial_id"]} if "trial_id" in state else {}
    row = identity | flattened({key: value for key, value in report.items() if key != "config"}, "/")
    row |= {f"config/{key}": value for key, value in flattened(params, "/").items()}
    row["logdir"] = row.get("trial_id", folder.name if folder else None)
    status = state.get("status", _ENDED)
    crashed = folder is not None and any((folder / name).exists() for name in ("error.txt", "error.pkl"))
    without = status == _ENDED and not report
    row["status"] = _FAILED if without or (crashed and "status" not in state) else status
    return row


def _params(folder: Path) -> _Tree:
    path = folder / _PARAMS
    try:
        told = parse_json(read_text(path, within=folder.parent))
    except ValueError as error:
        raise ValueError(f"{path}: the parameters are damaged ({error})") from error
    if not isinstance(told, dict):
        raise ValueError(f"{path}: the parameters are damaged (no keys in it)")
    return told


def _last_report(folder: Path) -> _Tree:
    """The last report that is whole: a kill may have cut off the last line."""
    for line in reversed(_lines(folder / _RESULTS)):
        try:
            report = parse_json(line)
        except ValueError:
            continue
        return report if isinstance(report, dict) else {}
    lines = _lines(folder / _TABLE)
    if not lines:
        return {}
    last = pd.read_csv(io.StringIO("\n".join(lines)), on_bad_lines="skip").tail(1)
    return {str(name): last[name].iloc[0] for name in last} if len(last) else {}


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return read_bytes(path, _LOG_BYTES, path.parent.parent).decode(errors="replace").splitlines()


def _last_of_state(state: _Tree) -> _Tree:
    """The last report in the state of an experiment whose loggers were switched off.

    Ray sets `done` in it at the end of every trial; what was reported is in `metric_analysis`.
    """
    report = dict(state.get("last_result") or {})
    if report:
        report["done"] = state.get("metric_analysis", {}).get("done", {}).get("last", report.get("done"))
    return report


def _criterion(state: _Tree) -> dict[str, float]:
    """The bounds of `RunConfig(stop={...})`."""
    told = state.get("stopping_criterion")
    bounds = told.items() if isinstance(told, dict) else ()
    return {key: bound for key, bound in bounds if isinstance(bound, (int, float))}


def _meets(row: _Tree, criterion: dict[str, float]) -> bool:
    """Whether a trial ended as planned, since its last report reached a bound."""
    return any(
        isinstance(row.get(key), (int, float)) and row[key] >= bound for key, bound in criterion.items()
    )
