"""A figure of curves with bands and a legend beside it."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.report.plots.bands import BandCurve, draw_bands
from analysis.report.plots.figure_text import add_legend, legend_entries
from analysis.report.plots.style import ONE_COLUMN, TWO_COLUMNS, WIDTH, new_figure
from analysis.wording import wrapped

_LINE = 0.2  # inches, height of a line of the legend
_NARROW_LABEL = 24  # columns of a line of the y label of a narrow figure


def band_figure(
    curves: Sequence[BandCurve], *, x_label: str, y_label: str, log: bool = False, width: float = WIDTH
) -> Figure:
    """One panel of `curves`; with `log` the x axis is logarithmic. In a narrow figure the legend stands below."""
    lines = sum(curve.label.count("\n") + 1 for curve in curves)
    narrow, least = width <= ONE_COLUMN, 3.6 if width > TWO_COLUMNS else 2.8
    figure = new_figure(2.3 + 0.08 * lines if narrow else max(least, 0.9 + _LINE * lines), width)
    # the legend below takes a third of the height
    y_label = wrapped(y_label, width=_NARROW_LABEL) if narrow else y_label
    ax = draw_bands(figure.subplots(), curves, x_label=x_label, y_label=y_label)
    if log:
        ax.set_xscale("log")
    place = {"loc": "outside lower center", "ncols": 2} if narrow else {"loc": "outside right upper"}
    add_legend(figure, legend_entries([ax]), title="" if narrow else "Loss", **place)
    return figure
