"""The null controls of a study: which pairs of arms are compared, and whether they have the same settings."""

from collections.abc import Mapping

import pandas as pd

from analysis.model.cells import Cells
from analysis.model.info import ArmInfo, StudyInfo
from analysis.statistics.comparisons.null_control import NullControl, check_null_control
from analysis.statistics.scores.robustness import RobustnessSummary


def study_null_controls(
    cells: Mapping[str, Cells],
    summaries: Mapping[str, RobustnessSummary],
    table: pd.DataFrame,
    info: StudyInfo,
) -> tuple[NullControl, ...]:
    """The null controls whose arms both have trials, each checked trial by trial.

    Cells and summaries are by arm label; `table` has one row for each trial, with its `hp_*` columns.
    """
    controls = [(info.arm(a), info.arm(b)) for a, b in info.null_controls if a in cells and b in cells]
    return tuple(
        check_null_control(
            cells[a.label],
            cells[b.label],
            (summaries[a.label], summaries[b.label]),
            same_setting=_same_rate(a, b) and _same_values(table, a, b),
            pairs=len(controls),
        )
        for a, b in controls
    )


def _same_rate(a: ArmInfo, b: ArmInfo) -> bool:
    """Whether two arms trained at the same base rate; two unknown rates count as the same."""
    return a.base_lr == b.base_lr or (a.base_lr != a.base_lr and b.base_lr != b.base_lr)


def _same_values(table: pd.DataFrame, a: ArmInfo, b: ArmInfo) -> bool:
    """Whether two arms have the same values in every `hp_*` column that both fill, except their axes."""
    apart = {axis.name for axis in (*a.axes, *b.axes)} | {"hp_other"}
    columns = [name for name in table.columns if name.startswith("hp_") and name not in apart]
    values = [
        {arm.label: set(table.loc[table["arm"] == arm.label, name].dropna()) for arm in (a, b)}
        for name in columns
    ]
    return all(found[a.label] == found[b.label] for found in values if found[a.label] and found[b.label])
