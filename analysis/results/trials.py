"""Turns the rows of a results table into planned trials and their records."""

import numpy as np
import pandas as pd

from analysis.cells import MISSING
from analysis.results.columns import check_filled, described_columns, fact_columns
from analysis.results.mapping import TableMapping
from analysis.results.metric import numbers
from analysis.table import build_table
from trainables.store.schema import Status

#: Allowed words in a column of statuses. The last one is for trials that were planned and have not run yet.
STATUSES = (*sorted(str(status) for status in Status), MISSING)


def table_trials(rows: pd.DataFrame, mapping: TableMapping) -> pd.DataFrame:
    """One row for each trial, as `analysis.table` joins plan and records.

    `mapping` is the result of `columns.resolved`. Raises `ValueError` for a metric that is not a number and a status
    that is unknown or empty.
    """
    status = _statuses(rows, mapping)
    planned = pd.DataFrame(
        {
            "trial_id": np.arange(len(rows)).astype(str),
            "arm": rows[mapping.loss].astype(str).to_numpy(),
            "seed": _seeds(rows[mapping.seed]),
            **{hp_column(name): rows[name].to_numpy() for name in mapping.axes},
            "data": rows[mapping.data].astype(str).to_numpy() if mapping.data else None,
        }
    )
    planned["loss"] = planned["arm"]
    planned["config_id"] = config_ids(planned, mapping)
    records = pd.DataFrame({"trial_id": planned["trial_id"], "status": status})
    for name in (mapping.metric, mapping.selects or mapping.metric, *described_columns(rows, mapping)):
        records[name] = numbers(rows, name)
    for name, column in fact_columns(rows, mapping).items():
        is_text = not name.startswith("hp_")
        records[name] = (rows[column].map(str, na_action="ignore") if is_text else rows[column]).to_numpy()
    return build_table(planned, records[status != MISSING])


def config_ids(table: pd.DataFrame, mapping: TableMapping) -> pd.Series:
    """A number for each configuration of a loss, in order of occurrence."""
    keys = ["arm", *map(hp_column, mapping.axes)]
    return table.groupby(keys, dropna=False, sort=False).ngroup().astype(str)


def hp_column(name: str) -> str:
    """The column of a hyperparameter in trial records."""
    return name if name.startswith("hp_") else f"hp_{name}"


def _seeds(column: pd.Series) -> np.ndarray:
    """Whole numbers unchanged; other values by their position in sorted order."""
    if column.dtype.kind == "f" and (column % 1 == 0).all():
        return column.to_numpy().astype(int)
    return column.to_numpy() if column.dtype.kind in "iu" else pd.factorize(column, sort=True)[0]


def _statuses(rows: pd.DataFrame, mapping: TableMapping) -> np.ndarray:
    if mapping.status is None:
        return np.full(len(rows), str(Status.OK), dtype=object)
    check_filled(rows[mapping.status], "status")
    told = rows[mapping.status].astype(str).str.strip().str.lower().to_numpy(dtype=object)
    unknown = sorted(set(told) - set(STATUSES))
    if unknown:
        raise ValueError(f"status: got {unknown[0]!r}; allowed are {', '.join(STATUSES)}")
    return told
