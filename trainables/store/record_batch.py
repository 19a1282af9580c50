"""Reading of many record files: the text of each one, and one table of each batch of texts.

So the time for 140 columns and the check is needed once for each batch.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pyarrow as pa

from trainables.store.files import DamagedRecordError, Files
from trainables.store.parquet_bounds import RECORD
from trainables.store.record_file import DecodedRecord, Key, RecordText, decode_record, read_text
from trainables.store.row_check import faults_of
from trainables.store.row_text import table_of
from trainables.store.schema import record_schema

#: A batch ends with the record file that reaches one of these: files, and their bytes. A usual file has 20 kB.
_MOST_FILES, _MOST_BYTES = 1024, 32 * 2**20

#: Threads that decode files without text.
_THREADS = 4

#: What `table_of` raises.
_MISFITS = (ValueError, TypeError, OverflowError)


@dataclass(frozen=True, kw_only=True)
class RecordBatch:
    """The records in some record files."""

    table: pa.Table  # the valid rows, in the current schema
    keys: tuple[Key, ...]  # of each row
    digests: tuple[str, ...]  # with which each row was written
    damaged: Mapping[Key, str]  # why a file does not count


@dataclass(frozen=True, kw_only=True)
class _RecordFile:
    key: Key
    name: str
    content: bytes | DamagedRecordError


def read_batches(files: Files, names: Mapping[Key, str]) -> Iterator[RecordBatch]:
    """Read the record files `names` in batches.

    Raises `FileNotFoundError` if one has disappeared, and `StoreError` if a newer version of this package wrote one.
    """
    contents = files.read_each(list(names.values()), RECORD.disk)
    batch, size = [], 0
    for (key, name), content in zip(names.items(), contents, strict=True):
        batch.append(_RecordFile(key=key, name=name, content=content))
        size += len(content) if isinstance(content, bytes) else 0
        if len(batch) == _MOST_FILES or size >= _MOST_BYTES:
            yield _decode(batch)
            batch, size = [], 0
    if batch:
        yield _decode(batch)


def _decode(batch: Sequence[_RecordFile]) -> RecordBatch:
    texts: dict[Key, RecordText] = {}
    older: list[_RecordFile] = []
    damaged: dict[Key, str] = {}
    for file in batch:
        try:
            text = read_text(file.content, file.name)
        except DamagedRecordError as error:
            damaged[file.key] = _reason(error, file)
            continue
        if text is None:
            older.append(file)
        else:
            texts[file.key] = text
    tables, digests = [_table_of(texts, damaged)], {key: text.digest for key, text in texts.items()}
    for file, record in _decode_older(older):
        if isinstance(record, DamagedRecordError):
            damaged[file.key] = _reason(record, file)
        else:
            tables.append(record.table)
            digests[file.key] = record.digest
    return RecordBatch(
        table=pa.concat_tables(tables), keys=tuple(digests), digests=tuple(digests.values()), damaged=damaged
    )


def _reason(error: DamagedRecordError, file: _RecordFile) -> str:
    return str(error).removeprefix(f"{file.name}: ")


def _table_of(texts: dict[Key, RecordText], damaged: dict[Key, str]) -> pa.Table:
    """The rows of the texts. Moves the texts that do not fit the schema, or fail the check of rows, to `damaged`."""
    try:
        table = table_of([text.row for text in texts.values()], record_schema())
        faults = faults_of(table) if texts else {}
    except _MISFITS:
        faults = _misfits(texts.values())
        if not faults:
            raise
    if not faults:
        return table
    for row, key in enumerate(list(texts)):
        if row in faults:
            damaged[key] = faults[row]
            del texts[key]
    return _table_of(texts, damaged)


def _misfits(texts: Iterable[RecordText]) -> dict[int, str]:
    found = {}
    for row, text in enumerate(texts):
        try:
            table_of([text.row], record_schema())
        except _MISFITS:
            found[row] = "a value does not fit its column"
    return found


def _decode_older(
    files: Sequence[_RecordFile],
) -> Iterator[tuple[_RecordFile, DecodedRecord | DamagedRecordError]]:
    """The content of files without text. Threads help, since most of the time is spent outside Python."""
    if files:
        with ThreadPoolExecutor(_THREADS) as pool:
            yield from zip(files, pool.map(_decode_one, files), strict=True)


def _decode_one(file: _RecordFile) -> DecodedRecord | DamagedRecordError:
    assert isinstance(file.content, bytes)
    try:
        return decode_record(file.content, file.name)
    except DamagedRecordError as error:
        return error
