"""Trials that a table must have had in its plan and has no row of: they count as not run yet."""

import numpy as np
import pandas as pd

from analysis.arms import split_arms
from analysis.cells import Axis, Cells, axis_values, build_cells
from analysis.info import ArmInfo, StudyInfo


def with_absent(table: pd.DataFrame, info: StudyInfo) -> pd.DataFrame:
    """The table with a row, without a status, for every absent trial of each loss on each data set.

    A table tells what ran, not what was planned. Assumed is that a loss was planned at every configuration on
    every seed that it has any row of; its configurations are all combinations of its values where at least half of
    them occur (`cells.build_cells`), else those that occur. Values and seeds of other losses say nothing of it.
    Seeds that were drawn anew for each configuration are crossed with none: there, as told by the mean number of
    configurations that a seed stands in, nothing is absent (`_crossed`).
    """
    alone = {arm.label: info.with_arms((arm,), reference="", null_controls=()) for arm in info.arms}
    groups = [rows for _, rows in table.groupby(["data", "arm"], dropna=False, sort=False)]
    found = pd.concat([_absent_of_loss(rows, alone[str(rows["arm"].iloc[0])]) for rows in groups])
    if found.empty:
        return table
    found["trial_id"] = np.arange(len(table), len(table) + len(found)).astype(str)
    return pd.concat([table, found.reindex(columns=table.columns)], ignore_index=True)


def _absent_of_loss(rows: pd.DataFrame, info: StudyInfo) -> pd.DataFrame:
    """Absent rows of one loss on one data set, whose parts are those that the analysis cuts it into."""
    cut, info = split_arms(rows, info)
    seeds = np.unique(rows["seed"].to_numpy())
    parts = [(cut[cut["arm"] == arm.label], arm) for arm in info.arms]
    return pd.concat([_absent_of_part(part, arm, info, seeds) for part, arm in parts])


def _absent_of_part(rows: pd.DataFrame, arm: ArmInfo, info: StudyInfo, seeds: np.ndarray) -> pd.DataFrame:
    cells = build_cells(rows, arm, info.metric, arm.axes, drawn=info.drawn)
    there = np.zeros((len(cells.codes), len(seeds)), dtype=bool)
    there[:, np.searchsorted(seeds, cells.seeds)] = cells.planned
    if not _crossed(there, cells):
        return rows.iloc[:0]
    at_cell, at_seed = np.nonzero(~there)
    first = rows.iloc[0]
    kept = [name for name in rows.columns if name.startswith("hp_") or name in ("data", "loss")]
    columns = {name: first[name] for name in kept} | {"arm": arm.whole_label, "seed": seeds[at_seed]}
    for axis, codes in zip(cells.axes, cells.codes.T, strict=True):
        if axis.name in rows.columns:
            columns[axis.name] = _written(rows, axis)[codes[at_cell]]
    return pd.DataFrame(columns, index=range(len(at_cell)))


def _crossed(there: np.ndarray, cells: Cells) -> bool:
    """Whether seeds were shared by configurations `(C, S)`: on average one stands in half of them.

    Of a grid two are enough, since its values are shared on purpose; seeds of a random search may meet by chance.
    """
    half = there.shape[0] / 2
    return bool(there.sum() >= there.shape[1] * (half if cells.shape is None else min(half, 2)))


def _written(rows: pd.DataFrame, axis: Axis) -> np.ndarray:
    """An axis' values `(L,)` as the table has them, in the order of their codes."""
    _, first = np.unique(axis_values(rows, axis.info), return_index=True)
    return rows[axis.name].to_numpy()[first]
