"""Rows as canonical JSON text: the values that are not null, with sorted names and times as integers (microseconds).

The digest of a record is the hash of this text. A new column does not change the text of a row that lacks it. A
record file also contains the text itself, because reading one text takes a fraction of the time that reading 140
columns of one value takes.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

#: The type of a column's values in a text.
_PYTHON_TYPES = {
    pa.string().id: str,
    pa.int64().id: int,
    pa.float64().id: float,
    pa.bool_().id: bool,
    pa.timestamp("us").id: int,
    pa.map_(pa.string(), pa.string()).id: list,
}

_encode: Callable[[Mapping[str, Any]], str] = json.JSONEncoder(sort_keys=True, default=repr).encode


def texts_of(table: pa.Table) -> list[str]:
    """The text of each row."""
    rows: list[dict[str, Any]] = [{} for _ in range(table.num_rows)]
    for name, column in zip(table.column_names, table.columns, strict=True):
        if column.null_count == len(column):
            continue
        for row, value in zip(rows, _values(column), strict=True):
            if value is not None:
                row[name] = value
    return [_encode(row) for row in rows]


def _values(column: pa.ChunkedArray) -> list[Any]:
    """Python values. Time objects would depend on library versions, and would import pandas."""
    return list((column.cast(pa.int64()) if pa.types.is_timestamp(column.type) else column).to_pylist())


def digest_of(text: str | bytes) -> str:
    """The digest of a row with this text."""
    return content_hash(text.encode() if isinstance(text, str) else text)


def content_hash(content: bytes) -> str:
    """A hash of bytes in 32 hexadecimal digits."""
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def row_of(text: bytes) -> dict[str, Any]:
    """The values in a row's text by column. Raises `ValueError` if it is not such a text."""
    try:
        row = json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if not isinstance(row, dict):
        raise ValueError("not the values of columns")
    types = set(map(type, row.values()))
    if dict in types or (list in types and not all(map(_is_map, row.values()))):
        raise ValueError("not the values of columns")
    return row


def _is_map(value: object) -> bool:
    """Whether a value is a map as a list of pairs of texts, or no list."""
    if not isinstance(value, list):
        return True
    return all(type(pair) is list and list(map(type, pair)) == [str, str] for pair in value)


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """A table of rows as `row_of` returns them. Values whose column is not in `schema` are left out.

    Raises `ValueError`, `TypeError` or `OverflowError` if a value does not fit its column, or if a required one is
    absent.
    """
    columns = [_array([row.get(column.name) for row in rows], column.type) for column in schema]
    for column, values in zip(schema, columns, strict=True):
        if values.null_count and not column.nullable:
            raise ValueError(f"column {column.name} is absent")
    return pa.Table.from_arrays(columns, schema=schema)


def _array(values: list[Any], type_: pa.DataType) -> pa.Array:
    # What pyarrow converts depends on the other values: it takes 1.5 for an integer, and sometimes True for a number.
    if not set(map(type, values)) <= {_PYTHON_TYPES[type_.id], type(None)}:
        raise TypeError(f"a value is no {type_}")
    if pa.types.is_map(type_):  # a map's entries are tuples, in JSON lists
        values = [None if entries is None else [tuple(entry) for entry in entries] for entries in values]
    return pa.array(values, type_)
