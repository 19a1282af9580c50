"""A figure of curves with bands and a legend beside it."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from analysis.report.plots.bands import BandCurve, draw_bands
from analysis.report.plots.figure_text import add_legend, legend_entries
from analysis.report.plots.style import new_figure

_LINE = 0.2  # inches, height of a line of the legend


def band_figure(curves: Sequence[BandCurve], *, x_label: str, y_label: str, log: bool = False) -> Figure:
    """One panel of `curves`; with `log` the x axis is logarithmic."""
    lines = sum(curve.label.count("\n") + 1 for curve in curves)
    figure = new_figure(max(3.6, 0.9 + _LINE * lines))
    ax = draw_bands(figure.subplots(), curves, x_label=x_label, y_label=y_label)
    if log:
        ax.set_xscale("log")
    add_legend(figure, legend_entries([ax]), loc="outside right upper", title="Loss")
    return figure
