"""Bounds of tables of results, checked before a table is in memory."""

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from trainables.reading import TABLE_BYTES

#: The most columns of a table, and the most cells: a million rows with fifty columns.
MOST_COLUMNS, MOST_CELLS = 10_000, 50_000_000

#: Rows of a batch of Parquet.
_BATCH_ROWS = 1 << 16


def check_columns(columns: int) -> None:
    """Raise `ValueError` for a table with too many columns."""
    if columns > MOST_COLUMNS:
        raise ValueError(f"{columns:,} columns; at most {MOST_COLUMNS:,} are read")


def check_size(rows: int, columns: int) -> None:
    """Raise `ValueError` for a table with too many columns or cells."""
    check_columns(columns)
    if rows * columns > MOST_CELLS:
        raise ValueError(
            f"{rows:,} rows of {columns:,} columns are {rows * columns:,} cells; at most {MOST_CELLS:,} are read; "
            "leave out columns that the report does not need, or split the table"
        )


def bounded_parquet(content: bytes) -> pa.Table:
    """The table in the bytes of a Parquet file. Raises `ValueError` if it is too large, and `pa.ArrowException`.

    A few kilobytes can hold millions of long texts, as one text and its number of repetitions. So each distinct text
    of a column is first read once.
    """
    file = pq.ParquetFile(pa.BufferReader(content))
    schema = file.schema_arrow
    check_size(file.metadata.num_rows, len(schema))
    groups = [file.metadata.row_group(number) for number in range(file.num_row_groups)]
    chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
    check_cells(sum(chunk.num_values for chunk in chunks))
    check_bytes(sum(chunk.total_uncompressed_size for chunk in chunks))
    texts = [field.name for field in schema if _has_length(field.type)]
    if not texts:
        return file.read()
    shared = pq.ParquetFile(pa.BufferReader(content), read_dictionary=texts)
    size, batches = 0, []
    for batch in shared.iter_batches(_BATCH_ROWS):
        size += sum(_expanded_bytes(column) for column in batch.columns)
        check_bytes(size)
        batches.append(batch)
    return pa.Table.from_batches(batches, shared.schema_arrow).cast(schema) if batches else file.read()


def bounded_feather(content: bytes) -> pa.Table:
    """The table in the bytes of a Feather file. Raises as `bounded_parquet` does."""
    import pyarrow.feather as feather

    if content.startswith(b"FEA1"):  # without compression, and so as large as the file
        return feather.read_table(pa.BufferReader(content))
    size, rows, batches = 0, 0, []
    with pa.ipc.open_file(pa.BufferReader(content)) as file:
        for number in range(file.num_record_batches):
            batch = file.get_batch(number)
            rows += len(batch)
            check_size(rows, batch.num_columns)
            size += sum(_expanded_bytes(column) for column in batch.columns)
            check_bytes(size)
            batches.append(batch)
        return pa.Table.from_batches(batches, file.schema)


def check_cells(cells: int) -> None:
    """Raise `ValueError` for too many values in all columns, which lists in cells can have."""
    if cells > MOST_CELLS:
        raise ValueError(f"{cells:,} values; at most {MOST_CELLS:,} are read")


def check_bytes(size: int) -> None:
    """Raise `ValueError` for a table that takes too many bytes in memory."""
    if size > TABLE_BYTES:
        raise ValueError(f"it unpacks to {size:,} bytes or more; at most {TABLE_BYTES:,} are read")


def _has_length(kind: pa.DataType) -> bool:
    """Whether values are texts or bytes, of which one can be as long as the file."""
    types = pa.types
    if types.is_dictionary(kind):
        return _has_length(kind.value_type)
    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def _expanded_bytes(column: pa.Array) -> int:
    """The bytes of a column once each cell has its own text."""
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    if not _has_length(column.type.value_type):
        return int(column.indices.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0)
