"""Draws how an arm's scores fall from the tuned configuration to the worst part of the space."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes

#: Marker, colour and fill of each score. The default is not filled, because it often coincides with the tuned one.
SCORES: dict[str, tuple[str, str, bool]] = {
    "worst tenth of the ranges": ("v", "#c44e00", True),
    "average over the ranges": ("o", "#0072b2", True),
    "default configuration": ("s", "#555555", False),
    "tuned": ("^", "#117755", True),
}


def draw_levels(
    ax: Axes, labels: Sequence[str], levels: Mapping[str, Sequence[float]], *, x_label: str
) -> Axes:
    """One row for each arm; `levels` has each score's values in the order of the arms, in the unit of `x_label`."""
    rows = np.arange(len(labels))
    known = np.array(list(levels.values()), dtype=float)
    for row in rows[np.isfinite(known).any(axis=0)]:
        ax.hlines(row, np.nanmin(known[:, row]), np.nanmax(known[:, row]), color="#c8c8c8", lw=3, zorder=1)
    for name, values in levels.items():
        marker, color, filled = SCORES[name]
        face = color if filled else "none"
        edge, width = ("white", 0.7) if filled else (color, 1.5)
        ax.plot(
            values,
            rows,
            marker,
            mfc=face,
            ms=7.5 if filled else 9.5,
            mec=edge,
            mew=width,
            label=name,
            zorder=2,
        )
    _rows(ax, labels, x_label)
    return ax


def draw_shares(
    ax: Axes,
    labels: Sequence[str],
    values: Sequence[float],
    low: Sequence[float],
    high: Sequence[float],
    *,
    x_label: str,
) -> Axes:
    """One bar from 0 for each arm, with its value as text; `low` and `high` are NaN without an interval."""
    rows = np.arange(len(labels))
    ax.barh(rows, np.nan_to_num(values), height=0.55, color="#7fb0d6")
    ax.hlines(rows, low, high, color="black", lw=1.4)
    ends = np.fmax(np.nan_to_num(values), np.nan_to_num(high))
    for row, value, end in zip(rows, values, ends, strict=True):
        ax.text(float(end) + 1.5, float(row), f"{value:.0f}" if np.isfinite(value) else "–", va="center")
    ax.set_xlim(0, 112)
    ax.set_xticks([0, 25, 50, 75, 100])
    _rows(ax, labels, x_label)
    return ax


def _rows(ax: Axes, labels: Sequence[str], x_label: str) -> None:
    ax.set_yticks(range(len(labels)), list(labels))
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_xlabel(x_label)
    ax.grid(axis="x")
    ax.set_axisbelow(True)
