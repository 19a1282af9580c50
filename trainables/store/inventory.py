"""The current files of a store: compacted files and single record files, and the rows that are read from both.

The store's reader and compaction use it.
"""

import re
from array import array
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pyarrow as pa

from trainables.store.compacted_file import COMPACTED_NAME, CompactedFile, compacted_digests, decode_compacted
from trainables.store.files import ID_PATTERN, DamagedRecordError, Files, IrregularFileError, StoreError
from trainables.store.parquet_bounds import compacted_bounds
from trainables.store.record_batch import RecordBatch
from trainables.store.record_file import Key
from trainables.store.row_text import take_rows
from trainables.store.schema import record_schema

#: Each attempt has one name: its number has no leading zeros and is at most `MOST_ATTEMPTS`.
_RECORD_NAME = re.compile(rf"records/(?P<trial_id>{ID_PATTERN})\.(?P<attempt>0|[1-9][0-9]{{0,5}})\.parquet")

#: The most rows of a compacted file that are named when they fail the check.
_NAMED_ROWS = 5

_FOREIGN = "its name is not that of a record"

#: Number of times that a reader starts again because files disappeared while it read.
_TRIES = 20

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, order=True)
class Damage:
    """A file of the store that could not be read, or a row of a compacted file that does not count."""

    path: Path
    row: int | None = None  # None: the whole file
    reason: str

    @property
    def name(self) -> str:
        """The name of the file."""
        return self.path.name

    @property
    def is_whole_file(self) -> bool:
        """Whether no row of the file counts."""
        return self.row is None

    def __str__(self) -> str:
        place = "" if self.row is None else f", row {self.row}"
        return f"{self.name}{place} ({self.reason})"


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """The files of a store by kind. Every valid record is in a file of `compacted` or of `loose`."""

    compacted: tuple[CompactedFile, ...]  # the compacted files that no other one replaces
    replaced: frozenset[str]  # compacted files whose records are all in one of `compacted`
    loose: dict[Key, str]  # record files whose record is in no compacted file
    covered: dict[Key, str]  # record files whose record is also in a compacted file, which counts
    foreign: tuple[str, ...]  # Parquet files whose name has neither form
    damaged: Mapping[str, str]  # compacted files that were skipped, each with the reason

    def attempts(self) -> list[Key]:
        """The keys of all attempts, including damaged ones."""
        return [*self.loose, *(key for file in self.compacted for key in file.keys)]

    def damages(self, place: Callable[[str], Path]) -> list[Damage]:
        """What does not count of foreign and compacted files. `place` gives the path of a file."""
        found = [Damage(path=place(name), reason=_FOREIGN) for name in self.foreign]
        found += [Damage(path=place(name), reason=reason) for name, reason in self.damaged.items()]
        for number, file in enumerate(self.compacted):
            rows = sorted((dict(file.faults) | conflicts(file, self.compacted[:number])).items())
            more = len(rows) - _NAMED_ROWS
            for row, reason in rows[:_NAMED_ROWS]:
                found.append(Damage(path=place(file.name), row=row, reason=reason))
            if more > 0:
                row, reason = rows[_NAMED_ROWS]
                said = reason if more == 1 else f"{reason}; {more - 1:,} more rows after it do not count"
                found.append(Damage(path=place(file.name), row=row, reason=said))
        return found


def conflicts(file: CompactedFile, others: Iterable[CompactedFile]) -> dict[int, str]:
    """The rows of a file whose attempt one of `others`, which count, has with other values, each with the reason."""
    found: dict[int, str] = {}
    for other in others:
        for key in file.keys.keys() & other.keys.keys():
            row = file.keys[key]
            if file.digests[row] != other.digests[other.keys[key]]:
                name = other.name.rpartition("/")[2]
                found[row] = f"attempt {key[1]} at trial {key[0]} has other values in {name}, which count"
    if not file.faults:
        return found
    kept = [row for row in range(len(file.digests) + len(file.faults)) if row not in file.faults]
    return {kept[row]: reason for row, reason in found.items()}


def take_inventory(
    files: Files, *, skip_damaged: bool = False, decoded: dict[str, CompactedFile] | None = None
) -> Inventory:
    """List a store and read its compacted files.

    A damaged compacted file raises `StoreError`, since the user must decide whether its trials run again. Callers
    that only read may skip it. Rows of a file that fail the check are left out, and the others count. Raises
    `FileNotFoundError` if a file disappears in the meantime.

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
) -> tuple[tuple[CompactedFile, ...], frozenset[str], dict[str, str]]:
    """The compacted files that count, the names of the files that they replace, and damaged files with the reason.

    The largest file is read first, since a replaced file has fewer rows than its replacement. A file says which ones
    it replaces. This is believed only if it contains each of their records, for which three columns are read.
    """
    names.sort(key=lambda name: (-int(name.split("-")[1]), name))
    for gone in set(decoded) - set(names):
        del decoded[gone]
    found: list[CompactedFile] = []
    replaced: set[str] = set()
    damaged: dict[str, str] = {}
    for name in names:
        if any(_contains(files, file, name) for file in found):
            replaced.add(name)
            continue
        file = decoded.get(name) or _read_one(files, name, skip_damaged, damaged)
        if file is not None:
            decoded[name] = file
            found.append(file)
    return tuple(found), frozenset(replaced), damaged


def _contains(files: Files, file: CompactedFile, name: str) -> bool:
    """Whether a compacted file replaces the other one `name`, and contains its records."""
    if name not in file.replaces:
        return False
    if name not in file.contained:
        try:
            other = compacted_digests(files.read(name, compacted_bounds().disk), name)
            file.contained[name] = other is not None and file.contains(other)
        except DamagedRecordError:
            file.contained[name] = False
    return file.contained[name]


def _read_one(files: Files, name: str, skip_damaged: bool, damaged: dict[str, str]) -> CompactedFile | None:
    """A compacted file; None if it is added to the damaged ones.

    What cannot hold records, such as a pipe, is never a reason to stop.
    """
    rows = name.split("-")[1]
    try:
        return decode_compacted(files.read(name, compacted_bounds().disk), name)
    except DamagedRecordError as error:
        reason = str(error).removeprefix(f"{name}: ")
        if skip_damaged or isinstance(error, IrregularFileError):
            damaged[name] = reason
            return None
        raise StoreError(
            f"store: {name} is damaged, which affects up to {rows} records ({reason}); restore it from a backup, or "
            "move it out of the store to run those trials again"
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
            rows._extend(file.table, file.digests, file.keys)
        return rows

    def add(self, batch: RecordBatch) -> None:
        """Add records from single record files."""
        self._extend(batch.table, batch.digests, batch.keys)

    def select(
        self, only: set[str] | None = None, *, latest: bool = False
    ) -> tuple[pa.Table, tuple[str, ...]]:
        """Rows and digests, ordered by trial and attempt.

        If `only` is given, only the rows of its trials. If `latest`, only the highest attempt at each trial.
        """
        keys = self.highest.items() if latest else self.row_of
        order = array("q", [self.row_of[key] for key in sorted(keys) if only is None or key[0] in only])
        if not order:
            return record_schema().empty_table(), ()
        table = pa.concat_tables(self.tables)
        # The rows of one compacted file are in order. They are shared, not copied.
        if order != array("q", range(table.num_rows)):
            table = take_rows(table, order)
        return table.combine_chunks(), tuple(self.digests[row] for row in order)

    def _extend(self, table: pa.Table, digests: Iterable[str], keys: Iterable[Key]) -> None:
        start = len(self.digests)
        self.tables.append(table)
        self.digests.extend(digests)
        for row, (trial_id, attempt) in enumerate(keys, start):
            self.row_of.setdefault((trial_id, attempt), row)
            self.highest[trial_id] = max(attempt, self.highest.get(trial_id, 0))
