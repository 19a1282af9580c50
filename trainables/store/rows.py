"""Rows gathered from many files, each record once."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa

from trainables.store.compacted_file import CompactedFile, Key
from trainables.store.record_file import DecodedRecord, schema


@dataclass
class Rows:
    """Tables in the record schema, with each row's key and digest. Of a record that comes twice the first counts."""

    tables: list[pa.Table] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)
    row_of: dict[Key, int] = field(default_factory=dict)
    highest: dict[str, int] = field(default_factory=dict)  # attempt of each trial

    @classmethod
    def of_compacted(cls, files: Iterable[CompactedFile]) -> "Rows":
        """The rows of these files."""
        rows = cls()
        for file in files:
            rows._extend(file.table, file.digests, list(file.keys))
        return rows

    def add(self, key: Key, record: DecodedRecord) -> None:
        """Add a record from a file of its own."""
        self._extend(record.table, (record.digest,), [key])

    def select(
        self, only: set[str] | None = None, *, latest: bool = False
    ) -> tuple[pa.Table, tuple[str, ...]]:
        """Rows and digests in order of trial and attempt: of the trials in `only`, if given, and of each trial its
        highest attempt, if `latest`."""
        keys = self.highest.items() if latest else self.row_of
        order = array("q", [self.row_of[key] for key in sorted(keys) if only is None or key[0] in only])
        if not order:
            return schema().empty_table(), ()
        table = take_rows(pa.concat_tables(self.tables), order).combine_chunks()
        return table, tuple(self.digests[row] for row in order)

    def _extend(self, table: pa.Table, digests: Iterable[str], keys: list[Key]) -> None:
        start = len(self.digests)
        self.tables.append(table)
        self.digests.extend(digests)
        for row, (trial_id, attempt) in enumerate(keys, start):
            self.row_of.setdefault((trial_id, attempt), row)
            self.highest[trial_id] = max(attempt, self.highest.get(trial_id, 0))


def take_rows(table: pa.Table, rows: Iterable[int]) -> pa.Table:
    """These rows of a table, in their order."""
    order = array("q", rows)
    # From a buffer, since an array made of Python objects imports pandas: a second more for `study status`.
    return table.take(pa.Array.from_buffers(pa.int64(), len(order), [None, pa.py_buffer(order)]))
