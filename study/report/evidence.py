"""Evidence: the rows of a finished study in one Parquet file beside its study file, from which its report follows.

`docs/results/NAME/` has `study.toml`, `records.parquet` and the report. Each row of the file is a planned trial with
its record, and the schema's metadata has the study's description. So the report needs neither the data set nor the
code that planned the trials, and evidence keeps the numerics version of its records. After more trials or seeds:

    uv run python -m study.report.evidence docs/results/NAME STORE
"""

import json
import os
import sys
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from study.console import say
from study.errors import StudyError
from study.loaded import LoadedStudy, load_study
from study.plan import study_directory
from study.report.bundle_file import study_info_of
from study.report.looks import with_look
from study.report.pack import redacted
from study.report.study_table import study_table
from study.spec.source import shipped_studies
from trainables.atomic import replace_file
from trainables.machine_faults import reason_of
from trainables.reading import TABLE_BYTES, parse_json, read_bytes

if TYPE_CHECKING:
    import pandas as pd

    from analysis.model.info import StudyInfo
    from analysis.study_analysis import StudyAnalysis

#: The file of rows beside the study file, and the key of the description in its metadata.
RECORDS_FILE, _INFO = "records.parquet", b"study_info"

#: The evidence on shipped studies, one folder for each.
RESULTS = Path(__file__).resolve().parents[2] / "docs" / "results"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """The planned trials of a study with their records, and the study's description."""

    table: "pd.DataFrame"  # one row for each planned trial, as `analysis.model.table` describes it
    info: "StudyInfo"


def study_with_rows(study: str) -> Path:
    """The study file beside the rows of a study: for a shipped study that in `RESULTS`, else the file itself.

    The evidence on a shipped study may be on other data, which its own study file names.
    """
    return RESULTS / study / "study.toml" if study in shipped_studies() else Path(study).expanduser()


def write_evidence(loaded: LoadedStudy, folder: Path) -> None:
    """Write the rows of a study and its description into `folder`, as `without_places` has them.

    Evidence that was written with fewer seeds counts as the first look at the results.
    """
    table, info = study_table(loaded.plan, loaded.study_file)
    table = without_places(table)
    info = with_look(info, table, study_directory(loaded.store, loaded.name))
    if (
        info.look is not None
        and (folder / RECORDS_FILE).exists()
        and (past := read_evidence(folder).info.look)
    ):
        info = replace(info, look=replace(info.look, first=min(past.first, info.look.first)))
    rows = pa.Table.from_pandas(table, preserve_index=False)
    told = json.dumps(redacted(asdict(replace(info, look_note=""))), ensure_ascii=False)
    rows = rows.replace_schema_metadata({**(rows.schema.metadata or {}), _INFO: told.encode()})
    sink = pa.BufferOutputStream()
    pq.write_table(rows, sink, compression="zstd")
    replace_file(folder / RECORDS_FILE, sink.getvalue().to_pybytes())


def without_places(table: "pd.DataFrame") -> "pd.DataFrame":
    """The rows without names of machines, without messages of errors, and with paths reduced to their last part.

    A message may have a path in any form, so no rule finds them all. The class of the error stays.
    """
    texts = table.select_dtypes(include=["object", "string"])
    kept = {str(name): values.map(redacted, na_action="ignore") for name, values in texts.items()}
    return table.assign(**kept | {"node": None, "error_message": None})


def read_evidence(folder: Path) -> Evidence:
    """The evidence in a folder. Raises `StudyError` if there is none or if it is damaged."""
    path = folder / RECORDS_FILE
    try:
        rows = pq.read_table(pa.BufferReader(read_bytes(path, TABLE_BYTES)))
        info = study_info_of(parse_json((rows.schema.metadata or {})[_INFO].decode()))
        return Evidence(table=_whole(rows.to_pandas(), info), info=info)
    except FileNotFoundError:
        raise StudyError(f"no rows came with this study: {path} does not exist") from None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, pa.ArrowException) as error:
        reason = "it has no description of the study" if isinstance(error, KeyError) else reason_of(error)
        raise StudyError(f"{path} is damaged ({reason})") from error


def _whole(table: "pd.DataFrame", info: "StudyInfo") -> "pd.DataFrame":
    """The rows with every column of a record. Raises `ValueError` for rows that do not fit the description.

    Rows of an older version lack columns that records have now.
    """
    from analysis.model.info import RECORD_COLUMNS
    from analysis.model.table import PLANNED_COLUMNS

    needed = (*PLANNED_COLUMNS, "status", info.metric.selecting_column, info.metric.reporting_column)
    if absent := [name for name in needed if name not in table.columns]:
        raise ValueError(f"it has no column {absent[0]}")
    if set(table["arm"]) != {arm.label for arm in info.arms}:
        raise ValueError("its rows are not of the losses that it describes")
    return table.reindex(columns=list(dict.fromkeys((*table.columns, *RECORD_COLUMNS))))


def report_evidence(folder: Path, out: Path) -> "StudyAnalysis":
    """Write the report of the evidence in `folder` into `out`, from the evidence alone. Returns the analysis."""
    from analysis.report.write import write_findings
    from analysis.study_analysis import analyse_table
    from study.report.importances import with_importances

    evidence = read_evidence(folder)
    findings = with_importances(analyse_table(evidence.table, evidence.info))
    write_findings(findings, out)
    return findings


def main() -> None:
    """Write the evidence on the study file in a folder from the records of a store, and its report."""
    folder, store = Path(sys.argv[1]), sys.argv[2]
    loaded = load_study(str(folder / "study.toml"), store, os.environ.get("STUDY_DATA_ROOT"))
    write_evidence(loaded, folder)
    report_evidence(folder, folder)
    counts = loaded.plan.counts()
    say(f"{folder / RECORDS_FILE}: {counts['trials'] - counts['missing']} of {counts['trials']} trials")


if __name__ == "__main__":
    main()
