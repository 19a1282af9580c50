"""Which attempts at trials count, for one study and for a store as a whole.

Studies, bundles and the analysis read stores through this module. It imports no torch.
"""

import dataclasses
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trainables.store.records import RecordSet, RecordStore
from trainables.store.schema import Status


def read_records(store: RecordStore, only: set[str], searches: Collection[str] = ()) -> RecordSet:
    """The attempts that count for a study with these `searches`, for the trials in `only`; see `counting_records`."""
    return counting_records(store, store.read(only), only, searches)


def counting_records(
    store: RecordStore, found: RecordSet, only: set[str], searches: Collection[str] = ()
) -> RecordSet:
    """The attempt that counts for a study with these `searches`, for each trial in `only`.

    This is the latest attempt that no search of another study stopped early. A trial whose attempts were all stopped
    by other studies has no record here. `found` has the latest attempt at each trial. If other searches stopped some
    of these attempts, the whole store is read.
    """
    stops = found.table.filter(pc.equal(found.table["status"], Status.PRUNED.value))
    if not any(is_foreign_stop(row, searches) for row in _rows(stops)):
        return found
    every = store.read_all()
    counting = {
        row["trial_id"]: index
        for index, row in enumerate(_rows(every.table))  # ordered by trial and attempt
        if row["trial_id"] in only and not is_foreign_stop(row, searches)
    }
    return dataclasses.replace(_select(every, counting.values()), damaged=found.damaged)


def read_whole_store(store: RecordStore) -> RecordSet:
    """The attempt that counts for every trial in a store, without a study: the latest that no search stopped.

    If searches stopped all attempts at a trial, its latest attempt is kept, with status `pruned`, as in the report of
    the study whose search stopped it. The analysis counts such a trial as planned and without a result. The rows of a
    damaged file are left out, also those of a compacted file. Raises `StoreError` if the store cannot be read.
    """
    every = store.read_all(skip_damaged=True)
    results: dict[str, int] = {}
    stops: dict[str, int] = {}
    for index, row in enumerate(_rows(every.table)):  # ordered by trial and attempt
        (stops if is_foreign_stop(row, ()) else results)[row["trial_id"]] = index
    return _select(every, (stops | results).values())


def _select(records: RecordSet, rows: Iterable[int]) -> RecordSet:
    """The records with these row indices, in ascending order."""
    order = sorted(rows)
    table = records.table.take(pa.array(order, pa.int64()))
    digests = tuple(records.digests[row] for row in order)
    return RecordSet(table=table, damaged=records.damaged, digests=digests)


def is_foreign_stop(row: Mapping[str, Any], searches: Collection[str]) -> bool:
    """Whether the record is of a trial that was stopped early by a search that is not in `searches`."""
    return bool(row["status"] == Status.PRUNED and row["pruned_by"] not in searches)


def _rows(table: pa.Table) -> list[dict[str, Any]]:
    return list(table.select(["trial_id", "status", "pruned_by"]).to_pylist())


def latest_attempts(records: pa.Table) -> dict[str, int]:
    """The attempt number by trial id, for records with one row for each trial."""
    columns = records.select(["trial_id", "attempt"]).to_pydict()
    return dict(zip(columns["trial_id"], columns["attempt"], strict=True))


def all_attempts(store: RecordStore, trial_ids: Sequence[str]) -> pa.Table:
    """Every valid attempt at these trials, ordered by trial and attempt."""
    table = store.read_all().table
    return table.filter(pc.is_in(table["trial_id"], value_set=pa.array(trial_ids, pa.string())))


def failures(records: pa.Table) -> list[Mapping[str, Any]]:
    """The rows of failed trials, in the store's order: every status except `ok` and `pruned`."""
    columns = ["trial_id", "attempt", "status", "error_class", "error_message", "error_traceback"]
    return [row for row in records.select(columns).to_pylist() if row["status"] not in ("ok", "pruned")]
