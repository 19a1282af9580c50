"""Everything the report says, computed once: surfaces, scores, comparisons, null controls."""

from dataclasses import dataclass

import pandas as pd

from analysis.arms import split_arms
from analysis.info import ArmInfo, StudyInfo
from analysis.statistics.compare import Comparison, compare_arms
from analysis.statistics.null_control import NullControl, check_null_control
from analysis.statistics.robustness import RobustnessSummary, summarise_robustness
from analysis.surface import Surface, build_surface
from analysis.table import build_table


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The analysis of one study; mappings are keyed by arm label, in the study's order."""

    info: StudyInfo
    table: pd.DataFrame
    test: dict[str, Surface]
    validation: dict[str, Surface]
    rank: dict[str, Surface]  # effective rank; empty where no trial has one
    summaries: dict[str, RobustnessSummary]
    comparisons: tuple[Comparison, ...]
    null_controls: tuple[NullControl, ...]

    @property
    def any_finished(self) -> bool:
        """Whether any trial ended with a score."""
        return any(summary.finished for summary in self.summaries.values())


def analyse(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> Findings:
    """Planned trials and their records to findings. Raises `ValueError` where they and `info` do not fit."""
    _check_arms(planned, info)
    table, info = split_arms(build_table(planned, records), info)
    test = _surfaces(table, info, f"test_{info.metric}")
    validation = _surfaces(table, info, f"val_{info.metric}")
    rank = _surfaces(table, info, info.rank_metric) if _known(table, info.rank_metric) else {}
    summaries = {
        arm.label: summarise_robustness(
            test[arm.label],
            validation[arm.label],
            rank.get(arm.label),
            default=arm.default,
            chance=info.chance,
            eps=info.tolerance,
            measures=arm.measures,
        )
        for arm in info.arms
    }
    reference = info.reference_arm.label
    pairs = [(label, reference) for label in summaries if label != reference]
    controls = [
        (info.arm(a), info.arm(b)) for a, b in info.null_controls if a in summaries and b in summaries
    ]
    return Findings(
        info=info,
        table=table,
        test=test,
        validation=validation,
        rank=rank,
        summaries=summaries,
        comparisons=tuple(compare_arms(list(summaries.values()), pairs)),
        null_controls=tuple(
            check_null_control(
                test[a.label],
                test[b.label],
                (summaries[a.label], summaries[b.label]),
                same_setting=a.base_lr == b.base_lr and _same_values(table, a, b, info.x_axis),
                pairs=len(controls),
            )
            for a, b in controls
        ),
    )


def _same_values(table: pd.DataFrame, a: ArmInfo, b: ArmInfo, x_axis: str) -> bool:
    """Whether two arms agree in every `hp_*` column that both fill, but for their axes."""
    apart = {x_axis, a.main_axis, b.main_axis, "hp_other"}
    columns = [name for name in table.columns if name.startswith("hp_") and name not in apart]
    values = [
        {arm.label: set(table.loc[table["arm"] == arm.label, name].dropna()) for arm in (a, b)}
        for name in columns
    ]
    return all(found[a.label] == found[b.label] for found in values if found[a.label] and found[b.label])


def _surfaces(table: pd.DataFrame, info: StudyInfo, metric: str) -> dict[str, Surface]:
    return {
        arm.label: build_surface(
            table, arm.label, metric, x_name=info.x_axis, y_name=arm.main_axis, y_default=arm.default
        )
        for arm in info.arms
    }


def _known(table: pd.DataFrame, column: str) -> bool:
    return column in table.columns and bool(table[column].notna().any())


def _check_arms(planned: pd.DataFrame, info: StudyInfo) -> None:
    if "arm" not in planned.columns:
        raise ValueError(f"planned: column 'arm' is missing; got {list(planned.columns)[:20]}")
    declared, found = {arm.label for arm in info.arms}, set(planned["arm"])
    if declared != found:
        raise ValueError(f"planned: got arms {sorted(found)}; the study declares {sorted(declared)}")
