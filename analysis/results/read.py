"""Reads a table of results: a file, a folder that `study import` wrote, or a record store.

Notebooks use `load_records`, the command line uses `read_rows`. A store is read with the same code as in `study`
commands.
"""

import warnings
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.results.mapping import TableMapping, build_mapping, read_mapping
from analysis.results.plain_columns import plain_columns
from trainables.store.attempts import read_whole_store
from trainables.store.records import open_store

#: Files in a folder that `study import` wrote.
TABLE_FILE, MAPPING_FILE = "table.parquet", "mapping.toml"


def load_records(source: str | Path) -> pd.DataFrame:
    """The rows of a CSV or Parquet file, of an imported folder, or of a record store.

    A store is a directory, or a URL `s3://bucket/prefix` or `gs://bucket/prefix`. Each of its trials has one row: the
    latest attempt that could be read in full and that early stopping of a search did not end. A trial whose attempts
    were all stopped early has its last one, with status `pruned`. Columns of lists and maps become text. Each further
    field of a loss, which records keep in `hp_other`, becomes a column `hp_<field>`.

    Warns of every damaged file of a store by name and reads the other rows. Raises `ValueError` for what cannot be
    read as a table.
    """
    rows, faults = read_rows(source)
    for fault in faults:
        warnings.warn(fault, stacklevel=2)
    return rows


def read_rows(source: str | Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The result of `load_records`, and a line on each damaged file instead of a warning."""
    path = Path(source)
    if is_store(source):
        return _store_rows(str(source))
    if path.is_dir():
        if not is_imported(path):
            raise ValueError(f"{path}: neither an imported table nor a record store")
        path = path / TABLE_FILE
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    try:
        return plain_columns(_file_rows(path)), ()
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ValueError(f"{path}: no table ({_first_line(error)})") from error


def load_imported(path: str | Path) -> tuple[pd.DataFrame, TableMapping]:
    """The table and mapping of a folder that `study import` wrote."""
    path = Path(path)
    return load_records(path / TABLE_FILE), build_mapping(read_mapping(path / MAPPING_FILE))


def is_imported(path: str | Path) -> bool:
    """Whether `study import` wrote that folder."""
    return (Path(path) / MAPPING_FILE).is_file()


def is_store(source: str | Path) -> bool:
    """Whether `source` is the URL of a store, or a directory with records that is not an imported folder."""
    return "://" in str(source) or ((Path(source) / "records").is_dir() and not is_imported(source))


def _file_rows(path: Path) -> pd.DataFrame:
    if path.suffix.lower() in (".parquet", ".pq"):
        return pq.read_table(path).to_pandas()
    return pd.read_csv(path, sep="\t" if path.suffix.lower() == ".tsv" else ",")


def _store_rows(location: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    records = read_whole_store(open_store(location))
    faults = tuple(
        f"damaged file: {path.name}; the trials in it are left out, or have an earlier attempt's row"
        for path in records.damaged
    )
    if not records.table.num_rows:
        more = f", but damaged files: {', '.join(path.name for path in records.damaged)}" if faults else ""
        raise ValueError(f"{location}: the record store holds no records{more}")
    return plain_columns(records.table.to_pandas()), faults


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
