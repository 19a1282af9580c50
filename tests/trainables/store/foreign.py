"""Files that somebody made and copied into a store."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from tests.trainables.records_example import example_record
from trainables.store.compacted_file import encode_compacted
from trainables.store.record_file import record_digests
from trainables.store.schema import record_to_table


def hostile_row(**changes: Any) -> pa.Table:
    """The row of a record with values that its class would accept but no trial writes."""
    table = record_to_table(example_record())
    for name, value in changes.items():
        place = table.schema.get_field_index(name)
        field = table.schema.field(place)
        table = table.set_column(place, field, pa.array([value], field.type))
    return table


def put_compacted(
    store: Path,
    rows: Sequence[pa.Table],
    *,
    replaces: Collection[str] = (),
    digests: Sequence[str] | None = None,
) -> Path:
    """A compacted file with these rows, whose digests are right unless they are given."""
    table = pa.concat_tables(rows)
    name, content = encode_compacted(table, digests or record_digests(table), replaces)
    path = store / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
