"""Figures of surfaces: one heat map for each arm, all on one colour scale."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from matplotlib.figure import Figure

from analysis.model.meaning import rows_by_temperature
from analysis.model.surface import MISSING, PRUNED, UNPLANNED, Surface
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.heatmap import (
    HeatmapData,
    add_colorbar,
    cell_text_size,
    draw_heatmap,
    panel_figure,
    panel_title,
)
from analysis.report.plots.style import TWO_COLUMNS, WIDTH
from analysis.statistics.intervals.bands_moderated import moderated_interval
from analysis.study_analysis import StudyAnalysis
from analysis.wording import NONE, number

ROOMY = 4  # up to this number of batch sizes a cell has room for words


def metric_surfaces(findings: StudyAnalysis, *, width: float = TWO_COLUMNS) -> Figure | None:
    """Mean of the reported metric over seeds; the tuned configuration has a frame. None without a surface."""
    metric = findings.info.metric
    panels = {
        label: _panel(findings, label, surface, metric.factor, metric.digits)
        for label, surface in findings.surfaces.items()
    }
    return panels_figure(panels, metric.axis_label, width=width) if panels else None


def width_surfaces(findings: StudyAnalysis) -> Figure | None:
    """Half the width of each mean's interval; None where no cell has one."""
    metric = findings.info.metric
    panels = {
        label: _panel(findings, label, surface, metric.factor, metric.digits, width=True)
        for label, surface in findings.surfaces.items()
    }
    if not any(np.isfinite(panel.values).any() for panel in panels.values()):
        return None
    return panels_figure(panels, f"half the interval's width, {metric.difference_unit}")


def rank_surfaces(findings: StudyAnalysis) -> Figure | None:
    """Mean effective rank over seeds, in dimensions; None where no trial has one."""
    surfaces = findings.surfaces_of(findings.info.rank_metric)
    panels = {label: _panel(findings, label, surface, 1.0, 1) for label, surface in surfaces.items()}
    return panels_figure(panels, "effective rank, dimensions") if panels else None


def _panel(
    findings: StudyAnalysis, label: str, surface: Surface, scale: float, digits: int, *, width: bool = False
) -> HeatmapData:
    """The mean of every cell with its interval; with `width`, only half of that interval's width."""
    arm, tuned = findings.info.arm(label), findings.summaries[label].tuned
    cells = surface.values.reshape(-1, len(surface.seeds))
    mean, low, high = (scale * each.reshape(surface.values.shape[:2]) for each in moderated_interval(cells))
    shown = (high - low) / 2 if width else mean
    half = np.full_like(mean, np.nan) if width else (high - low) / 2
    failed = surface.failed.sum(axis=-1) / np.maximum(surface.planned.sum(axis=-1), 1)
    if width:  # one finished seed gives no width, but such a cell must not look as if all seeds failed
        failed = np.where((surface.status == "ok").any(axis=-1), 0.0, failed)
    column, row = (int(place) for place in np.unravel_index(tuned.at, surface.values.shape[:2]))
    rows_up = rows_by_temperature(surface.y_axis.info.meaning, len(surface.y))
    return HeatmapData(
        title=arm_names(findings.info)[label],
        x_label=arm.x.axis_label,
        y_label=arm.main.axis_label,
        x_ticks=[number(value) for value in surface.x],
        y_ticks=[number(value) for value in surface.y[rows_up]],
        values=shown.T[rows_up],
        texts=_texts(surface, shown, half, digits).T[rows_up],
        failed=failed.T[rows_up],
        boxed=(int(np.flatnonzero(rows_up == row)[0]), column)
        if "ok" in surface.status[column, row]
        else None,
    )


def _texts(surface: Surface, mean: np.ndarray, half: np.ndarray, digits: int) -> np.ndarray:
    write = _cell_text if len(surface.x) <= ROOMY else _short_cell_text
    texts = np.empty(mean.shape, dtype=object)
    for cell in np.ndindex(mean.shape):
        spread = f"±{half[cell]:.{digits}f}" if np.isfinite(half[cell]) else ""
        text = f"{mean[cell]:.{digits}f}" if np.isfinite(mean[cell]) else NONE
        texts[cell] = write(Counter(surface.status[cell].tolist()), text, spread)
    return texts


def _cell_text(statuses: Counter[str], mean: str, spread: str) -> str:
    """The cell's mean with half the width of its interval, or the reason why it has none.

    Then the numbers of trials that failed and that did not run.
    """
    lacking = {status: count for status, count in statuses.items() if status not in ("ok", UNPLANNED)}
    unknown = sum(lacking.get(status, 0) for status in (MISSING, PRUNED))
    failed = sum(lacking.values()) - unknown
    parts = [f"{failed} failed"] * (failed > 0) + [f"{unknown} not run"] * (unknown > 0)
    if statuses["ok"]:
        between = " " if parts else "\n"  # two lines at most
        return "\n".join([between.join(filter(None, [mean, spread])), *parts])
    words = {MISSING: "not run", "no_score": "no score"}
    return words.get(only := next(iter(lacking)), only) if len(lacking) == 1 else "\n".join(parts)


def _short_cell_text(statuses: Counter[str], mean: str, _: str) -> str:
    """The same for narrow cells: the mean, with a star where trials are left out; otherwise a cross or a dash."""
    planned = statuses.total() - statuses[UNPLANNED]
    if statuses["ok"]:
        return mean + "*" * (statuses["ok"] < planned)
    return "✕" if planned > statuses[MISSING] + statuses[PRUNED] else "–" if planned else ""


def panels_figure(
    panels: Mapping[str, HeatmapData],
    color_label: str,
    *,
    limits: tuple[float, float] | None = None,
    width: float = WIDTH,
) -> Figure:
    """One heat map for each panel, on one colour scale: `limits`, or the smallest and the largest value."""
    tallest = max(len(panel.y_ticks) for panel in panels.values())
    widest = max(len(panel.x_ticks) for panel in panels.values())
    figure, grid = panel_figure(len(panels), tallest, width)
    values = np.concatenate([panel.values.ravel() for panel in panels.values()])
    known = values[np.isfinite(values)]
    low, high = limits or ((known.min(), known.max()) if len(known) else (0.0, 1.0))
    for ax, panel in zip(grid.flat, panels.values(), strict=False):
        titled = replace(panel, title=panel_title(panel.title, width))
        draw_heatmap(ax, titled, low=low, high=high, text_size=cell_text_size(widest, width))
    if len(known):
        add_colorbar(figure, grid, color_label)
    return figure
