"""Bundles: one study with its records, small enough for a paper's supplement. A bundle opens without the data set.

An unpacked bundle is a store with the study's records. It also contains the planned trials and the study's
description, so that a report needs neither the data nor the user's own losses. Names of machines and paths are left
out, as in reports. `study bundle` writes bundles; `study report` and `study compare` open them.
"""

import csv
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from pydantic import TypeAdapter, ValidationError

from search_spaces.designs import DESIGNS
from study.errors import StudyError
from study.launch.manifest import Manifest, launches_folder, read_manifests, write_manifest
from study.loaded import LoadedStudy
from study.plan import searches_of, study_directory
from study.report.study_table import study_info
from study.spec.expand import planned_rows
from study.spec.load import load_spec
from study.spec.schema import Name
from trainables.atomic import replace_file
from trainables.store.attempts import all_attempts, is_foreign_stop
from trainables.store.records import RecordStore
from trainables.store.schema import TrialRecord

if TYPE_CHECKING:
    import pandas as pd

    from analysis.info import StudyInfo
    from analysis.study_analysis import StudyAnalysis

_FORMAT = 2
_PACKAGE = "contrastive-robustness"

_README = """Study "{name}": its file, its records and its report.

    studies/{name}/          study.toml, the study file; report.html with its figures and tables
    studies/{name}/launches/ the code, packages and machine of each launch
    records/, records.csv    one row for each attempt at a trial, as Parquet and as text
    bundle.json              the planned trials, for making the report again

To make the report again, install the package (version {version} or later) and run in this folder:

    study report studies/{name}/study.toml --store .

All files are without names of machines and without paths on them.
"""


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """An unpacked bundle."""

    path: Path
    planned: list[dict[str, Any]]
    info: dict[str, Any]

    @property
    def store(self) -> RecordStore:
        """The store with the bundle's records."""
        return RecordStore(self.path)

    @property
    def records(self) -> pa.Table:
        """The latest attempt at each planned trial."""
        return self.store.read({row["trial_id"] for row in self.planned}).table


def open_bundle(study: str, store: str) -> Bundle | None:
    """The bundle unpacked at `store`, if there is one and `study` is its unchanged study file; else None."""
    bundle = read_bundle(store)
    return bundle if bundle and load_spec(study).text == bundle.info["spec_text"] else None


def is_bundle(folder: str) -> bool:
    """Whether a bundle is unpacked in that folder."""
    return (Path(folder).expanduser() / "bundle.json").is_file()


def read_bundle(folder: str) -> Bundle | None:
    """The bundle unpacked in a folder, or None. Raises `StudyError` for a damaged bundle or another format."""
    path = Path(folder).expanduser().resolve()
    try:
        content = json.loads((path / "bundle.json").read_text(encoding="utf-8"))
        form, planned, info, _ = (
            content["format"],
            content["planned"],
            content["info"],
            content["info"]["spec_text"],
        )
        _check_name(info["name"])
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StudyError(f"store: {path / 'bundle.json'} is damaged ({error})") from error
    if form != _FORMAT:
        raise StudyError(
            f"store: {path} contains a bundle of format {form}, this package opens {_FORMAT}; upgrade the package"
        )
    return Bundle(path=path, planned=planned, info=info)


def _check_name(name: object) -> None:
    """Raise `ValueError` for a name that no study has. The report goes into a folder of this name."""
    try:
        TypeAdapter(Name).validate_python(name)
    except ValidationError:
        raise ValueError(f"name: got {name!r}; allowed are letters, digits, `_`, `.` and `-`") from None


def report_bundle(bundle: Bundle) -> tuple[Path, "StudyAnalysis"]:
    """Write the report of a bundle from its content alone. Returns the page's path and the analysis."""
    from analysis.report import write_findings
    from analysis.study_analysis import analyse_table
    from study.report.importances import with_importances

    table, info = bundle_table(bundle)
    findings = with_importances(analyse_table(table, info))
    return write_findings(findings, study_directory(bundle.store, info.name)), findings


def bundle_table(bundle: Bundle) -> "tuple[pd.DataFrame, StudyInfo]":
    """The planned trials of a bundle with their records, and the description of its study."""
    import pandas as pd

    from analysis.table import build_table

    return build_table(pd.DataFrame(bundle.planned), bundle.records.to_pandas()), _study_info(bundle.info)


def fill_bundle(loaded: LoadedStudy, path: Path) -> Bundle:
    """Make a bundle of a study from the store's records, with its report, in the empty folder `path`."""
    info = asdict(study_info(loaded.plan, loaded.study_file))
    content = {"format": _FORMAT, "planned": planned_rows(loaded.plan.trial_set), "info": info}
    content = _redacted(content)
    replace_file(path / "bundle.json", json.dumps(content, ensure_ascii=False))
    replace_file(path / "studies" / loaded.name / "study.toml", _redacted(loaded.study_file.text))
    replace_file(path / "README.txt", _README.format(name=loaded.name, version=metadata.version(_PACKAGE)))
    for manifest in read_manifests(launches_folder(loaded.store.path, loaded.name)):
        write_manifest(launches_folder(path, loaded.name), _anonymous(manifest))
    _copy_records(loaded, path)
    bundle = Bundle(path=path, planned=content["planned"], info=content["info"])
    report_bundle(bundle)
    return bundle


def _anonymous(manifest: Manifest) -> Manifest:
    machine = {name: value for name, value in manifest.machine.items() if name != "node"}
    return Manifest(**_redacted(vars(manifest) | {"machine": machine, "pid": 0, "process": ""}))


def _copy_records(loaded: LoadedStudy, path: Path) -> None:
    """Copy every attempt, except early stops by other studies' searches, into one Parquet file and one CSV file."""
    from analysis.csv_text import csv_cell

    rows = all_attempts(loaded.store, [trial.keys.trial_id for trial in loaded.plan.trials]).to_pylist()
    own = searches_of(loaded.plan.spec, loaded.plan.trial_set)
    rows = [row for row in rows if not is_foreign_stop(row, own)]
    rows = [_redacted(row | {"node": None, "hp_other": dict(row["hp_other"] or {}) or None}) for row in rows]
    store = RecordStore(path)
    for row in rows:
        store.put(TrialRecord(**row))
    for _ in range(2):  # join, then remove what was joined
        store.compact(grace_seconds=0)
    with (path / "records.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(TrialRecord)], lineterminator="\n")
        writer.writeheader()
        for row in rows:
            cells = row | {"hp_other": json.dumps(row["hp_other"] or {})}
            writer.writerow({name: csv_cell(value) for name, value in cells.items()})


def _redacted(value: Any) -> Any:
    """The value, where every absolute path in a text is reduced to its last part."""
    from analysis.redact import redact_paths

    if isinstance(value, str):
        return redact_paths(value)
    if isinstance(value, Mapping):
        return {key: _redacted(item) for key, item in value.items()}
    return [_redacted(item) for item in value] if isinstance(value, (list, tuple)) else value


def _study_info(content: Mapping[str, Any]) -> "StudyInfo":
    """The `StudyInfo` from its JSON form.

    Older bundles of this format contain the name of the study's design instead of its properties.
    """
    from analysis.info import StudyInfo

    facts = dict(content)
    if name := facts.pop("design", ""):
        facts |= {"drawn": DESIGNS[name].drawn, "adaptive": DESIGNS[name].adaptive}
    return TypeAdapter(StudyInfo).validate_python(facts)
