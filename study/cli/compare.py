"""`study compare`: one report of several studies."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from study.cli.options import DATA_ROOT, STORE, guarded
from study.errors import StudyError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.info import StudyInfo
    from analysis.studies import ComparedStudy


@click.command("compare")
@click.argument("studies", nargs=-1, required=True)
@STORE
@DATA_ROOT
@click.option(
    "--out",
    required=True,
    metavar="FOLDER",
    help="Folder for the report; it is created if it does not exist.",
)
@guarded
def command(studies: tuple[str, ...], store: str, data_root: str | None, out: str) -> None:
    """Write one report of several STUDIES.

    Each is the name of a study, a study file, or the folder of an imported table or of an unpacked bundle. For
    studies on the same data, the report shows their arms side by side and lists the differences between the studies.
    For studies on different data, the report has one part per data set, and describes how the parts relate.
    """
    if len(studies) < 2:
        raise StudyError(f"compare: got {len(studies)} study; name at least two")
    if twice := next((name for name in studies if studies.count(name) > 1), None):
        raise StudyError(f"compare: '{twice}' is named twice")

    from analysis.studies import compare_studies
    from study.cli.report import report_data_sets

    try:
        compared = compare_studies(_named([_read(source, store, data_root) for source in studies]))
    except ValueError as error:
        raise StudyError(f"compare: {error}") from error
    report_data_sets(compared, Path(out).expanduser())


def _read(source: str, store: str, data_root: str | None) -> tuple["pd.DataFrame", "StudyInfo"]:
    """The table of an imported folder, of an unpacked bundle, or of a study and its records in the store."""
    from analysis.results.build import table_study
    from analysis.results.read import is_imported, load_imported
    from study.loaded import load_study
    from study.report.bundle import bundle_table, read_bundle
    from study.report.study_table import study_table

    if is_imported(source):
        return table_study(*load_imported(source))
    if bundle := read_bundle(source):
        return bundle_table(bundle)
    if Path(source).suffix.lower() in (".csv", ".tsv", ".parquet", ".pq"):
        raise StudyError(f"compare: got the table {source}; run `study import` first, and name its folder")
    loaded = load_study(source, store, data_root)
    return study_table(loaded.plan, loaded.study_file)


def _named(read: Sequence[tuple["pd.DataFrame", "StudyInfo"]]) -> list["ComparedStudy"]:
    """The studies with their names. A repeated name gets a number."""
    from analysis.studies import ComparedStudy

    studies: list[ComparedStudy] = []
    for table, info in read:
        before = sum(study.info.name == info.name for study in studies)
        name = f"{info.name} {before + 1}" if before else info.name
        studies.append(ComparedStudy(name=name, table=table, info=info))
    return studies
