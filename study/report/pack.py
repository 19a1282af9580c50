"""Writes the content of a bundle from a study and its records. Names of machines and paths are left out."""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

from study.launch.manifest import Manifest, launches_folder, read_manifests, write_manifest
from study.loaded import LoadedStudy
from study.plan import searches_of, study_directory
from study.report.bundle import Bundle, report_bundle
from study.report.bundle_file import FORMAT
from study.report.looks import read_looks, write_looks
from study.report.study_table import study_info
from study.spec.expand import planned_rows
from trainables.atomic import replace_file
from trainables.bundle_folder import BUNDLE_FILE
from trainables.machine import package_version
from trainables.store.attempts import all_attempts, is_foreign_stop
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord

_README = """Study "{name}": its file, its records and its report.

    studies/{name}/          study.toml, the study file; report.html with its figures and tables
    studies/{name}/launches/ the code, packages and machine of each launch
    studies/{name}/looks/    with which seeds the results were first analysed
    records/, records.csv    one row for each attempt at a trial, as Parquet and as text
    bundle.json              the planned trials, for making the report again

To make the report again, install the package ({version}) and give it the zip file; the report goes
into a folder beside it, or into that of --out:

    study report NAME.zip

Or unpack the file and run in this folder:

    study report studies/{name}/study.toml --store .

`study status`, `failures`, `show`, `compare` and `merge` read both forms too, and `study verify . --no-code` checks
that the records agree with one another. None of these commands runs anything from this bundle. Commands that train
trials again import the losses and networks that study.toml names by import path, which may do anything on your
machine, so they ask for --trust-code.

All files are without names of machines and without paths on them.
"""


def fill_bundle(loaded: LoadedStudy, path: Path) -> Bundle:
    """Make a bundle of a study from the store's records, with its report, in the empty folder `path`."""
    info = study_info(loaded.plan, loaded.study_file)
    content = {"format": FORMAT, "planned": planned_rows(loaded.plan.trial_set), "info": asdict(info)}
    replace_file(path / BUNDLE_FILE, json.dumps(redacted(content), ensure_ascii=False))
    replace_file(path / "studies" / loaded.name / "study.toml", redacted(loaded.study_file.text))
    version = package_version()
    since = f"version {version} or later" if version else "its version is not known"
    replace_file(path / "README.txt", _README.format(name=loaded.name, version=since))
    for manifest in read_manifests(launches_folder(loaded.store.path, loaded.name)):
        write_manifest(launches_folder(path, loaded.name), _anonymous(manifest))
    _copy_records(loaded, path)
    write_looks(path / "studies" / loaded.name, read_looks([study_directory(loaded.store, loaded.name)]))
    bundle = Bundle.read(path)
    report_bundle(bundle)
    return bundle


def records_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """The text of `records.csv` for these rows of records."""
    from analysis.csv_text import csv_cell

    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [field.name for field in fields(TrialRecord)], lineterminator="\n")
    writer.writeheader()
    for row in rows:
        cells = {**row, "hp_other": json.dumps(dict(row["hp_other"] or {}))}
        writer.writerow({name: csv_cell(value) for name, value in cells.items()})
    return text.getvalue()


def _anonymous(manifest: Manifest) -> Manifest:
    machine = {name: value for name, value in manifest.machine.items() if name != "node"}
    return Manifest(**redacted(vars(manifest) | {"machine": machine, "pid": 0, "process": ""}))


def _copy_records(loaded: LoadedStudy, path: Path) -> None:
    """Copy every attempt, except early stops by other studies' searches, into one Parquet file and one CSV file."""
    rows = all_attempts(loaded.store, [trial.keys.trial_id for trial in loaded.plan.trials]).to_pylist()
    own = searches_of(loaded.plan.spec, loaded.plan.trial_set)
    rows = [row for row in rows if not is_foreign_stop(row, own)]
    rows = [redacted(row | {"node": None, "hp_other": dict(row["hp_other"] or {}) or None}) for row in rows]
    store = RecordStore(path)
    for row in rows:
        store.put(TrialRecord(**row))
    for _ in range(2):  # join, then remove what was joined
        store.compact(grace_seconds=0)
    replace_file(path / "records.csv", records_csv(rows))


def redacted(value: Any) -> Any:
    """The value, where every absolute path in a text is reduced to its last part."""
    from analysis.redact import redact_paths

    if isinstance(value, str):
        return redact_paths(value)
    if isinstance(value, Mapping):
        return {key: redacted(item) for key, item in value.items()}
    return [redacted(item) for item in value] if isinstance(value, (list, tuple)) else value
