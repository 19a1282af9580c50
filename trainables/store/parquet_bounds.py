"""Bounds of the store's Parquet files, which are checked before anything is decoded.

A Parquet file of some kilobytes can decode to gigabytes. Its footer states the sizes, but someone can make a footer
that states others. So the bounds rest on what the decoder must follow: the size of the file on disk, the codec, the
number of rows, and the sizes in the headers of the pages. Messages name the bound, and how to raise it where raising
makes sense. The footer is read here and not through `pyarrow`, which ends the process at some invalid values.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.store.files import StoreError
from trainables.store.thrift import MOST_ITEMS, read_struct

#: The variable that raises the most records in a compacted file.
MOST_RECORDS_VARIABLE = "STUDY_MAX_RECORDS"

#: A record with the longest texts that `row_check` allows takes a few megabytes. A usual one has 20 kB.
MOST_RECORD_BYTES = 8 * 2**20

#: A compacted record usually takes 1 kB on disk and 2 to 5 kB in memory.
_RECORDS, _DISK_EACH, _MEMORY_EACH = 500_000, 2**11, 2**12

_MOST_FOOTER = 2**20  # bytes; a usual one has 30 kB, of which most are the schema
_MOST_COLUMNS = 1000  # a newer version may have more columns than this one
_MOST_DEPTH = 8

#: Codecs of a single record by number. Each expands a page at most 25 times.
_RECORD_CODECS = {0: "none", 1: "snappy"}

#: Encodings of pages by number: plain, run length, bit packed. Others can repeat one long value at no cost, and the
#: store does not write them in compacted files.
_ENCODINGS = {0, 3, 4}


class BoundError(ValueError):
    """A file exceeds a bound, or is not laid out as this package writes it."""


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What a file may need at most."""

    disk: int  # bytes of the file
    rows: int
    memory: int  # bytes of the decoded table
    raised_by: str = ""  # words on how to raise the bounds


RECORD = Bounds(disk=MOST_RECORD_BYTES, rows=1, memory=4 * MOST_RECORD_BYTES)


def compacted_bounds() -> Bounds:
    """The bounds of one compacted file. `STUDY_MAX_RECORDS` raises them, and a lower number changes nothing.

    Raises `StoreError` if the variable is no positive number.
    """
    text = os.environ.get(MOST_RECORDS_VARIABLE, "") or str(_RECORDS)
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text)):
        raise StoreError(f"{MOST_RECORDS_VARIABLE}: got {text[:60]!r}, must be a positive whole number")
    rows = max(int(text), _RECORDS)
    return Bounds(
        disk=rows * _DISK_EACH,
        rows=rows,
        memory=rows * _MEMORY_EACH,
        raised_by=f"; the variable {MOST_RECORDS_VARIABLE}, now {rows}, allows more records and more memory",
    )


def open_parquet(content: bytes, bounds: Bounds) -> pq.ParquetFile:
    """A Parquet file within the bounds, with its footer read.

    Raises `ValueError` for a file that exceeds a bound or is no Parquet file, and what `pyarrow` raises.
    """
    if len(content) > bounds.disk:
        raise BoundError(_above(len(content), bounds.disk, "bytes", bounds))
    _check_footer(content, bounds)
    return pq.ParquetFile(
        pa.BufferReader(content),
        page_checksum_verification=True,
        thrift_string_size_limit=_MOST_FOOTER,
        thrift_container_size_limit=MOST_ITEMS,
        schema_depth_limit=_MOST_DEPTH,
    )


def _check_footer(content: bytes, bounds: Bounds) -> None:
    size = int.from_bytes(content[-8:-4], "little")
    if len(content) < 12 or content[:4] != b"PAR1" or content[-4:] != b"PAR1" or size > len(content) - 12:
        raise BoundError("it is no Parquet file, or incomplete")
    if size > _MOST_FOOTER:
        raise BoundError(f"its footer has {size:,} bytes, at most {_MOST_FOOTER:,} are read")
    footer, _ = read_struct(content, len(content) - 8 - size)
    groups = _structs(footer.get(4, []))
    rows = [_whole(group, 3) for group in groups]
    if max(sum(rows), _whole(footer, 3)) > bounds.rows:
        raise BoundError(_above(max(sum(rows), _whole(footer, 3)), bounds.rows, "rows", bounds))
    memory, left = 0, len(content)
    for group in groups:
        columns = _structs(group.get(1, []))
        if len(columns) > _MOST_COLUMNS:
            raise BoundError(f"it has {len(columns):,} columns, at most {_MOST_COLUMNS:,} are read")
        for column in columns:
            facts = column.get(3)
            if not isinstance(facts, dict) or 1 in column:  # field 1 names another file
                raise BoundError("a column has no place in the file")
            left -= _whole(facts, 7)
            if left < 0:  # otherwise many columns could name the same pages, and each would be decoded again
                raise BoundError("its columns have more bytes than the file")
            memory += _one_record(facts) if bounds.rows == 1 else _many_records(content, facts)
            if memory > bounds.memory:
                raise BoundError(_above(memory, bounds.memory, "bytes or more when decoded", bounds))


def _one_record(facts: dict[int, Any]) -> int:
    """The decoded bytes of a column of one row, as the footer says. The codec bounds it, whatever that is."""
    if _whole(facts, 4) not in _RECORD_CODECS:
        raise BoundError(f"it is compressed in another way than {' or '.join(_RECORD_CODECS.values())}")
    return _whole(facts, 6)


def _many_records(content: bytes, facts: dict[int, Any]) -> int:
    """The decoded bytes of a column of many rows, from the headers of its pages."""
    start = _whole(facts, 9)
    end = start + _whole(facts, 7)
    if facts.get(11) or end > len(content):  # field 11 is the place of a dictionary
        raise BoundError("its columns are not laid out as this package writes them")
    return sum(_page_bytes(content, start, end))


def _page_bytes(content: bytes, start: int, end: int) -> Iterator[int]:
    """The bytes of each page of a column when decoded: its own, and 9 for each value, also for an absent one."""
    while start < end:
        page, start = read_struct(content, start)
        (data,) = _structs([page.get(5, page.get(8))])  # the two versions of data pages
        if _whole(data, 2 if 5 in page else 4) not in _ENCODINGS or 7 in page:  # field 7: a dictionary
            raise BoundError("its pages are not encoded as this package writes them")
        yield _whole(page, 2) + 9 * _whole(data, 1)
        start += _whole(page, 3)


def _structs(found: Any) -> list[dict[int, Any]]:
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise BoundError("its footer is not that of a Parquet file")
    return found


def _whole(struct: dict[int, Any], field: int) -> int:
    """A required number that is not negative."""
    value = struct.get(field)
    if not isinstance(value, int) or value < 0:
        raise BoundError("its footer or a page has no valid size")
    return value


def _above(value: int, most: int, unit: str, bounds: Bounds) -> str:
    return f"it has {value:,} {unit}, at most {most:,} are read{bounds.raised_by}"
