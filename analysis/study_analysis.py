"""The analysis of a study, computed once for all parts of a report: cells, scores, comparisons, null controls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from analysis.model.arms import split_arms
from analysis.model.cells import Cells, build_cells
from analysis.model.claims import ClaimResult, judge
from analysis.model.info import ArmInfo, StudyInfo
from analysis.model.merged_arms import join_cells
from analysis.model.surface import Surface, surface_of
from analysis.model.table import build_table
from analysis.statistics.comparisons.compare import Comparison, compare_arms
from analysis.statistics.comparisons.equivalence import Equivalence, equivalence_of_arms
from analysis.statistics.comparisons.null_control import NullControl, check_null_control
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness

#: Prefixes of columns that describe a trial's representation.
_REPRESENTATION = ("z_", "h_", "val_", "test_")

#: Largest number of arms, after the split into parts, for which a report compares losses.
MOST_ARMS = 24


@dataclass(frozen=True, kw_only=True)
class StudyAnalysis:
    """The analysis of one study on one data set. Mappings are keyed by arm label, in the study's order.

    `cells` has the arms after the split into parts over two axes (`analysis.model.arms`). `wholes` has the uncut arms
    over all of their axes.
    """

    info: StudyInfo
    table: pd.DataFrame
    cells: Mapping[str, Cells]
    wholes: Mapping[str, Cells]
    summaries: Mapping[str, RobustnessSummary]
    comparisons: tuple[Comparison, ...]
    null_controls: tuple[NullControl, ...]
    equivalences: Mapping[str, Equivalence]  # with the reference, in the mean over the space, by arm
    whole_titles: Mapping[str, str] = field(default_factory=dict)  # names of arms that were cut
    #: Optuna's importances by uncut arm and axis in words. The caller computes them; this package imports no Optuna.
    optuna_importances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: Learning curves and final embeddings that sphere trials kept, with a `trial_id`; empty if there are none.
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    embeddings: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def any_finished(self) -> bool:
        """Whether any trial ended with a score."""
        return any(summary.finished for summary in self.summaries.values())

    def whole_name(self, label: str) -> str:
        """The name of an uncut arm for readers."""
        parts = [arm for arm in self.info.arms if arm.whole_label == label]
        return parts[0].name if not parts[0].fixed else self.whole_titles.get(label, label)

    @property
    def adaptive(self) -> bool:
        """Whether a search chose the places. They are dense where scores are good and do not cover the space."""
        return self.info.adaptive

    @property
    def ranks_losses(self) -> bool:
        """Whether losses are compared with each other."""
        return self.info.ranks_losses and len(self.info.arms) <= MOST_ARMS

    @property
    def complete(self) -> bool:
        """Whether no trial is missing."""
        return all(summary.complete for summary in self.summaries.values())

    @property
    def surfaces(self) -> dict[str, Surface]:
        """The reported metric of every arm that spans a grid of two axes."""
        return self.surfaces_of("")

    def surfaces_of(self, column: str) -> dict[str, Surface]:
        """A column of every arm that has it and spans a grid of two axes; the reported metric for an empty name.

        An adaptive search has no surfaces, whatever its places are.
        """
        if self.adaptive:
            return {}
        found = {
            label: surface_of(cells, column)
            for label, cells in self.cells.items()
            if not column or column in cells.raw
        }
        return {label: surface for label, surface in found.items() if surface is not None}


def judged_claims(findings: StudyAnalysis) -> tuple[ClaimResult, ...]:
    """The study's claims, decided from its trials by uncut arm."""
    uncut = {arm.label: arm.whole_label for arm in findings.info.arms}
    trials = findings.table.assign(arm=findings.table["arm"].map(uncut))
    return tuple(judge(claim, trials) for claim in findings.info.claims)


def analyse(planned: pd.DataFrame, records: pd.DataFrame, info: StudyInfo) -> StudyAnalysis:
    """Analyses planned trials and their records. Raises `ValueError` where they and `info` do not fit."""
    _check_arms(planned, info)
    return analyse_table(build_table(planned, records), info)


def analyse_table(table: pd.DataFrame, info: StudyInfo) -> StudyAnalysis:
    """Analyses a table with one row for each planned trial (`analysis.model.table`)."""
    uncut = {arm.label: arm for arm in info.arms}
    table, info, cells = split_cells(table, info)
    summaries = {
        label: summarise_robustness(
            item, eps=info.tolerance, rank=item.raw.get(info.rank_metric), adaptive=info.adaptive
        )
        for label, item in cells.items()
    }
    reference = info.reference_arm.label
    pairs = [(label, reference) for label in summaries if label != reference]
    return StudyAnalysis(
        info=info,
        table=table,
        cells=cells,
        wholes=_wholes(cells, info, uncut),
        summaries=summaries,
        comparisons=tuple(
            compare_arms(list(summaries.values()), pairs, scores=info.scores, span=info.metric.span)
        ),
        null_controls=_null_controls(cells, summaries, table, info),
        equivalences=equivalence_of_arms(list(summaries.values()), reference, info.tolerance),
        whole_titles={label: arm.name for label, arm in uncut.items()},
    )


def split_cells(table: pd.DataFrame, info: StudyInfo) -> tuple[pd.DataFrame, StudyInfo, dict[str, Cells]]:
    """A table split into arms over two axes each, and the configurations of each arm.

    It is the part of the analysis before statistics.
    """
    table, info = split_arms(table, info)
    return table, info, {arm.label: _cells(table[table["arm"] == arm.label], arm, info) for arm in info.arms}


def _cells(rows: pd.DataFrame, arm: ArmInfo, info: StudyInfo) -> Cells:
    known = [
        name
        for name in rows.columns
        if (name.startswith(_REPRESENTATION) or name in info.describes)
        and rows[name].dtype.kind in "iuf"
        and rows[name].notna().any()
    ]
    return build_cells(rows, arm, info.metric, arm.axes, columns=known, drawn=info.drawn)


def _wholes(cells: Mapping[str, Cells], info: StudyInfo, uncut: Mapping[str, ArmInfo]) -> dict[str, Cells]:
    wholes = {}
    for label, whole in uncut.items():
        parts = [arm for arm in info.arms if arm.whole_label == label]
        one = cells[parts[0].label]
        wholes[label] = (
            join_cells([cells[part.label] for part in parts], whole, [part.fixed for part in parts])
            if parts[0].fixed
            else one
        )
    return wholes


def _null_controls(
    cells: Mapping[str, Cells],
    summaries: Mapping[str, RobustnessSummary],
    table: pd.DataFrame,
    info: StudyInfo,
) -> tuple[NullControl, ...]:
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


def _check_arms(planned: pd.DataFrame, info: StudyInfo) -> None:
    if "arm" not in planned.columns:
        raise ValueError(f"planned: column 'arm' is missing; got {list(planned.columns)[:20]}")
    declared, found = {arm.label for arm in info.arms}, set(planned["arm"])
    if declared != found:
        raise ValueError(f"planned: got arms {sorted(found)}; the study declares {sorted(declared)}")
