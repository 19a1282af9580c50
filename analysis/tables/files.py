"""Reads the file of a table: CSV, TSV, JSON lines, Parquet or Feather. The content decides, not the name.

Cells of text files stay text: `columns` decides which of them are names and which are values.
"""

import csv
import io
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from analysis.csv_text import cell_of
from analysis.model.axis_values import numeric_text
from analysis.tables.exports.nested import flattened
from analysis.tables.sizes import bounded_feather, bounded_parquet, check_columns, check_size
from trainables.archives import gunzip
from trainables.reading import TABLE_BYTES, parse_json, read_bytes
from trainables.suggestion import first_line

#: What messages say about the files that can be read.
READABLE = "CSV with commas, semicolons or tabs, JSON lines, Parquet and Feather"

#: Separators of fields, in the order of preference.
_SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab"}
_MAGIC_PARQUET, _MAGIC_FEATHER, _MAGIC_GZIP = b"PAR1", (b"ARROW1", b"FEA1"), b"\x1f\x8b"
#: Encodings by the byte order mark at the start of a file.
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
_LARGEST_CELL = 1 << 26  # characters; trackers write whole configurations into a cell
_LONGEST_HEADER = 10_000_000  # characters
_SAMPLE = 20  # rows that decide on the separator


def read_file(path: Path) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The rows of a file, and a line on what was guessed about it: a separator other than a comma.

    Raises `ValueError` with a message of one line. For a text file, it has the number of the line that is wrong.
    """
    try:
        content = read_bytes(path, TABLE_BYTES)
        if content[:2] == _MAGIC_GZIP:
            content = gunzip(content, TABLE_BYTES)
        if content[:4] == _MAGIC_PARQUET:
            return with_index(bounded_parquet(content).to_pandas()), ()
        if content.startswith(_MAGIC_FEATHER):
            return with_index(bounded_feather(content).to_pandas()), ()
        return _read_text(_decoded(content))
    except OSError as error:
        raise ValueError(f"{path}: cannot be read ({error.strerror or first_line(error)})") from error
    except (pa.ArrowException, ValueError, EOFError, zlib.error) as error:
        raise ValueError(f"{path}: no table ({first_line(error)})") from error


def with_index(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with named levels of their index as columns."""
    levels = [name for name in rows.index.names if name is not None and name not in rows.columns]
    return rows.reset_index(level=levels) if levels else rows


def _decoded(content: bytes) -> str:
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), "utf-8")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"neither UTF-8 text nor a file of a known kind; read are {READABLE}") from error
    if not text.strip():
        raise ValueError("the file is empty")
    if "\0" in text:
        raise ValueError(f"not a file of a known kind; read are {READABLE}")
    return text


def _read_text(text: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    if text.lstrip()[0] in "{[":
        return _read_json(text), ()
    separator = _separator(text)
    told = () if separator == "," else (f"Fields are separated by a {_SEPARATORS[separator]}.",)
    return _read_separated(text, separator), told


def _separator(text: str) -> str:
    """The separator that gives the header the most columns, and the first rows as many."""
    fitting = {}
    end = text.find("\n", len(text) - len(text.lstrip()))
    header = end if end >= 0 else len(text)
    if header > _LONGEST_HEADER:
        raise ValueError(f"line 1 has {header:,} characters; at most {_LONGEST_HEADER:,} are read")
    for separator in _SEPARATORS:
        check_columns(1 + text.count(separator, 0, header))
        records = _records(text, separator)
        try:
            width = sum(map(bool, next(records, (0, []))[1]))
        except ValueError:  # quotes that make no sense with this separator
            continue
        if width > 1:
            fitting[separator] = (_fit(records, width), width)
    if not fitting:
        first_line = text.strip().splitlines()[0][:60]
        raise ValueError(f"one column, {first_line!r}; fields are separated by commas, semicolons or tabs")
    return max(fitting, key=lambda separator: fitting[separator])


def _fit(records: Iterator[tuple[int, list[str]]], width: int) -> bool:
    """Whether at least half of the first lines have a field for each of `width` columns."""
    try:
        sample = [len(fields) >= width for (_, fields), _ in zip(records, range(_SAMPLE), strict=False)]
    except ValueError:
        return False
    return 2 * sum(sample) >= len(sample)


def _records(text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """The numbers and fields of the lines that are not blank, without spaces around the fields."""
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    try:
        for fields in reader:
            stripped = [cell_of(field.strip()) for field in fields]
            if any(stripped):
                yield reader.line_num, stripped
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _read_separated(text: str, separator: str) -> pd.DataFrame:
    records = _records(text, separator)
    _, names = next(records)
    while names and not names[-1]:  # a separator at the end of the header
        names.pop()
    _check_header(names)
    check_size(text.count("\n"), len(names))
    rows = []
    for line, fields in records:
        while len(fields) > len(names) and not fields[-1]:
            fields.pop()
        if len(fields) != len(names):
            raise ValueError(f"line {line} has {len(fields)} fields, the header has {len(names)}")
        rows.append(fields)
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    return pd.DataFrame(
        {name: pd.Series(list(cells), dtype="str") for name, cells in zip(names, columns, strict=True)}
    )


def _check_header(names: list[str]) -> None:
    numbers = sum(numeric_text(name) is not None for name in names)
    if 2 * numbers >= len(names):
        raise ValueError(f"line 1 has numbers where the names of columns belong ({', '.join(names[:5])})")
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise ValueError(f"two columns have the name {repeated!r}")


def _read_json(text: str) -> pd.DataFrame:
    """One object a line, or one list of objects. Keys of nested objects are joined by `/`."""
    if text.lstrip()[0] == "[":
        objects = list(enumerate(_parsed(text, "the file"), start=1))
    else:
        lines = [(line, each) for line, each in enumerate(text.splitlines(), start=1) if each.strip()]
        objects = [(line, _parsed(each, f"line {line}")) for line, each in lines]
    for line, each in objects:
        if not isinstance(each, dict):
            raise ValueError(f"line {line}: got {str(each)[:40]}, must be an object such as {{...}}")
    keys: set[str] = set()
    rows = []
    for line, each in objects:
        try:
            rows.append(flattened(each, "/"))
        except ValueError as error:
            raise ValueError(f"line {line}: {error}") from error
        keys.update(rows[-1])
        check_size(len(rows), len(keys))
    return pd.DataFrame(rows, dtype=object)


def _parsed(text: str, where: str) -> Any:
    try:
        return parse_json(text)
    except json.JSONDecodeError as error:
        raise ValueError(f"{where}: not JSON ({error.msg}); one object a line is read") from error
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from error
