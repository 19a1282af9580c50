"""Reads runs of Weights & Biases from their folders (`wandb/offline-run-*`, `wandb/run-*`).

A run has the metrics of its summary, which by default is the last value of each. Metrics that have no summary are the
last ones in the history.
"""

import math
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from analysis.tables.exports.nested import flattened
from analysis.tables.exports.source import Source
from analysis.tables.exports.wandb_log import fields, records
from trainables.reading import parse_json

#: Numbers of the records in a log, and of the fields in them.
_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT, _PREEMPTING = 2, 3, 5, 17, 18, 23
_UPDATE, _REMOVE = 1, 2
_KEY, _NESTED_KEY, _VALUE = 1, 2, 16
_RUN_TEXTS = {1: "ID", 3: "Project", 6: "Group", 7: "Job Type", 8: "Name", 9: "Notes", 12: "Sweep"}
_RUN_CONFIG, _RUN_SUMMARY, _RUN_TAG, _RUN_START = 4, 5, 10, 17

#: The most parts of a nested key.
_DEEPEST = 32

#: Seconds without a write after which an unfinished run counts as crashed; the site waits as long for a sign of life.
_HEARTBEAT = 300

#: Texts that stand for numbers that JSON lacks.
_NUMBERS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


@dataclass(kw_only=True)
class _Run:
    """What the records of a run have said so far."""

    texts: dict[str, str] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    start: float = math.nan  # seconds since 1970
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    history: dict[str, Any] = field(default_factory=dict)
    exit_code: int | None = None
    is_preempted: bool = False


def logs_in(path: Path) -> list[Path]:
    """The logs in a folder of one run, in a folder of runs, or in a folder that has these in `wandb`."""
    if path.is_file():
        return [path] if path.suffix == ".wandb" else []
    for pattern in ("run-*.wandb", "*run-*/run-*.wandb", "wandb/*run-*/run-*.wandb"):
        found = {log.resolve(): log for log in sorted(path.glob(pattern)) if log.parent.name != "latest-run"}
        if found:
            return list(found.values())
    return []


def runs(source: Source) -> pd.DataFrame:
    """One row for each run, in the columns of the site's table, with `config.` and `summary.` before their keys.

    Runs without an end are `running` while their log is written, else `crashed`. A run that was resumed is one row.
    """
    found: dict[str, tuple[_Run, Path]] = {}
    for log in logs_in(source.path):
        run = _read(log, {key: run for key, (run, _) in found.items()})
        found[run.texts.get("ID") or str(log)] = run, log
    projects = sorted({run.texts.get("Project", "") for run, _ in found.values()})
    project = source.chosen(projects, "project")
    rows = [_row(run, log) for run, log in found.values() if run.texts.get("Project", "") == project]
    return pd.DataFrame(rows)


def _read(log: Path, known: dict[str, _Run]) -> _Run:
    """The run of a log; the known one, with what the log adds, where it was resumed."""
    run = _Run()
    try:
        for record in records(log):
            for number, value in fields(record):
                if number == _RUN and isinstance(value, bytes):
                    told = _identity(value)
                    run = known.get(told.get("ID", ""), run)
                    run.exit_code = None
                    run.texts |= told
                if isinstance(value, bytes):
                    _add(run, number, value)
    except ValueError as error:
        raise ValueError(str(error) if str(log) in str(error) else f"{log}: damaged ({error})") from error
    if not run.texts:
        raise ValueError(
            f"{log}: has no record of its run, so the run's project and settings are unknown; leave the file out"
        )
    return run


def _identity(message: bytes) -> dict[str, str]:
    return {_RUN_TEXTS[n]: _text(value) for n, value in fields(message) if n in _RUN_TEXTS}


def _add(run: _Run, number: int, message: bytes) -> None:
    if number == _RUN:
        run.tags.clear()  # each such record has all tags
        for inner, value in fields(message):
            if inner == _RUN_CONFIG:
                _change(run.config, value)
            elif inner == _RUN_SUMMARY:
                _change(run.summary, value)
            elif inner == _RUN_TAG:
                run.tags.append(_text(value))
            elif inner == _RUN_START and isinstance(value, bytes):
                run.start = float(dict(fields(value)).get(1, math.nan))
    elif number == _CONFIG:
        _change(run.config, message)
    elif number == _SUMMARY:
        _change(run.summary, message)
    elif number == _HISTORY:
        _change(run.history, message, removes=False)
    elif number == _EXIT:
        run.exit_code = int(dict(fields(message)).get(1, 0))
    elif number == _PREEMPTING:
        run.is_preempted = True


def _change(tree: dict[str, Any], message: int | bytes, *, removes: bool = True) -> None:
    """Set or remove the keys that a record of a config, summary or history names."""
    for number, item in fields(message) if isinstance(message, bytes) else ():
        if number not in (_UPDATE, _REMOVE) or not isinstance(item, bytes):
            continue
        if number == _REMOVE and not removes:  # the step of a history
            continue
        keys, value = _item(item)
        if not keys:
            continue
        if len(keys) > _DEEPEST:
            raise ValueError(f"a key has more than {_DEEPEST} parts")
        place = tree
        for key in keys[:-1]:
            inner = place.get(key)
            place[key] = inner = inner if isinstance(inner, dict) else {}
            place = inner
        if number == _UPDATE:
            place[keys[-1]] = value
        else:
            place.pop(keys[-1], None)


def _item(message: bytes) -> tuple[list[str], Any]:
    """The path of an entry and its value, None where there is none."""
    keys, nested, value = [], [], None
    for number, told in fields(message):
        if number == _KEY:
            keys = [_text(told)]
        elif number == _NESTED_KEY:
            nested.append(_text(told))
        elif number == _VALUE:
            value = parse_json(_text(told))
    return nested or keys, value


def _text(value: int | bytes) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _row(run: _Run, log: Path) -> dict[str, Any]:
    texts = run.texts
    metrics = flattened(run.history, ".") | flattened(run.summary, ".")
    return {
        "Name": texts.get("Name") or texts.get("ID"),
        "State": _state(run, log),
        "Notes": texts.get("Notes"),
        "Tags": ", ".join(run.tags),
        "Created": _created(run.start),
        "Runtime": metrics.get("_runtime"),
        "Sweep": texts.get("Sweep"),
        "Group": texts.get("Group"),
        "Job Type": texts.get("Job Type"),
        "ID": texts.get("ID"),
        **{
            f"config.{key}": value
            for key, value in flattened(run.config, ".").items()
            if not key.startswith("_wandb")
        },
        **{f"summary.{key}": _number(value) for key, value in metrics.items() if not key.startswith("_")},
    }


def _created(start: float) -> str | None:
    try:
        return datetime.fromtimestamp(start, UTC).isoformat()
    except (ValueError, OverflowError, OSError):  # not a number, or no time of our calendar
        return None


def _state(run: _Run, log: Path) -> str:
    if run.exit_code is not None:
        return "finished" if run.exit_code == 0 else "failed"
    if run.is_preempted:
        return "preempted"
    return "running" if time.time() - log.stat().st_mtime < _HEARTBEAT else "crashed"


def _number(value: Any) -> Any:
    return _NUMBERS.get(value, value) if isinstance(value, str) else value
