"""The analysis of a study, computed once for all parts of a report: cells, scores, comparisons, null controls."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

import pandas as pd

from analysis.fairness.tried import Tried
from analysis.fairness.withheld import withheld
from analysis.model.arms import split_arms
from analysis.model.cells import Cells, build_cells, numbers
from analysis.model.claims import ClaimResult, judge
from analysis.model.info import ArmInfo, StudyInfo, Value
from analysis.model.merged_arms import join_cells
from analysis.model.surface import Surface, surface_of
from analysis.model.table import build_table
from analysis.statistics.comparisons.compare import Comparison, compare_arms
from analysis.statistics.comparisons.decisions import WITHHELD, Decisions, decide
from analysis.statistics.comparisons.drawn_decisions import decide_drawn
from analysis.statistics.comparisons.null_control import NullControl, check_null_control
from analysis.statistics.intervals.student import mean_and_spread, score_step
from analysis.statistics.scores.drawn import DrawnScores, drawn_scores, with_drawn_errors
from analysis.statistics.scores.robustness import RobustnessSummary, summarise_robustness
from analysis.statistics.scores.selection import best_cell

#: Prefixes of columns that describe a trial's representation.
_REPRESENTATION = ("z_", "h_", "val_", "test_")

#: Largest numbers of losses, and of their variants together, for which a report compares losses.
MOST_LOSSES, MOST_VARIANTS = 24, 96


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
    comparisons: tuple[Comparison, ...]  # of tuned scores in an adaptive search, which has no decisions
    null_controls: tuple[NullControl, ...]
    decisions: Decisions | None = None  # on the uncut losses; None where losses or the space are not compared
    whole_titles: Mapping[str, str] = field(default_factory=dict)  # names of arms that were cut
    #: Optuna's importances by uncut arm and axis in words. The caller computes them; this package imports no Optuna.
    optuna_importances: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    #: The command that shows one of its trials, with `{}` in place of the id; empty where there is none.
    trial_command: str = ""
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
    def variants(self) -> dict[str, list[str]]:
        """The labels of the parts of every uncut arm, by its label. An arm that was not cut has one part, itself."""
        found: dict[str, list[str]] = {}
        for arm in self.info.arms:
            found.setdefault(arm.whole_label, []).append(arm.label)
        return found

    def best_variant(self, label: str) -> str:
        """The part of an uncut arm with the best configuration by the mean validation score of all seeds."""

        def validation(part: str) -> float:
            scores = self.cells[part].validation
            mean = float(mean_and_spread(scores)[0][best_cell(scores)])
            return mean if math.isfinite(mean) else -math.inf

        return max(self.variants[label], key=validation)

    @cached_property
    def hidden(self) -> frozenset[str]:
        """Names of arms without rows in the tables for readers: repeats of others, and all but the best variants.

        Files of tables have all of them.
        """
        shown = {self.best_variant(label) for label, parts in self.variants.items() if len(parts) > 1}
        rest = {part for parts in self.variants.values() if len(parts) > 1 for part in parts} - shown
        return frozenset(self.info.arm(label).name for label in rest | self.info.repeats)

    @property
    def adaptive(self) -> bool:
        """Whether a search chose the places. They are dense where scores are good and do not cover the space."""
        return self.info.adaptive

    @property
    def ranks_losses(self) -> bool:
        """Whether losses are compared with each other."""
        return _ranks_losses(self.info)

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


def _ranks_losses(info: StudyInfo) -> bool:
    """Whether losses are compared: the study intends it, and there are not too many of them or of their variants."""
    losses = {arm.whole_label for arm in info.arms}
    return info.ranks_losses and len(losses) <= MOST_LOSSES and len(info.arms) <= MOST_VARIANTS


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
    reasons = withheld(Tried(info=info, table=table, cells=cells)) if info.ranks_losses else {}
    return StudyAnalysis(
        info=info,
        table=table,
        cells=cells,
        wholes=_wholes(cells, info, uncut),
        summaries=summaries,
        comparisons=_comparisons(summaries, info, reasons) if info.adaptive else (),
        null_controls=_null_controls(cells, summaries, table, info),
        decisions=_decisions(cells, drawn, info, reasons, uncut),
        whole_titles={label: arm.name for label, arm in uncut.items()},
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


def _comparisons(
    summaries: Mapping[str, RobustnessSummary], info: StudyInfo, reasons: Mapping[str, str]
) -> tuple[Comparison, ...]:
    """The tuned scores of an adaptive search, each against the reference's."""
    compared = [item for label, item in summaries.items() if label not in info.repeats]
    apart = {arm.label for arm in info.arms if arm.whole_label in reasons}
    return tuple(
        replace(item, verdict=WITHHELD) if item.arm in apart else item
        for item in compare_arms(compared, info.reference_arm.label, span=info.metric.span)
    )


def _variants(cells: Mapping[str, Cells], parts: Sequence[ArmInfo], whole: ArmInfo) -> list[Cells]:
    """The variants of one loss, between which validation selects: one for each choice of its categories.

    Its numbers, such as a third axis, belong to the space of a variant, whatever axes a figure shows.
    """
    groups: dict[tuple[Value, ...], list[ArmInfo]] = {}
    numbers_only = {
        name for name in parts[0].fixed if all(type(part.fixed.get(name)) in (int, float) for part in parts)
    }
    for part in parts:
        named = tuple(value for name, value in part.fixed.items() if name not in numbers_only)
        groups.setdefault(named, []).append(part)
    return [
        cells[group[0].label]
        if len(group) == 1
        else join_cells(
            [cells[part.label] for part in group],
            whole,
            [{name: part.fixed[name] for name in numbers_only} for part in group],
        )
        for group in groups.values()
    ]


def _decisions(
    cells: Mapping[str, Cells],
    drawn: Mapping[str, DrawnScores],
    info: StudyInfo,
    reasons: Mapping[str, str],
    uncut: Mapping[str, ArmInfo],
) -> Decisions | None:
    """The decisions on whole losses. An arm of drawn places is never split, so it is a whole loss."""
    if info.adaptive or not _ranks_losses(info):
        return None
    losses = {
        label: _variants(cells, [arm for arm in info.arms if arm.whole_label == label], uncut[label])
        for label in dict.fromkeys(arm.whole_label for arm in info.arms)
    }
    whole = {arm.label: arm.whole_label for arm in info.arms}
    reference = whole[info.reference_arm.label]
    left_out = {whole[label] for label in info.repeats}
    # a look at a part of the trials would be one more look, which nobody pays for
    lacking = {loss for loss, variants in losses.items() if any(item.missing.any() for item in variants)}
    waiting = losses if reference in lacking else lacking
    failed = {loss for loss, variants in losses.items() if not any(item.finished.any() for item in variants)}
    told = "all trials of the reference failed" if reference in failed else "all of its trials failed"
    reasons = {
        **dict.fromkeys(losses if reference in failed else failed, told),
        **dict.fromkeys(waiting, "trials are missing"),
        **reasons,
    }
    decided = partial(decide_drawn, drawn) if info.draws else partial(decide, losses)
    return decided(
        reference,
        tolerance=info.tolerance,
        span=info.metric.span,
        look=info.look,
        left_out=tuple(sorted(left_out)),
        withheld=reasons,
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
