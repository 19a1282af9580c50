"""Draws configurations as points over two hyperparameters, with scores as colours and with failures."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

from analysis.report.plots.style import COLORMAP


@dataclass(frozen=True, kw_only=True)
class ScatterAxis:
    """Positions of the points along an axis `(C,)`; `texts` are the names of positions 0, 1, ... of categories."""

    label: str
    at: np.ndarray
    log: bool = False
    texts: Sequence[str] = ()
    falls: bool = False  # whether larger values are drawn lower


@dataclass(frozen=True, kw_only=True)
class ScatterData:
    """The data of C configurations."""

    title: str
    x: ScatterAxis
    y: ScatterAxis
    values: np.ndarray  # (C,) NaN where no seed finished
    failed: np.ndarray  # (C,) share of the seeds that failed
    ringed: int | None = None  # the configuration with a ring


def draw_scatter(ax: Axes, data: ScatterData, *, low: float, high: float) -> PathCollection:
    """Draw `data` on the colour scale from `low` to `high`: crosses for failures, hollow dots without a result."""
    known, failed = np.isfinite(data.values), data.failed > 0
    x, y = data.x.at, data.y.at
    bare = ~known & ~failed
    ax.scatter(x[bare], y[bare], s=26, facecolors="none", edgecolors="#999999", linewidths=0.9)
    drawn = ax.scatter(
        x[known],
        y[known],
        c=data.values[known],
        s=42,
        vmin=low,
        vmax=high,
        cmap=COLORMAP,
        edgecolors="#444444",
        linewidths=0.4,
    )
    ax.scatter(x[failed & ~known], y[failed & ~known], s=34, marker="x", color="#c44e00", linewidths=1.5)
    ax.scatter(x[failed & known], y[failed & known], s=16, marker="x", color="white", linewidths=1.2)
    if data.ringed is not None:
        at = x[data.ringed], y[data.ringed]
        ax.scatter(*at, s=130, facecolors="none", edgecolors="black", linewidths=1.6)
    _scale(ax, data)
    ax.set(title=data.title, xlabel=data.x.label, ylabel=data.y.label)
    ax.grid()
    ax.set_axisbelow(True)
    return drawn


def _scale(ax: Axes, data: ScatterData) -> None:
    for log, scale, axis in ((data.x.log, ax.set_xscale, ax.xaxis), (data.y.log, ax.set_yscale, ax.yaxis)):
        if log:
            scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axis.set_minor_locator(NullLocator())
    if data.y.falls:
        ax.invert_yaxis()
    if data.x.texts:
        ax.set_xticks(range(len(data.x.texts)), list(data.x.texts))
    if data.y.texts:
        ax.set_yticks(range(len(data.y.texts)), list(data.y.texts))
