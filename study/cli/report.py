"""`study report`: the report of a store, of a bundle or of a table.

`run`, `retry` and `compare` also write their reports with this module.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from study.cli.options import DATA_ROOT, STORE, TRUST_CODE, guarded
from study.cli.tables import FROM_TABLE, check_table, given, mapping_options, read_table, say_meaning
from study.console import CONSOLE, say, say_error, shell_line
from study.errors import StudyError, writing

if TYPE_CHECKING:
    import pyarrow as pa

    from analysis.data_sets import DataSetsAnalysis
    from analysis.model.info import StudyInfo
    from analysis.study_analysis import StudyAnalysis
    from study.cli.tables import ReadTable
    from study.loaded import LoadedStudy


@click.command("report")
@click.argument("study", required=False)
@STORE
@DATA_ROOT
@TRUST_CODE
@FROM_TABLE
@click.option("--out", metavar="FOLDER", help="Folder for the report. Nothing is written into the store.")
@mapping_options
@guarded
def command(
    study: str | None, store: str, data_root: str | None, table: str | None, out: str | None, **options: Any
) -> None:
    """Write the report of STUDY, or of a table of results that another tool made.

    The report shows the current records of the store. With --out, the store may be read-only. STUDY or the store
    may be a bundle, packed or unpacked; the report of a packed one goes into a folder beside it. Nothing in a bundle
    runs. The last options define the meaning of the table's columns; see `study import`.
    """
    values = given(options)
    if study is not None and table is None:
        if values:
            raise StudyError(f"--{next(iter(values))}: only with --from")
        _report_study(study, store, data_root, out)
    elif study is None and table is not None:
        _report_table(table, out, values)
    else:
        raise StudyError("name either a STUDY or a table with --from")


def _report_study(study: str, store: str, data_root: str | None, out: str | None) -> None:
    """Write the report of a store, or of a bundle."""
    from study.archive import check_name, read_archive, write_archive
    from study.loaded import load_study, say_damaged
    from study.report.bundle import open_study_bundle, report_bundle
    from trainables.store.records import StoreError

    with open_study_bundle(study, store) as bundle:
        if bundle is not None:
            say_damaged(bundle.records)
            folder = Path(out).expanduser() if out else bundle.report_folder
            with writing_report(folder):
                page, analysis = report_bundle(bundle, folder)
            show_report(study, bundle.records.table, page, analysis, bundle.said)
            return
    loaded = load_study(study, store, data_root)
    archive = read_archive(loaded)
    check_name(study, loaded, archive)
    if out is not None:
        report_loaded(study, loaded, Path(out).expanduser())
        return
    try:
        loaded.store.prepare()
    except StoreError as error:
        raise StoreError(f"{error}, or write the report elsewhere with --out") from error
    write_archive(study, loaded, archive)
    report_loaded(study, loaded)


def report_loaded(study: str, loaded: "LoadedStudy", out: Path | None = None) -> None:
    """Write the report of a loaded study, into the store or into `out`, and print its summary."""
    from study.report.study_table import build_report

    with nullcontext() if out is None else writing_report(out):
        command = _trial_command(study, loaded.store.location)
        path, analysis = build_report(loaded.plan, loaded.study_file, loaded.store, out, command)
    show_report(study, loaded.plan.records.table, path, analysis)


def _trial_command(study: str, store: str) -> str:
    """The command that runs a trial of the study again, with `{}` in place of its id, and without machine paths."""
    from analysis.redact import redact_paths

    is_default = "://" not in store and Path(store).resolve() == Path("results").resolve()
    words = [study, "ID"] if is_default else [study, "ID", "--store", store]
    line = shell_line("study", "trial", *(redact_paths(word).replace("…/", "") for word in words))
    return line.replace("{", "").replace("}", "").replace(" ID", " {}", 1)


def report_run(loaded: "LoadedStudy") -> None:
    """Write the report of what a launch has run, also if the study's files were edited in the meantime."""
    from study.loaded import changed_since, read_again, say_damaged

    current = read_again(loaded)
    say_damaged(current.plan.records)
    report_loaded(loaded.source, current)
    if change := changed_since(loaded):
        say_error(
            f"{change} since this command began; the report is of what ran; run it again for the change"
        )


def show_report(
    study: str, records: "pa.Table", path: Path, analysis: "StudyAnalysis", bundle: str = ""
) -> None:
    """Print the summary of a report: its verdict, kinds of failures, and the path of its page."""
    from analysis.report.verdict import study_verdict
    from analysis.report.verdict_lines import verdict_lines
    from study.report.summary import claims_table, failure_lines

    below = 2 if analysis.info.look_note else 1  # the page, and the note on the look
    if analysis.info.claims:
        CONSOLE.print(claims_table(analysis))
    for line in (
        *verdict_lines(study_verdict(analysis), below=below),
        *failure_lines(records, study, bundle),
    ):
        say(line)
    if analysis.info.look_note:
        say(analysis.info.look_note)
    say(f"Report: {path}")


def _report_table(source: str, out: str | None, values: dict[str, Any]) -> None:
    """Write the report of a table or of an imported folder into `out`, by default the imported folder."""
    check_table(source)

    from analysis.data_sets import analyse_data_sets
    from analysis.tables.read import is_imported

    table = read_table(source, values)
    if out is None and not is_imported(source):
        raise StudyError("--out: name the folder for the report")
    folder = Path(out or source)
    with writing_report(folder):
        info = _look_at(table, Path(source) if is_imported(source) else folder, folder)
    try:
        analysis = analyse_data_sets(table.trials, info)
    except ValueError as error:
        raise StudyError(str(error)) from error
    say_meaning(table)
    report_data_sets(analysis, folder)


def _look_at(table: "ReadTable", home: Path, report: Path) -> "StudyInfo":
    """The description of a table with its look. An imported folder remembers it; the report, if that is read-only."""
    from study.report.looks import with_look

    try:
        return with_look(table.info, table.trials, home, home)
    except OSError:
        if home == report:
            raise
        return with_look(table.info, table.trials, home, report)


@contextmanager
def writing_report(out: Path) -> Iterator[None]:
    """Raise `StudyError` for a report that cannot be written into the folder, or that has no content."""
    try:
        with writing("--out", out):
            yield
    except ValueError as error:
        raise StudyError(str(error)) from error


def report_data_sets(analysis: "DataSetsAnalysis", out: Path) -> None:
    """Write the report and print its summary. Raises `StudyError` if `out` cannot be written."""
    from analysis.report.verdict_data_sets import data_sets_verdict
    from analysis.report.verdict_lines import verdict_lines
    from analysis.report.write import write_data_sets

    with writing_report(out):
        path = write_data_sets(analysis, out)
    for line in verdict_lines(data_sets_verdict(analysis)):
        say(line)
    say(f"Report: {path}")
