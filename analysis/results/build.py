"""Turns a results table and its mapping into the input of the analysis: one row for each trial, and `StudyInfo`."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.info import ArmInfo, AxisInfo, StudyInfo
from analysis.results.absent import with_absent
from analysis.results.columns import BATCH_SIZES, resolved
from analysis.results.mapping import TableMapping
from analysis.results.metric import table_metric, table_tolerance
from analysis.results.plain_columns import plain_columns
from analysis.results.trials import config_ids, hp_column, table_trials

#: Placeholder axes for a table that varies in only one hyperparameter, or in none.
_STAND_INS = ("hp_setting", "hp_constant")


def table_study(rows: pd.DataFrame, mapping: TableMapping) -> tuple[pd.DataFrame, StudyInfo]:
    """The table that `analysis.study_analysis.analyse_table` takes, and the study's description.

    Every loss of the table is an arm. Trials that must have been planned but have no row count as not run yet
    (`absent.with_absent`), unless the mapping says that the table is `complete`. Raises `ValueError` for unknown
    columns, a row without loss, seed or status, a metric that is not a number, an unknown status, too many columns
    that may be hyperparameters, and two rows of one loss, configuration and seed.
    """
    rows = plain_columns(rows)
    mapping = resolved(rows, mapping)
    table = table_trials(rows, mapping)
    metric = table_metric(rows, mapping)
    info = StudyInfo(
        name=mapping.name or "results",
        metric=metric,
        arms=tuple(_arm(label, table, mapping) for label in dict.fromkeys(table["arm"])),
        seeds=tuple(sorted(table["seed"].unique())),
        reference=mapping.reference,
        null_controls=mapping.null_controls,
        tolerance=table_tolerance(mapping, metric, rows),
        environment="data",
        task="imported table",
        imported=True,
        describes=mapping.describes,
    )
    _check_repeats(table)
    if not mapping.complete:
        table = with_absent(table, info)
        table["config_id"] = config_ids(table, mapping)
    return table, info


def _arm(label: str, table: pd.DataFrame, mapping: TableMapping) -> ArmInfo:
    rows = table[table["arm"] == label]
    x, main = _two_axes(rows, mapping, [hp_column(name) for name in mapping.axes])
    return ArmInfo(label=label, loss=label, axes=(_axis(x, mapping), _axis(main, mapping)))


def _two_axes(rows: pd.DataFrame, mapping: TableMapping, axes: Sequence[str]) -> tuple[str, str]:
    """The axes of surfaces: those that are named, or batch size and the numeric column with the most values."""
    sized = [name for name in axes if name.removeprefix("hp_").lower() in BATCH_SIZES]
    x = hp_column(mapping.x) if mapping.x else (sized or [_STAND_INS[0]])[0]
    if mapping.main:
        return x, hp_column(mapping.main)
    free = [name for name in axes if name != x and rows[name].notna().any()]
    numeric = [name for name in free if rows[name].dtype.kind in "iuf"]
    wanted = sorted(numeric or free, key=lambda name: -rows[name].nunique())
    return x, wanted[0] if wanted else next(name for name in _STAND_INS if name != x)


def _axis(column: str, mapping: TableMapping) -> AxisInfo:
    bare = column.removeprefix("hp_")
    measure = (mapping.measures or {}).get(bare, "log")
    label = "batch size, pairs" if bare.lower() in BATCH_SIZES else ""
    default = 1.0 if column in _STAND_INS else None
    return AxisInfo(name=column, label=label, measure=measure, default=default)


def _check_repeats(table: pd.DataFrame) -> None:
    keys = ["data", "arm", "config_id", "seed"]
    twice = table.duplicated(keys)
    if twice.any():
        second = int(np.argmax(twice))
        row = table.loc[second]
        same = (table[keys].astype(object).fillna("") == row[keys].astype(object).fillna("")).all(axis=1)
        first = int(np.argmax(same))
        raise ValueError(
            f"table: rows {first + 1} and {second + 1} are one trial (loss {row['arm']}, seed {row['seed']}, "
            "equal hyperparameters); keep one, or name the column that tells them apart as an axis"
        )
