"""Joins planned trials with their records into one table, the input of every statistic."""

import pandas as pd

from analysis.model.info import RECORD_COLUMNS
from analysis.redact import redact_paths

#: Columns that `planned` must have; hyperparameters are other columns `hp_*`.
PLANNED_COLUMNS = ("trial_id", "config_id", "arm", "seed")

#: Columns whose texts may contain paths, which no report should show.
_PLACES = ("data", "encoder", "error_message")


def build_table(planned: pd.DataFrame, records: pd.DataFrame) -> pd.DataFrame:
    """One row for each planned trial, in planned order, with the columns of its record; status NaN without a record.

    Where plan and record have the same column, the plan's value is used. Every column of the record schema is
    present, so that a study without any record has a table too. Records of trials that are not planned are left out.
    Machine paths are reduced to their last part. Raises `ValueError` for missing columns and for a trial that occurs
    twice in an arm or in the records.
    """
    _check_columns(planned, "planned", PLANNED_COLUMNS)
    _check_columns(records, "records", ("trial_id", "status") if len(records) else ())
    _check_unique(planned, "planned", ["arm", "trial_id"])
    wanted = dict.fromkeys((*RECORD_COLUMNS, *records.columns))
    found = records.reindex(columns=list(wanted))
    _check_unique(found, "records", ["trial_id"])
    new = [name for name in found.columns if name not in planned.columns]
    found = found[["trial_id", *new]].astype({"trial_id": planned["trial_id"].dtype})
    table = planned.merge(found, on="trial_id", how="left", validate="many_to_one")
    for column in _PLACES:
        table[column] = table[column].map(redact_paths, na_action="ignore")
    return table


def _check_columns(frame: pd.DataFrame, name: str, needed: tuple[str, ...]) -> None:
    absent = [column for column in needed if column not in frame.columns]
    if absent:
        raise ValueError(f"{name}: columns {absent} are missing; got {list(frame.columns)[:20]}")


def _check_unique(frame: pd.DataFrame, name: str, keys: list[str]) -> None:
    twice = frame.loc[frame.duplicated(keys), "trial_id"]
    if len(twice):
        raise ValueError(f"{name}: trial {twice.iloc[0]} stands there twice; each may stand once")
