"""Draws one dot for each arm with its interval, and single seeds next to it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes

from analysis.report.plots.style import Look


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A value with the ends of its interval (NaN for none) and the seeds `(S,)` behind it."""

    label: str
    look: Look
    value: float
    low: float
    high: float
    seeds: np.ndarray


def draw_dots(ax: Axes, dots: Sequence[Dot], *, x_label: str) -> Axes:
    """Draw the dots from top to bottom along a shared axis."""
    for row, dot in enumerate(dots):
        ax.hlines(row, dot.low, dot.high, color=dot.look.color, lw=2.2)
        ax.plot([dot.low, dot.high], [row, row], "|", color=dot.look.color, ms=9, mew=1.6)
        ax.plot(dot.seeds, np.full(len(dot.seeds), row + 0.27), ".", color="#555555", ms=5)
        ax.plot(dot.value, row, dot.look.marker, color=dot.look.color, ms=8, mec="white", mew=0.8)
    ax.set_yticks(range(len(dots)), [dot.label for dot in dots])
    ax.set_ylim(len(dots) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    ax.grid(axis="x")
    ax.set_axisbelow(True)
    return ax
