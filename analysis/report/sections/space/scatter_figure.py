"""Figures of places that form no grid: one panel for each arm, all on one colour scale."""

import math

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.model.cells import Cells
from analysis.model.meaning import LOWER_TEMPERATURE
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.scatter import ScatterAxis, ScatterData, draw_scatter
from analysis.report.plots.style import new_figure
from analysis.statistics.intervals.student import mean_and_spread
from analysis.study_analysis import StudyAnalysis
from analysis.wording import number, wrapped

_COLUMNS = 3  # panels side by side
_HEIGHT = 2.9  # inches, height of a panel


def without_surface(findings: StudyAnalysis) -> dict[str, Cells]:
    """The arms whose configurations do not span a grid of two axes."""
    surfaces = findings.surfaces
    return {label: cells for label, cells in findings.cells.items() if label not in surfaces}


def places_figure(findings: StudyAnalysis) -> Figure | None:
    """Mean of the reported metric over the finished seeds at every configuration; None without such arms."""
    panels = [_panel(findings, label, cells) for label, cells in without_surface(findings).items()]
    known = np.concatenate([item.values[np.isfinite(item.values)] for item in panels] or [np.empty(0)])
    if not panels:
        return None
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(rows * _HEIGHT + 0.3)
    grid = figure.subplots(rows, columns, squeeze=False)
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    drawn = [draw_scatter(ax, item, low=low, high=high) for ax, item in zip(grid.flat, panels, strict=False)]
    axes: list[Axes] = list(grid.flat)
    for ax in axes[len(panels) :]:
        ax.set_axis_off()
    if len(known):
        label = findings.info.metric.axis_label
        figure.colorbar(drawn[0], ax=axes, label=label, shrink=0.8, aspect=30, pad=0.015)
    return figure


def _panel(findings: StudyAnalysis, label: str, cells: Cells) -> ScatterData:
    metric = findings.info.metric
    at = findings.summaries[label].tuned.at
    return ScatterData(
        title=wrapped(arm_names(findings.info)[label]),
        x=_axis(cells, 0),
        y=_axis(cells, 1),
        values=metric.factor * mean_and_spread(cells.raw[metric.reporting_column])[0],
        failed=cells.failed.sum(axis=-1) / np.maximum(cells.planned.sum(axis=-1), 1),
        ringed=at if cells.finished[at].any() else None,
    )


def _axis(cells: Cells, place: int) -> ScatterAxis:
    axis = cells.axes[place]
    if not axis.numeric:
        texts = [number(value) for value in axis.values.tolist()]
        return ScatterAxis(label=axis.info.axis_label, at=cells.codes[:, place].astype(float), texts=texts)
    log = bool(len(axis.values) > 1 and np.all(axis.values > 0))
    falls = axis.info.meaning.larger_acts_as == LOWER_TEMPERATURE
    return ScatterAxis(label=axis.info.axis_label, at=cells.values(axis.name), log=log, falls=falls)
