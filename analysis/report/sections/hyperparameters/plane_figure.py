"""A figure of two scores of every arm, one on each axis."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

from analysis.report.plots.figure_text import add_legend, legend_entries, legend_label
from analysis.report.plots.style import Look, new_figure
from analysis.statistics.intervals.student import Estimate

_LINE = 0.2  # inches, height of a line of the legend


@dataclass(frozen=True, kw_only=True)
class PlanePoint:
    """One arm with two scores in shown units."""

    label: str
    look: Look
    x: Estimate
    y: Estimate


def plane_figure(points: Sequence[PlanePoint], *, x_label: str, y_label: str) -> Figure | None:
    """A marker for each arm, with a bar along each axis where there is an interval.

    None where no arm has both scores.
    """
    shown = [point for point in points if np.isfinite([point.x.value, point.y.value]).all()]
    if not shown:
        return None
    lines = sum(point.label.count("\n") + 1 for point in shown)
    figure = new_figure(max(3.9, 0.9 + _LINE * lines))
    ax = figure.subplots()
    for point in shown:
        color = point.look.color
        if point.x.has_interval:
            ax.hlines(point.y.value, point.x.low, point.x.high, color=color, lw=1.4, alpha=0.7)
        if point.y.has_interval:
            ax.vlines(point.x.value, point.y.low, point.y.high, color=color, lw=1.4, alpha=0.7)
        ax.plot(
            point.x.value,
            point.y.value,
            point.look.marker,
            color=color,
            ms=8,
            mec="white",
            mew=0.8,
            ls="none",
            label=legend_label(point.label),
        )
    ax.set(xlabel=x_label, ylabel=y_label)
    ax.grid()
    ax.set_axisbelow(True)
    add_legend(figure, legend_entries([ax]), loc="outside right upper", title="Loss")
    return figure
