"""Regret matrices as heat maps, one for each loss, all on one colour scale."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.report.plots.figure_text import figure_names
from analysis.report.plots.heatmap import HeatmapData, draw_heatmap
from analysis.report.plots.style import new_figure
from analysis.wording import wrapped

_COLUMNS = 3  # panels side by side
_ROOMY = 6  # up to this number of environments a cell has room for a number
_NAMED = 16  # up to this number of environments the axes name each
_LONGEST_TICK = 42  # columns of the name of an environment
_SIDE = 2.6  # inches, side of a panel


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """Regrets `(E, E)` in shown units; tuned for the row, used for the column."""

    title: str
    names: Sequence[str]
    values: np.ndarray


def transfer_figure(matrices: Sequence[Matrix], *, kind: str, unit: str, digits: int) -> Figure | None:
    """One panel for each matrix; None where no regret is known."""
    known = np.concatenate([item.values[np.isfinite(item.values)] for item in matrices])
    if not len(known):
        return None
    columns = min(_COLUMNS, len(matrices))
    rows = math.ceil(len(matrices) / columns)
    figure = new_figure(rows * (_SIDE + 0.5))
    grid = figure.subplots(rows, columns, squeeze=False)
    titles = figure_names(item.title for item in matrices)
    high = float(known.max())  # the scale begins at 0: values below are noise
    for ax, item in zip(grid.flat, matrices, strict=False):
        panel = _panel(item, titles[item.title], kind, digits)
        draw_heatmap(ax, panel, low=0.0, high=high if high > 0 else 1.0, text_size=_text_size(item))
    for ax in list(grid.flat)[len(matrices) :]:
        ax.set_axis_off()
    axes: list[Axes] = list(grid.flat)
    figure.colorbar(
        axes[0].collections[0], ax=axes, label=f"regret, {unit}", shrink=0.7, aspect=30, pad=0.015
    )
    return figure


def _panel(item: Matrix, title: str, kind: str, digits: int) -> HeatmapData:
    every = math.ceil(len(item.names) / _NAMED)
    names = figure_names(item.names, most=_LONGEST_TICK)
    ticks = [
        wrapped(names[name], width=14) if not place % every else "" for place, name in enumerate(item.names)
    ]
    texts = np.array([[_text(value, digits) for value in row] for row in item.values], dtype=object)
    return HeatmapData(
        title=wrapped(title),
        x_label=f"used for: {kind}",
        y_label=f"tuned for: {kind}",
        x_ticks=ticks,
        y_ticks=ticks,
        values=item.values,
        texts=texts,
        failed=np.zeros(item.values.shape),
    )


def _text_size(item: Matrix) -> float:
    """Size of the texts in cells, in points; 0 where cells are too narrow."""
    return 7.5 if len(item.names) <= _ROOMY else 0.0


def _text(value: float, digits: int) -> str:
    """Text of a value; an unknown one is empty, because the caption explains empty cells."""
    text = f"{value:.{digits}f}".replace("-", "−") if np.isfinite(value) else ""
    return text.lstrip("−") if not text.strip("−0.") else text
