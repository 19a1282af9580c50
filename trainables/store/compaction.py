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

A file is removed only for rows, never for what another file says about it: a file that someone copied into the store
may name others that it `replaces`, or give digests of other rows. So before a removal, the keys and digests of both
files are compared, and the digests of the file that stays with its rows. If two compacted files have the same
attempt with different values, the row of the file with more rows counts, both files stay as long as this is so, and
the reader names the attempt.

No record is counted twice: readers take one row for each trial and attempt. Two compactions at the same time write
the same file, or two files that overlap, which the next compaction joins. If a record is written again under the name
of one that was joined and removed, it does not count, like any second record of an attempt, and it is not removed.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import islice

from trainables.store.compacted_file import CompactedFile, decode_compacted, encode_compacted
from trainables.store.files import DamagedRecordError, Files, StoreError
from trainables.store.inventory import Inventory, Rows, conflicts, retry_vanished, take_inventory
from trainables.store.leases import is_lease
from trainables.store.parquet_bounds import RECORD
from trainables.store.record_batch import RecordBatch, read_batches
from trainables.store.record_file import claimed_digest, decode_record, record_digests
from trainables.store.row_text import take_rows

#: Longer than the listing of any store takes.
GRACE_SECONDS = 600.0

#: The most rows that compaction writes into one file. A larger file would have to be decoded as a whole.
_MOST_ROWS = 250_000

#: Temporary files and leases of this age are certainly not in use.
_ABANDONED_SECONDS = 86400.0


def compact_files(files: Files, *, at_least: int = 2, grace_seconds: float = GRACE_SECONDS) -> str | None:
    """Join record files if there are `at_least` so many, and remove files that were joined long ago.

    Returns the name of the new compacted file, or None. Any number of processes may call this at any time, and it is
    safe to kill them.
    """
    decoded: dict[str, CompactedFile] = {}
    joined = retry_vanished(lambda: _join(files, at_least, decoded))
    retry_vanished(lambda: _remove_joined(files, grace_seconds, decoded))
    _sweep(files)
    return joined


def _join(files: Files, at_least: int, decoded: dict[str, CompactedFile]) -> str | None:
    found = take_inventory(files, decoded=decoded)
    if len(found.loose) < at_least:
        return None
    loose = dict(islice(found.loose.items(), _MOST_ROWS))
    batches = [_known_to_this_version(batch) for batch in read_batches(files, loose)]
    records = sum(len(batch.keys) for batch in batches)
    absorbed = _of_like_size(_joinable(found.compacted), records)
    absorbed = [file for file in absorbed if file.rows_as_written()]
    rows = Rows.of_compacted(absorbed)
    for batch in batches:
        rows.add(batch)
    table, digests = rows.select()
    if len(digests) < 2 or not records:
        return None
    replaced = {file.name for file in absorbed}.union(*(_replaced_by(file, found) for file in absorbed))
    name, content = encode_compacted(table, digests, replaced)
    try:
        as_written = decode_compacted(content, name).rows_as_written()
    except DamagedRecordError as error:  # such as a file above a bound
        raise StoreError(f"store: records cannot be joined ({error}); they are left as they are") from error
    if not as_written:
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


def _joinable(compacted: Sequence[CompactedFile]) -> list[CompactedFile]:
    """The compacted files whose every row may join others.

    A file stays as it is if this version does not know a column, if a row fails the check, or if another file has an
    attempt with other values: a row would be lost.
    """
    return [
        file
        for number, file in enumerate(compacted)
        if file.known
        and not file.faults
        and not conflicts(file, [*compacted[:number], *compacted[number + 1 :]])
    ]


def _of_like_size(compacted: Sequence[CompactedFile], rows: int) -> list[CompactedFile]:
    """The compacted files to join with `rows` new records, from the smallest to the largest.

    A file joins if it has at most twice as many rows as the new records and the smaller files together. So the number
    of compacted files stays small, and a file is rewritten only when enough rows join it.
    """
    absorbed = []
    for file in sorted(compacted, key=lambda file: file.table.num_rows):
        fits = rows + file.table.num_rows <= _MOST_ROWS
        if fits and file.table.num_rows <= 2 * rows:
            absorbed.append(file)
            rows += file.table.num_rows
    return absorbed


def _remove_joined(files: Files, grace_seconds: float, decoded: dict[str, CompactedFile]) -> None:
    found = take_inventory(files, decoded=decoded)
    ages = files.ages([file.name for file in found.compacted])
    for file in found.compacted:
        if ages.get(file.name, 0.0) >= grace_seconds:
            _remove_copies(files, file, found)


def _remove_copies(files: Files, file: CompactedFile, found: Inventory) -> None:
    """Remove files whose records are all in `file`. A file that someone made may say so and have other values.

    So the rows themselves are compared with their digests before the first removal.
    """
    single = {name: row for key, row in file.keys.items() if (name := found.covered.get(key))}
    single = {name: row for name, row in single.items() if _digest_of(files, name) == file.digests[row]}
    if single and file.rows_as_written(list(single.values())):
        for name in single:
            files.delete(name)
    replaced = _replaced_by(file, found)
    if replaced and file.rows_as_written():
        for name in replaced:
            files.delete(name)


def _replaced_by(file: CompactedFile, found: Inventory) -> set[str]:
    """The compacted files that are still there and whose records are all in this one."""
    return {name for name in found.replaced if file.contained.get(name)}


def _sweep(files: Files) -> None:
    """Remove the temporary files and leases of killed processes."""
    files.sweep_temporary(_ABANDONED_SECONDS)
    leases = [name for name in files.names("leases") if is_lease(name)]
    for name, age in files.ages(leases).items():
        if age > _ABANDONED_SECONDS:
            files.delete(name)


def _digest_of(files: Files, name: str) -> str | None:
    """The digest of a single record file; None if it is damaged or does not exist."""
    try:
        content = files.read(name, RECORD.disk)
        return claimed_digest(content) or decode_record(content, name).digest
    except (DamagedRecordError, FileNotFoundError):
        return None
