"""Tables and figures on failure rates over the space and their cost, for the section on failures."""

from functools import partial

import numpy as np
import pandas as pd

from analysis.model.cells import Cells
from analysis.report.score_tables import estimate_columns
from analysis.report.sections.content import (
    TEXT,
    Cell,
    ShownFigure,
    ShownTable,
    gap_cell,
    score_cell,
    share_cell,
    table,
)
from analysis.report.sections.trials.failures_figure import failure_maps
from analysis.statistics.scores.failure_rates import (
    FailureScores,
    FailureSurface,
    failure_scores,
    failure_surface,
)
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, number, percent


def failure_surfaces(findings: StudyAnalysis) -> dict[str, FailureSurface]:
    """Failure rates of every arm, by configuration."""
    return {
        label: failure_surface(cells.failed, cells.failed | cells.finished, cells.weights)
        for label, cells in findings.cells.items()
    }


def rates_shown(findings: StudyAnalysis, surfaces: dict[str, FailureSurface]) -> ShownTable:
    """One row for each loss: rate over the space, highest rate, and scores with and without failures."""
    unit = findings.info.metric.difference_unit
    columns = [
        ("Loss", TEXT),
        "Fails in, % of the space",
        "Most often, % of trials",
        "Average, failures at the worst outcome",
        "Average without failures",
        f"Cost of failures, {unit}",
    ]
    return table(
        columns,
        [_row(findings, label, item) for label, item in surfaces.items()],
        title="How often, and at what cost",
        note="Failures count at the worst outcome everywhere else on this page; leaving them out is the "
        "alternative, kinder to a loss that fails where it would have scored badly. Intervals: 95 %, over seeds "
        "(Student; of a loss without a failure each seed counts as one trial, Clopper and Pearson), those of one "
        "configuration's rate over its trials (Wilson).",
    )


def rates_figure(findings: StudyAnalysis, surfaces: dict[str, FailureSurface]) -> dict[str, ShownFigure]:
    """The maps of failure rates, if there is anything to draw."""
    drawn = any(item.failed.any() and findings.cells[label].shape for label, item in surfaces.items())
    figure = ShownFigure(
        build=partial(failure_maps, findings, surfaces),
        data="failure_rates",
        caption="Failed trials of each configuration and, where there is room, the 95 % interval of its failure rate "
        "in % (Wilson). Losses without a failure are left out. –: not tried.",
    )
    return {"failure_rates": figure} if drawn else {}


def rates_table(findings: StudyAnalysis, surfaces: dict[str, FailureSurface]) -> pd.DataFrame:
    """Every configuration's rate with its interval."""
    return pd.concat(
        [_cells_table(label, findings.cells[label], item) for label, item in surfaces.items()],
        ignore_index=True,
    )


def costs_table(findings: StudyAnalysis, surfaces: dict[str, FailureSurface]) -> pd.DataFrame:
    """One row for each arm: the rate over the space, and the means with and without failures."""
    return pd.DataFrame([_told(findings, label, item) for label, item in surfaces.items()])


def _scores(findings: StudyAnalysis, label: str) -> FailureScores:
    cells = findings.cells[label]
    return failure_scores(
        cells.test,
        cells.failed,
        cells.weights,
        bounds=cells.metric.score_bounds,
        note=findings.summaries[label].provisional,
    )


def _row(findings: StudyAnalysis, label: str, item: FailureSurface) -> list[Cell | str]:
    scale, scores = Scale(findings.info.metric), _scores(findings, label)
    return [
        findings.info.arm(label).name,
        share_cell(item.overall),
        _worst(findings, label, item),
        score_cell(scores.with_failures, scale),
        score_cell(scores.without_failures, scale),
        gap_cell(scores.cost, scale),
    ]


def _worst(findings: StudyAnalysis, label: str, item: FailureSurface) -> Cell:
    """The configuration that fails most often, with its rate and place."""
    if not item.failed.any():
        return Cell(text=percent(0.0) if item.tried.any() else percent(np.nan), sort=0.0)
    at, arm = int(np.nanargmax(item.rate)), findings.info.arm(label)
    ends = f"[{percent(item.low[at])}, {percent(item.high[at])}]"
    place = ", ".join(
        f"{arm.axis(name).words} {number(value)}" for name, value in findings.cells[label].place(at).items()
    )
    return Cell(text=percent(item.rate[at]), below=f"{ends}\n{place}", sort=100 * item.rate[at])


def _cells_table(label: str, cells: Cells, item: FailureSurface) -> pd.DataFrame:
    places = {axis.info.bare: cells.values(axis.name) for axis in (cells.axes[0], *cells.axes[2:])}
    return pd.DataFrame(
        {
            "arm": label,
            **places,
            "main_axis": cells.axes[1].info.bare,
            "main_axis_value": cells.values(cells.axes[1].name),
            "failed": item.failed,
            "tried": item.tried,
            "rate": item.rate,
            "low": item.low,
            "high": item.high,
        }
    )


def _told(findings: StudyAnalysis, label: str, item: FailureSurface) -> dict[str, object]:
    scores = _scores(findings, label)
    return {
        "arm": label,
        **estimate_columns("rate", item.overall),
        **estimate_columns("mean", scores.with_failures),
        **estimate_columns("mean_without_failures", scores.without_failures),
        **estimate_columns("cost", scores.cost),
        "share_lost": scores.share_lost,
    }
