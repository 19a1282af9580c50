"""Reading of many record files: the text of each one, and one table of each batch of texts.

So the cost of 140 columns is paid once a batch, and not once a record.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice

import pyarrow as pa

from trainables.store.files import DamagedRecordError, Files
from trainables.store.record_file import DecodedRecord, Key, RecordText, decode_record, read_text
from trainables.store.row_text import table_of
from trainables.store.schema import record_schema

#: Record files that are in memory at a time: 20 MB.
_BATCH = 1024

_THREADS = 4

#: What `table_of` raises.
_MISFITS = (ValueError, TypeError, OverflowError)


@dataclass(frozen=True, kw_only=True)
class RecordBatch:
    """The records in some record files."""

    table: pa.Table  # the valid rows, in the current schema
    keys: tuple[Key, ...]  # of each row
    digests: tuple[str, ...]  # with which each row was written
    damaged: tuple[Key, ...]  # of the files that cannot be read


def read_batches(files: Files, names: Mapping[Key, str]) -> Iterator[RecordBatch]:
    """Read the record files `names` in batches.

    Raises `FileNotFoundError` if one has disappeared, and `StoreError` if a newer version of this package wrote one.
    """
    contents = zip(names.items(), files.read_each(list(names.values())), strict=True)
    while batch := [(key, name, content) for (key, name), content in islice(contents, _BATCH)]:
        yield _decode(batch)


def _decode(batch: Sequence[tuple[Key, str, bytes]]) -> RecordBatch:
    texts: dict[Key, RecordText] = {}
    older: list[tuple[Key, str, bytes]] = []
    for key, name, content in batch:
        with suppress(DamagedRecordError):
            text = read_text(content, name)
            if text is None:
                older.append((key, name, content))
            else:
                texts[key] = text
    table, digests = _table_of(texts)
    records = _decode_older(older)
    digests |= {key: record.digest for key, record in records.items()}
    return RecordBatch(
        table=pa.concat_tables([table, *(record.table for record in records.values())]),
        keys=tuple(digests),
        digests=tuple(digests.values()),
        damaged=tuple(key for key, _, _ in batch if key not in digests),
    )


def _table_of(texts: Mapping[Key, RecordText]) -> tuple[pa.Table, dict[Key, str]]:
    """The rows of the texts whose values fit the schema, and the digest of each."""
    try:
        table = table_of([text.row for text in texts.values()], record_schema())
    except _MISFITS:
        fitting = {key: text for key, text in texts.items() if _fits(text)}
        return _table_of(fitting)
    return table, {key: text.digest for key, text in texts.items()}


def _fits(text: RecordText) -> bool:
    try:
        table_of([text.row], record_schema())
    except _MISFITS:
        return False
    return True


def _decode_older(files: Sequence[tuple[Key, str, bytes]]) -> dict[Key, DecodedRecord]:
    """The valid records of files without text. Threads help, since most of the time is spent outside Python."""
    if not files:
        return {}
    with ThreadPoolExecutor(_THREADS) as pool:
        records = pool.map(_decode_one, files)
        return {key: record for (key, _, _), record in zip(files, records, strict=True) if record}


def _decode_one(file: tuple[Key, str, bytes]) -> DecodedRecord | None:
    _, name, content = file
    try:
        return decode_record(content, name)
    except DamagedRecordError:
        return None
