"""The record store: one immutable Parquet file an attempt, the single source of truth of every study.

Layout: `<store>/records/<trial_id>.<attempt>.parquet`. A record is written to a temporary file, flushed to disk
and then linked to its name, which fails when the name is taken; a rename would overwrite. Readers thus see whole
records or none, and no attempt is ever lost to another writer. This module imports no torch.
"""

import hashlib
import os
import re
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.schema import SCHEMA_VERSION, Status, TrialRecord, record_schema, record_to_table

_DIGEST, _VERSION = b"row_digest", b"schema_version"

_FILE_NAME = re.compile(r"(?P<trial_id>[0-9a-f]{8,64})\.(?P<attempt>\d+)\.parquet")


class StoreError(ValueError):
    """The store cannot be used: not writable, or written by a newer version of this package."""


class RecordExistsError(StoreError):
    """Another writer has put this attempt already; theirs stands."""


class DamagedRecordError(ValueError):
    """A record file that cannot be read back whole."""


@dataclass(frozen=True, kw_only=True)
class RecordSet:
    """The latest valid attempt of every trial, and the files that could not be read."""

    table: pa.Table  # one row a trial, in the record schema, ordered by trial_id
    damaged: tuple[Path, ...]

    def statuses(self) -> dict[str, Status]:
        """Status of each recorded trial by trial id."""
        columns = self.table.select(["trial_id", "status"]).to_pydict()
        return {key: Status(value) for key, value in zip(columns["trial_id"], columns["status"], strict=True)}


@dataclass(frozen=True)
class RecordStore:
    """Records under `<path>/records`. Reading a store that does not exist gives no records."""

    path: Path

    @property
    def records_dir(self) -> Path:
        return self.path / "records"

    def prepare(self) -> None:
        """Create the store and prove that it can be written. Raises `StoreError` otherwise."""
        try:
            self.records_dir.mkdir(parents=True, exist_ok=True)
            probe = self.records_dir / f".tmp-{uuid.uuid4().hex}"
            linked = probe.with_name(f"{probe.name}-linked")
            probe.touch(exist_ok=False)
            os.link(probe, linked)  # what `put` needs, and what some network file systems lack
            linked.unlink()
            probe.unlink()
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(
                f"store: cannot write to {self.path} ({reason}); choose another with --store"
            ) from error

    def put(self, record: TrialRecord) -> Path:
        """Write a record under its name, whole or not at all. Raises `RecordExistsError` when the name is taken."""
        final = self.records_dir / f"{record.trial_id}.{record.attempt}.parquet"
        temporary = self.records_dir / f".tmp-{uuid.uuid4().hex}"
        self.records_dir.mkdir(parents=True, exist_ok=True)
        try:
            _write_durably(record_to_table(record), temporary)
            os.link(temporary, final)
        except FileExistsError as error:
            raise RecordExistsError(f"store: {final.name} exists already") from error
        finally:
            temporary.unlink(missing_ok=True)
        flush_directory(self.records_dir)
        return final

    def next_attempts(self) -> dict[str, int]:
        """By trial id, the number after the highest attempt on disk, damaged ones included."""
        attempts: dict[str, int] = {}
        for trial_id, attempt, _ in self._files():
            attempts[trial_id] = max(attempts.get(trial_id, 0), attempt + 1)
        return attempts

    def read(self, only: set[str] | None = None) -> RecordSet:
        """The latest valid attempt of every trial (of those in `only`, if given)."""
        by_trial: dict[str, list[tuple[int, Path]]] = {}
        for trial_id, attempt, path in self._files():
            if only is None or trial_id in only:
                by_trial.setdefault(trial_id, []).append((attempt, path))
        tables, damaged = [], []
        for _, attempts in sorted(by_trial.items()):
            for _, path in sorted(attempts, reverse=True):
                try:
                    tables.append(read_record(path))
                    break
                except DamagedRecordError:
                    damaged.append(path)
        table = pa.concat_tables(tables) if tables else record_schema().empty_table()
        return RecordSet(table=table.combine_chunks(), damaged=tuple(damaged))

    def set_aside(self, damaged: Path) -> Path:
        """Move a damaged file to `<store>/damaged`, where nothing reads it, and return its new place."""
        aside = self.path / "damaged"
        aside.mkdir(exist_ok=True)
        target = aside / f"{damaged.name}.{uuid.uuid4().hex[:8]}"
        damaged.rename(target)
        return target

    def _files(self) -> Iterator[tuple[str, int, Path]]:
        try:
            names = sorted(os.listdir(self.records_dir))
        except FileNotFoundError:
            return
        except OSError as error:
            reason = error.strerror or error
            raise StoreError(
                f"store: cannot read {self.path} ({reason}); choose another with --store"
            ) from error
        for name in names:
            if match := _FILE_NAME.fullmatch(name):
                yield match["trial_id"], int(match["attempt"]), self.records_dir / name


def read_record(path: Path) -> pa.Table:
    """One record file as a table of one row in today's schema.

    Raises `DamagedRecordError` when the file is cut short, altered, or not the record its name says, and
    `StoreError` when it cannot be opened or a newer version of this package wrote it.
    """
    try:
        content = path.read_bytes()
    except OSError as error:  # too many open files, a stale mount: no damage, and no reason to set it aside
        raise StoreError(f"store: cannot read {path.name} ({error.strerror})") from error
    table = _parse(content, path)
    if (table.schema.metadata or {}).get(_DIGEST) != _digest(table):
        raise DamagedRecordError(f"{path.name}: its content is not what was written")
    version = int((table.schema.metadata or {}).get(_VERSION, b"0"))
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"store: {path.name} has schema version {version}, this package reads up to {SCHEMA_VERSION}; "
            "upgrade the package"
        )
    table = _conform(table, path)
    if f"{table['trial_id'][0]}.{table['attempt'][0]}.parquet" != path.name:
        raise DamagedRecordError(f"{path.name}: holds another trial than its name says")
    return table


def _parse(content: bytes, path: Path) -> pa.Table:
    try:
        table = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True).read()
        table.to_pylist()  # text that is no UTF-8 shows only now
        return table
    except (OSError, ValueError, OverflowError, pa.ArrowException) as error:
        raise DamagedRecordError(f"{path.name}: {(str(error).splitlines() or ['unreadable'])[0]}") from error


def _digest(table: pa.Table) -> bytes:
    """Hash of schema version, names and values. Parquet's checksums leave out headers and footer, where a flipped
    bit can turn a number into another."""
    version = (table.schema.metadata or {}).get(_VERSION)
    return hashlib.blake2b(repr((version, table.to_pylist())).encode(), digest_size=10).hexdigest().encode()


def _conform(table: pa.Table, path: Path) -> pa.Table:
    """Today's columns: those added since the file was written are null."""
    if table.num_rows != 1:
        raise DamagedRecordError(f"{path.name}: {table.num_rows} rows where one is expected")
    columns = []
    for column in record_schema():
        if column.name in table.column_names:
            columns.append(_cast(table[column.name], column, path))
        elif column.nullable:
            columns.append(pa.nulls(1, column.type))
        else:
            raise DamagedRecordError(f"{path.name}: column {column.name} is absent")
    return pa.Table.from_arrays(columns, schema=record_schema())


def _cast(values: pa.ChunkedArray, column: pa.Field, path: Path) -> pa.ChunkedArray:
    try:
        return values.cast(column.type)
    except pa.ArrowException as error:
        raise DamagedRecordError(
            f"{path.name}: column {column.name} has type {values.type}, not {column.type}"
        ) from error


def _write_durably(table: pa.Table, path: Path) -> None:
    table = table.replace_schema_metadata({**(table.schema.metadata or {}), _DIGEST: _digest(table)})
    with path.open("xb") as file:
        # One row: statistics and dictionaries would be most of the file. Checksums make damage visible.
        pq.write_table(table, file, write_statistics=False, use_dictionary=False, write_page_checksum=True)
        file.flush()
        os.fsync(file.fileno())


def flush_directory(path: Path) -> None:
    """Make the new name itself durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
