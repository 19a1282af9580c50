"""Reads the tables that trials keep beside their records: learning curves, gap curves and final embeddings."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from trainables.reading import check_regular

#: The largest file, in bytes, and the most rows in it. A usual file has less than a thousandth of them.
_MOST_BYTES, _MOST_ROWS = 2**28, 10**7


def read_kept(path: Path) -> pa.Table:
    """The table of one file. Raises `OSError` for no regular file, and `ValueError` for a damaged one.

    A file may come with a copied store. One above the bounds is refused in the same way.
    """
    check_regular(path, _MOST_BYTES)
    with pq.ParquetFile(path) as file:
        if (rows := file.metadata.num_rows) > _MOST_ROWS:
            raise ValueError(f"{path}: has {rows:,} rows; at most {_MOST_ROWS:,} are read")
        return file.read()
