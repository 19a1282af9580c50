"""Rows as canonical JSON text: the values that are not null, with sorted names and times as integers (microseconds).

The digest of a record is the hash of this text. A new column does not change the text of a row that lacks it. A
record file also contains the text itself, because reading one text takes a fraction of the time that reading 140
columns of one value takes.
"""

import hashlib
import json
from array import array
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any

import pyarrow as pa

from trainables.reading import parse_json

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
    """The values in a row's text by column. Raises `ValueError` if it is not such a text, byte for byte."""
    row = parse_json(text)
    if not isinstance(row, dict):
        raise ValueError("not the values of columns")
    types = set(map(type, row.values()))
    if dict in types or (list in types and not all(map(_is_map, row.values()))):
        raise ValueError("not the values of columns")
    # The columns of another text would have another digest. The row could not be joined or merged.
    if type(None) in types or _encode(row).encode() != text:
        raise ValueError("not as a writer of records writes it")
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
    columns = [array_of([row.get(column.name) for row in rows], column.type) for column in schema]
    for column, values in zip(schema, columns, strict=True):
        if values.null_count and not column.nullable:
            raise ValueError(f"column {column.name} is absent")
    return pa.Table.from_arrays(columns, schema=schema)


def take_rows(table: pa.Table, rows: Iterable[int]) -> pa.Table:
    """The rows of a table with these indices, in the given order."""
    return table.take(array_of(list(rows), pa.int64()))


def array_of(values: Sequence[Any], type_: pa.DataType) -> pa.Array:
    """An array of values as in a row's text, of the type of a column. Raises errors as `table_of` does.

    `pa.array` and `pa.scalar` would import pandas, which costs `study status` a second.
    """
    # What pyarrow converts depends on the other values: it takes 1.5 for an integer, and sometimes True for a number.
    python_type = _PYTHON_TYPES[type_.id]
    if not set(map(type, values)) <= {python_type, type(None)}:
        raise TypeError(f"a value is no {type_}")
    missing = values.count(None)
    if missing == len(values):
        return pa.nulls(len(values), type_)
    valid = _bits(value is not None for value in values) if missing else None
    if python_type is list:
        pairs = [pair for entries in values for pair in entries or ()]
        columns = [array_of([pair[place] for pair in pairs], pa.string()) for place in (0, 1)]
        entries = pa.StructArray.from_arrays(columns, fields=[type_.key_field, type_.item_field])
        buffers, children = [valid, _offsets(len(entries or ()) for entries in values)], [entries]
    elif python_type is str:
        texts = [(value or "").encode() for value in values]
        buffers, children = [valid, _offsets(map(len, texts)), pa.py_buffer(b"".join(texts))], []
    elif python_type is bool:
        buffers, children = [valid, _bits(values)], []
    else:
        numbers = array(
            "d" if python_type is float else "q", (0 if value is None else value for value in values)
        )
        buffers, children = [valid, pa.py_buffer(numbers)], []
    return pa.Array.from_buffers(type_, len(values), buffers, missing, children=children)


def _offsets(lengths: Iterable[int]) -> pa.Buffer:
    """Where each value of a variable length begins, and the end of the last one."""
    return pa.py_buffer(array("i", accumulate(lengths, initial=0)))


def _bits(flags: Iterable[Any]) -> pa.Buffer:
    """One bit for each flag, the lowest one first."""
    text = "".join("1" if flag else "0" for flag in flags)
    return pa.py_buffer(int(text[::-1], 2).to_bytes((len(text) + 7) // 8, "little"))
