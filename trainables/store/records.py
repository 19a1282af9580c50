"""The record store: one record for each attempt, never overwritten, and the only source of results for every study.

Layout: a trial writes its record to `<store>/records/<trial_id>.<attempt>.parquet`; compaction joins many records
into `<store>/records/compact-<rows>-<digest>.parquet` (see `trainables.store.compaction`). A store is in a directory,
or in an object store (`s3://bucket/prefix`). This module imports no torch.
"""

import os
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

import pyarrow as pa

from trainables.machine_faults import reason_of, remedy_of
from trainables.store.compacted_file import CompactedFile
from trainables.store.compaction import GRACE_SECONDS, compact_files
from trainables.store.files import DamagedRecordError, Files, RecordExistsError, StoreError, open_files
from trainables.store.inventory import Damage, Rows, retry_vanished, take_inventory, trial_of
from trainables.store.leases import LEASE_SECONDS, Leases
from trainables.store.record_batch import read_batches
from trainables.store.record_file import Key, encode_row
from trainables.store.row_check import faults_of
from trainables.store.row_text import take_rows
from trainables.store.schema import Status, TrialRecord, record_to_table

__all__ = [
    "Damage",
    "DamagedRecordError",
    "RecordExistsError",
    "RecordSet",
    "RecordStore",
    "StoreError",
    "open_store",
]

#: The folders of a store. Commands write into them, and into the folders in `studies`.
_FOLDERS = (
    "records",
    "leases",
    "damaged",
    "studies",
    "checkpoints",
    "encoders",
    "curves",
    "embeddings",
    "losses",
    "tune",
)

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class RecordSet:
    """Records, and the files that could not be read and the rows that failed the check."""

    table: pa.Table  # in the record schema, ordered by trial_id and attempt
    damaged: tuple[Damage, ...]
    digests: tuple[str, ...] = ()  # the digest with which each row was written

    def statuses(self) -> dict[str, Status]:
        """Status of each recorded trial by trial id."""
        columns = self.table.select(["trial_id", "status"]).to_pydict()
        return {key: Status(value) for key, value in zip(columns["trial_id"], columns["status"], strict=True)}

    def of(self, trial_ids: Collection[str]) -> "RecordSet":
        """The records of these trials, and the damaged files that may contain records of these trials."""
        ids = self.table["trial_id"].to_pylist()
        rows = [row for row, trial_id in enumerate(ids) if trial_id in trial_ids]
        return RecordSet(
            table=self.table if len(rows) == len(ids) else take_rows(self.table, rows),
            damaged=tuple(d for d in self.damaged if (own := trial_of(d.name)) is None or own in trial_ids),
            digests=tuple(self.digests[row] for row in rows) if self.digests else (),
        )


@dataclass(frozen=True)
class RecordStore:
    """The records under `path`, or under `url` if they are in an object store.

    All other files of a store (reports, kept encoders, checkpoints) are under `path` in both cases. A store that does
    not exist reads as an empty one.
    """

    path: Path
    url: str | None = None

    @property
    def location(self) -> str:
        """The location as `open_store` accepts it."""
        return self.url or str(self.path)

    @property
    def records_dir(self) -> Path:
        """The folder of the records, unless the store has a URL."""
        return self.path / "records"

    @cached_property
    def files(self) -> Files:
        """The storage of the records and leases."""
        return open_files(self.location)

    @cached_property
    def _decoded(self) -> dict[str, CompactedFile]:
        """The compacted files that this object has decoded: a launch looks at its store every second."""
        return {}

    def __getstate__(self) -> dict[str, object]:
        """Only the fields: workers open the store themselves."""
        return {"path": self.path, "url": self.url}

    def prepare(self) -> None:
        """Create the store and check that it can be written. Raises `StoreError` otherwise."""
        with self.writing():
            self.files.prepare()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Raise an `OSError` of the block as `StoreError`, with the store's location."""
        try:
            yield
        except OSError as error:
            todo = remedy_of(error, "choose another with --store")
            raise StoreError(
                f"store: cannot write to {self.location} ({reason_of(error)}); {todo}"
            ) from error

    def put(self, record: TrialRecord) -> Path:
        """Write a record under its name atomically. Writing the same record again changes nothing.

        Raises `RecordExistsError` if a file of this name has other content, `StoreError` if the record fails the
        check of rows, and `OSError` if the write fails.
        """
        table = record_to_table(record)
        if fault := faults_of(table).get(0):
            raise StoreError(f"store: the record of trial {record.trial_id!r} cannot be written: {fault}")
        name = f"{record.trial_id}.{record.attempt}.parquet"
        if not self.files.put(f"records/{name}", encode_row(table)):
            raise RecordExistsError(f"store: {name} exists already")
        return self._place(f"records/{name}")

    def next_attempts(self) -> dict[str, int]:
        """The number of each trial's next attempt by trial id. Damaged attempts count."""
        attempts: dict[str, int] = {}
        for trial_id, attempt in self._reading(
            lambda: take_inventory(self.files, decoded=self._decoded)
        ).attempts():
            attempts[trial_id] = max(attempts.get(trial_id, 0), attempt + 1)
        return attempts

    def read(self, only: set[str] | None = None) -> RecordSet:
        """The latest valid attempt at every trial, or at every trial in `only` if given."""
        return self._reading(lambda: self._read(only, latest=True))

    def read_all(self, *, skip_damaged: bool = False) -> RecordSet:
        """Every valid attempt at every trial.

        A damaged compacted file raises `StoreError`, since running its trials again may cost days. With
        `skip_damaged`, its rows are left out and the file is among the damaged files of the result.
        """
        return self._reading(lambda: self._read(None, latest=False, skip_damaged=skip_damaged))

    def compact(self, *, at_least: int = 2, grace_seconds: float = GRACE_SECONDS) -> None:
        """Join single record files if there are `at_least` so many, so that reading stays fast.

        The call is cheap if there is nothing to do. It is safe while other processes write, read or compact, and it
        is safe to kill. Raises `StoreError` and `OSError`.
        """
        compact_files(self.files, at_least=at_least, grace_seconds=grace_seconds)

    def leases(self, owner: str, seconds: float = LEASE_SECONDS) -> Leases:
        """The leases of `owner` on trials. Launches that share the store use leases to share the work."""
        return Leases(self.files, owner=owner, seconds=seconds)

    def taken(self, trial_ids: Collection[str], seconds: float = LEASE_SECONDS) -> frozenset[str]:
        """The subset of these trials on which any owner holds a lease now."""
        return self._reading(lambda: self.leases("nobody", seconds).taken(trial_ids))

    def set_aside(self, damaged: Damage) -> Path:
        """Move a damaged file to `<store>/damaged`, which no code reads, and return its new path.

        Raises `FileNotFoundError` if another process has already moved it.
        """
        assert damaged.is_whole_file  # the other rows of a compacted file count
        name = f"damaged/{damaged.name[:200]}.{uuid.uuid4().hex[:8]}"
        self.files.move(f"records/{damaged.name}", name)
        return self._place(name)

    def _reading(self, read: Callable[[], T]) -> T:
        try:
            return retry_vanished(read)
        except OSError as error:
            todo = remedy_of(error, "choose another with --store")
            raise StoreError(f"store: cannot read {self.location} ({reason_of(error)}); {todo}") from error

    def _place(self, name: str) -> Path:
        return Path(name) if self.url else self.path / name

    def _read(self, only: set[str] | None, *, latest: bool, skip_damaged: bool = False) -> RecordSet:
        found = take_inventory(self.files, skip_damaged=skip_damaged, decoded=self._decoded)
        rows = Rows.of_compacted(found.compacted)
        damaged = found.damages(self._place)
        loose = {key: name for key, name in found.loose.items() if only is None or key[0] in only}
        if latest:
            loose = {key: name for key, name in loose.items() if rows.highest.get(key[0], -1) < key[1]}
        unread: dict[Key, str] = {}
        for batch in read_batches(self.files, loose):
            rows.add(batch)
            unread |= batch.damaged
        if latest:  # a later valid attempt counts, whatever the state of this one
            unread = {key: why for key, why in unread.items() if rows.highest.get(key[0], -1) < key[1]}
        damaged += [Damage(path=self._place(loose[key]), reason=why) for key, why in unread.items()]
        table, digests = rows.select(only, latest=latest)
        damaged.sort(key=lambda each: (each.path, each.row or 0))
        return RecordSet(table=table, damaged=tuple(damaged), digests=digests)


def open_store(location: str) -> RecordStore:
    """The store at a directory, or at `s3://bucket/prefix` or `gs://bucket/prefix`.

    The object store of a URL contains only records and leases. The other files are in `./results/<bucket>/<prefix>`,
    so a trial can continue from its checkpoint only on the machine that wrote it.

    Raises `StoreError` for a location that is not supported, and for a store with linked folders, since a link in a
    store that others made could lead anywhere.
    """
    if "://" not in location:
        path = Path(location).expanduser().resolve()
        _refuse_links(path)
        return RecordStore(path)
    parts = urlsplit(location)
    if not parts.netloc:
        raise StoreError(f"store: got '{location}', must name a bucket, as in s3://bucket/prefix")
    store = RecordStore(Path("results", parts.netloc, parts.path.strip("/")).resolve(), location.rstrip("/"))
    assert store.files  # raises now if the scheme is not supported
    return store


def _refuse_links(store: Path) -> None:
    """Raise `StoreError` if a folder into which commands write is a link."""
    folders = [store / name for name in _FOLDERS]
    folders += [Path(root, name) for root, names, _ in os.walk(store / "studies") for name in names]
    for folder in folders:
        if folder.is_symlink():
            raise StoreError(
                f"store: {folder} is a link; put a folder in its place, or move the whole store and link that"
            )
