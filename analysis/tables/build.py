"""Turns a results table and its mapping into the input of the analysis: one row for each trial, and `StudyInfo`."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from analysis.model.axis_values import category_order
from analysis.model.info import ArmInfo, AxisInfo, StudyInfo
from analysis.model.meaning import HIGHER_TEMPERATURE, LOWER_TEMPERATURE, TEMPERATURE, Meaning
from analysis.tables.absent import with_absent
from analysis.tables.columns import understand
from analysis.tables.mapping import TableMapping
from analysis.tables.meanings import meanings
from analysis.tables.metric import table_metric, table_tolerance
from analysis.tables.metric_names import settled_directions
from analysis.tables.trials import config_ids, hp_column, table_trials
from analysis.tables.usual_names import BATCH_SIZES, KERNEL_SCALES, STAND_INS, TEMPERATURES, plain
from trainables.store.schema import Status


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
    x = _x_axis(table, mapping)
    info = StudyInfo(
        name=mapping.name or "results",
        metric=metric,
        arms=tuple(_arm(label, rows, table, mapping, x) for label in dict.fromkeys(table["arm"])),
        seeds=tuple(sorted(table["seed"].unique())),
        reference=mapping.reference,
        null_controls=mapping.null_controls,
        tolerance=table_tolerance(mapping, metric, rows, ok),
        tolerance_source="the default" if mapping.tolerance is None else "as given",
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


def _x_axis(table: pd.DataFrame, mapping: TableMapping) -> str:
    """The x axis of every loss: the named one, or batch size, or a hyperparameter that varies in every loss.

    It is not the axis that is named as `main`. One more hyperparameter is left for the other axis of surfaces.
    Without such, x is a placeholder.
    """
    if mapping.x:
        return hp_column(mapping.x)
    axes = [hp_column(name) for name in mapping.axes]
    shared = [name for name in axes if (table.groupby("arm", sort=False)[name].nunique() > 1).all()]
    main = hp_column(mapping.main) if mapping.main else _most_values(table, shared)
    sized = [name for name in axes if plain(name) in BATCH_SIZES and hp_column(mapping.main or "") != name]
    others = [name for name in shared if name != main]
    return next(iter(sized), None) or _most_values(table, others) or STAND_INS[0]


def _most_values(table: pd.DataFrame, axes: Sequence[str]) -> str | None:
    """Of the numeric axes, or else of all, the one with the most values."""
    numeric = [name for name in axes if not category_order(table[name])]
    return max(numeric or axes, key=lambda name: table[name].nunique(), default=None)


def _arm(label: str, rows: pd.DataFrame, table: pd.DataFrame, mapping: TableMapping, x: str) -> ArmInfo:
    """The arm of one loss. `rows` are those of the user, in the order of `table`, with their types."""
    own = (table["arm"] == label).to_numpy()
    orders = {hp_column(name): category_order(rows[name][own]) for name in mapping.axes}
    main = _main_axis(table[own], mapping, orders, x)
    further = [name for name in orders if name not in (x, main) and table.loc[own, name].nunique() > 1]
    return ArmInfo(
        label=label,
        loss=label,
        axes=tuple(_axis(name, label, mapping, orders) for name in (x, main, *further)),
    )


def _main_axis(rows: pd.DataFrame, mapping: TableMapping, axes: Mapping[str, tuple[str, ...]], x: str) -> str:
    """The other axis of surfaces: the one that is named, or the numeric column with the most values in this loss."""
    if mapping.main:
        return hp_column(mapping.main)
    free = [name for name in axes if name != x and rows[name].notna().any()]
    numeric = [name for name in free if not axes[name]]
    wanted = sorted(numeric or free, key=lambda name: -rows[name].nunique())
    return wanted[0] if wanted else next(name for name in STAND_INS if name != x)


def _axis(column: str, loss: str, mapping: TableMapping, orders: Mapping[str, tuple[str, ...]]) -> AxisInfo:
    bare = column.removeprefix("hp_")
    measure = (mapping.measures or {}).get(bare, "log")
    label = "batch size, pairs" if plain(bare) in BATCH_SIZES else ""
    default = 1.0 if column in STAND_INS else None
    return AxisInfo(
        name=column,
        label=label,
        measure=measure,
        default=default,
        order=orders.get(column, ()),
        meaning=_meaning(bare, loss, mapping),
    )


def _meaning(name: str, loss: str, mapping: TableMapping) -> Meaning:
    """The meaning of a column: as the mapping says, or as its name says.

    A scale of a kernel means something else with each kernel, so it is one loss's own. Any other column means the
    same in every loss.
    """
    declared = (mapping.temperatures or {}).get(name)
    if declared is not None:
        acts = HIGHER_TEMPERATURE if declared[1] > 0 else LOWER_TEMPERATURE
        return Meaning(of=f"{name} of {loss}", larger_acts_as=acts, law=declared)
    if plain(name) in TEMPERATURES:
        return TEMPERATURE
    return Meaning(of=f"{name} of {loss}" if plain(name) in KERNEL_SCALES else "")


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
