"""Tables of any columns as Parquet."""

import pandas as pd
import pyarrow as pa

from analysis.model.axis_values import category


def parquet_bytes(table: pd.DataFrame) -> bytes:
    """A table as Parquet. Parquet has one type in each column, so a column of several types becomes text."""
    held = [
        name for name in table.columns if table[name].dtype.kind == "O" and not _has_one_type(table[name])
    ]
    content: bytes = table.assign(
        **{name: table[name].map(category, na_action="ignore") for name in held}
    ).to_parquet(index=False)
    return content


def _has_one_type(column: pd.Series) -> bool:
    try:
        pa.array(column, from_pandas=True)
    except (pa.ArrowException, OverflowError):
        return False
    return True
