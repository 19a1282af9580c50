"""`study show`: everything that a store has about one trial."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from analysis.names import brief
from study.cli.options import JSON, STORE, guarded
from study.cli.trial import shown_unit
from study.console import CONSOLE, format_seconds, say, say_json, shell_line
from study.errors import StudyError
from trainables.reading import parse_json
from trainables.store.artefacts import curve_path, embeddings_path, kept_path

if TYPE_CHECKING:
    from trainables.store.records import RecordStore

#: Characters of one value in a table; `--json` has all.
_LONGEST = 2000

#: Columns that are shown outside the table of columns.
_APART = frozenset({"trial_id", "config", "error_class", "error_message", "error_traceback"})


@click.command("show")
@click.argument("trial_id")
@STORE
@JSON
@guarded
def command(trial_id: str, store: str, as_json: bool) -> None:
    """Show everything that the store has about one trial.

    The output has its config, attempts, latest record and files, and the command to run it again. TRIAL_ID may be
    shortened. The store may be a bundle, packed or unpacked.
    """
    from study.report.bundle import is_packed, open_store_of

    with open_store_of(store) as record_store:
        facts = _facts(record_store, trial_id, store)
        if not is_packed(store):
            facts["again"] = _again(facts["studies"], facts["trial_id"], store, record_store.path)
    if as_json:
        say_json(facts)
    else:
        _show(facts)


def _facts(store: "RecordStore", trial_id: str, said: str) -> dict[str, Any]:
    """The content of `--json`, without the command that runs the trial again: a packed bundle has none."""
    from trainables.store.attempts import all_attempts

    key = _find(store, trial_id, said)
    rows = all_attempts(store, [key]).to_pylist()
    return {
        "trial_id": key,
        **_launch_facts(store.path, key),
        "config": parse_json(rows[-1]["config"]),
        "attempts": [_readable(row) for row in rows],
        "files": _files(store.path, rows[-1]["pretrain_id"]),
    }


def _find(store: "RecordStore", trial_id: str, path: str) -> str:
    """The id that begins with `trial_id`. Raises `StudyError` unless the store has exactly one such trial."""
    known = store.read().table["trial_id"].to_pylist()
    fitting = [key for key in known if key.startswith(trial_id)]
    if len(fitting) != 1:
        raise StudyError(
            f"show: got '{trial_id}', which matches {len(fitting)} of the {len(known)} recorded trials in {path}; "
            "give an id, or enough of its beginning"
        )
    return str(fitting[0])


def _launch_facts(store: Path, trial_id: str) -> dict[str, Any]:
    """Title, studies and launches of a trial, from the manifests of the launches that ran it."""
    from study.launch.manifest import all_launches_folders, read_manifests, say_unread

    folders = all_launches_folders(store)
    for folder in folders:
        say_unread(folder)
    ran = [
        (manifest, trial)
        for folder in folders
        for manifest in read_manifests(folder)
        for trial in manifest.trials
        if trial.get("trial_id") == trial_id
    ]
    return {
        "title": next((trial.get("title") for _, trial in ran), None),
        "studies": list(dict.fromkeys(manifest.study for manifest, _ in ran)),
        "launches": [manifest.launch for manifest, _ in ran],
    }


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without its config and empty columns. Parquet returns maps as lists of pairs; these become dicts."""
    return {
        name: dict(value) if isinstance(value, list) else value
        for name, value in row.items()
        if value is not None and name != "config"
    }


def _files(store: Path, pretrain_id: str) -> dict[str, str]:
    """Paths of the kept files of the trial: `curve`, `encoder` and `embeddings`."""
    paths = {
        "curve": curve_path(store, pretrain_id),
        "encoder": kept_path(store, pretrain_id),
        "embeddings": embeddings_path(store, pretrain_id),
    }
    return {name: str(path) for name, path in paths.items() if path.exists()}


def _again(studies: list[str], trial_id: str, said: str, store: Path) -> str:
    """The command that runs the trial again, from the study file archived in the store."""
    archived = [path for name in studies if (path := store / "studies" / name / "study.toml").exists()]
    study = str(archived[0]) if archived else "STUDY"
    return shell_line("study", "trial", study, trial_id, "--store", said)


def _show(facts: Mapping[str, Any]) -> None:
    from study.report.failures import LONGEST_TRACEBACK

    latest = facts["attempts"][-1]
    say(f"trial {facts['trial_id']}: {brief(facts['title'] or latest['loss'], _LONGEST)}")
    if facts["studies"]:
        say(f"of {', '.join(facts['studies'])}; launches: {', '.join(facts['launches'])}")
    CONSOLE.print("\nConfig (fields at their defaults are left out):")
    CONSOLE.print(json.dumps(facts["config"], indent=2), soft_wrap=True)
    CONSOLE.print("\nAttempts (the latest counts):")
    CONSOLE.print(_attempts_table(facts["attempts"]))
    CONSOLE.print("\nRecord of the latest attempt:")
    CONSOLE.print(_columns_table(latest))
    for name, path in facts["files"].items():
        CONSOLE.print()
        say(f"{name.capitalize()}: {path}")
    if latest.get("error_traceback"):
        trace = brief(latest["error_traceback"].rstrip(), LONGEST_TRACEBACK)
        CONSOLE.print("\nTraceback:")
        for line in trace.splitlines():
            CONSOLE.print(f"  {line}", soft_wrap=True)
    if "again" in facts:
        CONSOLE.print()
        say(f"Run it again: {facts['again']}")


def _attempts_table(attempts: list[dict[str, Any]]) -> Table:
    table = Table(box=None)
    for name in ("attempt", "status", "started", "took", "error"):
        table.add_column(name, no_wrap=name != "error")
    for row in attempts:
        started = row.get("started_at")
        seconds = row.get("seconds_total")
        table.add_row(
            str(row["attempt"]),
            row["status"],
            f"{started:%Y-%m-%d %H:%M}" if started else "not known",
            _took(seconds),
            brief(": ".join(filter(None, (row.get("error_class"), row.get("error_message")))), _LONGEST),
        )
    return table


def _took(seconds: float | None) -> str:
    if seconds is None:
        return "not known"
    return f"{seconds:.2f} s" if seconds < 10 else format_seconds(seconds)


def _columns_table(row: Mapping[str, Any]) -> Table:
    table = Table("column", "value", "unit", box=None)
    for name, value in row.items():
        if name not in _APART:
            table.add_row(name, _cell(value), shown_unit(name))
    return table


def _cell(value: Any) -> str:
    if isinstance(value, dict):
        return brief(", ".join(f"{name} = {item}" for name, item in value.items()), _LONGEST)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M:%S}"
    return f"{value:.6g}" if isinstance(value, float) else brief(str(value), _LONGEST)
