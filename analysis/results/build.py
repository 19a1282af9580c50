"""Turns a results table and its mapping into the input of the analysis: one row for each trial, and `StudyInfo`."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from analysis.axis_values import category_order
from analysis.info import ArmInfo, AxisInfo, StudyInfo
from analysis.results.absent import with_absent
from analysis.results.columns import understand
from analysis.results.mapping import TableMapping
from analysis.results.meanings import meanings
from analysis.results.metric import table_metric, table_tolerance
from analysis.results.metric_names import settled_directions
from analysis.results.trials import config_ids, hp_column, table_trials
from analysis.results.usual_names import BATCH_SIZES, plain
from trainables.store.schema import Status

#: Placeholder axes for a table that varies in only one hyperparameter, or in none.
_STAND_INS = ("hp_setting", "hp_constant")


def table_study(rows: pd.DataFrame, mapping: TableMapping) -> tuple[pd.DataFrame, StudyInfo]:
    """The table that `analysis.study_analysis.analyse_table` takes, and the study's description.

    Every loss of the table is an arm. Trials that must have been planned but have no row count as not run yet
    (`absent.with_absent`), unless the mapping says that the table is `complete`. Raises `ValueError` for unknown
    columns, a row without loss, seed or status, a metric that is not a number or of which neither name nor mapping
    tells direction and unit, an unknown status, too many columns that may be hyperparameters, and two rows of one
    loss, configuration and seed.
    """
    understood = understand(rows, mapping)
    rows, mapping = understood.rows, understood.mapping
    settled_directions(mapping)
    table = table_trials(understood)
    ok = (table["status"] == Status.OK).to_numpy()
    metric = table_metric(rows, mapping, ok)
    info = StudyInfo(
        name=mapping.name or "results",
        metric=metric,
        arms=tuple(_arm(label, rows, table, mapping) for label in dict.fromkeys(table["arm"])),
        seeds=tuple(sorted(table["seed"].unique())),
        reference=mapping.reference,
        null_controls=mapping.null_controls,
        tolerance=table_tolerance(mapping, metric, rows, ok),
        environment="data",
        task="imported table",
        imported=True,
        columns=meanings(understood, metric),
        drawn=bool(understood.drawn),
        adaptive=mapping.adaptive,
        describes=mapping.describes,
    )
    _check_repeats(table)
    if not mapping.complete:
        table = with_absent(table, info)
        table["config_id"] = config_ids(table, mapping)
    return table, info


def _arm(label: str, rows: pd.DataFrame, table: pd.DataFrame, mapping: TableMapping) -> ArmInfo:
    """The arm of one loss. `rows` are those of the user, in the order of `table`, with their types."""
    own = (table["arm"] == label).to_numpy()
    orders = {hp_column(name): category_order(rows[name][own]) for name in mapping.axes}
    x, main = _two_axes(table[own], mapping, orders)
    return ArmInfo(label=label, loss=label, axes=(_axis(x, mapping, orders), _axis(main, mapping, orders)))


def _two_axes(
    rows: pd.DataFrame, mapping: TableMapping, axes: Mapping[str, tuple[str, ...]]
) -> tuple[str, str]:
    """The axes of surfaces: those that are named, or batch size and the numeric column with the most values."""
    sized = [name for name in axes if plain(name) in BATCH_SIZES]
    x = hp_column(mapping.x) if mapping.x else (sized or [_STAND_INS[0]])[0]
    if mapping.main:
        return x, hp_column(mapping.main)
    free = [name for name in axes if name != x and rows[name].notna().any()]
    numeric = [name for name in free if not axes[name]]
    wanted = sorted(numeric or free, key=lambda name: -rows[name].nunique())
    return x, wanted[0] if wanted else next(name for name in _STAND_INS if name != x)


def _axis(column: str, mapping: TableMapping, orders: Mapping[str, tuple[str, ...]]) -> AxisInfo:
    bare = column.removeprefix("hp_")
    measure = (mapping.measures or {}).get(bare, "log")
    label = "batch size, pairs" if plain(bare) in BATCH_SIZES else ""
    default = 1.0 if column in _STAND_INS else None
    return AxisInfo(name=column, label=label, measure=measure, default=default, order=orders.get(column, ()))


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
