"""`study import` and `study report --from`: tables of results that other tools made, and whole record stores."""

from pathlib import Path
from typing import Any

import pandas as pd
import tomlkit

from analysis.data_sets import DataSetsAnalysis, analyse_data_sets, data_sets
from analysis.info import StudyInfo
from analysis.report import write_data_sets
from analysis.results.build import table_study
from analysis.results.columns import column_lines, resolved
from analysis.results.mapping import TableMapping, build_mapping, mapping_keys, read_mapping
from analysis.results.metric import percent_hint
from analysis.results.read import MAPPING_FILE, TABLE_FILE, is_imported, load_imported, read_rows
from analysis.verdict import verdict_sentences
from analysis.verdict_data_sets import data_set_sentences
from study.console import CONSOLE, say_error, say_note
from study.errors import StudyError
from study.report.summary import summary_table
from trainables.atomic import replace_file


def import_table(table: str, out: str, values: dict[str, Any]) -> None:
    """Write the checked table and its mapping into the folder `out`."""
    rows, mapping, trials, info = _checked(table, values)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / TABLE_FILE, rows.to_parquet(index=False))
        replace_file(folder / MAPPING_FILE, tomlkit.dumps(mapping_keys(mapping)))
    except OSError as error:
        raise StudyError(f"--out: cannot write to {folder} ({error.strerror})") from error
    _say_meaning(rows, mapping, trials, info)
    CONSOLE.print(f"{len(rows)} rows: {_described(info)}.", soft_wrap=True)
    CONSOLE.print(f"Written: {folder}; its report: study report --from {folder}", soft_wrap=True)


def report_table(source: str, out: str | None, values: dict[str, Any]) -> None:
    """Write the report of a table, or of an imported folder, into `out`; an imported folder's own without it."""
    rows, mapping, trials, info = _checked(source, values)
    if out is None and not is_imported(source):
        raise StudyError("--out: name the folder that the report goes to")
    try:
        environments = analyse_data_sets(trials, info)
    except ValueError as error:
        raise StudyError(str(error)) from error
    _say_meaning(rows, mapping, trials, info)
    write_and_show(environments, Path(out or source))


def write_and_show(environments: DataSetsAnalysis, out: Path) -> None:
    """Write the report and say the most important of it. Raises `StudyError` where `out` cannot be written."""
    try:
        path = write_data_sets(environments, out)
    except ValueError as error:
        raise StudyError(str(error)) from error
    except OSError as error:
        raise StudyError(f"--out: cannot write to {out} ({error.strerror})") from error
    if environments.only is not None:
        CONSOLE.print(summary_table(environments.only))
        lines = verdict_sentences(environments.only)
    else:
        lines = data_set_sentences(environments, [])
    for line in lines[:2]:
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)


def _checked(
    source: str, values: dict[str, Any]
) -> tuple[pd.DataFrame, TableMapping, pd.DataFrame, StudyInfo]:
    """The rows, their mapping and what it makes of them. Raises `StudyError` for what does not fit."""
    try:
        rows, keys = _read(source)
        file = values.pop("mapping", None)
        keys |= read_mapping(Path(file)) if file else {}
        mapping = build_mapping({"name": Path(source).stem, **keys, **values})
        table, info = table_study(rows, mapping)
        data_sets(table, info)
        return rows, mapping, table, info
    except ValueError as error:
        raise StudyError(str(error)) from error


def _read(source: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    if is_imported(source):
        rows, mapping = load_imported(source)
        return rows, mapping_keys(mapping)
    rows, faults = read_rows(source)
    for fault in faults:
        say_error(fault)
    return rows, {}


def _say_meaning(rows: pd.DataFrame, mapping: TableMapping, trials: pd.DataFrame, info: StudyInfo) -> None:
    """What the columns were taken for, what may be in percent, and what the table lacks, on standard error."""
    lines = [*column_lines(rows, resolved(rows, mapping)), percent_hint(rows, info.metric)]
    if absent := len(trials) - len(rows):
        lines.append(
            f"Absent: {absent} of {len(trials)} trials have no row and count as not run yet; "
            "if no more were planned, say --complete"
        )
    for line in filter(None, lines):
        say_note(line)


def _described(info: StudyInfo) -> str:
    axes = dict.fromkeys(axis.words for arm in info.arms for axis in arm.axes)
    return (
        f"{len(info.arms)} losses ({', '.join(arm.label for arm in info.arms)}), {len(info.seeds)} seeds, "
        f"surfaces over {', '.join(axes)}; metric {info.metric.name}, "
        f"{'higher' if info.metric.higher_is_better else 'lower'} is better"
    )
