"""Figures of surfaces: one heat map an arm, all on one colour scale."""

import math
from collections import Counter
from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.findings import Findings
from analysis.plots.heatmap import HeatmapData, draw_heatmap
from analysis.plots.style import WIDTH
from analysis.statistics.intervals import mean_and_spread
from analysis.surface import MISSING, PRUNED, UNPLANNED, Surface
from analysis.wording import number, wrapped

_COLUMNS = 3  # panels side by side
_ROOMY = 4  # batch sizes up to which a cell has room for words


def accuracy_surfaces(findings: Findings) -> Figure:
    """Mean test accuracy over seeds, in percent; the tuned configuration has a frame."""
    panels = {label: _panel(findings, label, surface, 100.0) for label, surface in findings.test.items()}
    return _figure(panels, "test accuracy, %")


def rank_surfaces(findings: Findings) -> Figure | None:
    """Mean effective rank over seeds, in dimensions; None where no trial has one."""
    panels = {label: _panel(findings, label, surface, 1.0) for label, surface in findings.rank.items()}
    return _figure(panels, "effective rank, dimensions") if panels else None


def _panel(findings: Findings, label: str, surface: Surface, scale: float) -> HeatmapData:
    arm, tuned = findings.info.arm(label), findings.summaries[label].tuned
    mean = scale * mean_and_spread(surface.values)[0]
    planned = np.maximum(surface.planned.sum(axis=-1), 1)
    return HeatmapData(
        title=wrapped(arm.name),
        x_label=findings.info.x_label,
        y_label=f"{arm.main_axis_label} (no unit)",
        x_ticks=[number(value) for value in surface.x],
        y_ticks=[number(value) for value in surface.y],
        values=mean.T,
        texts=_texts(surface, mean).T,
        failed=(surface.failed.sum(axis=-1) / planned).T,
        boxed=(tuned.at[1], tuned.at[0]) if "ok" in surface.status[tuned.at] else None,
    )


def _texts(surface: Surface, mean: np.ndarray) -> np.ndarray:
    write = _cell_text if len(surface.x) <= _ROOMY else _short_cell_text
    texts = np.empty(mean.shape, dtype=object)
    for cell in np.ndindex(mean.shape):
        texts[cell] = write(Counter(surface.status[cell].tolist()), float(mean[cell]))
    return texts


def _cell_text(statuses: Counter[str], mean: float) -> str:
    """The cell's mean, or why there is none; a second line where not all of its trials entered."""
    lacking = {status: count for status, count in statuses.items() if status not in ("ok", UNPLANNED)}
    unknown = sum(lacking.get(status, 0) for status in (MISSING, PRUNED))
    failed = sum(lacking.values()) - unknown
    parts = [f"{failed} failed"] * (failed > 0) + [f"{unknown} not run"] * (unknown > 0)
    if statuses["ok"]:
        return "\n".join([f"{mean:.1f}", *parts])
    words = {MISSING: "not run", "no_score": "no score"}
    return words.get(only := next(iter(lacking)), only) if len(lacking) == 1 else "\n".join(parts)


def _short_cell_text(statuses: Counter[str], mean: float) -> str:
    """The same for narrow cells: the mean, starred where not all entered, a cross or a dash."""
    planned = statuses.total() - statuses[UNPLANNED]
    if statuses["ok"]:
        return f"{mean:.1f}" + "*" * (statuses["ok"] < planned)
    return "✕" if planned > statuses[MISSING] + statuses[PRUNED] else "–" if planned else ""


def _figure(panels: Mapping[str, HeatmapData], color_label: str) -> Figure:
    columns = min(_COLUMNS, len(panels))
    rows = math.ceil(len(panels) / columns)
    tallest = max(len(panel.y_ticks) for panel in panels.values())
    widest = max(len(panel.x_ticks) for panel in panels.values())
    figure = Figure(figsize=(WIDTH, rows * (0.9 + 0.36 * max(tallest, 3))), layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    values = np.concatenate([panel.values.ravel() for panel in panels.values()])
    known = values[np.isfinite(values)]
    low, high = (known.min(), known.max()) if len(known) else (0.0, 1.0)
    for ax, panel in zip(grid.flat, panels.values(), strict=False):
        draw_heatmap(ax, panel, low=low, high=high, text_size=_text_size(widest))
    for ax in list(grid.flat)[len(panels) :]:
        ax.set_axis_off()
    if len(known):
        axes: list[Axes] = list(grid.flat)
        figure.colorbar(axes[0].collections[0], ax=axes, label=color_label, shrink=0.7, aspect=30, pad=0.015)
    return figure


def _text_size(columns: int) -> float:
    """Size of the cells' texts in points; none where cells are too narrow for them."""
    return 8.0 if columns <= _ROOMY else 6.5 if columns <= 8 else 0.0
