"""Many records in one Parquet file that is named by its own content, so that no damage to it can go unseen."""

import hashlib
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.store.errors import DamagedRecordError
from trainables.store.record_file import check_version, conform, parse, record_digests, schema

COMPACTED_NAME = re.compile(r"records/compact-(?P<rows>\d+)-(?P<digest>[0-9a-f]{32})\.parquet")

_DIGEST_COLUMN, _REPLACES = "record_digest", b"replaces"

#: A record among others: trial id and attempt.
Key = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class CompactedFile:
    """A compacted file that was read whole."""

    name: str
    table: pa.Table  # in today's schema
    digests: tuple[str, ...]  # of each row, as it was first written
    replaces: frozenset[str]  # names of compacted files whose rows are all in this one
    known: bool = True  # whether this version knows every column that it has

    @cached_property
    def keys(self) -> dict[Key, int]:
        """Row of each record."""
        columns = (self.table[name].to_pylist() for name in ("trial_id", "attempt"))
        return {key: row for row, key in enumerate(zip(*columns, strict=True))}

    def rows_as_written(self) -> bool:
        """Whether each row still has the digest that it was first written with. Slow: 0.1 ms a row."""
        return record_digests(self.table) == list(self.digests)


def encode_compacted(table: pa.Table, digests: Sequence[str], replaces: Collection[str]) -> tuple[str, bytes]:
    """Name and content of the compacted file of these rows."""
    table = table.append_column(_DIGEST_COLUMN, pa.array(list(digests), pa.string()))
    table = table.replace_schema_metadata(
        {**(table.schema.metadata or {}), _REPLACES: " ".join(sorted(replaces)).encode()}
    )
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd", write_statistics=False, use_dictionary=False)
    content = sink.getvalue().to_pybytes()
    return f"records/compact-{table.num_rows}-{_hash(content)}.parquet", content


def decode_compacted(content: bytes, name: str) -> CompactedFile:
    """Read a compacted file. Raises `DamagedRecordError` when its content is not what its name says, and
    `StoreError` when a newer version of this package wrote it."""
    match = COMPACTED_NAME.fullmatch(name)
    if match is None or _hash(content) != match["digest"]:
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


def _hash(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()
