"""The analysis of a study, computed once for all parts of a report: cells, scores, comparisons, null controls."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from analysis.beside import Beside
from analysis.fairness.tried import Tried
from analysis.fairness.withheld import withheld
from analysis.model.arms import split_arms
from analysis.model.cells import Cells, build_cells, numbers
from analysis.model.claims import ClaimResult, judge
from analysis.model.info import ArmInfo, StudyInfo
from analysis.model.surface import Surface, surface_of
from analysis.model.table import build_table
from analysis.model.variants import Variant, study_variants
from analysis.null_controls import study_null_controls
from analysis.statistics.comparisons.compare import Comparison
from analysis.statistics.comparisons.decisions import Decisions
from analysis.statistics.comparisons.identical import Identical, copies, identical_losses
from analysis.statistics.comparisons.null_control import NullControl
from analysis.statistics.intervals.student import score_step
from analysis.statistics.scores.drawn import drawn_scores, with_drawn_errors
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness, without_choice
from analysis.statistics.scores.selection import best_of
from analysis.study_decisions import ranks_losses, study_decisions, tuned_comparisons

#: Prefixes of columns that describe a trial's representation.
_REPRESENTATION = ("z_", "h_", "val_", "test_")


@dataclass(frozen=True, kw_only=True)
class StudyAnalysis:
    """The analysis of one study on one data set. Mappings are keyed by arm label, in the study's order.

    `cells` has the arms after the split into parts over two axes (`analysis.model.arms`). `wholes` has the uncut arms
    over all of their axes, and `variants` the same for each choice of their categories (`analysis.model.variants`):
    decisions and recommendations compare these.
    """

    info: StudyInfo
    table: pd.DataFrame
    cells: Mapping[str, Cells]
    wholes: Mapping[str, Cells]
    variants: Mapping[str, tuple[Variant, ...]]
    summaries: Mapping[str, RobustnessSummary]
    comparisons: tuple[Comparison, ...]  # of tuned scores in an adaptive search, which has no decisions
    null_controls: tuple[NullControl, ...]
    identical: tuple[Identical, ...] = ()  # losses with the same scores that are no declared null control
    #: Why a loss that repeats another one is not compared.
    copied: Mapping[str, str] = field(default_factory=dict)
    decisions: Decisions | None = None  # on the uncut losses; None where losses or the space are not compared
    whole_titles: Mapping[str, str] = field(default_factory=dict)  # names of arms that were cut
    #: Optuna's importances by uncut arm and axis in words. The caller computes them; this package imports no Optuna.
    optuna_importances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: The command that shows one of its trials, with `{}` in place of the id; empty where there is none.
    trial_command: str = ""
    beside: Beside | None = None  # what ran here, where the other rows came with the study
    #: Learning curves and final embeddings that sphere trials kept, with a `trial_id`; empty if there are none.
    curves: pd.DataFrame = field(default_factory=pd.DataFrame)
    embeddings: pd.DataFrame = field(default_factory=pd.DataFrame)

    @property
    def tried(self) -> Tried:
        """What was tried, for checks of settings."""
        return Tried(info=self.info, table=self.table, cells=self.cells)

    @property
    def any_finished(self) -> bool:
        """Whether any trial ended with a score."""
        return any(summary.finished for summary in self.summaries.values())

    def whole_name(self, label: str) -> str:
        """The name of an uncut arm for readers."""
        parts = [arm for arm in self.info.arms if arm.whole_label == label]
        return parts[0].name if not parts[0].fixed else self.whole_titles.get(label, label)

    @cached_property
    def parts(self) -> dict[str, list[str]]:
        """The labels of the parts of every uncut arm, by its label. An arm that was not cut has one part, itself."""
        found: dict[str, list[str]] = {}
        for arm in self.info.arms:
            found.setdefault(arm.whole_label, []).append(arm.label)
        return found

    def best_part(self, label: str) -> str:
        """The part of an uncut arm with the best configuration by the mean validation score of all seeds.

        Where nothing may be chosen, the first part.
        """
        parts = self.parts[label]
        if self.info.metric.no_choice:
            return parts[0]
        return parts[best_of([self.cells[part].validation for part in parts])[0]]

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Names of arms without rows in the tables for readers: repeats of others, and all but the best parts.

        Files of tables have all of them. Where nothing may be chosen, no part is hidden.
        """
        if self.info.metric.no_choice:
            return frozenset(self.info.arm(label).name for label in self.info.repeats)
        shown = {self.best_part(label) for label, parts in self.parts.items() if len(parts) > 1}
        rest = {part for parts in self.parts.values() if len(parts) > 1 for part in parts} - shown
        return frozenset(self.info.arm(label).name for label in rest | self.info.repeats)

    def is_shown(self, label: str) -> bool:
        """Whether tables and figures that compare losses show an arm; see `hidden`."""
        return self.info.arm(label).name not in self.hidden

    @property
    def adaptive(self) -> bool:
        """Whether a search chose the places. They are dense where scores are good and do not cover the space."""
        return self.info.adaptive

    @property
    def ranks_losses(self) -> bool:
        """Whether losses are compared with each other."""
        return ranks_losses(self.info, self.variants)

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
    info = _with_step(table, info)
    table, info, cells = split_cells(table, info)
    summaries = {
        label: summarise_robustness(
            item, eps=info.tolerance, rank=item.raw.get(info.rank_metric), adaptive=info.adaptive
        )
        for label, item in cells.items()
    }
    drawn = {label: drawn_scores(item) for label, item in cells.items()} if info.draws else {}
    summaries |= {label: with_drawn_errors(summaries[label], drawn[label]) for label in drawn}
    if reason := info.metric.no_choice:
        summaries = {label: without_choice(item, reason) for label, item in summaries.items()}
    variants = study_variants(table, info, uncut)
    titles = {label: arm.name for label, arm in uncut.items()}
    wholes = _wholes(table, cells, info, uncut)
    identical = _identical(wholes, info)
    copied = _copied(identical, info, uncut)
    unfair = withheld(Tried(info=info, table=table, cells=cells)) if info.ranks_losses else {}
    return StudyAnalysis(
        info=info,
        table=table,
        cells=cells,
        wholes=wholes,
        variants=variants,
        summaries=summaries,
        comparisons=tuned_comparisons(summaries, info, unfair) if info.adaptive else (),
        null_controls=study_null_controls(cells, summaries, table, info),
        identical=identical,
        copied=copied,
        decisions=study_decisions(variants, drawn, info, copied | unfair, titles),
        whole_titles=titles,
    )


def _with_step(table: pd.DataFrame, info: StudyInfo) -> StudyInfo:
    """The study with the step of its metric, found from all values of the table unless it is declared."""
    if info.metric.step or info.metric.reporting_column not in table.columns:
        return info
    values, span = numbers(table, info.metric.reporting_column), info.metric.span
    # percents have the steps of shares
    scale = span if math.isfinite(span) else 1.0
    step = scale * score_step(values / scale)
    return replace(info, metric=replace(info.metric, step=step))


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


def _wholes(
    table: pd.DataFrame, cells: Mapping[str, Cells], info: StudyInfo, uncut: Mapping[str, ArmInfo]
) -> dict[str, Cells]:
    wholes = {}
    for label, whole in uncut.items():
        first, *rest = (arm for arm in info.arms if arm.whole_label == label)
        if not first.fixed:
            wholes[label] = cells[first.label]
            continue
        axes = (*first.axes, *(whole.axis(name) for name in first.fixed))
        rows = table[table["arm"].isin([arm.label for arm in (first, *rest)])]
        wholes[label] = _cells(rows, replace(whole, axes=axes), info)
    return wholes


def _identical(wholes: Mapping[str, Cells], info: StudyInfo) -> tuple[Identical, ...]:
    """The losses with the same scores, without those of declared null controls that repeat another one."""
    repeats = {info.arm(label).whole_label for label in info.repeats}
    return tuple(identical_losses({label: cells for label, cells in wholes.items() if label not in repeats}))


def _copied(identical: Sequence[Identical], info: StudyInfo, uncut: Mapping[str, ArmInfo]) -> dict[str, str]:
    """Why losses that repeat another one are not compared. The same loss of two studies may repeat its scores."""
    found = {} if info.compared else copies(identical, info.reference_arm.whole_label)
    return {
        loss: f"the same scores as {uncut[original].name} in {group.which}"
        for loss, (original, group) in found.items()
    }


def _check_arms(planned: pd.DataFrame, info: StudyInfo) -> None:
    if "arm" not in planned.columns:
        raise ValueError(f"planned: column 'arm' is missing; got {list(planned.columns)[:20]}")
    declared, found = {arm.label for arm in info.arms}, set(planned["arm"])
    if declared != found:
        raise ValueError(f"planned: got arms {sorted(found)}; the study declares {sorted(declared)}")
