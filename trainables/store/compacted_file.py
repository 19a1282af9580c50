"""The content of a compacted file: many records in one Parquet file.

The store's reader and compaction use it. Each row is stored with a digest, and the name of the file contains a hash
of its content. So every damage to a file is detected.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainables.store.files import DamagedRecordError
from trainables.store.parquet_bounds import compacted_bounds
from trainables.store.record_file import VERSION, Key, check_version, conform, parse, record_digests
from trainables.store.row_check import faults_of
from trainables.store.row_text import array_of, content_hash, take_rows
from trainables.store.schema import record_schema

COMPACTED_NAME = re.compile(r"records/compact-(?P<rows>[0-9]{1,12})-(?P<digest>[0-9a-f]{32})\.parquet")

_DIGEST_COLUMN, _REPLACES = "record_digest", b"replaces"
_IDENTITY = ("trial_id", "attempt", _DIGEST_COLUMN)


@dataclass(frozen=True, kw_only=True)
class CompactedFile:
    """The content of a valid compacted file."""

    name: str
    table: pa.Table  # in the current schema, without the rows in `faults`
    digests: tuple[str, ...]  # the digest with which each row was first written, as the file says
    replaces: frozenset[str]  # names of compacted files whose rows are all in this one, as the file says
    known: bool = True  # whether this version knows every column of the file
    #: Rows of the file that do not count, with the reason.
    faults: Mapping[int, str] = field(default_factory=dict)
    #: What `contains` found, by the other file's name.
    contained: dict[str, bool] = field(default_factory=dict)

    @cached_property
    def keys(self) -> dict[Key, int]:
        """The row index of each record."""
        columns = (self.table[name].to_pylist() for name in ("trial_id", "attempt"))
        return {key: row for row, key in enumerate(zip(*columns, strict=True))}

    def rows_as_written(self, rows: Sequence[int] | None = None) -> bool:
        """Whether all rows, or these, have the digest with which they were first written. Slow: 0.1 ms for each."""
        if rows is None:
            return record_digests(self.table) == list(self.digests)
        found = record_digests(take_rows(self.table, rows))
        return found == [self.digests[row] for row in rows]

    def contains(self, other: Mapping[Key, str]) -> bool:
        """Whether all these records, each with its digest, are in this file as it says."""
        rows = ((self.keys.get(key), digest) for key, digest in other.items())
        return all(row is not None and self.digests[row] == digest for row, digest in rows)


def encode_compacted(table: pa.Table, digests: Sequence[str], replaces: Collection[str]) -> tuple[str, bytes]:
    """The name and the content of a compacted file with these rows, which replaces the files `replaces`."""
    table = table.append_column(_DIGEST_COLUMN, pa.array(list(digests), pa.string()))
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _REPLACES: " ".join(sorted(replaces)).encode()}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, use_dictionary=False)
    content = sink.getvalue().to_pybytes()
    return f"records/compact-{table.num_rows}-{content_hash(content)}.parquet", content


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
    check_version((table.schema.metadata or {}).get(VERSION), name)
    unknown = set(table.column_names) - {_DIGEST_COLUMN} - set(record_schema().names)
    conformed, digests = conform(table, name), _digest_column(table, name)
    faults = _row_faults(conformed, digests)
    if faults:
        rows = array_of([row for row in range(len(digests)) if row not in faults], pa.int64())
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
    if match is None or content_hash(content) != match["digest"]:
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
    sound = pc.match_substring_regex(digests, r"\A[0-9a-f]{32}\z")
    for row in pc.indices_nonzero(pc.or_kleene(pc.is_null(sound), pc.invert(sound))).to_pylist():
        faults.setdefault(row, f"{_DIGEST_COLUMN} is no digest")
    if len(faults) == table.num_rows:
        return faults
    # Not by `group_by`, which imports pandas.
    attempts, dot = table["attempt"].cast(pa.string()), array_of(["."], pa.string())[0]
    if len(pc.unique(pc.binary_join_element_wise(table["trial_id"], attempts, dot))) < table.num_rows:
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
