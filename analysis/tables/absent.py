"""Adds trials that were planned but have no row in a results table; they count as not run yet.

`results.build` uses it.
"""

import numpy as np
import pandas as pd

from analysis.model.arms import split_arms
from analysis.model.cells import Axis, Cells, axis_values, build_cells
from analysis.model.info import ArmInfo, StudyInfo


def with_absent(table: pd.DataFrame, info: StudyInfo) -> pd.DataFrame:
    """The table with a row, without a status, for every absent trial of each loss on each data set.

    A table contains what ran, not what was planned. The assumption is that a loss was planned at each of its
    configurations on every seed for which it has any row. Its configurations are all combinations of its values where
    at least half of them occur (`cells.build_cells`), otherwise those that occur. Values and seeds of other losses
    are not used.

    Some tables have new seeds for each configuration; then nothing is absent. The mean number of configurations with
    the same seed shows this case (`_crossed`).
    """
    alone = {arm.label: info.with_arms((arm,), reference="", null_controls=()) for arm in info.arms}
    groups = [rows for _, rows in table.groupby(["data", "arm"], dropna=False, sort=False)]
    found = pd.concat([_absent_of_loss(rows, alone[str(rows["arm"].iloc[0])]) for rows in groups])
    if found.empty:
        return table
    found["trial_id"] = np.arange(len(table), len(table) + len(found)).astype(str)
    return pd.concat([table, found.reindex(columns=table.columns)], ignore_index=True)


def _absent_of_loss(rows: pd.DataFrame, info: StudyInfo) -> pd.DataFrame:
    """Absent rows of one loss on one data set, for the same parts as the analysis cuts the loss into."""
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
    """Whether the configurations `(C, S)` share their seeds: on average, a seed occurs in half of them.

    On a grid two configurations are enough, because a grid shares its values on purpose. Seeds of a random search may
    coincide by chance.
    """
    half = there.shape[0] / 2
    return bool(there.sum() >= there.shape[1] * (half if cells.shape is None else min(half, 2)))


def _written(rows: pd.DataFrame, axis: Axis) -> np.ndarray:
    """An axis' values `(L,)` as in the table, in the order of their codes."""
    _, first = np.unique(axis.index_of(axis_values(rows, axis.info)), return_index=True)
    return rows[axis.name].to_numpy()[first]
