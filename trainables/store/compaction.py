"""Small record files joined into large ones, so that thousands are read in a fraction of a second.

No record is ever lost, whoever is killed when, because a file goes only long after another one has its records:

1. `_join` writes a compacted file, put whole or not at all, and reads it back. Nothing is removed. From here on,
   records in it count and their own files go unread.
2. `_remove_joined`, as a rule in a later call, removes the files whose records a compacted file has held for
   `GRACE_SECONDS`, each after it was compared with its row there.

Why the wait: a directory's listing is no snapshot. One that runs while file A is joined into B and A is removed
may show neither. A listing takes less than `GRACE_SECONDS`, and B is older than that when A goes, so every listing
that can miss A began when B was there. The same holds for B and the file that replaces it, and so on.

No record is counted twice: readers take one row for each trial and attempt. Two compactions at once write the same
file, or two files that overlap, which the next one joins. A record that is put again under the name of one that was
joined and removed does not count, like any second record of an attempt, and is not removed either.
"""

from trainables.store.files import DamagedRecordError, Files, StoreError
from trainables.store.inventory import Inventory, Rows, retry_vanished, take_inventory
from trainables.store.record_file import (
    CompactedFile,
    DecodedRecord,
    Key,
    claimed_digest,
    decode_compacted,
    decode_record,
    encode_compacted,
    record_digests,
)

#: Longer than any listing of a store takes.
GRACE_SECONDS = 600.0

#: Age of temporary files and of leases that nobody can still be using.
_ABANDONED_SECONDS = 86400.0


def compact_files(files: Files, *, at_least: int = 2, grace_seconds: float = GRACE_SECONDS) -> str | None:
    """Join record files where there are `at_least` so many, and remove those that were joined long ago.

    Returns the name of the new compacted file. Safe at any time, by any number of processes, and to be killed.
    """
    joined = retry_vanished(lambda: _join(files, at_least))
    retry_vanished(lambda: _remove_joined(files, grace_seconds))
    _sweep(files)
    return joined


def _join(files: Files, at_least: int) -> str | None:
    found = take_inventory(files)
    if len(found.loose) < at_least:
        return None
    records = _read_loose(files, found)
    absorbed = _of_like_size(found.compacted, len(records))
    rows = Rows.of_compacted(absorbed)
    for key, record in records.items():
        rows.add(key, record)
    table, digests = rows.select()
    if len(digests) < 2 or not records:
        return None
    replaced = {file.name for file in absorbed}.union(*(file.replaces & found.replaced for file in absorbed))
    name, content = encode_compacted(table, digests, replaced)
    if not decode_compacted(content, name).rows_as_written():
        raise StoreError("store: records do not survive compaction as they were written; left as they are")
    if not files.put(name, content) or files.read(name) != content:
        raise StoreError(
            f"store: {name} cannot be read back as it was written; its records are left as they are"
        )
    return name


def _read_loose(files: Files, found: Inventory) -> dict[Key, DecodedRecord]:
    """The valid records in files of their own. One with columns that this version does not know stays alone."""
    records = {}
    contents = files.read_each(list(found.loose.values()))
    for (key, name), content in zip(found.loose.items(), contents, strict=True):
        try:
            record = decode_record(content, name)
        except DamagedRecordError:
            continue
        if record_digests(record.table) == [record.digest]:
            records[key] = record
    return records


def _of_like_size(compacted: tuple[CompactedFile, ...], rows: int) -> list[CompactedFile]:
    """The small ones: so there are never many, and none is written again before as much has come to it."""
    absorbed = []
    for file in sorted(compacted, key=lambda file: file.table.num_rows):
        if file.known and file.table.num_rows <= 2 * rows:
            absorbed.append(file)
            rows += file.table.num_rows
    return absorbed


def _remove_joined(files: Files, grace_seconds: float) -> None:
    found = take_inventory(files)
    ages = files.ages([file.name for file in found.compacted])
    for file in found.compacted:
        if ages.get(file.name, 0.0) >= grace_seconds:
            _remove_copies(files, file, found)


def _remove_copies(files: Files, file: CompactedFile, found: Inventory) -> None:
    for key, row in file.keys.items():
        name = found.covered.get(key)
        if name and _digest_of(files, name) == file.digests[row]:
            files.delete(name)
    for name in file.replaces & found.replaced:
        files.delete(name)


def _sweep(files: Files) -> None:
    """Remove what killed processes left behind."""
    files.sweep_temporary(_ABANDONED_SECONDS)
    for name, age in files.ages(files.names("leases")).items():
        if age > _ABANDONED_SECONDS:
            files.delete(name)


def _digest_of(files: Files, name: str) -> str | None:
    """The digest of a single record; None when it is damaged or gone."""
    try:
        content = files.read(name)
        return claimed_digest(content) or decode_record(content, name).digest
    except (DamagedRecordError, FileNotFoundError):
        return None
