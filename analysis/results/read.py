"""Reads a table of results, whoever made it."""

from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from analysis.results.mapping import TableMapping, build_mapping, read_mapping

#: Files of a folder that `study import` wrote.
TABLE_FILE, MAPPING_FILE = "table.parquet", "mapping.toml"


def load_records(path: str | Path) -> pd.DataFrame:
    """The rows of a CSV or Parquet file, of an imported folder, or of every Parquet file of a record store.

    Raises `ValueError` for what cannot be read as a table.
    """
    path = Path(path)
    if path.is_dir():
        return _folder(path)
    if not path.exists():
        raise ValueError(f"{path}: no such file")
    try:
        if path.suffix.lower() in (".parquet", ".pq"):
            return pq.read_table(path).to_pandas()
        separator = "\t" if path.suffix.lower() == ".tsv" else ","
        return pd.read_csv(path, sep=separator)
    except (pa.ArrowException, ValueError, OSError) as error:
        raise ValueError(f"{path}: no table ({_first_line(error)})") from error


def load_imported(path: str | Path) -> tuple[pd.DataFrame, TableMapping]:
    """The table and mapping of a folder that `study import` wrote."""
    path = Path(path)
    return load_records(path / TABLE_FILE), build_mapping(read_mapping(path / MAPPING_FILE))


def is_imported(path: str | Path) -> bool:
    """Whether `study import` wrote that folder."""
    return (Path(path) / MAPPING_FILE).is_file()


def _folder(path: Path) -> pd.DataFrame:
    if is_imported(path):
        return load_records(path / TABLE_FILE)
    records = path / "records"
    if not records.is_dir():
        raise ValueError(f"{path}: neither an imported table nor a record store")
    files = sorted(records.rglob("[!.]*.parquet"))
    if not files:
        raise ValueError(f"{path}: the record store holds no records")
    rows = pd.concat([pq.read_table(file).to_pandas() for file in files], ignore_index=True)
    latest = rows.sort_values(["trial_id", "attempt"]).drop_duplicates("trial_id", keep="last")
    return latest.reset_index(drop=True)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
