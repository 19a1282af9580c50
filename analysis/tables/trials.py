"""Turns the rows of a results table into planned trials and their records."""

import numpy as np
import pandas as pd

from analysis.model.cells import MISSING
from analysis.model.table import build_table
from analysis.tables.columns import Understood, check_filled
from analysis.tables.mapping import TableMapping
from analysis.tables.metric import numbers
from analysis.tables.statuses import statuses
from trainables.store.schema import Status


def table_trials(table: Understood) -> pd.DataFrame:
    """One row for each trial, as `analysis.model.table` joins plan and records.

    Raises `ValueError` for a metric that is not a number and a status that is unknown or empty.
    """
    rows, mapping = table.rows, table.mapping
    status = row_statuses(table)
    planned = pd.DataFrame(
        {
            "trial_id": np.arange(len(rows)).astype(str),
            "arm": rows[mapping.loss].to_numpy(),
            "seed": _seeds(rows[mapping.seed]),
            **{hp_column(name): rows[name].to_numpy() for name in mapping.axes},
            "data": rows[mapping.data].to_numpy() if mapping.data else None,
        }
    )
    planned["loss"] = planned["arm"]
    planned["config_id"] = config_ids(planned, mapping)
    records = pd.DataFrame({"trial_id": planned["trial_id"], "status": status})
    for name in (mapping.metric, mapping.selects or mapping.metric, *table.described):
        records[name] = numbers(rows, name)
    for name, column in table.facts.items():
        is_text = not name.startswith("hp_")
        records[name] = (rows[column].map(str, na_action="ignore") if is_text else rows[column]).to_numpy()
    return build_table(planned, records[status != MISSING])


def row_statuses(table: Understood) -> np.ndarray:
    """The status of every row `(N,)`."""
    column = table.mapping.status
    if column is None:
        return np.full(len(table.rows), str(Status.OK), dtype=object)
    check_filled(table.rows[column], "status")
    return statuses(table.rows[column])


def config_ids(table: pd.DataFrame, mapping: TableMapping) -> pd.Series:
    """A number for each configuration of a loss, in order of occurrence."""
    keys = ["arm", *map(hp_column, mapping.axes)]
    return table.groupby(keys, dropna=False, sort=False).ngroup().astype(str)


def hp_column(name: str) -> str:
    """The column of a hyperparameter in trial records."""
    return name if name.startswith("hp_") else f"hp_{name}"


def _seeds(column: pd.Series) -> np.ndarray:
    """Seeds as whole numbers; as texts where one is no whole number."""
    if column.dtype.kind == "f" and (column % 1 == 0).all():
        return column.to_numpy().astype(int)
    return column.to_numpy() if column.dtype.kind in "iu" else column.astype(str).to_numpy(dtype=object)
