"""The content of the store's Parquet files: one record, or many in one compacted file.

The store's reader, compaction and merge use it. Each row is stored with a digest, and the name of a compacted file
contains a hash of its content. So every damage to a file is detected.
"""

import hashlib
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.store.files import DamagedRecordError, StoreError
from trainables.store.schema import SCHEMA_VERSION, record_schema

_DIGEST, _FIRST_DIGEST, _VERSION = b"record_digest", b"row_digest", b"schema_version"

COMPACTED_NAME = re.compile(r"records/compact-(?P<rows>\d+)-(?P<digest>[0-9a-f]{32})\.parquet")

_DIGEST_COLUMN, _REPLACES = "record_digest", b"replaces"

#: The key of a record: trial id and attempt.
Key = tuple[str, int]

schema = cache(record_schema)  # building it costs more than reading a file


@dataclass(frozen=True, kw_only=True)
class DecodedRecord:
    """The content of a valid record file."""

    table: pa.Table  # one row, in the current schema
    digest: str  # of the row as it was written


@dataclass(frozen=True, kw_only=True)
class CompactedFile:
    """The content of a valid compacted file."""

    name: str
    table: pa.Table  # in the current schema
    digests: tuple[str, ...]  # the digest with which each row was first written
    replaces: frozenset[str]  # names of compacted files whose rows are all in this one
    known: bool = True  # whether this version knows every column of the file

    @cached_property
    def keys(self) -> dict[Key, int]:
        """The row index of each record."""
        columns = (self.table[name].to_pylist() for name in ("trial_id", "attempt"))
        return {key: row for row, key in enumerate(zip(*columns, strict=True))}

    def rows_as_written(self) -> bool:
        """Whether each row still has the digest with which it was first written. Slow: 0.1 ms for each row."""
        return record_digests(self.table) == list(self.digests)


def record_digests(table: pa.Table) -> list[str]:
    """A hash of each row's column names and values that are not null, so that new columns do not change the hash."""
    return [_hash(row) for row in _with_plain_times(table).to_pylist()]


def _hash(row: Mapping[str, Any]) -> str:
    present = {name: value for name, value in row.items() if value is not None}
    text = json.dumps(present, sort_keys=True, default=repr)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def _with_plain_times(table: pa.Table) -> pa.Table:
    """The table with times as integers. Python objects would depend on library versions, and would import pandas."""
    for index, column in enumerate(table.schema):
        if pa.types.is_timestamp(column.type):
            table = table.set_column(index, column.name, table[column.name].cast(pa.int64()))
    return table


def encode_row(table: pa.Table) -> bytes:
    """The content of a record file with this row."""
    (digest,) = record_digests(table)
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _DIGEST: digest.encode()})
    sink = pa.BufferOutputStream()
    # In a file of one row, statistics and dictionaries would take most of the space. Checksums detect damage.
    pq.write_table(table, sink, write_statistics=False, use_dictionary=False, write_page_checksum=True)
    return sink.getvalue().to_pybytes()


def decode_record(content: bytes, name: str) -> DecodedRecord:
    """Read a record file.

    Raises `DamagedRecordError` if the file is truncated or changed, or if its name belongs to another record, and
    `StoreError` if a newer version of this package wrote the file.
    """
    table = parse(content, name)
    check_version(table, name)
    digest = _checked_digest(table, name)
    conformed = conform(table, name)
    if f"{conformed['trial_id'][0]}.{conformed['attempt'][0]}.parquet" != name.rpartition("/")[2]:
        raise DamagedRecordError(f"{name}: contains another trial than its name says")
    return DecodedRecord(table=conformed, digest=digest)


def encode_compacted(table: pa.Table, digests: Sequence[str], replaces: Collection[str]) -> tuple[str, bytes]:
    """The name and the content of a compacted file with these rows, which replaces the files `replaces`."""
    table = table.append_column(_DIGEST_COLUMN, pa.array(list(digests), pa.string()))
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _REPLACES: " ".join(sorted(replaces)).encode()}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, use_dictionary=False)
    content = sink.getvalue().to_pybytes()
    return f"records/compact-{table.num_rows}-{_content_hash(content)}.parquet", content


def decode_compacted(content: bytes, name: str) -> CompactedFile:
    """Read a compacted file.

    Raises `DamagedRecordError` if its content does not match the hash in its name, and `StoreError` if a newer
    version of this package wrote the file.
    """
    match = COMPACTED_NAME.fullmatch(name)
    if match is None or _content_hash(content) != match["digest"]:
        raise DamagedRecordError(f"{name}: its content is not what was written")
    table = parse(content, name)
    check_version(table, name)
    names = set(table.column_names) - {_DIGEST_COLUMN}
    return CompactedFile(
        name=name,
        table=conform(table, name),
        digests=tuple(table[_DIGEST_COLUMN].to_pylist()),
        replaces=frozenset((table.schema.metadata or {})[_REPLACES].decode().split()),
        known=names <= set(schema().names),
    )


def claimed_digest(content: bytes) -> str | None:
    """The digest in the metadata of a record file, or None. The rows are neither read nor checked."""
    try:
        return (pq.read_metadata(pa.BufferReader(content)).metadata or {}).get(_DIGEST, b"").decode() or None
    except MemoryError:  # also an error of pyarrow
        raise
    except (OSError, ValueError, pa.ArrowException):
        return None


def parse(content: bytes, name: str) -> pa.Table:
    """The table in the bytes of a Parquet file. Raises `DamagedRecordError` if they cannot be read."""
    try:
        file = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        return file.read(use_threads=False)
    except MemoryError:  # also an error of pyarrow, but the file is not damaged
        raise
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise DamagedRecordError(f"{name}: {(str(error).splitlines() or ['unreadable'])[0]}") from error


def check_version(table: pa.Table, name: str) -> None:
    """Raise `StoreError` if a newer version of this package wrote the table, `DamagedRecordError` for no version."""
    version = (table.schema.metadata or {}).get(_VERSION, b"0").decode(errors="replace")
    if not version.isdecimal():
        raise DamagedRecordError(f"{name}: has schema version {version!r}")
    if int(version) > SCHEMA_VERSION:
        raise StoreError(
            f"store: {name} has schema version {version}, this package reads up to {SCHEMA_VERSION}; "
            "upgrade the package"
        )


def conform(table: pa.Table, name: str) -> pa.Table:
    """The table in the current schema: columns that the file does not have are null, unknown columns are left out.

    Raises `DamagedRecordError` if a required column is absent, or if a column has an incompatible type.
    """
    same = table.schema.equals(schema())
    columns = table.columns if same else [_column(table, column, name) for column in schema()]
    return pa.Table.from_arrays(columns, schema=schema())


def _column(table: pa.Table, column: pa.Field, name: str) -> pa.ChunkedArray:
    if column.name not in table.column_names:
        if column.nullable:
            return pa.chunked_array([pa.nulls(table.num_rows, column.type)])
        raise DamagedRecordError(f"{name}: column {column.name} is absent")
    values = table[column.name]
    if values.type == column.type:
        return values
    try:
        return values.cast(column.type)
    except pa.ArrowException as error:
        raise DamagedRecordError(
            f"{name}: column {column.name} has type {values.type}, not {column.type}"
        ) from error


def _checked_digest(table: pa.Table, name: str) -> str:
    """The digest of a record's row. Raises `DamagedRecordError` if it is not the digest in the metadata.

    Parquet's checksums do not cover headers and footer, where a flipped bit can change a number.
    """
    if table.num_rows != 1:
        raise DamagedRecordError(f"{name}: {table.num_rows} rows where one is expected")
    try:
        (digest,) = record_digests(table)
        if _is_as_written(table, digest):
            return digest
    except (ValueError, OverflowError, pa.ArrowException) as error:  # invalid UTF-8 is detected only here
        raise DamagedRecordError(f"{name}: {(str(error).splitlines() or ['unreadable'])[0]}") from error
    raise DamagedRecordError(f"{name}: its content is not what was written")


def _is_as_written(table: pa.Table, digest: str) -> bool:
    metadata = table.schema.metadata or {}
    if _DIGEST in metadata:
        return bool(metadata[_DIGEST] == digest.encode())
    return bool(metadata.get(_FIRST_DIGEST) == _first_digest(table))


def _first_digest(table: pa.Table) -> bytes:
    """The digest in the format of the first version of this package."""
    version = (table.schema.metadata or {}).get(_VERSION)
    return hashlib.blake2b(repr((version, table.to_pylist())).encode(), digest_size=10).hexdigest().encode()


def _content_hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
