"""What lies in a store now: compacted files, and the single record files beside them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from trainables.store.compacted_file import COMPACTED_NAME, CompactedFile, Key, decode_compacted
from trainables.store.errors import DamagedRecordError, StoreError
from trainables.store.files import Files

_RECORD_NAME = re.compile(r"records/(?P<trial_id>[0-9a-f]{8,64})\.(?P<attempt>\d+)\.parquet")

#: Times that a reader starts again because files went away under it.
_TRIES = 20

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """Every record lies in `compacted` or `loose`, or in both places with the compacted row counting."""

    compacted: tuple[CompactedFile, ...]  # those that no other replaces
    replaced: frozenset[str]  # compacted files whose rows are all in one of `compacted`
    loose: dict[Key, str]  # record files whose record is in no compacted file
    covered: dict[Key, str]  # record files whose record is in one
    foreign: tuple[str, ...]  # Parquet files under a name that means nothing here

    def attempts(self) -> list[Key]:
        """Every attempt, damaged ones included."""
        return [*self.loose, *(key for file in self.compacted for key in file.keys)]


def take_inventory(files: Files) -> Inventory:
    """List a store and read its compacted files. Raises `FileNotFoundError` when one goes away meanwhile, and
    `StoreError` when one is damaged."""
    names = files.names("records")
    compacted, replaced = _read_compacted(files, [name for name in names if COMPACTED_NAME.fullmatch(name)])
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
        compacted=compacted, replaced=replaced, loose=loose, covered=covered, foreign=tuple(foreign)
    )


def trial_of(name: str) -> str | None:
    """The trial of a record file by its name without its folder; None for names of no record."""
    match = _RECORD_NAME.fullmatch(f"records/{name}")
    return match["trial_id"] if match else None


def _read_compacted(files: Files, names: list[str]) -> tuple[tuple[CompactedFile, ...], frozenset[str]]:
    """The largest first: what one replaces has fewer rows, and need not be read."""
    names.sort(key=lambda name: (-int(name.split("-")[1]), name))
    found: list[CompactedFile] = []
    replaced: set[str] = set()
    for name in names:
        if name not in replaced:
            found.append(_read_one(files, name))
            replaced |= found[-1].replaces
    return tuple(found), frozenset(replaced & set(names))


def _read_one(files: Files, name: str) -> CompactedFile:
    try:
        return decode_compacted(files.read(name), name)
    except DamagedRecordError as error:
        rows = name.split("-")[1]
        raise StoreError(
            f"store: {name} is damaged, and with it up to {rows} records; restore it from a backup, or move it "
            "out of the store to run those trials again"
        ) from error


def retry_vanished(read: Callable[[], T]) -> T:
    """Call again while files go away between their listing and their reading: their records are elsewhere by then.

    Raises `StoreError` when the store never stands still.
    """
    for _ in range(_TRIES):
        try:
            return read()
        except FileNotFoundError:
            continue
    raise StoreError("store: files go away while it is read; try again")
