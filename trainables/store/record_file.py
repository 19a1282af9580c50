"""The content of a single record file, and the parts of reading that compacted files share with it.

The store's reader, compaction and merge use it. The row is stored with a digest, and the file contains a hash of its
other bytes. So every damage to a file is detected.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.store.files import DamagedRecordError, StoreError
from trainables.store.parquet_bounds import RECORD, Bounds, open_parquet
from trainables.store.row_check import faults_of
from trainables.store.row_text import content_hash, digest_of, row_of, texts_of
from trainables.store.schema import SCHEMA_VERSION, record_schema
from trainables.suggestion import first_line

_DIGEST, _FIRST_DIGEST = b"record_digest", b"row_digest"

#: The schema version in the metadata of every file.
VERSION = b"schema_version"

#: The row's text, and the hash of all other bytes of the file.
_TEXT, _FILE_HASH = b"record_row", b"file_hash"

_HASH_LENGTH = 32

#: The key of a record: trial id and attempt.
Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class DecodedRecord:
    """The content of a valid record file."""

    table: pa.Table  # one row, in the current schema
    digest: str  # of the row as it was written


@dataclass(frozen=True, kw_only=True)
class RecordText:
    """The text of a valid record file."""

    row: Mapping[str, Any]  # the values that are not null, by column
    digest: str


def record_digests(table: pa.Table) -> list[str]:
    """A hash of each row's column names and values that are not null, so that new columns do not change the hash."""
    return [digest_of(text) for text in texts_of(table)]


def encode_row(table: pa.Table) -> bytes:
    """The content of a record file with this row: its columns, and its text, which our own readers use.

    Other programs and older versions of this package read the columns. Units of columns are left out, because the
    Arrow schema that contains them would double the size of the file.
    """
    (text,) = texts_of(table)
    sink = pa.BufferOutputStream()
    # In a file of one row, statistics and dictionaries would take most of the space.
    options = {
        "write_statistics": False,
        "use_dictionary": False,
        "compression": "none",
        "store_schema": False,
    }
    with pq.ParquetWriter(sink, table.schema, **options) as writer:
        metadata = {_DIGEST: digest_of(text), _TEXT: text, _FILE_HASH: "0" * _HASH_LENGTH}
        writer.add_key_value_metadata({**(table.schema.metadata or {}), **metadata})
        writer.write_table(table)
    content = sink.getvalue().to_pybytes()
    found = _metadata_place(content, _FILE_HASH)
    assert found is not None
    return content[: found.start] + _hash_around(content, found).encode() + content[found.stop :]


def _metadata_place(content: bytes, key: bytes) -> slice | None:
    """The place of a text in the metadata of a Parquet file, without a look at the columns; None if it is not found.

    In the footer, which is in Thrift's compact protocol, a text is its type and field, 0x18, its length in groups of
    seven bits, and its bytes. Parsing the whole footer takes 20 times as long as reading the text in it.
    """
    size = int.from_bytes(content[-8:-4], "little")
    start = content.rfind(bytes([0x18, len(key)]) + key + b"\x18", max(0, len(content) - 8 - size))
    if start < 0:
        return None
    position, length, shift = start + len(key) + 3, 0, 0
    while shift < 35 and position < len(content):
        byte = content[position]
        length |= (byte & 0x7F) << shift
        position, shift = position + 1, shift + 7
        if byte < 0x80:
            return slice(position, position + length)
    return None


def _hash_around(content: bytes, place: slice) -> str:
    """The hash of all bytes before and after a place."""
    return content_hash(content[: place.start] + content[place.stop :])


def decode_record(content: bytes, name: str) -> DecodedRecord:
    """Read the columns of a record file, and check that its text, if it has one, contains the same row.

    Raises `DamagedRecordError` if the file is truncated or changed, exceeds a bound, fails the check of rows, or if
    its name belongs to another record, and `StoreError` if a newer version of this package wrote the file.
    """
    table = parse(content, name, RECORD)
    check_version((table.schema.metadata or {}).get(VERSION), name)
    digest = _checked_digest(table, name)
    conformed = conform(table, name)
    if fault := faults_of(conformed).get(0):
        raise DamagedRecordError(f"{name}: {fault}")
    _check_name(conformed["trial_id"][0], conformed["attempt"][0], name)
    text = read_text(content, name)
    if text is not None and text.digest != digest:
        raise DamagedRecordError(f"{name}: its text and its columns are of different records")
    return DecodedRecord(table=conformed, digest=digest)


def read_text(content: bytes | DamagedRecordError, name: str) -> RecordText | None:
    """Read the text of a record file, without its columns; None for a file of an older form, which has no text.

    The file's hash covers the columns, so damage to them is found too. Raises errors as `decode_record` does, but
    does not check the values.
    """
    if isinstance(content, DamagedRecordError):
        raise content
    text, file_hash = _metadata_place(content, _TEXT), _metadata_place(content, _FILE_HASH)
    digest, version = _metadata_place(content, _DIGEST), _metadata_place(content, VERSION)
    if not (text and file_hash and digest):
        return None
    written = content[digest].decode(errors="replace")
    if content[file_hash] != _hash_around(content, file_hash).encode() or digest_of(content[text]) != written:
        raise DamagedRecordError(f"{name}: its content is not what was written")
    check_version(content[version] if version else None, name)
    try:
        row = row_of(content[text])
    except ValueError as error:
        raise DamagedRecordError(f"{name}: its text is no row ({error})") from error
    _check_name(row.get("trial_id"), row.get("attempt"), name)
    return RecordText(row=row, digest=written)


def _check_name(trial_id: object, attempt: object, name: str) -> None:
    if f"{trial_id}.{attempt}.parquet" != name.rpartition("/")[2]:
        raise DamagedRecordError(f"{name}: contains another trial than its name says")


def claimed_digest(content: bytes) -> str | None:
    """The digest in the metadata of a record file, or None. The rows are neither read nor checked."""
    if place := _metadata_place(content, _DIGEST):
        return content[place].decode(errors="replace")
    try:
        return (pq.read_metadata(pa.BufferReader(content)).metadata or {}).get(_DIGEST, b"").decode() or None
    except MemoryError:  # also an error of pyarrow
        raise
    except (OSError, ValueError, pa.ArrowException):
        return None


def parse(content: bytes, name: str, bounds: Bounds, columns: Sequence[str] | None = None) -> pa.Table:
    """The table in the bytes of a Parquet file, or some of its columns.

    Raises `DamagedRecordError` if they cannot be read or exceed the bounds.
    """
    try:
        file = open_parquet(content, bounds)
        return file.read(columns=columns, use_threads=False)
    except MemoryError:  # also an error of pyarrow, but the file is not damaged
        raise
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise DamagedRecordError(f"{name}: {first_line(error)}") from error


def check_version(written: bytes | None, name: str) -> None:
    """Raise `StoreError` for a schema version of a newer package, `DamagedRecordError` for one that is no number."""
    version = (written or b"0").decode(errors="replace")
    if not (version.isdecimal() and len(version) < 10):
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
    present = dict(zip(table.column_names, table.columns, strict=True))
    if len(present) < table.num_columns:
        raise DamagedRecordError(f"{name}: two columns have the same name")
    columns = [_column(present.get(column.name), column, table.num_rows, name) for column in record_schema()]
    return pa.Table.from_arrays(columns, schema=record_schema())


def _column(values: pa.ChunkedArray | None, column: pa.Field, rows: int, name: str) -> pa.ChunkedArray:
    if values is None:
        if column.nullable:
            return pa.chunked_array([pa.nulls(rows, column.type)])
        raise DamagedRecordError(f"{name}: column {column.name} is absent")
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
        raise DamagedRecordError(f"{name}: {first_line(error)}") from error
    raise DamagedRecordError(f"{name}: its content is not what was written")


def _is_as_written(table: pa.Table, digest: str) -> bool:
    metadata = table.schema.metadata or {}
    if _DIGEST in metadata:
        return bool(metadata[_DIGEST] == digest.encode())
    return bool(metadata.get(_FIRST_DIGEST) == _first_digest(table))


def _first_digest(table: pa.Table) -> bytes:
    """The digest in the format of the first version of this package."""
    version = (table.schema.metadata or {}).get(VERSION)
    return hashlib.blake2b(repr((version, table.to_pylist())).encode(), digest_size=10).hexdigest().encode()
