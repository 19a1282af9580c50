"""The section on one loss in several studies: differences over the shared configurations and seeds."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.fairness.studies import STUDY
from analysis.model.aligned import Aligned, align_cells, same_axes
from analysis.model.metric import Metric
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, gap_cell, table
from analysis.statistics.intervals.pairs import pair_estimate
from analysis.statistics.intervals.student import LEVEL, Estimate, student_estimate
from analysis.statistics.scores.pairs_of_seeds import tuned_pairs
from analysis.studies import arm_label
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale


@dataclass(frozen=True, kw_only=True)
class StudyGap:
    """The score of a loss in one study less that of the same loss in the first one."""

    loss: str
    study: str
    first: str
    aligned: Aligned
    tuned: Estimate
    mean: Estimate


def studies_section(findings: StudyAnalysis) -> Content | None:
    """Every loss that several studies tried; None for one study."""
    if STUDY not in findings.table.columns or findings.table[STUDY].nunique() < 2:
        return None
    gaps = list(study_gaps(findings))
    title = "The same loss in several studies"
    if not gaps:
        return Content(title=title, lead="No two studies share a loss over the same axes.")
    unit, scale = findings.info.metric.difference_unit, Scale(findings.info.metric)
    columns = [
        ("Loss", TEXT),
        ("Study, less the first", TEXT),
        f"Tuned, {unit}",
        f"Average over shared configurations, {unit}",
        "Configurations compared",
        "Seeds compared",
    ]
    return Content(
        title=title,
        lead="Each study less the first one that has the loss, over the configurations and seeds that both have, "
        "paired by seed: positive means better. Tuned: selected by one seed's validation among those configurations, "
        "in each study by itself, and scored on another seed. The average weighs configurations alike. "
        f"Intervals: {100 * LEVEL:.0f} %, over seeds, not corrected for their number.",
        tables=(table(columns, [_row(gap, scale) for gap in gaps]),),
        data={"studies": pd.DataFrame([_told(gap) for gap in gaps])},
    )


def study_gaps(findings: StudyAnalysis) -> Iterator[StudyGap]:
    """The gaps of all losses with the same axes in at least two studies, in the order of the arms."""
    studies = [str(name) for name in findings.table[STUDY].unique()]
    suffixes = {study: arm_label("", study) for study in studies}
    labels = dict.fromkeys(
        whole.removesuffix(suffix)
        for whole in findings.wholes
        for suffix in suffixes.values()
        if whole.endswith(suffix)
    )
    for label in labels:
        first, *others = [study for study in studies if arm_label(label, study) in findings.wholes]
        for study in others:
            own, base = (findings.wholes[arm_label(label, name)] for name in (study, first))
            if same_axes(own) == same_axes(base):
                name = findings.whole_name(arm_label(label, first)).removesuffix(suffixes[first])
                yield _gap(name, study, first, align_cells({study: own, first: base}), findings.info.metric)


def _gap(label: str, study: str, first: str, aligned: Aligned, metric: Metric) -> StudyGap:
    bounds = (-metric.span, metric.span)
    note = "" if len(aligned.codes) else "no shared configurations"
    note = note or ("" if aligned.complete else "provisional")
    seeds = len(aligned.seeds)
    tuned, mean = np.full((seeds, seeds), np.nan), np.full(seeds, np.nan)
    if len(aligned.codes):
        tuned = np.subtract(*tuned_pairs(aligned.test, aligned.validation))
        mean = np.subtract(*aligned.test.mean(axis=1))
    return StudyGap(
        loss=label,
        study=study,
        first=first,
        aligned=aligned,
        tuned=Estimate(value=np.nan, note=metric.no_choice)
        if metric.no_choice
        else pair_estimate(tuned, bounds=bounds, step=metric.step, note=note),
        mean=student_estimate(mean, bounds=bounds, step=metric.step, note=note),
    )


def _row(gap: StudyGap, scale: Scale) -> list[Cell | str]:
    shared, left_out = len(gap.aligned.codes), gap.aligned.left_out
    return [
        gap.loss,
        f"{gap.study} less {gap.first}",
        gap_cell(gap.tuned, scale),
        gap_cell(gap.mean, scale),
        Cell(text=str(shared), below=f"{left_out} not shared" if left_out else "", sort=shared),
        Cell(text=str(len(gap.aligned.seeds)), sort=len(gap.aligned.seeds)),
    ]


def _told(gap: StudyGap) -> dict[str, object]:
    return {
        "loss": gap.loss,
        "study": gap.study,
        "first": gap.first,
        **estimate_columns("tuned", gap.tuned),
        **estimate_columns("mean", gap.mean),
        "configurations": len(gap.aligned.codes),
        "configurations_not_shared": gap.aligned.left_out,
        "seeds": len(gap.aligned.seeds),
    }
