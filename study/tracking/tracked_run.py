"""The run of a trial that trackers receive: one run for each attempt, made from its record and its curves."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from analysis.names import brief, visible
from study.kept_files import read_kept
from study.spec.expand import PlannedTrial
from trainables.config import Scalar
from trainables.reading import parse_json, read_text
from trainables.store.artefacts import curve_path, losses_path
from trainables.store.schema import Status

#: Columns of the config that are not hyperparameters (`hp_*`).
_SETTINGS = ("task", "loss", "seed", "data", "encoder", "views", "views_form")

#: Columns that identify the attempt and describe how and where it ran.
_TAGS = (
    "trial_id", "attempt", "config_id", "pretrain_id", "probe_id", "numerics_version", "status", "data_fingerprint",
    "device", "device_name", "threads", "execution_mode", "stack_size", "node", "python_version", "torch_version",
    "package_version", "git_revision", "error_class", "error_message",
)  # fmt: skip

#: Characters of a text, and of the name of a setting, that every tracker accepts.
_LONGEST, _LONGEST_NAME = 4000, 100

#: Characters that every tracker accepts in the name of a setting.
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_]+")

#: Columns with numbers that are not metrics, and the columns that identify a point of a learning curve.
_NO_METRICS = {*_SETTINGS, *_TAGS, "schema_version"}
_PLACES = {"pretrain_id", "step", "epoch", "samples_seen"}


@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """One attempt at one trial. Times are seconds since 1970."""

    study: str
    title: str  # the trial's title, with the attempt unless it is the first
    status: Status
    settings: Mapping[str, Scalar]  # hyperparameters without their prefix `hp_`
    metrics: Mapping[str, float]  # final metrics by record column
    tags: Mapping[str, str]
    started: float
    ended: float
    curve: Mapping[int, Mapping[str, float]]  # metrics by step: `training/loss`, `curve/...`

    @property
    def has_result(self) -> bool:
        """Whether the run counts as a success for trackers: `ok`, `diverged` or `pruned`."""
        return self.status in (Status.OK, Status.DIVERGED, Status.PRUNED)


def tracked_run(study: str, trial: PlannedTrial, row: Mapping[str, Any], artefacts: Path) -> TrackedRun:
    """The run of a record's row, with the curves from the trial's files."""
    started, ended = _times(row)
    again = f" attempt={row['attempt']}" if row["attempt"] else ""
    return TrackedRun(
        study=study,
        title=trial.title + again,
        status=Status(row["status"]),
        settings=_settings(trial.arm, row),
        metrics={name: float(value) for name, value in row.items() if _is_metric(name, value)},
        tags={name: _text(str(row[name])) for name in _TAGS if row[name] is not None},
        started=started,
        ended=ended,
        curve=_curve(row, artefacts),
    )


def _times(row: Mapping[str, Any]) -> tuple[float, float]:
    """Start and end in seconds since 1970. A trial whose worker died has no times, so its run starts and ends now."""
    started, seconds = row["started_at"], row["seconds_total"]
    start = (started or datetime.now()).timestamp()
    return start, start + (seconds or 0.0)


def _settings(arm: str, row: Mapping[str, Any]) -> dict[str, Scalar]:
    found = {"arm": arm} | {name: row[name] for name in _SETTINGS}
    found |= {
        name.removeprefix("hp_"): value
        for name, value in row.items()
        if name.startswith("hp_") and name != "hp_other"
    }
    for name, value in dict(row["hp_other"] or ()).items():
        found.setdefault(_setting_name(name), _plain(value))
    known = {name: value for name, value in found.items() if value is not None}
    return {name: _text(value) if isinstance(value, str) else value for name, value in known.items()}


def _setting_name(name: str) -> str:
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME] or "_"


def _plain(text: str) -> Scalar | None:
    """The value of a JSON text if it is a number or a text, and else the JSON text."""
    try:
        value = parse_json(text)
    except ValueError:
        return text
    return value if value is None or isinstance(value, (bool, int, float, str)) else text


def _text(text: str) -> str:
    """A text of a record without control characters, as long as trackers accept."""
    return brief(visible(text, lines=True), _LONGEST)


def _is_metric(name: str, value: Any) -> bool:
    return not (name in _NO_METRICS or name.startswith("hp_")) and _is_number(value)


def _is_number(value: Any) -> bool:
    """Whether the value is a finite number, as trackers require."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _curve(row: Mapping[str, Any], artefacts: Path) -> dict[int, dict[str, float]]:
    points: dict[int, dict[str, float]] = {}
    for step, loss in _losses(losses_path(artefacts, row["trial_id"], row["attempt"])):
        points.setdefault(step, {})["training/loss"] = loss
    for point in _learning_curve(curve_path(artefacts, row["pretrain_id"])):
        numbers = {f"curve/{name}": value for name, value in point.items() if name not in _PLACES}
        finite = {name: value for name, value in numbers.items() if _is_number(value)}
        points.setdefault(point["step"], {}).update(finite)
    return dict(sorted(points.items()))


def _losses(path: Path) -> list[tuple[int, float]]:
    """The training losses by step. Empty if the trial did not train, or ran in a launch without trackers."""
    try:
        return [(int(step), float(loss)) for step, loss in parse_json(read_text(path))]
    except (OSError, ValueError, TypeError, OverflowError):
        return []


def _learning_curve(path: Path) -> list[dict[str, Any]]:
    try:
        rows = read_kept(path).to_pylist()
    except (OSError, ValueError):  # pyarrow's errors are ValueErrors
        return []
    # The file of another store may have other columns.
    return [row for row in rows if isinstance(row.get("step"), int)]
