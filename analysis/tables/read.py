"""Reads a table of results: a file, a folder that `study import` wrote, or a record store.

Notebooks use `load_records`, the command line uses `read_rows`. A store is read with the same code as in `study`
commands.
"""

import warnings
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from analysis.names import visible
from analysis.tables.exports.frames import completed
from analysis.tables.exports.opening import open_export
from analysis.tables.files import read_file
from analysis.tables.mapping import TableMapping, build_mapping, read_mapping
from analysis.tables.plain_columns import plain_columns
from analysis.tables.values import with_numbers
from trainables.store.attempts import read_whole_store
from trainables.store.records import open_store

#: Files in a folder that `study import` wrote.
TABLE_FILE, MAPPING_FILE = "table.parquet", "mapping.toml"


@dataclass(frozen=True, kw_only=True)
class ReadRows:
    """The rows of a table as its file has them, and what a reader of the file must know."""

    rows: pd.DataFrame
    faults: tuple[str, ...] = ()  # a line on each damaged file of a store
    notes: tuple[str, ...] = ()  # a line on each guess about the file


def load_records(source: str | Path) -> pd.DataFrame:
    """The rows of a table file, of an imported folder, of another tool's export, or of a record store.

    A store is a directory, or a URL `s3://bucket/prefix` or `gs://bucket/prefix`. Each of its trials has one row: the
    latest attempt that could be read in full and that early stopping of a search did not end. A trial whose attempts
    were all stopped early has its last one, with status `pruned`. Columns of lists and maps become text. Each further
    field of a loss, which records keep in `hp_other`, becomes a column `hp_<field>`.

    In a table file, text that is a number becomes one, unless the column has a usual name of losses or data sets.

    Warns of every damaged file of a store by name and reads the other rows. Raises `ValueError` for what cannot be
    read as a table.
    """
    read = read_rows(source)
    for fault in read.faults:
        warnings.warn(visible(fault), stacklevel=2)
    return read.rows if is_store(source) else with_numbers(read.rows)


def read_rows(source: str | Path) -> ReadRows:
    """The rows of `source` as its file has them. Raises `ValueError` for what cannot be read as a table."""
    path = Path(source)
    if is_store(source):
        return _store_rows(str(source))
    exported = open_export(source)
    if exported is not None:
        return ReadRows(rows=exported)
    if path.is_dir():
        if not is_imported(path):
            raise ValueError(
                f"{path}: neither an imported table, an export of another tool nor a record store"
            )
        path = path / TABLE_FILE
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        raise ValueError(f"{path}: no such file") from None
    rows, notes = read_file(path)
    return ReadRows(rows=plain_columns(completed(rows)), notes=notes)


def load_imported(path: str | Path) -> tuple[pd.DataFrame, TableMapping]:
    """The table and mapping of a folder that `study import` wrote."""
    path = Path(path)
    return read_rows(path / TABLE_FILE).rows, build_mapping(read_mapping(path / MAPPING_FILE))


def is_imported(path: str | Path) -> bool:
    """Whether `study import` wrote that folder."""
    return (Path(path) / MAPPING_FILE).is_file()


def is_table(source: str | Path) -> bool:
    """Whether `source` names a file of a table, or an export of another tool. Reads the export."""
    path = Path(source)
    if path.suffix.lower() in (".toml", ".zip") or is_store(source) or is_imported(path):
        return False
    return path.is_file() or open_export(source) is not None or (path.suffix != "" and not path.exists())


def is_store(source: str | Path) -> bool:
    """Whether `source` is the URL of a store, or a directory with records that is not an imported folder."""
    if "://" in str(source):
        return str(source).startswith(("s3://", "gs://"))
    return (Path(source) / "records").is_dir() and not is_imported(source)


def _store_rows(location: str) -> ReadRows:
    records = read_whole_store(open_store(location))
    faults = tuple(
        f"damaged file: {damage}; the trials in it are left out, or have an earlier attempt's row"
        for damage in records.damaged
    )
    if not records.table.num_rows:
        more = f", but damaged files: {', '.join(map(str, records.damaged))}" if faults else ""
        raise ValueError(f"{location}: the record store holds no records{more}")
    return ReadRows(rows=plain_columns(records.table.to_pandas()), faults=faults)
