"""Difference maps: one heat map for each arm, on one colour scale centred on 0."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from analysis.model.meaning import rows_by_temperature
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.heatmap import (
    add_colorbar,
    cell_text_size,
    draw_cells,
    label_cells,
    panel_figure,
    panel_title,
    write_in_cells,
)
from analysis.report.plots.style import TWO_COLUMNS
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, number


@dataclass(frozen=True, kw_only=True)
class DifferenceMap:
    """The differences of one arm to the reference, in each of its C cells."""

    mean: np.ndarray  # (C,), NaN where the cell has no partner or a trial is missing
    marked: np.ndarray  # (C,) of bool: a significant difference


def difference_maps(
    findings: StudyAnalysis, maps: Mapping[str, DifferenceMap], *, width: float = TWO_COLUMNS
) -> Figure | None:
    """Mean differences of every arm over its grid of two axes, rows by temperature; None where no arm has any."""
    shown = {label: item for label, item in maps.items() if len(findings.cells[label].shape or ()) == 2}
    known = np.concatenate([item.mean[np.isfinite(item.mean)] for item in shown.values()] or [np.empty(0)])
    if not len(known):
        return None
    factor, names = findings.info.metric.factor, arm_names(findings.info)
    limit = factor * float(np.abs(known).max()) or 1.0
    tallest = max(findings.cells[label].shape[1] for label in shown)  # type: ignore[index]
    figure, grid = panel_figure(len(shown), tallest, width)
    for ax, (label, item) in zip(grid.flat, shown.items(), strict=False):
        cells, arm = findings.cells[label], findings.info.arm(label)
        x, y = cells.axes
        rows_up = rows_by_temperature(y.info.meaning, len(y.values))
        mean = factor * cells.on_grid(item.mean).T[rows_up]
        marked = cells.on_grid(item.marked).T[rows_up]
        draw_cells(ax, mean, low=-limit, high=limit, colormap="RdBu")
        if size := cell_text_size(len(x.values), width):
            write_in_cells(ax, _texts(mean / factor, Scale(findings.info.metric)), size)
        ticks = (
            [number(value) for value in x.values.tolist()],
            [number(value) for value in y.values[rows_up].tolist()],
        )
        label_cells(ax, *ticks)
        ax.set_facecolor("#dddddd")
        ax.set(title=panel_title(names[label], width), xlabel=arm.x.axis_label, ylabel=arm.main.axis_label)
        rows_at, columns_at = np.nonzero(marked)
        # black with a white edge is visible on dark and on light cells
        ax.plot(columns_at + 0.5, rows_at + 0.17, "o", ms=3.5, color="black", mec="white", mew=0.6)
    label = (
        f"difference to {names[findings.info.reference_arm.label]}, {findings.info.metric.difference_unit}"
    )
    add_colorbar(figure, grid, label)
    return figure


def _texts(mean: np.ndarray, scale: Scale) -> np.ndarray:
    texts = np.empty(mean.shape, dtype=object)
    for place in np.ndindex(mean.shape):
        texts[place] = scale.gap(float(mean[place])) if np.isfinite(mean[place]) else ""
    return texts
