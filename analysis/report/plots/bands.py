"""Draws curves with bands around them, one for each arm."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from analysis.report.plots.figure_text import legend_label
from analysis.report.plots.style import Look

_MARKED = 0.12  # distance between marks, as a share of the diagonal; marks distinguish curves without colour


@dataclass(frozen=True, kw_only=True)
class BandCurve:
    """A curve `(N,)` and the ends of its band, NaN where there is none."""

    label: str
    look: Look
    at: np.ndarray
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    steps: bool = False  # drawn as a staircase, for shares of a finite space


def draw_bands(ax: Axes, curves: Sequence[BandCurve], *, x_label: str, y_label: str) -> Axes:
    """Draw `curves`, each with a pale band."""
    for curve in curves:
        step: Literal["post"] | None = "post" if curve.steps else None
        if np.isfinite(curve.low).any():
            ax.fill_between(
                curve.at, curve.low, curve.high, color=curve.look.color, alpha=0.13, lw=0, step=step
            )
        ax.plot(
            curve.at,
            curve.value,
            color=curve.look.color,
            ls=curve.look.line,
            lw=1.7,
            marker=curve.look.marker,
            markevery=_MARKED if np.isfinite(curve.value).any() else None,  # no marks without points
            ms=5,
            mec="white",
            mew=0.6,
            drawstyle="steps-post" if curve.steps else "default",
            label=legend_label(curve.label),
        )
    ax.set(xlabel=x_label, ylabel=y_label)
    ax.grid()
    ax.set_axisbelow(True)
    return ax
