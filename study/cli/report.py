"""`study report`: the report of a store, of a bundle or of a table.

`run`, `retry` and `compare` also write their reports with this module.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, STORE, guarded
from study.cli.tables import check_table, given, mapping_options, read_table, say_meaning
from study.console import CONSOLE
from study.errors import StudyError, writing

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.data_sets import DataSetsAnalysis
    from analysis.study_analysis import StudyAnalysis
    from study.loaded import LoadedStudy


@click.command("report")
@click.argument("study", required=False)
@STORE
@DATA_ROOT
@click.option(
    "--from",
    "table",
    metavar="TABLE",
    help="Instead of STUDY, a table of results: CSV, Parquet, an imported folder, or a whole store.",
)
@click.option("--out", metavar="FOLDER", help="With --from: the folder for the report.")
@mapping_options
@guarded
def command(
    study: str | None, store: str, data_root: str | None, table: str | None, out: str | None, **options: Any
) -> None:
    """Write the report of STUDY, or of a table of results that another tool made.

    The report shows the current records of the store. The last options define the meaning of the table's columns; see
    `study import`.
    """
    values = given(options)
    if study is not None and table is None:
        if out or values:
            raise StudyError(f"--{next(iter({'out': out} | values if out else values))}: only with --from")
        _report_study(study, store, data_root)
    elif study is None and table is not None:
        _report_table(table, out, values)
    else:
        raise StudyError("name either a STUDY or a table with --from")


def _report_study(study: str, store: str, data_root: str | None) -> None:
    """Write the report of a store, or of an unpacked bundle."""
    from study.archive import check_name, read_archive, write_archive
    from study.loaded import load_study
    from study.report.bundle import open_bundle, report_bundle

    if bundle := open_bundle(study, store):
        _show_report(study, bundle.records, *report_bundle(bundle))
        return
    loaded = load_study(study, store, data_root)
    archive = read_archive(loaded)
    check_name(study, loaded, archive)
    loaded.store.prepare()
    write_archive(study, loaded, archive)
    report_loaded(study, loaded)


def report_loaded(study: str, loaded: "LoadedStudy") -> None:
    """Write the report of a loaded study, and print its summary."""
    from study.report.study_table import build_report

    path, analysis = build_report(loaded.plan, loaded.study_file, loaded.store)
    _show_report(study, loaded.plan.records.table, path, analysis)


def _show_report(study: str, records: "pa.Table", path: Path, analysis: "StudyAnalysis") -> None:
    from analysis.verdict import short_sentences
    from study.report.summary import claims_table, failure_lines, summary_table

    CONSOLE.print((summary_table if analysis.info.ranks_losses else claims_table)(analysis))
    for line in (*short_sentences(analysis), *failure_lines(records, study)):
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)


def _report_table(source: str, out: str | None, values: dict[str, Any]) -> None:
    """Write the report of a table or of an imported folder into `out`, by default the imported folder."""
    check_table(source)

    from analysis.data_sets import analyse_data_sets
    from analysis.results.read import is_imported

    table = read_table(source, values)
    if out is None and not is_imported(source):
        raise StudyError("--out: name the folder for the report")
    try:
        analysis = analyse_data_sets(table.trials, table.info)
    except ValueError as error:
        raise StudyError(str(error)) from error
    say_meaning(table)
    report_data_sets(analysis, Path(out or source))


def report_data_sets(analysis: "DataSetsAnalysis", out: Path) -> None:
    """Write the report and print its summary. Raises `StudyError` if `out` cannot be written."""
    from analysis.report import write_data_sets
    from analysis.verdict import short_sentences
    from analysis.verdict_data_sets import short_data_set_sentences
    from study.report.summary import summary_table

    try:
        with writing("--out", out):
            path = write_data_sets(analysis, out)
    except ValueError as error:
        raise StudyError(str(error)) from error
    if analysis.only is not None:
        CONSOLE.print(summary_table(analysis.only))
        lines = short_sentences(analysis.only)
    else:
        lines = short_data_set_sentences(analysis)
    for line in lines:
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)
