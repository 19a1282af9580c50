"""The content of the store's Parquet files: one record, or many in one compacted file.

The store's reader, compaction and merge use it. Each row is stored with a digest, and the name of a compacted file
contains a hash of its content. So every damage to a file is detected.
"""

import hashlib
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainables.store.files import DamagedRecordError, StoreError
from trainables.store.parquet_bounds import RECORD, Bounds, compacted_bounds, open_parquet
from trainables.store.row_check import faults_of
from trainables.store.schema import SCHEMA_VERSION, record_schema

_DIGEST, _FIRST_DIGEST, _VERSION = b"record_digest", b"row_digest", b"schema_version"

COMPACTED_NAME = re.compile(r"records/compact-(?P<rows>[0-9]{1,12})-(?P<digest>[0-9a-f]{32})\.parquet")

_DIGEST_COLUMN, _REPLACES = "record_digest", b"replaces"
_IDENTITY = ("trial_id", "attempt", _DIGEST_COLUMN)

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
    table: pa.Table  # in the current schema, without the rows in `faults`
    digests: tuple[str, ...]  # the digest with which each row was first written, as the file says
    replaces: frozenset[str]  # names of compacted files whose rows are all in this one, as the file says
    known: bool = True  # whether this version knows every column of the file
    faults: Mapping[int, str] = field(
        default_factory=dict
    )  # rows of the file that do not count, with the reason
    contained: dict[str, bool] = field(
        default_factory=dict
    )  # what `contains` found, by the other file's name

    @cached_property
    def keys(self) -> dict[Key, int]:
        """The row index of each record."""
        columns = (self.table[name].to_pylist() for name in ("trial_id", "attempt"))
        return {key: row for row, key in enumerate(zip(*columns, strict=True))}

    def rows_as_written(self, rows: Sequence[int] | None = None) -> bool:
        """Whether all rows, or these, have the digest with which they were first written. Slow: 0.1 ms for each."""
        if rows is None:
            return record_digests(self.table) == list(self.digests)
        found = record_digests(self.table.take(pa.array(rows, pa.int64())))
        return found == [self.digests[row] for row in rows]

    def contains(self, other: Mapping[Key, str]) -> bool:
        """Whether all these records, each with its digest, are in this file as it says."""
        rows = ((self.keys.get(key), digest) for key, digest in other.items())
        return all(row is not None and self.digests[row] == digest for row, digest in rows)


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


def decode_record(content: bytes | DamagedRecordError, name: str) -> DecodedRecord:
    """Read a record file, or raise the error that reading its bytes gave.

    Raises `DamagedRecordError` if the file is truncated or changed, exceeds a bound, fails the check of rows, or if
    its name belongs to another record, and `StoreError` if a newer version of this package wrote the file.
    """
    if isinstance(content, DamagedRecordError):
        raise content
    table = parse(content, name, RECORD)
    check_version(table, name)
    digest = _checked_digest(table, name)
    conformed = conform(table, name)
    if fault := faults_of(conformed).get(0):
        raise DamagedRecordError(f"{name}: {fault}")
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
    """Read a compacted file. Rows that fail the check are left out and listed in the result's `faults`.

    The digests of rows are not compared with the rows, which takes 0.1 ms for each. The name already shows that the
    file is what its writer wrote, and whoever writes a false row can also write its digest. A false digest could
    only make this file pass for one that has the records of another, so digests are compared before a file is
    removed, and before a row is copied to another store or joined.

    Raises `DamagedRecordError` if the file as a whole cannot be used: its content does not match the hash and the
    number of rows in its name, or it exceeds a bound. Raises `StoreError` if a newer version of this package wrote
    the file.
    """
    table = _parse_compacted(content, name)
    check_version(table, name)
    unknown = set(table.column_names) - {_DIGEST_COLUMN} - set(schema().names)
    conformed, digests = conform(table, name), _digest_column(table, name)
    faults = _row_faults(conformed, digests)
    if faults:
        rows = pa.array([row for row in range(len(digests)) if row not in faults], pa.int64())
        conformed, digests = conformed.take(rows), digests.take(rows)
    return CompactedFile(
        name=name,
        table=conformed,
        digests=tuple(digests.to_pylist()),
        replaces=_replaced_names(table),
        known=not unknown,
        faults=faults,
    )


def compacted_digests(content: bytes, name: str) -> dict[Key, str] | None:
    """The digest of each record in a compacted file by its key; None if some row has none. Reads three columns.

    Raises as `decode_compacted` does.
    """
    table = _parse_compacted(content, name, _IDENTITY)
    try:
        columns = [table[column].to_pylist() for column in _IDENTITY]
    except (KeyError, ValueError):  # an absent column, or text that is not UTF-8
        return None
    found = {(trial_id, attempt): digest for trial_id, attempt, digest in zip(*columns, strict=True)}
    return found if len(found) == table.num_rows else None


def _parse_compacted(content: bytes, name: str, columns: Sequence[str] | None = None) -> pa.Table:
    match = COMPACTED_NAME.fullmatch(name)
    if match is None or _content_hash(content) != match["digest"]:
        raise DamagedRecordError(f"{name}: its content is not what was written")
    table = parse(content, name, compacted_bounds(), columns)
    if table.num_rows != int(match["rows"]):
        raise DamagedRecordError(f"{name}: it has {table.num_rows} rows, its name says {match['rows']}")
    return table


def _digest_column(table: pa.Table, name: str) -> pa.ChunkedArray:
    if _DIGEST_COLUMN not in table.column_names or table[_DIGEST_COLUMN].type != pa.string():
        raise DamagedRecordError(f"{name}: column {_DIGEST_COLUMN} of text is absent")
    return table[_DIGEST_COLUMN]


def _replaced_names(table: pa.Table) -> frozenset[str]:
    names = (table.schema.metadata or {}).get(_REPLACES, b"").decode(errors="replace").split()
    return frozenset(name for name in names if COMPACTED_NAME.fullmatch(name))


def _row_faults(table: pa.Table, digests: pa.ChunkedArray) -> dict[int, str]:
    """The rows of a compacted file that do not count: those that fail the check, have no digest, or come twice."""
    faults = faults_of(table)
    sound = pc.fill_null(pc.match_substring_regex(digests, r"\A[0-9a-f]{32}\z"), False)
    for row in pc.indices_nonzero(pc.invert(sound)).to_pylist():
        faults.setdefault(row, f"{_DIGEST_COLUMN} is no digest")
    if len(faults) == table.num_rows:
        return faults
    if table.group_by(["trial_id", "attempt"]).aggregate([]).num_rows < table.num_rows:
        first: dict[Any, int] = {}
        for row, key in enumerate(_keys(table, faults)):
            if key is not None and first.setdefault(key, row) != row:
                faults[row] = f"trial_id and attempt are those of row {first[key]}"
    return faults


def _keys(table: pa.Table, faults: Collection[int]) -> Iterator[Key | None]:
    """The key of each row, None for those in `faults`."""
    attempts = table["attempt"].to_pylist()
    for row in range(table.num_rows):
        yield None if row in faults else (table["trial_id"][row].as_py(), attempts[row])


def claimed_digest(content: bytes) -> str | None:
    """The digest in the metadata of a record file, or None. The rows are neither read nor checked."""
    try:
        return (pq.read_metadata(pa.BufferReader(content)).metadata or {}).get(_DIGEST, b"").decode() or None
    except (OSError, ValueError, pa.ArrowException):
        return None


def parse(content: bytes, name: str, bounds: Bounds, columns: Sequence[str] | None = None) -> pa.Table:
    """The table in the bytes of a Parquet file, or some of its columns.

    Raises `DamagedRecordError` if they cannot be read or exceed the bounds.
    """
    try:
        file = open_parquet(content, bounds)
        return file.read(columns=columns, use_threads=False)
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise DamagedRecordError(f"{name}: {(str(error).splitlines() or ['unreadable'])[0]}") from error


def check_version(table: pa.Table, name: str) -> None:
    """Raise `StoreError` if a newer version of this package wrote the table, `DamagedRecordError` for no version."""
    version = (table.schema.metadata or {}).get(_VERSION, b"0").decode(errors="replace")
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
    if len(set(table.column_names)) < table.num_columns:
        raise DamagedRecordError(f"{name}: two columns have the same name")
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
