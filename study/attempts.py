"""Attempts at trials as the store has them."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from trainables.records import RecordStore


def latest_attempts(records: pa.Table) -> dict[str, int]:
    """Number of the attempt by trial, of records with one row a trial."""
    columns = records.select(["trial_id", "attempt"]).to_pydict()
    return dict(zip(columns["trial_id"], columns["attempt"], strict=True))


def all_attempts(store: RecordStore, trial_ids: Sequence[str]) -> pa.Table:
    """Every valid attempt at these trials, ordered by trial and attempt."""
    table = store.read_all().table
    return table.filter(pc.is_in(table["trial_id"], value_set=pa.array(trial_ids, pa.string())))


def failures(records: pa.Table) -> list[Mapping[str, Any]]:
    """Rows of trials that ended without a result, diverged ones among them, in the store's order."""
    columns = ["trial_id", "attempt", "status", "error_class", "error_message", "error_traceback"]
    return [row for row in records.select(columns).to_pylist() if row["status"] not in ("ok", "pruned")]
