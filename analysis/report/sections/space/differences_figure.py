"""Difference maps: one heat map for each arm, on one colour scale centred on 0."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.heatmap import draw_cells, label_cells, panel_grid, write_in_cells
from analysis.report.plots.style import new_figure
from analysis.statistics.comparisons.differences import DifferenceSurface
from analysis.study_analysis import StudyAnalysis
from analysis.wording import Scale, number, wrapped

_ROOMY = 6  # up to this number of columns a cell has room for a number


def difference_maps(findings: StudyAnalysis, surfaces: Mapping[str, DifferenceSurface]) -> Figure | None:
    """Mean differences of every arm over its grid of two axes; None where no arm has any."""
    shown = {label: item for label, item in surfaces.items() if len(findings.cells[label].shape or ()) == 2}
    known = np.concatenate([item.mean[np.isfinite(item.mean)] for item in shown.values()] or [np.empty(0)])
    if not len(known):
        return None
    factor, names = findings.info.metric.factor, arm_names(findings.info)
    limit = factor * float(np.abs(known).max()) or 1.0
    rows, columns = panel_grid(len(shown))
    tallest = max(findings.cells[label].shape[1] for label in shown)  # type: ignore[index]
    figure = new_figure(rows * (0.9 + 0.36 * max(tallest, 3)))
    grid = figure.subplots(rows, columns, squeeze=False)
    for ax, (label, item) in zip(grid.flat, shown.items(), strict=False):
        cells, arm = findings.cells[label], findings.info.arm(label)
        mean = factor * cells.on_grid(item.mean).T
        marked = cells.on_grid(item.better | item.worse).T
        x, y = cells.axes
        draw_cells(ax, mean, low=-limit, high=limit, colormap="RdBu")
        if len(x.values) <= _ROOMY:
            texts = _texts(mean / factor, Scale(findings.info.metric))
            write_in_cells(ax, texts, 7.5 if len(x.values) <= _ROOMY // 2 else 6.5)
        label_cells(ax, *([number(value) for value in axis.values.tolist()] for axis in (x, y)))
        ax.set_facecolor("#dddddd")
        ax.set(title=wrapped(names[label], width=24), xlabel=arm.x.axis_label, ylabel=arm.main.axis_label)
        rows_at, columns_at = np.nonzero(marked)
        # black with a white edge is visible on dark and on light cells
        ax.plot(columns_at + 0.5, rows_at + 0.17, "o", ms=4.5, color="black", mec="white", mew=0.8)
    for ax in list(grid.flat)[len(shown) :]:
        ax.set_axis_off()
    label = (
        f"difference to {names[findings.info.reference_arm.label]}, {findings.info.metric.difference_unit}"
    )
    axes = list(grid.flat)
    figure.colorbar(axes[0].collections[0], ax=axes, label=label, shrink=0.7, aspect=30, pad=0.015)
    return figure


def _texts(mean: np.ndarray, scale: Scale) -> np.ndarray:
    texts = np.empty(mean.shape, dtype=object)
    for place in np.ndindex(mean.shape):
        texts[place] = scale.gap(float(mean[place])) if np.isfinite(mean[place]) else ""
    return texts
