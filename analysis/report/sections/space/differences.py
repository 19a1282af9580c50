"""The section on differences: where in the space the ranking holds, and what is decided."""

from dataclasses import dataclass
from functools import partial

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import TEXT, Cell, Content, ShownFigure, number_cell, share_cell, table
from analysis.report.sections.space.differences_figure import difference_maps
from analysis.report.sections.space.scores import tolerance_words
from analysis.statistics.comparisons.differences import DifferenceSurface, difference_surface
from analysis.statistics.comparisons.equivalence import INCOMPLETE, Equivalence
from analysis.statistics.comparisons.improvement import probability_of_improvement, rank_flip_probability
from analysis.statistics.intervals.student import STATED, Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import p_value, percent


@dataclass(frozen=True, kw_only=True)
class Rivalry:
    """One arm against the reference, over the places of both."""

    surface: DifferenceSurface
    improvement: Estimate
    flip: float
    equivalence: Equivalence
    note: str  # why the results are provisional, or empty


def differences_section(findings: StudyAnalysis) -> Content | None:
    """Difference maps against the reference, with the share of the space where the ranking is reversed."""
    if findings.adaptive:
        return None
    rivalries = _rivalries(findings)
    if not rivalries or not findings.any_finished:
        return None
    reference, eps = findings.info.reference_arm.name, tolerance_words(findings)
    columns = [
        ("Loss", TEXT),
        "Better in, % of the space",
        "Worse in, % of the space",
        "Ranking reversed in, % of the space",
        "One run beats one run, %",
        "Order would flip with other seeds, %",
        f"Equal within {eps}: p (Holm)",
        ("Equal?", TEXT),
    ]
    return Content(
        title=f"Where losses differ from {reference}",
        lead=f"Each loss minus {reference} at the same place of the grid, paired by seed; temperatures and "
        "kernel scales are matched by their place on their axes, which span one log-width. Better "
        "and worse count places that differ after correction over all places (Benjamini and "
        "Yekutieli). The ranking is reversed where the mean difference has the opposite sign of the "
        "overall one. “Equal” is the two one-sided test of the average over the space, corrected over all "
        "losses of this table (Holm): a difference that is not significant is not yet equality. Intervals: "
        f"{STATED}. Where trials of a loss are missing, it gets neither intervals nor a verdict.",
        tables=(table(columns, [_row(findings, label, item) for label, item in rivalries.items()]),),
        figures={
            "difference_maps": ShownFigure(
                build=partial(difference_maps, findings, {k: v.surface for k, v in rivalries.items()}),
                data="differences",
                caption=f"Difference to {reference}, mean over seeds, in "
                f"{findings.info.metric.difference_unit}; one colour scale, centred on 0: blue "
                "better, red worse. A dot marks a place where the difference is significant after "
                "correction. Failed trials count as the worst outcome. Grey: a trial is missing on either side.",
            )
        },
        data={
            "differences": pd.concat(
                [_cells_table(findings, label, item) for label, item in rivalries.items()]
            ),
            "decisions": pd.DataFrame([_decisions(label, item) for label, item in rivalries.items()]),
        },
    )


def _rivalries(findings: StudyAnalysis) -> dict[str, Rivalry]:
    """Every comparable arm against the reference."""
    found = {label: _rivalry(findings, label) for label in findings.cells}
    return {label: item for label, item in found.items() if item is not None}


def _rivalry(findings: StudyAnalysis, label: str) -> Rivalry | None:
    """None for the reference itself, and for arms whose grid does not match that of the reference."""
    reference = findings.info.reference_arm.label
    own, other = findings.cells[label], findings.cells[reference]
    if label == reference or not comparable(own, other):
        return None
    weights = (own.weights + other.weights) / 2
    equivalence = findings.equivalences[label]
    note = "trials missing" if equivalence.verdict == INCOMPLETE else ""
    by_seed = findings.summaries[label].mean_by_seed - findings.summaries[reference].mean_by_seed
    return Rivalry(
        surface=difference_surface(own.test, other.test, weights, note=note),
        improvement=probability_of_improvement(own.test, other.test, weights, note=note),
        flip=rank_flip_probability(by_seed),
        equivalence=equivalence,
        note=note,
    )


def comparable(own: Cells, other: Cells) -> bool:
    """Whether two arms' cells match by position: grids of one shape, with the same seeds."""
    same = own.shape == other.shape and own.codes.shape == other.codes.shape
    return same and np.array_equal(own.seeds, other.seeds) and (own.shape is not None)


def _row(findings: StudyAnalysis, label: str, item: Rivalry) -> list[Cell | str]:
    surface = item.surface
    return [
        findings.info.arm(label).name,
        Cell(text=percent(surface.share_better), sort=surface.share_better),
        Cell(text=percent(surface.share_worse), sort=surface.share_worse),
        share_cell(surface.share_reversed),
        share_cell(item.improvement),
        number_cell(100 * item.flip, ".1f", below=item.note),
        Cell(text=p_value(item.equivalence.p_holm), below=item.note, sort=item.equivalence.p_holm),
        item.equivalence.verdict,
    ]


def _cells_table(findings: StudyAnalysis, label: str, item: Rivalry) -> pd.DataFrame:
    cells, surface = findings.cells[label], item.surface
    places = {axis.info.bare: cells.values(axis.name) for axis in cells.axes[:1]}
    return pd.DataFrame(
        {
            "arm": label,
            "reference": findings.info.reference_arm.label,
            **places,
            "main_axis_value": cells.values(cells.axes[1].name),
            "difference": surface.mean,
            "low": surface.low,
            "high": surface.high,
            "p": surface.p,
            "p_adjusted": surface.p_adjusted,
        }
    )


def _decisions(label: str, item: Rivalry) -> dict[str, object]:
    return {
        "arm": label,
        "share_better": item.surface.share_better,
        "share_worse": item.surface.share_worse,
        **estimate_columns("share_reversed", item.surface.share_reversed),
        **estimate_columns("probability_of_improvement", item.improvement),
        "rank_flip_probability": item.flip,
        "equivalence_p": item.equivalence.p,
        "equivalence_p_holm": item.equivalence.p_holm,
        "equivalence": item.equivalence.verdict,
    }
