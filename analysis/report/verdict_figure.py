"""The picture of the verdict: price of not tuning and tuned score of each loss, side by side, losses in rows.

Where nothing may be chosen, it has the price of bad luck and the average instead.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from analysis.report.plots.figure_text import figure_names
from analysis.report.plots.style import ONE_COLUMN, TONES, new_figure
from analysis.report.verdict_null_control import other_ground
from analysis.report.verdict_table import ordered_losses, tone_of
from analysis.statistics.comparisons.decisions import AVERAGE, BAD_LUCK, NOT_TUNING, QUESTIONS, TUNED
from analysis.statistics.intervals.student import Estimate
from analysis.study_analysis import StudyAnalysis
from analysis.wording import wrapped

_LETTERS = {True: 16, False: 28}  # columns of a line of a name, in a narrow and in a wide figure
_LINE, _ROW = 0.14, 0.24  # inches, of a line of a name, and the least of a row


def verdict_figure(findings: StudyAnalysis, *, width: float) -> Figure | None:
    """Values with their own 95 % intervals, `width` inches wide; None without decisions or any value."""
    decisions = findings.decisions
    if decisions is None:
        return None
    apart = other_ground(findings)
    losses = [loss for loss in ordered_losses(decisions) if loss not in apart]
    metric, narrow = findings.info.metric, width <= ONE_COLUMN
    # two lines of the longest name; all rows are as high as that of the name with most lines
    shown = figure_names((findings.whole_name(loss) for loss in losses), most=2 * _LETTERS[narrow] - 2)
    names = [wrapped(shown[findings.whole_name(loss)], width=_LETTERS[narrow]) for loss in losses]
    height = max(_ROW, _LINE * max(name.count("\n") + 1 for name in names))
    figure = new_figure(0.6 + height * len(losses), width)
    panels = figure.subplots(1, 2, sharey=True)
    unit, between = metric.difference_unit, "\n" if narrow else " "
    price, score = (BAD_LUCK, AVERAGE) if metric.no_choice else (NOT_TUNING, TUNED)
    labels = (
        f"{QUESTIONS[price].words},{between}{unit}",
        f"{score}:{between}{wrapped(metric.axis_label, width=24 if narrow else 60)}",
    )
    for ax, question, label in zip(panels, (price, score), labels, strict=True):
        factor = metric.factor if question == price else metric.sign * metric.factor
        for row, loss in enumerate(losses):
            found = decisions.of(loss, question)
            word = (
                decisions.standing(loss)
                if question == NOT_TUNING and found
                else found.verdict
                if found
                else ""
            )
            _draw(ax, row, decisions.values[loss][question], factor, TONES[tone_of(word)])
        if decisions.items and np.isfinite(value := decisions.values[decisions.reference][question].value):
            ax.axvline(factor * value, color="#888888", lw=0.8, ls=":", zorder=0)
        ax.set_xlabel(label)
        ax.grid(axis="x")
        ax.set_axisbelow(True)
        ax.locator_params(axis="x", nbins=4 if narrow else 7)
        ax.tick_params(axis="y", length=0)
    panels[0].set_yticks(range(len(losses)), names)
    panels[0].set_ylim(len(losses) - 0.5, -0.5)
    return figure


def _draw(ax: Axes, row: int, estimate: Estimate, factor: float, color: str) -> None:
    if estimate.has_interval:
        ax.hlines(row, factor * estimate.low, factor * estimate.high, color=color, lw=2.0)
    ax.plot(factor * estimate.value, row, "o", color=color, ms=5, mec="white", mew=0.6)
