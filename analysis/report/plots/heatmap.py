"""Draws one surface as a heat map, with failures and gaps."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from seaborn.utils import relative_luminance

from analysis.names import columns as text_columns
from analysis.report.plots.style import COLORMAP, ONE_COLUMN, TWO_COLUMNS, WIDTH, new_figure
from analysis.wording import wrapped

FAILED_COLOR, HATCH = "#e3e3e3", "////"
_LIGHT = 0.408  # luminance from which a colour takes dark text
_MOST_LEVEL = 6  # up to this number of values along x, texts of four digits do not overlap
_SIDE_BY_SIDE = 3  # largest number of panels in a row


@dataclass(frozen=True, kw_only=True)
class HeatmapData:
    """The data of a heat map. Rows run along y, upwards."""

    title: str
    x_label: str
    y_label: str
    x_ticks: Sequence[str]  # (X,)
    y_ticks: Sequence[str]  # (Y,)
    values: np.ndarray  # (Y, X), NaN where nothing is drawn
    texts: np.ndarray  # (Y, X) of str, written into the cells
    failed: np.ndarray  # (Y, X) share of the cell's trials that failed
    boxed: tuple[int, int] | None = None  # (row, column) of the cell with a frame
    colormap: str = COLORMAP


def panel_grid(panels: int, width: float = WIDTH) -> tuple[int, int]:
    """Rows and columns for a number of panels: as few rows as the width in inches allows, evenly filled."""
    rows = math.ceil(panels / (2 if width <= ONE_COLUMN else _SIDE_BY_SIDE))
    return rows, math.ceil(panels / rows)


def panel_figure(panels: int, tallest: int, width: float = WIDTH) -> tuple[Figure, np.ndarray]:
    """A figure for panels with at most `tallest` rows of cells, and its axes `(rows, columns)`, empty ones hidden."""
    rows, columns = panel_grid(panels, width)
    around, cell = (0.9, 0.36) if width > TWO_COLUMNS else (0.68, 0.26)
    bar = 0.45 if width <= ONE_COLUMN else 0.0
    figure = new_figure(rows * (around + cell * max(tallest, 3)) + bar, width)
    grid = figure.subplots(rows, columns, squeeze=False)
    for ax in list(grid.flat)[panels:]:
        ax.set_axis_off()
    return figure, grid


def panel_title(name: str, width: float = WIDTH) -> str:
    """A name as the title of a panel, in lines that fit in a figure of this width in inches."""
    if width > ONE_COLUMN:
        return wrapped(name, width=24)
    # all letters of a long name may be wide
    return name if text_columns(name) < 20 else wrapped(name, width=14)


def add_colorbar(figure: Figure, grid: np.ndarray, label: str) -> None:
    """One colour bar for all panels, of the first panel's cells: at the right, in a narrow figure below."""
    place: dict[str, Any] = {"shrink": 0.7, "aspect": 30, "pad": 0.015}
    if figure.get_figwidth() <= ONE_COLUMN:
        place = {"location": "bottom", "shrink": 0.8, "aspect": 35, "pad": 0.01}
    figure.colorbar(grid.flat[0].collections[0], ax=list(grid.flat), label=label, **place)


def cell_text_size(columns: int, width: float = WIDTH) -> float:
    """Size in points of the texts in cells of a figure of this width in inches; 0 where cells are too narrow."""
    if width > TWO_COLUMNS:
        return 8.0 if columns <= 4 else 6.5 if columns <= 8 else 0.0
    if width > ONE_COLUMN:
        return 6.5 if columns <= 4 else 5.0 if columns <= 8 else 0.0
    return 5.5 if columns <= 4 else 0.0


def draw_cells(
    ax: Axes, values: np.ndarray, *, low: float, high: float, colormap: str, gap: float = 1
) -> QuadMesh:
    """A coloured cell for each finite value `(Y, X)`, rows upwards, with white lines of width `gap` between them.

    `seaborn.heatmap` draws the same, and in addition renders the whole figure once for each panel.
    """
    mesh = ax.pcolormesh(
        np.ma.masked_invalid(values), cmap=colormap, vmin=low, vmax=high, lw=gap, edgecolor="white"
    )
    ax.set(xlim=(0, values.shape[1]), ylim=(0, values.shape[0]))
    ax.spines[:].set_visible(False)
    return mesh


def write_in_cells(ax: Axes, texts: np.ndarray, size: float) -> None:
    """Texts `(Y, X)` in the coloured cells of `draw_cells`, dark on light colours and white on dark ones."""
    mesh = ax.collections[0]
    mesh.update_scalarmappable()
    hidden = np.ma.getmaskarray(np.ma.asarray(mesh.get_array())).ravel()
    for place, color in enumerate(mesh.get_facecolors()):  # type: ignore[attr-defined]
        if not hidden[place]:
            row, column = divmod(place, texts.shape[1])
            dark = relative_luminance(color) > _LIGHT
            ax.text(
                column + 0.5,
                row + 0.5,
                texts[row, column],
                ha="center",
                va="center",
                fontsize=size,
                linespacing=1.1,
                color=".15" if dark else "w",
            )


def label_cells(ax: Axes, x_ticks: Sequence[str], y_ticks: Sequence[str]) -> None:
    """The values of both axes at the centres of the cells."""
    ax.set_xticks(np.arange(len(x_ticks)) + 0.5, list(x_ticks))
    ax.set_yticks(np.arange(len(y_ticks)) + 0.5, list(y_ticks))
    ax.tick_params(length=0, rotation=0)
    if len(x_ticks) > _MOST_LEVEL:
        ax.tick_params(axis="x", rotation=90)


def draw_heatmap(ax: Axes, data: HeatmapData, *, low: float, high: float, text_size: float) -> Axes:
    """Draw `data` on the colour scale from `low` to `high`. With `text_size` 0 the cells have no texts."""
    draw_cells(ax, data.values, low=low, high=high, colormap=data.colormap)
    if text_size:
        write_in_cells(ax, data.texts, text_size)
    label_cells(ax, data.x_ticks, data.y_ticks)
    _draw_empty_cells(ax, data, text_size)
    _draw_failures(ax, data)
    if data.boxed is not None:
        row, column = data.boxed
        # black over white is visible on dark and on light cells
        scale = float(mpl.rcParams["font.size"]) / 9  # thinner in figures for papers
        for color, width in (("white", 4.5 * scale), ("black", 2 * scale)):
            frame = Rectangle(
                (column + 0.03, row + 0.04), 0.94, 0.92, fill=False, ec=color, lw=width, zorder=5
            )
            ax.add_patch(frame)
    ax.set(title=data.title, xlabel=data.x_label, ylabel=data.y_label)
    return ax


def _draw_failures(ax: Axes, data: HeatmapData) -> None:
    """A hatched strip along the bottom of a cell, as wide as the share of failures; the whole cell if all failed."""
    for row, column in np.argwhere((data.failed > 0) & np.isfinite(data.values)):
        _hatch(ax, column, row, width=data.failed[row, column], height=0.18)
    for row, column in np.argwhere((data.failed > 0) & ~np.isfinite(data.values)):
        _hatch(ax, column, row, width=1.0, height=1.0)


def _hatch(ax: Axes, column: int, row: int, *, width: float, height: float) -> None:
    patch = Rectangle(
        (column, row), width, height, fc=FAILED_COLOR, ec="#8a8a8a", hatch=HATCH, lw=0, zorder=2
    )
    ax.add_patch(patch)


def _draw_empty_cells(ax: Axes, data: HeatmapData, text_size: float) -> None:
    for row, column in np.argwhere(~np.isfinite(data.values)):
        box = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(
            column + 0.5,
            row + 0.5,
            data.texts[row, column],
            ha="center",
            va="center",
            fontsize=text_size or 7,
            color="#333333",
            bbox=box,
            zorder=4,
        )
