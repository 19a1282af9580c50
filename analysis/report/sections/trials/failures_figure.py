"""Failure rates over the space: one heat map for each arm, from 0 to 100 %."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure

from analysis.model.meaning import rows_by_temperature
from analysis.report.plots.arm_names import arm_names
from analysis.report.plots.heatmap import HeatmapData
from analysis.report.sections.space.surfaces_figure import ROOMY, panels_figure
from analysis.statistics.scores.failure_rates import FailureSurface
from analysis.study_analysis import StudyAnalysis
from analysis.wording import number

#: Pale where no trial fails, dark where all fail. Lightness is even: readable in grey and with any colour vision.
_COLORMAP = "Purples"


def failure_maps(findings: StudyAnalysis, surfaces: Mapping[str, FailureSurface]) -> Figure | None:
    """Rates of the arms with a grid of two axes and at least one failure; None where no arm has both."""
    panels = {
        label: _panel(findings, label, item)
        for label, item in surfaces.items()
        if len(findings.cells[label].shape or ()) == 2 and item.failed.any()
    }
    return panels_figure(panels, "trials that failed, %", limits=(0.0, 100.0)) if panels else None


def _panel(findings: StudyAnalysis, label: str, item: FailureSurface) -> HeatmapData:
    arm, cells = findings.info.arm(label), findings.cells[label]
    x, y = cells.axes
    rows_up = rows_by_temperature(y.info.meaning, len(y.values))
    texts = np.array(
        [_text(item, cell, roomy=len(x.values) <= ROOMY) for cell in range(len(item.rate))], dtype=object
    )
    return HeatmapData(
        title=arm_names(findings.info)[label],
        x_label=arm.x.axis_label,
        y_label=arm.main.axis_label,
        x_ticks=[number(value) for value in x.values],
        y_ticks=[number(value) for value in y.values[rows_up]],
        values=100 * cells.on_grid(item.rate).T[rows_up],
        texts=cells.on_grid(texts).T[rows_up],
        failed=np.zeros(cells.on_grid(item.rate).T.shape),
        colormap=_COLORMAP,
    )


def _text(item: FailureSurface, cell: int, *, roomy: bool) -> str:
    """How many of the cell's trials failed.

    If there was a failure and there is room, also the ends of the rate's interval.
    """
    if not item.tried[cell]:
        return "–"
    if not item.failed[cell]:
        return "0"
    count = f"{item.failed[cell]} of {item.tried[cell]}"
    ends = f"\n[{100 * item.low[cell]:.0f}, {100 * item.high[cell]:.0f}]"
    return count + ends if roomy else f"{100 * item.rate[cell]:.0f}"
