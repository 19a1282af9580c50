"""Compaction: joins small record files into large ones. Thousands of records are then read in a fraction of a second.

A process that is killed at any time loses no record, because a file is removed only long after another file has its
records:

1. `_join` writes a compacted file atomically and reads it back. It removes no file. From now on, readers use the
   records in the compacted file and do not read their single files.
2. `_remove_joined`, usually in a later call, removes files whose records have been in a compacted file for
   `GRACE_SECONDS`. It first compares each file with its row in the compacted file.

The reason for the wait: the listing of a directory is not a snapshot. A listing that runs while file A is joined into
file B and removed may contain neither. But a listing takes less than `GRACE_SECONDS`, and B is older than that when A
is removed. So every listing that can miss A started when B existed. The same is true for B and the file that replaces
it, and so on.

No record is counted twice: readers take one row for each trial and attempt. Two compactions at the same time write
the same file, or two files that overlap, which the next compaction joins. If a record is written again under the name
of one that was joined and removed, it does not count, like any second record of an attempt, and it is not removed.
"""

from dataclasses import replace

from trainables.store.files import DamagedRecordError, Files, StoreError
from trainables.store.inventory import Inventory, Rows, retry_vanished, take_inventory, take_rows
from trainables.store.record_batch import RecordBatch, read_batches
from trainables.store.record_file import (
    CompactedFile,
    claimed_digest,
    decode_compacted,
    decode_record,
    encode_compacted,
    record_digests,
)

#: Longer than the listing of any store takes.
GRACE_SECONDS = 600.0

#: Temporary files and leases of this age are certainly not in use.
_ABANDONED_SECONDS = 86400.0


def compact_files(files: Files, *, at_least: int = 2, grace_seconds: float = GRACE_SECONDS) -> str | None:
    """Join record files if there are `at_least` so many, and remove files that were joined long ago.

    Returns the name of the new compacted file, or None. Any number of processes may call this at any time, and it is
    safe to kill them.
    """
    joined = retry_vanished(lambda: _join(files, at_least))
    retry_vanished(lambda: _remove_joined(files, grace_seconds))
    _sweep(files)
    return joined


def _join(files: Files, at_least: int) -> str | None:
    found = take_inventory(files)
    if len(found.loose) < at_least:
        return None
    batches = [_known_to_this_version(batch) for batch in read_batches(files, found.loose)]
    records = sum(len(batch.keys) for batch in batches)
    absorbed = _of_like_size(found.compacted, records)
    rows = Rows.of_compacted(absorbed)
    for batch in batches:
        rows.add(batch)
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


def _known_to_this_version(batch: RecordBatch) -> RecordBatch:
    """A batch without the records that have columns unknown to this version. Those keep their own files."""
    digests = record_digests(batch.table)
    rows = [row for row, digest in enumerate(batch.digests) if digests[row] == digest]
    if len(rows) == len(digests):
        return batch
    return replace(
        batch,
        table=take_rows(batch.table, rows),
        keys=tuple(batch.keys[row] for row in rows),
        digests=tuple(batch.digests[row] for row in rows),
    )


def _of_like_size(compacted: tuple[CompactedFile, ...], rows: int) -> list[CompactedFile]:
    """The compacted files to join with `rows` new records, from the smallest to the largest.

    A file joins if it has at most twice as many rows as the new records and the smaller files together. So the number
    of compacted files stays small, and a file is rewritten only when enough rows join it.
    """
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
    """Remove the temporary files and leases of killed processes."""
    files.sweep_temporary(_ABANDONED_SECONDS)
    for name, age in files.ages(files.names("leases")).items():
        if age > _ABANDONED_SECONDS:
            files.delete(name)


def _digest_of(files: Files, name: str) -> str | None:
    """The digest of a single record file; None if it is damaged or does not exist."""
    try:
        content = files.read(name)
        return claimed_digest(content) or decode_record(content, name).digest
    except (DamagedRecordError, FileNotFoundError):
        return None
