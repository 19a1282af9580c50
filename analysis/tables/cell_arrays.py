"""Converts a table of trials, in memory or in Parquet, directly to arrays of configurations by seeds.

`large_tables` uses it.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Status of a configuration and seed without a row.
ABSENT = "absent"
#: Name of the column of statuses that is used if the table has it.
_USUAL_STATUS = "status"
#: Up to this number of combinations of levels, cells are numbered with a table (one byte each), not by sorting.
_MOST_COMBINATIONS = 100_000_000


@dataclass(frozen=True, kw_only=True)
class CellArrays:
    """C configurations by S seeds: those that occur, sorted by their levels, with the last key fastest."""

    keys: tuple[str, ...]  # columns that distinguish configurations
    levels: tuple[np.ndarray, ...]  # values of each key, increasing, null last: NaN, or None among texts
    codes: np.ndarray  # (C, k) of int, indices into the levels
    seeds: np.ndarray  # (S,) increasing
    values: dict[str, np.ndarray]  # column: (C, S), NaN where there is no row or no number
    status: np.ndarray  # (C, S) of int8, indices into `statuses`
    statuses: tuple[str, ...]  # ABSENT first, then those that occur

    def level(self, key: str) -> np.ndarray:
        """The value of a key in every cell, `(C,)`. Raises `ValueError` for another name."""
        place = self.keys.index(key)
        return self.levels[place][self.codes[:, place]]


def cell_arrays(
    source: pa.Table | pd.DataFrame | Path | str,
    keys: Sequence[str],
    values: Sequence[str],
    *,
    seed: str = "seed",
    status: str | None = _USUAL_STATUS,
) -> CellArrays:
    """Arrays of the columns `values` by configuration and seed; the columns `keys` distinguish configurations.

    A million rows take about 0.2 s: Arrow encodes columns as dictionaries, cells are numbered without sorting rows,
    and each column is written in one step. Every row counts as "ok" where `status` is None or the table has no column
    `status`; a column of another name must exist. Lists, maps and structs among the keys are compared by their JSON.

    Raises `ValueError` for no keys, a missing column, a seed that is null, a value column without numbers, and two
    rows of one seed in one configuration.
    """
    if not keys:
        raise ValueError("keys: got none; at least one column must tell configurations apart")
    held = _column_names(source)
    if status == _USUAL_STATUS and status not in held:
        status = None
    table = _read(source, held, list(dict.fromkeys([*keys, seed, *values, *([status] if status else [])])))
    coded = [_coded(table, name) for name in keys]
    seeds, at_seed = _coded(table, seed)
    if table[seed].null_count:
        raise ValueError(
            f"seed: got {table[seed].null_count} empty values in column {seed!r}; each row needs one"
        )
    codes, at_cell = _numbered([codes for _, codes in coded], [len(levels) for levels, _ in coded])
    place = at_cell * max(len(seeds), 1) + at_seed
    shape = (len(codes), len(seeds))
    _check_once(place, int(np.prod(shape)))
    names, row_status = (
        _coded(table, status) if status else (np.array(["ok"]), np.zeros(len(place), dtype=np.int64))
    )
    spread = np.zeros(shape, dtype=np.int8)
    spread.ravel()[place] = row_status + 1
    return CellArrays(
        keys=tuple(keys),
        levels=tuple(levels for levels, _ in coded),
        codes=codes,
        seeds=seeds,
        values={name: _spread(_numbers(table, name), place, shape) for name in values},
        status=spread,
        statuses=(ABSENT, *("" if name is None else str(name) for name in names)),
    )


def _column_names(source: pa.Table | pd.DataFrame | Path | str) -> list[str]:
    if isinstance(source, pa.Table):
        return list(source.column_names)
    return list(source.columns if isinstance(source, pd.DataFrame) else pq.read_schema(source).names)


def _read(source: pa.Table | pd.DataFrame | Path | str, held: list[str], columns: list[str]) -> pa.Table:
    absent = [name for name in columns if name not in held]
    if absent:
        raise ValueError(f"columns: got {absent}, which the table lacks; it has {held[:20]}")
    if isinstance(source, pa.Table):
        return source.select(columns)
    if isinstance(source, pd.DataFrame):
        return pa.Table.from_pandas(source[columns], preserve_index=False)
    return pq.read_table(source, columns=columns)


def _coded(table: pa.Table, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Levels of a column, increasing, null last, and each row's index into them `(N,)`."""
    column = table[name].combine_chunks()
    if pa.types.is_nested(column.type):
        texts = [None if value is None else json.dumps(value, default=str) for value in column.to_pylist()]
        column = pa.array(texts, pa.string())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode(null_encoding="encode")
    levels = column.dictionary
    order = pc.array_sort_indices(levels, null_placement="at_end").to_numpy()
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return levels.take(pa.array(order)).to_numpy(zero_copy_only=False), places[column.indices.to_numpy()]


def _numbered(coded: list[np.ndarray], sizes: list[int]) -> tuple[np.ndarray, np.ndarray]:
    """The combinations `(C, k)` that occur, sorted, and each row's index among them `(N,)`."""
    if not len(coded[0]):
        return np.empty((0, len(coded)), dtype=np.int64), coded[0]
    product = int(np.prod([float(size) for size in sizes]))
    if product > _MOST_COMBINATIONS:
        combinations, at = np.unique(np.stack(coded, axis=1), axis=0, return_inverse=True)
        return combinations, at.reshape(-1)
    flat = np.ravel_multi_index(coded, sizes)
    occurs = np.zeros(product, dtype=bool)
    occurs[flat] = True
    numbers = np.cumsum(occurs) - 1
    return np.stack(np.unravel_index(np.flatnonzero(occurs), sizes), axis=1), numbers[flat]


def _check_once(place: np.ndarray, places: int) -> None:
    taken = np.bincount(place, minlength=places)
    if taken.max(initial=0) > 1:
        raise ValueError(
            f"keys: got {int((taken > 1).sum())} configurations with two rows of one seed; name what else varies"
        )


def _numbers(table: pa.Table, name: str) -> np.ndarray:
    column = table[name]
    if not (
        pa.types.is_floating(column.type) or pa.types.is_integer(column.type) or pa.types.is_null(column.type)
    ):
        raise ValueError(f"values: got column {name!r} of type {column.type}; only numbers make a score")
    return column.cast(pa.float64()).to_numpy()


def _spread(values: np.ndarray, place: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    spread = np.full(shape, np.nan)
    spread.ravel()[place] = values
    return spread
