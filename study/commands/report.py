"""`study report`: what a store or a bundle holds now."""

from typing import TYPE_CHECKING

from study.archive import check_name, read_archive, write_archive
from study.console import CONSOLE
from study.loaded import LoadedStudy, load_study
from study.report.bundle import open_bundle, report_bundle

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from analysis.study_analysis import StudyAnalysis


def report_study(study: str, store: str, data_root: str | None) -> None:
    """`study report`, of a store or of an unpacked bundle."""
    if bundle := open_bundle(study, store):
        _show_report(study, bundle.records, *report_bundle(bundle))
        return
    loaded = load_study(study, store, data_root)
    archive = read_archive(loaded)
    check_name(study, loaded, archive)
    loaded.store.prepare()
    write_archive(study, loaded, archive)
    report_opened(study, loaded)


def report_opened(study: str, loaded: LoadedStudy) -> None:
    """Write the report of what was read, and say the most important of it."""
    from study.report.study_table import build_report

    path, findings = build_report(loaded.plan, loaded.study_file, loaded.store)
    _show_report(study, loaded.plan.records.table, path, findings)


def _show_report(study: str, records: "pa.Table", path: "Path", findings: "StudyAnalysis") -> None:
    from analysis.verdict import verdict_sentences
    from study.report.summary import claims_table, failure_lines, summary_table

    CONSOLE.print((summary_table if findings.info.ranks_losses else claims_table)(findings))
    for line in (*verdict_sentences(findings)[:2], *failure_lines(records, study)):
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)
