"""The current files of a store: compacted files and single record files, and the rows that are read from both.

The store's reader and compaction use it.
"""

import re
from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

import pyarrow as pa

from trainables.store.files import DamagedRecordError, Files, StoreError
from trainables.store.record_file import (
    COMPACTED_NAME,
    CompactedFile,
    DecodedRecord,
    Key,
    decode_compacted,
    schema,
)

_RECORD_NAME = re.compile(r"records/(?P<trial_id>[0-9a-f]{8,64})\.(?P<attempt>\d+)\.parquet")

#: Number of times that a reader starts again because files disappeared while it read.
_TRIES = 20

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The files of a store by kind. Every valid record is in a file of `compacted` or of `loose`."""

    compacted: tuple[CompactedFile, ...]  # the compacted files that no other one replaces
    replaced: frozenset[str]  # compacted files whose rows are all in one of `compacted`
    loose: dict[Key, str]  # record files whose record is in no compacted file
    covered: dict[Key, str]  # record files whose record is also in a compacted file, which counts
    foreign: tuple[str, ...]  # Parquet files whose name has neither form
    damaged: tuple[str, ...] = ()  # compacted files that were skipped

    def attempts(self) -> list[Key]:
        """The keys of all attempts, including damaged ones."""
        return [*self.loose, *(key for file in self.compacted for key in file.keys)]


def take_inventory(
    files: Files, *, skip_damaged: bool = False, decoded: dict[str, CompactedFile] | None = None
) -> Inventory:
    """List a store and read its compacted files.

    A damaged compacted file raises `StoreError`, since the user must decide whether its trials run again. Callers
    that only read may skip it. Raises `FileNotFoundError` if a file disappears in the meantime.

    `decoded` holds the compacted files that the caller has decoded before, by name, and receives those decoded now. A
    name contains the digest of the content, so a file of the same name has not changed.
    """
    names = files.names("records")
    joined = [name for name in names if COMPACTED_NAME.fullmatch(name)]
    compacted, replaced, damaged = _read_compacted(
        files, joined, skip_damaged, {} if decoded is None else decoded
    )
    held = {key for file in compacted for key in file.keys}
    loose: dict[Key, str] = {}
    covered: dict[Key, str] = {}
    foreign = []
    for name in names:
        if match := _RECORD_NAME.fullmatch(name):
            key = match["trial_id"], int(match["attempt"])
            (covered if key in held else loose)[key] = name
        elif name.endswith(".parquet") and not COMPACTED_NAME.fullmatch(name):
            foreign.append(name)
    return Inventory(
        compacted=compacted,
        replaced=replaced,
        loose=loose,
        covered=covered,
        foreign=tuple(foreign),
        damaged=damaged,
    )


def trial_of(name: str) -> str | None:
    """The trial id in the name (without folder) of a record file; None for other names."""
    match = _RECORD_NAME.fullmatch(f"records/{name}")
    return match["trial_id"] if match else None


def _read_compacted(
    files: Files, names: list[str], skip_damaged: bool, decoded: dict[str, CompactedFile]
) -> tuple[tuple[CompactedFile, ...], frozenset[str], tuple[str, ...]]:
    """The compacted files that count, the names of the files that they replace, and the names of damaged files.

    The largest file is read first: a replaced file has fewer rows than its replacement, and is not read.
    """
    names.sort(key=lambda name: (-int(name.split("-")[1]), name))
    for gone in set(decoded) - set(names):
        del decoded[gone]
    found: list[CompactedFile] = []
    replaced: set[str] = set()
    damaged: list[str] = []
    for name in names:
        if name in replaced:
            continue
        file = decoded.get(name) or _read_one(files, name, skip_damaged)
        if file is None:
            damaged.append(name)
        else:
            decoded[name] = file
            found.append(file)
            replaced |= file.replaces
    return tuple(found), frozenset(replaced & set(names)), tuple(damaged)


def _read_one(files: Files, name: str, skip_damaged: bool) -> CompactedFile | None:
    """A compacted file; None if it is damaged and `skip_damaged`."""
    try:
        return decode_compacted(files.read(name), name)
    except DamagedRecordError as error:
        if skip_damaged:
            return None
        rows = name.split("-")[1]
        raise StoreError(
            f"store: {name} is damaged, which affects up to {rows} records; restore it from a backup, or move it "
            "out of the store to run those trials again"
        ) from error


def retry_vanished(read: Callable[[], T]) -> T:
    """Call `read` again as long as files disappear between their listing and their reading.

    Their records are in other files by then. Raises `StoreError` after `_TRIES` calls.
    """
    for _ in range(_TRIES):
        try:
            return read()
        except FileNotFoundError:
            continue
    raise StoreError("store: files disappear while it is read; try again")


@dataclass
class Rows:
    """Tables in the record schema, with each row's key and digest. If a record is added twice, the first counts."""

    tables: list[pa.Table] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    row_of: dict[Key, int] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)  # the highest attempt at each trial

    @classmethod
    def of_compacted(cls, files: Iterable[CompactedFile]) -> "Rows":
        """The rows of these files."""
        rows = cls()
        for file in files:
            rows._extend(file.table, file.digests, list(file.keys))
        return rows

    def add(self, key: Key, record: DecodedRecord) -> None:
        """Add a record from a single record file."""
        self._extend(record.table, (record.digest,), [key])

    def select(
        self, only: set[str] | None = None, *, latest: bool = False
    ) -> tuple[pa.Table, tuple[str, ...]]:
        """Rows and digests, ordered by trial and attempt.

        If `only` is given, only the rows of its trials. If `latest`, only the highest attempt at each trial.
        """
        keys = self.highest.items() if latest else self.row_of
        order = array("q", [self.row_of[key] for key in sorted(keys) if only is None or key[0] in only])
        if not order:
            return schema().empty_table(), ()
        table = pa.concat_tables(self.tables)
        if order != array(
            "q", range(table.num_rows)
        ):  # the rows of one compacted file are in order, and shared
            table = take_rows(table, order)
        return table.combine_chunks(), tuple(self.digests[row] for row in order)

    def _extend(self, table: pa.Table, digests: Iterable[str], keys: list[Key]) -> None:
        start = len(self.digests)
        self.tables.append(table)
        self.digests.extend(digests)
        for row, (trial_id, attempt) in enumerate(keys, start):
            self.row_of.setdefault((trial_id, attempt), row)
            self.highest[trial_id] = max(attempt, self.highest.get(trial_id, 0))


def take_rows(table: pa.Table, rows: Iterable[int]) -> pa.Table:
    """The rows of a table with these indices, in the given order."""
    order = array("q", rows)
    # From a buffer, since an array of Python objects would import pandas, which costs `study status` a second.
    return table.take(pa.Array.from_buffers(pa.int64(), len(order), [None, pa.py_buffer(order)]))
