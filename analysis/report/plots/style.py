"""The style of all figures: colours for any colour vision, and markers that are readable in grey print."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import seaborn as sns
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from analysis.report.plots.fonts import FAMILY

#: Sequential colour map for values. Lightness is even, so it is readable in grey and with any colour vision.
COLORMAP = "viridis"

#: Width of a figure in inches; the page scales it to its column.
WIDTH = 9.0

#: Widths in inches of figures for papers with two columns: across one column, and across both.
ONE_COLUMN, TWO_COLUMNS = 3.35, 6.9

#: Colours of decisions, for any colour vision. In grey print they differ in lightness, and tables have the words.
TONES = {"better": "#0072b2", "worse": "#c1440e", "equal": "#4d4d4d", "open": "#8a8f96"}

_SETTINGS: dict[Any, Any] = {
    "font.family": FAMILY,
    "text.parse_math": False,  # names may contain dollar signs
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.labelsize": 9,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "legend.fontsize": 9,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.7,
    "hatch.linewidth": 0.8,
    "figure.dpi": 160,
    "svg.hashsalt": "figure",  # ids in an SVG are the same in every run
    "svg.fonttype": "path",
}

_MARKERS = "osD^vphX<>"
_LINES = ("-", "--", "-.", ":")


@dataclass(frozen=True, kw_only=True)
class Look:
    """Colour, marker and line of one arm, the same in every figure."""

    color: tuple[float, float, float]
    marker: str
    line: str


def arm_look(index: int) -> Look:
    """The look of the arm at `index` of the study. Colours repeat after ten, with another line style."""
    palette = sns.color_palette("colorblind")
    return Look(
        color=palette[index % len(palette)],
        marker=_MARKERS[index % len(_MARKERS)],
        line=_LINES[index // len(palette) % len(_LINES)],
    )


def new_figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure with a height and a width in inches, by default the page's; its layout avoids overlaps.

    Its canvas keeps one renderer. Otherwise matplotlib creates one whenever it measures a text, which takes half of
    the time of a large heat map.
    """
    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


#: Sizes of texts in points in figures for papers, which are printed at their size.
_PAPER: dict[Any, Any] = {
    "font.size": 7,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7,
    "xtick.labelsize": 6.5,
    "ytick.labelsize": 6.5,
    "legend.fontsize": 6.5,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
}


@contextmanager
def paper_style() -> Iterator[None]:
    """Within `figure_style`, the sizes of texts for papers."""
    with mpl.rc_context(_PAPER):
        yield


@contextmanager
def figure_style() -> Iterator[None]:
    """Applies the settings of this module over matplotlib's defaults, whatever the user's configuration is."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(_SETTINGS)
        yield
