"""`study import` and `study report --from`: results that other tools made."""

from pathlib import Path
from typing import Any

import pandas as pd
import tomlkit

from analysis.environments import Environments, analyse_environments, data_sets
from analysis.info import StudyInfo
from analysis.report import write_environments
from analysis.results.build import table_study
from analysis.results.mapping import TableMapping, build_mapping, mapping_keys, read_mapping
from analysis.results.read import MAPPING_FILE, TABLE_FILE, is_imported, load_imported, load_records
from analysis.verdict import verdict_sentences
from analysis.verdict_environments import environment_sentences
from study.atomic import replace_file
from study.console import CONSOLE
from study.errors import StudyError
from study.summary import summary_table


def import_table(table: str, out: str, values: dict[str, Any]) -> None:
    """Write the checked table and its mapping into the folder `out`."""
    rows, mapping, info = _checked(table, values)
    folder = Path(out)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        replace_file(folder / TABLE_FILE, rows.to_parquet(index=False))
        replace_file(folder / MAPPING_FILE, tomlkit.dumps(mapping_keys(mapping)))
    except OSError as error:
        raise StudyError(f"--out: cannot write to {folder} ({error.strerror})") from error
    CONSOLE.print(f"{len(rows)} rows: {_described(info)}.", soft_wrap=True)
    CONSOLE.print(f"Written: {folder}; its report: study report --from {folder}", soft_wrap=True)


def report_table(source: str, out: str | None, values: dict[str, Any]) -> None:
    """Write the report of a table, or of an imported folder, into `out`; an imported folder's own without it."""
    rows, mapping, _ = _checked(source, values)
    if out is None and not is_imported(source):
        raise StudyError("--out: name the folder that the report goes to")
    write_and_show(analyse_environments(*table_study(rows, mapping)), Path(out or source))


def write_and_show(environments: Environments, out: Path) -> None:
    """Write the report and say the most important of it. Raises `StudyError` where `out` cannot be written."""
    try:
        path = write_environments(environments, out)
    except OSError as error:
        raise StudyError(f"--out: cannot write to {out} ({error.strerror})") from error
    if environments.only is not None:
        CONSOLE.print(summary_table(environments.only))
        lines = verdict_sentences(environments.only)
    else:
        lines = environment_sentences(environments, [])
    for line in lines[:2]:
        CONSOLE.print(line, soft_wrap=True)
    CONSOLE.print(f"Report: {path}", soft_wrap=True)


def _checked(source: str, values: dict[str, Any]) -> tuple[pd.DataFrame, TableMapping, StudyInfo]:
    """The rows, their mapping and what it makes of them. Raises `StudyError` for what does not fit."""
    try:
        rows, keys = _read(source)
        file = values.pop("mapping", None)
        keys |= read_mapping(Path(file)) if file else {}
        mapping = build_mapping({"name": Path(source).stem, **keys, **values})
        table, info = table_study(rows, mapping)
        data_sets(table, info)
        return rows, mapping, info
    except ValueError as error:
        raise StudyError(str(error)) from error


def _read(source: str) -> tuple[pd.DataFrame, dict[str, Any]]:
    if is_imported(source):
        rows, mapping = load_imported(source)
        return rows, mapping_keys(mapping)
    return load_records(source), {}


def _described(info: StudyInfo) -> str:
    axes = dict.fromkeys(axis.words for arm in info.arms for axis in arm.axes)
    return (
        f"{len(info.arms)} losses ({', '.join(arm.label for arm in info.arms)}), {len(info.seeds)} seeds, "
        f"surfaces over {', '.join(axes)}; metric {info.metric.name}, "
        f"{'higher' if info.metric.higher_is_better else 'lower'} is better"
    )
