"""`study compare`: several studies in one report."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from analysis.info import StudyInfo
from analysis.results.build import table_study
from analysis.results.read import is_imported, load_imported
from analysis.studies import ComparedStudy, compare_studies
from study.commands.tables import write_and_show
from study.errors import StudyError
from study.loaded import load_study
from study.report.bundle import bundle_table, read_bundle
from study.report.study_table import study_table


def compare(sources: Sequence[str], store: str, data_root: str | None, *, out: str) -> None:
    """Write the report of all sources into `out`. Raises `StudyError` for what cannot be read or compared."""
    if len(sources) < 2:
        raise StudyError(f"compare: got {len(sources)} study; name at least two")
    if twice := next((name for name in sources if list(sources).count(name) > 1), None):
        raise StudyError(f"compare: '{twice}' is named twice")
    try:
        read = [_read(source, store, data_root) for source in sources]
        environments = compare_studies(_named(read))
    except ValueError as error:
        raise StudyError(f"compare: {error}") from error
    write_and_show(environments, Path(out).expanduser())


def _read(source: str, store: str, data_root: str | None) -> tuple[pd.DataFrame, StudyInfo]:
    """The table of an imported folder, of an unpacked bundle, or of a study and what the store holds of it."""
    if is_imported(source):
        return table_study(*load_imported(source))
    if bundle := read_bundle(source):
        return bundle_table(bundle)
    if Path(source).suffix.lower() in (".csv", ".tsv", ".parquet", ".pq"):
        raise StudyError(f"compare: got the table {source}; run `study import` first, and name its folder")
    loaded = load_study(source, store, data_root)
    return study_table(loaded.plan, loaded.study_file)


def _named(read: Sequence[tuple[pd.DataFrame, StudyInfo]]) -> list[ComparedStudy]:
    """The studies by their names; one that comes again is numbered."""
    studies: list[ComparedStudy] = []
    for table, info in read:
        before = sum(study.info.name == info.name for study in studies)
        name = f"{info.name} {before + 1}" if before else info.name
        studies.append(ComparedStudy(name=name, table=table, info=info))
    return studies
