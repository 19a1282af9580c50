"""Draws curves over an axis, one for each arm, with single seeds as dots and their range as a bar."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from analysis.report.plots.figure_text import legend_label
from analysis.report.plots.style import Look


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One line: `mean` `(X,)` at positions `at` `(X,)`, and the seeds `(X, S)` around it; NaN leaves gaps."""

    label: str
    look: Look
    at: np.ndarray
    mean: np.ndarray
    seeds: np.ndarray
    low: np.ndarray  # (X,) lowest seed
    high: np.ndarray  # (X,) highest seed
    failed_at: np.ndarray  # positions at which a seed failed


@dataclass(frozen=True, kw_only=True)
class AxisTicks:
    """Positions and texts of an axis' ticks, which are the grid's values."""

    at: Sequence[float]
    texts: Sequence[str]
    label: str
    limits: tuple[float, float]


def draw_curves(ax: Axes, curves: Sequence[Curve], ticks: AxisTicks, *, y_label: str) -> Axes:
    """Draw `curves` over the ticks' axis; a failed seed is a cross at the bottom."""
    for curve in curves:
        look = curve.look
        ax.vlines(curve.at, curve.low, curve.high, color=look.color, lw=1.6, alpha=0.55)
        ax.plot(np.repeat(curve.at, curve.seeds.shape[1]), curve.seeds.ravel(), ".", ms=3.5, color=look.color)
        ax.plot(
            curve.at,
            curve.mean,
            color=look.color,
            marker=look.marker,
            ls=look.line,
            lw=1.4,
            ms=5.5,
            mec="white",
            mew=0.6,
            label=legend_label(curve.label),
        )
        bottom = np.full(len(curve.failed_at), 0.04)
        floor = ax.get_xaxis_transform()
        ax.plot(curve.failed_at, bottom, "x", transform=floor, color=look.color, ms=6, mew=1.8)
    ax.set_xticks(list(ticks.at), list(ticks.texts))
    ax.set(xlim=ticks.limits, xlabel=ticks.label, ylabel=y_label)
    ax.grid(axis="y")
    ax.set_axisbelow(True)
    return ax
